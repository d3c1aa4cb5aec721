//! A person's signature under an item.
//!
//! `spec` is written by the person and never changes: which evidence they saw, and the digest of the signature before, so that the
//! signatures are a chain. They are called by their number, and two of one number cannot be stored. `status` says what became of it. A
//! signature is valid once Naru has accepted it, and no longer once it was revoked or its item is open again.

use super::{
    act::{self, Act, Revocation},
    import::{self, Imported},
    migration::Unreadable,
    reopen::Reopened,
};
use crate::{
    Name, Timestamp,
    actor::Actor,
    object::{Digest, Key, Kind, Malformed, Object, Write},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A SignOff object.
#[derive(Clone, Debug, PartialEq)]
pub struct SignOff {
    /// Its name: its number.
    pub name: Name,
    /// Its resourceVersion.
    pub rv: Name,
    /// Digest of its name and `spec`, as the next one names it.
    pub link: Digest,
    /// Digest of its name, `spec` and counter-signature: what Naru accepts.
    pub whole: Digest,
    /// What was signed.
    pub spec: SignOffSpec,
    /// What became of it.
    pub status: SignOffStatus,
    /// It was brought in from a file.
    pub imported: Option<Imported>,
    /// It is being brought in, and what had become of it is still to be written: nobody decides on it before.
    pub arriving: bool,
    /// There is a `status` to add to.
    started: bool,
}

/// `spec` of a SignOff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignOffSpec {
    /// The item, by its number.
    pub item: Name,
    /// What was seen when it was signed.
    pub evidence: EvidenceRef,
    /// [`link`](SignOff::link) of the latest signature before it that was not refused; empty for the first.
    pub previous: Digest,
    /// Who signed.
    pub actor: Actor,
    /// What they say.
    pub statement: Name,
    /// When.
    pub signed_at: Timestamp,
}

/// An Evidence, named so that no other can take its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EvidenceRef {
    /// Its name.
    pub name: Name,
    /// Its uid.
    pub uid: Name,
    /// Its digest.
    pub digest: Digest,
}

/// `status` of a SignOff. Each field is set once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SignOffStatus {
    /// Another person's signature, before it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub countersignature: Option<Act>,
    /// Naru found it in order: from here it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// Naru found it out of order: it was never valid, and the chain goes on without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedSign>,
    /// A person took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
    /// Naru found its item no longer as it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Reopened>,
}

/// The leader's word that it was in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Accepted {
    /// When.
    pub at: Timestamp,
    /// What was accepted: [`whole`](SignOff::whole).
    pub digest: Digest,
}

/// The leader's word that it was out of order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefusedSign {
    /// When.
    pub at: Timestamp,
    /// What was wrong: the key of a [`How`](super::chain::How).
    pub why: Name,
}

/// The name of a number: six digits, so that names sort as numbers do.
pub fn name_of(number: u32) -> Name {
    format!("{number:06}").into()
}

/// The number of a name; None for what is no SignOff's name.
pub fn number_of(name: &str) -> Option<u32> {
    let digits = name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| name.parse().ok())
        .flatten()
        .filter(|number| *number > 0)
}

impl SignOff {
    /// Reads the object.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        let name = &object.key().name;
        let spec = object.get("/spec").unwrap_or(&Value::Null);
        let countersignature = object.get("/status/countersignature").unwrap_or(&Value::Null);
        Ok(Self {
            name: name.clone(),
            rv: object.resource_version(),
            link: Digest::of(&json!({"name": &**name, "spec": spec})),
            whole: Digest::of(&json!({"name": &**name, "spec": spec, "countersignature": countersignature})),
            spec: act::read(object, "/spec")?,
            status: act::read(object, "/status")?,
            imported: Imported::of(object),
            arriving: import::arriving(object),
            started: object.get("/status").is_some_and(Value::is_object),
        })
    }

    /// Its number; None if it is not called as one.
    pub fn number(&self) -> Option<u32> {
        number_of(&self.name)
    }

    /// Neither accepted nor refused yet.
    pub fn pending(&self) -> bool {
        self.status.accepted.is_none() && self.status.refused.is_none()
    }

    /// Another person signs beside.
    pub fn countersign(&self, act: &Act) -> Write {
        self.set("countersignature", act)
    }

    /// Naru accepts it as it stands.
    pub fn accept(&self, at: Timestamp) -> Write {
        let digest = self.whole.clone();
        self.set("accepted", &Accepted { at, digest })
    }

    /// Naru refuses it.
    pub fn refuse(&self, why: &str, at: Timestamp) -> Write {
        let why = why.into();
        self.set("refused", &RefusedSign { at, why })
    }

    /// Naru notes that its item is open again.
    pub fn reopen(&self, reopened: &Reopened) -> Write {
        self.set("reopened", reopened)
    }

    fn set<T: Serialize>(&self, field: &str, value: &T) -> Write {
        let key = Key::new(Kind::SignOff, "", self.name.clone());
        act::set_status(key, self.rv.clone(), self.started, field, value)
    }
}

impl SignOffSpec {
    /// The object to be created under a number.
    ///
    /// # Errors
    /// Never: a number is a name.
    pub fn object(&self, number: u32) -> Result<Object, Malformed> {
        act::object(Kind::SignOff, &name_of(number), self)
    }
}
