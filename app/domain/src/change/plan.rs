//! What every kind of change comes down to.

use crate::{
    Name, Refused, Risk,
    object::{Digest, Key, Kind, Object, Write, canonical},
    snapshot::Snapshot,
};
use json_patch::{
    AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation,
    jsonptr::PointerBuf,
};
use naru_view::{
    canary::{DiffLine, Prediction, SetWeights},
    change::Mend,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The kinds that a change can be of: those with weights, and those that are mended. A Change lies beside the object that it changes, and the
/// rights of operators, of recovery and of the policy that guards the journal name them (k8s/base).
pub const KINDS: [Kind; 3] = [Kind::VirtualService, Kind::DestinationRule, Kind::HttpRoute];

/// What a person wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "kebab-case")]
pub enum Intent {
    /// Set the weights of one rule of a VirtualService or an HTTPRoute.
    SetWeights(SetWeights),
    /// Mend a finding by the edits that its check offers.
    Mend(Mend),
    /// Take a change back.
    Undo {
        /// Namespace of the change.
        namespace: Name,
        /// Its name in the journal.
        change: Name,
    },
}

/// A change, ready to be carried out: one guarded write and all that a person should know before confirming it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it was made from.
    pub intent: Intent,
    /// The object to be changed.
    pub target: Key,
    /// Its uid: a recreated namesake is another object.
    pub uid: Name,
    /// The resourceVersion that it was planned on.
    pub rv: Name,
    /// The edits, without the guard; each is preceded by tests of the old value and of its neighbour.
    pub ops: Patch,
    /// The edits that take it back, in the same manner.
    pub undo: Patch,
    /// The object's digest now.
    pub before: Digest,
    /// The object's digest after the edits.
    pub after: Digest,
    /// Each touched path.
    pub diff: Vec<DiffLine>,
    /// What will happen to the observed traffic.
    pub prediction: Prediction,
    /// What could go wrong.
    pub risks: Vec<Risk>,
    /// What people confirm: binds intent, object, and each value before and after; not the resourceVersion, so that an edit elsewhere in
    /// the object does not ask again.
    pub digest: Digest,
}

/// Plans a change on the system as the snapshot shows it.
///
/// # Errors
/// The reason why it must not be done, or cannot be known to be safe.
pub fn plan(intent: &Intent, snapshot: &Snapshot) -> Result<Plan, Refused> {
    match intent {
        Intent::SetWeights(wish) => super::weights::plan(wish, snapshot),
        Intent::Mend(wish) => super::mend::plan(wish, snapshot),
        Intent::Undo { namespace, change } => super::undo::plan(namespace, change, snapshot),
    }
}

/// One value to be set: where, what it is called, from what, to what.
pub(super) struct Edit {
    pub(super) path: PointerBuf,
    pub(super) label: Name,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    /// Values beside it that must not have moved; list positions do.
    pub(super) neighbours: Vec<(PointerBuf, Value)>,
}

/// The object, its edits and the edits' inverse, put together.
pub(super) fn assemble(
    intent: Intent,
    object: &Object,
    edits: &[Edit],
    prediction: Prediction,
    risks: Vec<Risk>,
) -> Result<Plan, Refused> {
    let ops = Patch(
        edits
            .iter()
            .flat_map(|edit| operations(edit, &edit.before, &edit.after))
            .collect(),
    );
    let undo = Patch(
        edits
            .iter()
            .rev()
            .flat_map(|edit| operations(edit, &edit.after, &edit.before))
            .collect(),
    );
    let diff = edits.iter().map(line).collect();
    put_together(intent, object, ops, undo, diff, prediction, risks)
}

/// The same from edits that exist already, as an undo has them.
pub(super) fn put_together(
    intent: Intent,
    object: &Object,
    ops: Patch,
    undo: Patch,
    diff: Vec<DiffLine>,
    prediction: Prediction,
    risks: Vec<Risk>,
) -> Result<Plan, Refused> {
    let after = patched(object, &ops)?;
    let digest = Digest::of(&json!({
        "intent": intent, "target": object.key(), "uid": object.uid(), "diff": diff,
    }));
    Ok(Plan {
        intent,
        target: object.key().clone(),
        uid: object.uid(),
        rv: object.resource_version(),
        before: object.digest(),
        after: after.digest(),
        ops,
        undo,
        diff,
        prediction,
        risks,
        digest,
    })
}

/// The object as the edits leave it; refused if a test among them fails or they leave no object.
pub(super) fn patched(object: &Object, ops: &Patch) -> Result<Object, Refused> {
    let mut json = object.json().clone();
    json_patch::patch(&mut json, ops).map_err(|error| Refused::RouteChanged {
        detail: error.to_string().into(),
    })?;
    Object::new(object.key().kind, json).map_err(|error| Refused::RouteChanged {
        detail: error.0.into(),
    })
}

fn line(edit: &Edit) -> DiffLine {
    let text = |value: &Option<Value>| value.as_ref().map(|value| canonical(value).into());
    DiffLine {
        path: edit.path.as_str().into(),
        label: edit.label.clone(),
        before: text(&edit.before),
        after: text(&edit.after),
    }
}

fn operations(edit: &Edit, from: &Option<Value>, to: &Option<Value>) -> Vec<PatchOperation> {
    let test = |path: &PointerBuf, value: &Value| {
        PatchOperation::Test(TestOperation {
            path: path.clone(),
            value: value.clone(),
        })
    };
    let path = || edit.path.clone();
    let mut operations: Vec<PatchOperation> = edit
        .neighbours
        .iter()
        .map(|(path, value)| test(path, value))
        .collect();
    operations.extend(from.iter().map(|value| test(&edit.path, value)));
    operations.push(match (from, to) {
        (Some(_), Some(value)) => PatchOperation::Replace(ReplaceOperation {
            path: path(),
            value: value.clone(),
        }),
        (None, Some(value)) => PatchOperation::Add(AddOperation {
            path: path(),
            value: value.clone(),
        }),
        (Some(_), None) => PatchOperation::Remove(RemoveOperation { path: path() }),
        (None, None) => return Vec::new(),
    });
    operations
}

impl Plan {
    /// An object as the edits would leave it.
    ///
    /// # Errors
    /// They do not fit it, or leave no object.
    pub fn on(&self, object: &Object) -> Result<Object, Refused> {
        patched(object, &self.ops)
    }

    /// The guarded write.
    pub fn write(&self) -> Write {
        Write::Patch {
            key: self.target.clone(),
            rv: self.rv.clone(),
            ops: self.ops.clone(),
        }
    }

    /// The same edits as a command for the shell, guarded by the same tests.
    pub fn kubectl(&self) -> String {
        // A JSON text in single quotes is safe for a POSIX shell once its own single quotes are closed, escaped and opened again.
        let ops = serde_json::to_string(&self.ops)
            .unwrap_or_default()
            .replace('\'', r"'\''");
        let resource = format!("{}.{}", self.target.kind.plural(), self.target.kind.group());
        format!(
            "kubectl -n {} patch {resource} {} --type=json -p '{ops}'",
            self.target.namespace, self.target.name
        )
    }
}
