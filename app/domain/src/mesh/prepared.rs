//! What routes are made of, read once for all proxies: the registry, the rules, and what one namespace's sidecars see of both.

use super::{
    Mesh, MeshConfig,
    gateway::edge,
    gateway_api::{self, AtGateways, Translation},
    host::registry::{self, Registry},
    route::{
        bound::{self, Bound},
        scope::{self, Scope},
    },
};
use crate::{
    Name,
    object::{Key, Object},
    snapshot::Objects,
};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

/// What was read of a configuration. It outlives the objects that it was read from: as long as none of them changes but endpoints, pods
/// and policies, the objects of a later moment can be asked about with it.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    pub(super) config: Arc<MeshConfig>,
    read: Arc<Read>,
}

/// Each part is read when it is first asked for.
#[derive(Debug, Default)]
struct Read {
    registry: OnceLock<Arc<Registry>>,
    rules: OnceLock<Vec<Arc<Bound>>>,
    /// What HTTPRoutes come to in the mesh.
    translation: OnceLock<Translation>,
    /// What the Gateway API's objects come to at gateways.
    at_gateways: OnceLock<AtGateways>,
    /// All VirtualServices as gateways have them.
    at_edge: OnceLock<Arc<[Cow<'static, Object>]>>,
    scopes: RwLock<BTreeMap<View, Arc<Scope>>>,
}

/// A proxy's namespace, and the Sidecar that applies to it.
type View = (Name, Option<Key>);

impl Prepared {
    /// Reads the mesh-wide configuration; the rest follows when it is asked for.
    pub fn of(objects: &Objects) -> Self {
        Self {
            config: Arc::new(MeshConfig::of(objects)),
            read: Arc::default(),
        }
    }

    /// Mesh-wide configuration.
    pub fn config(&self) -> &MeshConfig {
        &self.config
    }
}

impl Mesh<'_> {
    /// All hosts that there are.
    pub(super) fn registry(&self) -> &Arc<Registry> {
        let read = &self.prepared.read;
        read.registry.get_or_init(|| Arc::new(registry::all(self)))
    }

    /// All VirtualServices with hosts, those made of HTTPRoutes too, oldest first.
    pub(super) fn rules(&self) -> &[Arc<Bound>] {
        let read = &self.prepared.read;
        read.rules
            .get_or_init(|| bound::all(self).into_iter().map(Arc::new).collect())
    }

    /// What HTTPRoutes come to in the mesh.
    pub(super) fn translation(&self) -> &Translation {
        let read = || gateway_api::virtual_services(self.objects);
        self.prepared.read.translation.get_or_init(read)
    }

    /// What the Gateway API's objects come to at gateways.
    pub(super) fn at_gateways(&self) -> &AtGateways {
        let read = || gateway_api::at_gateways(self.objects);
        self.prepared.read.at_gateways.get_or_init(read)
    }

    /// All VirtualServices as gateways have them, oldest first.
    pub(super) fn at_edge(&self) -> &Arc<[Cow<'static, Object>]> {
        let read = || edge::rules(self).into();
        self.prepared.read.at_edge.get_or_init(read)
    }

    /// What proxies of a namespace see through a Sidecar, or without one.
    pub(super) fn scope(&self, namespace: &Name, sidecar: Option<&Object>) -> Arc<Scope> {
        let scopes = &self.prepared.read.scopes;
        let key = (namespace.clone(), sidecar.map(|it| it.key().clone()));
        if let Some(known) = scopes.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let made = Arc::new(scope::seen(self, namespace, sidecar));
        let mut scopes = scopes.write().unwrap_or_else(PoisonError::into_inner);
        scopes.entry(key).or_insert(made).clone()
    }
}
