//! Tokens: what is asked of the API server, and what its answers are taken for.

use crate::fake::{Fake, Reply};
use naru_ports::{ClusterError, Tokens};
use serde_json::{Value, json};

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// An API server that knows a token as this status says, and lets its user act in one group.
async fn fake(status: Value, grants: &'static str) -> Fake {
    Fake::serve(move |_, request| {
        let mut review = body(request);
        if request.starts_with("POST /apis/authentication.k8s.io/v1/tokenreviews ") {
            review["status"] = status.clone();
        } else {
            assert!(request.starts_with("POST /apis/authorization.k8s.io/v1/subjectaccessreviews "));
            let asked = &review["spec"]["resourceAttributes"];
            assert_eq!(
                (&asked["verb"], &asked["resource"]),
                (&json!("impersonate"), &json!("groups"))
            );
            review["status"] = json!({"allowed": asked["name"] == grants});
        }
        Reply::json(&review)
    })
    .await
}

fn known(groups: &Value) -> Value {
    json!({"authenticated": true, "audiences": ["naru"],
        "user": {"username": "system:serviceaccount:ops:door", "uid": "u-1", "groups": groups, "extra": {"a": ["b"]}}})
}

#[tokio::test]
async fn a_token_is_a_user_in_the_groups_that_rbac_lets_them_act_in() {
    let groups = json!(["system:masters", "system:authenticated", "naru:viewer", "team-a"]);
    let fake = fake(known(&groups), "naru:operator").await;
    let tokens = fake.cluster().await.tokens("naru".into());
    let user = tokens.review("a.b.c").await.unwrap().unwrap();
    assert_eq!(
        (&*user.name, &*user.uid),
        ("system:serviceaccount:ops:door", "u-1")
    );
    let names: Vec<&str> = user.groups.iter().map(|group| &**group).collect();
    assert_eq!(names, ["naru:operator", "naru:viewer"]);
    let requests = fake.requests.lock().unwrap().clone();
    assert_eq!(
        body(&requests[0])["spec"],
        json!({"token": "a.b.c", "audiences": ["naru"]})
    );
    // The one that they are in is not asked for again; the user is asked about whole.
    assert_eq!(requests.len(), 5);
    let asked = body(&requests[1])["spec"].clone();
    assert_eq!(
        (&asked["user"], &asked["groups"]),
        (&json!("system:serviceaccount:ops:door"), &groups)
    );
    assert_eq!(
        (&asked["uid"], &asked["extra"]),
        (&json!("u-1"), &json!({"a": ["b"]}))
    );
}

#[tokio::test]
async fn a_token_that_is_not_known_or_not_meant_for_us_is_nobodys() {
    let mut elsewhere = known(&json!(["naru:operator"]));
    elsewhere["audiences"] = json!(["https://kubernetes.default.svc"]);
    let mut unaware = known(&json!(["naru:operator"]));
    unaware.as_object_mut().unwrap().remove("audiences");
    let mut nameless = known(&json!(["naru:operator"]));
    nameless["user"] = json!({"groups": ["naru:operator"]});
    let mut refused = known(&json!(["naru:operator"]));
    refused["authenticated"] = json!(false);
    for status in [
        elsewhere,
        unaware,
        nameless,
        refused,
        json!({"error": "bad"}),
        json!({}),
    ] {
        let fake = fake(status.clone(), "").await;
        let tokens = fake.cluster().await.tokens("naru".into());
        assert_eq!(tokens.review("a.b.c").await, Ok(None), "{status}");
        assert_eq!(fake.lines().len(), 1, "nothing is asked about nobody");
    }
}

#[tokio::test]
async fn what_can_be_no_token_is_not_sent() {
    let fake = fake(known(&json!([])), "").await;
    let tokens = fake.cluster().await.tokens("naru".into());
    for token in ["", "a b", "a\r\nImpersonate-User: x", "한국", &"x".repeat(16_385)] {
        assert_eq!(tokens.review(token).await, Ok(None));
    }
    assert!(fake.lines().is_empty());
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_is_no_refusal() {
    for (reply, token) in [
        (Reply::Cut, "secret-1"),
        (Reply::Http("200 OK", "text/html", "<html>".into()), "secret-2"),
        (Reply::status("403 Forbidden", "Forbidden", "no"), "secret-3"),
        (Reply::json(&json!({})), "secret-4"),
    ] {
        let fake = Fake::serve(move |_, _| reply.clone()).await;
        let error = fake
            .cluster()
            .await
            .tokens("naru".into())
            .review(token)
            .await
            .unwrap_err();
        assert!(matches!(
            error,
            ClusterError::Unreachable(_) | ClusterError::Forbidden(_)
        ));
        assert!(!error.to_string().contains(token));
    }
}
