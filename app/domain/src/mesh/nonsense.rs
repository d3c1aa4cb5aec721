//! Whatever stands in the objects, each question has an answer: no panic on any JSON. Asked by a property test beside this file, and by the
//! fuzz target in `fuzz/` (feature `fuzz`).

mod ask;
#[cfg(test)]
mod tests;
mod words;

pub use ask::{Asked, ask_everything};
pub use words::{NAMES, TEXTS};

use serde_json::{Value, json};

/// A small system that holds, for nonsense to stand beside: service `web` in namespace `shop`, its pod, and the gateway `edge`.
pub fn sound() -> Vec<Value> {
    let pod = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name, "istio": name}},
        "spec": {"containers": [{"name": "istio-proxy"}]}, "status": {"phase": "Running", "podIP": "10.0.0.9"}})
    };
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"clusterIP": "10.0.0.1", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}, {"name": "tcp", "port": 90}, {"port": 91}]}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "web-x", "namespace": "shop",
            "labels": {"kubernetes.io/service-name": "web"}}, "ports": [{"name": "http", "port": 8080}], "endpoints": [{"targetRef": {"kind": "Pod", "name": "web"}}]}),
        json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "sound", "namespace": "shop"},
            "spec": {"selector": {"istio": "edge"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge-istio", "namespace": "shop"},
            "spec": {"clusterIP": "10.0.0.2", "selector": {"app": "edge"}, "ports": [{"name": "http", "port": 90}]}}),
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "edge", "namespace": "shop"},
            "spec": {"gatewayClassName": "istio", "listeners": [{"name": "http", "port": 90, "protocol": "HTTP"}]}}),
        pod("web"),
        pod("edge"),
    ]
}
