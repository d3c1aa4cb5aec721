//! Writes, each with its guard.

use super::{Key, Object};
use crate::Name;
use json_patch::{Patch, PatchOperation, ReplaceOperation, jsonptr::PointerBuf};
use serde_json::Value;

/// One write to the API server. Each carries what it was planned on, so that it changes nothing if that is no longer so.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A new object; refused if the name is taken.
    Create(Object),
    /// A JSON patch on the object as it was at `rv`; a conflict otherwise.
    Patch {
        /// What to change.
        key: Key,
        /// The resourceVersion that it was planned on.
        rv: Name,
        /// What to change in it, without the guard.
        ops: Patch,
    },
    /// The same on the status subresource.
    PatchStatus {
        /// What to change.
        key: Key,
        /// The resourceVersion that it was planned on.
        rv: Name,
        /// What to change in it, without the guard.
        ops: Patch,
    },
    /// The number of pods, on the scale subresource, if it is still the one that it was: whatever else of the workload is not touched, and need
    /// not be allowed.
    Scale {
        /// Whose pods.
        key: Key,
        /// How many it wants now.
        from: u32,
        /// How many it shall want.
        to: u32,
    },
    /// Removes exactly this object in exactly this state.
    Delete {
        /// What to remove.
        key: Key,
        /// Its uid: a recreated namesake is another object.
        uid: Name,
        /// The resourceVersion that it was planned on.
        rv: Name,
    },
}

impl Write {
    /// What it writes to.
    pub fn key(&self) -> &Key {
        match self {
            Self::Create(object) => object.key(),
            Self::Patch { key, .. }
            | Self::PatchStatus { key, .. }
            | Self::Scale { key, .. }
            | Self::Delete { key, .. } => key,
        }
    }
}

/// `ops` behind a replacement of `/metadata/resourceVersion` by `rv`: the API server answers a stale one with 409 (Conflict), where a
/// failed `test` would only give 422.
pub fn guarded(rv: &str, ops: &Patch) -> Patch {
    let guard = PatchOperation::Replace(ReplaceOperation {
        path: PointerBuf::from_tokens(["metadata", "resourceVersion"]),
        value: Value::String(rv.into()),
    });
    Patch(std::iter::once(guard).chain(ops.0.iter().cloned()).collect())
}
