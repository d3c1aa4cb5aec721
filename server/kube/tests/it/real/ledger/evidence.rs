//! What was seen is written by Naru, and stays; if the policy that says so is gone, that is seen.

use super::{Edit, KIM, Ledger, POLICED, Who, judged};
use crate::real::admin::eventually;
use http::StatusCode;
use naru_domain::crossing::guard::Down;
use serde_json::json;

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_nobody_but_naru_says_what_was_seen() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let invented = judged().object().unwrap().json().clone();
    ledger
        .no_create(
            Who::Admin,
            "evidences",
            &invented,
            422,
            "written by Naru, and by nobody else",
        )
        .await;
    ledger
        .no_create(KIM, "evidences", &invented, 403, "cannot create resource")
        .await;

    let evidence = ledger.evidence().await;
    let url = format!("evidences/{}", evidence.name);
    let better = json!([{"op": "replace", "path": "/spec/verdict", "value": "unknown"}]);
    ledger.no_patch(Who::Admin, &url, &better, 422, "").await;
    let moved =
        json!([{"op": "add", "path": "/metadata/annotations", "value": {"naru.dev/imported-uid": "x"}}]);
    ledger
        .no_patch(
            Who::Admin,
            &url,
            &moved,
            422,
            "written by Naru, and by nobody else",
        )
        .await;
    ledger
        .no_patch(Who::Naru, &url, &better, 403, "cannot patch resource")
        .await;
    ledger
        .no_delete(Who::Admin, &url, 422, "Evidence is never deleted")
        .await;
    ledger
        .no_delete(Who::Naru, &url, 403, "cannot delete resource")
        .await;
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_what_was_seen_is_bounded() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let whole = judged().object().unwrap().json().clone();
    let cases: [(Edit, &str); 4] = [
        (
            |it| it["spec"]["facts"] = vec![it["spec"]["facts"][0].clone(); 2001].into(),
            "spec.facts",
        ),
        (
            |it| it["spec"]["facts"][0]["value"] = json!("x".repeat(4097)),
            "spec.facts[0].value",
        ),
        (|it| it["spec"]["verdict"] = json!("excellent"), "spec.verdict"),
        (
            |it| drop(it["spec"].as_object_mut().unwrap().remove("policies")),
            "spec.policies",
        ),
    ];
    for (edit, words) in cases {
        let mut object = whole.clone();
        edit(&mut object);
        ledger
            .no_create(Who::Naru, "evidences", &object, 422, words)
            .await;
    }
}

/// Whoever may remove a policy may forge: what signing asks first is whether all are there.
#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_policy_that_was_taken_away_is_missed() {
    let _policed = POLICED.write().await;
    let ledger = Ledger::new().await;
    assert!(ledger.guards().await.stand(), "{:?}", ledger.guards().await);
    let url = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/naru-evidence";
    ledger.admin.delete(url).await;
    assert_eq!(ledger.guards().await.down, [("naru-evidence", Down::Unbound)]);
    let invented = judged().object().unwrap().json().clone();
    eventually!(ledger.try_create(Who::Admin, "evidences", &invented).await.0 == StatusCode::CREATED);
    ledger
        .admin
        .apply(include_str!("../../../../../../k8s/base/ledger.yaml"), "")
        .await;
    ledger.in_force().await;
    assert!(ledger.guards().await.stand(), "{:?}", ledger.guards().await);
}
