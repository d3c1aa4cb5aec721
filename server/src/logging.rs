//! Log lines on standard error.

use crate::config::{LogFormat, Logging};
use tracing_subscriber::EnvFilter;

/// Starts to write log lines, from the `usual` level on if the settings name no other. Called once; a second call changes nothing.
pub(crate) fn start(logging: &Logging, usual: &str) {
    let filter = EnvFilter::try_new(logging.filter.as_deref().unwrap_or(usual))
        .unwrap_or_else(|_| EnvFilter::new(usual));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match logging.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        tracing::warn!(%error, "logging was started already");
    }
}
