//! How much each workload gets, against what it bears.

use naru_domain::workload::WorkloadId;
use std::collections::BTreeMap;

/// How much of the mean a new step makes: a few seconds count.
const WEIGHT: f64 = 0.05;

/// Never slower than this.
const SLOWEST: f64 = 8.0;

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    /// Requests per second.
    rate: f64,
    /// Requests of this step.
    now: u32,
}

/// The load of workloads that have a capacity.
#[derive(Debug, Default)]
pub(super) struct Loads {
    all: BTreeMap<WorkloadId, Load>,
}

/// What load makes of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Strain {
    /// The part of requests that are too much.
    pub(super) failing: f64,
    /// How many times as long the others take.
    pub(super) slower: f64,
}

impl Loads {
    /// One more request for a workload whose pods together bear `capacity` per second.
    pub(super) fn bear(&mut self, workload: &WorkloadId, capacity: f64) -> Strain {
        if !self.all.contains_key(workload) {
            self.all.insert(workload.clone(), Load::default());
        }
        let rate = self.all.get_mut(workload).map_or(0.0, |load| {
            load.now += 1;
            load.rate
        });
        strain(rate, capacity)
    }

    /// A step of this many milliseconds ends.
    pub(super) fn step(&mut self, ms: f64) {
        for load in self.all.values_mut() {
            load.rate += WEIGHT * (f64::from(load.now) * 1_000.0 / ms - load.rate);
            load.now = 0;
        }
    }
}

fn strain(rate: f64, capacity: f64) -> Strain {
    if rate <= capacity {
        return Strain {
            failing: 0.0,
            slower: 1.0,
        };
    }
    Strain {
        failing: 1.0 - capacity.max(0.0) / rate,
        slower: (rate / capacity.max(1e-9)).powi(2).min(SLOWEST),
    }
}

#[cfg(test)]
mod tests {
    use super::{Loads, strain};

    #[test]
    fn what_is_too_much_fails_and_the_rest_is_slower() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let calm = strain(10.0, 10.0);
        assert!(near(calm.failing, 0.0) && near(calm.slower, 1.0));
        let twice = strain(20.0, 10.0);
        assert!(near(twice.failing, 0.5) && near(twice.slower, 4.0));
        assert!(near(strain(1_000.0, 1.0).slower, 8.0));
    }

    #[test]
    fn the_rate_is_of_the_last_seconds() {
        let mut loads = Loads::default();
        let who = ("a".into(), "b".into());
        for _ in 0..100 {
            for _ in 0..4 {
                loads.bear(&who, 10.0);
            }
            loads.step(200.0);
        }
        let strain = loads.bear(&who, 10.0);
        assert!((0.45..0.5).contains(&strain.failing), "{strain:?}");
        (0..100).for_each(|_| loads.step(200.0));
        assert!(loads.bear(&who, 10.0).failing.abs() < 1e-9);
    }
}
