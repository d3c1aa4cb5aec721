//! The Deployment and ReplicaSet controllers.

use super::{Kubelet, Startup, is_ready, owned_by, owner, pods, pods_of, sets_of, short, template_of};
use crate::api::ObjectStore;
use naru_domain::object::{Key, Kind, Object};
use serde_json::{Value, json};

/// Gives every ReplicaSet its pods again.
pub(super) fn heal(store: &ObjectStore, namespace: &str, kubelet: &Kubelet) {
    for (set, json) in store.list(Kind::ReplicaSet, Some(namespace)) {
        scale(store, &set, wanted(&json), None, kubelet);
    }
}

/// Goes on with what rolls: called whenever a pod has come, gone or become ready.
pub(super) fn go_on(store: &ObjectStore, namespace: &str, kubelet: &Kubelet) {
    if kubelet.startup == Startup::AtOnce {
        return;
    }
    for (key, json) in store.list(Kind::Deployment, Some(namespace)) {
        roll(store, &key, &json, kubelet);
    }
}

/// What a new, changed or deleted Deployment makes of its pods.
pub(super) fn deployment(store: &ObjectStore, key: &Key, object: Option<&Object>, kubelet: &Kubelet) {
    let Some(object) = object else {
        let pods = pods_of(store, &key.namespace, &key.name);
        let sets = sets_of(store, &key.namespace, &key.name);
        // The sets first, or they would be given new pods.
        for (key, _) in sets.iter().chain(&pods) {
            store.delete(key);
        }
        return;
    };
    let replicas = wanted(object.json());
    let set = newest(key, object.json());
    let at_once = kubelet.startup == Startup::AtOnce;
    if at_once {
        for (other, _) in sets_of(store, &key.namespace, &key.name) {
            let wanted = if other == set { replicas } else { 0 };
            scale(store, &other, wanted, None, kubelet);
        }
    }
    if store.object(&set).is_none() {
        let template = object.get("/spec/template").cloned().unwrap_or(Value::Null);
        let mut labels = template
            .pointer("/metadata/labels")
            .cloned()
            .unwrap_or_else(|| json!({}));
        labels["pod-template-hash"] = short(&template_of(object.json()), 9).into();
        let first = object.get("/metadata/generation").and_then(Value::as_u64) == Some(1);
        let created = first.then(|| object.text("/metadata/creationTimestamp"));
        // What was made before now was rolled out before now.
        let created = created.filter(|it| {
            at_once
                || it
                    .parse::<jiff::Timestamp>()
                    .is_ok_and(|it| it.as_second() < store.now().as_second())
        });
        let mut json = json!({"metadata": {"name": set.name.as_ref(), "namespace": key.namespace.as_ref(), "labels": labels,
                "ownerReferences": [owner("apps/v1", "Deployment", &key.name, &object.uid())]},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}});
        if let Some(created) = created {
            json["metadata"]["creationTimestamp"] = created.into();
        }
        if store
            .load(Kind::ReplicaSet, json, "kube-controller-manager")
            .is_ok()
            && (at_once || created.is_some())
        {
            scale(store, &set, replicas, created, kubelet);
        }
    }
    if !at_once {
        roll(store, key, object.json(), kubelet);
    }
}

/// Rolls as far as it goes at this moment.
fn roll(store: &ObjectStore, key: &Key, deployment: &Value, kubelet: &Kubelet) {
    // Up, down and up again is all that can follow before a pod becomes ready; the bound is for a pod that cannot be made.
    for _ in 0..8 {
        if !step(store, key, deployment, kubelet) {
            return;
        }
    }
}

/// Brings up as many new pods and takes away as many old ones as a rolling update by a quarter may at this moment (Kubernetes
/// documentation, Deployments: `maxSurge` is rounded up, `maxUnavailable` down).
fn step(store: &ObjectStore, key: &Key, deployment: &Value, kubelet: &Kubelet) -> bool {
    let replicas = wanted(deployment);
    let set = newest(key, deployment);
    let (surge, missing) = (replicas.div_ceil(4), replicas / 4);
    let all = pods_of(store, &key.namespace, &key.name);
    let new = all
        .iter()
        .filter(|(_, pod)| owned_by(pod, "ReplicaSet", &set.name))
        .count() as u64;
    let up = replicas
        .saturating_sub(new)
        .min((replicas + surge).saturating_sub(all.len() as u64));
    let mut moved = false;
    if up > 0 || new > replicas {
        scale(store, &set, (new + up).min(replicas), None, kubelet);
        moved = true;
    }
    // Ready pods that may go, so that enough stay; who is not ready may always go.
    let ready = all.iter().filter(|(_, pod)| is_ready(pod)).count() as u64;
    let mut spare = ready.saturating_sub(replicas - missing);
    for (old, _) in sets_of(store, &key.namespace, &key.name) {
        if old == set {
            continue;
        }
        let (well, ill): (Vec<_>, Vec<_>) = all
            .iter()
            .filter(|(_, pod)| owned_by(pod, "ReplicaSet", &old.name))
            .partition(|(_, pod)| is_ready(pod));
        let go = spare.min(well.len() as u64);
        spare -= go;
        if go > 0 || !ill.is_empty() {
            scale(store, &old, well.len() as u64 - go, None, kubelet);
            moved = true;
        }
    }
    moved
}

fn newest(key: &Key, deployment: &Value) -> Key {
    let name = format!("{}-{}", key.name, short(&template_of(deployment), 9));
    Key::new(Kind::ReplicaSet, key.namespace.clone(), name)
}

fn wanted(json: &Value) -> u64 {
    json.pointer("/spec/replicas")
        .and_then(Value::as_u64)
        .unwrap_or(1)
}

/// Gives a ReplicaSet this many pods; who is not ready goes first.
pub(super) fn scale(store: &ObjectStore, set: &Key, wanted: u64, created: Option<&str>, kubelet: &Kubelet) {
    store.edit(set, "kube-controller-manager", |json| {
        json["spec"]["replicas"] = wanted.into()
    });
    let Some(object) = store.object(set) else { return };
    let mut pods = store.list(Kind::Pod, Some(&set.namespace));
    pods.retain(|(_, json)| owned_by(json, "ReplicaSet", &set.name));
    pods.sort_by_key(|(_, json)| !is_ready(json));
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    for (key, _) in pods.iter().skip(wanted) {
        store.delete(key);
    }
    for _ in pods.len()..wanted {
        if pods::of_set(store, &object, created, kubelet).is_none() {
            return;
        }
    }
}
