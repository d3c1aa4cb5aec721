//! The engine: keeps the snapshot (observatory), judges the checklist by it (judging), finds out what checks ask beside (asking), keeps what
//! people put their names to (ledger), carries out changes (desk), asks how far the proxies have come with them (in_force), moves weights step by step (canaries), stops that (freezing), and
//! finds out how interrupted changes ended (recovery).
//!
//! It knows the ports and nothing behind them, so all of it runs on the rehearsal with a hand-moved clock, where the kill tests live.
//!
//! ```text
//! Cluster::watch ─┐                                   ┌─► Views (one per scope) ─► Console::view
//!                 ├─► observatory ─► Snapshot (arc-swap) ─┼─► desk: plan, apply, undo
//! Metrics ────────┘                                   ├─► recovery, canaries (under a Lease)
//! Inquiries ◄─► asking ◄────────────────────────────► └─► judging: Latest
//! ```
//!
//! A [`Hand`] changes things and takes changes back without any of this running: one command, one kubeconfig, the same desk.

#![forbid(unsafe_code)]

mod asking;
mod canaries;
#[cfg(feature = "contract")]
pub mod contract;
mod desk;
mod freezing;
mod in_force;
mod judged;
mod judging;
mod lease;
mod ledger;
mod observatory;
mod reading;
mod recovery;
mod steer;
mod views;
mod writer;

pub use desk::{Done, Hand, Planned, PlannedAll, REASON_LIMIT, read_off, taking_back};
pub use freezing::Freezing;
pub use judged::judged;
pub use lease::{LEASE_DURATION, LeaseName};
pub use ledger::{Arrived, Stopped, StoppedBy, import};

use desk::By;
use naru_domain::{
    Name,
    actor::{Actor, Scope},
    change::{plan::Intent, recovery::GRACE},
    crossing::Item,
    object::Key,
    snapshot::Snapshot,
    view::explanation,
};
use naru_ports::{As, Clock, Cluster, Console, Inquiries, Judged, Metrics, Sheet, Stuck, Surveyed};
use naru_view::{
    View,
    canary::{Applied, PlanSheet},
    explanation::{Ask, Explanation},
    in_force::Reached,
    ledger::Deed,
    order::{Begin, Steer},
    version::Version,
    why::{ApplyError, Refused},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinSet;

/// What the engine stands on.
pub struct Setup {
    /// The Kubernetes API.
    pub cluster: Arc<dyn Cluster>,
    /// What the proxies counted.
    pub metrics: Arc<dyn Metrics>,
    /// Finds out what checks ask beside.
    pub inquiries: Arc<dyn Inquiries>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The rest.
    pub settings: Settings,
}

/// How the engine runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Random, non-zero, below 2^53: tells this process from the one before.
    pub epoch: u64,
    /// Over how many seconds rates are taken. At least four scrape intervals, or Prometheus has too few samples.
    pub window_s: u32,
    /// How often Prometheus is asked.
    pub refresh: Duration,
    /// Nothing may be written.
    pub read_only: bool,
    /// The Lease under which one of several servers does the recovery.
    pub lease: LeaseName,
    /// How old an intended change must be before recovery judges it.
    pub grace: Duration,
}

impl Settings {
    /// What suits a scrape interval of 15 s or less.
    pub fn new(epoch: u64, holder: Name) -> Self {
        Self {
            epoch,
            window_s: 60,
            refresh: Duration::from_secs(5),
            read_only: false,
            lease: LeaseName {
                namespace: "naru".into(),
                name: "naru-recovery".into(),
                holder,
            },
            grace: GRACE.unsigned_abs(),
        }
    }
}

/// The running engine. Stops when [`stop`](Self::stop) is called or when it is dropped.
pub struct Engine {
    setup: Setup,
    board: observatory::Board,
    views: views::Views,
    judging: judging::Judging,
    canaries: Arc<canaries::Controller>,
    looks: in_force::Looks,
    tasks: Mutex<JoinSet<()>>,
}

impl Engine {
    /// Starts watching, asking and recovering. The first snapshot is there at once, empty, with its gaps named.
    pub fn start(setup: Setup) -> Arc<Self> {
        let board = observatory::Board::new(&setup);
        let mut tasks = JoinSet::new();
        observatory::spawn(&setup, &board, &mut tasks);
        let asking = asking::Asking::spawn(&setup, &mut tasks);
        let judging = judging::Judging::default();
        let canaries = Arc::new(canaries::Controller::new(&setup));
        judging.spawn(&board, asking, &mut tasks);
        if !setup.settings.read_only {
            canaries::spawn(Arc::clone(&canaries), &board, &mut tasks);
            recovery::spawn(&setup, &board, &mut tasks);
            ledger::spawn(ledger::Keeper::new(&setup), &judging, &mut tasks);
        }
        Arc::new(Self {
            setup,
            board,
            views: views::Views::default(),
            judging,
            canaries,
            looks: in_force::Looks::default(),
            tasks: Mutex::new(tasks),
        })
    }

