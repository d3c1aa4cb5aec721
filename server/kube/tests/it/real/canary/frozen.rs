//! One object stops everything: made and lifted by people, in their own name. One test, since there is one such object in a cluster.

use super::{ALICE, Canaries, KIM, MEDIA, PARK, PATCH, RBAC, Who, eventually, says};
use http::{Method, StatusCode};
use naru_domain::{actor::Actor, freeze::Freeze};
use serde_json::{Value, json};

const URL: &str = "/apis/naru.dev/v1alpha1/freezes";
const ONE: &str = "/apis/naru.dev/v1alpha1/freezes/naru";

fn freeze(who: Who) -> Value {
    let (issuer, sub, groups) = match who {
        Who::Person(sub, group) => ("https://id.example", sub, vec![group]),
        Who::User(user) => ("kubernetes", user, vec![]),
        _ => ("kubernetes", "system:serviceaccount:naru:naru", vec![]),
    };
    let freeze = Freeze {
        actor: Actor {
            issuer: issuer.into(),
            sub: sub.into(),
            name: sub.into(),
            groups: groups.into_iter().map(Into::into).collect(),
        },
        reason: "one too many at once".into(),
        at: "2026-11-30T01:40:00Z".parse().unwrap(),
    };
    freeze.object().unwrap().json().clone()
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_freeze_is_that_of_who_asks_and_people_lift_it() {
    let canaries = Canaries::new().await;
    let create = async |who, object: &Value| canaries.send(who, Method::POST, URL, MEDIA, object).await;
    let lift = async |who| canaries.send(who, Method::DELETE, ONE, MEDIA, &Value::Null).await;
    let refused = async |who, object: &Value, code: u16, words: &str| {
        let (status, answer) = create(who, object).await;
        assert!(
            status == code && says(&answer, words),
            "{who:?}, {words}: {answer}"
        );
        assert_eq!(canaries.admin.get(ONE).await.0, StatusCode::NOT_FOUND);
    };
    canaries.admin.delete(ONE).await;
    let bind = async |name: &str, role: &str, subject: Value| {
        let binding = json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}, "subjects": [subject]});
        canaries.admin.apply_one(&binding).await;
    };
    // Operators and platform administrators may without further ado; viewers may not, and nobody else without the role.
    refused(PARK, &freeze(PARK), 403, "cannot create resource").await;
    refused(ALICE, &freeze(ALICE), 403, "cannot create resource").await;
    refused(Who::Naru, &freeze(Who::Naru), 403, "cannot create resource").await;
    bind(
        "suite-freezer",
        "naru-freezer",
        json!({"kind": "User", "name": "alice", "apiGroup": RBAC}),
    )
    .await;
    eventually!(
        canaries
            .send(
                ALICE,
                Method::POST,
                &format!("{URL}?dryRun=All"),
                MEDIA,
                &freeze(ALICE)
            )
            .await
            .0
            == StatusCode::CREATED
    );

    let edited = |who, pointer: &str, value: Value| {
        let mut object = freeze(who);
        *object.pointer_mut(pointer).unwrap() = value;
        object
    };
    for (who, object, words) in [
        (KIM, freeze(ALICE), "spec.actor is not who asks"),
        (
            KIM,
            freeze(Who::Person("lee", "naru:operator")),
            "spec.actor is not who asks",
        ),
        (
            KIM,
            edited(KIM, "/spec/actor/issuer", json!("https://other.example")),
            "spec.actor is not who asks",
        ),
        (
            KIM,
            edited(
                KIM,
                "/spec/actor/groups",
                json!(["naru:operator", "naru:platform-admin"]),
            ),
            "spec.actor.groups",
        ),
        (ALICE, freeze(KIM), "spec.actor is not who asks"),
        (
            ALICE,
            edited(ALICE, "/spec/actor/name", json!("Bob")),
            "spec.actor.name",
        ),
        (Who::Admin, freeze(ALICE), "spec.actor is not who asks"),
        (Who::Nobody, freeze(KIM), "for which person Naru asks"),
        (
            KIM,
            edited(KIM, "/metadata/name", json!("another")),
            "it is called naru",
        ),
        (KIM, edited(KIM, "/spec/reason", json!("")), "spec.reason"),
        (
            KIM,
            edited(KIM, "/spec/reason", json!("가".repeat(501))),
            "spec.reason",
        ),
        (KIM, edited(KIM, "/spec/at", json!("now")), "spec.at"),
    ] {
        refused(who, &object, 422, words).await;
    }

    let (status, answer) = create(KIM, &freeze(KIM)).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    // Once; and what it says stays.
    let (status, _) = create(ALICE, &freeze(ALICE)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let other = edited(ALICE, "/metadata/name", json!("another"));
    let (status, answer) = create(ALICE, &other).await;
    assert!(status == 422 && says(&answer, "it is called naru"), "{answer}");
    let patch = json!([{"op": "replace", "path": "/spec/reason", "value": "another"}]);
    assert_eq!(
        canaries.send(KIM, Method::PATCH, ONE, PATCH, &patch).await.0,
        StatusCode::FORBIDDEN
    );
    let (status, answer) = canaries.send(Who::Admin, Method::PATCH, ONE, PATCH, &patch).await;
    assert!(status == 422 && says(&answer, "never changes"), "{answer}");

    // Who looks on does not lift it, Naru does not whatever rights it has, and others than who froze do.
    assert_eq!(lift(PARK).await.0, StatusCode::FORBIDDEN);
    assert_eq!(lift(Who::Naru).await.0, StatusCode::FORBIDDEN);
    bind("suite-freezer-naru", "naru-freezer", super::naru()).await;
    eventually!(says(&lift(Who::Naru).await.1, "made and lifted by people"));
    let role = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/suite-freezer-naru";
    canaries.admin.delete(role).await;
    assert_eq!(canaries.admin.get(ONE).await.0, StatusCode::OK);
    let (status, answer) = lift(ALICE).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(canaries.admin.get(ONE).await.0, StatusCode::NOT_FOUND);
}
