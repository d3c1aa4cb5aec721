//! What remains of a run.

use naru_domain::{Name, Timestamp};
use serde::Serialize;

/// A run that has ended: the evidence that somebody has rehearsed, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The scenario that was played.
    pub scenario: Name,
    /// Decided all chance in it.
    pub seed: u64,
    /// When it began, by its own clock.
    pub began: Timestamp,
    /// When it ended, by its own clock.
    pub ended: Timestamp,
    /// The harm that lost it; None if it was won.
    pub harm: Option<Name>,
    /// Requests that people and jobs made.
    pub asked: u64,
    /// Of these, those that failed for them.
    pub harmed: u64,
    /// What was done beside the console, and when.
    pub moves: Vec<(Name, Timestamp)>,
}
