//! From series to counts.

use super::{
    Answers,
    births::Births,
    series::{Series, To},
};
use jiff::SignedDuration;
use naru_domain::{
    Name, Timestamp,
    judge::guardrail::{
        Arrivals, Block, Counts, CountsQuestion, Role, Slow, UnroutedCount,
        counter::{Counted, counted},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// What was counted across the moment counts if it is of no more than so long a time: a scrape of a minute, and a late one.
const STRADDLES: SignedDuration = SignedDuration::from_secs(90);

/// Caller, version and destination.
type Path = (Name, Role, Name);

pub(super) fn collect(
    question: &CountsQuestion,
    answers: &Answers,
    births: &Births,
    since: Timestamp,
) -> Counts {
    let counting = Counting { births, since };
    let mut blocks = BTreeMap::<(Path, Timestamp), Block>::new();
    let mut unrouted = Vec::new();
    for series in &answers.requests {
        for counted in counting.of(series) {
            match &series.to {
                To::Version(role, destination) => {
                    let path = (series.caller.clone(), *role, destination.clone());
                    let block = blocks
                        .entry((path, counted.to))
                        .or_insert_with(|| empty(series, *role, destination, &counted));
                    block.from = block.from.min(counted.from);
                    block.add(counted.n, series.outcome);
                }
                To::Nobody => unrouted.push(UnroutedCount {
                    to: counted.to,
                    caller: series.caller.clone(),
                    requests: counted.n,
                }),
                To::Other => {}
            }
        }
    }
    let mut slow = Slow::Told;
    if let (Some(durations), Some(bound)) = (&answers.durations, question.slow_above_ms) {
        match counting.slow(durations, &blocks) {
            Some(slow) => put(&mut blocks, slow),
            None => slow = Slow::no_bucket(bound, []),
        }
    }
    let newest = answers.requests.iter().filter_map(|it| it.samples.last());
    let counts = Counts {
        scrape: births.scrape,
        newest: newest.map(|(at, _)| *at).max(),
        blocks: blocks.into_values().collect(),
        arrivals: counting.arrivals(&answers.attempts),
        unrouted,
        slow,
        left_out: None,
    };
    counts.with_whole_attempts()
}

fn empty(series: &Series, role: Role, destination: &Name, counted: &Counted) -> Block {
    Block {
        from: counted.from,
        to: counted.to,
        role,
        caller: series.caller.clone(),
        destination: destination.clone(),
        requests: 0,
        failed: 0,
        grpc_failed: 0,
        client_errors: 0,
        slow: 0,
    }
}

struct Counting<'a> {
    births: &'a Births,
    since: Timestamp,
}

impl Counting<'_> {
    /// What a series counted later than the moment, without scrapes in which nothing came.
    fn of(&self, series: &Series) -> impl Iterator<Item = Counted> {
        let since = self.since;
        let born = series.samples.first().map(|(at, _)| *at).filter(|at| *at > since);
        let before = born.and_then(|first| self.births.before(&series.target, first));
        // Nor may a scrape be missing: after a time in which nobody counted it is not known whether what came is older, such as the failures
        // of a canary before this one.
        let longest = STRADDLES.min(self.births.usual(&series.target) * 3 / 2);
        counted(&series.samples, before).into_iter().filter(move |it| {
            let known = it.from >= since || it.to.duration_since(it.from) <= longest;
            it.n > 0 && it.to > since && known
        })
    }

    /// Slow requests: all without those below the bound; None if a caller's proxy has no bucket that ends there.
    fn slow(
        &self,
        durations: &[Series],
        blocks: &BTreeMap<(Path, Timestamp), Block>,
    ) -> Option<BTreeMap<(Path, Timestamp), u64>> {
        let mut took = BTreeMap::<(Path, Timestamp), (u64, u64)>::new();
        let (mut counting, mut bounded) = (BTreeSet::new(), BTreeSet::new());
        for series in durations {
            let To::Version(role, destination) = &series.to else {
                continue;
            };
            let all = series.bound == Some(f64::INFINITY);
            let known = if all { &mut counting } else { &mut bounded };
            known.insert(&series.caller);
            if series.switched {
                continue;
            }
            for counted in self.of(series) {
                let path = (series.caller.clone(), *role, destination.clone());
                let (n, quick) = took.entry((path, counted.to)).or_default();
                *(if all { n } else { quick }) += counted.n;
            }
        }
        let callers = blocks.keys().map(|((caller, ..), _)| caller);
        if callers.chain(counting).any(|it| !bounded.contains(it)) {
            return None;
        }
        let slow = took
            .into_iter()
            .map(|(at, (n, quick))| (at, n.saturating_sub(quick)));
        Some(slow.collect())
    }

    fn arrivals(&self, attempts: &[Series]) -> Vec<Arrivals> {
        let mut all = Vec::new();
        for series in attempts {
            let To::Version(role, _) = series.to else {
                continue;
            };
            all.extend(self.of(series).map(|counted| Arrivals {
                to: counted.to,
                role,
                pod: series.pod.clone(),
                attempts: counted.n,
            }));
        }
        all
    }
}

/// Puts slow requests where requests are. Envoy merges its histograms every five seconds, its counters at once
/// (`stats_flush_interval`): what is counted as slow later than as a request is of the request counted before.
fn put(blocks: &mut BTreeMap<(Path, Timestamp), Block>, mut slow: BTreeMap<(Path, Timestamp), u64>) {
    let mut waiting: Option<(Path, u64)> = None;
    let mut order: BTreeSet<(Path, Timestamp)> = blocks.keys().cloned().collect();
    order.extend(slow.keys().cloned());
    for at in order {
        let before = waiting
            .take()
            .filter(|(path, _)| *path == at.0)
            .map_or(0, |(_, n)| n);
        let n = before + slow.remove(&at).unwrap_or(0);
        let taken = blocks.get_mut(&at).map_or(0, |block| {
            block.slow = n.min(block.requests);
            block.slow
        });
        waiting = Some((at.0, n - taken));
    }
}
