//! What a cluster does with manifests: the Deployment, CronJob and EndpointSlice controllers, the kubelet and Istio's injector, as far as
//! their outcome goes.
//!
//! They act within the write that gives them reason to, and plan what takes time on the store's agenda, so that nothing runs in the
//! background. A sidecar comes or goes when a pod is made, and never later.

mod endpoints;
mod jobs;
mod pods;
mod rollout;

use super::injection::Injector;
use crate::api::{Hook, ObjectStore};
use jiff::SignedDuration;
use naru_domain::{
    Name,
    object::{Digest, Key, Kind, Object},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
};

/// The alphabet of Kubernetes' generated names (`k8s.io/apimachinery/pkg/util/rand`).
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// How long pods take to become ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Startup {
    /// They are ready at once, so that a changed template replaces all pods in one go.
    #[default]
    AtOnce,
    /// From `from_ms` to `to_ms`; Deployments roll by a quarter, as they do unless told otherwise.
    Slow {
        /// Milliseconds at least.
        from_ms: u32,
        /// Milliseconds at most.
        to_ms: u32,
        /// Decides how long each takes.
        seed: u64,
    },
}

/// What pods are made with.
#[derive(Debug)]
pub(super) struct Kubelet {
    startup: Startup,
    born: AtomicU32,
    injector: Injector,
}

/// All controllers, for [`ObjectStore::on_change`].
pub fn controllers(startup: Startup) -> Hook {
    let kubelet = Arc::new(Kubelet {
        startup,
        born: AtomicU32::new(0),
        injector: Injector::default(),
    });
    // The generation of each object that has been acted on: its status, which we write ourselves, is no reason to act.
    let handled = Mutex::new(BTreeMap::<Key, (Name, u64)>::new());
    // Namespaces whose pods are being made: that is done once, not for each of them.
    let busy = Mutex::new(BTreeSet::<Name>::new());
    let lock = |it: &Mutex<BTreeSet<Name>>, namespace: &Name, on: bool| {
        let mut it = it.lock().unwrap_or_else(PoisonError::into_inner);
        if on {
            it.insert(namespace.clone())
        } else {
            it.remove(namespace)
        }
    };
    Arc::new(move |store, key| {
        let namespace = &key.namespace;
        match key.kind {
            Kind::Deployment | Kind::CronJob | Kind::Job => {
                let object = store.object(key);
                let generation = object
                    .as_ref()
                    .and_then(|it| it.get("/metadata/generation")?.as_u64());
                let now = (
                    object.as_ref().map_or_else(|| "".into(), Object::uid),
                    generation.unwrap_or(0),
                );
                let before = handled
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(key.clone(), now.clone());
                if before.as_ref() == Some(&now) {
                    return;
                }
                if key.kind == Kind::Job {
                    return jobs::start(store, key, &kubelet);
                }
                if key.kind == Kind::CronJob {
                    if before.is_none_or(|(uid, _)| uid != now.0) {
                        jobs::plan(store, key, store.now(), &kubelet);
                    }
                    return;
                }
                lock(&busy, namespace, true);
                rollout::deployment(store, key, object.as_ref(), &kubelet);
                lock(&busy, namespace, false);
                endpoints::slices(store, namespace);
                status(store, namespace);
            }
            Kind::Pod => {
                if !lock(&busy, namespace, true) {
                    return;
                }
                if store.object(key).is_none() {
                    rollout::heal(store, namespace, &kubelet);
                }
                rollout::go_on(store, namespace, &kubelet);
                lock(&busy, namespace, false);
                endpoints::slices(store, namespace);
                status(store, namespace);
            }
            Kind::Service => endpoints::slices(store, namespace),
            _ => {}
        }
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
        store.edit(&key, "kubelet", |json| pods::set_conditions(json, n < ready));
    }
    true
}

/// Runs a CronJob out of its turn.
pub fn run_job(store: &ObjectStore, cron_job: &Key) {
    jobs::by_hand(store, cron_job);
}

/// Makes a pod's containers crash, as the kubelet tells it of one that does so again and again.
pub fn crash(store: &ObjectStore, pod: &Key) {
    let ended = store.now();
    let started = ended - SignedDuration::from_secs(10);
    store.edit(pod, "kubelet", |json| {
        pods::set_conditions(json, false);
        let containers = json
            .pointer_mut("/status/containerStatuses")
            .and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            container["restartCount"] = 7.into();
            container["state"] = json!({"waiting": {"reason": "CrashLoopBackOff",
                "message": "back-off 5m0s restarting failed container"}});
            container["lastState"] = json!({"terminated": {"exitCode": 1, "reason": "Error",
                "startedAt": format!("{started:.0}"), "finishedAt": format!("{ended:.0}")}});
        }
    });
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

fn owner(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true})
}

/// A Deployment's pod template, as text that is the same for the same template.
fn template_of(deployment: &Value) -> String {
    let template = deployment.pointer("/spec/template").unwrap_or(&Value::Null);
    naru_domain::object::canonical(template)
}

fn status(store: &ObjectStore, namespace: &str) {
    for (key, json) in store.list(Kind::Deployment, Some(namespace)) {
        let pods = pods_of(store, namespace, &key.name);
        let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
        let hash = short(&template_of(&json), 9);
        let hash = format!("{}-{hash}", key.name);
        let updated = pods
            .iter()
            .filter(|(_, pod)| owned_by(pod, "ReplicaSet", &hash))
            .count();
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
            "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": ready,
            "conditions": [{"type": "Available", "status": available}]});
        store.edit(&key, "kube-controller-manager", |json| json["status"] = status);
    }
}
