//! Systems that the tests are about.

use crate::{
    Timestamp,
    fact::Fact,
    object::Kind,
    snapshot::Objects,
    topology::{Known, Memory},
    traffic::{Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Traffic},
};
use serde_json::{Value, json};

/// Objects of manifests that say their kind; every kind is known.
pub(super) fn objects(manifests: impl IntoIterator<Item = Value>) -> Objects {
    let mut objects = Objects::all_known();
    for manifest in manifests {
        let name = manifest["kind"].as_str().unwrap().to_owned();
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).unwrap();
        objects.put(Fact::read(kind, manifest).unwrap());
    }
    objects
}

/// A running, ready pod of a Deployment; `proxy` is `sidecar`, `ambient` or `none`.
pub(super) fn pod(namespace: &str, workload: &str, i: usize, proxy: &str, mut labels: Value) -> Value {
    labels["pod-template-hash"] = json!("5d4");
    let mut containers = vec![json!({"name": "app"})];
    if proxy == "sidecar" {
        containers.push(json!({"name": "istio-proxy"}));
    }
    let annotations = if proxy == "ambient" {
        json!({"ambient.istio.io/redirection": "enabled"})
    } else {
        json!({})
    };
    json!({"kind": "Pod",
        "metadata": {"name": format!("{workload}-5d4-{i}"), "namespace": namespace, "labels": labels, "annotations": annotations,
            "ownerReferences": [{"kind": "ReplicaSet", "name": format!("{workload}-5d4"), "controller": true}]},
        "spec": {"containers": containers},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn party(place: &str) -> Party {
    match place.split_once('/') {
        Some((namespace, workload)) => Party {
            cluster: "home".into(),
            namespace: namespace.into(),
            workload: workload.into(),
            ..Party::default()
        },
        None => Party::default(),
    }
}

/// A flow's key: `namespace/workload` for both ends, empty for unknown; HTTP, counted by the caller.
pub(super) fn key(source: &str, target: &str) -> FlowKey {
    FlowKey {
        source: party(source),
        target: party(target),
        service: ServiceId::default(),
        reporter: Reporter::Source,
        protocol: Protocol::Http,
    }
}

/// The same, counted by the called side.
pub(super) fn seen_by_target(source: &str, target: &str) -> FlowKey {
    FlowKey {
        reporter: Reporter::Destination,
        ..key(source, target)
    }
}

/// The same, asked for through a service (`namespace/name`).
pub(super) fn through(service: &str, key: FlowKey) -> FlowKey {
    let (namespace, name) = service.split_once('/').unwrap();
    FlowKey {
        service: ServiceId {
            namespace: namespace.into(),
            name: name.into(),
        },
        ..key
    }
}

pub(super) fn flow(rate: f64, failed: f64) -> Flow {
    Flow {
        rate,
        failed,
        average_ms: (rate > 0.0).then_some(10.0),
        ..Flow::default()
    }
}

pub(super) fn traffic(flows: impl IntoIterator<Item = (FlowKey, Flow)>) -> Traffic {
    Traffic {
        window_s: 60,
        flows: flows.into_iter().collect(),
    }
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(super) fn known<'a>(objects: &'a Objects, traffic: &'a Traffic, memory: &'a Memory) -> Known<'a> {
    Known {
        objects,
        traffic: Some(traffic),
        at: Some(now()),
        memory,
    }
}

/// The guide's system: Nginx leads to the mesh's gateway, that to the Spring gateway, that to user-service (two versions) and
/// product-service, which a batch job without a sidecar calls too. The frontend is not in the mesh and silent.
pub(super) fn guide() -> (Vec<Value>, Vec<(FlowKey, Flow)>) {
    let service = |namespace: &str, name: &str, selector: Value| json!({"kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": {"selector": selector}});
    let manifests = vec![
        pod(
            "ingress-nginx",
            "ingress-nginx-controller",
            0,
            "none",
            json!({"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}),
        ),
        pod(
            "istio-system",
            "istiod",
            0,
            "none",
            json!({"app": "istiod", "istio": "pilot"}),
        ),
        pod(
            "istio-system",
            "istio-ingressgateway",
            0,
            "sidecar",
            json!({"app": "istio-ingressgateway", "istio": "ingressgateway"}),
        ),
        pod(
            "default",
            "sangsang-plus-gateway",
            0,
            "sidecar",
            json!({"app": "sangsang-plus-gateway"}),
        ),
        pod(
            "default",
            "sangsang-plus-gateway",
            1,
            "sidecar",
            json!({"app": "sangsang-plus-gateway"}),
        ),
        pod(
            "user-service",
            "user-service-v1",
            0,
            "sidecar",
            json!({"app": "user-service", "version": "v1"}),
        ),
        pod(
            "user-service",
            "user-service-v2",
            0,
            "sidecar",
            json!({"app": "user-service", "version": "v2"}),
        ),
        pod(
            "product-service",
            "product-service",
            0,
            "sidecar",
            json!({"app": "product-service", "version": "v1"}),
        ),
        pod("default", "batch", 0, "none", json!({"app": "batch"})),
        pod("frontend", "frontend", 0, "none", json!({"app": "frontend"})),
        pod(
            "kube-system",
            "coredns",
            0,
            "none",
            json!({"k8s-app": "kube-dns"}),
        ),
        service(
            "istio-system",
            "istio-ingressgateway",
            json!({"istio": "ingressgateway"}),
        ),
        service("istio-system", "istiod", json!({"app": "istiod"})),
        service(
            "default",
            "sangsang-plus-gateway",
            json!({"app": "sangsang-plus-gateway"}),
        ),
        service("user-service", "user-service", json!({"app": "user-service"})),
        service(
            "product-service",
            "product-service",
            json!({"app": "product-service"}),
        ),
        service("frontend", "frontend", json!({"app": "frontend"})),
        service("kube-system", "kube-dns", json!({"k8s-app": "kube-dns"})),
        json!({"kind": "Gateway", "metadata": {"name": "sangsang-gateway", "namespace": "istio-system"},
            "spec": {"selector": {"istio": "ingressgateway"}}}),
        json!({"kind": "Ingress", "metadata": {"name": "oauth", "namespace": "istio-system"}, "spec": {"ingressClassName": "nginx",
            "rules": [{"host": "oauth.example.com", "http": {"paths": [
                {"path": "/", "backend": {"service": {"name": "istio-ingressgateway"}}}]}}]}}),
    ];
    let mut flows = Vec::new();
    let mut both = |source: &str, target: &str, service: &str, rate: f64, failed: f64| {
        let to = Flow {
            mtls: rate,
            ..flow(rate, failed)
        };
        flows.push((through(service, key(source, target)), flow(rate, failed)));
        flows.push((through(service, seen_by_target(source, target)), to));
    };
    let (edge, spring) = (
        "istio-system/istio-ingressgateway",
        "default/sangsang-plus-gateway",
    );
    both(edge, spring, "default/sangsang-plus-gateway", 20.0, 0.0);
    both(
        spring,
        "user-service/user-service-v1",
        "user-service/user-service",
        9.0,
        0.0,
    );
    both(
        spring,
        "user-service/user-service-v2",
        "user-service/user-service",
        1.0,
        0.1,
    );
    both(
        spring,
        "product-service/product-service",
        "product-service/product-service",
        10.0,
        0.05,
    );
    let batch = seen_by_target("", "product-service/product-service");
    flows.push((through("product-service/product-service", batch), flow(0.5, 0.0)));
    (manifests, flows)
}
