//! The system at a moment: sections with their revisions, dates and gaps.

use crate::{
    Timestamp, Why,
    fact::{Deployment, EndpointSlice, Fact, Ingress, Namespace, Pod, ReplicaSet, Service},
    object::{Key, Kind, Object},
    traffic::{Dated, ServiceId, Split, Traffic},
};
use naru_view::{canary::RouteRef, version::Version};
use std::{collections::BTreeMap, sync::Arc};

/// Part of a snapshot that changes on its own. Derived values are memoised by the revisions of the sections that they read.
#[derive(Clone, Debug)]
pub struct Section<T> {
    /// What is known.
    pub value: Arc<T>,
    /// Counts changes of `value`.
    pub revision: u64,
    /// When the source last said so; None before the first answer.
    pub at: Option<Timestamp>,
    /// What is wrong or missing now; empty when all is well.
    pub gaps: Arc<[Why]>,
}

impl<T: Default> Default for Section<T> {
    fn default() -> Self {
        Self {
            value: Arc::default(),
            revision: 0,
            at: None,
            gaps: Arc::from([]),
        }
    }
}

impl<T> Section<T> {
    /// What a source has said at a moment, with nothing missing.
    pub fn seen(value: T, at: Timestamp) -> Self {
        Self {
            value: Arc::new(value),
            revision: 0,
            at: Some(at),
            gaps: Arc::from([]),
        }
    }
}

impl Snapshot {
    /// What somebody sees who looks once, and of whom nobody is told.
    pub fn once(objects: Section<Objects>, traffic: Section<Observed>, taken: Timestamp) -> Self {
        Self {
            version: Version { epoch: 1, seq: 1 },
            taken,
            objects,
            traffic,
        }
    }
}

/// The system at a moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Which server process, and which of its snapshots.
    pub version: Version,
    /// When it was put together.
    pub taken: Timestamp,
    /// All watched objects.
    pub objects: Section<Objects>,
    /// What Prometheus says.
    pub traffic: Section<Observed>,
}

/// What Prometheus says: rates over the window, and the splits that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// None before the first answer.
    pub traffic: Option<Arc<Traffic>>,
    /// When each edge's requests were last seen, including edges that have gone quiet: edges age out, they do not vanish.
    pub last_seen: Arc<crate::topology::Memory>,
    /// By weighted rule.
    pub splits: BTreeMap<RouteRef, Result<Dated<Split>, Why>>,
}

/// What is known about a kind.
#[derive(Clone, Debug, PartialEq)]
pub enum KindState {
    /// Nothing was heard yet.
    NotYet,
    /// Listed completely, watched since.
    Known,
    /// The API server does not have this kind: that is a fact, not a gap.
    Absent,
    /// Listed once, but the watch is broken now.
    Lost(Why),
}

/// All watched objects, by kind and key.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each map is called as its kind")]
pub struct Objects {
    pub namespaces: BTreeMap<Key, Arc<Namespace>>,
    pub pods: BTreeMap<Key, Arc<Pod>>,
    pub services: BTreeMap<Key, Arc<Service>>,
    pub endpoint_slices: BTreeMap<Key, Arc<EndpointSlice>>,
    pub deployments: BTreeMap<Key, Arc<Deployment>>,
    pub replica_sets: BTreeMap<Key, Arc<ReplicaSet>>,
    pub ingresses: BTreeMap<Key, Arc<Ingress>>,
    /// Kinds that are kept whole; keys sort by kind first.
    pub whole: BTreeMap<Key, Object>,
    /// What is known about each watched kind.
    pub kinds: BTreeMap<Kind, KindState>,
}

impl Objects {
    /// None of any kind, and that is known: for what was read from files, or lies in memory as a whole.
    pub fn all_known() -> Self {
        Self {
            kinds: Kind::ALL.map(|kind| (kind, KindState::Known)).into(),
            ..Self::default()
        }
    }

