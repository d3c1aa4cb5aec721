//! The Kubernetes adapter, held to the contract of [`Cluster`](naru_ports::Cluster).
//!
//! `cargo test -p naru-kube` speaks to servers that answer oddly. What only a real API server shows runs with
//! `NARU_LAB_API_KUBECONFIG=… cargo test -p naru-kube -- --ignored`, on a bare API server: the suite installs and removes definitions, and
//! leaves its namespaces behind.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop where it stands; clippy.toml knows only test functions"
)]

mod connecting;
mod fake;
mod reading;
mod real;
mod tokens;
mod writing;
