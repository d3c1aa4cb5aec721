//! The objects that all cases stand on, as a cluster makes them of `system.yaml`: with addresses, pods and endpoints. Without a cluster they
//! are made up here; with one, the real ones are read.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Older than whatever a case brings.
const BEFORE: &str = "2020-01-01T00:00:00Z";

/// The system, made up, and what Istio was installed with (`istio.json`, recorded).
///
/// # Errors
/// A file that cannot be read.
pub fn made_up(folder: &Path) -> Result<Vec<Value>> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).with_context(|| name.to_owned());
    let mut all = crate::case::yaml(&read("system.yaml")?)?;
    let injected: Vec<String> = all
        .iter()
        .filter(|it| it["kind"] == "Namespace" && it["metadata"]["labels"]["istio-injection"] == "enabled")
        .map(|it| text(it, "/metadata/name").to_owned())
        .collect();
    for (index, service) in all
        .iter_mut()
        .filter(|it| it["kind"] == "Service" && it["spec"]["clusterIP"] != "None")
        .enumerate()
    {
        service["spec"]["clusterIP"] = json!(format!("10.96.1.{}", index + 1));
    }
    let pods: Vec<Value> = all
        .iter()
        .filter(|it| it["kind"] == "Deployment")
        .enumerate()
        .map(|(index, it)| pod(it, index, &injected))
        .collect();
    let services = all.iter().filter(|it| it["kind"] == "Service");
    let slices: Vec<Value> = services.map(|it| slice(it, &pods)).collect();
    all.extend(pods);
    all.extend(slices);
    for it in &mut all {
        it["metadata"]["creationTimestamp"] = json!(BEFORE);
    }
    all.push(serde_json::from_str(&read("istio.json")?)?);
    Ok(all)
}

/// A Deployment's pod, as the injector and the kubelet leave it.
fn pod(deployment: &Value, index: usize, injected: &[String]) -> Value {
    let (name, namespace) = (
        text(deployment, "/metadata/name"),
        text(deployment, "/metadata/namespace"),
    );
    let template = &deployment["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    let mut spec = template["spec"].clone();
    let meshed = injected.iter().any(|it| it == namespace)
        || metadata["labels"]["sidecar.istio.io/inject"] == json!("true");
    if meshed {
        let app = metadata["labels"]["app"].clone();
        metadata["labels"]["security.istio.io/tlsMode"] = json!("istio");
        metadata["labels"]["service.istio.io/canonical-name"] = app;
        let ordinary = spec["containers"]
            .as_array()
            .is_some_and(|all| all.iter().any(|it| it["name"] == "istio-proxy"));
        if !ordinary {
            spec["initContainers"] = json!([{"name": "istio-proxy", "restartPolicy": "Always"}]);
        }
    }
    metadata["name"] = json!(format!("{name}-5d8f7c9b6-{index:05}"));
    metadata["namespace"] = json!(namespace);
    metadata["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
        "name": format!("{name}-5d8f7c9b6")}]);
    metadata["labels"]["pod-template-hash"] = json!("5d8f7c9b6");
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {
        "phase": "Running", "podIP": format!("10.99.1.{}", index + 1), "conditions": [{"type": "Ready", "status": "True"}]}})
}

/// A Service's endpoints.
fn slice(service: &Value, pods: &[Value]) -> Value {
    let (name, namespace) = (
        text(service, "/metadata/name"),
        text(service, "/metadata/namespace"),
    );
    let nothing = Map::new();
    let selector = service["spec"]["selector"].as_object().unwrap_or(&nothing);
    let chosen = pods.iter().filter(|pod| {
        let labels = &pod["metadata"]["labels"];
        pod["metadata"]["namespace"] == namespace
            && selector
                .iter()
                .all(|(name, value)| labels.get(name) == Some(value))
    });
    let endpoints: Vec<Value> = chosen
        .map(|pod| {
            json!({"addresses": [pod["status"]["podIP"]], "conditions": {"ready": true, "serving": true, "terminating": false},
                "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": namespace}})
        })
        .collect();
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let ports: Vec<Value> = ports
        .map(|port| json!({"name": port.get("name").cloned().unwrap_or_else(|| json!("")), "port": port["targetPort"], "protocol": "TCP"}))
        .collect();
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
        "metadata": {"name": format!("{name}-abcde"), "namespace": namespace, "labels": {"kubernetes.io/service-name": name}}})
}

/// The text at a JSON pointer, or nothing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}
