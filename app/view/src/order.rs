//! A canary that Naru moves by steps: what was ordered, how far it is, why it is there, and what people may want of it.

use crate::{Millis, Name, canary::RouteRef, why::Refused};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most steps that a canary takes.
pub const STEPS: u32 = 20;

/// The longest that a step lasts, in seconds: a day.
pub const LONGEST_S: u64 = 86_400;

/// What a Canary object orders of one rule, and how far it is. It lies in the namespace of the rule's VirtualService.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The object's name.
    pub name: Name,
    /// Where it is.
    pub phase: Phase,
    /// What a person wants of it.
    pub course: Course,
    /// Who let it begin, as shown to people.
    pub approved_by: Name,
    /// The version that served when it was ordered: subset, or host if it has none.
    pub stable: Name,
    /// The version that is tried, in the same manner.
    pub canary: Name,
    /// The canary's weight as the rule has it now; None where no destination of the rule is the canary.
    pub weight: Option<u32>,
    /// The weight that is being written; None where none is.
    pub moving_to: Option<u32>,
    /// What it goes through, weights rising.
    pub steps: Vec<Step>,
    /// The step whose weight is in force, from 0; None before the first, and once it was promoted or rolled back.
    pub step: Option<u32>,
    /// Since when the weights in force are so.
    pub since: Option<Millis>,
    /// Until when the step lasts at least.
    pub until: Option<Millis>,
    /// The canary's requests at this weight and how many the step wants, while they are fewer.
    pub few: Option<(u64, u64)>,
    /// What the guardrail said last.
    pub verdict: Option<Verdict>,
    /// Why it is where it is.
    pub why: Vec<Said>,
    /// What people must be told.
    pub alarm: Option<Said>,
    /// What was compared last.
    pub metrics: Vec<Measured>,
    /// What was counted before is not known, though it was asked for; None where all of it is.
    pub left_out: Option<Millis>,
    /// Since when nothing can be seen.
    pub blind_since: Option<Millis>,
    /// Until when the old version is needed to take a promotion back.
    pub old_needed_until: Option<Millis>,
    /// The Change that carried, or carries, the last move.
    pub change: Option<Name>,
}

impl Order {
    /// Nothing more is done about it.
    pub fn over(&self) -> bool {
        self.phase.over()
    }

    /// Why it cannot be steered to a course; None if it can.
    pub fn idle(&self, course: Course) -> Option<Idle> {
        if self.over() {
            Some(Idle::Over)
        } else if self.course == course {
            Some(Idle::Wanted)
        } else if self.phase == Phase::RollingBack {
            Some(Idle::RollingBack)
        } else if self.phase == Phase::Promoted && course != Course::Abort {
            Some(Idle::Promoted)
        } else {
            None
        }
    }
}

/// Why nothing comes of a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// The canary is over.
    Over,
    /// It is what is wanted already.
    Wanted,
    /// The requests are on their way back, and that is carried through.
    RollingBack,
    /// The new version has all requests; that can only be taken back.
    Promoted,
}

/// One weight, and what it takes to leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Points of 100 that the canary gets.
    pub weight: u32,
    /// It stays at least so many seconds.
    pub dwell_s: u64,
    /// It stays until the canary has answered so many requests at this weight.
    pub requests: u64,
}

/// Where a canary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nothing was moved yet.
    Waiting,
    /// Weights are being written.
    Moving,
    /// A step lasts.
    Dwelling,
    /// It does not advance, and why is told.
    Held,
    /// A person wants it to stay where it is.
    Paused,
    /// All requests are on their way back to the stable version.
    RollingBack,
    /// All requests are the stable version's again.
    RolledBack,
    /// All requests are the new version's; the old one is still needed to take that back.
    Promoted,
    /// The same, and the old one may go.
    Finished,
    /// A person must look.
    Stopped,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Moving,
        Self::Dwelling,
        Self::Held,
        Self::Paused,
        Self::RollingBack,
        Self::RolledBack,
        Self::Promoted,
        Self::Finished,
        Self::Stopped,
    ];

    /// Nothing more is done.
    pub const fn over(self) -> bool {
        matches!(self, Self::RolledBack | Self::Finished | Self::Stopped)
    }
}

/// What a person wants of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// It goes through its steps.
    Run,
    /// It does not advance. What is found worse is rolled back all the same.
    Pause,
    /// It gets all requests now, whatever the steps say.
    Promote,
    /// It gets no requests any more.
    Abort,
}

/// What the guardrail said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against the next step.
    Advance,
    /// It stays where it is.
    Hold,
    /// It is worse.
    RollBack,
}

/// A reason by its code, with what its sentence is built from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Which reason.
    pub code: Name,
    /// By name.
    pub args: BTreeMap<Name, Arg>,
}

/// What a sentence is built from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arg {
    /// A moment.
    Time(Millis),
    /// Why a change is refused.
    Refused(Refused),
    /// Anything else, as it is.
    Text(Name),
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The share of requests that failed.
    Errors,
    /// The share of requests slower than this many milliseconds.
    Latency(f64),
    /// The share of requests answered 400 to 499.
    ClientErrors,
    /// Retries per request.
    Amplification,
}

/// Over what both versions are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// All since the canary began, two hours at most.
    Began,
    /// What was counted at the weight in force.
    Weight,
    /// The last minutes. They hold, and condemn nobody.
    Recent,
}

/// One metric of both versions, of several comparisons the most worrying one. Shares 0 to 1, retries per request from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Which.
    pub metric: Metric,
    /// Over what.
    pub span: Span,
    /// The stable version's.
    pub stable: f64,
    /// The canary's.
    pub canary: f64,
    /// The canary's minus the stable version's, over the same minutes and callers.
    pub difference: f64,
    /// Lower end of what the difference may be, however often one looks.
    pub low: f64,
    /// Upper end of the same.
    pub high: f64,
    /// The allowed difference.
    pub threshold: f64,
    /// The canary's requests.
    pub n: u64,
}

impl Measured {
    /// How the canary compares in this.
    pub fn finding(&self) -> Compared {
        if self.low > self.threshold && self.span != Span::Recent {
            Compared::Worse
        } else if self.difference > self.threshold {
            Compared::Undecided
        } else {
            Compared::Within
        }
    }
}

/// How the canary compares in one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Above what is allowed, and not by chance.
    Worse,
    /// Above what is allowed, which may still be chance.
    Undecided,
    /// Not above what is allowed.
    Within,
}

/// A Canary object that moves no weighted rule that there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Astray {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The VirtualService that it names; empty where it names none.
    pub route: Name,
    /// Why.
    pub why: Lost,
}

/// Why a Canary object moves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "lost", rename_all = "kebab-case")]
pub enum Lost {
    /// It cannot be read; the field and what is wrong with it.
    Unreadable {
        /// The reader's words.
        detail: Name,
    },
    /// The VirtualService is not there, or has no weighted rule at that position.
    NoRule {
        /// Position in `spec.http`.
        rule: u32,
    },
}

impl Lost {
    /// As metrics name it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::NoRule { .. } => "no-rule",
        }
    }
}

/// A wish to steer a canary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steer {
    /// The Canary object's namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// What it had when the person looked: whoever has meanwhile seen it otherwise is not overruled unseen.
    pub from: Course,
    /// What they want of it.
    pub course: Course,
}

/// A wish to have a rule's weights moved by steps. Of its two destinations the one with more weight is the stable version, the first where
/// both have the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// Which rule.
    pub route: RouteRef,
    /// What it goes through, weights rising.
    pub steps: Vec<Step>,
    /// Allowed difference of the share of failed requests, above 0 to 1.
    pub errors: f64,
}
