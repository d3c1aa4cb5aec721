//! What the rehearsed system's proxies count, and what Prometheus knows of it.
//!
//! [`Simulation`] lets requests come in, one by one, and sends each where the objects of the moment send it; the proxies' counters
//! grow, are scraped every few seconds into [`Samples`], and the answers of [`Metrics`] are computed from samples alone, as Prometheus
//! computes them. Where a request goes, whether both ends agree on mutual TLS and whether it is let in is the mesh model's word
//! (`naru_domain::mesh`), asked once and kept until the objects that it depends on change.
//!
//! | question | file |
//! |---|---|
//! | who asks what of whom | `demand` |
//! | which requests come in now | `arrivals` |
//! | what has changed, and whom that concerns | `changes` |
//! | who are the pods to the mesh | `peers` |
//! | where does a proxy send a request, and what is behind that | `routes` |
//! | do both ends agree, and is it let in | `rules` |
//! | what becomes of one request | `journey` |
//! | how many are under way at once | `pools` |
//! | how much does a version bear | `load` |
//! | which counter grows | `tally` |
//! | who looks on | `observer` |
//! | what is replied to what checks ask beside | `replies` |
//!
//! Nothing runs in the background: time is caught up with whenever somebody asks.

mod arrivals;
mod changes;
mod demand;
mod exposition;
mod ingress;
mod journey;
mod load;
mod observer;
mod peers;
mod pools;
mod replies;
mod routes;
mod rules;
mod samples;
mod simulation;
mod tally;
mod toll;

pub use demand::{Arrivals, Call, Caller, Demand, Shape, Token, Turn, Work};
pub use exposition::{CONTENT_TYPE, Exposition};
pub(crate) use observer::{Answered, Observer, Second};
pub use samples::{Count, KEPT, Line};
pub use toll::{Cause, Harm, Toll};

use crate::{Settings, api::ObjectStore};
use exposition::Identities;
use jiff::SignedDuration;
use naru_domain::{
    SourceName, Timestamp, Why,
    judge::guardrail::{Counts, CountsQuestion},
    traffic::{Dated, Split, SplitQuestion, Traffic},
};
use naru_ports::{Clock, Metrics};
use observer::Eyes;
use samples::Samples;
use simulation::Simulation;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Milliseconds between two scrapes.
pub const SCRAPE_MS: i64 = 5_000;

/// The rehearsed Prometheus.
pub struct SimulatedMetrics {
    clock: Arc<dyn Clock>,
    store: Option<ObjectStore>,
    state: Mutex<State>,
}

struct State {
    samples: Samples,
    simulation: Option<Simulation>,
    failing: Option<Why>,
    missing: u32,
    eyes: Eyes,
}

impl State {
    fn failing(&self, now: Timestamp) -> Option<Why> {
        let away = || Why::Unreachable {
            source: SourceName::Prometheus,
            detail: "connection refused".into(),
        };
        let failing = self.failing.clone();
        failing.or_else(|| self.eyes.away(now.as_millisecond()).then(away))
    }
}

impl std::fmt::Debug for SimulatedMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedMetrics").finish_non_exhaustive()
    }
}

impl SimulatedMetrics {
    /// Counts nothing by itself: counters grow by [`Self::count`] and are scraped by [`Self::scrape`].
    pub fn by_hand(clock: Arc<dyn Clock>) -> Self {
        Self::with(clock, KEPT, None, None)
    }

    /// Observes a simulated system as the settings say. Equal seeds, demands and objects give equal counts at equal times.
    pub fn of(store: &ObjectStore, demand: Demand, settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        let (seed, history_s) = (settings.seed, settings.history_s);
        let simulation = Simulation::new(store.journal(), demand, seed, clock.now(), history_s);
        Self::with(clock, settings.kept, Some(store.clone()), Some(simulation))
    }

