//! The controller of a canary, as a pure function: what is known goes in, one status and at most one effect come out.
//!
//! The order that makes a crash harmless: the status is written first, guarded by the Canary's resourceVersion, and says which weights are
//! about to be written under which Change; then the effect is carried out; then one asks again. Whoever asks after a crash sees in the
//! live route whether it is as before, as after, or neither, as [`recovery`](crate::change::recovery) does of any change. A controller
//! that slept through somebody else's turn fails at one of the two guards.

mod going;
mod moving;
mod observation;
mod returning;
#[cfg(test)]
mod tests;

pub use observation::{Capacity, Ended, Live, Observation};

use super::{
    spec::{Answer, Course, Spec},
    status::{Phase, Roles, Status, Weights},
};
use crate::{Name, Timestamp, judge::guardrail::Said};
use jiff::SignedDuration;

/// How soon is asked again when nothing says otherwise: the scrape interval that Istio's own installation of Prometheus has.
const SOON: SignedDuration = SignedDuration::from_secs(15);

/// What is to be done now, in this order: write the status, carry out the effect, ask again at `wake_at` or when something changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// To be written if it differs from what is there.
    pub status: Status,
    /// To be carried out once the status is written.
    pub effect: Option<Effect>,
    /// When to ask again at the latest; None if only a change of the object or of the route matters.
    pub wake_at: Option<Timestamp>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write weights, guarded by those that are expected.
    Move {
        /// The Change's name. Asked again after a crash it is the same, so that it is carried out once at most.
        change: Name,
        /// The live weights must be these.
        from: Weights,
        /// And become these.
        to: Weights,
        /// Pods that `spec.stable` is given in the same breath: nobody knows what it can carry, and it has fewer than before the canary.
        pods: Option<u32>,
    },
    /// Give `spec.stable` so many pods: it is too small for all requests.
    Scale {
        /// Pods wanted.
        to: u32,
    },
    /// Wait until more pods of `spec.stable` are ready.
    WaitForStable {
        /// Ready now.
        ready: u32,
        /// Needed for all requests.
        needed: u32,
    },
    /// Tell people. Given once; the status keeps it while it is so.
    Alarm(Said),
}

/// Decides what to do with a canary.
pub fn step(spec: &Spec, status: &Status, observation: &Observation, now: Timestamp) -> Decision {
    let before = status.alarm.clone();
    let mut turn = Turn {
        spec,
        status: status.clone(),
        seen: observation,
        now,
    };
    turn.status.roles.get_or_insert_with(|| Roles {
        stable: spec.stable.clone(),
        canary: spec.canary.clone(),
    });
    turn.status.alarm = None;
    let effect = turn.decide();
    // What is tried again is not well yet.
    let failed = |it: &Said| matches!(&*it.code, "refused" | "not-carried-out");
    if turn.status.phase == Phase::Moving && turn.status.alarm.is_none() {
        turn.status.alarm = before.clone().filter(failed);
    }
    let alarm = turn.status.alarm.clone().filter(|it| before.as_ref() != Some(it));
    Decision {
        wake_at: (!turn.status.over()).then(|| turn.wake_at()),
        status: turn.status,
        effect: effect.or_else(|| alarm.map(Effect::Alarm)),
    }
}

/// One turn of the controller.
struct Turn<'a> {
    spec: &'a Spec,
    status: Status,
    seen: &'a Observation,
    now: Timestamp,
}

impl Turn<'_> {
    fn decide(&mut self) -> Option<Effect> {
        if self.status.over() {
            return None;
        }
        // Said anew while it is so.
        self.status
            .why
            .retain(|it| !matches!(&*it.code, "frozen" | "freeze-unknown"));
        let Live::Known { weights, others, by } = &self.seen.live else {
            return self.cannot_see(&Said::new("route-unknown", []));
        };
        if *others > 0 {
            return self.stop(Said::new("other-destinations", [("weight", others.to_string())]));
        }
        if self.status.phase == Phase::Moving {
            // What was decided before a freeze may be under way; only what comes of it is looked at.
            return self.moving(*weights, by);
        }
        let written = self.status.written.as_ref().map(|it| it.after);
        let expected = written.or_else(|| {
            let step = self.status.since.and(self.status.step)?;
            let step = self.spec.steps.get(step as usize)?;
            Some(Weights {
                canary: step.weight,
                ..*weights
            })
        });
        if expected.is_some_and(|expected| expected != *weights) {
            return self.touched(by);
        }
        self.judge();
        if let Some(said) = &self.seen.frozen {
            return self.frozen(*weights, said.clone());
        }
        match (self.status.phase, self.spec.course) {
            // There is nothing to move back.
            (_, Course::Abort) if self.status.written.is_none() && weights.canary == 0 => {
                self.status.phase = Phase::RolledBack;
                None
            }
            (Phase::RollingBack, _) => self.back(*weights),
            (_, Course::Abort) => self.give_back(*weights, vec![Said::new("aborted", [])]),
            (Phase::Promoted, _) => self.promoted(*weights),
            _ => self.go(*weights),
        }
    }

    /// Keeps what the guardrail says. Reasons for a rollback under way stay what they were.
    fn judge(&mut self) {
        let why = (self.status.phase == Phase::RollingBack).then(|| self.status.why.clone());
        if self.status.since.is_some() {
            self.status.note(&self.seen.judged, self.now);
        } else {
            self.status.why.clear();
        }
        if let Some(why) = why {
            self.status.why = why;
        }
        if self.seen.judged.alarm && self.status.since.is_some() {
            self.status.alarm = Some(Said::new("blind", []));
        }
    }

    /// Nothing is moved, and what would be told or done without a freeze is said all the same.
    fn frozen(&mut self, live: Weights, said: Said) -> Option<Effect> {
        let wanted = self.status.phase == Phase::RollingBack || self.spec.course == Course::Abort;
        let condemned = self.condemned();
        if live.canary > 0 && (wanted || (condemned && self.spec.on_failure == Answer::RollBack)) {
            self.status.alarm = Some(Said::new("roll-back-frozen", []));
        } else if condemned {
            self.status.alarm = self.status.why.first().cloned();
        }
        // A rollback that was begun goes on after the freeze; so does what was promoted.
        if !matches!(self.status.phase, Phase::RollingBack | Phase::Promoted) {
            self.status.phase = Phase::Held;
        }
        self.status.why.insert(0, said);
        None
    }

    /// What cannot be seen is left as it is.
    fn cannot_see(&mut self, what: &Said) -> Option<Effect> {
        self.status.blind_since.get_or_insert(self.now);
        if self.blind_too_long() {
            self.status.alarm = Some(what.clone());
        }
        if !self.status.why.contains(what) {
            self.status.why.insert(0, what.clone());
        }
        None
    }

    fn blind_too_long(&self) -> bool {
        let since = self.status.blind_since;
        since.is_some_and(|since| self.now.duration_since(since) > self.spec.max_blind)
    }

    fn touched(&mut self, by: &Option<Name>) -> Option<Effect> {
        let by = by.as_deref().unwrap_or("").to_owned();
        self.stop(Said::new("touched", [("by", by)]))
    }

    fn stop(&mut self, why: Said) -> Option<Effect> {
        self.status.phase = Phase::Stopped;
        self.status.alarm = Some(why.clone());
        self.status.why = vec![why];
        None
    }

    fn wake_at(&self) -> Timestamp {
        let soon = self.now.checked_add(SOON).unwrap_or(Timestamp::MAX);
        match self.status.phase {
            Phase::Promoted => self.status.old_needed_until.map_or(soon, |until| until.min(soon)),
            _ => soon,
        }
    }
}
