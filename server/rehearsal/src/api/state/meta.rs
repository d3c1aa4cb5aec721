//! What the API server keeps in an object by itself.

use super::Mode;
use crate::api::fields::{self, Stamp};
use naru_domain::{Timestamp, object::Kind};
use serde_json::{Value, json};

/// Kinds whose status is a subresource. All of Istio's and Naru's definitions have one.
pub(super) fn status_apart(kind: Kind) -> bool {
    !matches!(kind, Kind::EndpointSlice | Kind::Lease)
}

/// Kinds whose generation the API server counts.
fn counted(kind: Kind) -> bool {
    !matches!(kind, Kind::Namespace | Kind::Service | Kind::Lease)
}

fn seconds(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

pub(super) fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

pub(super) fn set_meta(json: &mut Value, field: &str, value: Option<Value>) {
    if let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut) {
        match value {
            Some(value) => drop(metadata.insert(field.into(), value)),
            None => drop(metadata.shift_remove(field)),
        }
    }
}

pub(super) fn set_status(json: &mut Value, status: Option<Value>) {
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
pub(super) fn fresh(kind: Kind, json: Value, uid: &str, mode: Mode<'_>) -> Value {
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
pub(super) fn finish(
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
