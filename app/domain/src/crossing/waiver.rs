//! An item that is passed over until a day: somebody answers for it.

use super::{
    act::{self, Revocable},
    import,
    migration::Unreadable,
};
use crate::{
    Name, Timestamp,
    actor::Actor,
    object::{Kind, Malformed, Object},
};
use serde::{Deserialize, Serialize};

/// A Waiver object.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiver {
    /// Its name.
    pub name: Name,
    /// What it says.
    pub spec: WaiverSpec,
    /// Whether it was taken back.
    pub status: Revocable,
    /// It is being brought in from a file, and whether it was taken back is still to be written: nothing rests on it before.
    pub arriving: bool,
}

/// `spec` of a Waiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaiverSpec {
    /// The item, by its number.
    pub item: Name,
    /// Why it is passed over.
    pub reason: Name,
    /// Who sees to it meanwhile: a person or a team, in words.
    pub owner: Name,
    /// The end, at most [`LONGEST`](act::LONGEST) after `at`.
    pub until: Timestamp,
    /// Who wrote it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

impl WaiverSpec {
    /// The object to be created under a name.
    ///
    /// # Errors
    /// The name is empty.
    pub fn object(&self, name: &str) -> Result<Object, Malformed> {
        act::object(Kind::Waiver, name, self)
    }
}

impl Waiver {
    /// Reads the object.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        Ok(Self {
            name: object.key().name.clone(),
            spec: act::read(object, "/spec")?,
            status: act::read(object, "/status")?,
            arriving: import::arriving(object),
        })
    }

    /// It holds at this moment.
    pub fn holds(&self, now: Timestamp) -> bool {
        !self.arriving && self.status.revoked.is_none() && act::in_force(self.spec.at, self.spec.until, now)
    }
}
