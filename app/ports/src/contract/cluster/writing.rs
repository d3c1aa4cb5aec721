//! The properties of writes, and of single questions.

use super::{CONTROLLER, Subject, change, deployment, lease, nobody, virtual_service};
use crate::{Access, As, ClusterError, Submitted};
use naru_domain::object::{Key, Kind, Object, Write};
use serde_json::{Value, json};

const MANAGER: &str = "naru-contract";

async fn submit(subject: &dyn Subject, who: As<'_>, write: &Write) -> Result<Submitted, ClusterError> {
    subject.cluster().submit(who, write, false, MANAGER).await
}

fn patch(object: &Object, ops: Value) -> Write {
    let ops = serde_json::from_value(ops).unwrap_or_else(|error| panic!("no JSON patch: {error}"));
    Write::Patch {
        key: object.key().clone(),
        rv: object.resource_version(),
        ops,
    }
}

fn create(kind: Kind, json: Value) -> Write {
    Write::Create(Object::new(kind, json).unwrap_or_else(|error| panic!("{error}")))
}

fn delete(object: &Object) -> Write {
    Write::Delete {
        key: object.key().clone(),
        uid: object.uid(),
        rv: object.resource_version(),
    }
}

/// Moves the example's weights, tested as plans test them.
fn weights(v1: u32, v2: u32) -> Value {
    json!([
        {"op": "test", "path": "/spec/http/0/route/0/destination/subset", "value": "v1"},
        {"op": "test", "path": "/spec/http/0/route/0/weight", "value": 100},
        {"op": "replace", "path": "/spec/http/0/route/0/weight", "value": v1},
        {"op": "replace", "path": "/spec/http/0/route/1/weight", "value": v2},
    ])
}

async fn routed(subject: &dyn Subject) -> Object {
    subject
        .put(
            Kind::VirtualService,
            virtual_service(&subject.namespace(), "a", 0),
        )
        .await
}

async fn stored(subject: &dyn Subject, key: &Key) -> Object {
    subject
        .cluster()
        .get(key)
        .await
        .unwrap_or_else(|error| panic!("{key}: {error}"))
}

/// The name is taken: the first one stays as it is.
pub async fn creating_twice_is_refused(subject: &dyn Subject) {
    let namespace = subject.namespace();
    let first = submit(
        subject,
        CONTROLLER,
        &create(Kind::Lease, lease(&namespace, "a", "first")),
    )
    .await;
    let first = first
        .ok()
        .and_then(|done| done.object)
        .unwrap_or_else(|| panic!("created"));
    assert!(!first.uid().is_empty() && !first.resource_version().is_empty());
    assert_eq!(first.managers(), [MANAGER]);
    let second = submit(
        subject,
        CONTROLLER,
        &create(Kind::Lease, lease(&namespace, "a", "second")),
    )
    .await;
    assert_eq!(second, Err(ClusterError::Exists));
    assert_eq!(stored(subject, first.key()).await, first);
}

/// A patch on the present state is carried out; everything else in the object stays.
pub async fn a_fresh_patch_changes_only_what_it_names(subject: &dyn Subject) {
    let before = routed(subject).await;
    let who = subject.operator();
    let done = submit(subject, As::Person(&who), &patch(&before, weights(70, 30))).await;
    let after = done
        .ok()
        .and_then(|done| done.object)
        .unwrap_or_else(|| panic!("patched"));
    let mut expected = before.json().clone();
    expected["spec"]["http"][0]["route"][0]["weight"] = json!(70);
    expected["spec"]["http"][0]["route"][1]["weight"] = json!(30);
    let expected = Object::new(Kind::VirtualService, expected).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(after.digest(), expected.digest());
    assert_ne!(after.resource_version(), before.resource_version());
    assert_eq!(after.uid(), before.uid());
    assert!(after.managers().contains(&MANAGER), "{:?}", after.managers());
    assert_eq!(stored(subject, before.key()).await, after);
}

/// Somebody else was faster: nothing is written.
pub async fn a_stale_patch_is_a_conflict(subject: &dyn Subject) {
    let seen = routed(subject).await;
    let mut json = seen.json().clone();
    json["metadata"]["labels"] = json!({"somebody": "else"});
    let now = subject.put(Kind::VirtualService, json).await;
    let who = subject.operator();
    let answer = submit(subject, As::Person(&who), &patch(&seen, weights(70, 30))).await;
    assert_eq!(answer, Err(ClusterError::Conflict));
    assert_eq!(stored(subject, seen.key()).await, now);
}

