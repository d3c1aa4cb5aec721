//! A signature is that of the person who asks, under an item that they may sign, and stays.

use super::{FAR, KIM, LEE, Ledger, MEDIA, PARK, POLICED, Who, reference, sign_off};
use crate::real::admin::eventually;
use http::{Method, StatusCode};
use naru_domain::object::Digest;
use serde_json::{Value, json};

type Edit = fn(&mut Value);

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_nobody_signs_for_another_or_without_the_right() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let cases: [(Who, Edit, u16, &str); 13] = [
        (Who::Admin, |_| {}, 422, "and by nobody else"),
        (LEE, |_| {}, 422, "spec.actor is not who asks"),
        // Another issuer.
        (
            KIM,
            |it| it["spec"]["actor"]["issuer"] = json!("https://evil.example"),
            422,
            "spec.actor is not who asks",
        ),
        // A group of others.
        (
            KIM,
            |it| it["spec"]["actor"]["groups"] = json!(["naru:operator", "system:masters"]),
            422,
            "spec.actor.groups",
        ),
        // An item that is not theirs.
        (
            KIM,
            |it| it["spec"]["item"] = json!("1.1"),
            403,
            "may not sign this item",
        ),
        // One of the team's own, which has a right of its own.
        (
            KIM,
            |it| it["spec"]["item"] = json!("3.checkout-success"),
            403,
            "may not sign this item",
        ),
        // No right to this item.
        (
            PARK,
            |it| {
                it["spec"]["actor"]["sub"] = json!("park");
                it["spec"]["actor"]["groups"] = json!(["naru:viewer"]);
            },
            403,
            "may not sign this item",
        ),
        // An item that is none.
        (KIM, |it| it["spec"]["item"] = json!("../3.1"), 422, "spec.item"),
        // No number.
        (
            KIM,
            |it| it["metadata"]["name"] = json!("mine"),
            422,
            "is called by its number",
        ),
        // Seven digits.
        (
            KIM,
            |it| it["metadata"]["name"] = json!("0000001"),
            422,
            "is called by its number",
        ),
        // Longer than allowed.
        (
            KIM,
            |it| it["spec"]["statement"] = json!("가".repeat(2001)),
            422,
            "spec.statement",
        ),
        // A digest that is none.
        (
            KIM,
            |it| it["spec"]["evidence"]["digest"] = json!("ABC"),
            422,
            "spec.evidence.digest",
        ),
        // A field of their own.
        (
            KIM,
            |it| it["spec"]["verdict"] = json!("met"),
            400,
            "unknown field",
        ),
    ];
    for (who, edit, code, words) in cases {
        let mut forged = sign_off(KIM, FAR, &reference(), Digest::default());
        edit(&mut forged);
        ledger.no_create(who, "signoffs", &forged, code, words).await;
    }
    // Naru cannot sign by itself: that is a person's.
    let forged = sign_off(KIM, FAR, &reference(), Digest::default());
    ledger
        .no_create(Who::Naru, "signoffs", &forged, 403, "cannot create resource")
        .await;
    let (status, answer) = ledger.try_create(KIM, "signoffs", &forged).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_what_was_signed_stays() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let signed = ledger.signed(KIM).await;
    let url = format!("signoffs/{}", signed.name);
    for (path, value) in [
        ("/spec/statement", json!("x")),
        ("/spec/evidence/digest", json!("0".repeat(64))),
        ("/spec/previous", json!("0".repeat(64))),
        ("/spec/actor/sub", json!("lee")),
    ] {
        let patch = json!([{"op": "replace", "path": path, "value": value}]);
        ledger
            .no_patch(Who::Admin, &url, &patch, 422, "spec never changes")
            .await;
        ledger
            .no_patch(KIM, &url, &patch, 403, "cannot patch resource")
            .await;
    }
    ledger
        .no_delete(Who::Admin, &url, 422, "a SignOff is never deleted")
        .await;
    ledger.no_delete(KIM, &url, 403, "cannot delete resource").await;
    ledger
        .no_delete(Who::Naru, &url, 403, "cannot delete resource")
        .await;
    let before = ledger.sign_offs().await.len();
    let (status, answer) = ledger
        .send(Who::Admin, Method::DELETE, "signoffs", MEDIA, &Value::Null)
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert!(ledger.sign_offs().await.len() >= before);
    // A fork: the number is taken.
    let fork = sign_off(
        LEE,
        signed.number().unwrap(),
        &signed.spec.evidence,
        signed.spec.previous.clone(),
    );
    let (status, answer) = ledger.create(LEE, "signoffs", &fork).await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
    assert_eq!(ledger.again(&signed).await, signed);
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_an_item_of_a_teams_own_is_signed_by_a_rule_of_its_own() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let named = |item: &str| {
        let mut object = sign_off(KIM, FAR, &reference(), Digest::default());
        object["spec"]["item"] = json!(item);
        object
    };
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "suite-sign-own"},
        "rules": [{"apiGroups": ["naru.dev"], "resources": ["signoffs"], "resourceNames": ["2.suite-own"], "verbs": ["sign"]}]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "suite-sign-own"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "suite-sign-own"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "naru:operator"}]});
    ledger.admin.apply_one(&role).await;
    ledger.admin.apply_one(&binding).await;
    let own = named("2.suite-own");
    eventually!(ledger.try_create(KIM, "signoffs", &own).await.0 == StatusCode::CREATED);
    let (status, answer) = ledger.try_create(KIM, "signoffs", &named("2.suite-other")).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_migration_has_items_of_its_own_within_bounds() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let item = |changes: &Value| {
        let mut item = json!({"phase": 2, "name": "checkout", "title": "Checkout works", "query": "up", "atLeast": 0.999, "for": "30m"});
        for (field, value) in changes.as_object().unwrap() {
            item[field] = value.clone();
        }
        item
    };
    let tried = async |items: Vec<Value>| {
        let object = json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Migration", "metadata": {"name": "suite-own"}, "spec": {"items": items}});
        ledger.try_create(Who::Admin, "migrations", &object).await
    };
    let many = |count: usize| {
        (0..count)
            .map(|at| item(&json!({"name": format!("a{at}")})))
            .collect()
    };
    let fine = [
        vec![item(&json!({}))],
        vec![item(&json!({})), item(&json!({"phase": 3}))],
        vec![item(&json!({"unit": "req/s"}))],
        many(32),
    ];
    for items in fine {
        let (status, answer) = tried(items).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
    for changes in [
        json!({"name": "A"}),
        json!({"name": "3"}),
        json!({"name": "a."}),
        json!({"name": "a".repeat(41)}),
        json!({"phase": 5}),
        json!({"title": ""}),
        json!({"title": "a".repeat(201)}),
        json!({"query": "a".repeat(1001)}),
        json!({"for": ""}),
        json!({"atMost": 1}),
        json!({"atLeast": "1"}),
    ] {
        let (status, answer) = tried(vec![item(&changes)]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{changes}: {answer}");
    }
    let mut without = item(&json!({}));
    without.as_object_mut().unwrap().remove("atLeast");
    let twice = vec![item(&json!({})), item(&json!({"title": "Twice"}))];
    for items in [vec![without], twice, many(33)] {
        let (status, answer) = tried(items).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    }
}
