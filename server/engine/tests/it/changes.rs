//! Planning, applying and undoing through the engine.

use crate::system::{engine, route_key, store, until, weights, wish};
use naru_domain::{
    Refused,
    actor::{Actor, Scope},
    change::plan::Intent,
    object::Kind,
};
use naru_ports::Console;
use naru_rehearsal::api::{Call, Deeds, Fault, ObjectStore, Who};
use naru_view::{
    canary::{Applied, DryRun},
    change::Phase,
    why::ApplyError,
};
use serde_json::json;
use std::sync::Arc;

fn undo(applied: &Applied) -> Intent {
    Intent::Undo {
        namespace: applied.namespace.clone(),
        change: applied.change.clone(),
    }
}

async fn applied(store: &ObjectStore) -> Result<Applied, ApplyError> {
    let engine = engine(Arc::new(store.clone())).await;
    let sheet = engine
        .plan(&Actor::loopback(), &wish(50, 50))
        .await
        .expect("a plan");
    engine
        .apply(&Actor::loopback(), &wish(50, 50), &sheet.digest, "half and half")
        .await
}

fn phases(store: &ObjectStore) -> Vec<String> {
    let entries = store
        .keys(Kind::Change)
        .into_iter()
        .filter_map(|key| store.object(&key));
    entries
        .map(|entry| entry.text("/status/phase").to_owned())
        .collect()
}

#[tokio::test]
async fn what_was_confirmed_lands_and_undo_brings_back_all_as_it_was() {
    let store = store();
    let before = store.object(&route_key()).unwrap();
    let engine = engine(Arc::new(store.clone())).await;
    let who = Actor::loopback();
    let sheet = engine.plan(&who, &wish(50, 50)).await.unwrap();
    assert_eq!(sheet.dry_run, DryRun::Accepted);
    let applied = engine
        .apply(&who, &wish(50, 50), &sheet.digest, "half and half")
        .await
        .unwrap();
    assert_eq!(
        (weights(&store), phases(&store)),
        (vec![50, 50], vec!["Landed".to_owned()])
    );
    let shown = || engine.view(&Scope::all()).changes.changes.clone();
    until(|| {
        matches!(
            shown().first().map(|change| &change.phase),
            Some(Phase::Landed { .. })
        )
    })
    .await;
    let sheet = engine.plan(&who, &undo(&applied)).await.unwrap();
    engine
        .apply(&who, &undo(&applied), &sheet.digest, "back")
        .await
        .unwrap();
    assert_eq!(store.object(&route_key()).unwrap().digest(), before.digest());
    until(|| shown().len() == 2 && shown()[1].undone_by.is_some()).await;
    let again = engine.plan(&who, &undo(&applied)).await;
    assert_eq!(
        again,
        Err(ApplyError::Refused {
            refused: Refused::NotUndoable
        })
    );
}

#[tokio::test]
async fn undo_refuses_after_a_foreign_edit_and_names_the_editor() {
    let store = store();
    let applied = applied(&store).await.unwrap();
    store.edit(&route_key(), "kubectl-edit", |json| {
        json["spec"]["hosts"] = json!(["user-service", "x"])
    });
    let engine = engine(Arc::new(store.clone())).await;
    let refused = engine.plan(&Actor::loopback(), &undo(&applied)).await;
    let manager = "kubectl-edit".into();
    assert_eq!(
        refused,
        Err(ApplyError::Refused {
            refused: Refused::ForeignEdit { manager }
        })
    );
}

#[tokio::test]
async fn an_edit_elsewhere_in_the_object_does_not_ask_again_but_other_weights_do() {
    let store = store();
    let engine = engine(Arc::new(store.clone())).await;
    let who = Actor::loopback();
    let sheet = engine.plan(&who, &wish(50, 50)).await.unwrap();
    store.edit(&route_key(), "kubectl", |json| {
        json["metadata"]["labels"] = json!({"팀": "사용자"})
    });
    engine
        .apply(&who, &wish(50, 50), &sheet.digest, "same plan")
        .await
        .unwrap();
    assert_eq!(weights(&store), [50, 50]);
    let sheet = engine.plan(&who, &wish(40, 60)).await.unwrap();
    store.edit(&route_key(), "kubectl", |json| {
        json["spec"]["http"][0]["route"][0]["weight"] = json!(51)
    });
    let changed = engine
        .apply(&who, &wish(40, 60), &sheet.digest, "another plan")
        .await;
    let Err(ApplyError::DigestChanged { by: Some(by), .. }) = changed else {
        panic!("{changed:?}");
    };
    assert_eq!((&*by.manager, by.change), ("kubectl", None));
}

