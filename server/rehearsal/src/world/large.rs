//! A system large enough to measure memory and time on.

use super::{
    Manifests,
    manifest::{Deployed, deployment, namespace, object, service},
};
use naru_domain::object::Kind;
use serde_json::json;

/// `namespaces` namespaces with `services` services and (about) `pods` pods, all in the mesh, evenly spread; every tenth service has two
/// versions with a weighted rule. The numbers are at least one each.
pub fn large(namespaces: u32, services: u32, pods: u32) -> Manifests {
    let (namespaces, services) = (namespaces.max(1), services.max(1));
    let (each, rest) = (pods / services, pods % services);
    let mut all: Manifests = (0..namespaces)
        .map(|n| namespace(&format!("team-{n:03}"), &json!({"istio-injection": "enabled"})))
        .collect();
    all.push(namespace("istio-system", &json!({})));
    all.extend(super::istio::installed());
    for s in 0..services {
        let (place, name) = (format!("team-{:03}", s % namespaces), format!("service-{s:04}"));
        let replicas = each + u32::from(s < rest);
        let image = format!("registry.local/{name}:1.0.0");
        let mut deploy = |version: &str, replicas| {
            all.push(deployment(&Deployed {
                namespace: &place,
                name: &format!("{name}-{version}"),
                app: &name,
                version,
                replicas,
                port: 8080,
                image: &image,
            }));
        };
        if s % 10 == 0 && replicas > 1 {
            deploy("v1", replicas - 1);
            deploy("v2", 1);
            let to = |subset: &str, weight: u32| json!({"destination": {"host": name, "subset": subset}, "weight": weight});
            let subset = |version: &str| json!({"name": version, "labels": {"version": version}});
            let subsets = json!({"host": name, "subsets": [subset("v1"), subset("v2")]});
            all.push(object(Kind::DestinationRule, &place, &name, &subsets));
            let routes = json!({"hosts": [name], "http": [{"route": [to("v1", 90), to("v2", 10)]}]});
            all.push(object(Kind::VirtualService, &place, &name, &routes));
        } else {
            deploy("v1", replicas);
        }
        all.push(service(&place, &name, &name, &[("http", 80, 8080)]));
    }
    all
}
