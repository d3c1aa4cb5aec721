//! The counting itself; the rules stand at the head of [`super`].

use crate::sources::prometheus::{answer::Sample, increase::gained, moment};
use naru_domain::{
    Name, Timestamp, Why,
    traffic::{BEFORE, Before, Dated, Split, SplitRow},
};
use std::collections::BTreeMap;

/// The scrape that is counted from, and one more.
const NEEDED: u32 = 2;

/// A question younger than this without any series is too young rather than without traffic, in seconds: a usual scrape interval.
const YOUNG_S: i64 = 60;

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Requests,
    /// That requests took.
    Milliseconds,
}

/// One counter's samples.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// What it counts.
    pub(super) unit: Unit,
    /// Its requests became connections.
    pub(super) switched: bool,
    /// Of the called workload.
    pub(super) namespace: Name,
    /// The called workload; empty if the request reached none.
    pub(super) workload: Name,
    /// Its version.
    pub(super) version: Name,
    /// The route that led there; empty where that is not told.
    pub(super) route: Name,
    /// Whether it counts failures.
    pub(super) failed: bool,
    /// Which proxy counted, in Prometheus's terms: instance, pod, namespace, job.
    pub(super) target: [Name; 4],
    /// Which Prometheus wrote it down.
    pub(super) replica: Name,
    /// In order of time; all are numbers.
    pub(super) samples: Vec<Sample>,
}

/// A series that lives after the moment.
struct Alive<'a> {
    series: &'a Series,
    /// Place of its first sample later than the moment.
    first: usize,
}

impl Alive<'_> {
    fn first_ms(&self) -> i64 {
        self.series.samples[self.first].at_ms
    }

    /// The first sample that is counted, and what the counter stood at before it.
    fn base(&self, born: bool) -> (usize, f64) {
        if born {
            (self.first, 0.0)
        } else {
            (self.first + 1, self.series.samples[self.first].value)
        }
    }
}

/// Counts requests later than `since`.
pub(super) fn split(series: &[&Series], since: Timestamp, now: Timestamp) -> Result<Dated<Split>, Why> {
    let since_ms = since.as_millisecond();
    let alive: Vec<Alive<'_>> = series
        .iter()
        .filter_map(|&series| {
            let first = series.samples.partition_point(|it| it.at_ms <= since_ms);
            (first < series.samples.len()).then_some(Alive { series, first })
        })
        .collect();
    let samples = alive
        .iter()
        .map(|it| it.series.samples.len() - it.first)
        .max()
        .unwrap_or(0);
    let samples = u32::try_from(samples).unwrap_or(u32::MAX);
    let age_s = now.duration_since(since).as_secs();
    if samples == 0 && age_s >= YOUNG_S {
        return Err(Why::NoTraffic {
            window_s: u32::try_from(age_s).unwrap_or(u32::MAX),
        });
    }
    if samples < NEEDED {
        return Err(Why::TooYoung {
            samples,
            needed: NEEDED,
        });
    }
    let from = alive.iter().map(Alive::first_ms).min().unwrap_or(since_ms);
    let to = alive
        .iter()
        .filter_map(|it| it.series.samples.last())
        .map(|it| it.at_ms)
        .max()
        .unwrap_or(from);
    let settled = from + interval(&alive);
    let mut scraped = BTreeMap::<&[Name; 4], i64>::new();
    for it in &alive {
        scraped
            .entry(&it.series.target)
            .and_modify(|at| *at = it.first_ms().min(*at))
            .or_insert(it.first_ms());
    }
    let mut rows = Rows::default();
    for it in &alive {
        let appeared = it.first_ms();
        let scraped_without_it = scraped.get(&it.series.target).is_some_and(|at| *at < appeared);
        let born = it.first == 0 && (scraped_without_it || appeared > settled);
        let (start, base) = it.base(born);
        rows.add(it.series, gained(base, &it.series.samples[start..]));
    }
    let (rows, unrouted) = rows.rounded();
    let value = Split {
        from: moment(from),
        to: moment(to),
        rows,
        unrouted,
        before: None,
    };
    if value.unrouted.is_empty() && value.rows.iter().all(|it| it.requests == 0) {
        return Err(Why::NoTraffic {
            window_s: u32::try_from((to - from) / 1000).unwrap_or(u32::MAX),
        });
    }
    Ok(Dated {
        value,
        at: moment(to),
        gaps: vec![],
    })
}

