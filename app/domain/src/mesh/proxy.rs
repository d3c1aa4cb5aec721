//! The proxy that is asked about.

use crate::{Name, fact::Labels};

/// What a proxy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Beside a workload.
    Sidecar,
    /// A gateway by itself.
    Gateway,
}

/// A proxy, by what Istio's configuration selects it by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proxy {
    /// What it is for.
    pub role: Role,
    /// Its pod's namespace.
    pub namespace: Name,
    /// Its pod's labels.
    pub labels: Labels,
}

impl Proxy {
    /// A workload's sidecar.
    pub fn sidecar(namespace: impl Into<Name>, labels: Labels) -> Self {
        Self {
            role: Role::Sidecar,
            namespace: namespace.into(),
            labels,
        }
    }

    /// A gateway.
    pub fn gateway(namespace: impl Into<Name>, labels: Labels) -> Self {
        Self {
            role: Role::Gateway,
            ..Self::sidecar(namespace, labels)
        }
    }

    /// Whether a `selector` of Istio's configuration picks its pod: every label is there with its value. An empty one picks all pods
    /// (Istio reference, `WorkloadSelector`), unlike a Service's.
    pub fn selected_by(&self, selector: &Labels) -> bool {
        selector
            .iter()
            .all(|(name, value)| self.labels.get(name) == Some(value))
    }
}
