//! The model of Istio's semantics: what a proxy would do with a configuration. Pure functions over a snapshot's objects; each answer
//! carries its reason, and is `Unknown` where something decides that Naru does not judge. One question, one file. Checks, plans,
//! predictions and the rehearsal all ask here: Istio's rules are written down nowhere else in the house.
//!
//! Whoever asks makes a [`Mesh`] of the objects first, and names the [`Proxy`] that is asked about:
//!
//! | question | file |
//! |---|---|
//! | what does a name in a rule mean, and who sees it | [`host`] |
//! | what is spoken on a port, and is HTTP read there | [`protocol`] |
//! | which DestinationRule, which pools, which pods are behind a subset | [`subset`] |
//! | mutual TLS or plaintext, and does the other side take it | [`mtls`] |
//! | where do rules send requests | [`route`] |
//! | what does a gateway serve | [`gateway`] |
//! | which pods get a proxy at admission, and what stops or hurts them | [`injection`] |
//! | whom a workload lets in | [`authz`] |
//! | what becomes of one request, all of it together | [`explain`] |
//! | what touches this proxy that is not judged | [`unjudged`] |

pub mod authz;
pub mod config;
pub mod explain;
pub mod gateway;
pub mod gateway_api;
pub mod host;
pub mod injection;
pub mod mtls;
#[cfg(any(test, feature = "fuzz"))]
pub mod nonsense;
mod prepared;
pub mod protocol;
mod proxy;
pub mod route;
pub mod route_tag;
pub mod subset;
#[cfg(test)]
mod tests;
pub mod unjudged;

pub use config::MeshConfig;
pub use prepared::Prepared;
pub use proxy::{Proxy, Role};

use crate::{
    Name,
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use std::sync::Arc;

/// The cluster's DNS domain that Istio takes for granted unless told otherwise (`meshConfig.trustDomain` is another matter).
pub const DOMAIN: &str = "cluster.local";

/// Where mesh-wide configuration lives unless told otherwise (`meshConfig.rootNamespace`).
pub const ROOT_NAMESPACE: &str = "istio-system";

/// The kinds that the model reads to explain a request. Questions about injection read more: the injectors and, from files so far, workloads.
pub const KINDS: [Kind; 22] = [
    Kind::Namespace,
    Kind::Pod,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::Ingress,
    Kind::Gateway,
    Kind::VirtualService,
    Kind::DestinationRule,
    Kind::PeerAuthentication,
    Kind::ServiceEntry,
    Kind::WorkloadEntry,
    Kind::Sidecar,
    Kind::EnvoyFilter,
    Kind::WasmPlugin,
    Kind::AuthorizationPolicy,
    Kind::RequestAuthentication,
    Kind::GatewayApiGateway,
    Kind::HttpRoute,
    Kind::ReferenceGrant,
    Kind::ConfigMap,
];

/// The objects, prepared for questions. Cheap to make for one question; made once for many, which share what was read for the first.
#[derive(Clone, Debug)]
pub struct Mesh<'a> {
    /// What there is.
    pub objects: &'a Objects,
    /// Mesh-wide configuration.
    pub config: Arc<MeshConfig>,
    prepared: Prepared,
}

impl<'a> Mesh<'a> {
    /// Reads the mesh-wide configuration.
    pub fn of(objects: &'a Objects) -> Self {
        Self::with(objects, Prepared::of(objects))
    }

    /// With what was read of an earlier moment's objects. Only pods, endpoints and policies may have changed since.
    pub fn with(objects: &'a Objects, prepared: Prepared) -> Self {
        Self {
            objects,
            config: prepared.config.clone(),
            prepared,
        }
    }

    /// Objects of a kind in the order in which Istio lets them win: oldest first, then by name and namespace.
    /// (`sortConfigByCreationTime` in istio's `pilot/pkg/model`.)
    pub fn oldest_first(&self, kind: Kind) -> Vec<&'a Object> {
        oldest_first(self.objects.of_kind(kind))
    }

    /// Those of one namespace.
    pub fn oldest_first_in(&self, kind: Kind, namespace: &str) -> Vec<&'a Object> {
        oldest_first(self.objects.of_kind_in(kind, namespace))
    }
}

fn oldest_first<'a>(objects: impl Iterator<Item = &'a Object>) -> Vec<&'a Object> {
    let mut all: Vec<&Object> = objects.collect();
    all.sort_by(|a, b| age(a).cmp(&age(b)));
    all
}

fn age(object: &Object) -> (&str, &str, &str) {
    let key = object.key();
    (
        object.text("/metadata/creationTimestamp"),
        &key.name,
        &key.namespace,
    )
}

/// The object and field that decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decider {
    /// The object.
    pub key: Key,
    /// JSON pointer of the field (RFC 6901); empty for the object as a whole.
    pub path: Name,
}

impl Decider {
    /// The field at `path` of `object`.
    pub fn of(object: &Object, path: impl Into<Name>) -> Self {
        Self {
            key: object.key().clone(),
            path: path.into(),
        }
    }
}
