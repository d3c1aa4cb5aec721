//! Judges the checklist behind the snapshot, on a thread of its own, whenever what it is judged from has changed; and says how each item
//! stands by what people have signed.

use crate::{asking::Asking, observatory::Board, views::PerScope};
use arc_swap::ArcSwap;
use naru_domain::{
    Timestamp,
    actor::Scope,
    crossing::{
        Audited, Item,
        progress::{Holdup, holdups},
        reopen::rolling,
        standing::Standing,
    },
    inquiry::{Inquiry, Replies},
    judge::{Judgement, World, judge},
    mesh::Prepared,
    snapshot::{KindState, Snapshot},
    survey::{Metrics, Survey, unknown},
    traffic::Dated,
    view::{SeenJudgement, judgements},
};
use naru_ports::{Judged, Surveyed};
use naru_view::version::Version;
use std::{collections::BTreeSet, sync::Arc};
use tokio::{sync::watch, task::JoinSet};

/// The latest judgements.
#[derive(Clone)]
pub(crate) struct Judging {
    latest: Arc<ArcSwap<Latest>>,
    judged: Arc<watch::Sender<()>>,
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            latest: Arc::default(),
            judged: Arc::new(watch::Sender::new(())),
        }
    }
}

/// What was judged at a moment.
#[derive(Default)]
pub(crate) struct Latest {
    /// Of the snapshot that was judged; None before the first.
    pub(crate) of: Option<(Version, Timestamp)>,
    /// The items, in order, and how they stand.
    pub(crate) items: Vec<(Judgement, Standing)>,
    /// What they stand by.
    pub(crate) audited: Arc<Audited>,
    /// Pods were being replaced.
    pub(crate) rolling: bool,
    /// Every kind has been listed since this process began: what is missing is not there, rather than not heard of yet.
    pub(crate) listed: bool,
    /// What is seen of the mesh and of the sources.
    survey: Survey,
    /// What holds up the phase after each of the four: the same for every viewer.
    holdups: Arc<[Vec<(Item, Holdup)>; 4]>,
    seen: PerScope<[SeenJudgement]>,
    surveyed: PerScope<Survey>,
}

impl Judging {
    /// Judges each snapshot whose objects, traffic or replies differ from those judged before; a slow judgement skips the snapshots in between.
    pub(crate) fn spawn(&self, board: &Board, asking: Asking, tasks: &mut JoinSet<()>) {
        let (board, this) = (board.clone(), self.clone());
        tasks.spawn(async move {
            let mut done = None;
            loop {
                let snapshot = Arc::clone(&board.latest().snapshot);
                let (revision, replies) = asking.replies();
                let of = (snapshot.objects.revision, snapshot.traffic.revision, revision);
                // Before the first list there is nothing to judge: all would be called unknown for want of an answer.
                if snapshot.objects.at.is_some() && done != Some(of) {
                    let (judged, before) = (Arc::clone(&snapshot), this.latest());
                    let judge = move || Latest::of(&judged, replies, &before.audited);
                    match tokio::task::spawn_blocking(judge).await {
                        Ok((latest, asked)) => {
                            // A question that has just come up is no reason to say that something is not known any more.
                            if asking.want(asked).await {
                                continue;
                            }
                            this.latest.store(Arc::new(latest));
                            this.judged.send_replace(());
                        }
                        Err(_) => tracing::error!("judging the checklist failed"),
                    }
                    done = Some(of);
                }
                tokio::select! {
                    _ = board.changed(snapshot.version) => {}
                    () = asking.changed(revision) => {}
                }
            }
        });
    }

    /// What was judged last.
    pub(crate) fn latest(&self) -> Arc<Latest> {
        self.latest.load_full()
    }

    /// Tells whenever something was judged.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.judged.subscribe()
    }

    /// The mesh and the sources, as far as this scope sees.
    pub(crate) fn surveyed_by(&self, scope: &Scope) -> Option<Surveyed> {
        let latest = self.latest.load();
        let (version, at) = latest.of?;
        Some(Surveyed {
            version,
            at,
            survey: latest
                .surveyed
                .of(scope, || Arc::new(latest.survey.seen_by(scope))),
        })
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
            audited: Arc::clone(&latest.audited),
            holdups: Arc::clone(&latest.holdups),
        }
    }
}

impl Latest {
    fn seen_by(&self, scope: &Scope) -> Arc<[SeenJudgement]> {
        self.seen.of(scope, || judgements(&self.items, scope).into())
    }

    /// What was judged, and what was asked for it.
    fn of(snapshot: &Snapshot, replies: Arc<Replies>, before: &Audited) -> (Self, BTreeSet<Inquiry>) {
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
        let audited = Audited::of(objects, Some(before));
        let world = World::of(objects, Prepared::of(objects), traffic, snapshot.taken)
            .knowing(replies)
            .trusting(&audited);
        let stands = |judgement: Judgement| {
            let standing = audited.standing(&judgement, snapshot.taken);
            (judgement, standing)
        };
        let judgements = judge(&world);
        let metrics = match &world.traffic {
            Some(dated) => Some(Metrics::of(Ok(dated))),
            None => section.gaps.first().map(|why| Metrics::of(Err(why))),
        };
        let survey = Survey {
            metrics,
            guards: audited.guards.clone(),
            unknown: unknown(&judgements),
            ..Survey::of(&world)
        };
        let items: Vec<_> = judgements.into_iter().map(stands).collect();
        let open = |phase| holdups(items.iter().map(|(_, it)| it), phase);
        let latest = Self {
            of: Some((snapshot.version, snapshot.taken)),
            survey,
            holdups: Arc::new([1, 2, 3, 4].map(open)),
            items,
            rolling: rolling(objects),
            listed: objects.kinds.values().all(|it| *it != KindState::NotYet),
            seen: PerScope::default(),
            surveyed: PerScope::default(),
            audited: Arc::new(audited),
        };
        (latest, world.asked())
    }
}
