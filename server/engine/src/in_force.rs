//! How far a change has come with the proxies, asked of every istiod at this moment.

use crate::{
    judged::judged,
    reading::{not_found, read},
    writer::writer,
};
use naru_domain::{
    Name, Timestamp,
    actor::Scope,
    canary::{InForce, in_force, list_at},
    change::{
        record::{Phase, Record},
        touched,
    },
    crossing::Audited,
    fact::Fact,
    judge::World,
    object::Key,
    snapshot::Snapshot,
};
use naru_ports::{Clock, Cluster, Inquiries};
use naru_view::{
    change::Writer,
    in_force::{NAMED, Proxies, Reached},
    why::ApplyError,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// What was seen so lately is shown to all who ask: however many look on, an istiod is asked a few times a second.
const FRESH: Duration = Duration::from_millis(250);

/// What was seen lately of each change, before it is told to anybody. One looks at a time.
#[derive(Default)]
pub(crate) struct Looks {
    lately: Mutex<BTreeMap<Key, Lately>>,
    /// How many changes were made through this server.
    changes: AtomicU64,
}

struct Lately {
    at: Instant,
    /// As many changes had been made when the look began.
    changes: u64,
    seen: Seen,
}

impl Looks {
    /// How far the change of this name has come. Pods of namespaces that the scope does not see are counted and not named.
    ///
    /// # Errors
    /// `Refused` where there is no such change; `Forbidden`, `Unreachable` where it cannot be read.
    pub(crate) async fn of(
        &self,
        look: &Look<'_>,
        scope: &Scope,
        change: &Key,
    ) -> Result<Reached, ApplyError> {
        let mut lately = self.lately.lock().await;
        let changes = self.changes.load(Ordering::Acquire);
        lately.retain(|_, it| it.at.elapsed() < FRESH && it.changes == changes);
        if let Some(it) = lately.get(change) {
            return Ok(it.seen.told(scope));
        }
        let seen = look.at(change).await?;
        let told = seen.told(scope);
        let at = Instant::now();
        lately.insert(change.clone(), Lately { at, changes, seen });
        Ok(told)
    }

    /// Who has just changed something sees no more what was so before.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// What a look is taken with.
pub(crate) struct Look<'a> {
    pub(crate) cluster: &'a dyn Cluster,
    pub(crate) inquiries: &'a dyn Inquiries,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) snapshot: Arc<Snapshot>,
}

/// What a look has shown.
enum Seen {
    Proxies {
        since: Timestamp,
        at: Timestamp,
        all: InForce,
    },
    Moved(Option<Writer>),
    NotFollowed,
}

impl Look<'_> {
    async fn at(&self, change: &Key) -> Result<Seen, ApplyError> {
        let mut objects = (*self.snapshot.objects.value).clone();
        let record = match objects.whole.get(change).and_then(Record::read) {
            Some(record) if matches!(record.phase, Phase::Landed { .. }) => record,
            // The journal that is watched may not have an entry of a moment ago.
            _ => {
                let entry = read(self.cluster, change).await?;
                let refused = || ApplyError::Refused {
                    refused: not_found(change),
                };
                Record::read(&entry).ok_or_else(refused)?
            }
        };
        let Phase::Landed { at: since, .. } = record.phase else {
            return Ok(Seen::NotFollowed);
        };
        let touched = touched::of(&record);
        let list = |path: &Name| list_at(record.target.kind, path);
        let Some(list) = touched.iter().find_map(|it| list(&it.path)) else {
            return Ok(Seen::NotFollowed);
        };
        let live = match read(self.cluster, &record.target).await {
            Ok(live) => live,
            // Whatever was set is gone with the object.
            Err(ApplyError::Refused { .. }) => return Ok(Seen::Moved(None)),
            Err(error) => return Err(error),
        };
        if live.uid() != record.uid {
            return Ok(Seen::Moved(writer(self.cluster, &objects, &live, "/spec").await));
        }
        if let Some(moved) = touched::moved(&record, &live) {
            return Ok(Seen::Moved(
                writer(self.cluster, &objects, &live, &moved.path).await,
            ));
        }
        objects.put(Fact::Object(live.clone()));
        let now = self.clock.now();
        let look = |world: &World<'_>| in_force(world, &live, list, since);
        let all = judged(&objects, None, &Audited::default(), self.inquiries, now, look).await;
        let at = self.clock.now();
        Ok(Seen::Proxies { since, at, all })
    }
}

impl Seen {
    fn told(&self, scope: &Scope) -> Reached {
        match self {
            Self::Proxies { since, at, all } => Reached::Proxies(Proxies {
                since: since.as_millisecond(),
                at: at.as_millisecond(),
                ..proxies(all, scope)
            }),
            Self::Moved(by) => Reached::Moved { by: by.clone() },
            Self::NotFollowed => Reached::NotFollowed,
        }
    }
}

fn proxies(seen: &InForce, scope: &Scope) -> Proxies {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let sees = |pod: &Name| {
        let namespace = pod.split_once('/').map(|it| it.0);
        namespace.is_some_and(|it| scope.sees(it))
    };
    let refusals = seen.refused.iter().filter(|(pod, _)| sees(pod));
    let waiting = seen.waiting.iter().filter(|it| sees(it));
    Proxies {
        all: count(seen.proxies),
        acknowledged: count(seen.acknowledged),
        refused: count(seen.refused.len()),
        refusals: refusals.take(NAMED).cloned().collect(),
        waiting: count(seen.waiting.len()),
        waiting_pods: waiting.take(NAMED).cloned().collect(),
        whys: seen.unknown.clone(),
        ..Proxies::default()
    }
}
