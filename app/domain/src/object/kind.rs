//! The kinds that Naru knows, with their place in the API.

use serde::{Deserialize, Serialize};

/// A kind of object. A new one is a variant here and a line in [`Kind::api`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is called as Kubernetes or Istio calls it")]
pub enum Kind {
    Namespace,
    Pod,
    Service,
    EndpointSlice,
    Deployment,
    ReplicaSet,
    Ingress,
    Gateway,
    VirtualService,
    DestinationRule,
    PeerAuthentication,
    /// Naru's journal.
    Change,
    Lease,
    CustomResourceDefinition,
}

struct Api(&'static str, &'static str, &'static str, &'static str, bool);

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Namespace,
        Self::Pod,
        Self::Service,
        Self::EndpointSlice,
        Self::Deployment,
        Self::ReplicaSet,
        Self::Ingress,
        Self::Gateway,
        Self::VirtualService,
        Self::DestinationRule,
        Self::PeerAuthentication,
        Self::Change,
        Self::Lease,
        Self::CustomResourceDefinition,
    ];

    const fn api(self) -> Api {
        const ISTIO: &str = "networking.istio.io";
        match self {
            Self::Namespace => Api("", "v1", "Namespace", "namespaces", false),
            Self::Pod => Api("", "v1", "Pod", "pods", true),
            Self::Service => Api("", "v1", "Service", "services", true),
            Self::EndpointSlice => Api("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", true),
            Self::Deployment => Api("apps", "v1", "Deployment", "deployments", true),
            Self::ReplicaSet => Api("apps", "v1", "ReplicaSet", "replicasets", true),
            Self::Ingress => Api("networking.k8s.io", "v1", "Ingress", "ingresses", true),
            Self::Gateway => Api(ISTIO, "v1", "Gateway", "gateways", true),
            Self::VirtualService => Api(ISTIO, "v1", "VirtualService", "virtualservices", true),
            Self::DestinationRule => Api(ISTIO, "v1", "DestinationRule", "destinationrules", true),
            Self::PeerAuthentication => Api(
                "security.istio.io",
                "v1",
                "PeerAuthentication",
                "peerauthentications",
                true,
            ),
            Self::Change => Api("naru.dev", "v1alpha1", "Change", "changes", true),
            Self::Lease => Api("coordination.k8s.io", "v1", "Lease", "leases", true),
            Self::CustomResourceDefinition => Api(
                "apiextensions.k8s.io",
                "v1",
                "CustomResourceDefinition",
                "customresourcedefinitions",
                false,
            ),
        }
    }

    /// API group; empty for the core group.
    pub const fn group(self) -> &'static str {
        self.api().0
    }

    /// API version within the group.
    pub const fn version(self) -> &'static str {
        self.api().1
    }

    /// The kind's name in manifests.
    pub const fn name(self) -> &'static str {
        self.api().2
    }

    /// The resource's name in URLs and RBAC rules.
    pub const fn plural(self) -> &'static str {
        self.api().3
    }

    /// Whether objects live in a namespace.
    pub const fn namespaced(self) -> bool {
        self.api().4
    }

    /// `group/version` as in a manifest's `apiVersion`.
    pub fn api_version(self) -> String {
        if self.group().is_empty() {
            self.version().into()
        } else {
            format!("{}/{}", self.group(), self.version())
        }
    }

    /// Whether the kind comes with a CustomResourceDefinition, so that it may be absent, or arrive later.
    pub fn custom(self) -> bool {
        matches!(
            self,
            Self::Gateway
                | Self::VirtualService
                | Self::DestinationRule
                | Self::PeerAuthentication
                | Self::Change
        )
    }
}
