//! The storage, and what each write does to it.

use super::{
    Asker, Hook, Stored, admit,
    faults::Faults,
    fields::{self, Stamp},
    rights::{Rights, refusal},
};
use json_patch::{Patch, PatchErrorKind};
use naru_domain::{
    Name, SourceName, Timestamp, Why,
    actor::Actor,
    object::{Key, Kind, Object, Write},
};
use naru_ports::{Access, As, ClusterError, Submitted};
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

/// Kinds whose status is a subresource. All of Istio's and Naru's definitions have one.
fn status_apart(kind: Kind) -> bool {
    !matches!(kind, Kind::EndpointSlice | Kind::Lease)
}

/// Kinds whose generation the API server counts.
fn counted(kind: Kind) -> bool {
    !matches!(kind, Kind::Namespace | Kind::Service | Kind::Lease)
}

fn seconds(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn set_meta(json: &mut Value, field: &str, value: Option<Value>) {
    if let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut) {
        match value {
            Some(value) => drop(metadata.insert(field.into(), value)),
            None => drop(metadata.shift_remove(field)),
        }
    }
}

fn set_status(json: &mut Value, status: Option<Value>) {
    if let Some(root) = json.as_object_mut() {
        match status {
            Some(status) => drop(root.insert("status".into(), status)),
            None => drop(root.shift_remove("status")),
        }
    }
}

/// What a change of which counts as a new generation: all but metadata and status.
fn body(json: &Value) -> Value {
    let mut json = json.clone();
    if let Some(root) = json.as_object_mut() {
        root.retain(|name, _| !matches!(name.as_str(), "metadata" | "status" | "apiVersion" | "kind"));
    }
    json
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
        object(key, (*json).clone())
    }

    fn permit(&self, asker: Asker<'_>, verb: &str, key: &Key) -> Result<(), ClusterError> {
        let namespace = (!key.namespace.is_empty()).then_some(&*key.namespace);
        if self.rights.allow(asker, verb, key.kind, namespace) {
            Ok(())
        } else {
            Err(ClusterError::Forbidden(refusal(asker, verb, key)))
        }
    }

    pub(super) fn may(&self, who: &Actor, asks: &[Access]) -> Vec<bool> {
        let allow = |ask: &Access| {
            self.rights
                .allow(who.into(), ask.verb, ask.kind, ask.namespace.as_deref())
        };
        asks.iter().map(allow).collect()
    }

    /// Carries a write out, or finds out what it would do.
    pub(super) fn submit(
        &mut self,
        who: As<'_>,
        write: &Write,
        mode: Mode<'_>,
    ) -> Result<Submitted, ClusterError> {
        let (key, verb) = (write.key(), verb(write));
        // The right is asked for first, as the real one does: whether something is there is already an answer.
        self.permit(Asker::As(who), verb.split(' ').next().unwrap_or(verb), key)?;
        if !self.served(key.kind) {
            return Err(ClusterError::NotFound);
        }
        let object = match write {
            Write::Create(object) => Some(self.create(key, object.json(), mode)?),
            Write::Patch { rv, ops, .. } => Some(self.patch(key, rv, ops, mode, false)?),
            Write::PatchStatus { rv, ops, .. } => Some(self.patch(key, rv, ops, mode, true)?),
            Write::Delete { uid, rv, .. } => {
                self.delete(key, uid, rv, mode)?;
                None
            }
        };
        if !mode.dry_run {
            let by = match who {
                As::Person(person) => person.sub.clone(),
                As::Controller(name) => name.into(),
            };
            self.audit.push(Entry {
                at: mode.now,
                by,
                verb,
                key: key.clone(),
                manager: mode.manager.into(),
            });
        }
        Ok(Submitted { object })
    }

    fn create(&mut self, key: &Key, json: &Value, mode: Mode<'_>) -> Result<Object, ClusterError> {
        let invalid = |said: &str| Err(ClusterError::Invalid(said.into()));
        if key.kind.namespaced() == key.namespace.is_empty() {
            return invalid("metadata.namespace: the kind's scope is another");
        }
        if key.kind.namespaced()
            && !self
                .objects
                .contains_key(&Key::new(Kind::Namespace, "", key.namespace.clone()))
        {
            return Err(ClusterError::NotFound);
        }
        if !text(json, "/metadata/resourceVersion").is_empty() {
            return invalid("resourceVersion should not be set on objects to be created");
        }
        let (said, wanted) = (text(json, "/apiVersion"), key.kind.api_version());
        let (kind, named) = (text(json, "/kind"), key.kind.name());
        if (!said.is_empty() && said != wanted) || (!kind.is_empty() && kind != named) {
            return invalid("the object's apiVersion and kind are not those of the request");
        }
        if self.objects.contains_key(key) {
            return Err(ClusterError::Exists);
        }
        let mut json = json.clone();
        if status_apart(key.kind) {
            set_status(&mut json, None);
        }
        for kept in ["uid", "creationTimestamp", "generation", "managedFields"] {
            set_meta(&mut json, kept, None);
        }
        admit::validate(key.kind, None, &json).map_err(|said| ClusterError::Invalid(said.into()))?;
        if mode.dry_run {
            // A uid that nothing will ever have.
            let json = fresh(key.kind, json, "6e617275-0000-4000-9000-000000000000", mode);
            return object(key, json);
        }
        let uid = self.uid();
        let json = fresh(key.kind, json, &uid, mode);
        let stored = self.store(mode.now, key, json);
        object(key, (*stored).clone())
    }

    fn patch(
        &mut self,
        key: &Key,
        rv: &str,
        ops: &Patch,
        mode: Mode<'_>,
        status: bool,
    ) -> Result<Object, ClusterError> {
        if status && !status_apart(key.kind) {
            return Err(ClusterError::NotFound);
        }
        let old = self.json(key).ok_or(ClusterError::NotFound)?;
        if text(&old, "/metadata/resourceVersion") != rv {
            return Err(ClusterError::Conflict);
        }
        let invalid = |said: String| ClusterError::Invalid(said.into());
        let mut new = (*old).clone();
        json_patch::patch(&mut new, ops).map_err(|error| {
            invalid(match error.kind {
                PatchErrorKind::TestFailed => format!("testing value {} failed", error.path),
                _ => error.to_string(),
            })
        })?;
        for field in ["name", "namespace", "uid"] {
            let pointer = format!("/metadata/{field}");
            if new.pointer(&pointer) != old.pointer(&pointer) {
                return Err(invalid(format!(
                    "metadata.{field}: Invalid value: field is immutable"
                )));
            }
        }
        if text(&new, "/metadata/resourceVersion") != rv {
            return Err(ClusterError::Conflict);
        }
        if status {
            // Only the status is taken.
            let taken = new.get("status").cloned();
            new = (*old).clone();
            set_status(&mut new, taken);
        } else if status_apart(key.kind) {
            set_status(&mut new, old.get("status").cloned());
        }
        admit::validate(key.kind, Some(&old), &new).map_err(invalid)?;
        let Some(new) = finish(key.kind, &old, new, mode, status.then_some("status")) else {
            return object(key, (*old).clone());
        };
        if mode.dry_run {
            return object(key, new);
        }
        let stored = self.store(mode.now, key, new);
        object(key, (*stored).clone())
    }

    fn delete(&mut self, key: &Key, uid: &str, rv: &str, mode: Mode<'_>) -> Result<(), ClusterError> {
        let old = self.json(key).ok_or(ClusterError::NotFound)?;
        if text(&old, "/metadata/uid") != uid || text(&old, "/metadata/resourceVersion") != rv {
            return Err(ClusterError::Conflict);
        }
        if !mode.dry_run {
            self.remove(mode.now, key);
        }
        Ok(())
    }
}

