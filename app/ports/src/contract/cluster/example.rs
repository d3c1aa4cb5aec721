//! Objects that the real API server takes.

use naru_domain::actor::Actor;
use serde_json::{Value, json};

/// A VirtualService with one weighted rule: `weight` for subset v2, the rest for v1.
pub fn virtual_service(namespace: &str, name: &str, weight: u32) -> Value {
    let to = |subset: &str, weight: u32| json!({"destination": {"host": name, "subset": subset}, "weight": weight});
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name, "namespace": namespace},
        "spec": {"hosts": [name], "http": [{"name": "main", "route": [to("v1", 100 - weight), to("v2", weight)]}]}
    })
}

/// A Deployment that wants so many pods.
pub fn deployment(namespace: &str, name: &str, replicas: u32) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": name, "image": "registry.local/app:1"}]}}}
    })
}

/// A Lease.
pub fn lease(namespace: &str, name: &str, holder: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": namespace},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15}
    })
}

/// An entry of the journal, by this person, about a VirtualService called `target`.
pub fn change(namespace: &str, name: &str, who: &Actor, target: &str) -> Value {
    let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    json!({
        "apiVersion": "naru.dev/v1alpha1", "kind": "Change", "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "intent": {"setWeights": {"v1": 90, "v2": 10}},
            "target": {"kind": "VirtualService", "namespace": namespace, "name": target, "uid": "a-uid"},
            "resourceVersion": "1",
            "ops": [{"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 10}],
            "undo": [{"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 0}],
            "before": digest, "after": digest, "digest": digest,
            "diff": [{"path": "/spec/http/0/route/1/weight", "label": "v2", "before": "0", "after": "10"}],
            "actor": {"issuer": who.issuer, "sub": who.sub, "name": who.name, "groups": who.groups},
            "reason": "금요일 배포 전에 10%만", "approvedAt": "2026-01-01T00:00:00Z"
        }
    })
}
