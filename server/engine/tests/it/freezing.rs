//! Everything is stopped and goes on, whatever becomes of an answer and whoever else does the same.

use crate::system::{engine, until};
use naru_domain::{
    actor::{Actor, Scope},
    freeze::{Freeze, key},
    object::Kind,
};
use naru_engine::Freezing;
use naru_ports::{As, Cluster, Console, SystemClock};
use naru_rehearsal::api::{Call, Deeds, Fault, ObjectStore, Who};
use naru_view::why::{ApplyError, Refused};
use std::sync::Arc;

fn store() -> ObjectStore {
    let store = crate::system::store();
    store.install(Kind::Freeze);
    store
}

async fn by(store: &ObjectStore, user: &str, reason: Option<&str>) -> Result<Freeze, ApplyError> {
    let freezing = Freezing {
        cluster: store,
        clock: &SystemClock,
        actor: &Actor::of_cluster(&user.into()),
        who: As::Oneself(user),
        dry_run: false,
    };
    match reason {
        Some(reason) => freezing.freeze(reason).await,
        None => freezing.lift().await,
    }
}

fn who(store: &ObjectStore) -> Option<String> {
    let object = store.object(&key())?;
    Some(Freeze::read(&object).ok()?.actor.sub.to_string())
}

#[tokio::test]
async fn a_person_stops_everything_and_every_page_hears_of_it() {
    let store = store();
    let engine = engine(Arc::new(store.clone())).await;
    let (person, seen) = (Actor::loopback(), || {
        engine.view(&Scope::all()).standstill.clone()
    });
    assert_eq!(seen().frozen, None);
    engine.freeze(&person, "errors since 01:40").await.unwrap();
    until(|| seen().frozen.is_some()).await;
    let frozen = seen().frozen.clone().unwrap();
    assert_eq!((&*frozen.by, &*frozen.reason), ("operator", "errors since 01:40"));
    assert!(frozen.since.is_some());
    let again = engine.freeze(&person, "again").await;
    let refused = Refused::Frozen {
        by: "operator".into(),
        reason: "errors since 01:40".into(),
    };
    assert_eq!(again, Err(ApplyError::Refused { refused }));
    engine.lift(&person).await.unwrap();
    until(|| seen().frozen.is_none()).await;
    let refused = Refused::NotFrozen;
    assert_eq!(engine.lift(&person).await, Err(ApplyError::Refused { refused }));
    let audit = store.audit();
    let did: Vec<_> = audit.iter().map(|it| (&*it.by, it.verb)).collect();
    assert_eq!(did, [("operator", "create"), ("operator", "delete")]);
}

#[tokio::test]
async fn a_lost_answer_is_found_out() {
    let store = store();
    store.arrange(Call::Write, 0, Fault::After);
    by(&store, "alice", Some("night")).await.unwrap();
    assert_eq!(who(&store).as_deref(), Some("alice"));
    store.arrange(Call::Write, 0, Fault::After);
    assert_eq!(by(&store, "bob", None).await.unwrap().actor.sub, "alice".into());
    assert_eq!(who(&store), None);
    // What was found out is what is so: another's freeze is none of ours, and nobody knows what cannot be asked.
    store.arrange(Call::Write, 0, Fault::Before);
    assert!(matches!(
        by(&store, "alice", Some("night")).await,
        Err(ApplyError::Unreachable { .. })
    ));
    store.arrange(Call::Write, 0, Fault::After);
    store.arrange(Call::Get, 0, Fault::Before);
    assert!(matches!(
        by(&store, "alice", Some("night")).await,
        Err(ApplyError::Lost { .. })
    ));
    assert_eq!(who(&store).as_deref(), Some("alice"));
}

#[tokio::test]
async fn whoever_was_faster_is_named_and_another_freeze_is_not_lifted() {
    let store = store();
    let racing = store.clone();
    let bob = async move { by(&racing, "bob", Some("mine")).await };
    bob.await.unwrap();
    let refused = Refused::Frozen {
        by: "bob".into(),
        reason: "mine".into(),
    };
    assert_eq!(
        by(&store, "alice", Some("night")).await,
        Err(ApplyError::Refused { refused })
    );

    // A label is no reason not to lift it.
    store.arrange(
        Call::Write,
        0,
        Fault::Meanwhile(Box::new(|store| {
            store.edit(&key(), "kubectl", |json| {
                json["metadata"]["labels"] = serde_json::json!({"seen": "yes"})
            });
        })),
    );
    by(&store, "alice", None).await.unwrap();
    assert_eq!(who(&store), None);

    // What was lifted and made anew meanwhile is not the one that was seen.
    by(&store, "bob", Some("first")).await.unwrap();
    store.arrange(
        Call::Write,
        0,
        Fault::Meanwhile(Box::new(|store| {
            let mut json = store.object(&key()).unwrap().json().clone();
            store.delete(&key());
            json["spec"]["actor"]["sub"] = "carol".into();
            json["metadata"] = serde_json::json!({"name": "naru"});
            store.load(Kind::Freeze, json, "kubectl").unwrap();
        })),
    );
    assert_eq!(
        by(&store, "alice", None).await,
        Err(ApplyError::Conflict { by: None })
    );
    assert_eq!(who(&store).as_deref(), Some("carol"));
}

#[tokio::test]
async fn a_missing_right_or_kind_is_said() {
    let store = store();
    let deeds = Deeds {
        kind: Some(Kind::Freeze),
        ..Deeds::default()
    };
    store.forbid(Who::User("alice".into()), deeds);
    assert!(matches!(
        by(&store, "alice", Some("night")).await,
        Err(ApplyError::Forbidden { .. })
    ));
    assert!(store.get(&key()).await.is_err());
    store.remove(Kind::Freeze);
    let answer = by(&store, "bob", Some("night")).await;
    let absent = matches!(
        &answer,
        Err(ApplyError::Refused {
            refused: Refused::Unknown { .. }
        })
    );
    assert!(absent, "{answer:?}");
}
