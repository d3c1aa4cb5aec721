//! The Kubernetes adapter, held to the contract of [`Cluster`](naru_ports::Cluster).
//!
//! `cargo test -p naru-kube` speaks to servers that answer oddly. What only a real API server shows runs with
//! `NARU_LAB_KUBECONFIG=… cargo test -p naru-kube -- --ignored`, on a bare API server: the suite installs and removes definitions, and
//! leaves its namespaces behind.

mod connecting;
mod fake;
mod real;
mod reading;
mod writing;