/// A failed `test` is the patch's own fault on the object that it was planned on, and a conflict on any other.
pub async fn a_failed_test_is_invalid_or_a_conflict(subject: &dyn Subject) {
    let seen = routed(subject).await;
    let who = subject.operator();
    let wrong = json!([{"op": "test", "path": "/spec/http/0/route/0/weight", "value": 55}]);
    let answer = submit(subject, As::Person(&who), &patch(&seen, wrong.clone())).await;
    assert!(matches!(answer, Err(ClusterError::Invalid(_))), "{answer:?}");
    let now = subject
        .put(
            Kind::VirtualService,
            virtual_service(&subject.namespace(), "a", 60),
        )
        .await;
    let answer = submit(subject, As::Person(&who), &patch(&seen, wrong)).await;
    assert_eq!(answer, Err(ClusterError::Conflict));
    assert_eq!(stored(subject, seen.key()).await, now);
}

/// Dry runs return what would be, refuse what would be refused, and store nothing.
pub async fn a_dry_run_leaves_no_trace(subject: &dyn Subject) {
    let cluster = subject.cluster();
    let (before, who) = (routed(subject).await, subject.operator());
    let asked = cluster
        .submit(As::Person(&who), &patch(&before, weights(70, 30)), true, MANAGER)
        .await;
    let asked = asked
        .ok()
        .and_then(|done| done.object)
        .unwrap_or_else(|| panic!("a dry run returns its result"));
    assert_eq!(asked.get("/spec/http/0/route/1/weight"), Some(&json!(30)));
    assert_eq!(stored(subject, before.key()).await, before);

    let write = create(Kind::Lease, lease(&subject.namespace(), "dry", "nobody"));
    let asked = cluster.submit(CONTROLLER, &write, true, MANAGER).await;
    assert!(matches!(asked, Ok(Submitted { object: Some(_) })), "{asked:?}");
    assert_eq!(cluster.get(write.key()).await, Err(ClusterError::NotFound));

    let kept = subject
        .put(Kind::Lease, lease(&subject.namespace(), "kept", "somebody"))
        .await;
    assert_eq!(
        cluster.submit(CONTROLLER, &delete(&kept), true, MANAGER).await,
        Ok(Submitted { object: None })
    );
    assert_eq!(stored(subject, kept.key()).await, kept);

    let changed = subject
        .put(
            Kind::VirtualService,
            virtual_service(&subject.namespace(), "a", 40),
        )
        .await;
    let asked = cluster
        .submit(As::Person(&who), &patch(&before, weights(70, 30)), true, MANAGER)
        .await;
    assert_eq!(asked, Err(ClusterError::Conflict));
    assert_eq!(stored(subject, before.key()).await, changed);
}

/// Writing status touches nothing else, and writing the rest does not touch status.
pub async fn status_and_the_rest_are_apart(subject: &dyn Subject) {
    let (namespace, who) = (subject.namespace(), subject.operator());
    let mut json = change(&namespace, "c", &who, "a");
    json["status"] = json!({"phase": "Landed"});
    let created = submit(subject, As::Person(&who), &create(Kind::Change, json)).await;
    let created = created
        .unwrap_or_else(|error| panic!("{error}"))
        .object
        .unwrap_or_else(|| panic!("created"));
    assert_eq!(
        created.get("/status/phase"),
        None,
        "status is not created with the rest"
    );

    let ops = json!([
        {"op": "add", "path": "/status", "value": {"phase": "Intended", "at": "2026-01-01T00:00:01Z"}},
        {"op": "replace", "path": "/spec/reason", "value": "another reason"},
    ]);
    let ops = serde_json::from_value(ops).unwrap_or_else(|error| panic!("no JSON patch: {error}"));
    let write = Write::PatchStatus {
        key: created.key().clone(),
        rv: created.resource_version(),
        ops,
    };
    let after = submit(subject, CONTROLLER, &write).await;
    let after = after
        .unwrap_or_else(|error| panic!("{error}"))
        .object
        .unwrap_or_else(|| panic!("patched"));
    assert_eq!(after.text("/status/phase"), "Intended");
    assert_eq!(after.get("/spec"), created.get("/spec"));
    assert_eq!(
        submit(subject, CONTROLLER, &write).await,
        Err(ClusterError::Conflict),
        "guarded like every patch"
    );

    let routed = routed(subject).await;
    let ops = json!([{"op": "add", "path": "/status", "value": {"observedGeneration": 7}}]);
    let after = submit(subject, As::Person(&who), &patch(&routed, ops)).await;
    let after = after
        .unwrap_or_else(|error| panic!("{error}"))
        .object
        .unwrap_or_else(|| panic!("patched"));
    assert_eq!(after.get("/status"), routed.get("/status"));
}

