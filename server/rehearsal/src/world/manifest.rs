//! Manifests in few words.

use naru_domain::object::Kind;
use serde_json::{Value, json};

/// A Deployment of one container.
#[derive(Clone, Copy, Debug)]
pub struct Deployed<'a> {
    /// Namespace.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
    /// Label `app`.
    pub app: &'a str,
    /// Label `version`; empty for none.
    pub version: &'a str,
    /// Pods.
    pub replicas: u32,
    /// Container port; 0 for none.
    pub port: u16,
    /// Image.
    pub image: &'a str,
}

/// A Namespace.
pub fn namespace(name: &str, labels: &Value) -> (Kind, Value) {
    let mut all = json!({"kubernetes.io/metadata.name": name});
    if let (Some(all), Some(labels)) = (all.as_object_mut(), labels.as_object()) {
        all.extend(labels.clone());
    }
    let json = json!({"metadata": {"name": name, "labels": all}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
    (Kind::Namespace, json)
}

/// A Deployment.
pub fn deployment(it: &Deployed<'_>) -> (Kind, Value) {
    let mut labels = json!({"app": it.app});
    if !it.version.is_empty() {
        labels["version"] = it.version.into();
    }
    let mut container = json!({"name": it.app, "image": it.image, "imagePullPolicy": "IfNotPresent"});
    if it.port > 0 {
        container["ports"] = json!([{"containerPort": it.port, "protocol": "TCP"}]);
        container["readinessProbe"] = json!({"tcpSocket": {"port": it.port}, "periodSeconds": 5});
    }
    let json = json!({
        "metadata": {"name": it.name, "namespace": it.namespace, "labels": labels},
        "spec": {
            "replicas": it.replicas, "selector": {"matchLabels": labels}, "revisionHistoryLimit": 10,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"serviceAccountName": it.app, "containers": [container], "restartPolicy": "Always",
                    "terminationGracePeriodSeconds": 30}
            }
        }
    });
    (Kind::Deployment, json)
}

/// A Service that selects by label `app`; ports as (name, port, target port).
pub fn service(namespace: &str, name: &str, app: &str, ports: &[(&str, u16, u16)]) -> (Kind, Value) {
    let ports: Vec<Value> = ports
        .iter()
        .map(|(name, port, target)| json!({"name": name, "port": port, "targetPort": target, "protocol": "TCP"}))
        .collect();
    let json = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app}},
        "spec": {"type": "ClusterIP", "selector": {"app": app}, "ports": ports, "sessionAffinity": "None"}
    });
    (Kind::Service, json)
}

/// A pod that no Deployment owns, ready, without a sidecar.
pub fn lone_pod(namespace: &str, name: &str, app: &str, owner: (&str, &str), ip: &str) -> (Kind, Value) {
    let json = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app, "sidecar.istio.io/inject": "false"},
            "ownerReferences": [{"apiVersion": if owner.0 == "Job" { "batch/v1" } else { "apps/v1" }, "kind": owner.0,
                "name": owner.1, "uid": format!("owner-{}", owner.1), "controller": true, "blockOwnerDeletion": true}]},
        "spec": {"serviceAccountName": app, "nodeName": "node-1", "containers": [{"name": app, "image": format!("registry.local/{app}:1.4.2")}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "ContainersReady", "status": "True"}],
            "containerStatuses": [{"name": app, "ready": true, "restartCount": 0, "state": {"running": {}}}]}
    });
    (Kind::Pod, json)
}

/// An object of a custom kind, or any that is but name and spec.
pub fn object(kind: Kind, namespace: &str, name: &str, spec: &Value) -> (Kind, Value) {
    (
        kind,
        json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec}),
    )
}
