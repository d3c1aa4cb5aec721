//! Edges that Istio cannot see, read from Ingress objects: from the ingress controller to the workload behind each backend.

use super::{inventory::Inventory, node::NodeKey};
use crate::{Name, fact::Labels, snapshot::Objects, workload::WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// What the Ingress objects say.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// From controller to backend.
    pub(super) edges: BTreeSet<(NodeKey, NodeKey)>,
    /// Workloads that are controllers.
    pub(super) controllers: BTreeSet<WorkloadId>,
}

pub(super) fn routes(objects: &Objects, inventory: &Inventory<'_>) -> Routes {
    let mut known: BTreeMap<&Name, NodeKey> = BTreeMap::new();
    let mut routes = Routes::default();
    for ingress in objects.ingresses.values() {
        let from =
            known
                .entry(&ingress.class)
                .or_insert_with(|| match controller(inventory, &ingress.class) {
                    Some(id) => {
                        routes.controllers.insert(id.clone());
                        NodeKey::home(id)
                    }
                    None => NodeKey::Ingress {
                        class: ingress.class.clone(),
                    },
                });
        for route in &ingress.routes {
            for to in backends(objects, inventory, &ingress.namespace, &route.service) {
                if *from != to {
                    routes.edges.insert((from.clone(), to));
                }
            }
        }
    }
    routes
}

/// The workloads behind a backend; the service itself if nothing is. An ExternalName service that points into the cluster is followed:
/// it is how an Ingress reaches a gateway in another namespace.
fn backends(objects: &Objects, inventory: &Inventory<'_>, namespace: &Name, service: &Name) -> Vec<NodeKey> {
    let external = objects
        .service(namespace, service)
        .map(|service| &*service.external_name);
    let (namespace, service) = match external.and_then(in_cluster) {
        Some((service, namespace)) => (namespace.into(), service.into()),
        None => (namespace.clone(), service.clone()),
    };
    let behind = inventory.behind(&namespace, &service);
    if behind.is_empty() {
        return vec![NodeKey::Service {
            cluster: "".into(),
            namespace,
            name: service,
        }];
    }
    behind.iter().map(NodeKey::home).collect()
}

/// Service and namespace of a name like `a.b.svc.cluster.local`.
fn in_cluster(host: &str) -> Option<(&str, &str)> {
    let (service, rest) = host.trim_end_matches('.').split_once('.')?;
    let (namespace, rest) = rest.split_once('.').unwrap_or((rest, ""));
    let inside = rest.is_empty() || rest == "svc" || rest.starts_with("svc.");
    (inside && !service.is_empty() && !namespace.is_empty()).then_some((service, namespace))
}

