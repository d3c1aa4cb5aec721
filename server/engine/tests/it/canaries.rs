//! Canaries that take their steps by themselves, on the rehearsal's object store with a hand-moved clock.

mod course;
mod killed;
mod stopped;

use crate::system::{self, route_key, store_by};
use jiff::{SignedDuration, Timestamp};
use naru_domain::{
    Name, SourceName, Why,
    change::record::{Phase as Ended, Record},
    judge::guardrail::{Block, Counts, CountsQuestion, Role},
    object::{Key, Kind},
    traffic::{Dated, Split, SplitQuestion, Traffic},
};
use naru_engine::{Engine, Settings, Setup};
use naru_ports::{Clock, Cluster, Metrics};
use naru_rehearsal::{ManualClock, api::ObjectStore};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How often is looked at the store for something to be so.
const LOOK: Duration = Duration::from_millis(2);

/// Requests to both versions as they are counted every quarter of a minute.
struct Counted {
    clock: Arc<ManualClock>,
    /// Of the canary's requests, so many of 100 fail.
    failing: AtomicU64,
    /// Prometheus is not there.
    dark: std::sync::atomic::AtomicBool,
}

#[async_trait::async_trait]
impl Metrics for Counted {
    async fn traffic(&self, window_s: u32) -> Result<Dated<Traffic>, Why> {
        system::Silent.traffic(window_s).await
    }

    async fn splits(&self, questions: &[SplitQuestion]) -> Vec<Result<Dated<Split>, Why>> {
        system::Silent.splits(questions).await
    }

    async fn counts(&self, question: &CountsQuestion) -> Result<Counts, Why> {
        if self.dark.load(Ordering::Relaxed) {
            return Err(Why::NotYet {
                source: SourceName::Prometheus,
            });
        }
        let (now, scrape) = (self.clock.now(), SignedDuration::from_secs(15));
        let failing = self.failing.load(Ordering::Relaxed);
        let mut counts = Counts {
            scrape,
            newest: Some(now),
            ..Counts::nothing()
        };
        let mut from = question.since;
        while from + scrape <= now {
            let to = from + scrape;
            for (role, requests, failed) in [(Role::Stable, 900, 1), (Role::Canary, 100, failing)] {
                counts.blocks.push(block(from, to, role, requests, failed));
            }
            from = to;
        }
        Ok(counts)
    }
}

fn block(from: Timestamp, to: Timestamp, role: Role, requests: u64, failed: u64) -> Block {
    Block {
        from,
        to,
        role,
        caller: "default/gateway".into(),
        destination: role.name().into(),
        requests,
        failed,
        grpc_failed: 0,
        client_errors: 0,
        slow: 0,
    }
}

/// A system whose user-service is to go from v1 to v2.
struct World {
    store: ObjectStore,
    clock: Arc<ManualClock>,
    metrics: Arc<Counted>,
}

impl World {
    /// All requests are v1's, and a Canary orders 10, 50 and 100.
    fn new() -> Self {
        Self::ordering(|_| {})
    }

