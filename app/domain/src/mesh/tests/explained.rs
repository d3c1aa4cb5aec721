//! What becomes of a request, told end by end.

use crate::{
    manifests,
    mesh::{Mesh, explain::explain, route::Request},
    snapshot::Objects,
};
use serde_json::{Value, json};

/// Service `web` with two pods of one workload, of which one takes requests, and a caller with a sidecar.
fn world() -> Objects {
    let pod = |name: &str, ready: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name,
            "service.istio.io/workload-name": name.trim_end_matches(char::is_numeric)}},
            "spec": {"containers": [{"name": "istio-proxy"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}})
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
    manifests::objects(pods.into_iter().chain(rest)).unwrap()
}

#[test]
fn of_a_workloads_pods_those_that_take_requests_are_counted_apart() {
    let objects = world();
    let from = ("shop".into(), "caller".into());
    let told = explain(&Mesh::of(&objects), &from, &Request::get("web", 80)).unwrap();
    let ends = told.legs[0].ends.as_ref().unwrap();
    assert_eq!(ends.len(), 1);
    assert_eq!((ends[0].ready, ends[0].total), (1, 2));
}
