//! Connection pools: how many requests a proxy has under way at once, and which connections it has open.
//!
//! By Little's law as many are under way on average as arrive while one takes; how many there are when a request comes is drawn around
//! that, as requests come independently (Envoy reference, "Circuit breaking"; `connectionPool` in Istio's `DestinationRule`).

use crate::draw::Draw;
use std::collections::BTreeMap;

/// How much of the mean a new step makes.
const WEIGHT: f64 = 0.2;

/// What a pool takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Connections; a request over them waits.
    pub(super) connections: u32,
    /// Requests that may wait.
    pub(super) pending: u32,
    /// Requests under way and waiting.
    pub(super) requests: u32,
}

/// One calling pod's pool for one destination.
#[derive(Clone, Copy, Debug, Default)]
struct Pool {
    mean: f64,
    /// Milliseconds of requests in this step.
    busy: f64,
}

/// Pools that have a limit.
#[derive(Debug, Default)]
pub(super) struct Pools {
    all: BTreeMap<(u32, u32), Pool>,
}

/// What a pool does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Admission {
    /// It goes on, after as many others as this one waits for, in parts of a request's own time.
    After(f64),
    /// 503, flag UO.
    Overflow,
}

impl Pools {
    pub(super) fn admit(&self, pod: u32, destination: u32, limits: Limits, draw: &mut Draw) -> Admission {
        let mean = self.all.get(&(pod, destination)).map_or(0.0, |it| it.mean);
        let others = draw.arrivals(mean);
        if others >= limits.requests || others >= limits.connections.saturating_add(limits.pending) {
            return Admission::Overflow;
        }
        match others.checked_sub(limits.connections) {
            None => Admission::After(0.0),
            Some(waiting) => Admission::After(f64::from(waiting + 1) / f64::from(limits.connections.max(1))),
        }
    }

    /// A request was under way for this long.
    pub(super) fn took(&mut self, pod: u32, destination: u32, ms: f64) {
        self.all.entry((pod, destination)).or_default().busy += ms;
    }

    /// A step of this many milliseconds ends.
    pub(super) fn step(&mut self, ms: f64) {
        self.all.retain(|_, pool| {
            pool.mean += WEIGHT * (pool.busy / ms - pool.mean);
            pool.busy = 0.0;
            pool.mean > 1e-3
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission, Limits, Pools};
    use crate::draw::Draw;

    fn refused(rate: f64, ms: f64, limits: Limits) -> u32 {
        let mut pools = Pools::default();
        for _ in 0..100 {
            pools.took(1, 2, rate * 0.2 * ms);
            pools.step(200.0);
        }
        let mut draw = Draw::new(1, 1);
        (0..1_000).fold(0, |n, _| {
            n + u32::from(pools.admit(1, 2, limits, &mut draw) == Admission::Overflow)
        })
    }

    #[test]
    fn a_pool_overflows_when_more_are_under_way_than_it_takes() {
        let ten = Limits {
            connections: 10,
            pending: 10,
            requests: u32::MAX,
        };
        assert_eq!(refused(50.0, 100.0, ten), 0, "five at once");
        let some = refused(150.0, 100.0, ten);
        assert!((60..200).contains(&some), "fifteen at once: {some}");
        let one = Limits { requests: 5, ..ten };
        assert!(refused(50.0, 100.0, one) > 400);
    }

    #[test]
    fn who_comes_over_the_connections_waits() {
        let mut pools = Pools::default();
        let one = Limits {
            connections: 1,
            pending: 100,
            requests: u32::MAX,
        };
        let mut draw = Draw::new(1, 1);
        assert_eq!(pools.admit(1, 2, one, &mut draw), Admission::After(0.0));
        for _ in 0..100 {
            pools.took(1, 2, 200.0 * 20.0);
            pools.step(200.0);
        }
        assert!(matches!(pools.admit(1, 2, one, &mut draw), Admission::After(it) if it > 5.0));
    }
}
