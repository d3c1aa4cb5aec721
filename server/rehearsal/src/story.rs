//! What is to be done in a scenario, and what may go wrong: data, judged by [`crate::run`].
//!
//! A story has names only; the sentences to them are in the locales, under the scenario's name.

use crate::{api::ObjectStore, run::Look};

/// What is true or not of a moment.
pub type Judged = fn(&Look<'_>) -> bool;

/// What somebody does to the system.
pub type Deed = fn(&ObjectStore);

/// The harm of a run whose time is over.
pub const TOO_LATE: &str = "too-late";

/// A scenario's story.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// The moment at which its clock begins (RFC 3339).
    pub starts: &'static str,
    /// It is lost after so many minutes.
    pub minutes: u32,
    /// Won when all of them are met at once; in the order in which they are usually reached.
    pub goals: &'static [Goal],
    /// Lost as soon as one of them is done.
    pub harms: &'static [Harm],
    /// What happens by itself.
    pub events: &'static [Event],
    /// The first that fits helps.
    pub hints: &'static [Hint],
    /// What the player may do beside what the console offers, the traps among it.
    pub moves: &'static [Move],
    /// Ways through it, good and bad: tests hold the story to their endings.
    pub plays: &'static [Play],
    /// Prometheus is away from the first second to the second one, counted from the beginning.
    pub away: &'static [(i64, i64)],
}

/// One part of what is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// Its name.
    pub name: &'static str,
    /// Whether it is so now.
    pub met: Judged,
    /// It is met once it has been so for this many seconds without a break.
    pub holds_s: i64,
    /// Once met it stays met.
    pub stays: bool,
}

impl Goal {
    /// Met while it is so.
    pub const fn now(name: &'static str, met: Judged) -> Self {
        Self {
            name,
            met,
            holds_s: 0,
            stays: false,
        }
    }

    /// Met for good once it was so.
    pub const fn once(name: &'static str, met: Judged) -> Self {
        Self {
            stays: true,
            ..Self::now(name, met)
        }
    }

    /// Only after it has been so for this long.
    #[must_use]
    pub const fn held(self, holds_s: i64) -> Self {
        Self { holds_s, ..self }
    }
}

/// What loses a run.
#[derive(Clone, Copy, Debug)]
pub struct Harm {
    /// Its name.
    pub name: &'static str,
    /// Whether it is done.
    pub done: Judged,
}

/// What happens by itself.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Its name.
    pub name: &'static str,
    /// Seconds after the beginning.
    pub at_s: i64,
    /// What happens.
    pub does: Deed,
}

/// What helps, if it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Hint {
    /// Its name.
    pub name: &'static str,
    /// When it helps.
    pub when: Judged,
}

/// Something that a person would do with kubectl.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// Its name.
    pub name: &'static str,
    /// What would do the same on a real cluster.
    pub command: &'static str,
    /// Whether it would do anything now. Asked of the objects as the API server has them.
    pub offered: Judged,
    /// What it does.
    pub does: Deed,
}

/// A way through a story.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// Its name.
    pub name: &'static str,
    /// What is done, and how many seconds after the beginning.
    pub steps: &'static [(i64, Step)],
    /// How it ends.
    pub ends: Ends,
}

/// What a player does.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// One of the story's moves.
    Move(&'static str),
    /// Sets weights in the console.
    Weights {
        /// Namespace and name of the VirtualService.
        route: (&'static str, &'static str),
        /// Which of its rules.
        rule: usize,
        /// The weights of its destinations, in their order.
        weights: &'static [u32],
    },
}

/// How a play ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Won.
    Won,
    /// Lost by this harm.
    Lost(&'static str),
}
