//! What the proxies tell of both versions: the counted half of the [`Evidence`].

use super::evidence::{Arrivals, Block, Evidence, Facts, Role, Unrouted};
use crate::{Name, Timestamp, traffic::ServiceId};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// So far back is counted at most: raw samples of many hours cost Prometheus dearly.
pub const REACH: SignedDuration = SignedDuration::from_hours(2);

/// Asks what both versions behind a rule have answered since a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct CountsQuestion {
    /// The service that the rule's destinations name.
    pub service: ServiceId,
    /// Workloads behind the stable destination, as namespace and name.
    pub stable: BTreeSet<(Name, Name)>,
    /// Workloads behind the canary.
    pub canary: BTreeSet<(Name, Name)>,
    /// Only samples later than this count; those older than [`REACH`] are left out.
    pub since: Timestamp,
    /// A request slower than so many milliseconds is slow; None: nobody asks.
    pub slow_above_ms: Option<f64>,
}

/// What was counted, in the order of time. Requests to other workloads are not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// The interval at which proxies are really scraped.
    pub scrape: SignedDuration,
    /// The newest sample of any caller's proxy; None where there is none.
    pub newest: Option<Timestamp>,
    /// Requests, by the callers' proxies.
    pub blocks: Vec<Block>,
    /// Attempts, by the called side's proxies; empty where these are not collected.
    pub arrivals: Vec<Arrivals>,
    /// Failures that reached no workload, by the callers' proxies.
    pub unrouted: Vec<UnroutedCount>,
    /// Whether slow requests are told apart.
    pub slow: Slow,
    /// What was asked for before this moment is not in it and not known, for the source did not answer for so long a time; None: all that was
    /// asked for is in it.
    pub left_out: Option<Timestamp>,
}

/// Whether slow requests are told apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Slow {
    /// They are, or nobody asked.
    #[default]
    Told,
    /// A caller's proxy has no bucket that ends at the objective, and [`Block::slow`] says nothing.
    NoBucket {
        /// The nearest ends of buckets below and above it, in milliseconds, as far as they are known.
        nearest: Vec<f64>,
    },
}

impl Slow {
    /// Of these ends of buckets, none is the objective.
    pub fn no_bucket(objective_ms: f64, ends_ms: impl IntoIterator<Item = f64>) -> Self {
        let ends: Vec<f64> = ends_ms.into_iter().filter(|it| it.is_finite()).collect();
        let below = ends.iter().copied().filter(|it| *it < objective_ms);
        let above = ends.iter().copied().filter(|it| *it > objective_ms);
        let nearest = [below.max_by(f64::total_cmp), above.min_by(f64::total_cmp)];
        Self::NoBucket {
            nearest: nearest.into_iter().flatten().collect(),
        }
    }
}

/// Failures that reached no workload, between two samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnroutedCount {
    /// The sample.
    pub to: Timestamp,
    /// The caller's pod.
    pub caller: Name,
    /// Requests.
    pub requests: u64,
}

impl CountsQuestion {
    /// Which version a workload belongs to; None for neither.
    pub fn role(&self, namespace: &Name, workload: &Name) -> Option<Role> {
        let id = (namespace.clone(), workload.clone());
        if self.canary.contains(&id) {
            Some(Role::Canary)
        } else {
            self.stable.contains(&id).then_some(Role::Stable)
        }
    }

    /// From when it is answered: not longer ago than [`REACH`].
    pub fn start(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(REACH)
            .map_or(self.since, |earliest| self.since.max(earliest))
    }
}

impl Counts {
    /// Nobody counted.
    pub fn nothing() -> Self {
        Self {
            scrape: SignedDuration::from_secs(15),
            newest: None,
            blocks: Vec::new(),
            arrivals: Vec::new(),
            unrouted: Vec::new(),
            slow: Slow::Told,
            left_out: None,
        }
    }

    /// Without attempts, unless they are those of all pods of both versions: where some have no proxy, or are not scraped, a version would
    /// seem to be asked less often than the other. Attempts are never fewer than requests, but for those of the last scrape.
    pub fn with_whole_attempts(mut self) -> Self {
        let whole = [Role::Stable, Role::Canary].into_iter().all(|role| {
            let blocks = self.blocks.iter().filter(|it| it.role == role);
            let arrivals = self.arrivals.iter().filter(|it| it.role == role);
            let requests: u64 = blocks.map(|it| it.requests).sum();
            let attempts: u64 = arrivals.map(|it| it.attempts).sum();
            attempts * 10 >= requests * 9
        });
        if !whole {
            self.arrivals.clear();
        }
        self
    }

    /// Beside what Kubernetes says of both. A failure without a destination is not the stable version's where it has ready endpoints and
    /// has not restarted: its last restart may have been the moment of the failure.
    pub fn beside(self, stable: Facts, canary: Facts) -> Evidence {
        let stable_ready = stable.ready.is_some_and(|ready| ready > 0) && stable.restarts == 0;
        let unrouted = self.unrouted.into_iter().map(|it| Unrouted {
            to: it.to,
            caller: it.caller,
            requests: it.requests,
            stable_ready,
        });
        Evidence {
            scrape: self.scrape,
            newest: self.newest,
            blocks: self.blocks,
            arrivals: self.arrivals,
            unrouted: unrouted.collect(),
            slow: self.slow,
            left_out: self.left_out,
            stable,
            canary,
        }
    }
}
