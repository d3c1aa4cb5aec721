//! The guardrail of a canary: is the new version worse than the old one beside it?
//!
//! Three answers. What is known without counting (no ready endpoint, a crash loop) and what is counted and cannot be chance roll back.
//! Whatever is not known, not fair or not over yet holds. Only what is seen to be well advances. No data never does, and never rolls back.
//!
//! Failed requests count from the first one, warm-up or not: users do not care why. What warmth, load, restarts and rollouts may explain
//! (latency, retries, client errors) condemns nobody while one of these is so.

mod bound;
mod cells;
mod coarse;
mod compare;
pub mod counter;
mod counts;
mod evidence;
mod judged;
mod outcome;
mod spans;
#[cfg(test)]
mod tests;

pub use counts::{Counts, CountsQuestion, REACH, Slow, UnroutedCount};
pub use evidence::{Arrivals, Block, Evidence, Facts, Role, Unrouted};
pub use judged::{Hold, Judged, Measured, Metric, Reason, Said, Span, Verdict};
pub use outcome::Outcome;

use crate::{Timestamp, canary::spec::Guardrail};
use jiff::SignedDuration;
use spans::Finding;

/// A source whose newest sample is older than so many scrapes is stale: one that was missed is none, and neither are two.
const STALE: i32 = 4;

/// A canary's pods carry at most so many times what a stable pod does. Less than that is usual: a small weight on one pod.
const LOAD: f64 = 2.0;

/// The load is compared over so many minutes.
const LOAD_MINUTES: i64 = 5;

/// A container that restarted so often in the window is crash-looping, whatever kubelet calls it yet.
const RESTARTS: u32 = 2;

/// What a canary is judged by now.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// What must not get worse.
    pub guardrail: Guardrail,
    /// The canary's weight now.
    pub weight: u32,
    /// Since when it is in force.
    pub since: Timestamp,
    /// Since when the canary gets requests at all.
    pub began: Timestamp,
    /// How long the weight stays at least.
    pub dwell: SignedDuration,
    /// How many weights it goes through, this one among them: from 1.
    pub steps: u32,
    /// How many of the canary's requests it stays for.
    pub requests: u64,
    /// How long a version warms up.
    pub warm_up: SignedDuration,
    /// How long it may be blind before people are told.
    pub max_blind: SignedDuration,
    /// Since when it is blind already.
    pub blind_since: Option<Timestamp>,
}

impl Rules {
    /// Until when the canary warms up at a moment: after its first request, and after the start of its youngest pod.
    fn warm_until(&self, evidence: &Evidence, at: Timestamp) -> Option<Timestamp> {
        let starts = [Some(self.began), evidence.canary.started];
        let until = |start: Timestamp| start.checked_add(self.warm_up).unwrap_or(Timestamp::MAX);
        let of = starts
            .into_iter()
            .flatten()
            .filter(|start| *start <= at)
            .map(until);
        of.filter(|until| at < *until).max()
    }

    fn warming(&self, evidence: &Evidence, at: Timestamp) -> bool {
        self.warm_until(evidence, at).is_some()
    }

    /// What of a metric is allowed; None if it does not count.
    fn threshold(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Errors => Some(self.guardrail.errors),
            Metric::Latency => self.guardrail.latency.map(|it| it.difference),
            Metric::ClientErrors => self.guardrail.client_errors.then_some(self.guardrail.errors),
            Metric::Amplification => Some(self.guardrail.amplification),
        }
    }
}

