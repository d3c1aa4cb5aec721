//! Counters, their samples, and what can be computed from these.

mod histogram;
mod kept;
mod versions;

use histogram::Durations;
pub(super) use histogram::{BOUNDS, Histogram};

use super::{
    SCRAPE_MS,
    exposition::{Exposition, Identities, Row, labels},
};
use jiff::SignedDuration;
use kept::Scrape;
use naru_domain::{
    Name, Timestamp, Why,
    inquiry::{Counts, CountsOf, Reach, ScrapingState, lost},
    traffic::{
        BEFORE, Before, Dated, Flow, FlowKey, Protocol, Reporter, Split, SplitQuestion, SplitRow, Traffic,
    },
    workload::WorkloadId,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

/// How long samples are kept, where nothing else is asked for: longer than any window that a page offers.
pub const KEPT: SignedDuration = SignedDuration::from_mins(20);

/// Samples that a rate needs: over fewer it says more about the scrapes than about the traffic.
const RATE_NEEDS: usize = 4;

/// What tells one series from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// Who called whom, and whose proxy counted.
    pub flow: FlowKey,
    /// Under mutual TLS, as the destination's proxy says.
    pub mtls: bool,
    /// Response code; `0` if there was none.
    pub code: Name,
    /// Envoy's response flags; `-` for none.
    pub flags: Name,
    /// Name of the route that led there; empty where proxies do not tell it.
    pub route: Name,
}

/// How much a counter grew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests, or connections opened.
    pub requests: u64,
    /// Sum of durations in microseconds.
    pub duration_us: u64,
    /// Bytes to the called.
    pub sent: u64,
    /// Bytes back.
    pub received: u64,
}

impl Count {
    fn add(&mut self, more: Self) {
        self.requests += more.requests;
        self.duration_us += more.duration_us;
        self.sent += more.sent;
        self.received += more.received;
    }
}

/// Counters and their samples.
#[derive(Debug)]
pub(super) struct Samples {
    /// How long samples are kept.
    kept: SignedDuration,
    numbers: HashMap<Arc<Line>, usize>,
    /// By number.
    lines: Vec<Arc<Line>>,
    now: Vec<Count>,
    histograms: Vec<Histogram>,
    /// What has grown since the last scrape.
    fresh: Vec<(Count, Durations)>,
    scrapes: VecDeque<Scrape>,
    /// Labels of the series that were exposed before.
    labels: Vec<Arc<str>>,
}

impl Samples {
    /// None yet; each will be kept for so long.
    pub(super) fn new(kept: SignedDuration) -> Self {
        Self {
            kept,
            numbers: HashMap::new(),
            lines: Vec::new(),
            now: Vec::new(),
            histograms: Vec::new(),
            fresh: Vec::new(),
            scrapes: VecDeque::new(),
            labels: Vec::new(),
        }
    }

    /// The number of a series.
    pub(super) fn number(&mut self, line: &Line) -> usize {
        if let Some(&number) = self.numbers.get(line) {
            return number;
        }
        let (number, line) = (self.now.len(), Arc::new(line.clone()));
        self.numbers.insert(line.clone(), number);
        self.lines.push(line);
        self.now.push(Count::default());
        self.histograms.push(Histogram::default());
        self.fresh.push((Count::default(), Durations::default()));
        number
    }

    pub(super) fn add(&mut self, number: usize, by: Count) {
        self.now[number].add(by);
        self.histograms[number].add(by.requests, by.duration_us);
        let (count, durations) = &mut self.fresh[number];
        count.add(by);
        durations.add(by.requests, by.duration_us);
    }

    pub(super) fn count(&mut self, line: &Line, by: Count) {
        let number = self.number(line);
        self.add(number, by);
    }

    /// What the counters say now of requests that were answered, as their callers' proxies count, by both workloads.
    pub(super) fn answered(&self) -> BTreeMap<(Name, Name), u64> {
        let mut all = BTreeMap::new();
        for (line, &number) in &self.numbers {
            let (flow, count) = (&line.flow, self.now.get(number));
            if flow.reporter == Reporter::Source && !flow.target.workload.is_empty() && !failed(line) {
                let place = (flow.source.workload.clone(), flow.target.workload.clone());
                *all.entry(place).or_default() += count.map_or(0, |it| it.requests);
            }
        }
        all
    }

    pub(super) fn scrape(&mut self, at: Timestamp) {
        let kept = self.kept;
        while (self.scrapes.front()).is_some_and(|first| at.duration_since(first.at) > kept) {
            self.scrapes.pop_front();
        }
        self.scrapes.push_back(Scrape::of(at, &mut self.fresh));
    }

