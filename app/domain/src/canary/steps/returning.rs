//! The way back: all requests to the version that served before, no faster than it can take them.

use super::{Effect, Turn};
use crate::{
    canary::status::{Goal, Phase, Weights},
    judge::guardrail::{Reason, Said, Verdict},
};

impl Turn<'_> {
    /// Begins the way back.
    pub(super) fn give_back(&mut self, live: Weights, why: Vec<Said>) -> Option<Effect> {
        self.status.phase = Phase::RollingBack;
        self.status.alarm = why.first().cloned();
        self.status.why = why;
        self.back(live)
    }

    /// Ready pods that all requests need. Not more than carried all of them before the canary began: what was counted since is of a part of
    /// the requests, and says less of a pod the longer that was so. And no more than one where the canary answers nothing anyway.
    fn needed(&self) -> u32 {
        let dead = |it: &Reason| *it == Reason::NoReadyPods;
        if matches!(&self.seen.judged.verdict, Verdict::RollBack(reasons) if reasons.iter().any(dead)) {
            return 1;
        }
        let counted = self.seen.capacity.needed().unwrap_or(1);
        counted.min(self.status.stable_pods.unwrap_or(counted)).max(1)
    }

    /// Pods that are asked for beside a way back of which nobody knows what it needs: as many as there were before the canary began. Waiting
    /// for them would keep a version in force that may be a bad one.
    pub(super) fn lacking(&self, goal: Goal) -> Option<u32> {
        let capacity = &self.seen.capacity;
        let before = self.status.stable_pods.filter(|it| capacity.wanted < *it);
        before.filter(|_| goal == Goal::Rollback && capacity.ready.is_some() && capacity.needed().is_none())
    }

    /// As far back as the ready pods carry. What is not known of rate or peak does not keep a bad version in force; that nothing is ready,
    /// or that nobody knows, does: requests would go to nobody.
    pub(super) fn back(&mut self, live: Weights) -> Option<Effect> {
        let whole = Weights::of(0);
        if live == whole {
            self.status.phase = Phase::RolledBack;
            self.status.step = None;
            return None;
        }
        let capacity = self.seen.capacity;
        let Some(ready) = capacity.ready else {
            self.status.alarm = Some(Said::new("readiness-unknown", [("role", "stable".to_owned())]));
            return None;
        };
        let needed = self.needed();
        if ready >= needed {
            return self.set(live, whole, Goal::Rollback);
        }
        let lacking = Said::new(
            "stable-too-small",
            [("needed", needed.to_string()), ("ready", ready.to_string())],
        );
        self.status.alarm = Some(lacking);
        // What is ready takes its part at once, whoever may scale or not.
        let share = u64::from(ready) * 100 / u64::from(needed);
        let stable = u32::try_from(share).unwrap_or(100).min(100);
        if stable > live.stable {
            return self.set(live, Weights::of(100 - stable), Goal::Rollback);
        }
        if capacity.wanted < needed {
            return Some(Effect::Scale { to: needed });
        }
        Some(Effect::WaitForStable { ready, needed })
    }
}
