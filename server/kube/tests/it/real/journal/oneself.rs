//! Users of the cluster's own, who write entries as themselves: in their own name, with the right to the target.

use super::{Edit, Journal, MEDIA, PATCH, says};
use crate::real::admin::{self, eventually};
use http::{Method, StatusCode};
use kube::Client;
use serde_json::json;

/// What `naru undo` writes: as whoever the kubeconfig names.
#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_user_writes_it_as_themselves_and_as_nobody_else() {
    let journal = Journal::new().await;
    let url = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let ask = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let (_, review) = journal.admin.send(Method::POST, url, MEDIA, &ask).await;
    let who = &review["status"]["userInfo"];
    let own = |name: &str| {
        journal.change(name, |spec| {
            spec["actor"] =
                json!({"issuer": "kubernetes", "sub": who["username"], "name": "", "groups": who["groups"]});
        })
    };
    let cases: [(&str, Edit, &str); 6] = [
        (
            "person",
            |spec| spec["actor"]["issuer"] = json!("https://id.example"),
            "spec.actor is not who asks",
        ),
        (
            "other",
            |spec| spec["actor"]["sub"] = json!("somebody"),
            "spec.actor is not who asks",
        ),
        (
            "nobody",
            |spec| spec["actor"]["sub"] = json!("naru:person"),
            "spec.actor is not who asks",
        ),
        (
            "name",
            |spec| spec["actor"]["name"] = json!("Somebody Else"),
            "spec.actor.name",
        ),
        (
            "groups",
            |spec| spec["actor"]["groups"] = json!(["naru:operator"]),
            "spec.actor.groups",
        ),
        (
            "kind",
            |spec| spec["target"]["kind"] = json!("Gateway"),
            "spec.target.kind",
        ),
    ];
    for (name, edit, words) in cases {
        let mut object = own(name);
        edit(&mut object["spec"]);
        let (status, answer) = journal
            .admin
            .send(Method::POST, &journal.url(""), MEDIA, &object)
            .await;
        assert!(
            status == StatusCode::UNPROCESSABLE_ENTITY && says(&answer, words),
            "{name}: {answer}"
        );
    }
    for (name, groups) in [("own", who["groups"].clone()), ("own-no-groups", json!([]))] {
        let mut object = own(name);
        object["spec"]["actor"]["groups"] = groups;
        let (status, answer) = journal
            .admin
            .send(Method::POST, &journal.url(""), MEDIA, &object)
            .await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
}

/// The roles of k8s/README.md, for an account that has nothing else.
#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_user_needs_the_right_to_what_they_take_back() {
    let journal = Journal::new().await;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "night", "namespace": journal.namespace}});
    journal.admin.apply_one(&account).await;
    let mut config = admin::config().await;
    config.auth_info = kube::config::AuthInfo {
        token: Some(journal.admin.token(&journal.namespace, "night").await.into()),
        ..kube::config::AuthInfo::default()
    };
    let night = Client::try_from(config).unwrap();
    let user = format!("system:serviceaccount:{}:night", journal.namespace);
    let object = journal.change("night", |spec| {
        spec["actor"] = json!({"issuer": "kubernetes", "sub": user, "name": user, "groups": []});
    });
    let create = async || admin::send(&night, Method::POST, &journal.url(""), MEDIA, &object, &[]).await;
    let bind = async |name: &str, kind: &str, role: &str| {
        let bound = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": journal.namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "night", "namespace": journal.namespace}]});
        journal.admin.apply_one(&bound).await;
    };
    let (status, answer) = create().await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "night-journal-only", "namespace": journal.namespace},
        "rules": [{"apiGroups": ["naru.dev"], "resources": ["changes"], "verbs": ["create"]}]});
    journal.admin.apply_one(&role).await;
    bind("night-journal-only", "Role", "night-journal-only").await;
    let mut last;
    eventually!({
        last = create().await.1;
        says(&last, "ValidatingAdmissionPolicy")
    });
    assert!(
        last["code"] == 403
            && says(
                &last,
                "may not patch objects of the target's kind in this namespace"
            ),
        "{last}"
    );
    bind("night-undo", "ClusterRole", "naru-undo").await;
    eventually!({
        last = create().await.1;
        last["code"] != 403
    });
    assert_eq!(last["metadata"]["name"], "night", "{last}");
    let landed =
        json!([{"op": "add", "path": "/status", "value": {"phase": "Landed", "resourceVersion": "later"}}]);
    let url = journal.url("/night/status");
    let (status, answer) = admin::send(&night, Method::PATCH, &url, PATCH, &landed, &[]).await;
    assert!(status.is_success(), "{answer}");
}
