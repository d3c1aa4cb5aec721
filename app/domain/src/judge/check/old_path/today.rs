//! Who came to the entry over a whole day.

use crate::{
    Timestamp, Why,
    crossing::migration::Place,
    inquiry::CountsOf,
    judge::{Code, FactSource, Found, World, ask},
    mesh::Decider,
    traffic::Reporter,
    workload::WorkloadId,
};
use jiff::{SignedDuration, civil::Weekday, tz::TimeZone};
use std::collections::BTreeSet;

/// The old ingress came some time.
pub(super) const OLD: Code = Code::error("old-path-in-use-today").state();

/// One window does not show a day with its peak: what comes by night, or once.
pub(super) struct Today<'w, 'o> {
    pub(super) world: &'w World<'o>,
    pub(super) gateways: &'w BTreeSet<WorkloadId>,
    pub(super) ingress: Option<&'w Place>,
    pub(super) by: &'w Decider,
}

impl Today<'_, '_> {
    pub(super) fn of(&self, id: &WorkloadId, found: &mut Found) {
        // To ten minutes, so that it is the same question for as long.
        let until = self.world.now.as_second() / 600 * 600;
        let Ok(until) = Timestamp::from_second(until) else { return };
        // A day with a weekday's peak in it, wherever on the globe that is: after a weekend it reaches back to the Friday.
        let weekday = until.to_zoned(TimeZone::UTC).weekday();
        let after_weekend = matches!(weekday, Weekday::Saturday | Weekday::Sunday | Weekday::Monday);
        let hours = if after_weekend { 80 } else { 24 };
        let question = CountsOf {
            to: id.clone(),
            by: Reporter::Destination,
            from: until - SignedDuration::from_hours(hours),
            until,
        };
        let Some(counts) = ask::counted(self.world, &question, found) else {
            return;
        };
        let name = format!("{}/{}", id.0, id.1);
        let (mut through, mut unnamed) = (0.0, 0.0);
        for (caller, count) in &counts.value.by_caller {
            let place = Place {
                namespace: caller.0.clone(),
                name: caller.1.clone(),
            };
            if self.gateways.contains(caller) {
                through += count.requests;
            } else if self.ingress == Some(&place) && count.requests >= 0.5 {
                let args = [
                    ("entry", name.as_str().into()),
                    ("from", place.to_string().into()),
                    ("requests", format!("{:.0}", count.requests).into()),
                ];
                found.finding(&OLD, self.by.clone(), args);
            } else if caller.1.is_empty() {
                unnamed += count.requests;
            }
        }
        // Whoever has no proxy has no name: it may be the old ingress.
        if unnamed >= 0.5 {
            found.unknown(Why::NotObserved {
                what: format!("? → {name}: {unnamed:.0}").into(),
            });
        }
        let seen = format!("{name}: {through:.0} · {hours} h");
        found.learned("entry-through-gateway-today", FactSource::Metrics, self.by, seen, counts.at);
    }
}
