//! 1.3: what only the old ingress's own metrics tell: how much of each host's requests went to the gateway, and how that compares with before. The
//! mesh cannot see it: a proxy counts what comes to it. (ingress-nginx documentation, "Prometheus and Grafana installation"; its counters name the
//! host only where `--metrics-per-host` is left as it is.)

use crate::{
    Why,
    crossing::{
        Item,
        migration::{Baseline, Edge},
    },
    inquiry::{EdgeFlow, EdgeRequests},
    judge::{
        Check, Code, FactSource, Found, World,
        edge::{self, Lead},
    },
    mesh::Decider,
    object::{Key, Kind},
    traffic::ServiceId,
};
use std::collections::BTreeSet;

const PAST: Code = Code::error("nginx-requests-past-gateway").state();
const FAILS: Code = Code::error("edge-fails-more").state();
const SLOWER: Code = Code::error("edge-slower").state();

/// Requests must have come over so many seconds: five minutes hold more than one deploy's noise.
const WINDOW_S: u32 = 300;
/// Of fewer requests no share is told.
const ENOUGH: f64 = 100.0;
/// The share of what was passed on that must go to the gateway.
const THROUGH: f64 = 0.99;
/// How much longer than before a request may take on average: a gateway and two proxies are on its way that were not.
const SLOWER_BY: f64 = 1.2;

pub(super) const CHECK: Check = Check {
    name: "ingress_observed",
    item: Item::Entered,
    codes: &[&PAST, &FAILS, &SLOWER],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let edge = world.declared(found, "edge", |it| it.edge.as_ref());
    let Some(edge) = edge.filter(|_| world.running(found)) else {
        return;
    };
    let Some(counted) = world.ask(&EdgeRequests { window_s: WINDOW_S }, found) else {
        return;
    };
    if counted.value.is_empty() {
        return found.unknown(Why::NotObserved {
            what: "nginx_ingress_controller_requests".into(),
        });
    }
    if edge.baseline.is_none() {
        found.unknown(Why::NotDeclared {
            field: "edge.baseline".into(),
        });
    }
    let gateways = edge::gateways(world);
    for host in &edge.hosts {
        let flows: Vec<&EdgeFlow> = counted.value.iter().filter(|it| it.host == *host).collect();
        let rate: f64 = flows.iter().map(|it| it.rate).sum();
        if rate * f64::from(WINDOW_S) < ENOUGH {
            found.unknown(Why::NoTraffic { window_s: WINDOW_S });
            continue;
        }
        let by = place(edge, host, world);
        through(world, &gateways, &flows, host, &by, counted.at, found);
        if let Some(baseline) = &edge.baseline {
            compared(baseline, &flows, host, &by, counted.at, found);
        }
    }
}

/// The Ingress of the host, or the Migration that names it.
fn place(edge: &Edge, host: &str, world: &World<'_>) -> Decider {
    if let Some((ingress, _)) = edge::ingresses(world, host).first() {
        return edge::at(ingress, "");
    }
    let ingress = edge.ingress.clone().unwrap_or_default();
    Decider {
        key: Key::new(Kind::Deployment, ingress.namespace, ingress.name),
        path: "".into(),
    }
}

fn through(
    world: &World<'_>,
    gateways: &BTreeSet<ServiceId>,
    flows: &[&EdgeFlow],
    host: &str,
    by: &Decider,
    at: crate::Timestamp,
    found: &mut Found,
) {
    // What nginx answered itself went nowhere.
    let passed = flows.iter().filter(|it| !it.service.1.is_empty());
    let (mut to_gateway, mut all) = (0.0, 0.0);
    let mut elsewhere = BTreeSet::new();
    for flow in passed {
        all += flow.rate;
        let ingresses = edge::ingresses(world, host);
        let own = ingresses.iter().find(|(it, _)| it.namespace == flow.service.0);
        let lead = own.map(|(ingress, _)| edge::lead(world, gateways, ingress, &flow.service.1));
        let id = ServiceId {
            namespace: flow.service.0.clone(),
            name: flow.service.1.clone(),
        };
        if lead == Some(Lead::Gateway) || gateways.contains(&id) {
            to_gateway += flow.rate;
        } else {
            elsewhere.insert(format!("{}/{}", flow.service.0, flow.service.1));
        }
    }
    if all <= 0.0 {
        return found.unknown(Why::NoTraffic { window_s: WINDOW_S });
    }
    let share = to_gateway / all;
    let text = format!("{:.2} %", share * 100.0);
    if share < THROUGH {
        let elsewhere: Vec<String> = elsewhere.into_iter().collect();
        let args = [
            ("host", host.into()),
            ("share", text.into()),
            ("elsewhere", elsewhere.join(", ").into()),
        ];
        return found.finding(&PAST, by.clone(), args);
    }
    let seen = format!("{host}: {text} · {all:.1}/s");
    found.learned("ingress-to-gateway", FactSource::Metrics, by, seen, at);
}

