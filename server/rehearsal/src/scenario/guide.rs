//! The guide's system midway on its crossing.

use super::Scenario;
use crate::{
    traffic::{Arrivals, Call, Caller, Demand, Shape, Work},
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
        rate: 40.0,
        unrest: 0.4,
        shapes: shapes(with_header),
        ..Arrivals::default()
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
        seconds: Some(30),
        shapes: vec![Shape::get(1.0, "/api/products/prices")],
        ..Arrivals::default()
    };
    let database = Call {
        protocol: Protocol::Tcp,
        ..Call::http("user-service", "user-db").share(0.02)
    };
    let work = |namespace: &str, workload: &str, work| ((namespace.into(), workload.into()), work);
    let plain = |ms, failing, calls| Work {
        ms,
        failing,
        calls,
        ..Work::default()
    };
    // Spring Cloud Gateway, by path.
    let routes = vec![
        Call::http("user-service", "user-service").at("/api/users/"),
        Call::http("product-service", "product-service").at("/api/products/"),
        Call::http("keycloak", "keycloak").at("/auth/"),
        // Keys are fetched now and then, and a request lives without them.
        Call {
            essential: false,
            ..Call::http("keycloak", "keycloak").share(0.02)
        },
    ];
    let works = [
        work("default", "sangsang-plus-gateway", plain(4.0, 0.0005, routes)),
        work(
            "user-service",
            "user-service-v1",
            plain(18.0, 0.002, vec![database.clone()]),
        ),
        work(
            "user-service",
            "user-service-v2",
            plain(15.0, 0.004, vec![database]),
        ),
        work(
            "product-service",
            "product-service",
            plain(25.0, 0.001, Vec::new()),
        ),
        work("keycloak", "keycloak", plain(30.0, 0.0, Vec::new())),
    ];
    Demand {
        arrivals: vec![people, job],
        works: works.into(),
        ..Demand::default()
    }
}

/// What people ask: mostly for themselves, then for products; a few sign in.
fn shapes(with_header: f64) -> Vec<Shape> {
    let users = |share| Shape::get(share, "/api/users/me");
    let mut all = vec![
        users(0.6 * (1.0 - with_header)),
        Shape::get(0.35, "/api/products/list?page=1"),
        Shape {
            method: "POST".into(),
            ..Shape::get(0.05, "/auth/realms/sangsang/protocol/openid-connect/token")
        },
    ];
    if with_header > 0.0 {
        all.push(users(0.6 * with_header).header("canary", "true"));
    }
    all
}
