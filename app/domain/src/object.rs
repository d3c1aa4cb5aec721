//! Kubernetes objects as lossless JSON, their keys, and guarded writes.
//!
//! Whatever we edit stays whole: fields that we do not know survive, in their order. Edits are JSON patches (RFC 6902) guarded by the
//! resourceVersion they were planned on.

mod digest;
mod key;
mod kind;
mod write;

pub use digest::{Digest, canonical, differences};
pub use key::Key;
pub use kind::Kind;
pub use write::{Write, guarded};

use crate::{Name, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// One object, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    key: Key,
    json: Arc<Value>,
}

/// The JSON is no object of this kind: `metadata.name` is missing, or the root is no map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Kubernetes object: {0}")]
pub struct Malformed(pub &'static str);

impl Object {
    /// Takes JSON as the API server sent it.
    pub fn new(kind: Kind, json: Value) -> Result<Self, Malformed> {
        let key = Key::of(kind, &json)?;
        Ok(Self {
            key,
            json: Arc::new(json),
        })
    }

    /// Kind, namespace and name.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The whole.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.json.pointer(pointer)
    }

    /// The text at a JSON pointer; empty if there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.get(pointer).and_then(Value::as_str).unwrap_or("")
    }

    /// The list at a JSON pointer; empty if there is none.
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.get(pointer)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// `metadata.uid`; empty before the API server has given one.
    pub fn uid(&self) -> Name {
        self.text("/metadata/uid").into()
    }

    /// `metadata.resourceVersion`; opaque, compare for equality only.
    pub fn resource_version(&self) -> Name {
        self.text("/metadata/resourceVersion").into()
    }

    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.get("/metadata/labels")?.get(name)?.as_str()
    }

    /// An annotation's value.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.get("/metadata/annotations")?.get(name)?.as_str()
    }

    /// The field managers that the API server has recorded, latest first (entries without a time last).
    pub fn managers(&self) -> Vec<&str> {
        let mut entries: Vec<(&str, &str)> = self
            .list("/metadata/managedFields")
            .iter()
            .filter(|entry| entry.get("subresource").is_none())
            .filter_map(|entry| {
                let time = entry.get("time").and_then(Value::as_str).unwrap_or("");
                Some((time, entry.get("manager")?.as_str()?))
            })
            .collect();
        entries.sort_by(|a, b| b.cmp(a));
        entries.into_iter().map(|(_, manager)| manager).collect()
    }

    /// The field managers that the API server has recorded at this time or later, latest first. It keeps times to the second.
    pub fn managers_since(&self, since: Timestamp) -> Vec<&str> {
        let since = since.as_second();
        let later = |manager: &&str| {
            let entries = self.list("/metadata/managedFields").iter();
            entries
                .filter(|entry| entry.get("manager").and_then(Value::as_str) == Some(*manager))
                .filter_map(|entry| entry.get("time")?.as_str()?.parse::<Timestamp>().ok())
                .any(|time| time.as_second() >= since)
        };
        self.managers().into_iter().filter(later).collect()
    }

    /// When anything but its status was last written, as `managedFields` has it, to the second. None where nobody recorded it.
    pub fn written_at(&self) -> Option<Timestamp> {
        let entries = self.list("/metadata/managedFields").iter();
        let times = entries.filter(|entry| entry.get("subresource").is_none());
        times
            .filter_map(|entry| entry.get("time")?.as_str()?.parse().ok())
            .max()
    }

    /// The digest of all that a person or controller has written into it: everything but `status` and the parts of `metadata` that
    /// the API server keeps for itself (managedFields, resourceVersion, generation). "Unchanged otherwise" means that this is equal.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.written())
    }

    /// Pointers at which what was written into the two differs, at most `limit`; see [`digest`](Self::digest).
    pub fn differences(&self, other: &Self, limit: usize) -> Vec<Name> {
        differences(&self.written(), &other.written(), limit)
    }

    fn written(&self) -> Value {
        let mut json = (*self.json).clone();
        if let Some(root) = json.as_object_mut() {
            root.shift_remove("status");
            if let Some(metadata) = root.get_mut("metadata").and_then(Value::as_object_mut) {
                for kept in ["managedFields", "resourceVersion", "generation"] {
                    metadata.shift_remove(kept);
                }
            }
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Object};
    use serde_json::json;

    #[test]
    fn the_digest_ignores_what_the_api_server_keeps_and_nothing_else() {
        let object = |rv: &str, generation: u32, weight: u32| {
            Object::new(
                Kind::VirtualService,
                json!({"metadata": {"name": "a", "namespace": "b", "resourceVersion": rv, "generation": generation,
                    "managedFields": [{"manager": rv}]}, "spec": {"weight": weight}, "status": {"x": rv}}),
            )
            .unwrap()
        };
        assert_eq!(object("1", 1, 10).digest(), object("2", 2, 10).digest());
        assert_ne!(object("1", 1, 10).digest(), object("1", 1, 11).digest());
    }

    #[test]
    fn without_a_name_it_is_no_object() {
        for json in [
            json!(null),
            json!([]),
            json!({}),
            json!({"metadata": {"name": 3}}),
            json!({"metadata": {"name": ""}}),
        ] {
            assert!(Object::new(Kind::Service, json.clone()).is_err(), "{json}");
        }
    }

    #[test]
    fn managers_come_latest_first() {
        let object = Object::new(
            Kind::VirtualService,
            json!({"metadata": {"name": "a", "managedFields": [
                {"manager": "kubectl", "time": "2026-01-01T00:00:00Z"}, {"manager": "argocd", "time": "2026-01-02T00:00:00Z"},
                {"manager": "istiod", "time": "2026-01-03T00:00:00Z", "subresource": "status"}]}}),
        )
        .unwrap();
        assert_eq!(object.managers(), ["argocd", "kubectl"]);
        assert_eq!(object.written_at(), "2026-01-02T00:00:00Z".parse().ok());
    }
}
