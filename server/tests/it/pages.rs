//! Pages, as they come out of the router.

use crate::support::{Shown, ask, get, request, served, view};
use axum::{body::Body, http::Method};
use naru_view::why::{SourceName, Why};

const PAGES: [&str; 6] = ["/", "/topology", "/canary", "/why", "/changes", "/mesh"];

#[tokio::test]
async fn pages_read_in_both_languages() {
    let router = served("languages", Shown::new(1));
    for path in PAGES {
        for lang in ["en", "ko"] {
            let (status, headers, body) = get(&router, &format!("{path}?lang={lang}")).await;
            assert_eq!(status, 200, "{path} {lang}");
            assert!(
                headers["content-type"].to_str().unwrap().starts_with("text/html"),
                "{path}"
            );
            assert!(body.contains(&format!("<html lang=\"{lang}\"")), "{path} {lang}");
            assert_eq!(body.matches("<h1").count(), 1, "{path} {lang}");
        }
    }
}

#[tokio::test]
async fn an_unknown_page_is_a_page_with_status_404() {
    let router = served("missing", Shown::new(1));
    for path in [
        "/no/such/page",
        "/topology/nonsense",
        "/%ff%fe",
        "/..%2f..%2fetc",
        "/%00",
        "//evil.example",
    ] {
        let (status, headers, body) = get(&router, path).await;
        assert_eq!(status, 404, "{path}");
        assert!(
            headers["content-type"].to_str().unwrap().starts_with("text/html"),
            "{path}"
        );
        assert_eq!(body.matches("<h1").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_page_is_compressed_for_who_can_read_it() {
    let router = served("compressed", Shown::new(1));
    for (accept, encoding) in [
        ("gzip, br", Some("br")),
        ("gzip", Some("gzip")),
        ("identity", None),
    ] {
        let response = ask(
            &router,
            request(Method::GET, "/")
                .header("accept-encoding", accept)
                .body(Body::empty())
                .unwrap(),
        )
        .await;
        assert_eq!(
            response
                .headers()
                .get("content-encoding")
                .map(|it| it.to_str().unwrap()),
            encoding,
            "{accept}"
        );
    }
}

#[tokio::test]
async fn pages_are_served_whatever_the_sources_are_like() {
    let console = Shown::new(1);
    let router = served("troubles", console.clone());
    let source = SourceName::Prometheus;
    let troubles = [
        Why::NotYet { source },
        Why::Unreachable {
            source,
            detail: "refused".into(),
        },
        Why::TimedOut {
            source,
            after_ms: 10_000,
        },
        Why::Garbled {
            source,
            detail: "<html>".into(),
        },
        Why::Failed {
            source,
            status: 500,
            detail: "x".into(),
        },
        Why::Stale { source, since: 1_000 },
        Why::Forbidden {
            verb: "list".into(),
            resource: "pods".into(),
            namespace: None,
        },
    ];
    for (seq, why) in (2..).zip(troubles) {
        console.show(view(seq, std::slice::from_ref(&why)));
        for path in PAGES {
            let (status, _, body) = get(&router, path).await;
            assert_eq!(status, 200, "{path} {why:?}");
            assert!(!body.contains("<html>\""), "{path}: a source's words are escaped");
        }
    }
}

#[tokio::test]
async fn it_is_ready_once_every_source_has_been_heard_of() {
    let console = Shown::new(1);
    let router = served("ready", console.clone());
    console.show(view(
        1,
        &[Why::NotYet {
            source: SourceName::Prometheus,
        }],
    ));
    assert_eq!(get(&router, "/readyz").await.0, 503);
    assert_eq!(get(&router, "/healthz").await.0, 200);
    console.show(view(
        2,
        &[Why::Unreachable {
            source: SourceName::Prometheus,
            detail: "refused".into(),
        }],
    ));
    assert_eq!(get(&router, "/readyz").await.0, 200);
    let probe = axum::http::Request::get("/readyz")
        .header("host", "10.1.2.3:3000")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        ask(&router, probe).await.status(),
        200,
        "a probe names the pod's address"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_pages_at_once_are_all_whole() {
    let router = served("many", Shown::new(1));
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..400 {
        let router = router.clone();
        asked.spawn(async move {
            let (path, expected) = [
                ("/", 200),
                ("/topology", 200),
                ("/canary", 200),
                ("/nonsense", 404),
            ][n % 4];
            let (status, _, body) = get(&router, path).await;
            assert_eq!(status, expected, "{path}");
            assert!(body.contains("</title>") && body.contains("</main>"), "{path}");
        });
    }
    while let Some(done) = asked.join_next().await {
        done.unwrap();
    }
}
