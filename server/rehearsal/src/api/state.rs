//! The storage: objects, who is told of them, and what others do to them.

mod meta;
mod write;

use super::{
    Asker, Hook, Stored,
    faults::Faults,
    rights::{Asked, Rights, refusal},
};
use meta::{finish, fresh, set_meta};
use naru_domain::{
    Name, SourceName, Timestamp, Why,
    actor::Actor,
    object::{Key, Kind, Object},
};
use naru_ports::{Access, ClusterError};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
};
use tokio::sync::broadcast;

/// A change of an object, with its time.
#[derive(Clone, Debug)]
pub struct Changed {
    /// When.
    pub at: Timestamp,
    /// Which object.
    pub key: Key,
    /// What it is now; None when it is gone.
    pub json: Option<Arc<Value>>,
}

/// A write that landed.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The `sub` of a person, or the name of a controller.
    pub by: Name,
    /// `create`, `patch`, `patch status`, `delete`.
    pub verb: &'static str,
    /// What it wrote to.
    pub key: Key,
    /// Its field manager.
    pub manager: Name,
}

/// What is told to the watches of a kind.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Applied(Key, Arc<Value>),
    Deleted(Key),
    Broken(Why),
    Undefined,
}

/// How a write is meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode<'a> {
    pub(super) now: Timestamp,
    pub(super) dry_run: bool,
    pub(super) manager: &'a str,
}

pub(super) struct State {
    objects: Stored,
    rv: u64,
    born: u64,
    hubs: BTreeMap<Kind, broadcast::Sender<Event>>,
    journals: Vec<mpsc::Sender<Changed>>,
    pub(super) hooks: Vec<Hook>,
    pub(super) rights: Rights,
    pub(super) faults: Faults,
    pub(super) down: Option<Name>,
    pub(super) mute: bool,
    pub(super) audit: Vec<Entry>,
}

/// What the API server says to a watch that is too old.
pub(super) fn gone() -> Why {
    Why::Failed {
        source: SourceName::Kubernetes,
        status: 410,
        detail: "too old resource version".into(),
    }
}

/// A custom kind's definition, as short as serves.
pub(super) fn definition(kind: Kind) -> (Key, Value) {
    let name = format!("{}.{}", kind.plural(), kind.group());
    let scope = if kind.namespaced() {
        "Namespaced"
    } else {
        "Cluster"
    };
    let json = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
        "spec": {"group": kind.group(), "names": {"kind": kind.name(), "plural": kind.plural()}, "scope": scope,
            "versions": [{"name": kind.version(), "served": true, "storage": true}]},
        "status": {"conditions": [{"type": "Established", "status": "True"}]}
    });
    (Key::new(Kind::CustomResourceDefinition, "", name), json)
}

impl State {
    pub(super) fn new(backlog: usize) -> Self {
        Self {
            objects: Stored::new(),
            rv: 1_000,
            born: 0,
            hubs: Kind::ALL
                .into_iter()
                .map(|kind| (kind, broadcast::Sender::new(backlog.max(1))))
                .collect(),
            journals: Vec::new(),
            hooks: Vec::new(),
            rights: Rights::default(),
            faults: Faults::default(),
            down: None,
            mute: false,
            audit: Vec::new(),
        }
    }

