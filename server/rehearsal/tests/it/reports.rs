//! What is handed in is held to who asks, as a cluster holds it.

use naru_domain::{
    Name,
    actor::Actor,
    crossing::report::{Content, Junit, ReportSpec, Sender},
    object::{Digest, Kind, Object, Write},
};
use naru_ports::{As, Clock, Cluster, ClusterError, SystemClock};
use naru_rehearsal::{
    api::{Deeds, ObjectStore, Who},
    world::policies::policies,
};
use serde_json::json;
use std::sync::Arc;

const CI: &str = "system:serviceaccount:ci:pipeline";
const PIPELINE: As<'static> = As::Oneself(CI);

fn store() -> ObjectStore {
    let store = ObjectStore::new(Arc::new(SystemClock), 64);
    store.install(Kind::Report);
    for (kind, json) in policies() {
        store.load(kind, json, "kubectl").unwrap();
    }
    store
}

fn sender(user: &str) -> Sender {
    Sender {
        user: user.into(),
        issuer: None,
        sub: None,
    }
}

fn report(by: Sender, edit: impl FnOnce(&mut ReportSpec)) -> Write {
    let junit = Junit {
        tests: 3,
        digest: Digest::of_bytes(b"<testsuite/>"),
        bytes: 12,
        ..Junit::default()
    };
    let mut spec = ReportSpec {
        item: "2.4".into(),
        by,
        commit: "0123abc".into(),
        target: "staging".into(),
        run: None,
        started: None,
        ended: None,
        content: Content::Junit(junit),
        at: SystemClock.now(),
    };
    edit(&mut spec);
    Write::Create(spec.object().unwrap())
}

async fn handed_in(store: &ObjectStore, who: As<'_>, write: &Write) -> Result<Object, ClusterError> {
    let submitted = store.submit(who, write, false, "naru-evidence").await?;
    Ok(submitted.object.unwrap())
}

#[tokio::test]
async fn a_report_is_that_of_who_asks() {
    let store = store();
    let stored = handed_in(&store, PIPELINE, &report(sender(CI), |_| {}))
        .await
        .unwrap();
    assert!(!stored.text("/metadata/creationTimestamp").is_empty());
    let person = Actor::loopback();
    let theirs = Sender {
        user: "naru:person".into(),
        issuer: Some(person.issuer.clone()),
        sub: Some(person.sub.clone()),
    };
    for (who, by) in [
        (PIPELINE, sender("somebody")),
        (PIPELINE, theirs.clone()),
        (As::Person(&person), sender("naru:person")),
        (As::Person(&person), sender(CI)),
        (As::Controller("ledger"), sender(CI)),
    ] {
        let answer = handed_in(&store, who, &report(by, |_| {})).await;
        assert!(matches!(answer, Err(ClusterError::Invalid(_))), "{answer:?}");
    }
    let through_naru = handed_in(&store, As::Person(&person), &report(theirs, |_| {})).await;
    assert!(through_naru.is_ok(), "{through_naru:?}");
}

#[tokio::test]
async fn without_the_right_for_the_item_it_is_forbidden() {
    let store = store();
    let deeds = Deeds {
        verb: Some("submit"),
        kind: Some(Kind::Report),
        name: Some(Name::from("2.4")),
        ..Deeds::default()
    };
    store.forbid(Who::User(CI.into()), deeds);
    let answer = handed_in(&store, PIPELINE, &report(sender(CI), |_| {})).await;
    assert!(matches!(answer, Err(ClusterError::Forbidden(_))), "{answer:?}");
    let other = handed_in(&store, PIPELINE, &report(sender(CI), |it| it.item = "3.4".into())).await;
    assert!(other.is_ok(), "{other:?}");
}

#[tokio::test]
async fn it_stays_as_it_was() {
    let store = store();
    let stored = handed_in(&store, PIPELINE, &report(sender(CI), |_| {}))
        .await
        .unwrap();
    let ops = json!([{"op": "replace", "path": "/spec/content/junit/failures", "value": 0},
        {"op": "replace", "path": "/spec/commit", "value": "0123abd"}]);
    let (key, rv, uid) = (stored.key().clone(), stored.resource_version(), stored.uid());
    let edit = Write::Patch {
        key: key.clone(),
        rv: rv.clone(),
        ops: serde_json::from_value(ops).unwrap(),
    };
    let away = Write::Delete { key, uid, rv };
    for write in [edit, away] {
        let answer = store.submit(PIPELINE, &write, false, "m").await;
        assert!(matches!(answer, Err(ClusterError::Invalid(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn what_names_no_commit_or_target_or_ends_before_it_began_is_refused() {
    let store = store();
    type Edit = fn(&mut ReportSpec);
    let edits: [Edit; 5] = [
        |it| it.commit = "".into(),
        |it| it.commit = "release-7".into(),
        |it| it.target = "".into(),
        |it| {
            it.started = Some(it.at);
            it.ended = Some(it.at - std::time::Duration::from_secs(1));
        },
        |it| {
            let Content::Junit(junit) = &mut it.content;
            junit.failed = vec!["x".into(); 51];
        },
    ];
    for edit in edits {
        let answer = handed_in(&store, PIPELINE, &report(sender(CI), edit)).await;
        assert!(matches!(answer, Err(ClusterError::Invalid(_))), "{answer:?}");
    }
}
