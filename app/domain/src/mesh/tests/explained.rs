//! What becomes of a request, told end by end.

use crate::{
    manifests,
    mesh::{Mesh, authz::Verdict, explain::explain, route::Request},
    snapshot::Objects,
};
use serde_json::{Value, json};

/// Service `web` with two pods of one workload, of which one takes requests, and a caller with a sidecar.
fn world(more: impl IntoIterator<Item = Value>) -> Objects {
    let pod = |name: &str, ready: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name, "security.istio.io/tlsMode": "istio",
            "service.istio.io/workload-name": name.trim_end_matches(char::is_numeric)}},
            "spec": {"containers": [{"name": "istio-proxy"}]},
            "status": {"phase": "Running", "podIP": "10.1.0.5", "conditions": [{"type": "Ready", "status": ready}]}})
    };
    let end = |pod: &str, ready: bool| json!({"targetRef": {"kind": "Pod", "name": pod}, "conditions": {"ready": ready}});
    let rest: [Value; 2] = [
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"clusterIP": "10.0.0.1", "selector": {"any": "label"}, "ports": [{"name": "http", "port": 80}]}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "web-x", "namespace": "shop",
            "labels": {"kubernetes.io/service-name": "web"}}, "ports": [{"name": "http", "port": 8080}],
            "endpoints": [end("web1", true), end("web2", false)]}),
    ];
    let pods = [pod("caller", "True"), pod("web1", "True"), pod("web2", "False")];
    manifests::objects(pods.into_iter().chain(rest).chain(more)).unwrap()
}

#[test]
fn of_a_workloads_pods_those_that_take_requests_are_counted_apart() {
    let objects = world([]);
    let from = ("shop".into(), "caller".into());
    let told = explain(&Mesh::of(&objects), &from, &Request::get("web", 80)).unwrap();
    let ends = told.legs[0].ends.as_ref().unwrap();
    assert_eq!(ends.len(), 1);
    assert_eq!((ends[0].ready, ends[0].total), (1, 2));
}

#[test]
fn a_policy_sees_who_calls_whom_and_what_is_asked() {
    let from = |name: &str, value: &str| json!({"from": [{"source": {name: [value]}}]});
    let to = |name: &str, value: &str| json!({"to": [{"operation": {name: [value]}}]});
    let when = |key: &str, value: &str| json!({"when": [{"key": key, "values": [value]}]});
    let request = Request {
        method: "POST".into(),
        path: "/a".into(),
        headers: [("x".into(), "1".into())].into(),
        ..Request::get("web", 80)
    };
    for (is, other) in [
        (
            from("principals", "cluster.local/ns/shop/sa/default"),
            from("principals", "cluster.local/ns/shop/sa/other"),
        ),
        (from("namespaces", "shop"), from("namespaces", "bank")),
        (
            when("destination.ip", "10.1.0.5"),
            when("destination.ip", "10.1.0.6"),
        ),
        (to("ports", "8080"), to("ports", "80")),
        (to("methods", "POST"), to("methods", "GET")),
        (to("paths", "/a"), to("paths", "/")),
        (to("hosts", "web"), to("hosts", "api")),
        (when("request.headers[x]", "1"), when("request.headers[x]", "2")),
    ] {
        for (rule, verdict) in [(is, Verdict::Allow), (other, Verdict::Deny)] {
            let policy = json!({"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
                "metadata": {"name": "p", "namespace": "shop"}, "spec": {"rules": [rule]}});
            let objects = world([policy]);
            let caller = ("shop".into(), "caller".into());
            let told = explain(&Mesh::of(&objects), &caller, &request).unwrap();
            let end = &told.legs[0].ends.as_ref().unwrap()[0];
            assert_eq!(end.authorization.as_ref().unwrap().verdict, verdict, "{rule}");
        }
    }
}
