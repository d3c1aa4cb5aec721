//! The whole course, and each way off it.

use super::{World, canary, reasons};
use crate::system::route_key;
use naru_domain::{
    actor::NARU,
    change::record::{Phase, Record},
    object::{Key, Kind},
};
use naru_ports::Console;
use naru_rehearsal::api::{Call, Deeds, Fault, ObjectStore, Who};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

#[tokio::test]
async fn a_well_version_goes_through_its_steps_and_the_journal_says_who_let_it() {
    let world = World::new();
    let before = world.written();
    let engine = world.engine("a").await;
    world.until("Finished").await;
    engine.stop().await;
    assert_eq!(world.weights(), [0, 100]);
    assert_eq!(world.landed(), ["10", "50", "100"]);
    assert_eq!(world.written(), before + 3);
    let entry = world.store.keys(Kind::Change).remove(0);
    let record = Record::read(&world.store.object(&entry).unwrap()).unwrap();
    assert_eq!((&*record.actor.sub, &*record.actor.issuer), (NARU, "kubernetes"));
    assert_eq!(*record.reason, *reasons(&"Kim".into()));
}

#[tokio::test]
async fn a_failing_version_is_given_no_more_requests() {
    let world = World::new();
    world.metrics.failing.store(20, Ordering::Relaxed);
    let engine = world.engine("a").await;
    world.until("RolledBack").await;
    engine.stop().await;
    assert_eq!(
        (world.weights(), world.landed()),
        (vec![100, 0], vec!["10".into(), "0".into()])
    );
    assert_eq!(world.why(), ["worse"]);
}

#[tokio::test]
async fn a_dead_version_is_found_by_its_endpoints_alone() {
    let world = World::new();
    let engine = world.engine("a").await;
    world.at_ten().await;
    world.metrics.dark.store(true, Ordering::Relaxed);
    let slice = Key::new(Kind::EndpointSlice, "user-service", "user-service-x");
    world.store.edit(&slice, "kubelet", |it| {
        it["endpoints"][1]["conditions"]["ready"] = json!(false)
    });
    world.until("RolledBack").await;
    engine.stop().await;
    assert_eq!(world.weights(), [100, 0]);
    assert!(
        world.why().contains(&"no-ready-pods".to_owned()),
        "{:?}",
        world.why()
    );
}

#[tokio::test]
async fn without_sight_the_weights_stay_and_people_are_told() {
    let world = World::new();
    let engine = world.engine("a").await;
    world.at_ten().await;
    world.metrics.dark.store(true, Ordering::Relaxed);
    world.until_so("blind", |it| it.alarm() == "blind").await;
    assert_eq!((world.weights(), world.phase()), (vec![90, 10], "Held".into()));
    // It goes on once something is seen again.
    world.metrics.dark.store(false, Ordering::Relaxed);
    world.until("Promoted").await;
    engine.stop().await;
}

#[tokio::test]
async fn who_touches_the_weights_stops_it_and_is_named() {
    let world = World::new();
    let engine = world.engine("a").await;
    world.at_ten().await;
    world.store.edit(&route_key(), "kubectl-edit", |it| {
        for (at, weight) in [(0, 80), (1, 20)] {
            it["spec"]["http"][0]["route"][at]["weight"] = json!(weight);
        }
    });
    world.until("Stopped").await;
    engine.stop().await;
    assert_eq!(world.weights(), [80, 20]);
    assert_eq!(
        world.status()["why"],
        json!([{"code": "touched", "args": {"by": "kubectl-edit"}}])
    );
}

#[tokio::test]
async fn what_people_want_of_it_is_done() {
    let world = World::new();
    let engine = world.engine("a").await;
    let steer = |course: &str| {
        let course = json!(course);
        world
            .store
            .edit(&canary(), "kubectl", |it| it["spec"]["course"] = course);
    };
    world.at_ten().await;
    steer("pause");
    world.until("Paused").await;
    for _ in 0..20 {
        world.clock.advance_ms(15_000);
        tokio::time::sleep(super::LOOK).await;
    }
    assert_eq!(world.weights(), [90, 10]);
    steer("promote");
    world.until("Promoted").await;
    assert_eq!(world.weights(), [0, 100]);
    steer("abort");
    world.until("RolledBack").await;
    engine.stop().await;
    assert_eq!(world.landed(), ["10", "100", "0"]);
}