/// Judges a canary on what is known of both versions.
pub fn judge(rules: &Rules, evidence: &Evidence, now: Timestamp) -> Judged {
    let mut reasons = facts(rules, evidence);
    let blindness = blindness(evidence, now);
    let unfair = unfair(rules, evidence, now);
    let mut holds = waits(rules, evidence, now);
    let (mut metrics, mut compared) = (Vec::new(), false);
    for metric in Metric::ALL {
        let Some(threshold) = rules.threshold(metric) else {
            continue;
        };
        // The called side's proxies may not be collected, and then nothing is known of attempts.
        if metric == Metric::Amplification && evidence.arrivals.is_empty() {
            continue;
        }
        if let (Metric::Latency, Slow::NoBucket { nearest }) = (metric, &evidence.slow) {
            holds.extend(rules.guardrail.latency.map(|it| Hold::NoBucket {
                objective: it.above_ms,
                nearest: nearest.clone(),
            }));
            continue;
        }
        let Some((finding, measured)) = spans::weigh(metric, threshold, rules, evidence, now) else {
            continue;
        };
        compared |= metric == Metric::Errors;
        match finding {
            Finding::Worse if metric == Metric::Errors || unfair.is_empty() => {
                reasons.push(Reason::Worse(metric));
            }
            Finding::Worse | Finding::Undecided => holds.push(Hold::Undecided(metric)),
            Finding::Recent => holds.push(Hold::Recent(metric)),
            Finding::Within => {}
        }
        metrics.push(measured);
    }
    if !compared && rules.weight > 0 {
        holds.push(Hold::NothingToCompare);
    }
    let blind = !blindness.is_empty();
    let since = rules.blind_since.unwrap_or(now);
    holds.extend(unfair);
    holds.extend(blindness);
    let verdict = if !reasons.is_empty() {
        Verdict::RollBack(reasons)
    } else if holds.is_empty() {
        Verdict::Advance
    } else {
        Verdict::Hold(holds)
    };
    Judged {
        verdict,
        metrics,
        left_out: evidence.left_out,
        blind,
        alarm: blind && now.duration_since(since) > rules.max_blind,
    }
}

/// What needs no counting.
fn facts(rules: &Rules, evidence: &Evidence) -> Vec<Reason> {
    let canary = &evidence.canary;
    let mut reasons = Vec::new();
    if rules.weight > 0 && canary.ready == Some(0) {
        reasons.push(Reason::NoReadyPods);
    }
    if canary.crash_looping > 0 || canary.restarts >= RESTARTS {
        reasons.push(Reason::CrashLooping(canary.crash_looping.max(canary.restarts)));
    }
    reasons
}

/// What cannot be seen.
fn blindness(evidence: &Evidence, now: Timestamp) -> Vec<Hold> {
    let mut holds = Vec::new();
    let fresh = |newest: Timestamp| now.duration_since(newest) <= evidence.scrape * STALE;
    if !evidence.newest.is_some_and(fresh) {
        holds.push(Hold::Stale(evidence.newest));
    }
    for (role, facts) in [(Role::Stable, &evidence.stable), (Role::Canary, &evidence.canary)] {
        if facts.ready.is_none() {
            holds.push(Hold::ReadinessUnknown(role));
        }
    }
    holds
}

/// What makes the two versions unlike for another reason than their code.
fn unfair(rules: &Rules, evidence: &Evidence, now: Timestamp) -> Vec<Hold> {
    let mut holds = Vec::new();
    holds.extend(rules.warm_until(evidence, now).map(Hold::WarmUp));
    if evidence.stable.restarts > 0 {
        holds.push(Hold::StableRestarted(evidence.stable.restarts));
    }
    for (role, facts) in [(Role::Stable, &evidence.stable), (Role::Canary, &evidence.canary)] {
        holds.extend(facts.deployed.map(|at| Hold::Deployed(role, at)));
    }
    holds.extend(load(evidence, now).filter(|times| *times > LOAD).map(Hold::Load));
    holds
}

/// How many times a stable pod's requests a canary's pod carries; None where it is not known.
fn load(evidence: &Evidence, now: Timestamp) -> Option<f64> {
    let recent = |block: &&Block| now.duration_since(block.to).as_mins() < LOAD_MINUTES;
    let of = |role: Role, facts: &Facts| {
        let ready = facts.ready.filter(|ready| *ready > 0)?;
        let blocks = evidence.blocks.iter().filter(recent);
        let n: u64 = blocks.filter(|it| it.role == role).map(|it| it.requests).sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of requests stay far below 2^53"
        )]
        (n > 0).then(|| n as f64 / f64::from(ready))
    };
    Some(of(Role::Canary, &evidence.canary)? / of(Role::Stable, &evidence.stable)?)
}

/// What is not over yet.
fn waits(rules: &Rules, evidence: &Evidence, now: Timestamp) -> Vec<Hold> {
    let mut holds = Vec::new();
    let until = rules.since.checked_add(rules.dwell).unwrap_or(Timestamp::MAX);
    if now < until {
        holds.push(Hold::Dwell(until));
    }
    let counted = |it: &&Block| it.role == Role::Canary && it.from >= rules.since;
    let n = evidence.blocks.iter().filter(counted).map(|it| it.requests).sum();
    if n < rules.requests {
        holds.push(Hold::FewRequests {
            n,
            wanted: rules.requests,
        });
    }
    holds
}
