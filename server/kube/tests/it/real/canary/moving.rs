//! What Naru does by itself: it says how far a canary is, everywhere, and moves weights where a namespace lets it.

use super::{ALICE, Canaries, KIM, MEDIA, PATCH, Who, eventually, says};
use http::{Method, StatusCode};
use naru_domain::{
    actor::{Actor, NARU},
    canary::{spec::Spec, status::Status},
    object::{Kind, Object},
};
use naru_ports::contract::cluster::{change, virtual_service};
use serde_json::{Value, json};

const OPT_IN: &str = include_str!("../../../../../../k8s/opt-in/canary/canary.yaml");

/// Everything that a status can have.
fn whole() -> Value {
    let said = json!({"code": "stable-too-small", "args": {"needed": "3", "ready": "1"}});
    let target = |subset: &str| json!({"host": "shop", "subset": subset});
    json!({
        "phase": "Dwelling", "why": [{"code": "dwell", "args": {"until": "2026-11-30T02:00:00Z"}}, {"code": "frozen"}], "step": 0,
        "since": "2026-11-30T01:50:00Z", "began": "2026-11-30T01:50:00Z",
        "written": {"change": "weights-1", "before": {"stable": 100, "canary": 0}, "after": {"stable": 95, "canary": 5}, "goal": "Step"},
        "verdict": {"code": "hold"},
        "metrics": [{"metric": "client-errors", "stable": 0.001, "canary": 0.002, "difference": 0.001, "low": -0.01, "high": 0.012,
            "threshold": 0.01, "n": 420}],
        "blindSince": "2026-11-30T01:55:00Z", "alarm": said, "roles": {"stable": target("v1"), "canary": target("v2")},
        "oldNeededUntil": "2026-12-01T01:50:00Z",
    })
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_how_far_it_is_is_narus_to_say() {
    let canaries = Canaries::new().await;
    canaries.begun("shop").await;
    let write = |status: &Value| json!([{"op": "add", "path": "/status", "value": status}]);
    let first = serde_json::to_value(Status::default()).unwrap();
    let rest = "canaries/shop/status";
    // Not even Naru, where nobody lets it move anything.
    canaries
        .no_patch(Who::Naru, rest, &write(&first), 403, "cannot patch resource")
        .await;
    canaries.admin.apply(OPT_IN, &canaries.namespace).await;
    eventually!(
        canaries
            .patch(Who::Naru, rest, &write(&first))
            .await
            .0
            .is_success()
    );
    let object = async || {
        Object::new(
            Kind::Canary,
            canaries.admin.get(&canaries.url("canaries/shop")).await.1,
        )
        .unwrap()
    };
    assert_eq!(Status::read(&object().await), Ok(Status::default()));
    let (status, answer) = canaries
        .patch(
            Who::Naru,
            &format!("{rest}?fieldValidation=Strict"),
            &write(&whole()),
        )
        .await;
    assert!(status.is_success(), "{answer}");
    let read = Status::read(&object().await).unwrap();
    // Nothing of it was pruned, and what Naru writes of it is what it read.
    assert_eq!(serde_json::to_value(&read).unwrap()["why"][1]["code"], "frozen");
    let again = serde_json::to_value(&read).unwrap();
    let (status, answer) = canaries.patch(Who::Naru, rest, &write(&again)).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(Status::read(&object().await), Ok(read));
    assert!(Spec::read(&object().await).is_ok());

    let promoted = json!([{"op": "replace", "path": "/status/phase", "value": "Finished"}]);
    canaries
        .no_patch(KIM, rest, &promoted, 403, "cannot patch resource")
        .await;
    canaries
        .no_patch(ALICE, rest, &promoted, 403, "cannot patch resource")
        .await;
    canaries
        .no_patch(
            Who::Admin,
            rest,
            &promoted,
            422,
            "written by Naru, and by nobody else",
        )
        .await;
    let rules = json!([{"apiGroups": ["naru.dev"], "resources": ["canaries/status"], "verbs": ["patch"]}]);
    canaries
        .give("status", &rules, &super::group("naru:operator"))
        .await;
    eventually!(says(
        &canaries.patch(KIM, rest, &promoted).await.1,
        "ValidatingAdmissionPolicy"
    ));
    canaries
        .no_patch(KIM, rest, &promoted, 422, "written by Naru, and by nobody else")
        .await;
    for (path, value) in [
        ("/status/phase", json!("Lost")),
        ("/status/step", json!(20)),
        ("/status/written/after/canary", json!(101)),
        ("/status/since", json!("yesterday")),
    ] {
        let patch = json!([{"op": "replace", "path": path, "value": value}]);
        canaries
            .no_patch(
                Who::Naru,
                rest,
                &patch,
                422,
                path.trim_start_matches('/').split('/').next_back().unwrap(),
            )
            .await;
    }
    // An order is none of a status' writer.
    let order = json!([{"op": "replace", "path": "/spec/course", "value": "promote"}]);
    let (_, answer) = canaries.patch(Who::Naru, rest, &order).await;
    assert_eq!(answer["spec"]["course"], "run", "{answer}");
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_naru_moves_weights_where_a_namespace_lets_it_and_nowhere_else() {
    let canaries = Canaries::new().await;
    let namespace = canaries.namespace.clone();
    canaries
        .admin
        .apply_one(&virtual_service(&namespace, "shop", 0))
        .await;
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop-v1", "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "shop"}},
            "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "app", "image": "none"}]}}}});
    canaries.admin.apply_one(&deployment).await;
    let route = format!("/apis/networking.istio.io/v1/namespaces/{namespace}/virtualservices/shop");
    let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments/shop-v1");
    let scale = format!("{deployments}/scale");
    let naru = Actor {
        name: "".into(),
        ..Actor::of_cluster(&NARU.into())
    };
    let mut entry = change(&namespace, "canary-1", &naru, "shop");
    let rv = canaries.admin.get(&route).await.1["metadata"]["resourceVersion"].clone();
    let guarded = |rv: &Value| {
        json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": rv},
            {"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 95},
            {"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 5}])
    };
    let replicas = json!({"spec": {"replicas": 3}});
    let move_it = async |rv: &Value| {
        canaries
            .send(Who::Naru, Method::PATCH, &route, PATCH, &guarded(rv))
            .await
    };
    let scale_it = async || {
        let media = "application/merge-patch+json";
        canaries
            .send(Who::Naru, Method::PATCH, &scale, media, &replicas)
            .await
    };
    // The other opt-ins let people move, and recovery fence: not this.
    assert_eq!(
        canaries.create(Who::Naru, "changes", &entry).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(move_it(&rv).await.0, StatusCode::FORBIDDEN);
    assert_eq!(scale_it().await.0, StatusCode::FORBIDDEN);

    canaries.admin.apply(OPT_IN, &namespace).await;
    eventually!(canaries.create(Who::Naru, "changes?dryRun=All", &entry).await.0 == StatusCode::CREATED);
    // In nobody else's name.
    for actor in [
        json!({"issuer": "https://id.example", "sub": "kim", "name": "Kim", "groups": []}),
        json!({"issuer": "kubernetes", "sub": NARU, "name": "Kim", "groups": []}),
    ] {
        let mut forged = entry.clone();
        forged["spec"]["actor"] = actor;
        let (status, answer) = canaries.create(Who::Naru, "changes", &forged).await;
        assert!(status == 422 && says(&answer, "spec.actor"), "{answer}");
    }
    let (status, answer) = canaries.create(Who::Naru, "changes", &entry).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let (status, answer) = move_it(&rv).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(answer["spec"]["http"][0]["route"][1]["weight"], 5);
    // On anything else than was planned on it is not carried out.
    assert_eq!(move_it(&rv).await.0, StatusCode::CONFLICT);
    let landed = json!([{"op": "add", "path": "/status", "value": {"phase": "Landed"}}]);
    let (status, answer) = canaries
        .patch(Who::Naru, "changes/canary-1/status", &landed)
        .await;
    assert!(status.is_success(), "{answer}");
    let (status, answer) = scale_it().await;
    assert!(status.is_success() && answer["spec"]["replicas"] == 3, "{answer}");

    // Weights and size, and nothing else of it; and of what it moves no other kind.
    let image =
        json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "other"}]);
    let (status, _) = canaries
        .send(Who::Naru, Method::PATCH, &deployments, PATCH, &image)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = canaries
        .send(Who::Naru, Method::DELETE, &route, MEDIA, &Value::Null)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    entry["metadata"]["name"] = json!("canary-2");
    entry["spec"]["target"]["kind"] = json!("DestinationRule");
    let (status, answer) = canaries.create(Who::Naru, "changes", &entry).await;
    assert!(
        status == 403 && says(&answer, "may not patch objects of the target's kind"),
        "{answer}"
    );
    // What was let into one namespace is nothing in another.
    let other = super::namespace(&canaries.admin).await;
    let elsewhere = format!("/apis/naru.dev/v1alpha1/namespaces/{other}/changes");
    let entry = change(&other, "canary-1", &naru, "shop");
    let (status, answer) = canaries
        .send(Who::Naru, Method::POST, &elsewhere, MEDIA, &entry)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
}
