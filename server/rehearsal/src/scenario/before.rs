//! The guide's system before its crossing: nothing is in the mesh.

use super::{Scenario, guide};
use crate::{
    traffic::{Caller, Demand},
    world::guide::{HOST, before},
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "before",
    objects: before,
    demand: at_the_edge,
    story: None,
};

/// The guide's: people enter through Nginx, and the job asks while it runs.
pub(super) fn at_the_edge() -> Demand {
    let mut demand = guide::demand(0.0);
    if let [people, job, ..] = &mut demand.arrivals[..] {
        people.caller = Caller::Nginx {
            namespace: "ingress-nginx".into(),
            workload: "ingress-nginx-controller".into(),
            host: HOST.into(),
        };
        job.seconds = None;
        job.caller = Caller::CronJob {
            namespace: "batch".into(),
            name: "price-sync".into(),
        };
    }
    demand
}
