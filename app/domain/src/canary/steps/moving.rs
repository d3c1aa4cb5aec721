//! Weights that are about to be written, or were: before, after, or neither?

use super::{Effect, Ended, Turn};
use crate::{
    Name,
    canary::{
        spec::Course,
        status::{Goal, Phase, Weights, Written},
    },
    judge::guardrail::Said,
};

impl Turn<'_> {
    /// Says what will be written, and has it written.
    pub(super) fn set(&mut self, from: Weights, to: Weights, goal: Goal) -> Option<Effect> {
        if let Some(said) = self.seen.refused.clone() {
            self.status.alarm = Some(said.clone());
            self.status.why.retain(|it| it.code != said.code);
            self.status.why.insert(0, said);
            self.rest(goal, Phase::Held);
            return None;
        }
        if self.status.began.is_none() {
            self.status.stable_pods = self.seen.capacity.ready;
        }
        let change = self.seen.next_change.clone();
        self.status.phase = Phase::Moving;
        self.status.written = Some(Written {
            change: change.clone(),
            before: from,
            after: to,
            goal,
        });
        let pods = self.lacking(goal);
        Some(Effect::Move {
            change,
            from,
            to,
            pods,
        })
    }

    pub(super) fn moving(&mut self, live: Weights, by: &Option<Name>) -> Option<Effect> {
        let Some(written) = self.status.written.clone() else {
            return self.stop(Said::new("intent-lost", []));
        };
        if live == written.after {
            // The journal may still say intended, and recovery will find the same.
            return self.landed(&written);
        }
        if live != written.before {
            return self.touched(by);
        }
        match self.seen.change {
            Ended::Intended => None,
            Ended::Absent if self.seen.frozen.is_some() => {
                // Why it is on its way back is kept; why it stayed before it was to move is over.
                if written.goal != Goal::Rollback {
                    self.status.why.clear();
                }
                self.status.why.splice(0..0, self.seen.frozen.clone());
                None
            }
            // What was meant before somebody wanted something else, and was never begun.
            Ended::Absent
                if written.goal != Goal::Rollback
                    && matches!(self.spec.course, Course::Pause | Course::Abort) =>
            {
                self.given_up(written)
            }
            Ended::Absent if self.seen.refused.is_some() => {
                self.status.alarm.clone_from(&self.seen.refused);
                self.given_up(written)
            }
            Ended::Absent => Some(Effect::Move {
                change: written.change,
                from: written.before,
                to: written.after,
                pods: self.lacking(written.goal),
            }),
            // It landed, and somebody set the weights back; or recovery called a person.
            Ended::Landed(_) => self.touched(by),
            Ended::Stopped => self.stop(Said::new(
                "change-stopped",
                [("change", written.change.to_string())],
            )),
            Ended::NotCarriedOut => {
                self.status.alarm = Some(Said::new(
                    "not-carried-out",
                    [("change", written.change.to_string())],
                ));
                self.given_up(written)
            }
        }
    }

    /// As if it had never been meant: the next turn decides anew, on what is so then. People are told, for it may go on so.
    fn given_up(&mut self, written: Written) -> Option<Effect> {
        self.rest(written.goal, Phase::Dwelling);
        self.status.written = Some(Written {
            after: written.before,
            ..written
        });
        None
    }

    /// Where a canary is that does not get what it wants; `at_step` is where it is if it has come to a step.
    fn rest(&mut self, goal: Goal, at_step: Phase) {
        self.status.phase = if goal == Goal::Rollback {
            Phase::RollingBack
        } else if self.status.began.is_none() {
            Phase::Waiting
        } else if self.status.old_needed_until.is_some() {
            Phase::Promoted
        } else {
            at_step
        };
    }

    fn landed(&mut self, written: &Written) -> Option<Effect> {
        let at = match self.seen.change {
            Ended::Landed(at) => at,
            _ => self.now,
        };
        self.status.since = Some(at);
        self.status.blind_since = None;
        if written.after.canary > 0 {
            self.status.began.get_or_insert(at);
        }
        match written.goal {
            Goal::Step => {
                self.status.phase = Phase::Dwelling;
                let steps = &self.spec.steps;
                let reached = steps.iter().position(|it| it.weight == written.after.canary);
                self.status.step = reached.and_then(|it| u32::try_from(it).ok());
                self.status.why.clear();
            }
            Goal::Promotion => {
                self.status.phase = Phase::Promoted;
                self.status.step = None;
                self.status.why.clear();
                self.status.old_needed_until = at.checked_add(self.spec.keep_old).ok();
                self.swap(true);
            }
            Goal::Rollback if written.after.canary == 0 => {
                self.status.phase = Phase::RolledBack;
                self.status.step = None;
                self.status.old_needed_until = None;
                self.swap(false);
            }
            Goal::Rollback => self.status.phase = Phase::RollingBack,
        }
        None
    }

    /// After a promotion the new version is the one that serves.
    fn swap(&mut self, promoted: bool) {
        let (one, other) = (self.spec.stable.clone(), self.spec.canary.clone());
        if let Some(roles) = &mut self.status.roles {
            (roles.stable, roles.canary) = if promoted { (other, one) } else { (one, other) };
        }
    }
}
