//! One change, one mishap, one recovery, and what must be so afterwards.

use super::{Killing, Moment, Subject};
use crate::{Engine, LeaseName, Settings, Setup};
use futures::StreamExt;
use naru_domain::{
    Name,
    actor::Actor,
    canary::canaries,
    change::{
        plan::Intent,
        record::{Phase, Record},
    },
    fact::Fact,
    object::{Digest, Key, Kind, Object},
};
use naru_ports::{Clock, Cluster, Console, Nobody, Seen, SystemClock};
use naru_view::{
    canary::{Applied, SetWeights, WeightOf},
    why::ApplyError,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Recovery's grace in these trials.
const GRACE: Duration = Duration::from_secs(2);

/// What is looked at again and again is looked at so often.
const LOOK: Duration = Duration::from_millis(20);

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One system, one change.
pub struct Trial<'a> {
    subject: &'a dyn Subject,
    person: Actor,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The VirtualService's digest.
    pub digest: Digest,
    /// Its `metadata.generation`: counts what was written into its spec.
    pub generation: u64,
    /// The journal's entries that the trial made.
    pub records: Vec<Record>,
}

/// How it was before.
struct Start {
    live: Object,
    entries: BTreeSet<Name>,
    wish: Intent,
}

impl<'a> Trial<'a> {
    /// On this system, as the loopback operator.
    pub fn new(subject: &'a dyn Subject) -> Self {
        Self {
            subject,
            person: Actor::loopback(),
        }
    }

    /// Moves a point of weight through a server that dies at `moment`, then lets another one recover. None: the change came to its end
    /// before that moment.
    ///
    /// # Panics
    /// If what must hold does not.
    pub async fn killed_at(&self, moment: Moment) -> Option<Outcome> {
        let killing = Arc::new(Killing::new(self.subject.cluster(), moment));
        let dying = self.engine(killing.clone(), "dying").await;
        let start = self.start(&dying).await;
        killing.arm();
        let died = tokio::select! {
            done = self.change(&dying, &start.wish) => {
                done.expect("nothing but death stands in its way");
                false
            }
            () = killing.reached() => true,
        };
        dying.stop().await;
        let outcome = self.recovered(&start).await;
        judge(&start, &outcome);
        died.then_some(outcome)
    }

    /// The same with a server that only falls asleep while it applies what was confirmed, and goes on after another has recovered.
    ///
    /// # Panics
    /// If it changed anything when it woke up.
    pub async fn asleep_before(&self, call: u32) -> Option<Outcome> {
        let killing = Arc::new(Killing::new(self.subject.cluster(), Moment::before(call)));
        let sleeping = self.engine(killing.clone(), "sleeping").await;
        let start = self.start(&sleeping).await;
        let sheet = sleeping
            .plan(&self.person, &start.wish)
            .await
            .expect("nothing stands in its way");
        killing.arm();
        let change = sleeping.apply(&self.person, &start.wish, &sheet.digest, "a trial");
        tokio::pin!(change);
        tokio::select! {
            done = &mut change => {
                done.expect("nothing stands in its way");
                return None;
            }
            () = killing.reached() => {}
        }
        tokio::time::sleep(GRACE).await;
        let recovered = self.recovered(&start).await;
        judge(&start, &recovered);
        killing.release();
        // What it answers does not matter: its viewer is long gone.
        let _answer = tokio::time::timeout(PATIENCE, change)
            .await
            .expect("it comes to an end");
        let woken = self.recovered(&start).await;
        judge(&start, &woken);
        assert_eq!(
            (&woken.digest, woken.generation),
            (&recovered.digest, recovered.generation),
            "asleep before {call}"
        );
        sleeping.stop().await;
        Some(woken)
    }

