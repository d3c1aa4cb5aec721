//! Counts of hours, kept small.

use super::{
    counts::{Counts, UnroutedCount},
    evidence::{Arrivals, Block},
};
use crate::Timestamp;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// What is younger is left as fine as it was counted.
const FINE: SignedDuration = SignedDuration::from_mins(10);

impl Counts {
    /// In the order of time, and what is older than ten minutes by the minute, which is as fine as the versions are compared. Attempts are
    /// by the minute all of them, for nothing asks when within it they came.
    pub fn coarse(self, now: Timestamp) -> Self {
        let fine = now.checked_sub(FINE).unwrap_or(now);
        let at = |to: Timestamp| {
            if to > fine {
                to.as_millisecond()
            } else {
                minute(to)
            }
        };
        let mut blocks = BTreeMap::new();
        for it in self.blocks {
            let key = (at(it.to), it.caller.clone(), it.role, it.destination.clone());
            put(&mut blocks, key, it, |all: &mut Block, it| {
                all.from = all.from.min(it.from);
                all.to = all.to.max(it.to);
                all.requests += it.requests;
                all.failed += it.failed;
                all.grpc_failed += it.grpc_failed;
                all.client_errors += it.client_errors;
                all.slow += it.slow;
            });
        }
        let mut arrivals = BTreeMap::new();
        for it in self.arrivals {
            let key = (minute(it.to), it.role, it.pod.clone());
            put(&mut arrivals, key, it, |all: &mut Arrivals, it| {
                all.to = all.to.max(it.to);
                all.attempts += it.attempts;
            });
        }
        let mut unrouted = BTreeMap::new();
        for it in self.unrouted {
            let key = (at(it.to), it.caller.clone());
            put(&mut unrouted, key, it, |all: &mut UnroutedCount, it| {
                all.to = all.to.max(it.to);
                all.requests += it.requests;
            });
        }
        Self {
            blocks: blocks.into_values().collect(),
            arrivals: arrivals.into_values().collect(),
            unrouted: unrouted.into_values().collect(),
            ..self
        }
    }
}

/// The minute's first millisecond.
fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60) * 60_000
}

fn put<K: Ord, T>(all: &mut BTreeMap<K, T>, key: K, it: T, add: impl FnOnce(&mut T, T)) {
    use std::collections::btree_map::Entry;
    match all.entry(key) {
        Entry::Vacant(place) => drop(place.insert(it)),
        Entry::Occupied(mut place) => add(place.get_mut(), it),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Arrivals, Block, Counts, Role, UnroutedCount};
    use crate::Timestamp;
    use jiff::SignedDuration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn block(caller: &str, role: Role, from: i64, to: i64) -> Block {
        Block {
            from: at(from),
            to: at(to),
            role,
            caller: caller.into(),
            destination: "n/w".into(),
            requests: 10,
            failed: 1,
            grpc_failed: 2,
            client_errors: 3,
            slow: 4,
        }
    }

    #[test]
    fn minutes_callers_and_versions_stay_apart_and_nothing_is_lost() {
        let blocks = vec![
            block("a", Role::Stable, 3_585, 3_600),
            block("a", Role::Stable, 45, 60),
            block("a", Role::Stable, 60, 75),
            block("a", Role::Stable, 105, 119),
            block("a", Role::Stable, 105, 120),
            block("a", Role::Canary, 105, 119),
            block("b", Role::Stable, 105, 119),
            block("a", Role::Stable, 3_600, 3_615),
        ];
        let arrivals = |to, pod: Option<&str>| Arrivals {
            to: at(to),
            role: Role::Stable,
            pod: pod.map(Into::into),
            attempts: 5,
        };
        let unrouted = |to| UnroutedCount {
            to: at(to),
            caller: "a".into(),
            requests: 7,
        };
        let counts = Counts {
            scrape: SignedDuration::from_secs(15),
            newest: Some(at(3_615)),
            blocks,
            arrivals: vec![
                arrivals(3_615, Some("p")),
                arrivals(3_600, Some("p")),
                arrivals(3_615, Some("q")),
                arrivals(60, None),
            ],
            unrouted: vec![unrouted(60), unrouted(75), unrouted(3_600), unrouted(3_615)],
            ..Counts::nothing()
        };
        let coarse = counts.coarse(at(3_620));
        let shown: Vec<_> = coarse
            .blocks
            .iter()
            .map(|it| {
                (
                    it.from.as_second(),
                    it.to.as_second(),
                    &*it.caller,
                    it.role,
                    it.requests,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (45, 119, "a", Role::Stable, 30),
                (105, 119, "a", Role::Canary, 10),
                (105, 119, "b", Role::Stable, 10),
                (105, 120, "a", Role::Stable, 10),
                (3_585, 3_600, "a", Role::Stable, 10),
                (3_600, 3_615, "a", Role::Stable, 10),
            ]
        );
        let first = &coarse.blocks[0];
        assert_eq!(
            (first.failed, first.grpc_failed, first.client_errors, first.slow),
            (3, 6, 9, 12)
        );
        let shown: Vec<_> = coarse
            .arrivals
            .iter()
            .map(|it| (it.to.as_second(), it.pod.as_deref(), it.attempts))
            .collect();
        assert_eq!(
            shown,
            [(60, None, 5), (3_615, Some("p"), 10), (3_615, Some("q"), 5)]
        );
        let shown: Vec<_> = coarse
            .unrouted
            .iter()
            .map(|it| (it.to.as_second(), it.requests))
            .collect();
        assert_eq!(shown, [(75, 14), (3_600, 7), (3_615, 7)]);
        let again = coarse.clone().coarse(at(3_620));
        assert_eq!(again, coarse);
    }
}
