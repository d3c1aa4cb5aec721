//! Keeps the snapshot: one task per watched kind, one that asks Prometheus, one that puts it all together.

mod assemble;

use crate::Setup;
use arc_swap::ArcSwap;
use assemble::Assembler;
use futures::StreamExt;
use jiff::SignedDuration;
use naru_domain::{
    Why,
    canary::questions,
    crossing::audited,
    judge,
    object::Kind,
    snapshot::Snapshot,
    topology::Layout,
    traffic::{Dated, Split, Traffic},
};
use naru_ports::{Clock, Metrics, Seen};
use naru_view::{canary::RouteRef, version::Version};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

/// The kinds that are watched: what is judged, what people have signed, the journal, and what Naru moves by itself.
pub(crate) fn watched() -> impl Iterator<Item = Kind> {
    judge::kinds()
        .chain(audited::KINDS)
        .chain([Kind::Proposal, Kind::Canary, Kind::Freeze])
}

/// Events on their way to the assembler. A list of many thousand objects is one event, so this bounds bursts of small ones.
const QUEUE: usize = 1024;

/// A snapshot with the placing of its graph.
pub(crate) struct Published {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) layout: Arc<Layout>,
}

/// Where the latest snapshot hangs.
#[derive(Clone)]
pub(crate) struct Board {
    latest: Arc<ArcSwap<Published>>,
    version: Arc<watch::Sender<Version>>,
}

impl Board {
    /// With an empty snapshot, which says that nothing is known yet.
    pub(crate) fn new(setup: &Setup) -> Self {
        let version = Version {
            epoch: setup.settings.epoch,
            seq: 1,
        };
        let snapshot = Snapshot {
            version,
            taken: setup.clock.now(),
            objects: Default::default(),
            traffic: Default::default(),
        };
        let published = Published {
            snapshot: Arc::new(snapshot),
            layout: Arc::default(),
        };
        Self {
            latest: Arc::new(ArcSwap::from_pointee(published)),
            version: Arc::new(watch::Sender::new(version)),
        }
    }

    pub(crate) fn latest(&self) -> Arc<Published> {
        self.latest.load_full()
    }

    pub(crate) fn publish(&self, published: Published) {
        let version = published.snapshot.version;
        self.latest.store(Arc::new(published));
        self.version.send_replace(version);
    }

    pub(crate) async fn changed(&self, seen: Version) -> Version {
        let mut version = self.version.subscribe();
        match version.wait_for(|version| *version != seen).await {
            Ok(version) => *version,
            // The sender lives in this board, so it cannot be gone.
            Err(_) => seen,
        }
    }
}

/// What arrives at the assembler.
pub(crate) enum Event {
    /// A watch saw something.
    Seen(Kind, Seen),
    /// Prometheus answered, or did not.
    Measured(
        Result<Dated<Traffic>, Why>,
        BTreeMap<RouteRef, Result<Dated<Split>, Why>>,
    ),
}

/// Starts all tasks.
pub(crate) fn spawn(setup: &Setup, board: &Board, tasks: &mut JoinSet<()>) {
    let (events, inbox) = mpsc::channel(QUEUE);
    for kind in watched() {
        let mut seen = setup.cluster.watch(kind);
        let events = events.clone();
        tasks.spawn(async move {
            while let Some(seen) = seen.next().await {
                if events.send(Event::Seen(kind, seen)).await.is_err() {
                    return;
                }
            }
        });
    }
    let measuring = Measuring {
        metrics: Arc::clone(&setup.metrics),
        clock: Arc::clone(&setup.clock),
        window_s: setup.settings.window_s,
        refresh: SignedDuration::try_from(setup.settings.refresh).unwrap_or(SignedDuration::from_secs(5)),
    };
    tasks.spawn(measuring.run(board.clone(), events));
    tasks.spawn(Assembler::new(setup, board).run(inbox));
}

/// Asks Prometheus again and again. A failed question is asked again at the same pace: it is a handful of queries.
struct Measuring {
    metrics: Arc<dyn Metrics>,
    clock: Arc<dyn Clock>,
    window_s: u32,
    refresh: SignedDuration,
}

impl Measuring {
    async fn run(self, board: Board, events: mpsc::Sender<Event>) {
        loop {
            let next = self.clock.now() + self.refresh;
            let asked = questions(&board.latest().snapshot.objects.value, self.clock.now());
            let (routes, questions): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
            let (traffic, splits) = futures::join!(
                self.metrics.traffic(self.window_s),
                self.metrics.splits(&questions)
            );
            let splits = routes.into_iter().zip(splits).collect();
            if events.send(Event::Measured(traffic, splits)).await.is_err() {
                return;
            }
            self.clock.sleep_until(next).await;
        }
    }
}
