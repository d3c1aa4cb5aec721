//! The mesh and the sources: proxies in trouble first, what is not known with the items that it leaves open, nothing of namespaces that a viewer
//! does not see.

use crate::page::{Fixed, answer, heading, page, router, text};
use axum::body::Body;
use http::Request;
use naru_app::fixtures::Scene;
use naru_domain::actor::Scope;
use std::sync::Arc;

#[tokio::test]
async fn the_answer_comes_first_and_proxies_in_trouble_before_the_rest() {
    let html = page(Scene::Busy, "/mesh", "en").await;
    assert_eq!(heading(&html), "3 of 5 proxies do not have what they were sent");
    let text = text(&html);
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what:?} in {text}"));
    let order = [
        "Refused (NACK)",
        "No istiod knows it",
        "Not acknowledged",
        "Acknowledged",
    ]
    .map(at);
    assert!(order.is_sorted(), "{order:?}");
    assert!(at("LDS: Invalid regex") < at("RDS ·"));
    // What istiod quotes is text.
    assert!(!html.contains("regex: <b>"));
}

#[tokio::test]
async fn control_planes_sources_and_what_injection_would_do() {
    let text = text(&page(Scene::Busy, "/mesh", "en").await);
    for said in [
        "1 of 2 ready",
        "tag of 1-31-0",
        "Proxies are scraped every 15 s",
        "Requests are known at least 24 h back",
        "payment/payment-service",
        "does not come up",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[tokio::test]
async fn it_is_told_in_korean_too() {
    let html = page(Scene::Busy, "/mesh", "ko").await;
    assert_eq!(
        heading(&html),
        "프록시 5개 중 3개가 받아야 할 설정을 아직 모두 적용하지 않았습니다"
    );
    assert!(text(&html).contains("컨트롤 플레인"));
}

#[tokio::test]
async fn before_anything_was_seen_nothing_is_called_well() {
    let html = page(Scene::Unreachable, "/mesh", "en").await;
    assert_eq!(heading(&html), "The mesh was not looked at yet");
    assert!(!text(&html).contains("Acknowledged"));
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
    let request = Request::get("/mesh").body(Body::empty()).unwrap();
    let (_, html) = answer(router(console, scope), request).await;
    assert_eq!(heading(&html), "1 of 2 proxies does not have what it was sent");
    let text = text(&html);
    assert!(text.contains("lie in namespaces that you do not see"), "{text}");
    assert!(!html.contains("payment-service"), "{text}");
}
