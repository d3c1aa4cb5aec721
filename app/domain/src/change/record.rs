//! An entry of the journal: the Change object (`naru.dev/v1alpha1`), read and written.
//!
//! `spec` is what a person confirmed and never changes; `status` is how it ended. An entry without a status is intended: it may or may
//! not have landed.

use super::{
    plan::{Intent, Plan},
    writer,
};
use crate::{
    Name, Timestamp, Why,
    actor::Actor,
    object::{Digest, Key, Kind, Malformed, Object, Write},
    snapshot::Objects,
};
use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::PointerBuf};
use naru_view::canary::DiffLine;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How a change ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Not known yet.
    Intended,
    /// It landed.
    Landed {
        /// When we learned of it.
        at: Timestamp,
        /// The resourceVersion that it left.
        rv: Name,
    },
    /// Nothing was changed, and nothing will be.
    NotCarriedOut {
        /// Why.
        why: Why,
    },
    /// A person must look.
    Stopped {
        /// Why.
        why: Why,
    },
}

impl Phase {
    /// As the entry's status has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Intended => "Intended",
            Self::Landed { .. } => "Landed",
            Self::NotCarriedOut { .. } => "NotCarriedOut",
            Self::Stopped { .. } => "Stopped",
        }
    }
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where and how it is called.
    pub key: Key,
    /// resourceVersion of the entry itself.
    pub entry_rv: Name,
    /// What was wished.
    pub intent: Intent,
    /// The object to be changed.
    pub target: Key,
    /// Its uid.
    pub uid: Name,
    /// The resourceVersion that the write was guarded by.
    pub rv: Name,
    /// The edits.
    pub ops: Patch,
    /// Their inverse.
    pub undo: Patch,
    /// Digest of the object before.
    pub before: Digest,
    /// Digest of the object after.
    pub after: Digest,
    /// Touched paths.
    pub diff: Vec<DiffLine>,
    /// What was confirmed.
    pub digest: Digest,
    /// By whom.
    pub actor: Actor,
    /// Why.
    pub reason: Name,
    /// When.
    pub approved_at: Timestamp,
    /// How it ended.
    pub phase: Phase,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    intent: Intent,
    target: Target,
    resource_version: Name,
    ops: Patch,
    undo: Patch,
    before: Digest,
    after: Digest,
    diff: Vec<DiffLine>,
    digest: Digest,
    actor: Actor,
    reason: Name,
    approved_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undoes: Option<Name>,
}

#[derive(Serialize, Deserialize)]
struct Target {
    kind: Kind,
    namespace: Name,
    name: Name,
    uid: Name,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    phase: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_version: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
}

impl Record {
    /// A new entry, intended, beside the object that it will change. `name` must be new in that namespace.
    pub fn intended(plan: &Plan, name: Name, actor: Actor, reason: Name, approved_at: Timestamp) -> Self {
        Self {
            key: Key::new(Kind::Change, plan.target.namespace.clone(), name),
            entry_rv: "".into(),
            intent: plan.intent.clone(),
            target: plan.target.clone(),
            uid: plan.uid.clone(),
            rv: plan.rv.clone(),
            ops: plan.ops.clone(),
            undo: plan.undo.clone(),
            before: plan.before.clone(),
            after: plan.after.clone(),
            diff: plan.diff.clone(),
            digest: plan.digest.clone(),
            actor,
            reason,
            approved_at,
            phase: Phase::Intended,
        }
    }

    /// Reads an entry; None if it is not one of ours (its schema should have refused it).
    pub fn read(object: &Object) -> Option<Self> {
        let spec: Spec = serde_json::from_value(object.get("/spec")?.clone()).ok()?;
        let status = object
            .get("/status")
            .cloned()
            .map(serde_json::from_value::<Status>);
        let status = status.transpose().ok()?.unwrap_or_default();
        let said = |why: &Option<Why>| why.clone().unwrap_or(Why::Said { detail: "".into() });
        let phase = match status.phase.as_deref() {
            Some("Landed") => Phase::Landed {
                at: status.at.unwrap_or_else(|| when(object, spec.approved_at)),
                rv: status.resource_version.unwrap_or_else(|| "".into()),
            },
            Some("NotCarriedOut") => Phase::NotCarriedOut {
                why: said(&status.why),
            },
            Some("Stopped") => Phase::Stopped {
                why: said(&status.why),
            },
            _ => Phase::Intended,
        };
        Some(Self {
            key: object.key().clone(),
            entry_rv: object.resource_version(),
            intent: spec.intent,
            target: Key::new(spec.target.kind, spec.target.namespace, spec.target.name),
            uid: spec.target.uid,
            rv: spec.resource_version,
            ops: spec.ops,
            undo: spec.undo,
            before: spec.before,
            after: spec.after,
            diff: spec.diff,
            digest: spec.digest,
            actor: spec.actor,
            reason: spec.reason,
            approved_at: when(object, spec.approved_at),
            phase,
        })
    }