fn verb(write: &Write) -> &'static str {
    match write {
        Write::Create(_) => "create",
        Write::Patch { .. } => "patch",
        Write::PatchStatus { .. } => "patch status",
        Write::Delete { .. } => "delete",
    }
}

fn object(key: &Key, json: Value) -> Result<Object, ClusterError> {
    Object::new(key.kind, json).map_err(|error| ClusterError::Invalid(error.to_string().into()))
}

fn stamp<'a>(
    mode: Mode<'a>,
    api_version: &'a str,
    time: &'a str,
    subresource: Option<&'static str>,
) -> Stamp<'a> {
    Stamp {
        manager: mode.manager,
        api_version,
        time,
        subresource,
    }
}

/// A new object, with what the API server gives it. A creationTimestamp that is there stays.
fn fresh(kind: Kind, json: Value, uid: &str, mode: Mode<'_>) -> Value {
    let (api_version, time) = (kind.api_version(), seconds(mode.now));
    let mut whole = json!({"apiVersion": api_version, "kind": kind.name()});
    if let (Some(whole), Value::Object(json)) = (whole.as_object_mut(), json) {
        whole.extend(json);
    }
    set_meta(&mut whole, "resourceVersion", None);
    set_meta(&mut whole, "uid", Some(uid.into()));
    if text(&whole, "/metadata/creationTimestamp").is_empty() {
        set_meta(&mut whole, "creationTimestamp", Some(time.as_str().into()));
    }
    if counted(kind) {
        set_meta(&mut whole, "generation", Some(1.into()));
    }
    fields::record(None, &mut whole, &stamp(mode, &api_version, &time, None));
    whole
}

/// What an update leaves, before it gets its resourceVersion; None if it changes nothing.
fn finish(
    kind: Kind,
    old: &Value,
    mut new: Value,
    mode: Mode<'_>,
    subresource: Option<&'static str>,
) -> Option<Value> {
    for kept in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
    ] {
        set_meta(
            &mut new,
            kept,
            old.pointer("/metadata").and_then(|it| it.get(kept)).cloned(),
        );
    }
    for kept in ["apiVersion", "kind"] {
        if let (Some(root), Some(value)) = (new.as_object_mut(), old.get(kept)) {
            root.insert(kept.into(), value.clone());
        }
    }
    if new == *old {
        return None;
    }
    if counted(kind) && body(&new) != body(old) {
        let generation = old
            .pointer("/metadata/generation")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        set_meta(&mut new, "generation", Some((generation + 1).into()));
    }
    let (api_version, time) = (kind.api_version(), seconds(mode.now));
    fields::record(
        Some(old),
        &mut new,
        &stamp(mode, &api_version, &time, subresource),
    );
    Some(new)
}
