//! How much a request may carry.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The largest request body, in bytes. What people send is a plan's weights and a reason of at most 500 characters; 64 kB leaves room for a
/// VirtualService with hundreds of destinations.
pub(super) const LIMIT: usize = 64 * 1024;

/// Reads the body before any handler does, so that one that is too long (413) or broken off (400) never looks like a failing handler.
pub(super) async fn bounded(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let declared = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > LIMIT as u64) {
        return too_long();
    }
    match to_bytes(body, LIMIT).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error)
            if std::error::Error::source(&error)
                .is_some_and(|it| it.is::<http_body_util::LengthLimitError>()) =>
        {
            too_long()
        }
        Err(_) => (StatusCode::BAD_REQUEST, "the body broke off\n").into_response(),
    }
}

fn too_long() -> Response {
    (StatusCode::PAYLOAD_TOO_LARGE, format!("at most {LIMIT} bytes\n")).into_response()
}
