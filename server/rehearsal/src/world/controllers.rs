//! What a cluster does with manifests: the Deployment and EndpointSlice controllers and Istio's injector, as far as their outcome goes.
//!
//! They act within the write that gives them reason to, so that nothing runs in the background. New pods are ready at once; a changed
//! template replaces all pods, which is when a sidecar comes or goes.

use crate::api::{Hook, ObjectStore};
use naru_domain::{
    Name,
    object::{Digest, Key, Kind, Object},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

/// The alphabet of Kubernetes' generated names (`k8s.io/apimachinery/pkg/util/rand`).
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// All controllers, for [`ObjectStore::on_change`].
pub fn controllers() -> Hook {
    let born = AtomicU32::new(0);
    // The generation of each Deployment that has been acted on: its status, which we write ourselves, is no reason to act.
    let handled = Mutex::new(BTreeMap::<Key, u64>::new());
    let busy = Mutex::new(BTreeSet::<Name>::new());
    Arc::new(move |store, key| match key.kind {
        Kind::Deployment => {
            let object = store.object(key);
            let generation = object
                .as_ref()
                .and_then(|it| it.get("/metadata/generation")?.as_u64())
                .unwrap_or(0);
            let before = handled
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key.clone(), generation);
            if before != Some(generation) {
                busy.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(key.namespace.clone());
                deployment(store, key, object.as_ref(), &born);
                busy.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&key.namespace);
                endpoints(store, &key.namespace);
                status(store, &key.namespace);
            }
        }
        // Once at the end of a rollout, not for each of its pods.
        Kind::Pod
            if busy
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&key.namespace) => {}
        Kind::Pod => {
            if store.object(key).is_none() {
                heal(store, &key.namespace, &born);
            }
            endpoints(store, &key.namespace);
            status(store, &key.namespace);
        }
        Kind::Service => endpoints(store, &key.namespace),
        _ => {}
    })
}

/// Makes only the first `ready` pods of a Deployment ready, as after crashes. False if there is no such Deployment.
pub fn set_ready(store: &ObjectStore, namespace: &str, deployment: &str, ready: usize) -> bool {
    if store
        .object(&Key::new(Kind::Deployment, namespace, deployment))
        .is_none()
    {
        return false;
    }
    for (n, (key, _)) in pods_of(store, namespace, deployment).into_iter().enumerate() {
        let word = if n < ready { "True" } else { "False" };
        store.edit(&key, "kubelet", |json| {
            for condition in json
                .pointer_mut("/status/conditions")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if matches!(condition["type"].as_str(), Some("Ready" | "ContainersReady")) {
                    condition["status"] = word.into();
                }
            }
        });
    }
    true
}

fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn short(text: &str, length: usize) -> String {
    let digest = Digest::of(&Value::String(text.into()));
    digest
        .0
        .bytes()
        .take(length)
        .map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]))
        .collect()
}

fn owned_by(json: &Value, kind: &str, name: &str) -> bool {
    let owners = json
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    owners
        .into_iter()
        .flatten()
        .any(|owner| text(owner, "/kind") == kind && text(owner, "/name") == name)
}

fn sets_of(store: &ObjectStore, namespace: &str, deployment: &str) -> Vec<(Key, Arc<Value>)> {
    let mut sets = store.list(Kind::ReplicaSet, Some(namespace));
    sets.retain(|(_, json)| owned_by(json, "Deployment", deployment));
    sets
}

fn pods_of(store: &ObjectStore, namespace: &str, deployment: &str) -> Vec<(Key, Arc<Value>)> {
    let sets = sets_of(store, namespace, deployment);
    let mut pods = store.list(Kind::Pod, Some(namespace));
    pods.retain(|(_, json)| {
        sets.iter()
            .any(|(set, _)| owned_by(json, "ReplicaSet", &set.name))
    });
    pods
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|it| text(it, "/type") == "Ready" && text(it, "/status") == "True")
}

/// Gives every ReplicaSet its pods again.
fn heal(store: &ObjectStore, namespace: &str, born: &AtomicU32) {
    for (set, json) in store.list(Kind::ReplicaSet, Some(namespace)) {
        let wanted = json
            .pointer("/spec/replicas")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        scale(store, &set, wanted, born, None);
    }
}

fn deployment(store: &ObjectStore, key: &Key, object: Option<&Object>, born: &AtomicU32) {
    let Some(object) = object else {
        let pods = pods_of(store, &key.namespace, &key.name);
        let sets = sets_of(store, &key.namespace, &key.name);
        // The sets first, or they would be given new pods.
        for (key, _) in sets.iter().chain(&pods) {
            store.delete(key);
        }
        return;
    };
    let template = object.get("/spec/template").cloned().unwrap_or(Value::Null);
    let replicas = object.get("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    let hash = short(&naru_domain::object::canonical(&template), 9);
    let name = format!("{}-{hash}", key.name);
    for (set, _) in sets_of(store, &key.namespace, &key.name) {
        let wanted = if *set.name == *name { replicas } else { 0 };
        scale(store, &set, wanted, born, None);
    }
    let set = Key::new(Kind::ReplicaSet, key.namespace.clone(), name.as_str());
    if store.object(&set).is_none() {
        let mut labels = template
            .pointer("/metadata/labels")
            .cloned()
            .unwrap_or_else(|| json!({}));
        labels["pod-template-hash"] = hash.as_str().into();
        let first = object.get("/metadata/generation").and_then(Value::as_u64) == Some(1);
        let created = first.then(|| object.text("/metadata/creationTimestamp"));
        let mut json = json!({"metadata": {"name": name, "namespace": key.namespace.as_ref(), "labels": labels,
                "ownerReferences": [owner("apps/v1", "Deployment", &key.name, &object.uid())]},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}});
        if let Some(created) = created {
            json["metadata"]["creationTimestamp"] = created.into();
        }
        if store
            .load(Kind::ReplicaSet, json, "kube-controller-manager")
            .is_ok()
        {
            scale(store, &set, replicas, born, created);
        }
    }
}

