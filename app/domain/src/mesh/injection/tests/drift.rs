//! Whose template a running pod is compared with.

use super::{namespace, objects, webhooks, workload};
use crate::{
    mesh::{
        Mesh,
        injection::{PodDrift, drift},
    },
    object::Kind,
    snapshot::{KindState, Objects},
};
use serde_json::{Value, json};

/// A pod without a proxy, of a controller called `name`.
fn bare(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app-x", "namespace": "shop",
        "ownerReferences": [{"kind": kind, "name": name, "controller": true}]},
        "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Running"}})
}

/// In a namespace whose new pods get a proxy.
fn world(more: impl IntoIterator<Item = Value>) -> Objects {
    let base = [
        webhooks("default", None),
        namespace("shop", json!({"istio-injection": "enabled"})),
    ];
    objects(base.into_iter().chain(more))
}

fn told(objects: &Objects) -> Vec<PodDrift> {
    let drift = drift(&Mesh::of(objects), &("shop".into(), "app".into()));
    drift.pods.into_iter().map(|(_, it)| it).collect()
}

#[test]
fn a_pod_is_compared_with_the_template_of_what_owns_it() {
    let template = || json!({"template": {"metadata": {}, "spec": {}}});
    let missing = || {
        [PodDrift::Missing {
            revision: "default".into(),
        }]
    };
    for (kind, owner) in [
        ("Deployment", "ReplicaSet"),
        ("ReplicaSet", "ReplicaSet"),
        ("StatefulSet", "StatefulSet"),
        ("DaemonSet", "DaemonSet"),
        ("Job", "Job"),
    ] {
        let objects = world([workload(kind, template()), bare(owner, "app")]);
        assert_eq!(told(&objects), missing(), "{kind}");
    }
    let cron = workload("CronJob", json!({"jobTemplate": {"spec": template()}}));
    let mut run = workload("Job", template());
    run["metadata"]["name"] = json!("app-29000000");
    run["metadata"]["ownerReferences"] = json!([{"kind": "CronJob", "name": "app", "controller": true}]);
    assert_eq!(told(&world([cron, run, bare("Job", "app-29000000")])), missing());
}

#[test]
fn a_template_that_is_not_known_and_an_injector_that_cannot_be_read_are_no_answer() {
    let unknown =
        |objects: &Objects| matches!(&told(objects)[..], [PodDrift::Unknown(whys)] if !whys.is_empty());
    assert!(unknown(&world([bare("StatefulSet", "app")])));
    let template = json!({"template": {"metadata": {}, "spec": {}}});
    let mut blind = world([workload("StatefulSet", template), bare("StatefulSet", "app")]);
    assert!(!unknown(&blind));
    blind
        .kinds
        .insert(Kind::MutatingWebhookConfiguration, KindState::NotYet);
    assert!(unknown(&blind));
}