    /// What is known now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.board.latest().snapshot)
    }

    /// Looks once, now, for interrupted changes and brings them to their end as far as that is possible. Runs by itself every few
    /// seconds; for those who do not want to wait.
    pub async fn recover(&self) {
        recovery::Recovery::new(&self.setup).round(&self.board).await;
    }

    /// Ends all tasks. Changes that are being carried out belong to their requests and are not touched.
    pub async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}

#[async_trait::async_trait]
impl Console for Engine {
    fn view(&self, scope: &Scope) -> Arc<View> {
        self.views.of(&self.board.latest(), scope)
    }

    fn explain(&self, scope: &Scope, ask: &Ask) -> Result<Explanation, Refused> {
        let published = self.board.latest();
        let view = self.views.of(&published, scope);
        explanation(&published.snapshot, scope, &view.topology, ask)
    }

    fn judged(&self, scope: &Scope) -> Judged {
        self.judging.seen_by(scope, self.setup.settings.epoch)
    }

    fn surveyed(&self, scope: &Scope) -> Option<Surveyed> {
        self.judging.surveyed_by(scope)
    }

    async fn sheet(&self, who: &Actor, scope: &Scope, item: Item) -> Result<Sheet, ApplyError> {
        self.clerk().sheet(who, scope, item).await
    }

    async fn put(&self, who: &Actor, deed: &Deed) -> Result<Name, ApplyError> {
        self.clerk().put(who, deed).await
    }

    async fn changed(&self, seen: Version) -> Version {
        self.board.changed(seen).await
    }

    fn stuck(&self) -> Vec<Stuck> {
        self.canaries.stuck()
    }

    fn read_only(&self) -> bool {
        self.setup.settings.read_only
    }

    async fn plan(&self, who: &Actor, intent: &Intent) -> Result<PlanSheet, ApplyError> {
        self.desk().plan(By::Person(who), intent).await
    }

    async fn freeze(&self, who: &Actor, reason: &str) -> Result<(), ApplyError> {
        self.freezing(who)?.freeze(reason).await.map(drop)
    }

    async fn lift(&self, who: &Actor) -> Result<(), ApplyError> {
        self.freezing(who)?.lift().await.map(drop)
    }

    async fn apply(
        &self,
        who: &Actor,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Applied, ApplyError> {
        let done = self.desk().apply(By::Person(who), intent, digest, reason).await;
        self.looks.changed();
        done.map(|done| done.applied)
    }

    async fn propose(
        &self,
        who: &Actor,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Name, ApplyError> {
        self.desk().propose(By::Person(who), intent, digest, reason).await
    }

    async fn reached(&self, scope: &Scope, change: &Key) -> Result<Reached, ApplyError> {
        let look = in_force::Look {
            cluster: &*self.setup.cluster,
            inquiries: &*self.setup.inquiries,
            clock: &*self.setup.clock,
            snapshot: self.snapshot(),
        };
        self.looks.of(&look, scope, change).await
    }

    async fn steer(&self, who: &Actor, wish: &Steer) -> Result<(), ApplyError> {
        self.helm().steer(who, wish).await
    }

    async fn begin(&self, who: &Actor, wish: &Begin) -> Result<Name, ApplyError> {
        self.helm().begin(who, wish).await
    }
}

impl Engine {
    fn clerk(&self) -> ledger::Clerk<'_> {
        ledger::Clerk {
            cluster: &*self.setup.cluster,
            clock: &*self.setup.clock,
            latest: self.judging.latest(),
            read_only: self.setup.settings.read_only,
        }
    }

    fn helm(&self) -> steer::Helm<'_> {
        steer::Helm {
            cluster: &*self.setup.cluster,
            clock: &*self.setup.clock,
            snapshot: self.snapshot(),
            read_only: self.setup.settings.read_only,
        }
    }

    fn freezing<'a>(&'a self, who: &'a Actor) -> Result<Freezing<'a>, ApplyError> {
        if self.setup.settings.read_only {
            return Err(ApplyError::ReadOnly);
        }
        Ok(Freezing {
            cluster: &*self.setup.cluster,
            clock: &*self.setup.clock,
            actor: who,
            who: As::Person(who),
            dry_run: false,
        })
    }

    fn desk(&self) -> desk::Desk<'_> {
        desk::Desk {
            cluster: &*self.setup.cluster,
            clock: &*self.setup.clock,
            snapshot: self.snapshot(),
            read_only: self.setup.settings.read_only,
            deadline: self.setup.clock.now() + self.setup.settings.grace / 2,
        }
    }
}
