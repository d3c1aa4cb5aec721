//! The kill suite on the rehearsal's object store; the binary's tests run it on a real API server.

use crate::system::{Silent, route, store, wish};
use naru_domain::{Name, actor::Actor, object::Kind};
use naru_engine::contract::{self, Killing, Moment, Subject, Trial};
use naru_ports::{Cluster, Console, Metrics};
use naru_rehearsal::api::ObjectStore;
use naru_view::canary::RouteRef;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::sync::Arc;

struct Rehearsed(ObjectStore);

impl Subject for Rehearsed {
    fn cluster(&self) -> Arc<dyn Cluster> {
        Arc::new(self.0.clone())
    }

    fn metrics(&self) -> Arc<dyn Metrics> {
        Arc::new(Silent)
    }

    fn route(&self) -> RouteRef {
        route()
    }

    fn lease_namespace(&self) -> Name {
        "naru".into()
    }
}

#[tokio::test]
async fn a_kill_at_every_call_leaves_before_or_after() {
    let kills = contract::a_kill_at_every_call(&Rehearsed(store())).await;
    // Plan: read, dry run. Apply: read, entry, patch, status. Each before and after.
    assert_eq!(kills, 12);
}

#[tokio::test]
async fn a_sleeper_that_wakes_up_late_changes_nothing() {
    assert_eq!(contract::a_sleeper_changes_nothing(&Rehearsed(store())).await, 4);
}

#[tokio::test]
async fn fifty_random_kills_ten_on_each_of_five_systems() {
    let ten = |seed| async move {
        let subject = Rehearsed(store());
        let mut random = SmallRng::seed_from_u64(seed);
        for _ in 0..10 {
            let call = random.random_range(0..6);
            let moment = if random.random() {
                Moment::before(call)
            } else {
                Moment::after(call)
            };
            assert!(
                Trial::new(&subject).killed_at(moment).await.is_some(),
                "{moment:?}"
            );
        }
    };
    futures::future::join_all((0..5).map(ten)).await;
}

/// One server dies before its patch; the next one's patch, guarded by the same resourceVersion, lands, and it dies before it can say so.
/// Both entries are open then, and the earlier one can only be judged after the later one.
#[tokio::test]
async fn of_two_open_changes_on_one_object_each_is_told_truly() {
    let store = store();
    for (moment, weight) in [(Moment::before(4), 60), (Moment::after(4), 50)] {
        let killing = Arc::new(Killing::new(Arc::new(store.clone()), moment));
        let dying = crate::system::engine(killing.clone()).await;
        killing.arm();
        let who = Actor::loopback();
        let wish = wish(100 - weight, weight);
        let change = async {
            let sheet = dying.plan(&who, &wish).await.unwrap();
            dying.apply(&who, &wish, &sheet.digest, "a trial").await
        };
        tokio::select! {
            done = change => panic!("it should have died: {done:?}"),
            () = killing.reached() => {}
        }
        dying.stop().await;
    }
    let recovering = crate::system::engine_with(Arc::new(store.clone()), std::time::Duration::ZERO).await;
    let phases = || {
        let entries = store
            .keys(Kind::Change)
            .into_iter()
            .filter_map(|key| store.object(&key));
        let mut phases: Vec<String> = entries
            .map(|entry| entry.text("/status/phase").to_owned())
            .collect();
        phases.sort();
        phases
    };
    recovering.recover().await;
    assert_eq!(phases(), ["Landed", "NotCarriedOut"]);
    assert_eq!(crate::system::weights(&store), [50, 50]);
}
