//! Empty, old, missing and forbidden facts: each is said, none is taken for good news.

use crate::page::{Fixed, answer, heading, page, router, text};
use axum::body::Body;
use http::Request;
use naru_app::fixtures::Scene;
use naru_domain::actor::Scope;

#[tokio::test]
async fn old_figures_are_not_good_news() {
    for scene in [Scene::Stale, Scene::Unreachable] {
        let html = page(scene, "/", "en").await;
        assert_eq!(
            heading(&html),
            "Whether calls fail is not known: Prometheus does not answer"
        );
        let html = page(scene, "/topology", "en").await;
        assert_eq!(heading(&html), "How the calls fare is not known");
    }
    let html = text(&page(Scene::Stale, "/", "en").await);
    assert!(
        html.contains("Measured 3 min ago; newer figures are missing."),
        "{html}"
    );
    assert!(html.contains("Prometheus Stale, last answer 3 min ago"), "{html}");
    let html = text(&page(Scene::Unreachable, "/", "ko").await);
    assert!(
        html.contains("Prometheus에 연결할 수 없습니다: connection refused."),
        "{html}"
    );
}

#[tokio::test]
async fn without_metrics_the_split_is_unknown_with_its_reason() {
    let html = text(
        &page(
            Scene::Unreachable,
            "/canary/user-service/user-service-canary",
            "en",
        )
        .await,
    );
    assert!(
        html.contains("What is observed is not known. Prometheus has not answered yet"),
        "{html}"
    );
}

#[tokio::test]
async fn nothing_there_says_why_and_what_to_do() {
    for (uri, answer, said) in [
        (
            "/",
            "No traffic seen yet",
            "No service with pods or traffic is visible.",
        ),
        (
            "/topology",
            "No calls seen yet",
            "No workload or call is visible.",
        ),
        (
            "/canary",
            "No weighted routes",
            "splits its traffic among destinations",
        ),
        (
            "/changes",
            "No changes yet",
            "Changes made through Naru appear here",
        ),
    ] {
        let html = page(Scene::Empty, uri, "en").await;
        assert_eq!(heading(&html), answer);
        assert!(text(&html).contains(said), "{uri}");
    }
}

#[tokio::test]
async fn missing_rights_are_named() {
    let html = text(&page(Scene::Partial, "/", "en").await);
    assert!(
        html.contains("The right to list pods in namespace payment is missing."),
        "{html}"
    );
    assert!(
        html.contains("does not know the kind PeerAuthentication"),
        "{html}"
    );
    let html = text(&page(Scene::Partial, "/", "ko").await);
    assert!(
        html.contains("payment 네임스페이스의 pods에 대한 list 권한이 없습니다."),
        "{html}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    for uri in [
        "/nothing",
        "/canary/user-service/nothing",
        "/canary/%3Cscript%3E/x",
        // There is a VirtualService of that name.
        "/canary/httproute/payment/payment-rollout",
    ] {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let console = Fixed {
            scene: Scene::Busy,
            read_only: false,
        };
        let (parts, html) = answer(router(console, Scope::all()), request).await;
        assert_eq!(parts.status, 404, "{uri}");
        assert!(!heading(&html).is_empty());
        assert!(!html.contains("<script>"), "{uri}");
    }
}

#[tokio::test]
async fn read_only_says_so_on_every_page_and_disables_the_verbs() {
    let console = || Fixed {
        scene: Scene::Busy,
        read_only: true,
    };
    let get = |uri: &str| {
        Request::get(uri)
            .header("accept-language", "en")
            .body(Body::empty())
            .unwrap()
    };
    let (_, html) = answer(router(console(), Scope::all()), get("/changes")).await;
    assert!(text(&html).contains("READ-ONLY"));
    let undo = html
        .split("<button")
        .find(|it| it.contains("button little end scripted"))
        .unwrap();
    let undo = undo.split('>').next().unwrap();
    assert!(
        undo.contains("disabled") && undo.contains("This server may only read."),
        "{undo}"
    );
}

#[tokio::test]
async fn that_everything_stands_still_is_said_on_every_page() {
    for path in [
        "/",
        "/topology",
        "/checklist",
        "/checklist/1.1",
        "/canary",
        "/changes",
        "/mesh",
        "/why",
        "/nowhere",
    ] {
        let html = text(&page(Scene::Partial, path, "en").await);
        for said in [
            "Everything stands still. Frozen by Kim Jiwoo since 2026-11-23 13:49:07 UTC: orders fail since 13:40.",
            "order-service/order-v2: Dwelling, v1 95 %, v2 5 %.",
            "By hand: naru weight user-service/user-service-canary --route 1 v1=100 v2=0 --reason TEXT",
            "user-service/odd cannot be read",
            "Let it go on…",
        ] {
            assert!(html.contains(said), "{path}: {said}: {html}");
        }
        assert!(!html.contains("Stop everything…"), "{path}: {html}");
    }
    let korean = text(&page(Scene::Partial, "/", "ko").await);
    assert!(
        korean.contains("Kim Jiwoo 님이 2026-11-23 13:49:07 UTC부터 멈췄습니다"),
        "{korean}"
    );
    let html = text(&page(Scene::Busy, "/", "en").await);
    assert!(
        html.contains("Stop everything…") && !html.contains("stands still"),
        "{html}"
    );
}

#[tokio::test]
async fn who_may_write_nothing_is_offered_nothing() {
    let request = Request::get("/")
        .header("accept-language", "en")
        .body(Body::empty())
        .unwrap();
    let console = Fixed {
        scene: Scene::Partial,
        read_only: true,
    };
    let html = text(&answer(router(console, Scope::all()), request).await.1);
    assert!(
        html.contains("Everything stands still.") && !html.contains("Let it go on…"),
        "{html}"
    );
}