    /// All counters as they stand. A series keeps the labels that it was first exposed with; `identities` is asked for new ones only.
    pub(super) fn exposed(&mut self, identities: impl FnOnce() -> Identities) -> Exposition {
        if self.labels.len() < self.lines.len() {
            let identities = identities();
            // Whether a connection was mutual TLS is said by the called side's line alone.
            let lines = self.lines.iter();
            let mutual: HashSet<&FlowKey> = lines
                .filter(|it| it.mtls && it.flow.reporter == Reporter::Destination)
                .map(|it| &it.flow)
                .collect();
            for line in &self.lines[self.labels.len()..] {
                let reporter = Reporter::Destination;
                let met = FlowKey {
                    reporter,
                    ..line.flow.clone()
                };
                let mutual = line.mtls || (line.flow.reporter != reporter && mutual.contains(&met));
                self.labels.push(labels(line, mutual, &identities).into());
            }
        }
        let rows = self.lines.iter().enumerate().map(|(number, line)| Row {
            labels: self.labels[number].clone(),
            protocol: line.flow.protocol,
            count: self.now[number],
            histogram: self.histograms[number],
        });
        Exposition::of(rows.collect())
    }

    /// As [`Self::scrape`], but these workloads' proxies do not answer: what they counted is seen by the next scrape that they answer.
    pub(super) fn scrape_without(&mut self, at: Timestamp, silent: &[WorkloadId]) {
        let missed = |line: &Line| {
            let party = match line.flow.reporter {
                Reporter::Source => &line.flow.source,
                Reporter::Destination => &line.flow.target,
            };
            let mut silent = silent.iter();
            silent.any(|(namespace, name)| *namespace == party.namespace && *name == party.workload)
        };
        let mut held = Vec::new();
        if !silent.is_empty() {
            for (number, _) in self.lines.iter().enumerate().filter(|(_, line)| missed(line)) {
                held.push((number, std::mem::take(&mut self.fresh[number])));
            }
        }
        self.scrape(at);
        for (number, count) in held {
            self.fresh[number] = count;
        }
    }

    /// Growth over the window's samples by their time: a series that appears within the window loses its first sample, as in
    /// Prometheus, where nothing tells a new counter from one that was not seen before.
    pub(super) fn traffic(&self, now: Timestamp, window_s: u32) -> Result<Dated<Traffic>, Why> {
        let oldest = now.as_millisecond() - i64::from(window_s) * 1_000;
        let inside: Vec<&Scrape> = self
            .scrapes
            .iter()
            .filter(|it| it.at.as_millisecond() > oldest && it.at <= now)
            .collect();
        let (Some(first), Some(last), true) = (inside.first(), inside.last(), inside.len() >= RATE_NEEDS)
        else {
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            return Err(Why::TooYoung {
                samples: number(inside.len()),
                needed: number(RATE_NEEDS),
            });
        };
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        let mut grown = vec![Count::default(); self.lines.len()];
        for pair in inside.windows(2) {
            pair[1].each(|number, by| {
                if number < pair[0].known {
                    grown[number].add(by);
                }
            });
        }
        let mut flows: BTreeMap<FlowKey, Flow> = BTreeMap::new();
        let mut durations: BTreeMap<&FlowKey, (u64, u64)> = BTreeMap::new();
        for (line, grown) in self.lines.iter().zip(&grown) {
            if grown.requests == 0 && grown.sent == 0 && grown.received == 0 {
                continue;
            }
            let rate = per(grown.requests, seconds);
            let flow = flows.entry(line.flow.clone()).or_default();
            flow.rate += rate;
            flow.sent += per(grown.sent, seconds);
            flow.received += per(grown.received, seconds);
            if failed(line) {
                flow.failed += rate;
            }
            if line.mtls && line.flow.reporter == Reporter::Destination {
                flow.mtls += rate;
            }
            if line.flow.protocol != Protocol::Tcp {
                *flow
                    .codes
                    .entry((line.code.clone(), line.flags.clone()))
                    .or_default() += rate;
                let (requests, duration) = durations.entry(&line.flow).or_default();
                *requests += grown.requests;
                *duration += grown.duration_us;
            }
        }
        for (key, (requests, duration)) in durations {
            if let Some(flow) = flows.get_mut(key).filter(|_| requests > 0) {
                flow.average_ms = Some(per(duration, 1_000.0) / per(requests, 1.0));
            }
        }
        Ok(Dated {
            value: Traffic { window_s, flows },
            at: last.at,
            gaps: Vec::new(),
        })
    }

