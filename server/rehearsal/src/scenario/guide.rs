//! The guide's system midway on its crossing.

use super::Scenario;
use crate::{
    traffic::{Arrivals, Call, Caller, Demand, Work},
    world::guide::{HOST, guide},
};
use naru_domain::traffic::Protocol;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "guide",
    objects: || guide(false),
    demand: || demand(0.0),
    story: None,
};

/// What people and jobs ask of the guide's system; this share of people's requests carries `canary: true`.
pub(super) fn demand(with_header: f64) -> Demand {
    let people = Arrivals {
        name: "people".into(),
        caller: Caller::Gateway {
            namespace: "istio-system".into(),
            workload: "istio-ingressgateway".into(),
            host: HOST.into(),
        },
        call: Call::http("default", "sangsang-plus-gateway"),
        rate: 40.0,
        unrest: 0.4,
        seconds: None,
        header: (with_header > 0.0).then(|| ("canary".into(), "true".into(), with_header)),
    };
    let job = Arrivals {
        name: "price-sync".into(),
        caller: Caller::Workload {
            namespace: "batch".into(),
            workload: "price-sync".into(),
            meshed: false,
        },
        call: Call::http("product-service", "product-service"),
        rate: 4.0,
        unrest: 0.2,
        seconds: Some(30),
        header: None,
    };
    let database = Call {
        protocol: Protocol::Tcp,
        ..Call::http("user-service", "user-db")
    };
    let work = |namespace: &str, workload: &str, ms, failing, calls| {
        ((namespace.into(), workload.into()), Work { ms, failing, calls })
    };
    let works = [
        work(
            "default",
            "sangsang-plus-gateway",
            4.0,
            0.0005,
            vec![
                // Keys are fetched now and then, and a request lives without them.
                Call {
                    essential: false,
                    ..Call::http("keycloak", "keycloak").share(0.05)
                },
                Call::http("user-service", "user-service").share(0.75),
                Call::http("product-service", "product-service").share(0.5),
            ],
        ),
        work(
            "user-service",
            "user-service-v1",
            18.0,
            0.002,
            vec![database.clone().share(0.02)],
        ),
        work(
            "user-service",
            "user-service-v2",
            15.0,
            0.004,
            vec![database.share(0.02)],
        ),
        work("product-service", "product-service", 25.0, 0.001, Vec::new()),
        work("keycloak", "keycloak", 30.0, 0.0, Vec::new()),
    ];
    Demand {
        arrivals: vec![people, job],
        works: works.into(),
        ..Demand::default()
    }
}