fn compared(
    baseline: &Baseline,
    flows: &[&EdgeFlow],
    host: &str,
    by: &Decider,
    at: crate::Timestamp,
    found: &mut Found,
) {
    let rate: f64 = flows.iter().map(|it| it.rate).sum();
    let failed: f64 = flows.iter().map(|it| it.failed).sum();
    let success = 1.0 - failed / rate;
    let share = |it: f64| format!("{:.2} %", it * 100.0);
    // Four standard deviations (a normal approximation of the binomial) and three failures: requests come in bursts, and there are many windows a day.
    let requests = rate * f64::from(WINDOW_S);
    let chance = 4.0 * (baseline.success * (1.0 - baseline.success) / requests).sqrt() + 3.0 / requests;
    if success < baseline.success - chance {
        let args = [
            ("host", host.into()),
            ("success", share(success).into()),
            ("before", share(baseline.success).into()),
        ];
        found.finding(&FAILS, by.clone(), args);
    }
    let timed: Vec<(f64, f64)> = flows.iter().filter_map(|it| Some((it.rate, it.mean_ms?))).collect();
    let weight: f64 = timed.iter().map(|(rate, _)| rate).sum();
    if weight <= 0.0 {
        return found.unknown(Why::NotObserved {
            what: "nginx_ingress_controller_request_duration_seconds".into(),
        });
    }
    let mean = timed.iter().map(|(rate, mean)| rate * mean).sum::<f64>() / weight;
    if mean > baseline.mean_ms * SLOWER_BY {
        let args = [
            ("host", host.into()),
            ("mean", format!("{mean:.0} ms").into()),
            ("before", format!("{:.0} ms", baseline.mean_ms).into()),
        ];
        found.finding(&SLOWER, by.clone(), args);
    }
    let seen = format!("{host}: {} · {mean:.0} ms · n={requests:.0}", share(success));
    found.learned("edge-compared", FactSource::Metrics, by, seen, at);
}

#[cfg(test)]
mod tests {
    use crate::{
        inquiry::{EdgeFlow, EdgeRequests, Reply},
        judge::{
            Found,
            testing::{codes, judged_asking},
        },
    };

    const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {edge: {hosts: [a.example], gateway: {namespace: g, name: gw}, baseline: {success: 0.999, meanMs: 40}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: gw, namespace: g}, spec: {selector: {istio: gw}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: to-mesh, namespace: shop}, spec: {type: ExternalName, externalName: gw.g.svc.cluster.local}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a, namespace: shop}, spec: {rules: [{host: a.example, http: {paths: [{path: /, backend: {service: {name: to-mesh, port: {number: 80}}}}]}}]}}
"#;

    fn flow(service: &str, rate: f64, failed: f64, mean: Option<f64>) -> EdgeFlow {
        EdgeFlow {
            host: "a.example".into(),
            service: ("shop".into(), service.into()),
            rate,
            failed,
            mean_ms: mean,
        }
    }

    fn found(flows: &[EdgeFlow]) -> Found {
        let question = EdgeRequests { window_s: 300 };
        judged_asking("ingress_observed", SYSTEM, [(question.into(), Reply::EdgeRequests(flows.to_vec()))])
    }

    #[test]
    fn nearly_everything_goes_to_the_gateway() {
        let through = found(&[flow("to-mesh", 99.5, 0.0, Some(42.0)), flow("web", 0.5, 0.0, Some(40.0))]);
        assert_eq!((codes(&through), through.facts.len(), through.unknown.len()), (vec![], 2, 0));
        let past = found(&[flow("to-mesh", 90.0, 0.0, Some(42.0)), flow("web", 10.0, 0.0, Some(40.0))]);
        assert_eq!(codes(&past), ["nginx-requests-past-gateway"]);
    }

    #[test]
    fn what_nginx_answers_itself_went_nowhere_and_fails_all_the_same() {
        let own = found(&[flow("to-mesh", 95.0, 0.0, Some(40.0)), flow("", 5.0, 5.0, Some(1.0))]);
        assert_eq!(codes(&own), ["edge-fails-more"]);
    }

    #[test]
    fn errors_and_latency_are_compared_with_before() {
        assert_eq!(codes(&found(&[flow("to-mesh", 100.0, 1.0, Some(49.0))])), ["edge-fails-more", "edge-slower"]);
        // One failure of 500 requests is chance where one of a thousand is usual.
        assert!(codes(&found(&[flow("to-mesh", 100.0 / 60.0, 1.0 / 300.0, Some(47.0))])).is_empty());
    }

    #[test]
    fn what_is_not_counted_is_not_known() {
        for (flows, unknown) in [
            (vec![], 1),
            (vec![flow("to-mesh", 0.1, 0.0, Some(40.0))], 1),
            (vec![flow("to-mesh", 100.0, 0.0, None)], 1),
        ] {
            let found = found(&flows);
            assert_eq!((codes(&found), found.unknown.len()), (vec![], unknown));
        }
    }
}
