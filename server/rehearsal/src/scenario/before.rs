//! The guide's system before its crossing: nothing is in the mesh.

use super::{Scenario, guide};
use crate::{
    traffic::{Caller, Demand},
    world::guide::{HOST, before},
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "before",
    objects: before,
    demand,
};

/// The guide's, entering through Nginx. The nightly job's requests are not drawn.
fn demand() -> Demand {
    let mut demand = guide::demand(0.0);
    demand.arrivals.truncate(1);
    for people in &mut demand.arrivals {
        people.caller = Caller::Nginx {
            namespace: "ingress-nginx".into(),
            workload: "ingress-nginx-controller".into(),
            host: HOST.into(),
        };
    }
    demand
}
