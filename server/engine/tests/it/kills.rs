//! The kill suite on the rehearsal's object store; the binary's tests run it on a real API server.

use crate::system::{Silent, route, store};
use naru_domain::Name;
use naru_engine::contract::{self, Moment, Subject, Trial};
use naru_ports::{Cluster, Metrics};
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
