//! The headers that tell a browser what a response may do.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// For whatever is not a page: nothing may be loaded, run or framed.
const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// On every response, unless its handler has said otherwise.
const FIXED: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, NOTHING),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: under it browsers send `Origin: null` with forms, and the check of the origin would refuse them.
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    // What a viewer may see is nobody else's: no cache keeps it.
    (header::CACHE_CONTROL, "no-store"),
];

/// Puts the fixed headers on what comes out.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in FIXED {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A page's Content-Security-Policy: scripts and styles of ours, inline ones only with this response's nonce; WebAssembly may be compiled
/// (`wasm-unsafe-eval`, CSP level 3), JavaScript may not be evaluated. None if the nonce is no header text.
/// `form_target` is where a form may lead beside this console: browsers hold redirects after a form to the policy as well, and signing out goes
/// on at the provider.
pub(super) fn page_policy(nonce: &str, form_target: Option<&str>) -> Option<HeaderValue> {
    let form_target = form_target.map(|it| format!(" {it}")).unwrap_or_default();
    HeaderValue::try_from(format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'{form_target}; base-uri 'none'; \
         frame-ancestors 'none'"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_page_may_not_evaluate_or_run_inline() {
        let policy = super::page_policy("abc", None).unwrap();
        let policy = policy.to_str().unwrap();
        assert!(
            !policy.contains("'unsafe-eval'") && !policy.contains("unsafe-inline"),
            "{policy}"
        );
        assert_eq!(policy.matches("'nonce-abc'").count(), 2, "{policy}");
        assert_eq!(super::page_policy("a\nb", None), None);
        let policy = super::page_policy("abc", Some("https://id.example")).unwrap();
        assert!(
            policy
                .to_str()
                .unwrap()
                .contains("form-action 'self' https://id.example;")
        );
    }
}