/// The one workload that looks like the controller of a class: its name or its pods' usual labels say `ingress-CLASS`,
/// `CLASS-ingress`, or the class itself (but not plain `nginx`, which any web server may be called). Of several, those that the
/// recommended label `app.kubernetes.io/component` calls a controller. None where that leaves no or more than one.
fn controller<'a>(inventory: &'a Inventory<'_>, class: &str) -> Option<&'a WorkloadId> {
    let by_class = |name: &str| {
        let name = name.strip_suffix("-controller").unwrap_or(name);
        let bare = name == class && class != "nginx";
        let family = class.contains("nginx") && matches!(name, "ingress-nginx" | "nginx-ingress");
        let compound = name == format!("ingress-{class}")
            || name == format!("{class}-ingress")
            || name == format!("{class}-ingressgateway");
        bare || family || compound
    };
    let is_controller = |labels: &Labels| {
        labels
            .get("app.kubernetes.io/component")
            .is_some_and(|it| &**it == "controller")
    };
    let looks = |name: &str, labels: &Labels| {
        let said = [
            "app.kubernetes.io/name",
            "app.kubernetes.io/instance",
            "app",
            "k8s-app",
            "name",
        ];
        let mut names = said
            .iter()
            .filter_map(|label| labels.get(*label))
            .map(|name| &**name)
            .chain([name]);
        // Without a class, the cluster's only controller takes it.
        if class.is_empty() {
            is_controller(labels) && names.any(|name| name.contains("ingress"))
        } else {
            names.any(by_class)
        }
    };
    let alike: Vec<(&WorkloadId, bool)> = inventory
        .workloads
        .iter()
        .filter(|((_, name), stock)| stock.labels.iter().any(|labels| looks(name, labels)))
        .map(|(id, stock)| (id, stock.labels.iter().any(|labels| is_controller(labels))))
        .collect();
    let named: Vec<_> = alike.iter().filter(|(_, controller)| *controller).collect();
    match (alike.as_slice(), named.as_slice()) {
        ([(only, _)], _) | (_, [(only, _)]) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{in_cluster, routes};
    use crate::topology::{
        inventory::Inventory,
        system::{objects, pod},
    };
    use serde_json::{Value, json};

    fn edges(objects: &crate::snapshot::Objects) -> Vec<String> {
        let inventory = Inventory::of(objects);
        routes(objects, &inventory)
            .edges
            .iter()
            .map(|(from, to)| format!("{} -> {}", from.id(), to.id()))
            .collect()
    }

    fn ingress(class: &str, service: &str) -> Value {
        json!({"kind": "Ingress", "metadata": {"name": "i", "namespace": "shop"}, "spec": {"ingressClassName": class,
            "defaultBackend": {"service": {"name": service}}}})
    }

    fn service(namespace: &str, name: &str, spec: &Value) -> Value {
        json!({"kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
    }

    #[test]
    fn the_controller_is_found_or_named_by_its_class() {
        let nginx =
            json!({"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"});
        let admission = json!({"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "admission-webhook"});
        let table: [(&str, Vec<Value>, &str); 7] = [
            (
                "nginx",
                vec![pod(
                    "ingress-nginx",
                    "ingress-nginx-controller",
                    0,
                    "none",
                    nginx.clone(),
                )],
                "workload//ingress-nginx/ingress-nginx-controller",
            ),
            (
                "nginx",
                vec![
                    pod("in", "c", 0, "none", nginx.clone()),
                    pod("in", "hook", 0, "none", admission),
                ],
                "workload//in/c",
            ),
            (
                "nginx",
                vec![pod("shop", "nginx", 0, "none", json!({"app": "nginx"}))],
                "ingress///nginx",
            ),
            (
                "nginx",
                vec![
                    pod("a", "c", 0, "none", nginx.clone()),
                    pod("b", "c", 0, "none", nginx.clone()),
                ],
                "ingress///nginx",
            ),
            (
                "traefik",
                vec![pod(
                    "t",
                    "traefik",
                    0,
                    "none",
                    json!({"app.kubernetes.io/name": "traefik"}),
                )],
                "workload//t/traefik",
            ),
            (
                "istio",
                vec![pod(
                    "istio-system",
                    "istio-ingressgateway",
                    0,
                    "sidecar",
                    json!({"istio": "ingressgateway"}),
                )],
                "workload//istio-system/istio-ingressgateway",
            ),
            ("", vec![pod("in", "c", 0, "none", nginx)], "workload//in/c"),
        ];
        for (class, pods, expected) in table {
            let objects = objects(pods.into_iter().chain([ingress(class, "web")]));
            assert_eq!(
                edges(&objects),
                [format!("{expected} -> service//shop/web")],
                "{class}"
            );
        }
    }

    #[test]
    fn an_external_name_leads_to_the_gateway_in_its_namespace() {
        let objects = objects([
            ingress("nginx", "to-mesh"),
            service(
                "shop",
                "to-mesh",
                &json!({"type": "ExternalName", "externalName": "edge.istio-system.svc.cluster.local"}),
            ),
            service(
                "istio-system",
                "edge",
                &json!({"selector": {"istio": "ingressgateway"}}),
            ),
            pod(
                "istio-system",
                "istio-ingressgateway",
                0,
                "sidecar",
                json!({"istio": "ingressgateway"}),
            ),
        ]);
        assert_eq!(
            edges(&objects),
            ["ingress///nginx -> workload//istio-system/istio-ingressgateway"]
        );
    }

    #[test]
    fn only_names_of_the_cluster_are_followed() {
        assert_eq!(in_cluster("a.b.svc.cluster.local."), Some(("a", "b")));
        assert_eq!(in_cluster("a.b"), Some(("a", "b")));
        assert_eq!(in_cluster("a.b.svc"), Some(("a", "b")));
        for outside in ["", "a", "www.example.com", "a..svc", ".b.svc"] {
            assert_eq!(in_cluster(outside), None, "{outside}");
        }
    }
}
