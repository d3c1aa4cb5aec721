//! The file that outlives the cluster: all signatures, with what they were given for, in one JSON document.
//!
//! etcd is no archive: with the definitions everything is gone. The document holds the objects as they were, so that whoever has it can walk
//! the chain. Its own `digest` finds damage; against somebody who writes a whole document anew only a head that was published elsewhere helps.

use super::{
    Ledger, Migration, OwnItems,
    chain::{Broken, Head},
};
use crate::{
    Name, Timestamp,
    object::{Digest, Kind, Object},
    snapshot::Objects,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What `format` says.
pub const FORMAT: &str = "naru.dev/crossing/v1";

/// The document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Export {
    /// [`FORMAT`].
    pub format: Name,
    /// When it was written.
    pub exported_at: Timestamp,
    /// The end of the chain when it was written; null if the chain was broken.
    pub head: Option<Digest>,
    /// Migrations.
    pub migrations: Vec<Value>,
    /// Evidence.
    pub evidence: Vec<Value>,
    /// SignOffs, in order of number.
    pub sign_offs: Vec<Value>,
    /// Waivers.
    pub waivers: Vec<Value>,
    /// Exceptions.
    pub exceptions: Vec<Value>,
    /// Digest of all the rest.
    pub digest: Digest,
}

/// It is no such document, or it is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// It is not JSON of this form; the parser's words.
    #[error("{0}")]
    Form(Name),
    /// It is of another version.
    #[error("the format is {0}, not {FORMAT}")]
    Format(Name),
    /// Something in it is no object, and of which list.
    #[error("an object of {0} cannot be read")]
    Object(Name),
    /// It is not what was written.
    #[error("the digest is not that of the rest")]
    Digest,
}

impl Export {
    /// All that there is in a cluster.
    pub fn of(objects: &Objects, at: Timestamp) -> Self {
        let of = |kind| objects.of_kind(kind).map(kept).collect();
        let mut export = Self {
            format: FORMAT.into(),
            exported_at: at,
            head: Ledger::of(objects).verify(None).ok().map(|head| head.digest),
            migrations: of(Kind::Migration),
            evidence: of(Kind::Evidence),
            sign_offs: of(Kind::SignOff),
            waivers: of(Kind::Waiver),
            exceptions: of(Kind::Exception),
            digest: Digest::default(),
        };
        export.digest = export.sum();
        export
    }

    /// Reads a document that is not damaged.
    ///
    /// # Errors
    /// See [`Damaged`].
    pub fn read(text: &str) -> Result<Self, Damaged> {
        let export: Self =
            serde_json::from_str(text).map_err(|error| Damaged::Form(error.to_string().into()))?;
        if *export.format != *FORMAT {
            return Err(Damaged::Format(export.format));
        }
        if export.digest != export.sum() {
            return Err(Damaged::Digest);
        }
        export.objects()?;
        Ok(export)
    }

    /// As text, for a file.
    pub fn text(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or(Value::Null);
        format!("{json:#}\n")
    }

    /// The objects, kind by kind, in the order of the document.
    ///
    /// # Errors
    /// [`Damaged::Object`].
    pub fn objects(&self) -> Result<Vec<Object>, Damaged> {
        let all = [
            (Kind::Migration, "migrations", &self.migrations),
            (Kind::Evidence, "evidence", &self.evidence),
            (Kind::SignOff, "signOffs", &self.sign_offs),
            (Kind::Waiver, "waivers", &self.waivers),
            (Kind::Exception, "exceptions", &self.exceptions),
        ];
        let mut objects = Vec::new();
        for (kind, list, jsons) in all {
            for json in jsons {
                let object = Object::new(kind, json.clone());
                objects.push(object.map_err(|_| Damaged::Object(list.into()))?);
            }
        }
        Ok(objects)
    }

    /// Whether its signatures are whole, to the head that it says itself and to one that was published, if there is one.
    ///
    /// # Errors
    /// The first place that is broken.
    pub fn verify(&self, published: Option<&Digest>) -> Result<Head, Broken> {
        // It was read, so that its objects are some.
        let objects = self.objects().unwrap_or_default();
        let ledger = Ledger::read(&objects);
        let own = self.head.as_ref().filter(|head| !head.0.is_empty());
        ledger.verify(own)?;
        ledger.verify(published)
    }

    /// The items of the team's own, by the first Migration.
    pub fn items(&self) -> OwnItems {
        let objects = self.objects().unwrap_or_default();
        let first = objects.iter().find(|it| it.key().kind == Kind::Migration);
        let read = first.and_then(|it| Migration::read(it).ok());
        read.map(|it| it.items).unwrap_or_default()
    }

    fn sum(&self) -> Digest {
        let mut json = serde_json::to_value(self).unwrap_or(Value::Null);
        if let Some(fields) = json.as_object_mut() {
            fields.shift_remove("digest");
        }
        Digest::of(&json)
    }
}

/// What matters of an object: what somebody has written, its uid, and its age.
fn kept(object: &Object) -> Value {
    let metadata = ["name", "uid", "creationTimestamp", "labels", "annotations"];
    let metadata: Map<String, Value> = metadata
        .into_iter()
        .filter_map(|field| {
            let value = object.get("/metadata")?.get(field)?;
            Some((field.to_owned(), value.clone()))
        })
        .collect();
    let kind = object.key().kind;
    let mut json = json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata});
    for field in ["spec", "status"] {
        if let Some(value) = object.json().get(field) {
            json[field] = value.clone();
        }
    }
    json
}
