//! The kubelet and the injector: pods as they are made, and as they become ready.

use super::{Kubelet, Startup, owner, short, text};
use crate::{api::ObjectStore, draw::Draw};
use jiff::SignedDuration;
use naru_domain::object::{Key, Kind, Object};
use serde_json::{Map, Value, json};
use std::sync::{Arc, atomic::Ordering};

/// One more pod of a ReplicaSet. One of `created` is as old as that, and ready.
pub(super) fn of_set(
    store: &ObjectStore,
    set: &Object,
    created: Option<&str>,
    kubelet: &Kubelet,
) -> Option<Key> {
    let null = Value::Null;
    let template = set.get("/spec/template").unwrap_or(&null);
    let labels = set.get("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    make(
        store,
        set,
        ("apps/v1", "ReplicaSet"),
        template,
        labels,
        created,
        kubelet,
    )
}

/// A Job's pod.
pub(super) fn of_job(store: &ObjectStore, job: &Object, kubelet: &Arc<Kubelet>) -> Option<Key> {
    let null = Value::Null;
    let template = job.get("/spec/template").unwrap_or(&null);
    let mut labels = template
        .pointer("/metadata/labels")
        .cloned()
        .unwrap_or_else(|| json!({}));
    labels["batch.kubernetes.io/job-name"] = job.key().name.as_ref().into();
    make(store, job, ("batch/v1", "Job"), template, labels, None, kubelet)
}

/// Makes a pod's conditions and containers say whether it is ready.
pub(super) fn set_conditions(pod: &mut Value, ready: bool) {
    let word = if ready { "True" } else { "False" };
    for condition in pod
        .pointer_mut("/status/conditions")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if matches!(condition["type"].as_str(), Some("Ready" | "ContainersReady")) {
            condition["status"] = word.into();
        }
    }
    for container in pod
        .pointer_mut("/status/containerStatuses")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        container["ready"] = ready.into();
    }
}

fn make(
    store: &ObjectStore,
    of: &Object,
    kind: (&str, &str),
    template: &Value,
    labels: Value,
    created: Option<&str>,
    kubelet: &Kubelet,
) -> Option<Key> {
    let nth = kubelet.born.fetch_add(1, Ordering::Relaxed);
    let delay = match kubelet.startup {
        Startup::Slow { from_ms, to_ms, seed } if created.is_none() => {
            let span = usize::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0) + 1;
            let more = Draw::new(seed ^ 0x706f_6473, u64::from(nth)).below(span);
            i64::from(from_ms) + i64::try_from(more).unwrap_or(0)
        }
        Startup::Slow { .. } | Startup::AtOnce => 0,
    };
    let meshed = kubelet.injector.takes(store, &of.key().namespace, template);
    let mut json = pod(meshed, of, kind, template, labels, nth, created, delay == 0);
    json["status"]["startTime"] = created
        .map_or_else(|| format!("{:.0}", store.now()), str::to_owned)
        .into();
    let key = store
        .load(Kind::Pod, json, "kube-controller-manager")
        .ok()?
        .key()
        .clone();
    if delay > 0 {
        let key = key.clone();
        store.later(store.now() + SignedDuration::from_millis(delay), move |store| {
            store.edit(&key, "kubelet", |json| {
                if text(json, "/status/phase") != "Succeeded" {
                    set_conditions(json, true);
                }
            });
        });
    }
    Some(key)
}

#[expect(clippy::too_many_arguments, reason = "each is a part of the pod")]
fn pod(
    meshed: bool,
    of: &Object,
    (api_version, kind): (&str, &str),
    template: &Value,
    labels: Value,
    nth: u32,
    created: Option<&str>,
    ready: bool,
) -> Value {
    let (name, namespace) = (&of.key().name, &of.key().namespace);
    let ip = format!("10.{}.{}.{}", 100 + nth / 62_500, nth / 250 % 250, nth % 250 + 1);
    let mut metadata = template.get("metadata").cloned().unwrap_or_else(|| json!({}));
    metadata["name"] = format!("{name}-{}", short(&format!("{name} {nth}"), 5)).into();
    metadata["generateName"] = format!("{name}-").into();
    metadata["namespace"] = namespace.as_ref().into();
    metadata["labels"] = labels;
    metadata["ownerReferences"] = json!([owner(api_version, kind, name, &of.uid())]);
    if let Some(created) = created {
        metadata["creationTimestamp"] = created.into();
    }
    let mut spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    spec["nodeName"] = format!("node-{}", nth % 3 + 1).into();
    if meshed {
        inject(&mut metadata, &mut spec);
    }
    let up = |name: &Value| json!({"name": name, "ready": true, "started": true, "restartCount": 0, "state": {"running": {}}});
    let containers = spec
        .get("containers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let statuses: Vec<Value> = containers.map(|container| up(&container["name"])).collect();
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"]
        .map(|it| json!({"type": it, "status": "True"}));
    let mut pod = json!({"metadata": metadata, "spec": spec, "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
        "conditions": conditions, "containerStatuses": statuses, "qosClass": "Burstable"}});
    set_conditions(&mut pod, ready);
    pod
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
