//! 2.3: each declared call is seen, by both sides' proxies where both have one, and enough of its requests succeed.

use crate::{
    Why,
    crossing::{
        Item,
        migration::{Call, Objectives},
    },
    fact::Proxy,
    judge::{Check, Code, Fact, FactSource, Found, World, ask},
    mesh::{Decider, subset::duration::millis},
    traffic::{Dated, Flow, FlowKey, Reporter, Traffic},
    workload::WorkloadId,
};

const FAILING: Code = Code::error("call-failing").state();

/// Of fewer requests no share is told.
const ENOUGH: f64 = 50.0;

pub(super) const CHECK: Check = Check {
    name: "calls_seen",
    item: Item::Connected,
    codes: &[&FAILING],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    if !world.running(found) {
        return;
    }
    let declared = world.declared(found, "calls", |it| {
        (!it.calls.is_empty()).then_some((&it.calls, &it.objectives))
    });
    let Some((calls, objectives)) = declared else { return };
    let Some(traffic) = &world.traffic else {
        found.unknown(Why::NotYet {
            source: crate::SourceName::Prometheus,
        });
        return;
    };
    found.unknowns(traffic.gaps.iter().cloned());
    for (index, call) in calls.iter().enumerate() {
        if let Some(here) = ask::declared_at(world, &format!("/spec/calls/{index}")) {
            one(world, traffic, call, objectives, here, found);
        }
    }
}

fn one(
    world: &World<'_>,
    traffic: &Dated<Traffic>,
    call: &Call,
    objectives: &Objectives,
    here: Decider,
    found: &mut Found,
) {
    let from: WorkloadId = (call.from.namespace.clone(), call.from.name.clone());
    let meshed = |id: &WorkloadId| {
        let pods = ask::pods(world, id);
        !pods.is_empty() && pods.iter().all(|pod| pod.proxy == Proxy::Sidecar)
    };
    if !meshed(&from) {
        // Istio's metrics do not name callers without a proxy.
        return found.unknown(Why::NotObserved {
            what: format!("{} → {}", call.from, call.to).into(),
        });
    }
    let window_s = traffic.value.window_s;
    let by = |reporter: Reporter| sum(&traffic.value, call, reporter);
    let (source, target) = (by(Reporter::Source), by(Reporter::Destination));
    let Some((rate, failed)) = source.or(target) else {
        let rare = millis(&call.period).is_some_and(|period| period > u64::from(window_s) * 1_000);
        return found.unknown(if rare {
            Why::NotObserved {
                what: format!("{} → {}: {}", call.from, call.to, call.period).into(),
            }
        } else {
            Why::NoTraffic { window_s }
        });
    };
    let ends = ask::workloads_behind(world, &call.to);
    if !ends.is_empty() && ends.iter().all(meshed) {
        let missing = match (source, target) {
            (None, _) => Some("source"),
            (_, None) => Some("destination"),
            _ => None,
        };
        if let Some(missing) = missing {
            found.unknown(Why::OneReporter {
                missing: missing.into(),
            });
        }
    }
    let requests = rate * f64::from(window_s);
    if requests < ENOUGH {
        return found.unknown(Why::TooYoung {
            samples: whole(requests),
            needed: whole(ENOUGH),
        });
    }
    let success = 1.0 - failed / rate;
    let share = |it: f64| format!("{:.2} %", it * 100.0);
    if success < objectives.success {
        let args = [
            ("from", call.from.to_string().into()),
            ("to", call.to.to_string().into()),
            ("success", share(success).into()),
            ("objective", share(objectives.success).into()),
        ];
        return found.finding(&FAILING, here, args);
    }
    found.facts.push(Fact {
        name: "call-seen",
        source: FactSource::Metrics,
        key: Some(here.key),
        path: here.path,
        value: format!("{} → {}: {rate:.2}/s, {}", call.from, call.to, share(success)).into(),
        at: Some(traffic.at),
        resource_version: "".into(),
    });
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of requests, which is not negative; larger ones saturate"
)]
fn whole(requests: f64) -> u32 {
    requests as u32
}

/// Requests a second, and of these failed, as one side's proxies counted them; None where they counted none.
fn sum(traffic: &Traffic, call: &Call, reporter: Reporter) -> Option<(f64, f64)> {
    let of = |key: &FlowKey| {
        key.reporter == reporter
            && key.source.namespace == call.from.namespace
            && key.source.workload == call.from.name
            && key.service.namespace == call.to.namespace
            && key.service.name == call.to.name
    };
    let flows = traffic.flows.iter().filter(|(key, flow)| of(key) && flow.rate > 0.0);
    let add = |sum: Option<(f64, f64)>, flow: &Flow| {
        let (rate, failed) = sum.unwrap_or_default();
        Some((rate + flow.rate, failed + flow.failed))
    };
    flows.fold(None, |sum, (_, flow)| add(sum, flow))
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, flow, judged, judged_running, judged_with},
        traffic::Reporter::{Destination, Source},
    };

    const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {calls: [{from: {namespace: a, name: web}, to: {namespace: a, name: users}}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {istio-injection: enabled}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: a}, spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: users, namespace: a}, spec: {selector: {app: users}, ports: [{name: http, port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: users, namespace: a}, spec: {template: {metadata: {labels: {app: users}}, spec: {containers: [{name: app}]}}}}
"#;

    #[test]
    fn seen_by_both_and_well_is_a_fact() {
        let flows = [Source, Destination].map(|it| flow("a/web", "a/users", it, 10.0, 0.0));
        let found = judged_with("calls_seen", SYSTEM, flows);
        assert_eq!((codes(&found), found.unknown.len(), found.facts.len()), (vec![], 0, 1));
    }

    #[test]
    fn what_fails_more_than_promised_is_found() {
        let flows = [Source, Destination].map(|it| flow("a/web", "a/users", it, 10.0, 0.1));
        assert_eq!(codes(&judged_with("calls_seen", SYSTEM, flows)), ["call-failing"]);
    }

    #[test]
    fn silence_few_requests_and_one_reporter_are_unknown() {
        for yaml in [SYSTEM.to_owned(), SYSTEM.replace("calls:", "odd:")] {
            assert!(!judged("calls_seen", &yaml).unknown.is_empty());
            assert!(!judged_running("calls_seen", &yaml).unknown.is_empty());
        }
        let quiet = judged_with("calls_seen", SYSTEM, []);
        assert_eq!(quiet.unknown, [Why::NoTraffic { window_s: 600 }]);
        let rare = SYSTEM.replace("name: users}}]}}", "name: users}, period: 24h}]}}");
        assert!(matches!(
            &judged_with("calls_seen", &rare, []).unknown[..],
            [Why::NotObserved { .. }]
        ));
        let few = [Source, Destination].map(|it| flow("a/web", "a/users", it, 0.05, 0.05));
        let few = judged_with("calls_seen", SYSTEM, few);
        assert_eq!(codes(&few), [""; 0]);
        assert!(matches!(few.unknown[..], [Why::TooYoung { .. }]));
        let one = judged_with("calls_seen", SYSTEM, [flow("a/web", "a/users", Source, 10.0, 0.0)]);
        assert!(matches!(one.unknown[..], [Why::OneReporter { .. }]));
    }
}
