//! The one place that refuses writes where nothing may be written, beside the engine's own refusal.

use crate::sessions::Viewer;
use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use naru_app::AppError;
use naru_view::session::ReadOnly;

/// Questions that are too long for a URL: they change nothing.
const QUESTIONS: [&str; 1] = ["/api/explain"];

/// Refuses what is not a reading of `/api` (403, with the reason as [`AppError`]) if the server may only read, or this viewer may now.
pub(super) async fn refuse(State(server): State<bool>, request: Request, next: Next) -> Response {
    let viewer = request
        .extensions()
        .get::<Viewer>()
        .and_then(|viewer| viewer.read_only);
    let why = if server { Some(ReadOnly::Server) } else { viewer };
    let path = request.uri().path();
    match why {
        Some(why)
            if !request.method().is_safe() && path.starts_with("/api/") && !QUESTIONS.contains(&path) =>
        {
            let marked = [("serverfnerror", path.to_owned())];
            (StatusCode::FORBIDDEN, marked, Json(AppError::ReadOnly { why })).into_response()
        }
        _ => next.run(request).await,
    }
}
