//! How far the proxies have come with what was accepted.

use crate::{Millis, Name, change::Writer, why::Why};
use serde::{Deserialize, Serialize};

/// So many pods are named of each kind; of the others only the number is told.
pub const NAMED: usize = 8;

/// How far a change has come on its way from the API server to the proxies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reached", rename_all = "kebab-case")]
pub enum Reached {
    /// What it set stands, and so many proxies route by it.
    Proxies(Proxies),
    /// What it set stands no more.
    Moved {
        /// Who wrote it since, where that is known.
        by: Option<Writer>,
    },
    /// It has not landed, or it is of a kind whose way is not followed: only routes are.
    NotFollowed,
}

/// The proxies that route by an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxies {
    /// When the API server had accepted it.
    pub since: Millis,
    /// When was looked.
    pub at: Millis,
    /// How many route by it.
    pub all: u32,
    /// Of these, how many have acknowledged what was sent after it.
    pub acknowledged: u32,
    /// How many have refused what they were sent, and go on with what they had.
    pub refused: u32,
    /// At most [`NAMED`] of these: pod (`namespace/name`) and Envoy's words.
    pub refusals: Vec<(Name, Name)>,
    /// How many have not acknowledged it yet.
    pub waiting: u32,
    /// At most [`NAMED`] of these: pods (`namespace/name`).
    pub waiting_pods: Vec<Name>,
    /// Why it is not known of some.
    pub whys: Vec<Why>,
}

impl Proxies {
    /// Every proxy routes by it, and of none it is not known.
    pub fn whole(&self) -> bool {
        self.all > 0 && self.acknowledged == self.all && self.whys.is_empty()
    }
}
