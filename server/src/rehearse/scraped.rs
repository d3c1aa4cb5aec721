//! The proxies' counters of a rehearsal for a real Prometheus.

use super::stage::Stage;
use crate::failure::Failure;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::stream;
use naru_rehearsal::traffic::CONTENT_TYPE;
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::spawn_blocking};

/// Takes the address, so that one that is taken ends the command before anything is started.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() {
        return Err(Failure::NotLoopback { address });
    }
    TcpListener::bind(address).await.map_err(|error| Failure::Listen {
        address,
        detail: error.to_string(),
    })
}

/// Serves `GET /metrics` for as long as it is polled.
pub(super) async fn serve(listener: TcpListener, stage: Arc<Stage>) {
    let router = Router::new().route("/metrics", get(metrics)).with_state(stage);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "counters are no longer served");
    }
}

async fn metrics(State(stage): State<Arc<Stage>>) -> Response {
    // Time is caught up with first, which takes a while after a pause; what is copied then is rendered piece by piece.
    let metrics = stage.metrics();
    match spawn_blocking(move || metrics.exposition()).await {
        Ok(exposition) => {
            let pieces = stream::iter(exposition.map(Ok::<String, Infallible>));
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], Body::from_stream(pieces)).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
