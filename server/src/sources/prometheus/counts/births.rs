//! Whether a series was 0 before its first sample.
//!
//! A proxy has no series until there is something to count. If the same target was scraped before without it, it was 0 then. A target of
//! which there is no series before at all is looked for in `up`, which Prometheus writes at each scrape: it was scraped, or it is new
//! while others are not, or nobody looked, and then nothing is known.

use super::series::{Series, Target};
use crate::sources::prometheus::{
    answer,
    label::{Label, Names},
    moment,
};
use jiff::SignedDuration;
use naru_domain::{Name, Timestamp, Why};
use std::collections::{BTreeMap, BTreeSet};

/// Until it is known better: what Istio's own installation of Prometheus scrapes at.
const USUAL: SignedDuration = SignedDuration::from_secs(15);

/// Of so many targets at most it is asked whether they were scraped before. The births of others are not counted.
const TARGETS: usize = 200;

/// When targets were scraped.
pub(super) struct Births {
    /// The usual distance between two samples: the median, which a missed scrape does not move.
    pub(super) scrape: SignedDuration,
    /// The same for each target, which may be another job's.
    usual: BTreeMap<Target, SignedDuration>,
    first: Option<Timestamp>,
    scraped: BTreeMap<Target, BTreeSet<Timestamp>>,
    /// By `up`; false for a scrape that failed.
    told: BTreeMap<Target, Vec<(Timestamp, bool)>>,
}

impl Births {
    /// By the series themselves.
    pub(super) fn of<'a>(all: impl Iterator<Item = &'a Series>) -> Self {
        let mut scraped = BTreeMap::<Target, BTreeSet<Timestamp>>::new();
        let mut distances = Vec::new();
        for series in all {
            let of = scraped.entry(series.target.clone()).or_default();
            of.extend(series.samples.iter().map(|(at, _)| *at));
        }
        let mut usual = BTreeMap::new();
        for (target, of) in &scraped {
            let next = of.iter().skip(1);
            let own: Vec<_> = of.iter().zip(next).map(|(a, b)| b.duration_since(*a)).collect();
            distances.extend_from_slice(&own);
            // Of fewer nobody knows which is usual.
            if let Some(told) = median(own).filter(|_| of.len() > 3) {
                usual.insert(target.clone(), told);
            }
        }
        Self {
            scrape: median(distances).unwrap_or(USUAL),
            usual,
            first: scraped.values().filter_map(BTreeSet::first).min().copied(),
            scraped,
            told: BTreeMap::new(),
        }
    }

    /// At what distance a target is scraped: all targets', until its own is known.
    pub(super) fn usual(&self, target: &Target) -> SignedDuration {
        self.usual.get(target).copied().unwrap_or(self.scrape)
    }

    /// Instances of which it is not known whether they were scraped before they had a series that begins later than the moment.
    pub(super) fn unsure<'a>(&self, all: impl Iterator<Item = &'a Series>, since: Timestamp) -> Vec<String> {
        let young = all.filter(|it| {
            let born = it.samples.first().filter(|(at, _)| *at > since);
            born.is_some_and(|(at, _)| self.before_by_series(&it.target, *at).is_none())
        });
        let instances: BTreeSet<&Name> = young
            .map(|it| &it.target[0])
            .filter(|it| !it.is_empty())
            .collect();
        instances
            .into_iter()
            .take(TARGETS)
            .map(|it| it.to_string())
            .collect()
    }

    /// With what `up` says of them.
    pub(super) fn told(mut self, body: &[u8]) -> Result<Self, Why> {
        answer::read(body, &mut Names::default(), &mut |row| {
            let target = [Label::Instance, Label::Pod, Label::PodNamespace, Label::Job]
                .map(|label| row.labels.get(label).clone());
            let samples = row.samples.iter().map(|it| (moment(it.at_ms), it.value > 0.0));
            let of = self.told.entry(target).or_default();
            of.extend(samples);
            of.sort_unstable();
        })?;
        Ok(self)
    }

    /// The scrape before the first sample of a series of this target, if the series was 0 then.
    pub(super) fn before(&self, target: &Target, first: Timestamp) -> Option<Timestamp> {
        self.before_by_series(target, first)
            .or_else(|| self.before_by_up(target, first))
    }

    fn before_by_series(&self, target: &Target, first: Timestamp) -> Option<Timestamp> {
        self.scraped.get(target)?.range(..first).next_back().copied()
    }

    fn before_by_up(&self, target: &Target, first: Timestamp) -> Option<Timestamp> {
        let told = self.told.get(target)?;
        let before = &told[..told.partition_point(|(at, _)| *at < first)];
        if before.is_empty() {
            // It is new, if it is not Prometheus that is: then all begin at once.
            let scrape_before = first.checked_sub(self.scrape).ok()?;
            let others = self
                .first
                .is_some_and(|others| others < scrape_before - self.scrape);
            return others.then_some(scrape_before);
        }
        before
            .iter()
            .rev()
            .find(|(_, scraped)| *scraped)
            .map(|(at, _)| *at)
    }
}

fn median(mut of: Vec<SignedDuration>) -> Option<SignedDuration> {
    of.sort_unstable();
    of.get(of.len() / 2).copied()
}
