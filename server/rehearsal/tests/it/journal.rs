//! The journal's entries are what the definition that clusters are given keeps: nothing of them is pruned.

use crate::world::start;
use futures::{FutureExt, StreamExt};
use naru_domain::{
    actor::Actor,
    change::{
        plan::{Intent, plan},
        record::{Phase, Record},
    },
    object::{Kind, Write},
    snapshot::{KindState, Objects, Observed, Section, Snapshot},
};
use naru_ports::{As, Clock, Cluster, Seen};
use naru_rehearsal::scenario;
use naru_view::{
    canary::{RouteRef, RuleList, SetWeights, WeightOf},
    version::Version,
};
use std::sync::Arc;

#[tokio::test]
async fn an_entry_comes_back_as_it_was_written_and_so_does_its_end() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    let (store, person, now) = (&rehearsal.cluster, Actor::loopback(), clock.now());
    let mut objects = Objects::default();
    for kind in Kind::ALL {
        if let Some(Some(Seen::Reset { facts, .. })) = store.watch(kind).next().now_or_never() {
            facts.into_iter().for_each(|fact| objects.put(fact));
            objects.kinds.insert(kind, KindState::Known);
        }
    }
    let section = Section {
        value: Arc::new(objects),
        revision: 1,
        at: Some(now),
        gaps: Arc::from([]),
    };
    let traffic = Section {
        value: Arc::new(Observed::default()),
        revision: 1,
        at: Some(now),
        gaps: Arc::from([]),
    };
    let snapshot = Snapshot {
        version: Version { epoch: 1, seq: 1 },
        taken: now,
        objects: section,
        traffic,
    };
    let weight = |subset: &str, weight| WeightOf {
        host: "user-service".into(),
        subset: subset.into(),
        weight,
    };
    let route = RouteRef {
        namespace: "user-service".into(),
        name: "user-service-canary".into(),
        list: RuleList::Http,
        rule: 0,
    };
    let intent = Intent::SetWeights(SetWeights {
        route,
        weights: vec![weight("v1", 50), weight("v2", 50)],
    });
    let plan = plan(&intent, &snapshot).unwrap();

    let entry = Record::intended(&plan, "change-1".into(), person.clone(), "시험".into(), now);
    let write = Write::Create(entry.object().unwrap());
    let created = store
        .submit(As::Person(&person), &write, false, "naru")
        .await
        .unwrap()
        .object
        .unwrap();
    let Write::Create(wanted) = &write else {
        panic!("{write:?}")
    };
    assert_eq!(created.get("/spec"), wanted.get("/spec"));
    let read = Record::read(&created).unwrap();
    assert_eq!((&read.diff, &read.phase), (&entry.diff, &Phase::Intended));

    let done = store
        .submit(As::Person(&person), &read.write(), false, &read.manager())
        .await
        .unwrap()
        .object
        .unwrap();
    assert_eq!(done.digest(), read.after, "carried out exactly as planned");
    let why = naru_domain::Why::Said {
        detail: "somebody was faster".into(),
    };
    for phase in [Phase::Stopped { why: why.clone() }, Phase::NotCarriedOut { why }] {
        let entry = Record::read(&store.get(&read.key).await.unwrap()).unwrap();
        store
            .submit(As::Controller("journal"), &entry.settle(&phase), false, "naru")
            .await
            .unwrap();
        assert_eq!(
            Record::read(&store.get(&read.key).await.unwrap()).unwrap().phase,
            phase
        );
    }
}