    pub(super) fn json(&self, key: &Key) -> Option<Arc<Value>> {
        self.objects.get(key).cloned()
    }

    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.objects
            .range(Key::new(kind, "", "")..)
            .take_while(move |(key, _)| key.kind == kind)
    }

    pub(super) fn served(&self, kind: Kind) -> bool {
        !kind.custom() || self.objects.contains_key(&definition(kind).0)
    }

    pub(super) fn listen(&self, kind: Kind) -> broadcast::Receiver<Event> {
        // Every kind has had its hub since `new`.
        self.hubs
            .get(&kind)
            .map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe)
    }

    pub(super) fn tell_all(&self, event: &Event) {
        for kind in self.hubs.keys() {
            self.tell(*kind, event.clone());
        }
    }

    fn tell(&self, kind: Kind, event: Event) {
        if let Some(hub) = self.hubs.get(&kind) {
            // Nobody may be listening.
            let _ = hub.send(event);
        }
    }

    pub(super) fn journal(&mut self, now: Timestamp) -> mpsc::Receiver<Changed> {
        let (sender, receiver) = mpsc::channel();
        for (key, json) in &self.objects {
            let _ = sender.send(Changed {
                at: now,
                key: key.clone(),
                json: Some(json.clone()),
            });
        }
        self.journals.push(sender);
        receiver
    }

    fn next_rv(&mut self) -> u64 {
        self.rv += 1;
        self.rv
    }

    fn uid(&mut self) -> String {
        self.born += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", 0x6e61_7275_u32, self.born)
    }

    fn announce(&mut self, at: Timestamp, key: &Key, json: Option<Arc<Value>>) {
        let event = match &json {
            Some(json) => Event::Applied(key.clone(), json.clone()),
            None => Event::Deleted(key.clone()),
        };
        self.tell(key.kind, event);
        let changed = Changed {
            at,
            key: key.clone(),
            json,
        };
        self.journals
            .retain(|journal| journal.send(changed.clone()).is_ok());
    }

    fn store(&mut self, now: Timestamp, key: &Key, mut json: Value) -> Arc<Value> {
        let rv = self.next_rv().to_string();
        set_meta(&mut json, "resourceVersion", Some(rv.into()));
        let json = Arc::new(json);
        self.objects.insert(key.clone(), json.clone());
        self.announce(now, key, Some(json.clone()));
        json
    }

    pub(super) fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<(Key, Arc<Value>)> {
        let first = Key::new(kind, namespace.unwrap_or(""), "");
        let here = |key: &Key| key.kind == kind && namespace.is_none_or(|it| *key.namespace == *it);
        let objects = self.objects.range(first..).take_while(|(key, _)| here(key));
        objects.map(|(key, json)| (key.clone(), json.clone())).collect()
    }

    /// See [`super::ObjectStore::load`]. What is stored now, and whether that is new.
    pub(super) fn load(
        &mut self,
        now: Timestamp,
        key: &Key,
        json: Value,
        manager: &str,
    ) -> (Arc<Value>, bool) {
        let old = self.objects.get(key).cloned();
        let mode = Mode {
            now,
            dry_run: false,
            manager,
        };
        let json = match &old {
            Some(old) => match finish(key.kind, old, json, mode, None) {
                Some(json) => json,
                None => return (old.clone(), false),
            },
            None => {
                let uid = self.uid();
                fresh(key.kind, json, &uid, mode)
            }
        };
        (self.store(now, key, json), true)
    }

    /// See [`super::ObjectStore::delete`].
    pub(super) fn remove(&mut self, now: Timestamp, key: &Key) -> bool {
        if !self.objects.contains_key(key) {
            return false;
        }
        let undefined = Kind::ALL
            .into_iter()
            .find(|&kind| kind.custom() && definition(kind).0 == *key);
        let with_it: Vec<Key> = match (key.kind, undefined) {
            (Kind::Namespace, _) => self
                .objects
                .keys()
                .filter(|it| it.namespace == key.name)
                .cloned()
                .collect(),
            (_, Some(kind)) => self.of_kind(kind).map(|(key, _)| key.clone()).collect(),
            _ => Vec::new(),
        };
        for key in with_it.iter().chain([key]) {
            self.objects.remove(key);
            self.rv += 1;
            self.announce(now, key, None);
        }
        if let Some(kind) = undefined {
            self.tell(kind, Event::Undefined);
        }
        true
    }

    pub(super) fn get(&self, key: &Key) -> Result<Object, ClusterError> {
        self.permit(Asker::Naru, "get", key)?;
        let json = self
            .json(key)
            .filter(|_| self.served(key.kind))
            .ok_or(ClusterError::NotFound)?;
        write::object(key, (*json).clone())
    }

    fn permit(&self, asker: Asker<'_>, verb: &str, key: &Key) -> Result<(), ClusterError> {
        let namespace = (!key.namespace.is_empty()).then_some(&*key.namespace);
        let asked = Asked {
            verb,
            kind: key.kind,
            namespace,
            name: Some(&key.name),
        };
        if self.rights.allow(asker, &asked) {
            Ok(())
        } else {
            Err(ClusterError::Forbidden(refusal(asker, verb, key)))
        }
    }

    pub(super) fn may(&self, who: &Actor, asks: &[Access]) -> Vec<bool> {
        let allow = |ask: &Access| {
            let asked = Asked {
                verb: ask.verb,
                kind: ask.kind,
                namespace: ask.namespace.as_deref(),
                name: ask.name.as_deref(),
            };
            self.rights.allow(who.into(), &asked)
        };
        asks.iter().map(allow).collect()
    }
}
