//! Whether the process is well, for probes.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use naru_domain::actor::Scope;
use naru_ports::Console;
use naru_view::why::Why;
use std::sync::Arc;

/// `/healthz`: the process answers. `/readyz`: every source has answered or failed at least once, so that a page shows what is, and not
/// merely that the process has just begun; 503 before. A source that is away does not make the console unready: it shows just that.
pub(super) fn router(console: Arc<dyn Console>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(console)
}

async fn ready(State(console): State<Arc<dyn Console>>) -> (StatusCode, &'static str) {
    let view = console.view(&Scope::all());
    let begun = |whys: &[Why]| !whys.iter().any(|why| matches!(why, Why::NotYet { .. }));
    let sources = &view.overview.sources;
    if !sources.is_empty() && sources.iter().all(|source| begun(&source.whys)) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no first snapshot yet\n")
    }
}
