//! What several scenarios are built of.

use crate::{
    run::Look,
    story::Step,
    world::{
        Manifests,
        guide::{HOST, before, guide},
        manifest::object,
    },
};
use naru_domain::{
    object::{Key, Kind},
    snapshot::Objects,
};
use serde_json::{Value, json};

/// The workloads that cross, by namespace and name.
pub(super) const CROSSING: [(&str, &str); 4] = [
    ("default", "sangsang-plus-gateway"),
    ("user-service", "user-service-v1"),
    ("user-service", "user-service-v2"),
    ("product-service", "product-service"),
];

/// The guide's system midway, with these weights between user-service's versions.
pub(super) fn canary(v1: u32, v2: u32) -> Manifests {
    let mut all = guide(false);
    for (kind, json) in &mut all {
        if *kind == Kind::VirtualService && json["metadata"]["name"] == "user-service-canary" {
            json["spec"]["http"][0]["route"][0]["weight"] = v1.into();
            json["spec"]["http"][0]["route"][1]["weight"] = v2.into();
        }
    }
    all
}

/// Weights of user-service's versions, set in the console.
pub(super) const fn split(weights: &'static [u32]) -> Step {
    Step::Weights {
        route: ("user-service", "user-service-canary"),
        rule: 0,
        weights,
    }
}

/// Percent that the weights give to user-service's new version.
pub(super) fn v2(look: &Look<'_>) -> u32 {
    look.weight("user-service", "user-service-canary", "v2")
        .unwrap_or(0)
}

/// Whether user-service's new version is of a release that was rolled out to mend it.
pub(super) fn released(objects: &Objects, release: &str) -> bool {
    let key = Key::new(Kind::Deployment, "user-service", "user-service-v2");
    objects.deployments.get(&key).is_some_and(|it| {
        let label = it.template.get("release");
        it.ready > 0 && label.is_some_and(|it| &**it == release)
    })
}

/// The guide's system before its crossing, with phase 1 done: people come through Istio's gateway, nothing else is in the mesh.
pub(super) fn phase_1() -> Manifests {
    let mut all = before();
    all.retain(|(kind, _)| *kind != Kind::Ingress);
    all.extend([
        gateway(),
        routes(),
        ingress("istio-system", "istio-ingressgateway", 80),
    ]);
    all
}

/// The same with phase 2 done: the workloads that cross have sidecars.
pub(super) fn phase_2() -> Manifests {
    let mut all = phase_1();
    labelled(&mut all);
    all
}

/// Injection is on for the namespaces of what crosses.
pub(super) fn labelled(all: &mut Manifests) {
    for (kind, json) in all.iter_mut().filter(|(kind, _)| *kind == Kind::Namespace) {
        let name = json["metadata"]["name"].as_str().unwrap_or("").to_owned();
        if *kind == Kind::Namespace && CROSSING.iter().any(|(namespace, _)| *namespace == name) {
            json["metadata"]["labels"]["istio-injection"] = "enabled".into();
        }
    }
}

/// The Gateway of the guide, with its certificate.
pub(super) fn gateway() -> (Kind, Value) {
    let http = json!({"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [HOST]});
    let https = json!({"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": [HOST],
        "tls": {"mode": "SIMPLE", "credentialName": "oauth-buildingbite-com-tls"}});
    let spec = json!({"selector": {"istio": "ingressgateway"}, "servers": [http, https]});
    object(Kind::Gateway, "default", "sangsang-gateway", &spec)
}

/// The VirtualService of the guide.
pub(super) fn routes() -> (Kind, Value) {
    routes_of(&json!([HOST]), &json!(["sangsang-gateway"]))
}

/// The same with other hosts and gateways; null leaves them away.
pub(super) fn routes_of(hosts: &Value, gateways: &Value) -> (Kind, Value) {
    let to = json!({"host": "sangsang-plus-gateway", "port": {"number": 8080}});
    let http = json!([{"match": [{"uri": {"prefix": "/"}}], "route": [{"destination": to}]}]);
    let mut spec = json!({"hosts": hosts, "http": http});
    if !gateways.is_null() {
        spec["gateways"] = gateways.clone();
    }
    object(Kind::VirtualService, "default", "sangsang-vs", &spec)
}

/// An Ingress that leads the host to a service beside it.
pub(super) fn ingress(namespace: &str, service: &str, port: u16) -> (Kind, Value) {
    let backend = json!({"service": {"name": service, "port": {"number": port}}});
    let rules =
        json!([{"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]);
    let tls = json!([{"hosts": [HOST], "secretName": "oauth-buildingbite-com-tls"}]);
    let spec = json!({"ingressClassName": "nginx", "tls": tls, "rules": rules});
    object(Kind::Ingress, namespace, "sangsang", &spec)
}

/// The subsets of user-service, in its own namespace.
pub(super) fn subsets() -> (Kind, Value) {
    let subset = |version: &str| json!({"name": version, "labels": {"version": version}});
    let spec = json!({"host": "user-service", "subsets": [subset("v1"), subset("v2")]});
    object(Kind::DestinationRule, "user-service", "user-service", &spec)
}

/// The weighted rule of user-service, all to v1.
pub(super) fn weighted(name: &str) -> (Kind, Value) {
    let to = |subset: &str, weight: u32| json!({"destination": {"host": "user-service", "subset": subset}, "weight": weight});
    let spec = json!({"hosts": ["user-service"], "http": [{"name": "weighted", "route": [to("v1", 100), to("v2", 0)]}]});
    object(Kind::VirtualService, "user-service", name, &spec)
}

/// How many of what crosses is being replaced at this moment.
pub(super) fn rolling(look: &Look<'_>) -> usize {
    CROSSING
        .iter()
        .filter(|(namespace, name)| look.rolling(namespace, name))
        .count()
}

/// Whether people have been served as well as before for two minutes.
pub(super) fn well(look: &Look<'_>) -> bool {
    look.well("people", 120, 0.99)
}