/// Deletion names the object by uid and state: a namesake, or a newer state, stays.
pub async fn deleting_asks_for_this_very_object(subject: &dyn Subject) {
    let json = lease(&subject.namespace(), "a", "first");
    let first = subject.put(Kind::Lease, json.clone()).await;
    subject.remove(first.key()).await;
    let second = subject.put(Kind::Lease, json).await;
    assert_eq!(
        submit(subject, CONTROLLER, &delete(&first)).await,
        Err(ClusterError::Conflict),
        "another uid"
    );
    let third = subject
        .put(Kind::Lease, lease(&subject.namespace(), "a", "third"))
        .await;
    assert_eq!(third.uid(), second.uid());
    assert_eq!(
        submit(subject, CONTROLLER, &delete(&second)).await,
        Err(ClusterError::Conflict),
        "a newer state"
    );
    assert_eq!(stored(subject, first.key()).await, third);
    assert_eq!(
        submit(subject, CONTROLLER, &delete(&third)).await,
        Ok(Submitted { object: None })
    );
    assert_eq!(
        subject.cluster().get(first.key()).await,
        Err(ClusterError::NotFound)
    );
}

/// The number of pods alone, and only from the one that it was.
pub async fn scaling_touches_nothing_else(subject: &dyn Subject) {
    let before = subject
        .put(Kind::Deployment, deployment(&subject.namespace(), "a", 2))
        .await;
    let scale = |from, to| Write::Scale {
        key: before.key().clone(),
        from,
        to,
    };
    let done = Ok(Submitted { object: None });
    let tried = subject
        .cluster()
        .submit(CONTROLLER, &scale(2, 5), true, MANAGER)
        .await;
    assert_eq!(tried, done);
    assert_eq!(
        stored(subject, before.key()).await.get("/spec"),
        before.get("/spec")
    );
    for (from, to, expected) in [
        (2, 5, &done),
        (2, 6, &Err(ClusterError::Conflict)),
        (5, 0, &done),
        (0, 3, &done),
    ] {
        assert_eq!(
            &submit(subject, CONTROLLER, &scale(from, to)).await,
            expected,
            "{from} to {to}"
        );
    }
    let after = stored(subject, before.key()).await;
    assert_eq!(after.get("/spec/replicas"), Some(&json!(3)));
    assert_eq!(after.get("/spec/template"), before.get("/spec/template"));
    let gone = Write::Scale {
        key: Key::new(Kind::Deployment, subject.namespace(), "b"),
        from: 1,
        to: 2,
    };
    assert_eq!(
        submit(subject, CONTROLLER, &gone).await,
        Err(ClusterError::NotFound)
    );
    let who = subject.operator();
    let refused = submit(subject, As::Person(&who), &scale(3, 4)).await;
    assert!(matches!(refused, Err(ClusterError::Forbidden(_))), "{refused:?}");
}

/// Objects and kinds that are not there.
pub async fn what_is_not_there_is_not_found(subject: &dyn Subject) {
    let (namespace, who) = (subject.namespace(), subject.operator());
    let json = |name: &str| virtual_service(&namespace, name, 0);
    let there = subject.put(Kind::VirtualService, json("a")).await;
    subject.remove(there.key()).await;
    assert_eq!(
        subject.cluster().get(there.key()).await,
        Err(ClusterError::NotFound)
    );
    let answer = submit(subject, As::Person(&who), &patch(&there, weights(70, 30))).await;
    assert_eq!(answer, Err(ClusterError::NotFound));
    let held = subject.put(Kind::Lease, lease(&namespace, "a", "x")).await;
    subject.remove(held.key()).await;
    assert_eq!(
        submit(subject, CONTROLLER, &delete(&held)).await,
        Err(ClusterError::NotFound)
    );
    let absent = Key::new(Kind::PeerAuthentication, namespace.clone(), "default");
    assert_eq!(subject.cluster().get(&absent).await, Err(ClusterError::NotFound));
}