    async fn engine(&self, cluster: Arc<dyn Cluster>, holder: &str) -> Arc<Engine> {
        let lease = LeaseName {
            namespace: self.subject.lease_namespace(),
            name: "naru-recovery".into(),
            holder: holder.into(),
        };
        let settings = Settings {
            lease,
            grace: GRACE,
            ..Settings::new(1, holder.into())
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Engine::start(Setup {
            cluster,
            metrics: self.subject.metrics(),
            inquiries: Arc::new(Nobody),
            clock,
            settings,
        })
    }

    async fn start(&self, engine: &Engine) -> Start {
        let wish = until(async || wish(engine, self.subject)).await;
        let entries = self
            .entries()
            .await
            .into_iter()
            .map(|record| record.key.name)
            .collect();
        Start {
            live: self.live().await,
            entries,
            wish,
        }
    }

    async fn change(&self, engine: &Engine, wish: &Intent) -> Result<Applied, ApplyError> {
        let sheet = engine.plan(&self.person, wish).await?;
        engine.apply(&self.person, wish, &sheet.digest, "a trial").await
    }

    /// Lets a server of its own recover until no change of the trial is open any more.
    async fn recovered(&self, start: &Start) -> Outcome {
        let engine = self.engine(self.subject.cluster(), "recovering").await;
        let records = until(async || {
            engine.recover().await;
            let mut records = self.entries().await;
            records.retain(|record| !start.entries.contains(&record.key.name));
            records
                .iter()
                .all(|record| record.phase != Phase::Intended)
                .then_some(records)
        })
        .await;
        engine.stop().await;
        let live = self.live().await;
        Outcome {
            digest: live.digest(),
            generation: generation(&live),
            records,
        }
    }

    async fn live(&self) -> Object {
        let route = self.subject.route();
        let key = Key::new(Kind::VirtualService, route.namespace, route.name);
        until(async || self.subject.cluster().get(&key).await.ok()).await
    }

    /// The journal as the API server has it.
    async fn entries(&self) -> Vec<Record> {
        let mut seen = self.subject.cluster().watch(Kind::Change);
        while let Some(seen) = seen.next().await {
            if let Seen::Reset { facts, .. } = seen {
                let objects = facts.into_iter().filter_map(|fact| match fact {
                    Fact::Object(object) => Some(object),
                    _ => None,
                });
                return objects.filter_map(|object| Record::read(&object)).collect();
            }
        }
        Vec::new()
    }
}

/// One point from the first destination to the second, or back where the first has none; None while the engine does not know enough.
fn wish(engine: &Engine, subject: &dyn Subject) -> Option<Intent> {
    let snapshot = engine.snapshot();
    let gap = [
        Kind::VirtualService,
        Kind::DestinationRule,
        Kind::Service,
        Kind::EndpointSlice,
        Kind::Pod,
    ]
    .into_iter()
    .find_map(|kind| snapshot.objects.value.gap(kind));
    let route = subject.route();
    let canary = canaries(&snapshot)
        .into_iter()
        .find(|canary| gap.is_none() && canary.route == route)?;
    let mut weights: Vec<WeightOf> = canary
        .destinations
        .into_iter()
        .map(|to| WeightOf {
            host: to.host,
            subset: to.subset,
            weight: to.weight,
        })
        .collect();
    let from = usize::from(weights[0].weight == 0);
    weights[from].weight -= 1;
    weights[1 - from].weight += 1;
    Some(Intent::SetWeights(SetWeights { route, weights }))
}

fn generation(object: &Object) -> u64 {
    object
        .get("/metadata/generation")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(0)
}

/// Before or after, never half; written at most once; and the journal says which.
fn judge(start: &Start, outcome: &Outcome) {
    let landed: Vec<&Record> = outcome
        .records
        .iter()
        .filter(|record| matches!(record.phase, Phase::Landed { .. }))
        .collect();
    let written = outcome.generation - generation(&start.live);
    let stopped = outcome
        .records
        .iter()
        .any(|record| matches!(record.phase, Phase::Stopped { .. }));
    assert!(!stopped, "nobody else was there: {outcome:?}");
    if outcome.digest == start.live.digest() {
        assert_eq!(
            (landed.len(), written),
            (0, 0),
            "as before, so nothing may be told to have landed: {outcome:?}"
        );
    } else {
        assert_eq!(
            (landed.len(), written),
            (1, 1),
            "it landed once, and is told to have landed once: {outcome:?}"
        );
        assert_eq!(landed[0].after, outcome.digest, "neither before nor after");
    }
}

/// Looks again until there is something to see.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen)
        .await
        .expect("waited long enough")
}
