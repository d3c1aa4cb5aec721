//! Adapters to the sources of facts that are not Kubernetes.

pub mod asked;
pub mod pods;
pub mod prometheus;
mod trials;
