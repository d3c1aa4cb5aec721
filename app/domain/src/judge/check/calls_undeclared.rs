//! 2.3: nobody calls the Migration's services but who is declared, and they call nothing that the mesh does not know. What is meant is declared by name.

use crate::{
    Name, Why,
    crossing::{Item, Migration, migration::Place},
    judge::{Check, Code, Found, World, ask},
    mesh::Decider,
    traffic::{FlowKey, Traffic},
};
use std::collections::BTreeSet;

const UNDECLARED: Code = Code::error("call-undeclared").state();
const UNKNOWN: Code = Code::error("call-from-unknown").state();
const PASSTHROUGH: Code = Code::error("call-passthrough").state();

pub(super) const CHECK: Check = Check {
    name: "calls_undeclared",
    item: Item::Connected,
    codes: &[&UNDECLARED, &UNKNOWN, &PASSTHROUGH],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    if !world.running(found) {
        return;
    }
    let Some(migration) = world.declared(found, "calls", |it| (!it.calls.is_empty()).then_some(it)) else {
        return;
    };
    let Some(by) = ask::declared_at(world, "/spec/calls") else {
        return;
    };
    let Some(traffic) = &world.traffic else {
        found.unknown(Why::NotYet {
            source: crate::SourceName::Prometheus,
        });
        return;
    };
    found.unknowns(traffic.gaps.iter().cloned());
    let before = found.findings.len();
    looked(world, migration, &traffic.value, &by, found);
    if found.findings.len() == before {
        found.saw_at("calls-declared", &by, traffic.value.flows.len().to_string());
    }
}

fn looked(world: &World<'_>, migration: &Migration, traffic: &Traffic, by: &Decider, found: &mut Found) {
    let ours: BTreeSet<(Name, Name)> = migration
        .all_services()
        .map(|it| (it.namespace.clone(), it.name.clone()))
        .collect();
    let behind: BTreeSet<_> = migration
        .all_services()
        .flat_map(|it| ask::workloads_behind(world, it))
        .collect();
    let edge = edge(world, migration);
    for (key, _) in traffic.flows.iter().filter(|(_, flow)| flow.rate > 0.0) {
        let source = (key.source.namespace.clone(), key.source.workload.clone());
        let service = (key.service.namespace.clone(), key.service.name.clone());
        let args = || {
            [
                ("from", text(&source).into()),
                ("to", text(&service).into()),
            ]
        };
        let past = matches!(&*key.service.name, "PassthroughCluster" | "BlackHoleCluster");
        if past && behind.contains(&source) {
            found.finding(&PASSTHROUGH, by.clone(), args());
        } else if !ours.contains(&service) || edge.contains(&source) {
            continue;
        } else if source.1.is_empty() {
            found.finding(&UNKNOWN, by.clone(), args());
        } else if !declared(migration, key) {
            found.finding(&UNDECLARED, by.clone(), args());
        }
    }
}

fn text((namespace, name): &(Name, Name)) -> String {
    if namespace.is_empty() {
        name.to_string()
    } else {
        format!("{namespace}/{name}")
    }
}

/// Those who bring in what comes from outside: nobody has to declare them.
fn edge(world: &World<'_>, migration: &Migration) -> BTreeSet<(Name, Name)> {
    let edge = migration.edge.as_ref();
    let ingress = edge.and_then(|it| it.ingress.as_ref());
    let mut all: BTreeSet<_> = ingress
        .map(|it| (it.namespace.clone(), it.name.clone()))
        .into_iter()
        .collect();
    if let Some(gateway) = edge.and_then(|it| it.gateway.as_ref()) {
        all.extend(ask::workloads_behind(world, gateway));
    }
    all
}

fn declared(migration: &Migration, key: &FlowKey) -> bool {
    let is = |place: &Place, namespace: &Name, name: &Name| place.namespace == *namespace && place.name == *name;
    migration.calls.iter().any(|call| {
        is(&call.from, &key.source.namespace, &key.source.workload)
            && is(&call.to, &key.service.namespace, &key.service.name)
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        judge::testing::{codes, flow, judged_running, judged_with},
        traffic::Reporter::{Destination, Source},
    };

    const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: a, name: web}, services: [{namespace: a, name: users}],
  edge: {gateway: {namespace: gw, name: gate}}, calls: [{from: {namespace: a, name: web}, to: {namespace: a, name: users}}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: a}, spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: gate, namespace: gw}, spec: {selector: {istio: gate}, ports: [{name: http, port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: gate, namespace: gw}, spec: {template: {metadata: {labels: {istio: gate}}, spec: {containers: [{name: istio-proxy, image: x}]}}}}
"#;

    #[test]
    fn who_is_declared_and_the_edge_are_no_news() {
        let flows = [
            flow("a/web", "a/users", Source, 1.0, 0.0),
            flow("gw/gate", "a/web", Source, 1.0, 0.0),
            flow("x/y", "x/z", Source, 1.0, 0.0),
            flow("x/y", "PassthroughCluster", Source, 1.0, 0.0),
        ];
        let found = judged_with("calls_undeclared", SYSTEM, flows);
        assert_eq!((codes(&found), found.unknown.len(), found.facts.len()), (vec![], 0, 1));
    }

    #[test]
    fn others_are_named() {
        for (from, to, code) in [
            ("b/job", "a/users", "call-undeclared"),
            ("", "a/users", "call-from-unknown"),
            ("a/web", "PassthroughCluster", "call-passthrough"),
        ] {
            let found = judged_with("calls_undeclared", SYSTEM, [flow(from, to, Destination, 1.0, 0.0)]);
            assert_eq!(codes(&found), [code]);
        }
        assert!(!judged_running("calls_undeclared", SYSTEM).unknown.is_empty());
    }
}
