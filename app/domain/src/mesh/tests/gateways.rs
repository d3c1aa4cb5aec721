//! Whose gateway it is, and which pods serve it.

use crate::{
    manifests,
    mesh::{
        Mesh, Proxy, gateway,
        route::{self, Outcome, Request},
    },
    object::Kind,
    snapshot::Objects,
};
use serde_json::{Value, json};

/// A Gateway on ports 80 and 8080, a VirtualService that answers 201, and an Ingress of istiod's class.
fn world(extra: &[Value]) -> Objects {
    let server = |port: u16| json!({"port": {"number": port, "name": format!("http-{port}"), "protocol": "HTTP"}, "hosts": ["*"]});
    let base = [
        json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "g", "namespace": "edge"},
            "spec": {"selector": {"app": "edge"}, "servers": [server(80), server(8080)]}}),
        json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "v", "namespace": "edge"},
            "spec": {"hosts": ["a.example"], "gateways": ["g"], "http": [{"directResponse": {"status": 201}}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "n"},
            "spec": {"ingressClassName": "istio"}}),
    ];
    manifests::objects(base.into_iter().chain(extra.iter().cloned())).unwrap()
}

#[test]
fn an_ingress_concerns_the_gateway_that_istiod_chose_and_its_two_ports_alone() {
    let objects = world(&[]);
    for (istio, port, judged) in [
        ("ingressgateway", 80, false),
        ("ingressgateway", 8080, true),
        ("other", 80, true),
    ] {
        let labels = [("app".into(), "edge".into()), ("istio".into(), istio.into())].into();
        let proxy = Proxy::gateway("edge", labels);
        let outcome = route::choose(&Mesh::of(&objects), &proxy, &Request::get("a.example", port)).outcome;
        let answered = outcome == Outcome::Direct { status: 201 };
        assert_eq!(answered, judged, "{istio} {port}: {outcome:?}");
    }
}

#[test]
fn pods_that_leave_or_have_no_proxy_serve_nothing() {
    let pod = |name: &str, container: &str, leaves: Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": container}]},
            "metadata": {"name": name, "namespace": "edge", "labels": {"app": "edge"}, "deletionTimestamp": leaves}})
    };
    let objects = world(&[
        pod("stays", "istio-proxy", Value::Null),
        pod("leaves", "istio-proxy", json!("2026-01-01T00:00:00Z")),
        pod("bare", "app", Value::Null),
    ]);
    let gateway = objects.object(Kind::Gateway, "edge", "g").unwrap();
    let serving = gateway::serves(&Mesh::of(&objects), gateway).unwrap();
    let names: Vec<&str> = serving.pods.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["stays"]);
}

/// `l4SingleMatch` in istio's `pilot/pkg/networking/core` reads port and gateways alone.
#[test]
fn subnets_in_rules_for_bytes_do_not_count_at_a_gateway() {
    for subnets in [json!(["10.0.0.0/8"]), json!([]), Value::Null] {
        let rule = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "t", "namespace": "edge"},
            "spec": {"hosts": ["*"], "gateways": ["t"], "tcp": [{"match": [{"destinationSubnets": subnets}],
                "route": [{"destination": {"host": "db", "port": {"number": 5432}}}]}]}});
        let objects = world(&[
            rule,
            json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "t", "namespace": "edge"},
                "spec": {"selector": {"app": "edge"}, "servers": [{"port": {"number": 7000, "name": "tcp", "protocol": "TCP"}, "hosts": ["*"]}]}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db", "namespace": "edge"},
                "spec": {"clusterIP": "10.0.0.9", "ports": [{"name": "tcp", "port": 5432}]}}),
        ]);
        let proxy = Proxy::gateway("edge", [("app".into(), "edge".into())].into());
        let request = Request {
            protocol: route::Protocol::Tcp,
            ..Request::get("", 7000)
        };
        let outcome = route::choose(&Mesh::of(&objects), &proxy, &request).outcome;
        assert!(matches!(outcome, Outcome::Sent(_)), "{subnets}: {outcome:?}");
    }
}
