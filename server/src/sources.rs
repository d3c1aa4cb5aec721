//! Adapters to the sources of facts that are not Kubernetes.

pub mod prometheus;
