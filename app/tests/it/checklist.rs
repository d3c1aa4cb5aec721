//! The checklist and its items: the answer first, reasons with their place, and nothing of namespaces that a viewer does not see.

use crate::page::{Fixed, answer, heading, page, router, text};
use axum::body::Body;
use http::{Request, StatusCode};
use naru_app::fixtures::Scene;
use naru_domain::actor::Scope;
use std::sync::Arc;

#[tokio::test]
async fn the_answer_comes_first_and_every_item_stands_with_its_reason() {
    let html = page(Scene::Busy, "/checklist", "en").await;
    assert!(
        heading(&html).starts_with("Phase 1 of 4 · 2 of 16 done"),
        "{}",
        heading(&html)
    );
    let text = text(&html);
    for said in [
        "1.1 Istio installed",
        "4.4 Ready for production",
        "✓ Signed",
        "1 finding accepted",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
    assert!(html.contains("href=\"/checklist/1.2\""));
}

#[tokio::test]
async fn an_item_names_the_object_the_field_and_the_code() {
    let html = page(Scene::Busy, "/checklist/1.2", "en").await;
    assert_eq!(heading(&html), "1.2 Gateway and VirtualService: Not known");
    let text = text(&html);
    for said in [
        "names Gateway absent, which is not there",
        "VirtualService product-service/product-service /spec/gateways/0",
        "route-gateway-absent",
        "IST0101",
        "at version 4711",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[tokio::test]
async fn it_is_told_in_korean_too() {
    let html = page(Scene::Busy, "/checklist/1.2", "ko").await;
    assert_eq!(heading(&html), "1.2 Gateway와 VirtualService: 알 수 없음");
    assert!(text(&html).contains("가리키는 Gateway absent가 없어"));
}

#[tokio::test]
async fn before_anything_was_judged_nothing_is_called_met() {
    let html = page(Scene::Unreachable, "/checklist", "en").await;
    assert!(heading(&html).starts_with("Not judged yet"));
    assert!(!text(&html).contains("● Met"));
}

#[tokio::test]
async fn what_lies_in_other_namespaces_is_counted_and_not_told() {
    let console = Fixed {
        scene: Scene::Busy,
        read_only: false,
    };
    let scope = Scope {
        namespaces: Some(Arc::from(["user-service".into()])),
    };
    let request = Request::get("/checklist/1.2").body(Body::empty()).unwrap();
    let (_, html) = answer(router(console, scope), request).await;
    assert_eq!(heading(&html), "1.2 Gateway and VirtualService: Not known");
    let text = text(&html);
    assert!(text.contains("in namespaces that you do not see"), "{text}");
    assert!(
        !html.contains("route-gateway-absent") && !html.contains("4711"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_no_item_is_not_found() {
    let console = Fixed {
        scene: Scene::Busy,
        read_only: false,
    };
    let request = Request::get("/checklist/9.9").body(Body::empty()).unwrap();
    let (parts, html) = answer(router(console, Scope::all()), request).await;
    assert_eq!(parts.status, StatusCode::NOT_FOUND);
    assert!(html.contains("role=\"alert\""));
}
