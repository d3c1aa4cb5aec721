//! 1.3: nobody comes to the entry by the old path, past the gateway: neither the old ingress nor callers that no proxy speaks for.

mod today;

use crate::{
    Name, Why,
    crossing::Item,
    judge::{Check, Code, Found, World, edge},
    mesh::Decider,
    object::{Key, Kind},
    traffic::{Reporter, ServiceId},
};
use today::Today;

const OLD: Code = Code::error("old-path-in-use").state();
const UNNAMED: Code = Code::warning("entry-called-past-gateway").state();

pub(super) const CHECK: Check = Check {
    name: "old_path",
    item: Item::Entered,
    codes: &[&OLD, &today::OLD, &UNNAMED],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let entry = world.declared(found, "entry", |it| it.entry.clone());
    let ingress = world.declared(found, "edge.ingress", |it| it.edge.as_ref()?.ingress.clone());
    if !world.running(found) {
        return;
    }
    let (Some(entry), Some(traffic)) = (entry, &world.traffic) else {
        if world.traffic.is_none() {
            found.unknown(Why::NotObserved {
                what: "traffic".into(),
            });
        }
        return;
    };
    found.unknowns(traffic.gaps.iter().cloned());
    let id = ServiceId {
        namespace: entry.namespace.clone(),
        name: entry.name.clone(),
    };
    let entries = edge::workloads(world, &id);
    if entries.is_empty() {
        found.unknown(Why::NotObserved {
            what: format!("pods of {entry}").into(),
        });
        return;
    }
    let gateways = edge::gateway_workloads(world);
    let by = Decider {
        key: Key::new(Kind::Service, entry.namespace.clone(), entry.name.clone()),
        path: "".into(),
    };
    let mut through = 0.0;
    for (key, flow) in &traffic.value.flows {
        let target = (key.target.namespace.clone(), key.target.workload.clone());
        if key.reporter != Reporter::Destination || !entries.contains(&target) || flow.rate <= 0.0 {
            continue;
        }
        let source = (key.source.namespace.clone(), key.source.workload.clone());
        let rate = format!("{:.2}", flow.rate);
        if gateways.contains(&source) {
            through += flow.rate;
        } else if ingress.as_ref().is_some_and(|it| (&it.namespace, &it.name) == (&source.0, &source.1)) {
            let args = [
                ("entry", entry.to_string().into()),
                ("from", format!("{}/{}", source.0, source.1).into()),
                ("rate", rate.into()),
            ];
            found.finding(&OLD, by.clone(), args);
        } else if source.1.is_empty() {
            let args = [("entry", entry.to_string().into()), ("rate", rate.into())];
            found.finding(&UNNAMED, by.clone(), args);
        }
    }
    found.saw_at("entry-through-gateway", &by, Name::from(format!("{through:.2}/s")));
    let today = Today {
        world,
        gateways: &gateways,
        ingress: ingress.as_ref(),
        by: &by,
    };
    for id in &entries {
        today.of(id, found);
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::{
            World,
            testing::{codes, judged, judged_running, now, objects, of},
        },
        mesh::Prepared,
        traffic::{Dated, Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Traffic},
    };
    use std::{collections::BTreeMap, sync::Arc};

    const WORLD: &str = "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {name: m}\nspec: {entry: {namespace: shop, name: web}, edge: {ingress: {namespace: i, name: nginx}, gateway: {namespace: istio-system, name: gw}}}\n---\n\
        apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n---\n\
        apiVersion: v1\nkind: Service\nmetadata: {name: gw, namespace: istio-system}\nspec: {selector: {istio: gw}, ports: [{port: 80}]}\n---\n\
        apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: gw, namespace: istio-system}\nspec: {template: {metadata: {labels: {istio: gw}}, spec: {containers: [{name: istio-proxy, image: p}]}}}\n---\n\
        apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a}]}}}\n";

    fn found(namespace: &str, workload: &str, rate: f64) -> Vec<&'static str> {
        let objects = objects(WORLD);
        let party = |namespace: &str, workload: &str| Party {
            namespace: namespace.into(),
            workload: workload.into(),
            ..Party::default()
        };
        let key = FlowKey {
            source: party(namespace, workload),
            target: party("shop", "web"),
            service: ServiceId::default(),
            reporter: Reporter::Destination,
            protocol: Protocol::Http,
        };
        let flow = Flow {
            rate,
            ..Flow::default()
        };
        let traffic = Dated {
            value: Traffic {
                window_s: 60,
                flows: BTreeMap::from([(key, flow)]),
            },
            at: now(),
            gaps: Vec::new(),
        };
        let world = World::of(&objects, Prepared::of(&objects), Some(Arc::new(traffic)), now());
        let found = of("old_path", &world);
        assert!(!found.unknown.is_empty());
        codes(&found)
    }

    #[test]
    fn the_old_ingress_and_callers_without_a_name_are_told() {
        assert_eq!(found("i", "nginx", 1.0), ["old-path-in-use"]);
        assert_eq!(found("", "", 1.0), ["entry-called-past-gateway"]);
        assert!(found("i", "nginx", 0.0).is_empty());
    }

    #[test]
    fn the_gateway_and_named_callers_are_not() {
        assert!(found("istio-system", "gw", 1.0).is_empty() && found("shop", "frontend", 1.0).is_empty());
    }

    #[test]
    fn without_traffic_nothing_is_known() {
        assert_eq!(judged("old_path", WORLD).unknown, [Why::NeedsCluster]);
        assert_eq!(judged_running("old_path", WORLD).unknown.len(), 1);
    }
}
