//! What of the objects has changed, and whom that concerns.

use naru_domain::{
    Name,
    object::{Key, Kind},
    snapshot::Objects,
    traffic::ServiceId,
};
use std::collections::BTreeSet;

/// What has to be asked of the model again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Concern {
    /// Nothing but some services' endpoints.
    #[default]
    Nothing,
    /// Who lets whom in. Open connections keep the old rules for one more request.
    Policies,
    /// Everything.
    Everything {
        /// Policies are among it.
        policies: bool,
    },
}

/// What has changed since it was last taken in.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) concern: Concern,
    /// Services whose slices have changed.
    pub(super) services: BTreeSet<ServiceId>,
    /// Namespaces whose pods have changed.
    pub(super) namespaces: BTreeSet<Name>,
    pods: BTreeSet<Key>,
    /// Namespaces whose ReplicaSets have changed: by them pods are called after their Deployments.
    sets: BTreeSet<Name>,
}

impl Changes {
    /// Everything is new.
    pub(super) fn everything(&mut self) {
        self.concern = Concern::Everything { policies: false };
    }

    pub(super) fn any(&self) -> bool {
        self.concern != Concern::Nothing
            || !(self.services.is_empty() && self.pods.is_empty() && self.sets.is_empty())
    }

    /// An object has changed; a slice's service too.
    pub(super) fn note(&mut self, key: &Key, of_slice: Option<ServiceId>) {
        match key.kind {
            Kind::Pod => {
                self.pods.insert(key.clone());
                self.namespaces.insert(key.namespace.clone());
            }
            Kind::ReplicaSet => {
                self.sets.insert(key.namespace.clone());
            }
            Kind::EndpointSlice => self.services.extend(of_slice),
            Kind::PeerAuthentication | Kind::AuthorizationPolicy | Kind::RequestAuthentication => {
                self.concern = match self.concern {
                    Concern::Nothing | Concern::Policies => Concern::Policies,
                    Concern::Everything { .. } => Concern::Everything { policies: true },
                };
            }
            kind if configures(kind, key) => {
                let policies = matches!(
                    self.concern,
                    Concern::Policies | Concern::Everything { policies: true }
                );
                self.concern = Concern::Everything { policies };
            }
            _ => {}
        }
    }

    /// The pods to read again, those that have gone among them.
    pub(super) fn pods(&self, objects: &Objects) -> BTreeSet<Key> {
        let mut all = self.pods.clone();
        for namespace in &self.sets {
            let first = Key::new(Kind::Pod, namespace.clone(), "");
            let here = objects.pods.range(first..).map(|(key, _)| key);
            all.extend(here.take_while(|key| key.namespace == *namespace).cloned());
        }
        all
    }
}

/// Whether routes depend on it.
fn configures(kind: Kind, key: &Key) -> bool {
    match kind {
        Kind::ConfigMap => &*key.name == "istio",
        // By one, proxies tell the names of routes.
        Kind::Telemetry => true,
        Kind::Deployment => false,
        kind => naru_domain::mesh::KINDS.contains(&kind),
    }
}