#[tokio::test]
async fn who_comes_second_is_told_who_came_first() {
    let store = store();
    let engine = engine(Arc::new(store.clone())).await;
    let named = |name: &str| Actor {
        name: name.into(),
        ..Actor::loopback()
    };
    let (first, second) = (named("Kim"), named("Lee"));
    let (a, b) = (wish(50, 50), wish(70, 30));
    let sheets = (
        engine.plan(&first, &a).await.unwrap(),
        engine.plan(&second, &b).await.unwrap(),
    );
    let won = engine.apply(&first, &a, &sheets.0.digest, "first").await.unwrap();
    let lost = engine.apply(&second, &b, &sheets.1.digest, "second").await;
    let Err(ApplyError::DigestChanged { by: Some(by), .. }) = lost else {
        panic!("{lost:?}");
    };
    let change = by.change.unwrap();
    assert_eq!((change.name, &*change.actor), (won.change, "Kim"));
    assert_eq!(weights(&store), [50, 50]);
}

#[tokio::test]
async fn who_never_gets_a_turn_is_told_who_takes_them() {
    let store = store();
    for n in 0..4 {
        let edit = move |store: &ObjectStore| {
            store.edit(&route_key(), "pipeline", |json| {
                json["spec"]["http"][0]["timeout"] = json!(format!("{n}s"))
            });
        };
        // Of each try the first write is the journal's, the second the patch, the third the journal's again.
        store.arrange(Call::Write, 1 + 3 * n, Fault::Meanwhile(Box::new(edit)));
    }
    let lost = applied(&store).await;
    let Err(ApplyError::Conflict { by: Some(by) }) = lost else {
        panic!("{lost:?}");
    };
    assert_eq!(&*by.manager, "pipeline");
    assert_eq!(weights(&store), [90, 10]);
}

#[tokio::test]
async fn a_race_lost_is_planned_anew_and_goes_on() {
    let store = store();
    let edit = |store: &ObjectStore| {
        store.edit(&route_key(), "istiod", |json| {
            json["status"] = json!({"observedGeneration": 1})
        });
    };
    // The second write is the patch: just before it arrives, istiod moves the object.
    store.arrange(Call::Write, 1, Fault::Meanwhile(Box::new(edit)));
    applied(&store).await.unwrap();
    assert_eq!(weights(&store), [50, 50]);
    let mut phases = phases(&store);
    phases.sort();
    assert_eq!(phases, ["Landed", "NotCarriedOut"]);
}

#[tokio::test]
async fn a_lost_answer_is_looked_after_and_not_sent_twice() {
    for skip in [1, 2] {
        let store = store();
        store.arrange(Call::Write, skip, Fault::After);
        applied(&store).await.unwrap();
        assert_eq!(weights(&store), [50, 50], "{skip}");
        let audit = store.audit();
        let patches = audit.iter().filter(|entry| entry.key == route_key()).count();
        assert_eq!(patches, 1, "{skip}");
    }
}

#[tokio::test]
async fn without_the_journal_nothing_is_written() {
    let store = store();
    store.arrange(Call::Write, 0, Fault::Before);
    let refused = applied(&store).await;
    assert!(
        matches!(refused, Err(ApplyError::NoJournal { .. })),
        "{refused:?}"
    );
    assert_eq!(weights(&store), [90, 10]);
}

#[tokio::test]
async fn without_the_right_the_journal_says_that_nothing_was_carried_out() {
    let store = store();
    let who = Who::Group("naru:operator".into());
    let patch = Deeds {
        verb: Some("patch"),
        kind: Some(Kind::VirtualService),
        ..Deeds::default()
    };
    store.forbid(who, patch);
    let engine = engine(Arc::new(store.clone())).await;
    let sheet = engine.plan(&Actor::loopback(), &wish(50, 50)).await.unwrap();
    assert!(matches!(sheet.dry_run, DryRun::Refused { .. }));
    let refused = engine
        .apply(&Actor::loopback(), &wish(50, 50), &sheet.digest, "try")
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Forbidden { .. })),
        "{refused:?}"
    );
    assert_eq!(
        (weights(&store), phases(&store)),
        (vec![90, 10], vec!["NotCarriedOut".to_owned()])
    );
}

#[tokio::test]
async fn a_reason_is_asked_for_and_bounded() {
    let store = store();
    let engine = engine(Arc::new(store.clone())).await;
    let sheet = engine.plan(&Actor::loopback(), &wish(50, 50)).await.unwrap();
    for reason in ["", "   ", &"가".repeat(501)] {
        let refused = engine
            .apply(&Actor::loopback(), &wish(50, 50), &sheet.digest, reason)
            .await;
        assert_eq!(
            refused,
            Err(ApplyError::Refused {
                refused: Refused::Reason { limit: 500 }
            })
        );
    }
    assert!(phases(&store).is_empty());
}
