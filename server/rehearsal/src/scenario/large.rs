//! A system large enough to measure memory and time on.

use super::Scenario;
use crate::{
    traffic::{Arrivals, Call, Caller, Demand},
    world,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "large",
    objects: || world::large(50, 500, 4_000),
    demand,
    story: None,
};

/// Each service is called by its neighbour, so that there are as many edges as services.
fn demand() -> Demand {
    let place = |s: u32| (format!("team-{:03}", s % 50), format!("service-{s:04}"));
    let arrivals = (0..500).map(|s| {
        let (namespace, name) = place(s);
        let (next, called) = place((s + 1) % 500);
        Arrivals {
            name: format!("{namespace}/{name}").into(),
            caller: Caller::Workload {
                namespace: namespace.as_str().into(),
                workload: format!("{name}-v1").into(),
                meshed: true,
            },
            call: Call::http(&next, &called),
            ..Arrivals::default()
        }
    });
    Demand {
        arrivals: arrivals.collect(),
        ..Demand::default()
    }
}
