//! What nobody should send: each is refused with a status of the 400s, never with a fault of ours.

use crate::support::{Shown, ask, get, request, served};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use futures::stream;
use http_body_util::BodyExt;
use std::{convert::Infallible, iter};

const PLAN: &str = r#"{"intent":{"route":{"namespace":"a","name":"b","rule":0},"weights":[{"host":"h","subset":"v1","weight":100}]}}"#;

fn post(path: &str, content: &str, body: impl Into<Body>) -> Request<Body> {
    request(Method::POST, path)
        .header("content-type", content)
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn bad_input_to_server_functions_is_the_senders_fault() {
    let router = served("bad-input", Shown::new(1));
    let deep = format!("{{\"intent\":{}", "[".repeat(30_000));
    let weights = |n: usize| {
        let weight = r#"{"host":"h","subset":"s","weight":1}"#;
        let all = iter::repeat_n(weight, n).collect::<Vec<_>>().join(",");
        format!(r#"{{"intent":{{"route":{{"namespace":"a","name":"b","rule":0}},"weights":[{all}]}}}}"#)
    };
    for (body, what) in [
        (String::new(), "nothing"),
        ("{}".into(), "an empty object"),
        ("null".into(), "null"),
        ("[]".into(), "a list"),
        ("{".into(), "cut off"),
        ("\u{0}\u{1}".into(), "control characters"),
        (PLAN.replace("100", "-1"), "a negative weight"),
        (PLAN.replace("100", "101"), "a weight above 100"),
        (PLAN.replace("100", "1e999"), "a weight beyond numbers"),
        (PLAN.replace("100", "\"100\""), "a weight as text"),
        (
            PLAN.replace("\"rule\":0", "\"rule\":4294967296"),
            "a rule beyond 32 bits",
        ),
        (
            PLAN.replace("\"a\"", &format!("\"{}\"", "a".repeat(10_000))),
            "a long namespace",
        ),
        (weights(1_000), "too many destinations"),
        (deep, "deep nesting"),
    ] {
        let response = ask(&router, post("/api/plan_weights", "application/json", body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{what}");
        let answer = response.into_body().collect().await.unwrap().to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["failed"], "bad-request", "{what}");
    }
}

#[tokio::test]
async fn a_refusal_has_the_status_that_says_so() {
    let router = served("refusals", Shown::new(1));
    let response = ask(&router, post("/api/plan_weights", "application/json", PLAN)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let without_reason = format!(
        "{},\"digest\":\"d\",\"reason\":\" \"}}",
        PLAN.strip_suffix('}').unwrap()
    );
    let response = ask(
        &router,
        post("/api/apply_weights", "application/json", without_reason),
    )
    .await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn another_encoding_than_json_is_no_call() {
    let router = served("encoding", Shown::new(1));
    for content in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let response = ask(&router, post("/api/plan_weights", content, "intent=1")).await;
        assert!(
            response.status().is_client_error(),
            "{content}: {}",
            response.status()
        );
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_or_broken_off_is_refused() {
    let router = served("long", Shown::new(1));
    for path in [
        "/api/plan_weights",
        "/api/apply_weights",
        "/",
        "/live",
        "/nonsense",
    ] {
        let declared = ask(&router, post(path, "application/json", vec![b' '; 65 * 1024])).await;
        assert_eq!(declared.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        let endless = stream::iter(iter::repeat_with(|| Ok::<_, Infallible>(vec![b' '; 4096])));
        let chunked = ask(
            &router,
            post(path, "application/json", Body::from_stream(endless)),
        )
        .await;
        assert_eq!(chunked.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        let broken = stream::iter([Ok(vec![b'{']), Err(std::io::Error::other("cut"))]);
        let broken = ask(&router, post(path, "application/json", Body::from_stream(broken))).await;
        assert_eq!(broken.status(), StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn no_method_and_no_path_makes_a_fault() {
    let router = served("methods", Shown::new(1));
    let paths = [
        "/",
        "/topology",
        "/live",
        "/live/topology",
        "/api/plan_weights",
        "/api/nonsense",
        "/healthz",
        "/pkg/nonsense",
        "/nonsense",
    ];
    for path in paths {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE",
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let status = ask(
                &router,
                request(method.clone(), path).body(Body::empty()).unwrap(),
            )
            .await
            .status();
            assert!(!status.is_server_error(), "{method} {path}: {status}");
            if !method.is_safe() {
                assert!(status.is_client_error(), "{method} {path}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_answered_in_words() {
    let router = served("questions", Shown::new(1));
    let long = format!("http://a/{}", "x".repeat(3_000));
    let many = "&h=a:b".repeat(40);
    let wide = format!("&h=a:{}", "v".repeat(5_000));
    for query in [
        "from=".to_owned(),
        "from=a/b".into(),
        "from=a/b&url=".into(),
        "from=%00/%00&url=http://a/".into(),
        "from=a/b&method=%00&url=http://a/".into(),
        "from=a/b&method=G%20T&url=http://a/".into(),
        "from=a/b&url=http://a/%0d%0aHost:%20b".into(),
        "from=a/b&url=%ff%fe".into(),
        "from=a/b&url=javascript:alert(1)".into(),
        "from=a/b&url=http://[::1".into(),
        "from=a/b&url=http://a:99999/".into(),
        "from=a/b&url=http://a/&h=no%20colon".into(),
        "from=a/b&url=http://a/&h=a:b%0d%0ac:d".into(),
        "from=a/b&url=http://a/&h=%00:%00".into(),
        "from=a/b&to=../..".into(),
        "from=a/b&from=c/d&url=http://a/&url=http://b/".into(),
        format!("from={}&url=http://a/", "a/".repeat(2_000)),
        format!("from=a/b&url={long}"),
        format!("from=a/b&url=http://a/{many}"),
        format!("from=a/b&url=http://a/{wide}"),
    ] {
        let (status, _, body) = get(&router, &format!("/why?lang=en&{query}")).await;
        assert_eq!(status, 200, "{query}");
        assert_eq!(body.matches("role=\"alert\"").count(), 1, "{query}");
        assert_eq!(body.matches("<h1").count(), 1, "{query}");
    }
    let asked = |body: &str| post("/api/explain", "application/json", body.to_owned());
    let deep = format!("{{\"ask\":{}", "[".repeat(30_000));
    let headers = vec![r#"["a","b"]"#; 1_000].join(",");
    for body in [
        "",
        "{}",
        "[]",
        r#"{"ask":{"from":1,"method":"GET","url":"http://a/","headers":[]}}"#,
        r#"{"ask":{"from":"a/b","method":"GET","url":"http://a/","headers":[["a"]]}}"#,
        r#"{"ask":{"from":"nonsense","method":"GET","url":"http://a/","headers":[]}}"#,
        r#"{"ask":{"from":"a/b","method":"","url":"http://a/","headers":[]}}"#,
        &format!(r#"{{"ask":{{"from":"a/b","method":"GET","url":"http://a/","headers":[{headers}]}}}}"#),
        &deep,
    ] {
        let status = ask(&router, asked(body)).await.status();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{}", &body[..body.len().min(80)]);
    }
}

#[tokio::test]
async fn odd_queries_and_headers_make_no_fault() {
    let router = served("queries", Shown::new(1));
    let long = format!("/topology?find={}", "a".repeat(50_000));
    for path in [
        "/?lang=xx",
        "/?lang=",
        "/?",
        "/?&&&===",
        "/?lang=%ff",
        "/?lang=ko&lang=en",
        "/?theme=%00",
        "/topology?find=%",
        "/topology?find=%zz",
        "/topology?find=(((",
        "/topology?ns=&ns=&sel=%2e%2e",
        "/canary/%20/%20",
        "/canary/a/b",
        "/canary/%ff/%ff",
        "/canary/..%2f/x",
        &long,
    ] {
        let status = ask(&router, request(Method::GET, path).body(Body::empty()).unwrap())
            .await
            .status();
        assert!(!status.is_server_error(), "{path}: {status}");
    }
    for (name, value) in [
        ("accept-language", ";;;,,,=;q=nonsense"),
        ("cookie", "lang=\u{fffd}; =; ;; theme"),
        ("cookie", "lang"),
        ("accept-encoding", "br;q=, gzip;q=nan, *;q=-1"),
        ("if-none-match", "\"\", W/, ,,"),
        ("last-event-id", "nonsense"),
    ] {
        for path in ["/", "/live/topology"] {
            let status = ask(
                &router,
                request(Method::GET, path)
                    .header(name, value)
                    .body(Body::empty())
                    .unwrap(),
            )
            .await
            .status();
            assert_eq!(status, StatusCode::OK, "{path} {name}: {value}");
        }
    }
}