fn owner(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true})
}

fn scale(store: &ObjectStore, set: &Key, wanted: u64, born: &AtomicU32, created: Option<&str>) {
    store.edit(set, "kube-controller-manager", |json| {
        json["spec"]["replicas"] = wanted.into()
    });
    let Some(object) = store.object(set) else { return };
    let mut pods = store.list(Kind::Pod, Some(&set.namespace));
    pods.retain(|(_, json)| owned_by(json, "ReplicaSet", &set.name));
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    for (key, _) in pods.iter().skip(wanted) {
        store.delete(key);
    }
    for _ in pods.len()..wanted {
        let nth = born.fetch_add(1, Ordering::Relaxed);
        let json = pod(store, &object, nth, created);
        if store.load(Kind::Pod, json, "kube-controller-manager").is_err() {
            return;
        }
    }
}

fn pod(store: &ObjectStore, set: &Object, nth: u32, created: Option<&str>) -> Value {
    let null = Value::Null;
    let template = set.get("/spec/template").unwrap_or(&null);
    let (name, namespace) = (&set.key().name, &set.key().namespace);
    let ip = format!("10.{}.{}.{}", 100 + nth / 62_500, nth / 250 % 250, nth % 250 + 1);
    let mut metadata = template.get("metadata").cloned().unwrap_or_else(|| json!({}));
    metadata["name"] = format!("{name}-{}", short(&format!("{name} {nth}"), 5)).into();
    metadata["generateName"] = format!("{name}-").into();
    metadata["namespace"] = namespace.as_ref().into();
    metadata["labels"] = set.get("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    metadata["ownerReferences"] = json!([owner("apps/v1", "ReplicaSet", name, &set.uid())]);
    if let Some(created) = created {
        metadata["creationTimestamp"] = created.into();
    }
    let mut spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    spec["nodeName"] = format!("node-{}", nth % 3 + 1).into();
    if injected(store, namespace, template) {
        inject(&mut metadata, &mut spec);
    }
    let ready = |name: &Value| json!({"name": name, "ready": true, "started": true, "restartCount": 0, "state": {"running": {}}});
    let containers = spec
        .get("containers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let statuses: Vec<Value> = containers.map(|container| ready(&container["name"])).collect();
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"]
        .map(|it| json!({"type": it, "status": "True"}));
    json!({"metadata": metadata, "spec": spec, "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
        "conditions": conditions, "containerStatuses": statuses, "qosClass": "Burstable"}})
}

/// Istio's documentation, "Installing the Sidecar", policy: the pod's label decides, else the namespace's.
fn injected(store: &ObjectStore, namespace: &str, template: &Value) -> bool {
    match template
        .pointer("/metadata/labels")
        .map_or("", |it| text(it, "/sidecar.istio.io~1inject"))
    {
        "true" => true,
        "false" => false,
        _ => store
            .object(&Key::new(Kind::Namespace, "", namespace))
            .is_some_and(|it| it.label("istio-injection") == Some("enabled")),
    }
}

/// A native sidecar, as Istio injects since Kubernetes has them.
fn inject(metadata: &mut Value, spec: &mut Value) {
    let label = |name: &str| text(metadata, &format!("/labels/{name}")).to_owned();
    let (app, version) = (label("app"), label("version"));
    metadata["labels"]["security.istio.io/tlsMode"] = "istio".into();
    metadata["labels"]["service.istio.io/canonical-name"] = app.into();
    metadata["labels"]["service.istio.io/canonical-revision"] = if version.is_empty() {
        "latest".into()
    } else {
        version.into()
    };
    let mut annotations = metadata
        .get("annotations")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_else(Map::new);
    let containers =
        r#"{"initContainers":["istio-init","istio-proxy"],"containers":null,"revision":"default"}"#;
    annotations.insert("sidecar.istio.io/status".into(), containers.into());
    metadata["annotations"] = annotations.into();
    let image = "docker.io/istio/proxyv2:1.31.0";
    let mut init = spec
        .get("initContainers")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    init.push(json!({"name": "istio-init", "image": image, "args": ["istio-iptables"]}));
    init.push(
        json!({"name": "istio-proxy", "image": image, "restartPolicy": "Always",
        "ports": [{"containerPort": 15090, "name": "http-envoy-prom", "protocol": "TCP"}]}),
    );
    spec["initContainers"] = init.into();
}

fn status(store: &ObjectStore, namespace: &str) {
    for (key, json) in store.list(Kind::Deployment, Some(namespace)) {
        let pods = pods_of(store, namespace, &key.name);
        let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
        let wanted = json
            .pointer("/spec/replicas")
            .and_then(Value::as_u64)
            .unwrap_or(1);
        let available = if u64::try_from(ready).is_ok_and(|ready| ready >= wanted) {
            "True"
        } else {
            "False"
        };
        let status = json!({"observedGeneration": json.pointer("/metadata/generation"), "replicas": pods.len(),
            "updatedReplicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready,
            "conditions": [{"type": "Available", "status": available}]});
        store.edit(&key, "kube-controller-manager", |json| json["status"] = status);
    }
}

/// One slice for each Service with a selector.
fn endpoints(store: &ObjectStore, namespace: &str) {
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
