//! Judges the checklist behind the snapshot, on a thread of its own, whenever what it is judged from has changed.

use crate::{observatory::Board, views::KEPT};
use arc_swap::ArcSwap;
use naru_domain::{
    Name, Timestamp,
    actor::Scope,
    crossing::Migration,
    judge::{Judgement, World, judge},
    mesh::Prepared,
    snapshot::Snapshot,
    traffic::Dated,
    view::{SeenJudgement, judgements},
};
use naru_ports::Judged;
use naru_view::version::Version;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinSet;

/// The latest judgements.
#[derive(Clone, Default)]
pub(crate) struct Judging {
    latest: Arc<ArcSwap<Latest>>,
}

#[derive(Default)]
struct Latest {
    /// Of the snapshot that was judged; None before the first.
    of: Option<(Version, Timestamp)>,
    items: Vec<Judgement>,
    system: Name,
    /// One for all viewers of equal scope.
    seen: Mutex<HashMap<Scope, Arc<[SeenJudgement]>>>,
}

impl Judging {
    /// Judges each snapshot whose objects or traffic differ from those judged before; a slow judgement skips the snapshots in between.
    pub(crate) fn spawn(&self, board: &Board, tasks: &mut JoinSet<()>) {
        let (board, latest) = (board.clone(), Arc::clone(&self.latest));
        tasks.spawn(async move {
            let mut done = None;
            loop {
                let snapshot = Arc::clone(&board.latest().snapshot);
                let revisions = (snapshot.objects.revision, snapshot.traffic.revision);
                // Before the first list there is nothing to judge: all would be called unknown for want of an answer.
                if snapshot.objects.at.is_some() && done != Some(revisions) {
                    let of = Arc::clone(&snapshot);
                    if let Ok(judged) = tokio::task::spawn_blocking(move || Latest::of(&of)).await {
                        latest.store(Arc::new(judged));
                    } else {
                        tracing::error!("judging the checklist failed");
                    }
                    done = Some(revisions);
                }
                board.changed(snapshot.version).await;
            }
        });
    }

    /// As far as this scope sees.
    pub(crate) fn seen_by(&self, scope: &Scope, epoch: u64) -> Judged {
        let latest = self.latest.load();
        let Some((version, at)) = latest.of else {
            return Judged::none(Version { epoch, seq: 0 });
        };
        Judged {
            version,
            at: Some(at),
            items: latest.seen_by(scope),
            system: latest.system.clone(),
        }
    }
}

impl Latest {
    /// Made now if nobody of this scope has asked since it was judged.
    fn seen_by(&self, scope: &Scope) -> Arc<[SeenJudgement]> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(items) = seen.get(scope) {
            return Arc::clone(items);
        }
        let items: Arc<[SeenJudgement]> = judgements(&self.items, scope).into();
        if seen.len() < KEPT {
            seen.insert(scope.clone(), Arc::clone(&items));
        }
        items
    }

    fn of(snapshot: &Snapshot) -> Self {
        let objects = &*snapshot.objects.value;
        let section = &snapshot.traffic;
        let traffic = section.at.zip(section.value.traffic.as_deref());
        let traffic = traffic.map(|(at, traffic)| {
            Arc::new(Dated {
                value: traffic.clone(),
                at,
                gaps: section.gaps.to_vec(),
            })
        });
        let world = World::of(objects, Prepared::of(objects), traffic, snapshot.taken);
        let system = Migration::of(objects).ok().flatten();
        Self {
            of: Some((snapshot.version, snapshot.taken)),
            items: judge(&world),
            seen: Mutex::default(),
            system: system.map_or_else(|| "".into(), |(_, migration)| migration.system),
        }
    }
}