    /// The objects of a kind that is kept whole, in order of namespace and name.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        let first = Key::new(kind, "", "");
        self.whole
            .range(first..)
            .take_while(move |(key, _)| key.kind == kind)
            .map(|(_, object)| object)
    }

    /// Those of one namespace, in order of name.
    pub fn of_kind_in<'a>(
        &'a self,
        kind: Kind,
        namespace: &str,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        let first = Key::new(kind, namespace, "");
        let space = first.namespace.clone();
        self.whole
            .range(first..)
            .take_while(move |(key, _)| key.kind == kind && key.namespace == space)
            .map(|(_, object)| object)
    }

    /// The EndpointSlices of a service, in order of name.
    pub fn slices_of<'a>(
        &'a self,
        service: &ServiceId,
    ) -> impl Iterator<Item = &'a Arc<EndpointSlice>> + use<'a> {
        let first = Key::new(Kind::EndpointSlice, service.namespace.clone(), "");
        let ServiceId { namespace, name } = service.clone();
        self.endpoint_slices
            .range(first..)
            .take_while(move |(key, _)| key.namespace == namespace)
            .map(|(_, slice)| slice)
            .filter(move |slice| slice.service == name)
    }

    /// An object that is kept whole.
    pub fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        self.whole.get(&Key::new(kind, namespace, name))
    }

    /// A service by its place.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Arc<Service>> {
        self.services.get(&Key::new(Kind::Service, namespace, name))
    }

    /// Puts a fact in the place of what was known about the same object.
    pub fn put(&mut self, fact: Fact) {
        let key = fact.key();
        match fact {
            Fact::Namespace(it) => drop(self.namespaces.insert(key, it)),
            Fact::Pod(it) => drop(self.pods.insert(key, it)),
            Fact::Service(it) => drop(self.services.insert(key, it)),
            Fact::EndpointSlice(it) => drop(self.endpoint_slices.insert(key, it)),
            Fact::Deployment(it) => drop(self.deployments.insert(key, it)),
            Fact::ReplicaSet(it) => drop(self.replica_sets.insert(key, it)),
            Fact::Ingress(it) => drop(self.ingresses.insert(key, it)),
            Fact::Object(it) => drop(self.whole.insert(key, it)),
        }
    }

    /// Forgets an object.
    pub fn remove(&mut self, key: &Key) {
        match key.kind {
            Kind::Namespace => drop(self.namespaces.remove(key)),
            Kind::Pod => drop(self.pods.remove(key)),
            Kind::Service => drop(self.services.remove(key)),
            Kind::EndpointSlice => drop(self.endpoint_slices.remove(key)),
            Kind::Deployment => drop(self.deployments.remove(key)),
            Kind::ReplicaSet => drop(self.replica_sets.remove(key)),
            Kind::Ingress => drop(self.ingresses.remove(key)),
            _ => drop(self.whole.remove(key)),
        }
    }

    /// Forgets all objects of a kind.
    pub fn clear(&mut self, kind: Kind) {
        match kind {
            Kind::Namespace => self.namespaces.clear(),
            Kind::Pod => self.pods.clear(),
            Kind::Service => self.services.clear(),
            Kind::EndpointSlice => self.endpoint_slices.clear(),
            Kind::Deployment => self.deployments.clear(),
            Kind::ReplicaSet => self.replica_sets.clear(),
            Kind::Ingress => self.ingresses.clear(),
            _ => self.whole.retain(|key, _| key.kind != kind),
        }
    }

    /// Why nothing certain can be said about a kind; None if it is known, or known to be absent.
    pub fn gap(&self, kind: Kind) -> Option<Why> {
        match self.kinds.get(&kind) {
            Some(KindState::Known | KindState::Absent) => None,
            Some(KindState::Lost(why)) => Some(why.clone()),
            Some(KindState::NotYet) | None => Some(Why::NotYet {
                source: crate::SourceName::Kubernetes,
            }),
        }
    }
}
