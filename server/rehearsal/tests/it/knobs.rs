//! What tests of other crates arrange on the store.

use futures::{FutureExt, StreamExt};
use naru_domain::{
    Why,
    actor::Actor,
    object::{Key, Kind, Object, Write},
};
use naru_ports::{As, Cluster, ClusterError, Seen, SystemClock};
use naru_rehearsal::api::{Call, Fault, ObjectStore};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const WHO: As<'static> = As::Controller("test");

fn store(backlog: usize) -> ObjectStore {
    let store = ObjectStore::new(Arc::new(SystemClock), backlog);
    store
        .load(Kind::Namespace, json!({"metadata": {"name": "n"}}), "kubectl")
        .unwrap();
    store
}

fn lease(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "n"}, "spec": {"holderIdentity": "x"}})
}

fn create(name: &str) -> Write {
    Write::Create(Object::new(Kind::Lease, lease(name)).unwrap())
}

fn key(name: &str) -> Key {
    Key::new(Kind::Lease, "n", name)
}

#[tokio::test]
async fn the_arranged_call_fails_and_no_other() {
    let store = store(8);
    store.arrange(Call::Write, 1, Fault::Before);
    store.arrange(Call::Write, 2, Fault::After);
    store.arrange(Call::Write, 3, Fault::Throttled(Duration::from_secs(3)));
    let mut answers = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        store.submit(WHO, &create(name), true, "m").await.unwrap();
        answers.push(store.submit(WHO, &create(name), false, "m").await.map(|_| ()));
    }
    assert_eq!(answers[0], Ok(()));
    assert!(matches!(answers[1], Err(ClusterError::Unreachable(_))));
    assert!(matches!(answers[2], Err(ClusterError::Unsure(_))));
    assert_eq!(answers[3], Err(ClusterError::Throttled(Duration::from_secs(3))));
    assert_eq!(answers[4], Ok(()));
    let landed: Vec<String> = store
        .audit()
        .iter()
        .map(|entry| entry.key.name.to_string())
        .collect();
    assert_eq!(landed, ["a", "c", "e"]);
}

#[tokio::test]
async fn a_killed_call_has_landed_or_not() {
    let store = store(8);
    for (fault, name) in [(Fault::HangBefore, "before"), (Fault::HangAfter, "after")] {
        store.arrange(Call::Write, 0, fault);
        assert!(
            store
                .submit(WHO, &create(name), false, "m")
                .now_or_never()
                .is_none()
        );
    }
    assert_eq!(store.get(&key("before")).await, Err(ClusterError::NotFound));
    assert!(store.get(&key("after")).await.is_ok());
}

#[tokio::test]
async fn somebody_else_may_be_faster() {
    let store = store(8);
    let seen = store.load(Kind::Lease, lease("a"), "kubectl").unwrap();
    store.arrange(
        Call::Write,
        0,
        Fault::Meanwhile(Box::new(|store| {
            assert!(
                store.edit(&key("a"), "argocd", |json| json["spec"]["holderIdentity"] =
                    "rival".into())
            );
        })),
    );
    let ops =
        serde_json::from_value(json!([{"op": "replace", "path": "/spec/holderIdentity", "value": "me"}]))
            .unwrap();
    let write = Write::Patch {
        key: key("a"),
        rv: seen.resource_version(),
        ops,
    };
    assert_eq!(
        store.submit(WHO, &write, false, "m").await,
        Err(ClusterError::Conflict)
    );
    assert_eq!(store.get(&key("a")).await.unwrap().managers(), ["argocd"]);
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_told_and_lists_anew() {
    let store = store(4);
    let mut watch = store.watch(Kind::Lease);
    assert!(matches!(watch.next().await, Some(Seen::Reset { facts, .. }) if facts.is_empty()));
    for n in 0..10 {
        store
            .load(Kind::Lease, lease(&format!("l{n}")), "kubectl")
            .unwrap();
    }
    assert!(matches!(
        watch.next().await,
        Some(Seen::Lost(Why::Failed { status: 410, .. }))
    ));
    assert!(matches!(watch.next().await, Some(Seen::Reset { facts, .. }) if facts.len() == 10));
    assert!(watch.next().now_or_never().is_none());
    store.cut_watches();
    assert!(matches!(
        watch.next().await,
        Some(Seen::Lost(Why::Unreachable { .. }))
    ));
    assert!(matches!(watch.next().await, Some(Seen::Reset { .. })));
}

#[tokio::test]
async fn a_patch_that_changes_nothing_leaves_the_object_as_it_was() {
    let store = store(8);
    let before = store.load(Kind::Lease, lease("a"), "kubectl").unwrap();
    let mut watch = store.watch(Kind::Lease);
    let _ = watch.next().await;
    let ops =
        serde_json::from_value(json!([{"op": "replace", "path": "/spec/holderIdentity", "value": "x"}]))
            .unwrap();
    let write = Write::Patch {
        key: key("a"),
        rv: before.resource_version(),
        ops,
    };
    let after = store.submit(WHO, &write, false, "m").await.unwrap().object;
    assert_eq!(after, Some(before));
    assert!(watch.next().now_or_never().is_none());
}

#[tokio::test]
async fn what_the_api_server_refuses_is_refused() {
    let store = store(8);
    store.install(Kind::Change);
    let refused = async |kind, json| {
        let write = Write::Create(Object::new(kind, json).unwrap());
        store
            .submit(As::Person(&Actor::loopback()), &write, false, "m")
            .await
            .unwrap_err()
    };
    let elsewhere = json!({"metadata": {"name": "a", "namespace": "nowhere"}});
    assert_eq!(
        refused(Kind::Lease, elsewhere).await,
        ClusterError::NotFound,
        "no such namespace"
    );
    let scoped = json!({"metadata": {"name": "a"}});
    assert!(matches!(
        refused(Kind::Lease, scoped).await,
        ClusterError::Invalid(_)
    ));
    let old = json!({"metadata": {"name": "a", "namespace": "n", "resourceVersion": "7"}});
    assert!(matches!(
        refused(Kind::Lease, old).await,
        ClusterError::Invalid(_)
    ));
    let other = json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "n"}});
    assert!(matches!(
        refused(Kind::Lease, other).await,
        ClusterError::Invalid(_)
    ));
    let far = json!({"metadata": {"name": "c", "namespace": "n"}, "spec": {"target": {"namespace": "m"}, "reason": "r"}});
    assert!(matches!(
        refused(Kind::Change, far).await,
        ClusterError::Invalid(_)
    ));
    assert_eq!(
        refused(Kind::VirtualService, lease("v")).await,
        ClusterError::NotFound,
        "no such kind"
    );
}
