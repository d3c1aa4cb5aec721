//! One rehearsed system.

use crate::{
    api::ObjectStore,
    run::Run,
    scenario::{Scenario, System},
    traffic::{KEPT, SimulatedMetrics},
    world::{
        controllers::{Startup, controllers},
        policies::policies,
    },
};
use jiff::SignedDuration;
use naru_domain::{Timestamp, object::Kind};
use naru_ports::Clock;
use serde_json::Value;
use std::sync::Arc;

/// How old a scenario's objects are at the start, so that nothing looks as if it had been made this minute.
const AGE: SignedDuration = SignedDuration::from_hours(26);

/// A running rehearsal: the two ports, and the hands behind them.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The API server. Its own methods are what others do to the system.
    pub cluster: Arc<ObjectStore>,
    /// Prometheus.
    pub metrics: Arc<SimulatedMetrics>,
    /// How the scenario's story goes; None for one without.
    pub run: Option<Arc<Run>>,
}

/// What may differ from one rehearsal of a scenario to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Decides all chance.
    pub seed: u64,
    /// Seconds of traffic before the start.
    pub history_s: u32,
    /// How long the proxies' samples are kept, as Prometheus' retention.
    pub kept: SignedDuration,
    /// Events that a watch may fall behind before it has to list anew.
    pub backlog: usize,
    /// How long new pods take to become ready.
    pub startup: Startup,
}

impl Default for Settings {
    fn default() -> Self {
        // History: the longest usual window, so that the first page is as full as any. Backlog: as much as a burst of a large system.
        Self {
            seed: 1,
            history_s: 300,
            kept: KEPT,
            backlog: 4_096,
            startup: Startup::AtOnce,
        }
    }
}

impl Settings {
    /// What suits a scenario: where there is a story, pods take their time.
    pub fn of(scenario: &Scenario, seed: u64) -> Self {
        let slow = Startup::Slow {
            from_ms: 6_000,
            to_ms: 14_000,
            seed,
        };
        Self {
            seed,
            startup: scenario.story.map_or(Startup::AtOnce, |_| slow),
            ..Self::default()
        }
    }
}

impl Rehearsal {
    /// Starts a scenario at the clock's present.
    pub fn start(scenario: &Scenario, seed: u64, clock: Arc<dyn Clock>) -> Self {
        Self::with(scenario, Settings::of(scenario, seed), clock)
    }

    /// As [`Self::start`], with everything said.
    pub fn with(scenario: &Scenario, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let mut this = Self::of(scenario.into(), settings, clock);
        let begin = |story| Run::begin(scenario, story, settings.seed, &this.cluster, &this.metrics);
        this.run = scenario.story.map(begin).map(Arc::new);
        this
    }

    /// As [`Self::with`], of a system that is no scenario.
    pub fn of(system: System, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let store = ObjectStore::new(clock.clone(), settings.backlog);
        store.on_change(controllers(settings.startup));
        for kind in Kind::ALL.into_iter().filter(|kind| kind.custom()) {
            store.install(kind);
        }
        let created = Timestamp::from_second((clock.now() - AGE).as_second())
            .unwrap_or_default()
            .to_string();
        for (kind, mut json) in system.objects.into_iter().chain(policies()) {
            if let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("creationTimestamp".into(), created.as_str().into());
            }
            // Scenarios name each object; a test holds them to it.
            let loaded = store.load(kind, json, "kubectl-client-side-apply");
            debug_assert!(loaded.is_ok(), "{loaded:?}");
        }
        let metrics = SimulatedMetrics::of(&store, system.demand, &settings, clock);
        Self {
            cluster: Arc::new(store),
            metrics: Arc::new(metrics),
            run: None,
        }
    }
}
