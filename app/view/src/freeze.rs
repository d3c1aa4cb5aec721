//! That everything stands still: who froze, since when and why, and what stays as it is meanwhile.

use crate::{Millis, Name, source::SourceState, version::Version};
use serde::{Deserialize, Serialize};

/// Whether Naru's controllers stand still, on every page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standstill {
    /// Of the snapshot.
    pub version: Version,
    /// The sources behind it.
    pub sources: Vec<SourceState>,
    /// None while they may move.
    pub frozen: Option<Frozen>,
}

/// A freeze, and what it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// Who froze, for display; empty if the Freeze does not say it so that it can be read.
    pub by: Name,
    /// Why.
    pub reason: Name,
    /// Since when, by the API server's clock; None if it does not say.
    pub since: Option<Millis>,
    /// The canaries under way, as far as the viewer may see them, by namespace and name.
    pub stays: Vec<Stay>,
}

/// A canary under way, as it stays while nothing may be moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stay {
    /// Where it is.
    pub namespace: Name,
    /// How it is called.
    pub name: Name,
    /// How far it is, as its status calls it.
    pub phase: Name,
    /// Both versions with their weights as they stand; empty where they are not known.
    pub versions: Vec<Share>,
    /// It was being rolled back, or would be: what a person must do by hand meanwhile, as a command.
    pub by_hand: Option<Name>,
    /// Why it cannot be read, if it cannot.
    pub unreadable: Option<Name>,
}

/// A version's weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Its subset, or its host where it has none.
    pub version: Name,
    /// Of 100.
    pub weight: u32,
}
