//! A reader of a watch, as every consumer must be able to write it.

use crate::{Cluster, Seen};
use futures::{StreamExt, stream::BoxStream};
use naru_domain::{
    Name,
    fact::Fact,
    object::{Key, Kind, Object},
};
use std::{collections::BTreeMap, time::Duration};

/// A broken adapter fails the property instead of standing for ever. Longer than the longest backoff (15 s) with a connection
/// attempt (10 s) before and after it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the watch's kind is, as last told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    NotYet,
    Known,
    Absent,
    Lost,
}

/// Keeps what a watch has told about one namespace.
pub(super) struct Eye {
    stream: BoxStream<'static, Seen>,
    namespace: Name,
    pub(super) state: State,
    pub(super) known: BTreeMap<Key, Fact>,
}

impl Eye {
    pub(super) fn on(cluster: &dyn Cluster, kind: Kind, namespace: Name) -> Self {
        Self {
            stream: cluster.watch(kind),
            namespace,
            state: State::NotYet,
            known: BTreeMap::new(),
        }
    }

    /// The next thing told about the namespace or about the whole kind. Holds the watch to its order: changes are told only of a kind
    /// that is known.
    pub(super) async fn next(&mut self) -> Seen {
        loop {
            let told = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            let told = told.unwrap_or_else(|_| panic!("the watch told nothing for {PATIENCE:?}"));
            let told = told.unwrap_or_else(|| panic!("a watch never ends"));
            if self.take(&told) {
                return told;
            }
        }
    }

    /// Reads on until one is as asked.
    pub(super) async fn until(&mut self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        loop {
            let told = self.next().await;
            if wanted(&told) {
                return told;
            }
        }
    }

    /// Reads on until this object is known as it is stored.
    pub(super) async fn sees(&mut self, object: &Object) {
        while self.known.get(object.key()) != Some(&Fact::Object(object.clone())) {
            self.next().await;
        }
    }

    /// Reads on until this object is known to be gone.
    pub(super) async fn misses(&mut self, key: &Key) {
        while self.state != State::Known || self.known.contains_key(key) {
            self.next().await;
        }
    }

    fn take(&mut self, told: &Seen) -> bool {
        let here = |key: &Key| key.namespace == self.namespace;
        match told {
            Seen::Absent => (self.state, self.known) = (State::Absent, BTreeMap::new()),
            Seen::Lost(_) => self.state = State::Lost,
            Seen::Reset { facts, .. } => {
                let facts = facts.iter().map(|fact| (fact.key(), fact.clone()));
                (self.state, self.known) = (State::Known, facts.filter(|(key, _)| here(key)).collect());
            }
            Seen::Applied(_) | Seen::Deleted(_) | Seen::Unreadable(..) if self.state != State::Known => {
                panic!("told {told:?} of a kind that is {:?}", self.state)
            }
            Seen::Applied(fact) if here(&fact.key()) => drop(self.known.insert(fact.key(), fact.clone())),
            Seen::Deleted(key) | Seen::Unreadable(key, _) if here(key) => drop(self.known.remove(key)),
            _ => return false,
        }
        true
    }
}
