//! What the bar of a rehearsal knows: its time, its goals, what a player may do, and what it has cost. Names only; the sentences are in
//! the locales, under the scenario's name.

use crate::{Millis, Name};
use serde::{Deserialize, Serialize};

/// Whom somebody plays. Only a rehearsal offers a choice: elsewhere people are who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Persona {
    /// Runs the crossing: may everything.
    #[default]
    PlatformEngineer,
    /// Moves its own canary, sees its own namespace.
    ServiceTeam,
    /// Sets policies, moves no traffic.
    SecurityOfficer,
    /// Looks.
    Viewer,
}

impl Persona {
    /// Each of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [
        Self::PlatformEngineer,
        Self::ServiceTeam,
        Self::SecurityOfficer,
        Self::Viewer,
    ];

    /// As it stands in `?persona=` and in the cookie.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::PlatformEngineer => "platform-engineer",
            Self::ServiceTeam => "service-team",
            Self::SecurityOfficer => "security-officer",
            Self::Viewer => "viewer",
        }
    }

    /// Reads a tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.tag() == tag)
    }
}

/// A rehearsal as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// The scenario that is played.
    pub scenario: Name,
    /// All that can be played, in the order in which they are offered.
    pub scenarios: Vec<Name>,
    /// Decides all chance in it.
    pub seed: u64,
    /// How often it was begun in this process, from 1.
    pub run: u32,
    /// When this run began, by its own clock.
    pub begun: Millis,
    /// Its clock.
    pub now: Millis,
    /// Seconds of the rehearsal in one real second; 0 while it stands still.
    pub pace: u32,
    /// What is to be done; None where nothing is, and one only looks around.
    pub story: Option<Story>,
}

/// What is to be done, and how it goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// All of them, in the order in which they are usually reached.
    pub goals: Vec<Goal>,
    /// What would help now, if it is asked for.
    pub hint: Option<Name>,
    /// What the player may do beside what the console offers.
    pub moves: Vec<Move>,
    /// None while it goes on.
    pub ending: Option<Ending>,
    /// After so many minutes of the rehearsal it has ended, one way or the other.
    pub minutes: u32,
    /// What it has cost so far.
    pub toll: Toll,
}

/// One part of the goal, judged by the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// Its name.
    pub name: Name,
    /// Since when it is met; None while it is not.
    pub met: Option<Millis>,
}

/// Something that a person would do with kubectl.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Its name.
    pub name: Name,
    /// The command that would do the same on a real cluster.
    pub command: Name,
    /// When it was done last; None if never.
    pub done: Option<Millis>,
    /// Whether it would do anything now.
    pub offered: bool,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When, by the rehearsal's clock.
    pub at: Millis,
    /// The harm that lost it; None if it was won.
    pub harm: Option<Name>,
}

/// What a run has cost the system's users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toll {
    /// Requests that people and jobs made since the run began.
    pub asked: u64,
    /// Of these, those that failed for them.
    pub harmed: u64,
    /// The harmed by whose they were, why, and where it went wrong; most first.
    pub rows: Vec<TollRow>,
}

/// Requests that failed alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollRow {
    /// Whose requests.
    pub caller: Name,
    /// Why they failed: `no-route`, `no-cluster`, `no-endpoint`, `plaintext`, `denied`, `unauthenticated`, `overflow`, `own-fault` …
    pub cause: Name,
    /// Where, as `namespace/name` of a workload or service; empty for the edge.
    pub place: Name,
    /// How many.
    pub requests: u64,
}

/// What a player asks for beside moves of the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Time passes this fast from now on: 0, 1, 10 or 60.
    Pace(u32),
    /// This many seconds pass at once, 1 to 3,600.
    Step(u32),
    /// One of the story's moves.
    Move(Name),
    /// From the beginning, with this scenario and seed.
    Restart(Name, u64),
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Declined {
    /// There is no scenario, move or pace of this name.
    Unknown(Name),
    /// The move would do nothing now.
    NotNow,
    /// The run has ended: begin anew.
    Ended,
    /// This person may not do it.
    Forbidden,
}
