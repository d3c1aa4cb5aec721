//! Moves weights step by step, as the [Canary objects](naru_domain::canary::spec) order: `naru_domain::canary::steps` decides, this carries
//! out. One of several servers does, under the Lease.
//!
//! What keeps two servers, or one that dies anywhere, from harm is the order of writes, each of them guarded:
//! 1. the Canary's status, which says what is about to be moved under which Change (fails if another server's turn came between);
//! 2. the Change, whose name is taken once;
//! 3. the weights, as [the desk](crate::desk) writes them;
//! 4. the Change's end, and with the next turn the Canary's status.

mod doing;
mod seeing;
mod turn;

use crate::{Setup, lease::Leadership, observatory::Board};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use naru_domain::{
    Name, Timestamp,
    canary::{facts, live::target, spec::Spec, status::Status},
    judge::guardrail::Said,
    object::{Key, Kind, Object},
    snapshot::{Objects, Snapshot},
};
use naru_ports::{Clock, Cluster, Metrics, Stuck};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinSet;

/// After a turn that came to nothing (the API server does not answer, a write was refused) it is tried again after so long, twice as long each
/// time, up to [`SLOWEST`]: a way back must not wait longer.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// So many turns are taken at once: one that waits for Prometheus holds up no other.
const AT_ONCE: usize = 8;

/// See [`AGAIN`].
const SLOWEST: SignedDuration = SignedDuration::from_mins(1);

/// Starts the loop.
pub(crate) fn spawn(controller: Arc<Controller>, board: &Board, tasks: &mut JoinSet<()>) {
    let board = board.clone();
    tasks.spawn(async move {
        loop {
            let version = board.latest().snapshot.version;
            controller.round(&board).await;
            let next = controller.next();
            tokio::select! {
                _ = board.changed(version) => {}
                () = controller.clock.sleep_until(next) => {}
            }
        }
    });
}

/// What is kept of a Canary between two turns; it is lost with the server, and only costs a turn.
#[derive(Clone, Debug)]
struct Pace {
    /// What it was by: what people wanted of it, and the route.
    seen: Seen,
    /// When its turn comes at the latest; None if only a change of what was seen matters.
    next: Option<Timestamp>,
    /// How many turns in a row came to nothing.
    failures: u32,
}

/// What is a reason to look at once when it changes.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    /// Of the Canary: what people want of it.
    generation: u64,
    /// resourceVersion of the VirtualService.
    route: Name,
    /// Somebody has frozen everything.
    frozen: bool,
    /// The canary has no ready endpoint.
    dead: bool,
}

/// The controller.
pub(crate) struct Controller {
    cluster: Arc<dyn Cluster>,
    metrics: Arc<dyn Metrics>,
    clock: Arc<dyn Clock>,
    leadership: Leadership,
    grace: SignedDuration,
    paces: Mutex<BTreeMap<Key, Pace>>,
}

/// How a turn ended.
enum Turned {
    /// Its turn comes again then; None if only a change matters.
    Wake(Option<Timestamp>),
    /// It came to nothing.
    Nothing,
}

impl Controller {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            cluster: Arc::clone(&setup.cluster),
            metrics: Arc::clone(&setup.metrics),
            clock: Arc::clone(&setup.clock),
            leadership: Leadership::new(setup),
            grace: SignedDuration::try_from(setup.settings.grace).unwrap_or(SignedDuration::MAX),
            paces: Mutex::default(),
        }
    }

    /// Gives each Canary whose time has come its turn.
    pub(crate) async fn round(&self, board: &Board) {
        let snapshot = Arc::clone(&board.latest().snapshot);
        let objects = &*snapshot.objects.value;
        // What is not known of the journal, or of who else is there, is waited for.
        if [Kind::Canary, Kind::Change]
            .into_iter()
            .any(|it| objects.gap(it).is_some())
        {
            return;
        }
        let now = self.clock.now();
        let due: Vec<(Key, Seen)> = objects
            .of_kind(Kind::Canary)
            .map(|it| (it.key().clone(), seen(it, objects, now)))
            .filter(|(key, seen)| self.due(key, seen))
            .collect();
        self.forget(objects);
        if due.is_empty() {
            return;
        }
        if !self.leadership.held().await {
            // Whoever takes the turns now knows how they go.
            self.paces.lock().unwrap_or_else(PoisonError::into_inner).clear();
            return;
        }
        let turns = due.into_iter().map(async |(key, seen)| {
            let turned = self.turn(&snapshot, &key).await;
            self.pace(key, seen, &turned);
        });
        stream::iter(turns)
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
    }

    fn due(&self, key: &Key, seen: &Seen) -> bool {
        let paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        paces.get(key).is_none_or(|pace| {
            // What fails is not tried faster because something else changes.
            let changed = pace.seen != *seen && pace.failures == 0;
            changed || pace.next.is_some_and(|next| next <= now)
        })
    }

    fn pace(&self, key: Key, seen: Seen, turned: &Turned) {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = paces.get(&key).map_or(0, |it| it.failures);
        let (next, failures) = match turned {
            Turned::Wake(next) => (*next, 0),
            Turned::Nothing => {
                let wait = (AGAIN * 2_i32.saturating_pow(failed.min(8))).min(SLOWEST);
                (Some(self.clock.now() + wait), failed + 1)
            }
        };
        paces.insert(key, Pace { seen, next, failures });
    }

    fn forget(&self, objects: &Objects) {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.retain(|key, _| objects.object(key.kind, &key.namespace, &key.name).is_some());
    }

    /// Whose turns came to nothing.
    pub(crate) fn stuck(&self) -> Vec<Stuck> {
        let paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let failing = paces.iter().filter(|(_, pace)| pace.failures > 0);
        let stuck = failing.map(|(key, pace)| Stuck {
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            turns: pace.failures,
        });
        stuck.collect()
    }

    /// When the next turn is due.
    fn next(&self) -> Timestamp {
        let paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let next = paces.values().filter_map(|it| it.next).min();
        // Without the Lease nothing is due, and it may be inherited.
        next.unwrap_or(Timestamp::MAX).max(self.clock.now() + AGAIN / 5)
    }
}

fn seen(canary: &Object, objects: &Objects, now: Timestamp) -> Seen {
    let generation = canary
        .get("/metadata/generation")
        .and_then(serde_json::Value::as_u64);
    let seen = Seen {
        generation: generation.unwrap_or(0),
        frozen: objects.of_kind(Kind::Freeze).next().is_some(),
        ..Seen::default()
    };
    let Ok(spec) = Spec::read(canary) else {
        return seen;
    };
    let namespace = &canary.key().namespace;
    let key = target(&spec, namespace);
    let route = objects.object(key.kind, &key.namespace, &key.name);
    Seen {
        route: route.map(Object::resource_version).unwrap_or_default(),
        dead: facts(objects, &spec.canary, namespace, now).ready == Some(0),
        ..seen
    }
}

/// A Canary as the API server has it now.
struct Order {
    object: Object,
    spec: Spec,
    status: Status,
    snapshot: Arc<Snapshot>,
    /// What has stood against carrying out what was planned, for certain.
    refused: Option<Said>,
}
