//! How fresh the facts behind a page are, and what is missing from them.

use crate::{
    Millis,
    why::{SourceName, Why},
};
use serde::{Deserialize, Serialize};

/// One source's state at the time of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// Which source.
    pub source: SourceName,
    /// How it is.
    pub state: Freshness,
    /// When its last good answer was taken; None before the first.
    pub at: Option<Millis>,
    /// What is missing or wrong; empty when all is well.
    pub whys: Vec<Why>,
}

/// How much a source's facts can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// Answering, and complete.
    Fresh,
    /// Answering, but parts are missing (rights, absent kinds): see the reasons.
    Partial,
    /// The last good answer is older than it should be; it is still shown, with its age.
    Stale,
    /// There was never an answer, or it has been away so long that nothing may rest on it.
    Unreachable,
}
