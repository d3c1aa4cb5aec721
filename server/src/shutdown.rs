//! The end of the process, as asked for from outside.

use tokio::signal::unix::{SignalKind, signal};

/// Returns at SIGTERM (Kubernetes, systemd) or SIGINT (Ctrl-C).
pub(crate) async fn asked() -> std::io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => tracing::info!("SIGTERM: ending"),
        _ = int.recv() => tracing::info!("SIGINT: ending"),
    }
    Ok(())
}
