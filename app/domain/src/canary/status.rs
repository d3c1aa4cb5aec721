//! How far a canary is: the `status` of a Canary object. It is written before the weights are.

use super::spec::{Spec, Target};
use crate::{
    Name, Timestamp,
    crossing::migration::Unreadable,
    judge::guardrail::{Judged, Measured, Rules, Said, Verdict},
    object::Object,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `status` of a Canary.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Where it is.
    pub phase: Phase,
    /// Why it is there, or stays there: of a hold, a rollback, a stop.
    pub why: Vec<Said>,
    /// The step whose weight is in force; None before the first and once it was promoted or rolled back.
    pub step: Option<u32>,
    /// Since when the weights in force are so.
    pub since: Option<Timestamp>,
    /// Since when the canary gets requests.
    pub began: Option<Timestamp>,
    /// The weights that we wrote last, or are about to write.
    pub written: Option<Written>,
    /// What the guardrail said last.
    pub verdict: Option<Said>,
    /// The figures behind it.
    pub metrics: Vec<Measured>,
    /// What was counted before is not known, though it was asked for; None where all of it is.
    pub left_out: Option<Timestamp>,
    /// Since when nothing can be seen.
    pub blind_since: Option<Timestamp>,
    /// What people must be told; None when there is nothing.
    pub alarm: Option<Said>,
    /// Which version serves and which is tried; a promotion swaps them.
    pub roles: Option<Roles>,
    /// Until when the old version is needed to take a promotion back.
    pub old_needed_until: Option<Timestamp>,
    /// Ready pods of `spec.stable` when the canary began: they carried all requests.
    pub stable_pods: Option<u32>,
}

/// Where a canary is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Phase {
    /// Nothing was moved yet.
    #[default]
    Waiting,
    /// Weights are about to be written, or were and it is not known yet.
    Moving,
    /// A step lasts.
    Dwelling,
    /// It does not advance, and `why`.
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
    /// Somebody else touched the weights, or they are not what they could be: a person must look.
    Stopped,
}

/// Weights of 100, of the two destinations as the spec names them, whatever their roles are by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Weights {
    /// `spec.stable`'s.
    pub stable: u32,
    /// `spec.canary`'s.
    pub canary: u32,
}

impl Weights {
    /// The canary gets so many points, the stable version the others.
    pub fn of(canary: u32) -> Self {
        Self {
            stable: 100 - canary.min(100),
            canary: canary.min(100),
        }
    }
}

/// Weights that are to be written, or were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Written {
    /// The Change that carries it.
    pub change: Name,
    /// The weights that it found.
    pub before: Weights,
    /// The weights that it leaves.
    pub after: Weights,
    /// What it is for.
    pub goal: Goal,
}

/// What a move of weights is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Goal {
    /// The next step.
    Step,
    /// The new version gets all.
    Promotion,
    /// The old version gets more, or all.
    Rollback,
}

/// Which version has which role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Roles {
    /// The one that serves.
    pub stable: Target,
    /// The other.
    pub canary: Target,
}

impl Status {
    /// Reads `status` of a Canary object; the default where there is none yet.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        let json = object.get("/status").cloned();
        serde_json::from_value(json.unwrap_or(Value::Object(Map::new()))).map_err(|error| Unreadable {
            name: object.key().name.clone(),
            detail: error.to_string().into(),
        })
    }

    /// What the guardrail judges by now; None before the canary gets requests.
    pub fn rules(&self, spec: &Spec) -> Option<Rules> {
        let since = self.since?;
        let step = self.step.and_then(|step| spec.steps.get(step as usize));
        Some(Rules {
            guardrail: spec.guardrail.clone(),
            // A first step whose weight was there before was never written.
            weight: self
                .written
                .as_ref()
                .map_or(step.map_or(0, |it| it.weight), |it| it.after.canary),
            since,
            began: self.began.unwrap_or(since),
            steps: u32::try_from(spec.steps.len()).unwrap_or(u32::MAX).max(1),
            dwell: step.map(|it| it.dwell).unwrap_or_default(),
            requests: step.map_or(0, |it| it.requests),
            warm_up: spec.warm_up,
            max_blind: spec.max_blind,
            blind_since: self.blind_since,
        })
    }

    /// Nothing more is done about it.
    pub fn over(&self) -> bool {
        matches!(self.phase, Phase::RolledBack | Phase::Finished | Phase::Stopped)
    }

    /// Keeps what the guardrail said.
    pub(super) fn note(&mut self, judged: &Judged, now: Timestamp) {
        let (verdict, why) = match &judged.verdict {
            Verdict::Advance => ("advance", Vec::new()),
            Verdict::Hold(holds) => ("hold", holds.iter().map(Said::from).collect()),
            Verdict::RollBack(reasons) => ("roll-back", reasons.iter().map(Said::from).collect()),
        };
        self.verdict = Some(Said::new(verdict, []));
        self.why = why;
        self.metrics.clone_from(&judged.metrics);
        self.left_out = judged.left_out;
        self.blind_since = judged.blind.then(|| self.blind_since.unwrap_or(now));
    }
}
