//! Two people for large steps, through the engine.

use crate::system::{engine, store, until, weights, wish};
use naru_domain::{
    Refused, Why,
    actor::{Actor, Scope},
    change::plan::Intent,
    object::Kind,
};
use naru_ports::Console;
use naru_rehearsal::api::ObjectStore;
use naru_view::{
    canary::{Proposed, SetWeights},
    change::Phase,
    order::{Begin, Step},
    why::ApplyError,
};
use serde_json::json;
use std::sync::Arc;

fn system() -> ObjectStore {
    let store = without_proposals();
    store.install(Kind::Proposal);
    store
}

/// The definitions are older than this Naru.
fn without_proposals() -> ObjectStore {
    let store = store();
    let migration = json!({"metadata": {"name": "m"}, "spec": {"system": "s", "quorumAbove": 25}});
    store
        .load(Kind::Migration, migration, "kubectl")
        .expect("a well-formed object");
    store
}

fn person(sub: &str) -> Actor {
    Actor {
        sub: sub.into(),
        name: sub.into(),
        ..Actor::loopback()
    }
}

fn quorum<T>() -> Result<T, ApplyError> {
    Err(ApplyError::Refused {
        refused: Refused::Quorum { above: 25 },
    })
}

fn shown(engine: &dyn Console) -> Vec<(Proposed, SetWeights)> {
    let view = engine.view(&Scope::all());
    view.canaries
        .routes
        .iter()
        .flat_map(|it| it.proposals.clone())
        .collect()
}

#[tokio::test]
async fn who_proposes_cannot_carry_out_and_who_carries_out_needs_a_proposal() {
    let store = system();
    let engine = engine(Arc::new(store.clone())).await;
    let (kim, lee) = (person("kim"), person("lee"));
    until(|| engine.view(&Scope::all()).canaries.routes.len() == 1).await;
    let half = wish(50, 50);
    let sheet = engine.plan(&kim, &half).await.unwrap();
    let asked = sheet.quorum.clone().unwrap();
    assert_eq!((asked.above, asked.proposed), (25, None));
    assert_eq!(engine.apply(&kim, &half, &sheet.digest, "half").await, quorum());
    let name = engine.propose(&kim, &half, &sheet.digest, "half").await.unwrap();
    assert!(name.starts_with("proposal-"), "{name}");
    until(|| shown(&*engine).len() == 1).await;
    assert_eq!(weights(&store), [90, 10]);
    assert_eq!(engine.apply(&kim, &half, &sheet.digest, "half").await, quorum());

    // Another plan than the one that was proposed is nobody's second.
    let more = wish(40, 60);
    let other = engine.plan(&lee, &more).await.unwrap();
    assert_eq!(engine.apply(&lee, &more, &other.digest, "more").await, quorum());
    let again = engine.plan(&lee, &half).await.unwrap();
    assert_eq!(again.digest, sheet.digest);
    let first = again.quorum.and_then(|it| it.proposed).unwrap();
    assert_eq!((&*first.by, &*first.reason), ("kim", "half"));
    let done = engine.apply(&lee, &half, &again.digest, "agreed").await.unwrap();
    assert_eq!(weights(&store), [50, 50]);
    until(|| shown(&*engine).is_empty()).await;
    let landed = || {
        let changes = &engine.view(&Scope::all()).changes;
        matches!(changes.changes[0].phase, Phase::Landed { .. })
    };
    until(landed).await;

    // Back is one person's; and what was done once was agreed to once.
    let undo = Intent::Undo {
        namespace: done.namespace,
        change: done.change,
    };
    let back = engine.plan(&lee, &undo).await.unwrap();
    assert_eq!(back.quorum, None);
    let one = Refused::OneIsEnough;
    let error = ApplyError::Refused { refused: one };
    assert_eq!(engine.propose(&lee, &undo, &back.digest, "x").await, Err(error));
    engine.apply(&lee, &undo, &back.digest, "back").await.unwrap();
    assert_eq!(weights(&store), [90, 10]);
    let replayed = engine.plan(&lee, &half).await.unwrap();
    assert_eq!(replayed.digest, sheet.digest);
    assert_eq!(replayed.quorum.and_then(|it| it.proposed), None);
    assert_eq!(
        engine.apply(&lee, &half, &replayed.digest, "once more").await,
        quorum()
    );
}

#[tokio::test]
async fn a_small_step_is_one_persons_and_naru_takes_no_large_one_alone() {
    let store = system();
    let engine = engine(Arc::new(store.clone())).await;
    let kim = person("kim");
    until(|| engine.view(&Scope::all()).canaries.routes.len() == 1).await;
    let sheet = engine.plan(&kim, &wish(80, 20)).await.unwrap();
    assert_eq!(sheet.quorum, None);
    let Intent::SetWeights(SetWeights { route, .. }) = wish(80, 20) else {
        panic!()
    };
    let begin = |weight| Begin {
        route: route.clone(),
        steps: vec![Step {
            weight,
            dwell_s: 60,
            requests: 1,
        }],
        errors: 0.01,
    };
    assert_eq!(engine.begin(&kim, &begin(50)).await, quorum());
    engine.begin(&kim, &begin(25)).await.unwrap();
}

#[tokio::test]
async fn where_nothing_can_be_proposed_it_is_said_what_is_missing() {
    let store = without_proposals();
    let engine = engine(Arc::new(store.clone())).await;
    let kim = person("kim");
    until(|| engine.view(&Scope::all()).canaries.routes.len() == 1).await;
    let sheet = engine.plan(&kim, &wish(50, 50)).await.unwrap();
    let refused = engine.propose(&kim, &wish(50, 50), &sheet.digest, "half").await;
    let kind = "Proposal".into();
    let whys = vec![Why::KindAbsent { kind }];
    assert_eq!(
        refused,
        Err(ApplyError::Refused {
            refused: Refused::Unknown { whys }
        })
    );
    assert_eq!(
        engine.apply(&kim, &wish(50, 50), &sheet.digest, "half").await,
        quorum()
    );
}
