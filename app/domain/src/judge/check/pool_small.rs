//! 2.3: connection pools hold what comes. What is over `http1MaxPendingRequests` gets 503 with the flag UO, which no retry makes better.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, ask},
    mesh::{
        Decider, Proxy, host,
        route::ChosenDestination,
        subset,
    },
    object::Kind,
    traffic::{FlowKey, Reporter},
};
use serde_json::Value;

const SMALL: Code = Code::warning("pool-small");
const OVERFLOWS: Code = Code::error("pool-overflows").state();

/// A pool of so many is full as soon as a page with some pictures is loaded.
const FEW: u64 = 16;

pub(super) const CHECK: Check = Check {
    name: "pool_small",
    item: Item::Connected,
    codes: &[&SMALL, &OVERFLOWS],
    run,
};

const LIMITS: [&str; 3] = [
    "tcp/maxConnections",
    "http/http1MaxPendingRequests",
    "http/http2MaxRequests",
];

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::DestinationRule));
    for rule in world.objects.of_kind(Kind::DestinationRule) {
        for level in ask::traffic_policies(rule) {
            for limit in LIMITS {
                let path = format!("{level}/connectionPool/{limit}");
                // Istio does not tell 0 from nothing.
                let set = rule.get(&path).and_then(Value::as_u64).filter(|it| *it > 0);
                if let Some(size) = set.filter(|it| *it <= FEW) {
                    let args = [
                        ("host", rule.text("/spec/host").into()),
                        ("field", limit.rsplit('/').next().unwrap_or(limit).into()),
                        ("size", size.to_string().into()),
                    ];
                    found.finding(&SMALL, Decider::of(rule, path), args);
                }
            }
        }
    }
    if let Some(traffic) = &world.traffic {
        for (key, flow) in &traffic.value.flows {
            let overflow = |flags: &str| flags.split(',').any(|flag| flag == "UO");
            let lost: f64 = flow
                .codes
                .iter()
                .filter(|((_, flags), _)| overflow(flags))
                .map(|(_, rate)| rate)
                .sum();
            if key.reporter == Reporter::Source && lost > 0.0 {
                overflows(world, key, lost, found);
            }
        }
    }
}

fn overflows(world: &World<'_>, key: &FlowKey, lost: f64, found: &mut Found) {
    let Some(by) = pool(world, key) else { return };
    let args = [
        ("from", format!("{}/{}", key.source.namespace, key.source.workload).into()),
        ("to", format!("{}/{}", key.service.namespace, key.service.name).into()),
        ("rate", format!("{lost:.2}").into()),
    ];
    found.finding(&OVERFLOWS, by, args);
}

/// The limit in effect between a caller and a service; None where nobody has set one, or it is not known.
fn pool(world: &World<'_>, key: &FlowKey) -> Option<Decider> {
    let id = (key.source.namespace.clone(), key.source.workload.clone());
    let pod = *ask::pods(world, &id).first()?;
    let proxy = Proxy::sidecar(pod.namespace.clone(), pod.labels.clone());
    let service = world.objects.service(&key.service.namespace, &key.service.name)?;
    service.ports.iter().find_map(|port| {
        let to = ChosenDestination {
            host: host::of_service(&key.service),
            subset: "".into(),
            port: port.port,
        };
        let pool = subset::policy(&world.mesh, &proxy, &to).ok()??.pool;
        let limits = [pool.max_pending_requests, pool.max_requests, pool.max_connections];
        limits.into_iter().find_map(|limit| limit.decider)
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        judge::testing::{codes, flow, judged, judged_with},
        traffic::Reporter::Source,
    };

    fn system(pool: &str) -> String {
        format!(
            r#"
{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: r, namespace: shop}}, spec: {{host: users, trafficPolicy: {{connectionPool: {{{pool}}}}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: users, namespace: shop}}, spec: {{selector: {{app: users}}, ports: [{{name: http, port: 80}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web, namespace: shop}}, spec: {{template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: app}}]}}}}}}}}
"#
        )
    }

    #[test]
    fn the_guides_pool_of_ten_is_small_and_a_hundred_is_not() {
        let ten = system("tcp: {maxConnections: 10}, http: {http1MaxPendingRequests: 10}");
        let found = judged("pool_small", &ten);
        assert_eq!((codes(&found), found.findings.len()), (vec!["pool-small"], 2));
        let hundred = system("tcp: {maxConnections: 100}, http: {http1MaxPendingRequests: 100}");
        assert_eq!(codes(&judged("pool_small", &hundred)), [""; 0]);
    }

    #[test]
    fn one_that_overflows_is_named_by_what_was_lost() {
        let yaml = system("http: {http1MaxPendingRequests: 100}");
        let (key, mut flow) = flow("shop/web", "shop/users", Source, 10.0, 0.5);
        assert_eq!(codes(&judged_with("pool_small", &yaml, [(key.clone(), flow.clone())])), [""; 0]);
        flow.codes.insert(("503".into(), "UO".into()), 0.5);
        let found = judged_with("pool_small", &yaml, [(key, flow)]);
        assert_eq!(codes(&found), ["pool-overflows"]);
        assert!(found.findings[0].1.path.ends_with("http1MaxPendingRequests"));
    }
}
