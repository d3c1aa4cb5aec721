//! The records of finished runs of a rehearsal, to be kept with a team's training.

use crate::sessions::Viewer;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use naru_ports::Rehearsing;
use std::sync::Arc;

/// `/rehearsal/records`: those of this process as JSON; 404 where nothing is rehearsed.
pub(super) fn router(rehearsal: Option<Arc<dyn Rehearsing>>) -> Router {
    Router::new()
        .route("/rehearsal/records", get(records))
        .with_state(rehearsal)
}

async fn records(State(rehearsal): State<Option<Arc<dyn Rehearsing>>>, _: Viewer) -> Response {
    match rehearsal {
        Some(rehearsal) => {
            ([(header::CONTENT_TYPE, "application/json")], rehearsal.records()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
