//! 4.1: the proxies that run are the proxies that are scraped. By workload: where callers' proxies counted requests to one whose own proxies counted none,
//! nobody reads its figures.

use crate::{
    Name, Why,
    crossing::Item,
    fact::{Pod, Proxy as Meshed},
    judge::{Check, Code, FactSource, Found, World, ask, steady},
    mesh::Decider,
    object::{Key, Kind},
    traffic::{Dated, Reporter, Traffic},
    workload::WorkloadId,
};
use std::collections::BTreeSet;

const UNSCRAPED: Code = Code::error("proxy-unscraped").state();
const POD_UNSCRAPED: Code = Code::error("proxy-pod-unscraped").state();

/// Requests over the window of which some must have arrived.
const ENOUGH: f64 = 50.0;

pub(super) const CHECK: Check = Check {
    name: "proxies_scraped",
    item: Item::Observed,
    codes: &[&UNSCRAPED, &POD_UNSCRAPED],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    if !world.running(found) {
        return;
    }
    let migration = world.declared(found, "entry", |it| it.entry.is_some().then_some(it));
    let Some(migration) = migration else { return };
    let Some(traffic) = &world.traffic else {
        found.unknown(Why::NotYet {
            source: crate::SourceName::Prometheus,
        });
        return;
    };
    found.unknowns(traffic.gaps.iter().cloned());
    let scraped = ask::scraped_proxies(world).map_err(|why| found.unknown(why)).ok();
    found.unknowns(scraped.iter().flat_map(|it| it.gaps.iter().cloned()));
    for place in migration.all_services() {
        for id in ask::workloads_behind(world, place) {
            let pods = ask::pods(world, &id);
            let settled = |pod: &&std::sync::Arc<Pod>| {
                pod.proxy == Meshed::Sidecar && !steady::young(world, pod)
            };
            if let Some(scraped) = &scraped {
                let settled: Vec<_> = pods.iter().filter(|it| settled(it)).map(|it| &***it).collect();
                by_pod(&id, &settled, scraped, found);
            }
            if let Some(pod) = pods.iter().find(|pod| settled(pod)) {
                let by = Decider {
                    key: Key::new(Kind::Pod, pod.namespace.clone(), pod.name.clone()),
                    path: "".into(),
                };
                one(&traffic.value, &id, by, found);
            }
        }
    }
}

/// Each pod's figures must be collected: one that is not is missing from every sum.
fn by_pod(
    id: &WorkloadId,
    pods: &[&Pod],
    scraped: &Dated<&BTreeSet<(Name, Name)>>,
    found: &mut Found,
) {
    let mut seen = 0;
    for pod in pods {
        if scraped.value.contains(&(pod.namespace.clone(), pod.name.clone())) {
            seen += 1;
            continue;
        }
        let by = Decider {
            key: Key::new(Kind::Pod, pod.namespace.clone(), pod.name.clone()),
            path: "".into(),
        };
        let name = format!("{}/{}", pod.namespace, pod.name);
        found.finding(&POD_UNSCRAPED, by, [("pod", name.into())]);
    }
    let by = Decider {
        key: Key::new(Kind::Namespace, "", id.0.clone()),
        path: "".into(),
    };
    let value = format!("{}/{}: {seen}/{}", id.0, id.1, pods.len());
    found.learned("proxies-scraped", FactSource::Metrics, &by, value, scraped.at);
}

fn one(traffic: &Traffic, id: &WorkloadId, by: Decider, found: &mut Found) {
    let name = format!("{}/{}", id.0, id.1);
    let rate = |reporter: Reporter| -> f64 {
        let to = traffic.flows.iter().filter(|(key, _)| {
            key.reporter == reporter && key.target.namespace == id.0 && key.target.workload == id.1
        });
        // What failed need not have arrived.
        to.map(|(_, flow)| if reporter == Reporter::Source { flow.rate - flow.failed } else { flow.rate })
            .sum()
    };
    let window = f64::from(traffic.window_s);
    if rate(Reporter::Destination) > 0.0 {
        found.saw_at("proxy-counts", &by, name);
    } else if rate(Reporter::Source) * window >= ENOUGH {
        found.finding(&UNSCRAPED, by, [("workload", name.into())]);
    } else {
        found.unknown(Why::NoTraffic {
            window_s: traffic.window_s,
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        judge::testing::{codes, flow, judged_with},
        traffic::Reporter::{Destination, Source},
    };

    const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: shop, name: web}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}}
"#;

    #[test]
    fn a_proxy_that_counts_nothing_of_what_its_callers_count_is_not_scraped() {
        let by = |reporter, failed| flow("gw/gate", "shop/web", reporter, 5.0, failed);
        let both = judged_with("proxies_scraped", SYSTEM, [by(Source, 0.0), by(Destination, 0.0)]);
        assert_eq!((codes(&both), both.facts.len()), (vec![], 1));
        let one = judged_with("proxies_scraped", SYSTEM, [by(Source, 0.0)]);
        assert_eq!(codes(&one), ["proxy-unscraped"]);
        // Nothing arrived, so that there was nothing to count.
        let lost = judged_with("proxies_scraped", SYSTEM, [by(Source, 5.0)]);
        assert_eq!((codes(&lost), lost.unknown.len()), (vec![], 2));
    }
}