    fn with(
        clock: Arc<dyn Clock>,
        kept: SignedDuration,
        store: Option<ObjectStore>,
        simulation: Option<Simulation>,
    ) -> Self {
        let state = State {
            samples: Samples::new(kept),
            simulation,
            failing: None,
            missing: 0,
            eyes: Eyes::default(),
        };
        Self {
            clock,
            store,
            state: Mutex::new(state),
        }
    }

    /// A proxy's counter grows.
    pub fn count(&self, line: &Line, by: Count) {
        self.caught_up().samples.count(line, by);
    }

    /// The proxies are scraped now.
    pub fn scrape(&self) {
        let now = self.clock.now();
        self.caught_up().samples.scrape(now);
    }

    /// While Some, every question fails for this reason. The proxies go on counting, and are scraped.
    pub fn fail(&self, why: Option<Why>) {
        self.caught_up().failing = why;
    }

    /// The next `n` scrapes are missed.
    pub fn miss(&self, n: u32) {
        self.caught_up().missing = n;
    }

    /// From now on each second is shown to this observer, and Prometheus is away from the first to the second of these moments: it neither
    /// answers nor scrapes.
    pub(crate) fn observed(&self, observer: Arc<dyn Observer>, away: &[(Timestamp, Timestamp)]) {
        let mut state = self.caught_up();
        let span = |(from, to): &(Timestamp, Timestamp)| (from.as_millisecond(), to.as_millisecond());
        state.eyes.observer = Some(observer);
        state.eyes.away = away.iter().map(span).collect();
    }

    /// What the system's users have borne since the start. Counters made by hand bear nothing.
    pub fn toll(&self) -> Toll {
        let state = self.caught_up();
        state
            .simulation
            .as_ref()
            .map(|it| it.toll().clone())
            .unwrap_or_default()
    }

    /// How often something decided that the mesh model does not judge. Such a request was let through to the service that it was meant for;
    /// where this is not 0, the counters are not to be trusted.
    pub fn unjudged(&self) -> u64 {
        let state = self.caught_up();
        state.simulation.as_ref().map_or(0, Simulation::unjudged)
    }

    /// The proxies' counters as they stand, for a real Prometheus, also while questions fail. What is rendered from then on is a copy.
    pub fn exposition(&self) -> Exposition {
        let mut state = self.caught_up();
        let State {
            samples, simulation, ..
        } = &mut *state;
        let simulation = simulation.as_ref();
        samples.exposed(|| {
            simulation
                .map(|it| Identities::of(it.objects()))
                .unwrap_or_default()
        })
    }

    fn caught_up(&self) -> MutexGuard<'_, State> {
        // What was planned has happened before requests meet it. Not under the lock: what happens may ask for metrics.
        if let Some(store) = &self.store {
            store.catch_up();
        }
        // Counters and samples are pushed in single steps, so what a panicked holder left is whole.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State {
            samples,
            simulation,
            missing,
            eyes,
            ..
        } = &mut *state;
        if let Some(simulation) = simulation {
            simulation.advance(self.clock.now(), samples, missing, eyes);
        }
        state
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[async_trait::async_trait]
impl Metrics for SimulatedMetrics {
    async fn traffic(&self, window_s: u32) -> Result<Dated<Traffic>, Why> {
        let state = self.caught_up();
        match state.failing(self.now()) {
            Some(why) => Err(why),
            None => state.samples.traffic(self.now(), window_s),
        }
    }

    async fn splits(&self, questions: &[SplitQuestion]) -> Vec<Result<Dated<Split>, Why>> {
        let state = self.caught_up();
        let failing = state.failing(self.now());
        let answer = |question| match &failing {
            Some(why) => Err(why.clone()),
            None => state.samples.split(question),
        };
        questions.iter().map(answer).collect()
    }

    async fn counts(&self, question: &CountsQuestion) -> Result<Counts, Why> {
        let state = self.caught_up();
        match state.failing(self.now()) {
            Some(why) => Err(why),
            None => Ok(state.samples.versions(question, self.now())),
        }
    }
}
