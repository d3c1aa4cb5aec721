//! The adapter against what a network can do to it (`faults`, `exchange`), and against a real Prometheus (`live`, `speed`).

mod authority;
mod beside;
mod contract;
mod exchange;
mod faults;
mod live;
mod process;
mod server;
mod speed;
mod threshold;

use super::{PrometheusMetrics, Settings};
use naru_domain::{
    Timestamp,
    traffic::{ServiceId, SplitQuestion},
};
use naru_ports::{Clock, SystemClock};
use std::{sync::Arc, time::Duration};

/// An adapter for a server of ours, without patience.
fn adapter(url: &str) -> PrometheusMetrics {
    adapter_with(url, |_| ())
}

fn adapter_with(url: &str, change: impl FnOnce(&mut Settings)) -> PrometheusMetrics {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut settings = Settings {
        timeout: Duration::from_millis(500),
        body_limit: 64 << 10,
        ..Settings::new(url)
    };
    change(&mut settings);
    PrometheusMetrics::new(&settings, Arc::new(SystemClock)).unwrap()
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn question(namespace: &str, name: &str, since: Timestamp) -> SplitQuestion {
    SplitQuestion {
        services: [ServiceId {
            namespace: namespace.into(),
            name: name.into(),
        }]
        .into(),
        since,
        changed: None,
    }
}