/// Counts requests in the minutes up to a change; None where nothing was counted. A series is born, as after it, where its target had been scraped
/// within them without it.
pub(super) fn before(series: &[&Series], changed: Timestamp) -> Option<Before> {
    let to_ms = changed.as_millisecond();
    let from_ms = changed.checked_sub(BEFORE).ok()?.as_millisecond();
    let inside = |it: &&'_ Series| {
        let place = |at: i64| it.samples.partition_point(|sample| sample.at_ms <= at);
        (place(from_ms), place(to_ms))
    };
    let mut scraped = BTreeMap::<&[Name; 4], i64>::new();
    for it in series {
        let (start, end) = inside(it);
        if let Some(first) = it.samples[start..end].first() {
            let at = scraped.entry(&it.target).or_insert(first.at_ms);
            *at = first.at_ms.min(*at);
        }
    }
    let (mut rows, mut window) = (Rows::default(), None::<(i64, i64)>);
    for &it in series {
        let (start, end) = inside(&it);
        let samples = &it.samples[start..end];
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            continue;
        };
        let born = start == 0 && scraped.get(&it.target).is_some_and(|at| *at < first.at_ms);
        let (base, later) = if born {
            (0.0, samples)
        } else {
            (first.value, &samples[1..])
        };
        if later.is_empty() {
            continue;
        }
        let (from, to) = window.unwrap_or((first.at_ms, last.at_ms));
        window = Some((from.min(first.at_ms), to.max(last.at_ms)));
        rows.add(it, gained(base, later));
    }
    let ((from, to), (rows, _)) = (window?, rows.rounded());
    Some(Before {
        from: moment(from),
        to: moment(to),
        rows,
    })
    .filter(|it| it.rows.iter().any(|row| row.requests > 0))
}

/// What was counted to each workload: sums of whole numbers, rounded once, at the end.
#[derive(Default)]
struct Rows<'a>(BTreeMap<[&'a Name; 4], Sums>);

#[derive(Default)]
struct Sums {
    requests: f64,
    failed: f64,
    timed: f64,
    spent_ms: Option<f64>,
}

impl<'a> Rows<'a> {
    fn add(&mut self, series: &'a Series, n: f64) {
        let place = [
            &series.namespace,
            &series.workload,
            &series.version,
            &series.route,
        ];
        let sums = self.0.entry(place).or_default();
        let timed = if series.switched { 0.0 } else { n };
        match series.unit {
            Unit::Requests => {
                sums.requests += n;
                sums.failed += if series.failed { n } else { 0.0 };
                sums.timed += timed;
            }
            Unit::Milliseconds => sums.spent_ms = Some(sums.spent_ms.unwrap_or(0.0) + timed),
        }
    }

    /// The workloads' rows, and how many requests reached none, by route.
    fn rounded(self) -> (Vec<SplitRow>, BTreeMap<Name, u64>) {
        let (mut rows, mut unrouted) = (Vec::new(), BTreeMap::new());
        // A counter is never negative, and far from 2^53 within a few hours.
        let whole = |it: f64| it.round() as u64;
        for ([namespace, workload, version, route], sums) in self.0 {
            if workload.is_empty() {
                let requests = whole(sums.requests);
                if requests > 0 {
                    *unrouted.entry(route.clone()).or_default() += requests;
                }
                continue;
            }
            rows.push(SplitRow {
                namespace: namespace.clone(),
                workload: workload.clone(),
                version: version.clone(),
                route: route.clone(),
                requests: whole(sums.requests),
                failed: whole(sums.failed),
                timed: whole(sums.timed),
                spent_ms: sums.spent_ms,
            });
        }
        (rows, unrouted)
    }
}

/// The usual distance between two samples, in milliseconds: the median, which a missed scrape does not move.
fn interval(alive: &[Alive<'_>]) -> i64 {
    let mut distances: Vec<i64> = alive
        .iter()
        .flat_map(|it| it.series.samples.windows(2))
        .map(|pair| pair[1].at_ms - pair[0].at_ms)
        .collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().unwrap_or(0)
}
