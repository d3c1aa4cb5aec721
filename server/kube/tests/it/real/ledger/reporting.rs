//! What is handed in is that of who asks, who has the right for the item, and stays.

use super::{KIM, Ledger, PARK, PATCH, POLICED, Who, admin, now};
use crate::real::admin::eventually;
use http::{Method, StatusCode};
use kube::Client;
use naru_domain::{
    crossing::report::{Content, Junit, ReportSpec, Sender},
    object::Digest,
};
use serde_json::{Value, json};

const CI: &str = "system:serviceaccount:naru:suite-ci";

/// One that a user hands in; each is another, since it says when.
pub(super) fn report(user: &str) -> Value {
    let junit = Junit {
        tests: 3,
        digest: Digest::of_bytes(b"<testsuite/>"),
        bytes: 12,
        ..Junit::default()
    };
    let spec = ReportSpec {
        item: "2.4".into(),
        by: Sender {
            user: user.into(),
            issuer: None,
            sub: None,
        },
        commit: "0123abc".into(),
        target: "staging".into(),
        run: None,
        started: None,
        ended: None,
        content: Content::Junit(junit),
        at: now(),
    };
    spec.object().unwrap().json().clone()
}

fn binding(name: &str, subject: &Value) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "naru-report"}, "subjects": [subject]})
}

/// A pipeline with an account of its own, which may hand in for 2.4.
async fn pipeline(ledger: &Ledger) -> Client {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "suite-ci", "namespace": "naru"}});
    ledger.admin.apply_one(&account).await;
    let subject = json!({"kind": "ServiceAccount", "name": "suite-ci", "namespace": "naru"});
    ledger
        .admin
        .apply_one(&binding("suite-naru-report", &subject))
        .await;
    let mut config = admin::config().await;
    config.auth_info = kube::config::AuthInfo {
        token: Some(ledger.admin.token("naru", "suite-ci").await.into()),
        ..kube::config::AuthInfo::default()
    };
    let client = Client::try_from(config).unwrap();
    eventually!(post(&client, &report(CI), "?dryRun=All").await.0 == StatusCode::CREATED);
    client
}

async fn post(client: &Client, object: &Value, query: &str) -> (StatusCode, Value) {
    let url = format!("/apis/naru.dev/v1alpha1/reports{query}");
    admin::send(client, Method::POST, &url, super::MEDIA, object, &[]).await
}

fn refused((status, answer): (StatusCode, Value), code: u16, words: &str) {
    assert!(status == code && super::says(&answer, words), "{words}: {answer}");
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_nobody_hands_in_for_another_or_without_the_right() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let ci = pipeline(&ledger).await;
    let strict = "?fieldValidation=Strict";
    refused(
        post(&ci, &report("somebody"), strict).await,
        422,
        "spec.by.user is not who asks",
    );
    let mut claims = report(CI);
    claims["spec"]["by"]["sub"] = json!("kim");
    refused(post(&ci, &claims, strict).await, 422, "spec.by is not who asks");
    let mut other = report(CI);
    other["spec"]["item"] = json!("3.4");
    refused(
        post(&ci, &other, strict).await,
        403,
        "may not hand anything in for this item",
    );
    for (pointer, value, words) in [
        ("/spec/commit", json!("release-7"), "spec.commit"),
        ("/spec/target", json!(""), "spec.target"),
        ("/spec/content", json!({}), "spec.content"),
        ("/spec/content/junit/failed", json!(vec!["x"; 51]), "failed"),
    ] {
        let mut odd = report(CI);
        *odd.pointer_mut(pointer).unwrap() = value;
        refused(post(&ci, &odd, strict).await, 422, words);
    }
    // An administrator's report is an administrator's; Naru itself has no right here, and neither have people without the role.
    ledger
        .no_create(
            Who::Admin,
            "reports",
            &report(CI),
            422,
            "spec.by.user is not who asks",
        )
        .await;
    let naru = report("system:serviceaccount:naru:naru");
    ledger
        .no_create(Who::Naru, "reports", &naru, 403, "cannot create resource")
        .await;
    ledger
        .no_create(
            PARK,
            "reports",
            &report("naru:person"),
            403,
            "cannot create resource",
        )
        .await;
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_person_hands_in_through_naru_as_themselves() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let people = json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "naru:operator"});
    ledger
        .admin
        .apply_one(&binding("suite-naru-report-operators", &people))
        .await;
    let of = |sub: &str| {
        let mut object = report("naru:person");
        object["spec"]["by"]["sub"] = json!(sub);
        object["spec"]["by"]["issuer"] = json!("https://id.example");
        object
    };
    eventually!(ledger.try_create(KIM, "reports", &of("kim")).await.0 == StatusCode::CREATED);
    for forged in [of("lee"), report("naru:person")] {
        ledger
            .no_create(KIM, "reports", &forged, 422, "spec.by is not who asks")
            .await;
    }
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_what_was_handed_in_is_never_edited_or_deleted() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let ci = pipeline(&ledger).await;
    let object = report(CI);
    let (status, answer) = post(&ci, &object, "?fieldValidation=Strict").await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let url = format!("reports/{}", object["metadata"]["name"].as_str().unwrap());
    let better = json!([{"op": "replace", "path": "/spec/content/junit/tests", "value": 9}]);
    ledger
        .no_patch(Who::Admin, &url, &better, 422, "spec never changes")
        .await;
    ledger.no_delete(Who::Admin, &url, 422, "never deleted").await;
    let whole = format!("/apis/naru.dev/v1alpha1/{url}");
    refused(
        admin::send(&ci, Method::PATCH, &whole, PATCH, &better, &[]).await,
        403,
        "cannot patch resource",
    );
    refused(post(&ci, &object, "").await, 409, "already exists");
}