    /// The entry as an object to be created.
    ///
    /// # Errors
    /// Only if the entry has no name.
    pub fn object(&self) -> Result<Object, Malformed> {
        let spec = Spec {
            intent: self.intent.clone(),
            target: Target {
                kind: self.target.kind,
                namespace: self.target.namespace.clone(),
                name: self.target.name.clone(),
                uid: self.uid.clone(),
            },
            resource_version: self.rv.clone(),
            ops: self.ops.clone(),
            undo: self.undo.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            diff: self.diff.clone(),
            digest: self.digest.clone(),
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            approved_at: self.approved_at,
            undoes: self.undoes(),
        };
        let spec =
            serde_json::to_value(spec).map_err(|_| Malformed("the entry cannot be written as JSON"))?;
        let json = json!({
            "apiVersion": Kind::Change.api_version(), "kind": Kind::Change.name(),
            "metadata": {"namespace": &*self.key.namespace, "name": &*self.key.name}, "spec": spec,
        });
        Object::new(Kind::Change, json)
    }

    /// The change that this one takes back.
    pub fn undoes(&self) -> Option<Name> {
        match &self.intent {
            Intent::Undo { change, .. } => Some(change.clone()),
            Intent::SetWeights(_) | Intent::Mend(_) => None,
        }
    }

    /// The field manager under which its write goes out: found again in `managedFields`.
    pub fn manager(&self) -> String {
        format!("{}{}", writer::PREFIX, self.key.name)
    }

    /// The guarded write.
    pub fn write(&self) -> Write {
        Write::Patch {
            key: self.target.clone(),
            rv: self.rv.clone(),
            ops: self.ops.clone(),
        }
    }

    /// Writes down how it ended, guarded by the entry as it was read.
    pub fn settle(&self, phase: &Phase) -> Write {
        let mut status = Status {
            phase: Some(phase.name().into()),
            ..Status::default()
        };
        match phase {
            Phase::Landed { at, rv } => (status.at, status.resource_version) = (Some(*at), Some(rv.clone())),
            Phase::NotCarriedOut { why } | Phase::Stopped { why } => status.why = Some(why.clone()),
            Phase::Intended => {}
        }
        let value = serde_json::to_value(status).unwrap_or(Value::Null);
        let path = PointerBuf::from_tokens(["status"]);
        let ops = Patch(vec![PatchOperation::Add(AddOperation { path, value })]);
        Write::PatchStatus {
            key: self.key.clone(),
            rv: self.entry_rv.clone(),
            ops,
        }
    }
}

/// So many seconds an entry's own time may differ from the API server's and be believed: it is finer.
pub(super) const NEAR_S: i64 = 5;

/// When an entry was written: by the API server's clock where its own is far from it. Whoever writes entries by hand may write any time, and a
/// laptop's clock may be wrong; how old an entry is decides what recovery does with it.
fn when(object: &Object, said: Timestamp) -> Timestamp {
    let made = object.get("/metadata/creationTimestamp").and_then(Value::as_str);
    match made.and_then(|it| it.parse::<Timestamp>().ok()) {
        Some(made) if made.duration_since(said).abs().as_secs() > NEAR_S => made,
        _ => said,
    }
}

/// All entries of the journal, in order of namespace and name.
pub fn records(objects: &Objects) -> Vec<Record> {
    objects.of_kind(Kind::Change).filter_map(Record::read).collect()
}

/// The change that took this one back, if one has landed. Derived, so that it cannot disagree with the entries; only an entry about the same object
/// in the same namespace can say so, because nobody needs a right here to write one elsewhere.
pub fn undone_by(records: &[Record], undone: &Record) -> Option<Name> {
    let key = &undone.key;
    let landed = records
        .iter()
        .filter(|record| matches!(record.phase, Phase::Landed { .. }))
        .filter(|record| record.key.namespace == key.namespace)
        .filter(|record| record.target == undone.target && record.uid == undone.uid);
    let mut undoing = landed.filter(|record| match &record.intent {
        Intent::Undo { namespace, change } => *namespace == key.namespace && *change == key.name,
        Intent::SetWeights(_) | Intent::Mend(_) => false,
    });
    undoing.next().map(|record| record.key.name.clone())
}
