//! Gateways with the rules as they really are.

mod kubernetes;

use crate::{
    manifests,
    mesh::{
        Mesh, Proxy,
        route::{Missing, Outcome, Request, choose},
    },
    snapshot::Objects,
};
use serde_json::{Value, json};

fn proxy() -> Proxy {
    Proxy::gateway("istio-system", [("istio".into(), "ingressgateway".into())].into())
}

fn virtual_service(name: &str, created: &str, http: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": created},
        "spec": {"hosts": ["shop.example"], "gateways": ["edge"], "http": http}})
}

fn objects(services: impl IntoIterator<Item = Value>) -> Objects {
    let gateway = json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge", "namespace": "shop"},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": [
            {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["shop.example"]}]}});
    let service = |name: &str, port: u16| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"clusterIP": "10.0.0.1", "ports": [{"name": "http", "port": port}]}})
    };
    let rule = json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"host": "web", "subsets": [{"name": "v1"}]}});
    let all = [gateway, service("web", 8080), service("users", 80), rule];
    manifests::objects(all.into_iter().chain(services)).unwrap()
}

fn sent(objects: &Objects, request: &Request) -> Vec<(String, String, u16, Option<Missing>)> {
    match choose(&Mesh::of(objects), &proxy(), request).outcome {
        Outcome::Sent(shares) => shares
            .into_iter()
            .map(|it| {
                let to = it.destination;
                (to.host.to_string(), to.subset.to_string(), to.port, it.missing)
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn get(path: &str) -> Request {
    Request {
        path: path.into(),
        ..Request::get("shop.example", 80)
    }
}

#[test]
fn a_short_host_is_the_rules_own_and_a_missing_port_the_services_only_one() {
    let objects = objects([virtual_service(
        "a",
        "2026-01-01T00:00:00Z",
        &json!([{"match": [{"uri": {"prefix": "/users"}}], "route": [{"destination": {"host": "users"}}]},
            {"route": [{"destination": {"host": "web", "subset": "v1"}}]}]),
    )]);
    let (web, users) = ("web.shop.svc.cluster.local", "users.shop.svc.cluster.local");
    assert_eq!(sent(&objects, &get("/")), [(web.into(), "v1".into(), 8080, None)]);
    assert_eq!(
        sent(&objects, &get("/users/7?x=1")),
        [(users.into(), "".into(), 80, None)]
    );
}

#[test]
fn what_is_not_there_is_named() {
    let to = |host: &str, subset: &str, port: u16| json!({"host": host, "subset": subset, "port": {"number": port}});
    for (destination, missing) in [
        (to("web", "v9", 8080), Missing::Subset),
        (to("web", "", 81), Missing::Port),
        (to("gone", "", 80), Missing::Host),
    ] {
        let objects = objects([virtual_service(
            "a",
            "2026-01-01T00:00:00Z",
            &json!([{"route": [{"destination": destination}]}]),
        )]);
        assert_eq!(sent(&objects, &get("/"))[0].3, Some(missing));
    }
}

#[test]
fn two_virtual_services_on_a_host_merge_and_the_catch_all_comes_last() {
    let old = virtual_service(
        "old",
        "2026-01-01T00:00:00Z",
        &json!([{"route": [{"destination": {"host": "web"}}]}]),
    );
    let young = virtual_service(
        "young",
        "2026-02-01T00:00:00Z",
        &json!([{"match": [{"headers": {"canary": {"exact": "true"}}}], "route": [{"destination": {"host": "users"}}]}]),
    );
    let objects = objects([old, young]);
    assert_eq!(sent(&objects, &get("/"))[0].0, "web.shop.svc.cluster.local");
    let mut canary = get("/");
    canary.headers.insert("canary".into(), "true".into());
    assert_eq!(sent(&objects, &canary)[0].0, "users.shop.svc.cluster.local");
}

#[test]
fn a_sidecars_scope_is_not_a_gateways() {
    let scope = json!({"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": {"name": "all", "namespace": "istio-system"},
        "spec": {"egress": [{"hosts": ["istio-system/*"]}]}});
    let route = virtual_service(
        "a",
        "2026-01-01T00:00:00Z",
        &json!([{"route": [{"destination": {"host": "web"}}]}]),
    );
    assert_eq!(sent(&objects([scope, route]), &get("/"))[0].3, None);
}

#[test]
fn a_rule_for_the_mesh_alone_is_none_here() {
    let route = virtual_service(
        "a",
        "2026-01-01T00:00:00Z",
        &json!([{"match": [{"gateways": ["mesh"]}], "route": [{"destination": {"host": "users"}}]},
            {"route": [{"destination": {"host": "web"}}]}]),
    );
    assert_eq!(
        sent(&objects([route]), &get("/"))[0].0,
        "web.shop.svc.cluster.local"
    );
}
