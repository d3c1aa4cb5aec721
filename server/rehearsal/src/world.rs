//! A rehearsed system's objects, as the API server would send them.
//!
//! Scenarios load manifests; what a cluster makes of them is made here too: [`controllers`] keeps ReplicaSets, Pods, their sidecars,
//! EndpointSlices and Deployments' status in step with the manifests, at once whenever something changes.

pub mod controllers;
pub mod guide;
pub mod hands;
mod injection;
pub mod istio;
pub mod manifest;
pub mod policies;
pub mod sized;

use naru_domain::object::Kind;
use serde_json::Value;

/// Objects in the order in which they are created.
pub type Manifests = Vec<(Kind, Value)>;
