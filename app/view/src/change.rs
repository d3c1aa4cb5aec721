//! The journal: who changed what, why, how it ended.

use crate::{
    Millis, Name,
    canary::{DiffLine, SetWeights},
    checklist::Field,
    source::SourceState,
    version::Version,
    why::Why,
};
use serde::{Deserialize, Serialize};

/// The journal as one viewer may see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Of the snapshot that it was made from.
    pub version: Version,
    /// The sources behind it.
    pub sources: Vec<SourceState>,
    /// Newest first.
    pub changes: Vec<Change>,
}

/// Who wrote what stands in an object, as the object tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// As the API server calls whoever it was: the field manager.
    pub manager: Name,
    /// When, to the second.
    pub at: Option<Millis>,
    /// Of what was written through Naru.
    pub change: Option<Written>,
}

/// What the journal has of a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The change's name.
    pub name: Name,
    /// Who made it: the name for display; empty where the entry is gone or was not read.
    pub actor: Name,
}

/// What one person may leave for another to carry out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// Weights to be set.
    Weights(SetWeights),
    /// A change to be taken back.
    Undo {
        /// Its namespace.
        namespace: Name,
        /// Its name in the journal.
        change: Name,
    },
}

/// A finding that somebody wants mended by the edits that its check offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mend {
    /// The finding's code.
    pub code: Name,
    /// Where it is.
    pub field: Field,
}

/// How far a change has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum Phase {
    /// Written down; whether it landed is not known yet.
    Intended,
    /// It landed, exactly as planned.
    Landed {
        /// When the API server had accepted it.
        at: Millis,
    },
    /// It was not carried out, and nothing was changed.
    NotCarriedOut {
        /// Why.
        why: Why,
    },
    /// The object is neither as before nor as after: a person must look.
    Stopped {
        /// Why.
        why: Why,
    },
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its name in the journal.
    pub name: Name,
    /// Kind, namespace, name of the changed object.
    pub target: (Name, Name, Name),
    /// When a person confirmed it.
    pub at: Millis,
    /// Who: the name for display.
    pub by: Name,
    /// The reason given.
    pub reason: Name,
    /// What was touched.
    pub diff: Vec<DiffLine>,
    /// How far it has come.
    pub phase: Phase,
    /// The change that this one takes back.
    pub undoes: Option<Name>,
    /// The change that took this one back.
    pub undone_by: Option<Name>,
}
