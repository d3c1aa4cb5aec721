//! What an exported file says, brought back into a cluster that has lost it: a definition was pruned, or this is another cluster.
//!
//! Nobody can write another's signature anew (`k8s/base/ledger.yaml`), but for who has the right to import, and then it says so for ever: each
//! object names who brought it in and the digest of the file. An import that was interrupted is gone on with: what is there as the file has it
//! is left, and what is there as something else ends it.

use super::{
    Evidence,
    evidence::IMPORTED_UID,
    export::{Damaged, Export},
};
use crate::{
    Name, Timestamp,
    object::{Digest, Key, Kind, Object, Write},
};
use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::PointerBuf};
use serde_json::{Map, Value, json};

/// Who brought an object in, as the API server names them.
pub const IMPORTED_BY: &str = "naru.dev/imported-by";

/// [`Export::digest`] of the file that it came from.
pub const IMPORTED_FROM: &str = "naru.dev/imported-from";

/// That an object was brought in, and does not come from whom it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// By whom, as the API server names them.
    pub by: Name,
    /// Digest of the file.
    pub from: Digest,
    /// When; None for what no API server has stored.
    pub at: Option<Timestamp>,
}

impl Imported {
    /// What the object says of it; None for what was written here.
    pub fn of(object: &Object) -> Option<Self> {
        Some(Self {
            by: object.annotation(IMPORTED_BY)?.into(),
            from: Digest(object.annotation(IMPORTED_FROM).unwrap_or_default().into()),
            at: object.text("/metadata/creationTimestamp").parse().ok(),
        })
    }
}

/// It is being brought in, and what had become of it is still to be written.
pub(super) fn arriving(object: &Object) -> bool {
    Imported::of(object).is_some() && !object.get("/status").is_some_and(Value::is_object)
}

/// One object to be brought in.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// To be created.
    pub object: Object,
    /// What is to become of it: a second write, since an API server takes no status with a new object. None for kinds that have none.
    pub status: Option<Value>,
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// The object is not there.
    Not,
    /// It is there, and its status is not.
    Half,
    /// It is there as the file has it.
    Whole,
    /// Something else is there under its name.
    Other,
}

/// What is to be brought in by whom: what was accepted before the signatures that rest on it, evidence before those that name it, signatures in
/// their order. A running Naru opens no item again for want of an exception that is still to come.
///
/// # Errors
/// [`Damaged::Object`].
pub fn steps(export: &Export, by: &str) -> Result<Vec<Step>, Damaged> {
    let objects = export.objects()?;
    let steps = objects.iter().map(|it| step(it, by, &export.digest));
    let mut steps: Vec<Step> = steps.collect::<Result<_, _>>()?;
    steps.sort_by_key(|it| match it.key().kind {
        Kind::Migration => 0,
        Kind::Waiver | Kind::Exception => 1,
        Kind::Evidence => 2,
        _ => 3,
    });
    Ok(steps)
}

fn step(object: &Object, by: &str, from: &Digest) -> Result<Step, Damaged> {
    let kind = object.key().kind;
    let odd = || Damaged::Object(kind.name().into());
    let mut json = object.json().clone();
    let metadata = json.get_mut("metadata").and_then(Value::as_object_mut);
    let metadata = metadata.ok_or_else(odd)?;
    metadata.shift_remove("uid");
    metadata.shift_remove("creationTimestamp");
    if kind != Kind::Migration {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        let annotations = annotations.as_object_mut().ok_or_else(odd)?;
        annotations.insert(IMPORTED_BY.into(), by.into());
        annotations.insert(IMPORTED_FROM.into(), from.0.to_string().into());
        if kind == Kind::Evidence {
            let uid = Evidence::read(object).map_err(|_| odd())?.uid;
            annotations.insert(IMPORTED_UID.into(), uid.to_string().into());
        }
    }
    let fields = json.as_object_mut().ok_or_else(odd)?;
    let status = fields.shift_remove("status");
    let has_status = matches!(kind, Kind::SignOff | Kind::Waiver | Kind::Exception);
    Ok(Step {
        object: Object::new(kind, json).map_err(|_| odd())?,
        status: has_status.then(|| status.unwrap_or_else(|| Value::Object(Map::new()))),
    })
}

impl Step {
    /// What it is about.
    pub fn key(&self) -> &Key {
        self.object.key()
    }

    /// How far it has come, by what is there under its name. A Migration that is there is left as it is, whatever it says.
    pub fn landed(&self, live: Option<&Object>) -> Landed {
        let Some(live) = live else {
            return Landed::Not;
        };
        if self.key().kind == Kind::Migration {
            return Landed::Whole;
        }
        let uid = |it: &Object| match it.annotation(IMPORTED_UID) {
            Some(uid) => uid.into(),
            None => it.uid(),
        };
        let same_evidence = self.key().kind != Kind::Evidence || uid(live) == uid(&self.object);
        if !same_evidence || live.get("/spec") != self.object.get("/spec") {
            return Landed::Other;
        }
        match (&self.status, live.get("/status")) {
            (None, _) => Landed::Whole,
            (Some(_), None) if Imported::of(live).is_some() => Landed::Half,
            // It was written here, and nothing has become of it; in the file too, or not.
            (Some(Value::Object(wanted)), None) if wanted.is_empty() => Landed::Whole,
            (Some(_), None) => Landed::Other,
            // More may have become of it since: it was taken back, or its item is open again.
            (Some(Value::Object(wanted)), Some(there)) => {
                let same = wanted
                    .iter()
                    .all(|(field, value)| there.get(field) == Some(value));
                if same { Landed::Whole } else { Landed::Other }
            }
            (Some(_), Some(_)) => Landed::Other,
        }
    }

    /// The first write.
    pub fn create(&self) -> Write {
        Write::Create(self.object.clone())
    }

    /// The second, on the object as it was created; None if it needs none.
    pub fn finish(&self, live: &Object) -> Option<Write> {
        let add = AddOperation {
            path: PointerBuf::from_tokens(["status"]),
            value: self.status.clone()?,
        };
        Some(Write::PatchStatus {
            key: live.key().clone(),
            rv: live.resource_version(),
            ops: Patch(vec![PatchOperation::Add(add)]),
        })
    }
}
