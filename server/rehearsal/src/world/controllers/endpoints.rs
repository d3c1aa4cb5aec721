//! The EndpointSlice controller.

use super::{is_ready, owner, short, text};
use crate::api::ObjectStore;
use naru_domain::object::Kind;
use serde_json::{Value, json};

/// One slice for each Service with a selector.
pub(super) fn slices(store: &ObjectStore, namespace: &str) {
    let pods = store.list(Kind::Pod, Some(namespace));
    for (key, service) in store.list(Kind::Service, Some(namespace)) {
        let Some(selector) = service
            .pointer("/spec/selector")
            .and_then(Value::as_object)
            .filter(|it| !it.is_empty())
        else {
            continue;
        };
        let selected = pods.iter().filter(|(_, pod)| {
            selector.iter().all(|(name, value)| {
                pod.pointer("/metadata/labels").and_then(|it| it.get(name)) == Some(value)
            })
        });
        let endpoints: Vec<Value> = selected
            .map(|(key, pod)| {
                let ready = is_ready(pod);
                json!({"addresses": [text(pod, "/status/podIP")], "nodeName": text(pod, "/spec/nodeName"),
                    "conditions": {"ready": ready, "serving": ready, "terminating": false},
                    "targetRef": {"kind": "Pod", "name": key.name.as_ref(), "namespace": namespace, "uid": text(pod, "/metadata/uid")}})
            })
            .collect();
        let ports: Vec<Value> = service
            .pointer("/spec/ports")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|port| json!({"name": port["name"], "port": port["targetPort"], "protocol": "TCP"}))
            .collect();
        let name = format!("{}-{}", key.name, short(&key.name, 5));
        let json = json!({"metadata": {"name": name, "namespace": namespace, "generateName": format!("{}-", key.name),
                "labels": {"kubernetes.io/service-name": key.name.as_ref(), "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
                "ownerReferences": [owner("v1", "Service", &key.name, text(&service, "/metadata/uid"))]},
            "addressType": "IPv4", "endpoints": endpoints, "ports": ports});
        let _ = store.load(Kind::EndpointSlice, json, "kube-controller-manager");
    }
}
