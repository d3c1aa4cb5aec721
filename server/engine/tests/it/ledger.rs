//! Signing, accepting, taking back, opening again: through the engine, on the rehearsal's object store.

use crate::system::{engine, route_key, store, until};
use naru_domain::{
    Name, Refused,
    actor::{Actor, Scope},
    crossing::{Item, Ledger, standing::Signature},
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use naru_engine::Engine;
use naru_ports::Console;
use naru_rehearsal::api::{Call, Deeds, Fault, ObjectStore, Who};
use naru_view::{
    checklist::Field,
    ledger::{Deed, PassedOver, Revocable},
    why::ApplyError,
};
use serde_json::json;
use std::sync::Arc;

pub(crate) fn kim() -> Actor {
    person("kim")
}

fn person(sub: &str) -> Actor {
    Actor {
        issuer: "https://id.example".into(),
        sub: sub.into(),
        name: sub.into(),
        groups: Arc::from([Name::from("naru:operator")]),
    }
}

fn sign_off(number: &str) -> Key {
    Key::new(Kind::SignOff, "", number)
}

pub(crate) async fn ready(store: &ObjectStore) -> Arc<Engine> {
    let engine = engine(Arc::new(store.clone())).await;
    until(|| engine.judged(&Scope::all()).at.is_some()).await;
    engine
}

pub(crate) fn state(engine: &Engine, item: Item) -> Signature {
    let judged = engine.judged(&Scope::all());
    let found = judged.items.iter().find(|it| it.judgement.item == item);
    found.expect("it is judged").standing.signature.clone()
}

async fn deed(engine: &Engine, who: &Actor, item: Item) -> Deed {
    let sheet = engine.sheet(who, &Scope::all(), item).await.expect("a sheet");
    Deed::Sign {
        item: item.id().into(),
        digest: sheet.digest.0,
        statement: "The team has been trained; the list is in the wiki.".into(),
    }
}

pub(crate) async fn signed(engine: &Engine, who: &Actor, item: Item) -> Result<Name, ApplyError> {
    let deed = deed(engine, who, item).await;
    engine.put(who, &deed).await
}

fn over(days: u32) -> PassedOver {
    PassedOver {
        reason: "The audit is on Friday.".into(),
        owner: "platform team".into(),
        days,
    }
}

/// All that is kept, read anew.
fn ledger(store: &ObjectStore) -> Ledger {
    Ledger::of(&kept(store))
}

/// The same, as objects.
pub(crate) fn kept(store: &ObjectStore) -> Objects {
    let kinds = [Kind::SignOff, Kind::Evidence, Kind::Waiver, Kind::Exception];
    let mut objects = Objects::all_known();
    for key in kinds.into_iter().flat_map(|kind| store.keys(kind)) {
        let object: Object = store.object(&key).expect("it is there");
        objects.whole.insert(key, object);
    }
    objects
}

fn refused(answer: Result<Name, ApplyError>) -> Refused {
    match answer {
        Err(ApplyError::Refused { refused }) => refused,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_person_signs_is_accepted_and_its_head_published() {
    let store = store();
    let engine = ready(&store).await;
    let sheet = engine.sheet(&kim(), &Scope::all(), Item::Trained).await.unwrap();
    assert_eq!((&*sheet.number, sheet.may), ("000001", Some(true)));
    assert_eq!(
        signed(&engine, &kim(), Item::Trained).await.as_deref(),
        Ok("000001")
    );
    until(|| matches!(state(&engine, Item::Trained), Signature::Valid(_))).await;
    let kept = ledger(&store);
    let head = kept.verify(None).unwrap();
    assert_eq!((head.count, &head.digest), (1, &kept.sign_offs[0].link));
    assert_eq!(&*kept.sign_offs[0].spec.actor.sub, "kim");
    // Written by the person, and by Naru: nobody else.
    let by: Vec<_> = store
        .audit()
        .into_iter()
        .filter(|it| it.key.kind != Kind::Lease)
        .map(|it| (it.by.to_string(), it.verb, it.key.kind))
        .collect();
    assert_eq!(
        by,
        [
            ("ledger".to_owned(), "create", Kind::Evidence),
            ("kim".to_owned(), "create", Kind::SignOff),
            ("ledger".to_owned(), "patch status", Kind::SignOff),
            ("ledger".to_owned(), "create", Kind::Event),
        ]
    );
    let event = store
        .keys(Kind::Event)
        .pop()
        .and_then(|key| store.object(&key))
        .unwrap();
    assert!(
        event.text("/message").contains(&*head.digest.0),
        "{}",
        event.json()
    );
    assert_eq!(
        refused(signed(&engine, &kim(), Item::Trained).await),
        Refused::NothingToDo
    );
}

#[tokio::test]
async fn what_is_no_longer_what_was_shown_is_not_signed() {
    let store = store();
    let engine = ready(&store).await;
    let deed = deed(&engine, &kim(), Item::Routed).await;
    let before = engine.judged(&Scope::all()).version;
    store.edit(&route_key(), "kubectl", |json| {
        json["spec"]["hosts"] = json!(["user-service", "somebody-else"]);
    });
    until(|| engine.judged(&Scope::all()).version != before).await;
    let answer = engine.put(&kim(), &deed).await;
    assert!(
        matches!(
            answer,
            Err(ApplyError::DigestChanged { .. } | ApplyError::Refused { .. })
        ),
        "{answer:?}"
    );
    assert!(store.keys(Kind::SignOff).is_empty() && store.keys(Kind::Evidence).is_empty());
}

#[tokio::test]
async fn an_error_is_signed_over_only_when_it_was_accepted() {
    let store = store();
    store.edit(&route_key(), "kubectl", |json| {
        json["spec"]["gateways"] = json!(["absent"])
    });
    let engine = ready(&store).await;
    let not_met = refused(signed(&engine, &kim(), Item::Routed).await);
    assert_eq!(not_met, Refused::NotMet { item: "1.2".into() });
    let judged = engine.judged(&Scope::all());
    let routed = judged
        .items
        .iter()
        .find(|it| it.judgement.item == Item::Routed)
        .unwrap();
    for finding in &routed.judgement.findings {
        let except = Deed::Except {
            code: finding.code.name.into(),
            field: Field {
                kind: finding.key.kind.name().into(),
                namespace: finding.key.namespace.clone(),
                name: finding.key.name.clone(),
                path: finding.path.clone(),
            },
            until: over(30),
        };
        engine.put(&kim(), &except).await.unwrap();
    }
    let signable = || {
        let judged = engine.judged(&Scope::all());
        judged
            .items
            .iter()
            .any(|it| it.judgement.item == Item::Routed && it.standing.signable())
    };
    until(signable).await;
    signed(&engine, &kim(), Item::Routed).await.unwrap();
    until(|| matches!(state(&engine, Item::Routed), Signature::Valid(_))).await;
    // What is accepted no more opens it again.
    for Key { name, .. } in store.keys(Kind::Exception) {
        let revoke = Deed::Revoke {
            what: Revocable::Exception,
            name,
            reason: "It was mended elsewhere, so they said.".into(),
        };
        engine.put(&person("lee"), &revoke).await.unwrap();
    }
    until(|| matches!(state(&engine, Item::Routed), Signature::Reopened(..))).await;
}

#[tokio::test]
async fn what_is_written_wrongly_opens_a_signed_item_and_says_what() {
    let store = store();
    let engine = ready(&store).await;
    signed(&engine, &kim(), Item::Routed).await.unwrap();
    until(|| matches!(state(&engine, Item::Routed), Signature::Valid(_))).await;
    store.edit(&route_key(), "kubectl", |json| {
        json["spec"]["gateways"] = json!(["absent"])
    });
    until(|| matches!(state(&engine, Item::Routed), Signature::Reopened(..))).await;
    let Signature::Reopened(_, reopened) = state(&engine, Item::Routed) else {
        unreachable!("it was")
    };
    assert!(
        reopened.findings.iter().any(|it| it.object == route_key()),
        "{reopened:?}"
    );
    // It is signed anew, and the chain goes on.
    store.edit(&route_key(), "kubectl", |json| {
        json["spec"].as_object_mut().unwrap().shift_remove("gateways");
    });
    let signable = || {
        let judged = engine.judged(&Scope::all());
        judged
            .items
            .iter()
            .any(|it| it.judgement.item == Item::Routed && it.standing.signable())
    };
    until(signable).await;
    assert_eq!(
        signed(&engine, &kim(), Item::Routed).await.as_deref(),
        Ok("000002")
    );
    until(|| matches!(state(&engine, Item::Routed), Signature::Valid(_))).await;
    assert_eq!(ledger(&store).verify(None).unwrap().count, 2);
}

#[tokio::test]
async fn two_people_sign_where_the_migration_wants_two() {
    let store = store();
    let migration = json!({"metadata": {"name": "m"}, "spec": {"system": "s", "twoPeople": ["4.3"]}});
    store.load(Kind::Migration, migration, "kubectl").unwrap();
    let engine = ready(&store).await;
    signed(&engine, &kim(), Item::Trained).await.unwrap();
    until(|| matches!(state(&engine, Item::Trained), Signature::SecondMissing(_))).await;
    let link = ledger(&store).sign_offs[0].link.0.clone();
    let beside = |link: Name| Deed::Countersign {
        name: "000001".into(),
        link,
    };
    assert_eq!(
        refused(engine.put(&kim(), &beside(link.clone())).await),
        Refused::SamePerson
    );
    let other = engine.put(&person("lee"), &beside("f".repeat(64).into())).await;
    assert!(
        matches!(other, Err(ApplyError::DigestChanged { .. })),
        "{other:?}"
    );
    assert!(
        store
            .object(&sign_off("000001"))
            .unwrap()
            .get("/status/accepted")
            .is_none()
    );
    engine.put(&person("lee"), &beside(link)).await.unwrap();
    until(|| matches!(state(&engine, Item::Trained), Signature::Valid(_))).await;
    let Signature::Valid(signed) = state(&engine, Item::Trained) else {
        unreachable!("it was")
    };
    assert_eq!(&*signed.second.unwrap().sub, "lee");
}

#[tokio::test]
async fn two_who_sign_at_once_get_two_numbers_of_one_chain() {
    let store = store();
    let (one, other) = (ready(&store).await, ready(&store).await);
    let (kim, lee) = (kim(), person("lee"));
    let (first, second) = (
        deed(&one, &kim, Item::Trained).await,
        deed(&other, &lee, Item::Alerted).await,
    );
    let (first, second) = futures::join!(one.put(&kim, &first), other.put(&lee, &second));
    let mut names = [first.unwrap(), second.unwrap()];
    names.sort();
    assert_eq!(names.map(|it| it.to_string()), ["000001", "000002"]);
    until(|| {
        ledger(&store)
            .sign_offs
            .iter()
            .all(|it| it.status.accepted.is_some())
    })
    .await;
    ledger(&store).verify(None).unwrap();
}

#[tokio::test]
async fn while_a_policy_is_missing_nobody_signs_and_nothing_is_accepted() {
    let store = store();
    let engine = ready(&store).await;
    let deed = deed(&engine, &kim(), Item::Trained).await;
    store.delete(&Key::new(
        Kind::ValidatingAdmissionPolicyBinding,
        "",
        "naru-signoffs",
    ));
    until(|| !engine.judged(&Scope::all()).audited.guards.stand()).await;
    let policies = Name::from("naru-signoffs");
    assert_eq!(
        refused(engine.put(&kim(), &deed).await),
        Refused::Unguarded { policies }
    );
    // What is forged meanwhile is not taken for a signature.
    let forged = json!({"metadata": {"name": "000001"}, "spec": {"item": "4.3", "previous": "",
        "evidence": {"name": "e", "uid": "u", "digest": "0".repeat(64)}, "actor": kim(), "statement": "s",
        "signedAt": "2026-11-23T00:00:00Z"}});
    store.load(Kind::SignOff, forged, "kubectl").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let kept = store.object(&sign_off("000001")).unwrap();
    assert!(kept.get("/status").is_none(), "{}", kept.json());
    assert!(!matches!(state(&engine, Item::Trained), Signature::Valid(_)));
}

#[tokio::test]
async fn who_may_not_sign_is_refused_by_the_api_server_and_leaves_no_signature() {
    let store = store();
    let sign = Deeds {
        verb: Some("sign"),
        kind: Some(Kind::SignOff),
        ..Deeds::default()
    };
    store.forbid(Who::Group("naru:operator".into()), sign);
    let engine = ready(&store).await;
    let sheet = engine.sheet(&kim(), &Scope::all(), Item::Trained).await.unwrap();
    assert_eq!(sheet.may, Some(false));
    let answer = signed(&engine, &kim(), Item::Trained).await;
    assert!(matches!(answer, Err(ApplyError::Forbidden { .. })), "{answer:?}");
    assert!(store.keys(Kind::SignOff).is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_looked_after() {
    let store = store();
    let engine = ready(&store).await;
    let deed = deed(&engine, &kim(), Item::Trained).await;
    store.arrange(Call::Write, 0, Fault::After);
    store.arrange(Call::Write, 1, Fault::After);
    assert_eq!(engine.put(&kim(), &deed).await.as_deref(), Ok("000001"));
    assert_eq!(store.keys(Kind::SignOff).len(), 1);
    until(|| matches!(state(&engine, Item::Trained), Signature::Valid(_))).await;
}

#[tokio::test]
async fn an_item_is_passed_over_until_a_day_and_taken_back() {
    let store = store();
    let engine = ready(&store).await;
    for days in [0, 181] {
        let waive = Deed::Waive {
            item: "3.4".into(),
            until: over(days),
        };
        let field = "days".into();
        assert_eq!(
            refused(engine.put(&kim(), &waive).await),
            Refused::BadInput { field }
        );
    }
    let waive = Deed::Waive {
        item: "3.4".into(),
        until: over(30),
    };
    let name = engine.put(&kim(), &waive).await.unwrap();
    let waived = || {
        let judged = engine.judged(&Scope::all());
        let item = judged
            .items
            .iter()
            .find(|it| it.judgement.item == Item::Benchmarked);
        item.unwrap().standing.waived.is_some()
    };
    until(waived).await;
    let held = |phase: usize| engine.judged(&Scope::all()).holdups[phase - 1].clone();
    assert!(!held(3).iter().any(|(item, _)| *item == Item::Benchmarked));
    let revoke = |reason: &str| Deed::Revoke {
        what: Revocable::Waiver,
        name: name.clone(),
        reason: reason.into(),
    };
    assert_eq!(
        refused(engine.put(&kim(), &revoke(" ")).await),
        Refused::Reason { limit: 500 }
    );
    engine.put(&kim(), &revoke("It was benchmarked.")).await.unwrap();
    until(|| !waived()).await;
    assert!(held(3).iter().any(|(item, _)| *item == Item::Benchmarked));
    let found = engine.put(&kim(), &revoke("again")).await;
    assert_eq!(refused(found), Refused::NothingToDo);
}

#[tokio::test]
async fn an_item_of_a_teams_own_is_signed_and_open_again_when_it_asks_for_something_else() {
    let store = store();
    let asks = |at_least: f64| {
        let migration = json!({"metadata": {"name": "m"}, "spec": {"items": [
            {"phase": 2, "name": "checkout", "title": "Checkout works", "query": "up", "atLeast": at_least, "for": "5m"}]}});
        store.load(Kind::Migration, migration, "kubectl").unwrap();
    };
    asks(1.0);
    let engine = ready(&store).await;
    let own: Item = "2.checkout".parse().unwrap();
    let held = |engine: &Engine| {
        engine.judged(&Scope::all()).holdups[1]
            .iter()
            .any(|(it, _)| *it == own)
    };
    assert!(held(&engine));
    assert_eq!(signed(&engine, &kim(), own).await.as_deref(), Ok("000001"));
    until(|| matches!(state(&engine, own), Signature::Valid(_))).await;
    assert!(!held(&engine));
    asks(0.5);
    until(|| matches!(state(&engine, own), Signature::Reopened(..))).await;
    let Signature::Reopened(_, reopened) = state(&engine, own) else {
        panic!("it was open again");
    };
    let codes: Vec<&str> = reopened.findings.iter().map(|it| &*it.code).collect();
    assert_eq!(codes, ["own-item-changed"]);
    // As it asks now it can be signed anew.
    until(|| {
        let judged = engine.judged(&Scope::all());
        let mut all = judged.items.iter();
        all.any(|it| it.judgement.item == own && it.standing.signable())
    })
    .await;
    assert_eq!(signed(&engine, &kim(), own).await.as_deref(), Ok("000002"));
    let other: Item = "2.other".parse().unwrap();
    assert!(engine.sheet(&kim(), &Scope::all(), other).await.is_err());
}
