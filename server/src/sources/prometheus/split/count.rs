//! The counting itself; the rules stand at the head of [`super`].

use crate::sources::prometheus::{answer::Sample, increase::gained, moment};
use naru_domain::{
    Name, Timestamp, Why,
    traffic::{Dated, Split, SplitRow},
};
use std::collections::BTreeMap;

/// The scrape that is counted from, and one more.
const NEEDED: u32 = 2;

/// A question younger than this without any series is too young rather than without traffic, in seconds: a usual scrape interval.
const YOUNG_S: i64 = 60;

/// One counter's samples.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Of the called workload.
    pub(super) namespace: Name,
    /// The called workload; empty if the request reached none.
    pub(super) workload: Name,
    /// Its version.
    pub(super) version: Name,
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
    // Sums of whole numbers; rounded once, at the end.
    let mut rows = BTreeMap::<[&Name; 3], (f64, f64)>::new();
    for it in &alive {
        let appeared = it.first_ms();
        let scraped_without_it = scraped.get(&it.series.target).is_some_and(|at| *at < appeared);
        let born = it.first == 0 && (scraped_without_it || appeared > settled);
        let (start, base) = it.base(born);
        let n = gained(base, &it.series.samples[start..]);
        let (requests, failed) = rows
            .entry([&it.series.namespace, &it.series.workload, &it.series.version])
            .or_default();
        *requests += n;
        *failed += if it.series.failed { n } else { 0.0 };
    }
    let value = value(rows, from, to);
    if value.unrouted == 0 && value.rows.iter().all(|it| it.requests == 0) {
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

fn value(rows: BTreeMap<[&Name; 3], (f64, f64)>, from: i64, to: i64) -> Split {
    let mut split = Split {
        from: moment(from),
        to: moment(to),
        rows: vec![],
        unrouted: 0,
    };
    for ([namespace, workload, version], (requests, failed)) in rows {
        // A counter is never negative, and far from 2^53 within a few hours.
        let (requests, failed) = (requests.round() as u64, failed.round() as u64);
        if workload.is_empty() {
            split.unrouted += requests;
            continue;
        }
        let (namespace, workload, version) = (namespace.clone(), workload.clone(), version.clone());
        split.rows.push(SplitRow {
            namespace,
            workload,
            version,
            requests,
            failed,
        });
    }
    split
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
