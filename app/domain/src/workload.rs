//! Which workload a pod belongs to, by the rules that Istio labels its metrics with.

use crate::{
    Name,
    fact::{Labels, Pod},
    object::{Key, Kind},
    snapshot::Objects,
};
use std::sync::Arc;

/// Namespace and name of a workload.
pub type WorkloadId = (Name, Name);

/// Namespace and name of what owns a pod, as Istio's metrics name it (`GetDeployMetaFromPod` in istio/istio):
/// the Deployment (or Rollout) behind a ReplicaSet, the CronJob behind a Job, else the controlling owner itself, else the pod. The
/// label `service.istio.io/workload-name` overrides all that. A ReplicaSet that is not known gives its name without the pod's template
/// hash, which is what Istio does for all of them.
pub fn workload_of(objects: &Objects, pod: &Pod) -> WorkloadId {
    (pod.namespace.clone(), name_of(objects, pod))
}

fn name_of(objects: &Objects, pod: &Pod) -> Name {
    if let Some(name) = pod
        .labels
        .get("service.istio.io/workload-name")
        .filter(|name| !name.is_empty())
    {
        return name.clone();
    }
    let Some((kind, owner)) = &pod.owner else {
        return pod.name.clone();
    };
    match &**kind {
        "ReplicaSet" => {
            let known =
                objects
                    .replica_sets
                    .get(&Key::new(Kind::ReplicaSet, pod.namespace.clone(), owner.clone()));
            match known.and_then(|set| set.owner.as_ref()) {
                Some((_, name)) => name.clone(),
                None => without_hash(owner, &pod.labels),
            }
        }
        "Job" => cron_job(owner).into(),
        _ => owner.clone(),
    }
}

fn without_hash(owner: &Name, labels: &Labels) -> Name {
    let hashes = ["pod-template-hash", "rollouts-pod-template-hash"]
        .iter()
        .filter_map(|label| labels.get(*label));
    let stripped = hashes
        .filter_map(|hash| owner.strip_suffix(&**hash)?.strip_suffix('-'))
        .find(|name| !name.is_empty());
    stripped.map_or_else(|| owner.clone(), Name::from)
}

/// A CronJob calls its Jobs after itself, a dash and the scheduled minute: eight to ten digits.
fn cron_job(job: &str) -> &str {
    match job.rsplit_once('-') {
        Some((name, minute))
            if !name.is_empty()
                && (8..=10).contains(&minute.len())
                && minute.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => job,
    }
}

/// Whether a pod counts: it is not being deleted and has not ended.
pub fn runs(pod: &Pod) -> bool {
    !pod.leaving && !matches!(&*pod.phase, "Succeeded" | "Failed")
}

/// The pods of one workload that count: without a pass over those of other namespaces.
pub fn pods_of<'a>(objects: &'a Objects, id: &WorkloadId) -> Vec<&'a Arc<Pod>> {
    let first = Key::new(Kind::Pod, id.0.clone(), "");
    let here = objects
        .pods
        .range(first..)
        .take_while(|(key, _)| key.namespace == id.0);
    here.map(|(_, pod)| pod)
        .filter(|pod| runs(pod) && name_of(objects, pod) == id.1)
        .collect()
}

/// Whether labels answer a selector: each of its labels is there with its value. An empty selector selects nothing, as a Service's does.
pub fn selects(selector: &Labels, labels: &Labels) -> bool {
    !selector.is_empty()
        && selector
            .iter()
            .all(|(name, value)| labels.get(name) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::{pods_of, selects, workload_of};
    use crate::{
        fact::{Fact, Labels},
        object::Kind,
        snapshot::Objects,
    };
    use serde_json::{Value, json};

    fn pod(name: &str, owner: Option<(&str, &str)>, labels: &Value) -> Value {
        let owners: Vec<Value> = owner
            .iter()
            .map(|(kind, name)| json!({"kind": kind, "name": name, "controller": true}))
            .collect();
        json!({"metadata": {"name": name, "namespace": "shop", "labels": labels, "ownerReferences": owners}, "status": {"phase": "Running"}})
    }

    fn resolved(objects: &Objects, json: Value) -> String {
        let Fact::Pod(pod) = Fact::read(Kind::Pod, json).unwrap() else {
            panic!()
        };
        let (namespace, name) = workload_of(objects, &pod);
        format!("{namespace}/{name}")
    }

    #[test]
    fn the_owner_is_found_through_a_replica_set_known_or_not() {
        let mut objects = Objects::default();
        let hashed = json!({"pod-template-hash": "7d9f"});
        let table = [
            (
                "a-7d9f-x",
                Some(("ReplicaSet", "a-7d9f")),
                hashed.clone(),
                "shop/a",
            ),
            ("a-1-x", Some(("ReplicaSet", "a-1")), hashed.clone(), "shop/a-1"),
            (
                "r-5-x",
                Some(("ReplicaSet", "r-5")),
                json!({"rollouts-pod-template-hash": "5"}),
                "shop/r",
            ),
            ("db-0", Some(("StatefulSet", "db")), json!({}), "shop/db"),
            (
                "n-x",
                Some(("Job", "nightly-29384756")),
                json!({}),
                "shop/nightly",
            ),
            ("m-x", Some(("Job", "migrate-3")), json!({}), "shop/migrate-3"),
            ("alone", None, json!({}), "shop/alone"),
            (
                "z-x",
                Some(("ReplicaSet", "z-7d9f")),
                json!({"service.istio.io/workload-name": "named"}),
                "shop/named",
            ),
            ("odd", Some(("ReplicaSet", "-7d9f")), hashed.clone(), "shop/-7d9f"),
        ];
        for (name, owner, labels, expected) in table {
            assert_eq!(resolved(&objects, pod(name, owner, &labels)), expected);
        }
        let set = json!({"metadata": {"name": "a-7d9f", "namespace": "shop",
            "ownerReferences": [{"kind": "Deployment", "name": "renamed", "controller": true}]}});
        objects.put(Fact::read(Kind::ReplicaSet, set).unwrap());
        assert_eq!(
            resolved(&objects, pod("a-7d9f-x", Some(("ReplicaSet", "a-7d9f")), &hashed)),
            "shop/renamed"
        );
    }

    #[test]
    fn pods_that_leave_or_have_ended_do_not_count() {
        let mut objects = Objects::default();
        for (name, phase, leaving) in [
            ("a", "Running", false),
            ("b", "Succeeded", false),
            ("c", "Failed", false),
            ("d", "Running", true),
            ("e", "Pending", false),
        ] {
            let mut json = json!({"metadata": {"name": name, "namespace": "n"}, "status": {"phase": phase}});
            if leaving {
                json["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            }
            objects.put(Fact::read(Kind::Pod, json).unwrap());
        }
        let counts = |name: &&str| !pods_of(&objects, &("n".into(), (*name).into())).is_empty();
        let names: Vec<&str> = ["a", "b", "c", "d", "e"].into_iter().filter(counts).collect();
        assert_eq!(names, ["a", "e"]);
    }

    #[test]
    fn an_empty_selector_selects_nothing() {
        let labels = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect::<Labels>()
        };
        assert!(!selects(&labels(&[]), &labels(&[("a", "b")])));
        assert!(selects(
            &labels(&[("a", "b")]),
            &labels(&[("a", "b"), ("c", "d")])
        ));
        assert!(!selects(
            &labels(&[("a", "b"), ("x", "y")]),
            &labels(&[("a", "b")])
        ));
    }
}