    fn ordering(edit: impl FnOnce(&mut Value)) -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-30T02:00:00Z".parse().expect("a time")));
        let store = store_by(clock.clone());
        store.edit(&route_key(), "kubectl", |it| {
            for (at, weight) in [(0, 100), (1, 0)] {
                it["spec"]["http"][0]["route"][at]["weight"] = json!(weight);
            }
        });
        let mut order = order();
        edit(&mut order);
        store
            .load(Kind::Canary, order, "kubectl")
            .expect("a well-formed Canary");
        Self {
            store,
            metrics: Arc::new(Counted {
                clock: Arc::clone(&clock),
                failing: AtomicU64::new(0),
                dark: Default::default(),
            }),
            clock,
        }
    }

    async fn engine(&self, name: &str) -> Arc<Engine> {
        self.engine_on(Arc::new(self.store.clone()), name).await
    }

    async fn engine_on(&self, cluster: Arc<dyn Cluster>, name: &str) -> Arc<Engine> {
        let engine = Engine::start(Setup {
            cluster,
            metrics: self.metrics.clone(),
            inquiries: Arc::new(naru_ports::Nobody),
            clock: self.clock.clone(),
            settings: Settings::new(7, name.into()),
        });
        for _ in 0..2_000 {
            if system::knows(&engine) {
                return engine;
            }
            self.clock.advance_ms(50);
            tokio::time::sleep(LOOK).await;
        }
        panic!("it never knew everything");
    }

    /// Lets time pass, a scrape at a time, until it is in this phase.
    async fn until(&self, phase: &str) {
        self.until_so(phase, |it| it.phase() == phase).await;
    }

    /// Lets it come to its first step.
    async fn at_ten(&self) {
        self.until_so("at 10", |it| it.weights() == [90, 10] && it.phase() == "Dwelling")
            .await;
    }

    async fn until_so(&self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        for _ in 0..400 {
            for _ in 0..5 {
                if so(self) {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
            self.clock.advance_ms(15_000);
        }
        panic!("not {what}: {}", self.status());
    }

    fn status(&self) -> Value {
        let object = self.store.object(&canary()).expect("the Canary");
        object.get("/status").cloned().unwrap_or_default()
    }

    fn phase(&self) -> String {
        self.status()["phase"].as_str().unwrap_or_default().to_owned()
    }

    fn why(&self) -> Vec<String> {
        let status = self.status();
        let all = status["why"].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|it| it["code"].as_str().expect("a code").to_owned())
            .collect()
    }

    fn alarm(&self) -> String {
        self.status()["alarm"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn weights(&self) -> Vec<u64> {
        system::weights(&self.store)
    }

    /// The canary's weight after each Change that landed, by age; each must begin where the one before it ended, and none may be open.
    fn landed(&self) -> Vec<String> {
        let mut records: Vec<Record> = self
            .store
            .keys(Kind::Change)
            .iter()
            .map(|key| Record::read(&self.store.object(key).expect("it is there")).expect("an entry"))
            .collect();
        records.sort_by_key(|it| it.rv.parse::<u64>().expect("a number"));
        let mut was = "0".to_owned();
        let mut weights = Vec::new();
        for record in records {
            assert_ne!(record.phase, Ended::Intended, "{}", record.key.name);
            let Ended::Landed { .. } = record.phase else {
                continue;
            };
            let v2 = record
                .diff
                .iter()
                .find(|it| &*it.label == "v2")
                .expect("a line of v2");
            assert_eq!(v2.before.as_deref(), Some(&*was));
            was = v2.after.as_deref().expect("a weight").to_owned();
            weights.push(was.clone());
        }
        weights
    }

    /// How often the route's spec was written.
    fn written(&self) -> u64 {
        let route = self.store.object(&route_key()).expect("the route");
        route
            .get("/metadata/generation")
            .and_then(Value::as_u64)
            .expect("a generation")
    }
}

fn canary() -> Key {
    Key::new(Kind::Canary, "user-service", "user")
}

fn order() -> Value {
    let step = |weight| json!({"weight": weight, "dwell": "1m", "requests": 100});
    json!({
        "apiVersion": Kind::Canary.api_version(), "kind": "Canary",
        "metadata": {"name": "user", "namespace": "user-service"},
        "spec": {
            "route": {"name": "user-service", "rule": 0},
            "stable": {"host": "user-service", "subset": "v1"},
            "canary": {"host": "user-service", "subset": "v2"},
            "steps": [step(10), step(50), step(100)],
            "warmUp": "0s", "maxBlind": "2m", "keepOld": "10m",
            "approvedBy": {"issuer": "https://id.example", "subject": "kim", "name": "Kim"},
        },
    })
}

fn reasons(name: &Name) -> String {
    format!("Canary/user ({name})")
}
