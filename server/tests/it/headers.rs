//! What every response says to the browser.

use crate::support::{Shown, ask, get, request, served};
use axum::{body::Body, http::Method};

/// One of each sort of response.
const ROUTES: [(Method, &str, u16); 15] = [
    (Method::GET, "/", 200),
    (Method::GET, "/topology", 200),
    (Method::GET, "/canary", 200),
    (Method::GET, "/changes", 200),
    (Method::GET, "/why", 200),
    (Method::GET, "/no/such/page", 404),
    (Method::POST, "/", 405),
    (Method::GET, "/live", 200),
    (Method::GET, "/live/overview", 200),
    (Method::GET, "/live/nonsense", 404),
    (Method::GET, "/healthz", 200),
    (Method::GET, "/readyz", 200),
    (Method::GET, "/pkg/naru-0123456789abcdef.js", 200),
    (Method::GET, "/pkg/nonsense.js", 404),
    (Method::POST, "/api/plan_weights", 400),
];

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let router = served("headers", Shown::new(1));
    for (method, path, status) in ROUTES {
        let response = ask(
            &router,
            request(method.clone(), path).body(Body::empty()).unwrap(),
        )
        .await;
        assert_eq!(response.status(), status, "{method} {path}");
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|it| it.to_str().unwrap().to_owned())
                .unwrap_or_default()
        };
        assert_eq!(header("x-content-type-options"), "nosniff", "{method} {path}");
        assert_eq!(header("x-frame-options"), "DENY", "{method} {path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{method} {path}");
        assert_eq!(
            header("cross-origin-opener-policy"),
            "same-origin",
            "{method} {path}"
        );
        assert_eq!(
            header("cross-origin-resource-policy"),
            "same-origin",
            "{method} {path}"
        );
        assert!(
            header("permissions-policy").contains("camera=()"),
            "{method} {path}"
        );
        assert!(!header("cache-control").is_empty(), "{method} {path}");
        let policies: Vec<_> = response
            .headers()
            .get_all("content-security-policy")
            .iter()
            .collect();
        assert_eq!(policies.len(), 1, "{method} {path}");
        let policy = header("content-security-policy");
        for needed in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(needed), "{method} {path}: {policy}");
        }
    }
}

#[tokio::test]
async fn refusals_have_them_too() {
    let router = served("refusal-headers", Shown::new(1));
    let foreign = axum::http::Request::get("/")
        .header("host", "evil.example")
        .body(Body::empty())
        .unwrap();
    let forged = axum::http::Request::post("/api/plan_weights")
        .header("host", "localhost")
        .body(Body::empty())
        .unwrap();
    for (request, status) in [(foreign, 421), (forged, 403)] {
        let response = ask(&router, request).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert!(
            response.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("default-src 'none'")
        );
    }
}

#[tokio::test]
async fn the_policy_names_the_nonce_that_every_script_and_style_carries() {
    let router = served("nonce", Shown::new(1));
    let mut seen = std::collections::BTreeSet::new();
    for path in ["/", "/topology", "/canary", "/why", "/changes", "/no/such/page"] {
        let (_, headers, body) = get(&router, path).await;
        let policy = headers["content-security-policy"].to_str().unwrap().to_owned();
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .and_then(|rest| rest.split('\'').next())
            .unwrap()
            .to_owned();
        assert!(nonce.len() >= 22, "128 bits in base64: {nonce}");
        assert!(!body.contains("{{nonce}}"), "{path}");
        let scripts: Vec<&str> = body
            .split("<script")
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap())
            .collect();
        assert!(scripts.len() >= 2, "{path}: trunk's and the hydration's own");
        for script in scripts {
            assert!(
                script.contains(&format!("nonce=\"{nonce}\"")),
                "{path}: <script{script}>"
            );
        }
        for style in body
            .split("<style")
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap())
        {
            assert!(
                style.contains(&format!("nonce=\"{nonce}\"")),
                "{path}: <style{style}>"
            );
        }
        assert!(
            !body.contains(" style=\""),
            "{path}: the policy forbids style attributes"
        );
        assert!(
            !body.contains(" onclick=") && !body.contains("javascript:"),
            "{path}"
        );
        assert!(seen.insert(nonce), "{path}: a nonce is used once");
    }
}
