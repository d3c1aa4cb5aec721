//! What people want of canaries, written as themselves.

use crate::system::{engine, route, store, until};
use naru_domain::{
    Refused,
    actor::{Actor, Scope},
    canary::spec::{Course as Meant, Spec},
    object::{Key, Kind, Object},
};
use naru_engine::{Engine, Settings, Setup};
use naru_ports::{Console, Nobody, SystemClock};
use naru_rehearsal::api::{Call, Deeds, Fault, ObjectStore, Who};
use naru_view::{
    Name,
    order::{Begin, Course, Order, Phase, Steer, Step},
    why::ApplyError,
};
use serde_json::json;
use std::sync::Arc;

fn wish(weights: &[u32]) -> Begin {
    let step = |&weight: &u32| Step {
        weight,
        dwell_s: 600,
        requests: 500,
    };
    Begin {
        route: route(),
        steps: weights.iter().map(step).collect(),
        errors: 0.01,
    }
}

fn steer(name: &Name, from: Course, course: Course) -> Steer {
    Steer {
        namespace: route().namespace,
        name: name.clone(),
        from,
        course,
    }
}

fn canary(store: &ObjectStore, name: &Name) -> Object {
    let key = Key::new(Kind::Canary, route().namespace, name.clone());
    store.object(&key).expect("the canary is there")
}

fn edit(store: &ObjectStore, name: &Name, status: serde_json::Value) {
    let key = Key::new(Kind::Canary, route().namespace, name.clone());
    store.edit(&key, "naru-canaries", |json| json["status"] = status);
}

fn course(store: &ObjectStore, name: &Name) -> Meant {
    Spec::read(&canary(store, name)).expect("a spec").course
}

fn orders(engine: &Engine) -> Vec<Order> {
    let view = engine.view(&Scope::all());
    view.canaries
        .routes
        .first()
        .map_or(Vec::new(), |it| it.orders.clone())
}

fn with_canaries() -> ObjectStore {
    let store = store();
    store.install(Kind::Canary);
    store
}

#[tokio::test]
async fn a_person_orders_a_canary_and_steers_it_as_themselves() {
    let store = with_canaries();
    let engine = engine(Arc::new(store.clone())).await;
    let who = Actor::loopback();
    let name = engine.begin(&who, &wish(&[10, 50, 100])).await.unwrap();
    let spec = Spec::read(&canary(&store, &name)).unwrap();
    assert_eq!((&*spec.approved_by.subject, spec.steps.len()), ("operator", 3));
    assert_eq!(canary(&store, &name).managers(), ["naru-steer"]);
    until(|| {
        orders(&engine)
            .first()
            .is_some_and(|it| it.phase == Phase::Waiting)
    })
    .await;
    let again = engine.begin(&who, &wish(&[10, 100])).await;
    let runs = Refused::CanaryRuns { name: name.clone() };
    assert_eq!(again, Err(ApplyError::Refused { refused: runs }));
    engine
        .steer(&who, &steer(&name, Course::Run, Course::Pause))
        .await
        .unwrap();
    assert_eq!(course(&store, &name), Meant::Pause);
    until(|| {
        orders(&engine)
            .first()
            .is_some_and(|it| it.course == Course::Pause)
    })
    .await;
    // Somebody else who still sees it run does not call it off unseen.
    let unseen = engine
        .steer(&who, &steer(&name, Course::Run, Course::Abort))
        .await;
    assert_eq!(
        (unseen, course(&store, &name)),
        (Err(ApplyError::Conflict { by: None }), Meant::Pause)
    );
    let twice = engine
        .steer(&who, &steer(&name, Course::Pause, Course::Pause))
        .await;
    let refused = Refused::NothingToDo;
    assert_eq!(twice, Err(ApplyError::Refused { refused }));
}

#[tokio::test]
async fn a_status_that_moves_meanwhile_is_no_conflict_and_what_is_over_is_not_steered() {
    let store = with_canaries();
    let engine = engine(Arc::new(store.clone())).await;
    let who = Actor::loopback();
    let name = engine.begin(&who, &wish(&[10, 100])).await.unwrap();
    let moved = name.clone();
    let meanwhile = move |store: &ObjectStore| edit(store, &moved, json!({"phase": "Held"}));
    store.arrange(Call::Write, 0, Fault::Meanwhile(Box::new(meanwhile)));
    engine
        .steer(&who, &steer(&name, Course::Run, Course::Abort))
        .await
        .unwrap();
    assert_eq!(course(&store, &name), Meant::Abort);
    edit(&store, &name, json!({"phase": "RolledBack"}));
    let late = engine
        .steer(&who, &steer(&name, Course::Abort, Course::Run))
        .await;
    let refused = Refused::CanaryOver { name: name.clone() };
    assert_eq!(late, Err(ApplyError::Refused { refused }));
    until(|| {
        orders(&engine)
            .first()
            .is_some_and(|it| it.phase == Phase::RolledBack)
    })
    .await;
    // What is over makes way for another.
    assert!(
        engine
            .begin(&who, &wish(&[10, 100]))
            .await
            .is_ok_and(|it| it != name)
    );
}

#[tokio::test]
async fn rights_are_the_persons_own_and_a_reading_server_writes_nothing() {
    let store = with_canaries();
    let running = engine(Arc::new(store.clone())).await;
    let who = Actor::loopback();
    let name = running.begin(&who, &wish(&[10, 100])).await.unwrap();
    let group = Who::Group(who.groups[0].clone());
    let deeds = Deeds {
        kind: Some(Kind::Canary),
        ..Deeds::default()
    };
    store.forbid(group, deeds);
    let pause = steer(&name, Course::Run, Course::Pause);
    let barred = running.steer(&who, &pause).await;
    assert!(matches!(barred, Err(ApplyError::Forbidden { .. })), "{barred:?}");
    store.allow_all();
    let reading = Engine::start(Setup {
        cluster: Arc::new(store.clone()),
        metrics: Arc::new(crate::system::Silent),
        inquiries: Arc::new(Nobody),
        clock: Arc::new(SystemClock),
        settings: Settings {
            read_only: true,
            ..Settings::new(8, "reader".into())
        },
    });
    assert_eq!(reading.steer(&who, &pause).await, Err(ApplyError::ReadOnly));
    let begun = reading.begin(&who, &wish(&[10, 100])).await;
    assert_eq!(
        (begun, course(&store, &name)),
        (Err(ApplyError::ReadOnly), Meant::Run)
    );
    let unknown = running
        .steer(&who, &steer(&"gone".into(), Course::Run, Course::Pause))
        .await;
    assert!(
        matches!(
            unknown,
            Err(ApplyError::Refused {
                refused: Refused::NotFound { .. }
            })
        ),
        "{unknown:?}"
    );
}
