//! From step to step.

use super::{Effect, Turn};
use crate::{
    canary::{
        spec::{Answer, Course},
        status::{Goal, Phase, Weights},
    },
    judge::guardrail::{Said, Verdict},
};

impl Turn<'_> {
    pub(super) fn condemned(&self) -> bool {
        self.status.since.is_some() && matches!(self.seen.judged.verdict, Verdict::RollBack(_))
    }

    /// The steps, once nothing else is wanted first.
    pub(super) fn go(&mut self, live: Weights) -> Option<Effect> {
        if self.condemned() {
            let why = self.status.why.clone();
            return match self.spec.on_failure {
                Answer::RollBack => self.give_back(live, why),
                Answer::Hold => {
                    self.status.alarm = why.first().cloned();
                    self.hold()
                }
            };
        }
        if self.status.since.is_some() && self.blind_too_long() {
            self.status.alarm = Some(Said::new("blind", []));
            if self.spec.when_blind == Answer::RollBack {
                return self.give_back(live, vec![Said::new("blind", [])]);
            }
        }
        match self.spec.course {
            Course::Pause => {
                self.status.phase = Phase::Paused;
                None
            }
            Course::Promote => self.promote(live),
            Course::Run | Course::Abort => self.advance(live),
        }
    }

    fn hold(&mut self) -> Option<Effect> {
        self.status.phase = Phase::Held;
        None
    }

    fn advance(&mut self, live: Weights) -> Option<Effect> {
        let next = match (self.status.since, self.status.step) {
            (None, _) => 0,
            (Some(_), Some(step)) => step as usize + 1,
            // Weights in force that belong to no step: the steps were edited.
            (Some(_), None) => return self.stop(Said::new("step-unknown", [])),
        };
        if next > 0 {
            // A step that lasts is no hold; what else keeps it is.
            let waits = |it: &Said| matches!(&*it.code, "dwell" | "few-requests");
            match &self.seen.judged.verdict {
                Verdict::Advance => {}
                _ if self.status.why.iter().all(waits) => {
                    self.status.phase = Phase::Dwelling;
                    return None;
                }
                _ => return self.hold(),
            }
        }
        match self.spec.steps.get(next) {
            Some(step) if step.weight == 100 => self.promote(live),
            Some(step) if step.weight == live.canary => {
                // A first step of 0 is there already: what is looked at is how the pods are.
                self.status.since = Some(self.now);
                if live.canary > 0 {
                    self.status.began.get_or_insert(self.now);
                    self.status.stable_pods = self.seen.capacity.ready;
                }
                self.status.step = u32::try_from(next).ok();
                self.status.phase = Phase::Dwelling;
                None
            }
            Some(step) if step.weight > live.canary => self.set(live, Weights::of(step.weight), Goal::Step),
            Some(_) => {
                let said = Said::new("not-at-start", [("weight", live.canary.to_string())]);
                self.stop(said)
            }
            None => {
                self.status.why = vec![Said::new("awaits-promotion", [])];
                self.hold()
            }
        }
    }

    fn promote(&mut self, live: Weights) -> Option<Effect> {
        self.set(live, Weights::of(100), Goal::Promotion)
    }

    /// All requests are the new version's. It is taken back where it is plainly down, and the old version is there.
    pub(super) fn promoted(&mut self, live: Weights) -> Option<Effect> {
        if self.condemned() {
            let why = self.status.why.clone();
            if self.spec.on_failure == Answer::RollBack {
                return self.give_back(live, why);
            }
            self.status.alarm = why.first().cloned();
        }
        let needed = self.status.old_needed_until;
        if needed.is_none_or(|until| self.now >= until) {
            self.status.phase = Phase::Finished;
            self.status.old_needed_until = None;
        }
        None
    }
}
