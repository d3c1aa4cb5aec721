//! Writes to servers that answer oddly.

use crate::fake::{Fake, Reply, cluster};
use naru_domain::{
    actor::Actor,
    object::{Key, Kind, Object, Write},
};
use naru_ports::{As, Cluster, ClusterError, Submitted};
use serde_json::{Value, json};
use std::time::Duration;

fn patch() -> Write {
    let ops = serde_json::from_value(json!([{"op": "replace", "path": "/spec/x", "value": 1}])).unwrap();
    Write::Patch {
        key: Key::new(Kind::VirtualService, "n", "a"),
        rv: "5".into(),
        ops,
    }
}

fn stored(version: &str) -> Value {
    json!({"metadata": {"name": "a", "namespace": "n", "resourceVersion": version}})
}

async fn answer(reply: Reply, dry_run: bool) -> (Result<Submitted, ClusterError>, usize) {
    let fake = Fake::serve(move |_, _| reply.clone()).await;
    let answer = fake
        .cluster()
        .await
        .submit(As::Controller("test"), &patch(), dry_run, "m")
        .await;
    (answer, fake.lines().len())
}

#[tokio::test]
async fn after_a_write_has_left_no_answer_is_unsure_and_it_is_sent_once() {
    let replies = [
        Reply::Cut,
        Reply::Silence,
        Reply::Broken("{\"metadata\":".into()),
        Reply::Http("200 OK", "text/html", "<html>".into()),
        Reply::json(&json!({"kind": "Status"})),
        Reply::Http("500 Internal Server Error", "text/plain", String::new()),
        Reply::status(
            "503 Service Unavailable",
            "ServiceUnavailable",
            "etcd leader changed",
        ),
        Reply::status("504 Gateway Timeout", "Timeout", "request did not complete"),
        Reply::Http("302 Found", "text/html", String::new()),
    ];
    for reply in replies {
        let (landed, sent) = answer(reply.clone(), false).await;
        assert!(matches!(landed, Err(ClusterError::Unsure(_))), "{landed:?}");
        assert_eq!(sent, 1, "{landed:?}");
        // A dry run leaves no doubt: nothing has landed.
        let (dry, sent) = answer(reply, true).await;
        assert!(matches!(dry, Err(ClusterError::Unreachable(_))), "{dry:?}");
        assert_eq!(sent, 1, "{dry:?}");
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let cases = [
        (
            Reply::status("409 Conflict", "Conflict", "modified"),
            ClusterError::Conflict,
        ),
        (
            Reply::status("409 Conflict", "AlreadyExists", "there"),
            ClusterError::Exists,
        ),
        (
            Reply::status("404 Not Found", "NotFound", "gone"),
            ClusterError::NotFound,
        ),
        (
            Reply::status("403 Forbidden", "Forbidden", "no right"),
            ClusterError::Forbidden("no right".into()),
        ),
        (
            Reply::status("400 Bad Request", "BadRequest", "no patch"),
            ClusterError::Invalid("no patch".into()),
        ),
        (
            Reply::With("429 Too Many Requests", "Retry-After: 7", String::new()),
            ClusterError::Throttled(Duration::from_secs(7)),
        ),
        (
            Reply::With("429 Too Many Requests", "Retry-After: soon", String::new()),
            ClusterError::Throttled(Duration::from_secs(1)),
        ),
    ];
    for (reply, expected) in cases {
        assert_eq!(answer(reply, false).await, (Err(expected), 1));
    }
}

#[tokio::test]
async fn what_was_refused_as_unprocessable_is_a_conflict_if_the_object_has_moved_on() {
    let long = "나".repeat(5000);
    for (now, conflict) in [("5", false), ("6", true)] {
        let said = long.clone();
        let fake = Fake::serve(move |count, _| match count {
            0 => Reply::status("422 Unprocessable Entity", "Invalid", &said),
            _ => Reply::json(&stored(now)),
        });
        let error = fake
            .await
            .cluster()
            .await
            .submit(As::Controller("test"), &patch(), false, "m")
            .await
            .unwrap_err();
        match error {
            ClusterError::Conflict => assert!(conflict),
            ClusterError::Invalid(said) => assert!(!conflict && said.chars().count() == 601, "{said}"),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let cluster = cluster("http://127.0.0.1:1").await;
    let answer = cluster.submit(As::Controller("test"), &patch(), false, "m").await;
    assert!(matches!(answer, Err(ClusterError::Unreachable(_))), "{answer:?}");
    let answer = cluster.get(&Key::new(Kind::Service, "n", "a")).await;
    assert!(matches!(answer, Err(ClusterError::Unreachable(_))), "{answer:?}");
    let answer = cluster.may(&Actor::loopback(), &[]).await;
    assert_eq!(answer, Ok(vec![]), "no question, no request");
}

#[tokio::test]
async fn a_person_is_sent_by_name_and_a_controller_is_not() {
    let fake = Fake::serve(|_, _| Reply::json(&stored("6"))).await;
    let cluster = fake.cluster().await;
    let who = Actor {
        sub: "김 씨".into(),
        groups: ["naru:operator".into(), "team a".into()].into(),
        ..Actor::loopback()
    };
    cluster
        .submit(As::Person(&who), &patch(), false, "naru-1")
        .await
        .unwrap();
    cluster
        .submit(As::Controller("test"), &patch(), true, "naru-2")
        .await
        .unwrap();
    let requests = fake.requests.lock().unwrap().clone();
    let said = |text: &str| requests[0].contains(&format!("\r\n{text}\r\n"));
    assert!(said("impersonate-user: naru:person"), "{}", requests[0]);
    assert!(
        said("impersonate-group: naru:operator") && said("impersonate-group: team a"),
        "{}",
        requests[0]
    );
    assert!(said("impersonate-extra-naru.dev%2fsub: 김 씨"), "{}", requests[0]);
    assert!(
        said("impersonate-extra-naru.dev%2fissuer: naru:loopback"),
        "{}",
        requests[0]
    );
    assert!(!requests[1].contains("impersonate"), "{}", requests[1]);
    let url = "/apis/networking.istio.io/v1/namespaces/n/virtualservices/a?fieldManager=naru-";
    assert_eq!(
        fake.lines(),
        [
            format!("PATCH {url}1 HTTP/1.1"),
            format!("PATCH {url}2&dryRun=All HTTP/1.1")
        ]
    );
}

#[tokio::test]
async fn an_identity_that_cannot_be_said_is_not_sent() {
    let fake = Fake::serve(|_, _| Reply::json(&stored("6"))).await;
    let who = Actor {
        groups: ["a\r\nImpersonate-Group: system:masters".into()].into(),
        ..Actor::loopback()
    };
    let answer = fake
        .cluster()
        .await
        .submit(As::Person(&who), &patch(), false, "m")
        .await;
    assert!(matches!(answer, Err(ClusterError::Forbidden(_))), "{answer:?}");
    let nowhere = Object::new(Kind::Lease, json!({"metadata": {"name": "..", "namespace": "n"}})).unwrap();
    let answer = fake
        .cluster()
        .await
        .submit(As::Controller("test"), &Write::Create(nowhere), false, "m")
        .await;
    assert!(matches!(answer, Err(ClusterError::Invalid(_))), "{answer:?}");
    assert_eq!(fake.lines().len(), 0);
}
