//! What a console in rehearsal stands on: one run at a time, which can be exchanged for a new one under open pages.
//!
//! Pages, streams and server functions hold the stage as their console and clock. A new run brings an engine with an epoch of its own,
//! which open pages take for a restarted server: they throw away what they hold and take the new.

use super::record::{Record, Records};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use naru_domain::{
    actor::{Actor, Scope},
    change::plan::Intent,
    crossing::Item,
    object::Key,
};
use naru_engine::Engine;
use naru_ports::{Clock, Console, Judged, Rehearsing, Sheet, Stuck, Surveyed};
use naru_rehearsal::{
    Rehearsal, scenario,
    time::{Control, Pace},
    traffic::SimulatedMetrics,
};
use naru_view::{
    Name, View,
    canary::{Applied, PlanSheet},
    explanation::{Ask, Explanation},
    in_force::Reached,
    ledger::Deed,
    order::{self, Steer},
    rehearsal::{Action, Declined, Rehearsal as Shown},
    version::Version,
    why::{ApplyError, Refused},
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{runtime::Handle, sync::watch, task::JoinHandle};

/// Everything that ends with a run.
pub(super) struct Run {
    /// Its console.
    pub(super) engine: Arc<Engine>,
    /// Its system.
    pub(super) rehearsal: Rehearsal,
    /// Its time.
    pub(super) clock: Arc<Control>,
    /// When it began, by its own time.
    pub(super) begun: Timestamp,
    /// What is played.
    pub(super) scenario: Name,
    /// Decides all chance.
    pub(super) seed: u64,
    /// Lets planned things happen when nobody looks.
    pub(super) going: JoinHandle<()>,
}

/// Makes a run of a scenario with a seed; None if there is no such scenario.
type Begin = Box<dyn Fn(&str, u64) -> Option<Run> + Send + Sync>;

/// The stage.
pub(super) struct Stage {
    run: ArcSwap<Run>,
    /// Counts the runs, and wakes who waits for something of the one before.
    runs: watch::Sender<u32>,
    begin: Begin,
    runtime: Handle,
    records: Records,
    /// The last run whose end was recorded.
    recorded: Mutex<u32>,
}

impl Stage {
    /// With the first run on it.
    pub(super) fn new(first: Run, begin: Begin, records: Records) -> Self {
        Self {
            run: ArcSwap::from_pointee(first),
            runs: watch::Sender::new(1),
            begin,
            runtime: Handle::current(),
            records,
            recorded: Mutex::new(0),
        }
    }

    fn run(&self) -> Arc<Run> {
        self.run.load_full()
    }

    /// The counters of what runs.
    pub(super) fn metrics(&self) -> Arc<SimulatedMetrics> {
        self.run().rehearsal.metrics.clone()
    }

    /// Ends what runs.
    pub(super) async fn stop(&self) {
        let run = self.run();
        run.going.abort();
        run.engine.stop().await;
    }

    /// Keeps a run's record once it has ended, and once only.
    fn record(&self, who: &Actor) {
        let (run, number) = (self.run(), *self.runs.borrow());
        let Some(ended) = run.rehearsal.run.as_ref().and_then(|it| it.record()) else {
            return;
        };
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if *recorded < number {
            *recorded = number;
            self.records.keep(Record::of(who, ended));
        }
    }
}

impl Rehearsing for Stage {
    fn look(&self, who: &Actor) -> Shown {
        let run = self.run();
        let story = run.rehearsal.run.as_ref().map(|it| it.look());
        if story.as_ref().is_some_and(|it| it.ending.is_some()) {
            self.record(who);
        }
        Shown {
            scenario: run.scenario.clone(),
            scenarios: scenario::ALL.iter().map(|it| it.name.into()).collect(),
            seed: run.seed,
            run: *self.runs.borrow(),
            begun: run.begun.as_millisecond(),
            now: run.clock.now().as_millisecond(),
            pace: run.clock.pace().factor(),
            story,
        }
    }

    fn act(&self, who: &Actor, action: &Action) -> Result<(), Declined> {
        if super::persona::only_looks(who) {
            return Err(Declined::Forbidden);
        }
        let unknown = |it: &dyn std::fmt::Display| Declined::Unknown(it.to_string().into());
        let run = self.run();
        match action {
            Action::Pace(pace) => {
                let pace = Pace::of_factor(*pace).ok_or_else(|| unknown(pace))?;
                run.clock.set_pace(pace);
            }
            Action::Step(seconds) if (1..=3_600).contains(seconds) => {
                run.clock.step(SignedDuration::from_secs((*seconds).into()));
            }
            Action::Step(seconds) => return Err(unknown(seconds)),
            Action::Move(_) if !super::persona::has_kubectl(who) => return Err(Declined::Forbidden),
            Action::Move(name) => {
                let story = run.rehearsal.run.as_ref();
                story.ok_or_else(|| unknown(name))?.act(name)?;
            }
            Action::Restart(scenario, seed) => {
                // Below 2^53, so that a browser can hold it as a number.
                if *seed >= 1 << 53 {
                    return Err(unknown(seed));
                }
                let next = (self.begin)(scenario, *seed).ok_or_else(|| unknown(scenario))?;
                let before = self.run.swap(Arc::new(next));
                self.runs.send_modify(|runs| *runs += 1);
                before.going.abort();
                self.runtime.spawn(async move { before.engine.stop().await });
            }
        }
        Ok(())
    }

    fn records(&self) -> String {
        self.records.json()
    }
}

#[async_trait::async_trait]
impl Clock for Stage {
    fn now(&self) -> Timestamp {
        self.run().clock.now()
    }

    async fn sleep_until(&self, until: Timestamp) {
        let mut runs = self.runs.subscribe();
        let run = self.run();
        // Whoever slept by a run's time has nothing to wait for when it is over.
        tokio::select! {
            () = run.clock.sleep_until(until) => {}
            _ = runs.changed() => {}
        }
    }
}

#[async_trait::async_trait]
impl Console for Stage {
    fn view(&self, scope: &Scope) -> Arc<View> {
        self.run().engine.view(scope)
    }

    fn explain(&self, scope: &Scope, ask: &Ask) -> Result<Explanation, Refused> {
        self.run().engine.explain(scope, ask)
    }

    fn judged(&self, scope: &Scope) -> Judged {
        self.run().engine.judged(scope)
    }

    fn surveyed(&self, scope: &Scope) -> Option<Surveyed> {
        self.run().engine.surveyed(scope)
    }

    async fn sheet(&self, who: &Actor, scope: &Scope, item: Item) -> Result<Sheet, ApplyError> {
        self.run().engine.sheet(who, scope, item).await
    }

    async fn put(&self, who: &Actor, deed: &Deed) -> Result<Name, ApplyError> {
        self.run().engine.put(who, deed).await
    }

    async fn changed(&self, seen: Version) -> Version {
        let mut runs = self.runs.subscribe();
        loop {
            let run = self.run();
            tokio::select! {
                version = run.engine.changed(seen) => return version,
                _ = runs.changed() => {}
            }
        }
    }

    fn stuck(&self) -> Vec<Stuck> {
        self.run().engine.stuck()
    }

    fn read_only(&self) -> bool {
        self.run().engine.read_only()
    }

    async fn plan(&self, who: &Actor, intent: &Intent) -> Result<PlanSheet, ApplyError> {
        self.run().engine.plan(who, intent).await
    }

    async fn freeze(&self, who: &Actor, reason: &str) -> Result<(), ApplyError> {
        self.run().engine.freeze(who, reason).await
    }

    async fn lift(&self, who: &Actor) -> Result<(), ApplyError> {
        self.run().engine.lift(who).await
    }

    async fn apply(
        &self,
        who: &Actor,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Applied, ApplyError> {
        self.run().engine.apply(who, intent, digest, reason).await
    }

    async fn reached(&self, scope: &Scope, change: &Key) -> Result<Reached, ApplyError> {
        self.run().engine.reached(scope, change).await
    }

    async fn steer(&self, who: &Actor, wish: &Steer) -> Result<(), ApplyError> {
        self.run().engine.steer(who, wish).await
    }

    async fn propose(
        &self,
        who: &Actor,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Name, ApplyError> {
        self.run().engine.propose(who, intent, digest, reason).await
    }

    async fn begin(&self, who: &Actor, wish: &order::Begin) -> Result<Name, ApplyError> {
        self.run().engine.begin(who, wish).await
    }
}