#[tokio::test]
async fn what_cannot_be_planned_is_said_and_is_done_once_it_can() {
    let world = World::new();
    let slice = Key::new(Kind::EndpointSlice, "user-service", "user-service-x");
    let ready = |yes: bool| {
        world.store.edit(&slice, "kubelet", |it| {
            it["endpoints"][1]["conditions"]["ready"] = json!(yes)
        });
    };
    ready(false);
    let engine = world.engine("a").await;
    world.until_so("refused", |it| it.alarm() == "refused").await;
    assert_eq!((world.weights(), world.phase()), (vec![100, 0], "Waiting".into()));
    assert!(world.store.keys(Kind::Change).is_empty());
    ready(true);
    world.until("Promoted").await;
    engine.stop().await;
    assert_eq!(world.landed(), ["10", "50", "100"]);
}

#[tokio::test]
async fn where_nobody_has_let_naru_in_nothing_is_moved_and_that_is_said() {
    let world = World::new();
    let create = Deeds {
        verb: Some("create"),
        kind: Some(Kind::Change),
        ..Deeds::default()
    };
    world.store.forbid(Who::Naru, create);
    let engine = world.engine("a").await;
    let forbidden = |it: &World| {
        let said = &it.status()["alarm"];
        let detail = said["args"]["detail"].as_str();
        said["code"] == "refused" && detail.is_some_and(|it| it.contains("is forbidden"))
    };
    world.until_so("forbidden", forbidden).await;
    assert_eq!(world.weights(), [100, 0]);
    assert_ne!(world.phase(), "Moving");
    world.store.pardon(&Who::Naru);
    world.until("Promoted").await;
    engine.stop().await;
    assert_eq!(world.landed(), ["10", "50", "100"]);
}

/// Somebody else writes the route as soon as a move of weights is in the journal and not on the route.
fn in_between(store: &ObjectStore, done: Arc<AtomicBool>) {
    let meddle = move |store: &ObjectStore| {
        let mut entries = store
            .keys(Kind::Change)
            .into_iter()
            .filter_map(|it| store.object(&it));
        let open = entries.any(|it| Record::read(&it).is_some_and(|it| it.phase == Phase::Intended));
        if open {
            store.edit(&route_key(), "kubectl", |it| {
                it["metadata"]["labels"] = json!({"team": "b"})
            });
            done.store(true, Ordering::Relaxed);
        } else {
            in_between(store, done);
        }
    };
    store.arrange(Call::Write, 0, Fault::Meanwhile(Box::new(meddle)));
}

#[tokio::test]
async fn a_conflict_on_the_way_costs_no_turn() {
    let world = World::new();
    let engine = world.engine("a").await;
    world.at_ten().await;
    let done = Arc::new(AtomicBool::new(false));
    in_between(&world.store, Arc::clone(&done));
    world
        .until_so("in conflict", |_| done.load(Ordering::Relaxed))
        .await;
    // Time stands still from here on: no other turn comes.
    for _ in 0..2_000 {
        if world.phase() == "Dwelling" && world.weights() == [50, 50] {
            break;
        }
        tokio::time::sleep(super::LOOK).await;
    }
    assert_eq!(world.weights(), [50, 50], "{}", world.status());
    assert_eq!(world.alarm(), "");
    assert_eq!(world.landed(), ["10", "50"]);
    let changes = world.store.keys(Kind::Change).len();
    assert_eq!(changes, 3, "one was not carried out");
    engine.stop().await;
}

#[tokio::test]
async fn turns_that_come_to_nothing_are_told_until_one_does() {
    let world = World::new();
    let status = Deeds {
        verb: Some("patch"),
        kind: Some(Kind::Canary),
        ..Deeds::default()
    };
    world.store.forbid(Who::Naru, status);
    let engine = world.engine("a").await;
    world
        .until_so("three turns", |_| engine.stuck().iter().any(|it| it.turns >= 3))
        .await;
    let stuck = engine.stuck();
    assert_eq!(
        (stuck.len(), &*stuck[0].namespace, &*stuck[0].name),
        (1, "user-service", "user")
    );
    assert_eq!(world.phase(), "", "nothing can be said on the Canary");
    world.store.pardon(&Who::Naru);
    world.until("Promoted").await;
    assert_eq!(engine.stuck(), []);
    engine.stop().await;
}
