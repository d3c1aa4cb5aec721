//! The counts put side by side: by minute and caller, both versions in each.
//!
//! A minute, since bursts outlast a scrape: within it failures are taken to come together, beyond it not. By caller, since callers differ
//! in what they ask for.

use super::{
    Metric, Rules,
    evidence::{Block, Evidence, Role},
};
use crate::Timestamp;
use std::collections::BTreeMap;

/// Requests and, of these, those that count against a version.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Count {
    pub(super) n: f64,
    pub(super) hits: f64,
}

impl Count {
    fn add(&mut self, n: f64, hits: f64) {
        self.n += n;
        self.hits += hits;
    }

    pub(super) fn share(self) -> f64 {
        if self.n > 0.0 { self.hits / self.n } else { 0.0 }
    }
}

/// Both versions beside each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pair {
    pub(super) stable: Count,
    pub(super) canary: Count,
}

impl Pair {
    fn of(&mut self, role: Role) -> &mut Count {
        match role {
            Role::Stable => &mut self.stable,
            Role::Canary => &mut self.canary,
        }
    }
}

/// One metric's counts.
#[derive(Debug, Default)]
pub(super) struct Cells<'a> {
    /// By minute and caller.
    pub(super) each: BTreeMap<(i64, &'a str), Pair>,
    /// By minute.
    pub(super) minutes: BTreeMap<i64, Pair>,
    /// By minute, version and destination: what fails together.
    pub(super) units: BTreeMap<(i64, Role, &'a str), Count>,
    /// In all.
    pub(super) all: Pair,
}

impl<'a> Cells<'a> {
    fn add(&mut self, to: Timestamp, role: Role, caller: &'a str, destination: &'a str, n: f64, hits: f64) {
        let minute = to.as_second().div_euclid(60);
        self.each
            .entry((minute, caller))
            .or_default()
            .of(role)
            .add(n, hits);
        self.minutes.entry(minute).or_default().of(role).add(n, hits);
        self.units
            .entry((minute, role, destination))
            .or_default()
            .add(n, hits);
        self.all.of(role).add(n, hits);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay far below 2^53"
)]
fn float(n: u64) -> f64 {
    n as f64
}

/// The counts of a metric, of which nothing was counted before a moment.
pub(super) fn cells<'a>(metric: Metric, rules: &Rules, evidence: &'a Evidence, from: Timestamp) -> Cells<'a> {
    let mut cells = Cells::default();
    let warm = |at: Timestamp| !rules.warming(evidence, at);
    // Attempts are told by the minute, and so requests are taken by whole minutes beside them.
    let whole = |to: Timestamp| to.as_second().div_euclid(60) * 60 >= from.as_second();
    let within = |block: &&Block| match metric {
        Metric::Amplification => whole(block.to),
        _ => block.from >= from,
    };
    for block in evidence.blocks.iter().filter(within) {
        let hits = match metric {
            Metric::Errors => block.failed + block.grpc_failed,
            Metric::ClientErrors => block.client_errors,
            Metric::Latency if warm(block.to) => block.slow,
            Metric::Latency => continue,
            // Attempts are another reporter's: of whole minutes and versions, not of callers.
            Metric::Amplification => {
                cells.add(
                    block.to,
                    block.role,
                    "",
                    "",
                    float(block.requests),
                    -float(block.requests),
                );
                continue;
            }
        };
        let (caller, destination) = (&*block.caller, &*block.destination);
        cells.add(
            block.to,
            block.role,
            caller,
            destination,
            float(block.requests),
            float(hits),
        );
    }
    match metric {
        Metric::Errors => {
            let counted = |to: Timestamp| to.checked_sub(evidence.scrape).is_ok_and(|it| it >= from);
            let against = evidence.unrouted.iter().filter(|it| it.stable_ready);
            for it in against.filter(|it| counted(it.to)) {
                let n = float(it.requests);
                cells.add(it.to, Role::Canary, &it.caller, "", n, n);
            }
        }
        Metric::Amplification => {
            for it in evidence.arrivals.iter().filter(|it| whole(it.to)) {
                cells.add(it.to, it.role, "", "", 0.0, float(it.attempts));
            }
        }
        Metric::Latency | Metric::ClientErrors => {}
    }
    cells
}
