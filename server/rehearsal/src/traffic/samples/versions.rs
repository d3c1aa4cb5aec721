//! What both versions of a canary have answered.

use super::{
    super::{SCRAPE_MS, exposition::answer},
    BOUNDS, Line, Samples,
    kept::Scrape,
};
use jiff::SignedDuration;
use naru_domain::{
    Name, Timestamp,
    judge::guardrail::{Arrivals, Block, Counts, CountsQuestion, Outcome, Role, Slow, UnroutedCount},
    traffic::{Protocol, Reporter, failing::unreached},
};
use std::collections::BTreeMap;

impl Samples {
    /// As the adapter on a real Prometheus answers it; pods are told apart by their workloads only.
    pub(in super::super) fn versions(&self, question: &CountsQuestion, now: Timestamp) -> Counts {
        let bound = question.slow_above_ms.and_then(bound);
        let start = question.start(now);
        let mut blocks = BTreeMap::new();
        let (mut arrivals, mut unrouted) = (Vec::new(), Vec::new());
        let scrapes = self.scrapes.iter().zip(self.scrapes.iter().skip(1));
        for (before, scrape) in scrapes.filter(|(_, it)| it.at > start && it.at <= now) {
            scrape.each_with_durations(|number, by, durations| {
                let line = &self.lines[number];
                if line.flow.service != question.service
                    || line.flow.protocol == Protocol::Tcp
                    || by.requests == 0
                {
                    return;
                }
                let target = &line.flow.target;
                let role = question.role(&target.namespace, &target.workload);
                match (line.flow.reporter, role) {
                    (Reporter::Source, Some(role)) => {
                        let slow = bound.map_or(0, |bound| durations.above(bound));
                        let block = block(before, scrape, line, role);
                        let key = (block.to, block.caller.clone(), role, block.destination.clone());
                        let block = blocks.entry(key).or_insert(block);
                        block.add(by.requests, outcome(line));
                        block.slow += slow;
                    }
                    (Reporter::Source, None) if target.workload.is_empty() && fails(line) => {
                        unrouted.push(UnroutedCount {
                            to: scrape.at,
                            caller: place(&line.flow.source.namespace, &line.flow.source.workload),
                            requests: by.requests,
                        });
                    }
                    (Reporter::Destination, Some(role)) if !line.flow.source.workload.is_empty() => {
                        arrivals.push(Arrivals {
                            to: scrape.at,
                            role,
                            pod: None,
                            attempts: by.requests,
                        });
                    }
                    _ => {}
                }
            });
        }
        let counts = Counts {
            scrape: SignedDuration::from_millis(SCRAPE_MS),
            newest: self.newest(question, now),
            blocks: blocks.into_values().collect(),
            arrivals,
            unrouted,
            slow: question.slow_above_ms.map_or(Slow::Told, slow),
            left_out: self
                .scrapes
                .front()
                .map(|it| it.at)
                .filter(|first| *first > start),
        };
        counts.with_whole_attempts().coarse(now)
    }

    /// When a caller's proxy was scraped last that has ever sent anything to the service.
    fn newest(&self, question: &CountsQuestion, now: Timestamp) -> Option<Timestamp> {
        let sends = |line: &Line| {
            line.flow.reporter == Reporter::Source
                && line.flow.protocol != Protocol::Tcp
                && line.flow.service == question.service
        };
        let first = self.lines.iter().position(|line| sends(line))?;
        let mut scrapes = self.scrapes.iter().rev();
        scrapes
            .find(|it| it.at <= now && it.known > first)
            .map(|it| it.at)
    }
}

/// The place of the bucket that ends at an objective.
fn bound(ms: f64) -> Option<usize> {
    let is = |(_, name): &(u64, &str)| name.parse() == Ok(ms);
    BOUNDS.iter().position(is)
}

fn slow(ms: f64) -> Slow {
    match bound(ms) {
        Some(_) => Slow::Told,
        None => Slow::no_bucket(ms, BOUNDS.iter().filter_map(|(_, name)| name.parse().ok())),
    }
}

fn place(namespace: &Name, workload: &Name) -> Name {
    format!("{namespace}/{workload}").into()
}

fn block(before: &Scrape, scrape: &Scrape, line: &Line, role: Role) -> Block {
    let (source, target) = (&line.flow.source, &line.flow.target);
    Block {
        from: before.at,
        to: scrape.at,
        role,
        caller: place(&source.namespace, &source.workload),
        destination: place(&target.namespace, &target.workload),
        requests: 0,
        failed: 0,
        grpc_failed: 0,
        client_errors: 0,
        slow: 0,
    }
}

fn outcome(line: &Line) -> Outcome {
    let (code, status) = answer(line.flow.protocol, &line.code);
    Outcome::of(line.flow.protocol, code, status, &line.flags)
}

fn fails(line: &Line) -> bool {
    matches!(outcome(line), Outcome::Failed | Outcome::GrpcFailed) || unreached(&line.flags)
}
