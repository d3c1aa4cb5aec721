//! What is common to everything that people put their names to.

use super::migration::Unreadable;
use crate::{
    Name, Timestamp,
    actor::Actor,
    object::{Key, Kind, Malformed, Object, Write},
};
use jiff::SignedDuration;
use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::PointerBuf};
use naru_view::ledger::DAYS;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// A person did something at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// A person took back what was signed, waived or excepted. The object stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Revocation {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Name,
    /// When.
    pub at: Timestamp,
}

/// `status` of what can only be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Revocable {
    /// Taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// The longest that anything is passed over, from the day that it was written: 180 days.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(DAYS as i64 * 24);

/// One human: issuer and subject are the same, whatever name is shown. See [`Actor`].
pub fn same_person(one: &Actor, other: &Actor) -> bool {
    one.issuer == other.issuer && one.sub == other.sub
}

/// What is passed over `from` a moment `until` another is so at `now`: not before, not at the end, and never for longer than [`LONGEST`].
pub(super) fn in_force(from: Timestamp, until: Timestamp, now: Timestamp) -> bool {
    from <= now && now < until && until.duration_since(from) <= LONGEST
}

/// A person takes back what an object says: a SignOff, a Waiver, an Exception.
pub fn revoke(object: &Object, revocation: &Revocation) -> Write {
    let started = object.get("/status").is_some_and(Value::is_object);
    let key = object.key().clone();
    set_status(key, object.resource_version(), started, "revoked", revocation)
}

/// One field of a status, guarded by the object as it was read; `started` if there is a status to add to.
pub(super) fn set_status<T: Serialize>(key: Key, rv: Name, started: bool, field: &str, value: &T) -> Write {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    let (path, value) = if started {
        (PointerBuf::from_tokens(["status", field]), value)
    } else {
        (PointerBuf::from_tokens(["status"]), json!({ field: value }))
    };
    let ops = Patch(vec![PatchOperation::Add(AddOperation { path, value })]);
    Write::PatchStatus { key, rv, ops }
}

/// The object of one of Naru's own kinds that a spec is written as.
pub(super) fn object<T: Serialize>(kind: Kind, name: &str, spec: &T) -> Result<Object, Malformed> {
    let spec = serde_json::to_value(spec).map_err(|_| Malformed("it cannot be written as JSON"))?;
    let json = json!({
        "apiVersion": kind.api_version(), "kind": kind.name(), "metadata": {"name": name}, "spec": spec,
    });
    Object::new(kind, json)
}

/// Reads what stands at a JSON pointer; the default for what is not there.
pub(super) fn read<T: DeserializeOwned>(object: &Object, pointer: &str) -> Result<T, Unreadable> {
    let value = object.get(pointer).cloned();
    serde_json::from_value(value.unwrap_or_else(|| Value::Object(serde_json::Map::new()))).map_err(|error| {
        Unreadable {
            name: object.key().name.clone(),
            detail: error.to_string().into(),
        }
    })
}