    /// Requests between the first sample at or after the moment and the last one. Here a series that appears later counts whole: its
    /// callers were scraped before and had nothing to say.
    pub(super) fn split(&self, question: &SplitQuestion) -> Result<Dated<Split>, Why> {
        let after: Vec<&Scrape> = self.scrapes.iter().filter(|it| it.at >= question.since).collect();
        let (Some(base), Some(last), true) = (after.first(), after.last(), after.len() > 1) else {
            return Err(Why::TooYoung {
                samples: u32::from(!after.is_empty()),
                needed: 2,
            });
        };
        let (rows, unrouted) = self.rows(question, &after);
        if rows.is_empty() && unrouted.is_empty() {
            let window = last.at.duration_since(base.at).as_secs();
            return Err(Why::NoTraffic {
                window_s: u32::try_from(window).unwrap_or(u32::MAX),
            });
        }
        let before = |changed: Timestamp| {
            let inside = |it: &&Scrape| it.at <= changed && changed.duration_since(it.at) < BEFORE;
            let scrapes: Vec<&Scrape> = self.scrapes.iter().filter(inside).collect();
            let (rows, _) = self.rows(question, &scrapes);
            let (from, to) = (scrapes.first()?.at, scrapes.last()?.at);
            (!rows.is_empty()).then_some(Before { from, to, rows })
        };
        let value = Split {
            from: base.at,
            to: last.at,
            rows,
            unrouted,
            before: question.changed.and_then(before),
        };
        Ok(Dated {
            value,
            at: last.at,
            gaps: Vec::new(),
        })
    }
}

impl Samples {
    /// What callers counted to a question's services from the first of these scrapes to the last, and what of it reached no workload.
    fn rows(&self, question: &SplitQuestion, scrapes: &[&Scrape]) -> (Vec<SplitRow>, BTreeMap<Name, u64>) {
        let mut grown = vec![(0, 0); self.lines.len()];
        for scrape in scrapes.iter().skip(1) {
            scrape.each(|number, by| {
                grown[number].0 += by.requests;
                grown[number].1 += by.duration_us;
            });
        }
        let mut rows: BTreeMap<[&Name; 4], SplitRow> = BTreeMap::new();
        let mut unrouted = BTreeMap::new();
        for (line, (requests, duration_us)) in self.lines.iter().zip(grown) {
            let counts =
                line.flow.reporter == Reporter::Source && question.services.contains(&line.flow.service);
            let target = &line.flow.target;
            if !counts || requests == 0 {
                continue;
            }
            if target.workload.is_empty() {
                *unrouted.entry(line.route.clone()).or_default() += requests;
                continue;
            }
            let place = [&target.namespace, &target.workload, &target.version, &line.route];
            let row = rows.entry(place).or_insert_with(|| SplitRow {
                namespace: target.namespace.clone(),
                workload: target.workload.clone(),
                version: target.version.clone(),
                route: line.route.clone(),
                requests: 0,
                failed: 0,
                timed: 0,
                spent_ms: Some(0.0),
            });
            row.requests += requests;
            row.timed += requests;
            row.failed += if failed(line) { requests } else { 0 };
            row.spent_ms = row.spent_ms.map(|it| it + per(duration_us, 1_000.0));
        }
        (rows.into_values().collect(), unrouted)
    }
}

impl Samples {
    /// How often proxies are scraped, and how far back that is known.
    pub(super) fn scraping(&self, now: Timestamp) -> ScrapingState {
        let first = self
            .scrapes
            .front()
            .map(|it| now.duration_since(it.at).as_hours());
        let known = |back: &Reach| first.is_some_and(|hours| hours >= i64::from(back.hours()));
        ScrapingState {
            interval_s: first.and_then(|_| u32::try_from(SCRAPE_MS / 1_000).ok()),
            reach: Reach::ALL.into_iter().rev().find(known),
        }
    }

    /// Requests to a workload between two moments, by caller.
    pub(super) fn counts(&self, question: &CountsOf) -> Counts {
        let asked = |line: &Line| {
            let to = &line.flow.target;
            line.flow.reporter == question.by
                && (&to.namespace, &to.workload) == (&question.to.0, &question.to.1)
        };
        // As in Prometheus, of who had no request yet there is no series that could tell.
        let known = |scrape: &Scrape| {
            let mut is = false;
            scrape.each(|number, _| is |= asked(&self.lines[number]));
            is
        };
        let mut before = self.scrapes.iter().rev().filter(|it| it.at <= question.from);
        let mut counts = Counts {
            covered: before.any(known),
            ..Counts::default()
        };
        let inside = self
            .scrapes
            .iter()
            .filter(|it| it.at > question.from && it.at <= question.until);
        for scrape in inside {
            scrape.each(|number, by| {
                let line = &self.lines[number];
                if !asked(line) {
                    return;
                }
                let from = &line.flow.source;
                let caller = (from.namespace.clone(), from.workload.clone());
                let count = counts.by_caller.entry(caller).or_default();
                let requests = per(by.requests, 1.0);
                count.requests += requests;
                if failed(line) {
                    count.failed += requests;
                }
                if lost(&line.code, &line.flags, "") {
                    count.lost += requests;
                }
            });
        }
        counts
    }
}

fn failed(line: &Line) -> bool {
    if line.flow.protocol == Protocol::Tcp {
        // Connections have no code.
        return &*line.flags != "-";
    }
    &*line.code == "0" || (line.code.len() == 3 && line.code.starts_with('5'))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a rehearsal stay far below 2^53"
)]
fn per(count: u64, by: f64) -> f64 {
    count as f64 / by
}
