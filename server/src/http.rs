//! Everything that is served, in one place.
//!
//! ```text
//! request ─► headers ─► guard (host, origin) ─► time-out ─► bounded body ─► compression ─► viewer ─► read-only ─► pages · /api · /live · /pkg · probes
//! ```

mod body;
mod guard;
mod health;
pub mod login;
pub(crate) mod metrics;
mod pages;
mod read_only;
mod records;
mod security;
pub mod site;

pub use guard::Hosts;

use crate::{
    live::{Doorbell, Live},
    sessions::{self, Identity},
    shutdown,
};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    middleware,
    serve::ListenerExt,
};
use naru_app::context::Backend;
use naru_domain::actor::Scope;
use naru_ports::SystemClock;
use site::Site;
use std::{io, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::oneshot};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    timeout::TimeoutLayer,
    trace::{DefaultOnFailure, TraceLayer},
};
use tracing::Level;

/// Until the head of a response must be there. Reading takes milliseconds; a change waits for a dry run, a write and the journal, each with
/// its own time-out below this sum.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long requests in flight may go on once the end was asked for. Kubernetes kills 30 s after SIGTERM.
const GRACE: Duration = Duration::from_secs(20);

/// All routes, behind everything that stands before them.
pub fn router(backend: Backend, doorbell: Doorbell, site: Site, hosts: Hosts, identity: Identity) -> Router {
    let assets = site.router();
    let read_only = backend.console.read_only();
    Router::new()
        .merge(Live::new(backend.console.clone(), doorbell).router())
        .merge(pages::router(backend.clone(), site, identity.form_target()))
        .merge(records::router(backend.rehearsal.clone()))
        .merge(login::router(&identity))
        .layer(middleware::from_fn_with_state(read_only, read_only::refuse))
        .layer(middleware::from_fn_with_state(identity, sessions::identify))
        .layer(CompressionLayer::new())
        // Assets and probes know no viewer; assets are compressed when they are built.
        .merge(assets)
        .merge(health::router(backend.console))
        .layer(middleware::from_fn(body::bounded))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, PATIENCE))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(hosts, guard::guard))
        .layer(middleware::from_fn(security::headers))
        // A 503 of /readyz is an answer, no failure; what fails inside is logged where it fails.
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_failure(DefaultOnFailure::new().level(Level::DEBUG)),
        )
}

/// Without the query: on the way back from a provider it carries a code.
fn span(request: &Request<Body>) -> tracing::Span {
    tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
}

/// Serves until the process is asked to end: then no new connection is taken, streams end, requests in flight are finished.
pub async fn serve(
    listener: TcpListener,
    backend: Backend,
    site: Site,
    hosts: Hosts,
    identity: Identity,
) -> io::Result<()> {
    let first = backend.console.view(&Scope::all()).version;
    // By the wall clock: a rehearsal's time may stand still, and pages are to hear of changes all the same.
    let (doorbell, ring) = Doorbell::new(backend.console.clone(), Arc::new(SystemClock), first);
    let ring = tokio::spawn(ring);
    let router = router(backend, doorbell, site, hosts, identity);
    let listener = listener.tap_io(|connection| {
        // A page's last small packet must not wait for the acknowledgement of the one before.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    let (told, ending) = oneshot::channel();
    let end = async move {
        if let Err(error) = shutdown::asked().await {
            tracing::error!(%error, "signals cannot be received; only SIGKILL ends this process now");
            std::future::pending::<()>().await;
        }
        // Without the ringing task, all streams end.
        ring.abort();
        let _ = told.send(());
    };
    let overtime = async {
        if ending.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(end).into_future() => served,
        () = overtime => {
            tracing::warn!("requests in flight did not end in {GRACE:?} and are cut off");
            Ok(())
        }
    }
}