/// A person without the right changes nothing, not even in a dry run; nor does a person where they have none.
pub async fn without_the_right_nothing_is_written(subject: &dyn Subject) {
    let (before, stranger) = (routed(subject).await, nobody());
    let write = patch(&before, weights(70, 30));
    for dry_run in [true, false] {
        let answer = subject
            .cluster()
            .submit(As::Person(&stranger), &write, dry_run, MANAGER)
            .await;
        assert!(
            matches!(&answer, Err(ClusterError::Forbidden(said)) if !said.is_empty()),
            "{answer:?}"
        );
    }
    assert_eq!(stored(subject, before.key()).await, before);
    let who = subject.operator();
    let answer = submit(
        subject,
        As::Person(&who),
        &create(Kind::Lease, lease(&subject.namespace(), "a", "x")),
    )
    .await;
    assert!(matches!(answer, Err(ClusterError::Forbidden(_))), "{answer:?}");
}

/// One answer for each question, in order.
pub async fn rights_are_answered_one_by_one(subject: &dyn Subject) {
    let here = Some(subject.namespace());
    let ask = |verb, kind, namespace| Access {
        verb,
        kind,
        namespace,
        name: None,
    };
    let asks = [
        ask("patch", Kind::VirtualService, here.clone()),
        ask("delete", Kind::VirtualService, here.clone()),
        ask("create", Kind::Change, here.clone()),
        ask("patch", Kind::VirtualService, Some("elsewhere".into())),
        ask("patch", Kind::VirtualService, None),
    ];
    let cluster = subject.cluster();
    assert_eq!(
        cluster.may(&subject.operator(), &asks).await,
        Ok(vec![true, false, true, false, false])
    );
    assert_eq!(cluster.may(&nobody(), &asks).await, Ok(vec![false; 5]));
    assert_eq!(cluster.may(&nobody(), &[]).await, Ok(vec![]));
}

/// When the answer is lost the adapter says that it does not know, and does not try again by itself: the write is there once.
pub async fn a_lost_answer_is_unsure_and_written_once(subject: &dyn Subject) {
    let (before, who) = (routed(subject).await, subject.operator());
    let created = create(Kind::Lease, lease(&subject.namespace(), "a", "x"));
    subject.lose_answers(true).await;
    for (who, write) in [
        (CONTROLLER, &created),
        (As::Person(&who), &patch(&before, weights(70, 30))),
    ] {
        let answer = submit(subject, who, write).await;
        assert!(matches!(answer, Err(ClusterError::Unsure(_))), "{answer:?}");
    }
    let after = stored(subject, before.key()).await;
    assert_eq!(after.get("/spec/http/0/route/1/weight"), Some(&json!(30)));
    assert_eq!(after.get("/metadata/generation"), Some(&json!(2)), "written once");
    assert_eq!(
        stored(subject, created.key()).await.text("/spec/holderIdentity"),
        "x"
    );
    subject.lose_answers(false).await;
    assert_eq!(
        submit(subject, CONTROLLER, &created).await,
        Err(ClusterError::Exists)
    );
}

/// What does not reach the API server is said to be unwritten, and is.
pub async fn what_did_not_arrive_is_not_written(subject: &dyn Subject) {
    let (before, who) = (routed(subject).await, subject.operator());
    subject.reachable(false).await;
    let answer = submit(subject, As::Person(&who), &patch(&before, weights(70, 30))).await;
    assert!(matches!(answer, Err(ClusterError::Unreachable(_))), "{answer:?}");
    assert!(matches!(
        subject.cluster().get(before.key()).await,
        Err(ClusterError::Unreachable(_))
    ));
    subject.reachable(true).await;
    assert_eq!(stored(subject, before.key()).await, before);
}
