//! Who looks on while time passes, and when Prometheus is away.

use super::{samples::Samples, toll::Toll};
use naru_domain::{Name, Timestamp, snapshot::Objects};
use std::{collections::BTreeMap, sync::Arc};

/// Told of each whole second in its turn, however late somebody asks: what it makes of them depends on the rehearsal's time alone.
pub(crate) trait Observer: Send + Sync {
    /// A whole second has passed.
    fn second(&self, seen: &Second<'_>);
}

/// The system at the end of a second.
pub(crate) struct Second<'a> {
    pub(crate) at: Timestamp,
    /// As the proxies have them.
    pub(crate) objects: &'a Objects,
    pub(crate) toll: &'a Toll,
    samples: &'a Samples,
}

/// Requests answered since the start, by the caller's workload and the one that answered, as callers' proxies counted them.
pub(crate) type Answered = BTreeMap<(Name, Name), u64>;

impl Second<'_> {
    pub(crate) fn answered(&self) -> Answered {
        self.samples.answered()
    }
}

/// What the simulation is told beside the time.
#[derive(Default)]
pub(super) struct Eyes {
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// Milliseconds from which to which Prometheus is away: it neither answers nor scrapes.
    pub(super) away: Vec<(i64, i64)>,
}

impl Eyes {
    pub(super) fn away(&self, at: i64) -> bool {
        self.away.iter().any(|(from, to)| (*from..*to).contains(&at))
    }

    pub(super) fn second(&self, at: i64, objects: &Objects, toll: &Toll, samples: &Samples) {
        let (Some(observer), 0) = (&self.observer, at.rem_euclid(1_000)) else {
            return;
        };
        if let Ok(at) = Timestamp::from_millisecond(at) {
            observer.second(&Second {
                at,
                objects,
                toll,
                samples,
            });
        }
    }
}
