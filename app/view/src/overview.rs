//! The front page: sources and their age, services, failing edges, canaries.

use crate::{Name, canary::Canary, source::SourceState, version::Version};
use serde::{Deserialize, Serialize};

/// The front page's facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// Of the snapshot that it was made from.
    pub version: Version,
    /// Over how many seconds rates are taken.
    pub window_s: u32,
    /// The sources and their age.
    pub sources: Vec<SourceState>,
    /// Services with traffic or pods, by namespace and name.
    pub services: Vec<ServiceRow>,
    /// Edges that fail or degrade, worst first.
    pub failing: Vec<FailingEdge>,
    /// Weighted routes that are between 0 and 100.
    pub in_flight: Vec<Canary>,
    /// Workloads in the mesh, and all workloads.
    pub meshed: (u32, u32),
    /// Changes whose end is not known or that need a person.
    pub open_changes: u32,
}

/// A service with what reaches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRow {
    /// Kubernetes namespace.
    pub namespace: Name,
    /// Service name.
    pub name: Name,
    /// Requests per second as the called side counts them; None if not known.
    pub rate: Option<f64>,
    /// Failed share, 0 to 1.
    pub error_share: Option<f64>,
    /// Mean duration in milliseconds.
    pub average_ms: Option<f64>,
    /// Share under mutual TLS, 0 to 1.
    pub mtls_share: Option<f64>,
    /// Ready endpoints and all; None if not known.
    pub endpoints: Option<(u32, u32)>,
}

/// An edge that fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailingEdge {
    /// `namespace/workload` of the caller.
    pub source: Name,
    /// `namespace/workload` of the called side.
    pub target: Name,
    /// Requests per second.
    pub rate: f64,
    /// Failed share, 0 to 1.
    pub error_share: f64,
    /// The most frequent failing code and its flags.
    pub code: Name,
}
