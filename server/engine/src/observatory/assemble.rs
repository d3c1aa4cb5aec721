//! Puts what the watches and Prometheus say into one snapshot, at most once a second.

use super::{Board, Event, Published, watched};
use crate::Setup;
use jiff::SignedDuration;
use naru_domain::{
    Timestamp, Why,
    actor::Scope,
    object::Kind,
    snapshot::{KindState, Objects, Observed, Section, Snapshot},
    topology::{KEEP, Known, Layout, Memory, graph, place, remember},
    traffic::{Dated, Split, Traffic},
    view::PROMETHEUS_STALE,
};
use naru_ports::{Clock, Seen};
use naru_view::{canary::RouteRef, version::Version};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::mpsc;

/// Viewers cannot follow more than one picture a second, and a rolling restart makes hundreds of events.
const AT_MOST: SignedDuration = SignedDuration::from_secs(1);

/// A quiet system still says that it is alive, and how old its sources are.
const AT_LEAST: SignedDuration = SignedDuration::from_secs(5);

pub(super) struct Assembler {
    clock: Arc<dyn Clock>,
    board: Board,
    version: Version,
    objects: Objects,
    objects_revision: u64,
    objects_at: Option<Timestamp>,
    gaps: BTreeMap<Kind, BTreeSet<Why>>,
    traffic: Section<Observed>,
    layout: Arc<Layout>,
    published: Section<Objects>,
    last: Timestamp,
    dirty: bool,
}

impl Assembler {
    pub(super) fn new(setup: &Setup, board: &Board) -> Self {
        let objects = Objects {
            kinds: watched().map(|kind| (kind, KindState::NotYet)).collect(),
            ..Objects::default()
        };
        Self {
            clock: Arc::clone(&setup.clock),
            board: board.clone(),
            version: Version {
                epoch: setup.settings.epoch,
                seq: 1,
            },
            objects,
            objects_revision: 1,
            objects_at: None,
            gaps: BTreeMap::new(),
            traffic: Section::default(),
            layout: Arc::default(),
            published: Section::default(),
            last: setup.clock.now(),
            dirty: true,
        }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Event>) {
        loop {
            let due = self.due();
            tokio::select! {
                // Events first: when the time has come as well, they belong into the same picture.
                biased;
                event = inbox.recv() => match event {
                    Some(event) => self.take(event),
                    None => return,
                },
                () = self.clock.sleep_until(due) => {}
            }
            if self.clock.now() >= self.due() {
                self.publish();
            }
        }
    }

    fn due(&self) -> Timestamp {
        let quiet = self.last + AT_LEAST;
        let busy = self.last + AT_MOST;
        if self.dirty {
            return busy;
        }
        // The moment at which Prometheus's facts become stale must not be missed by the pace.
        let stale = self
            .traffic
            .at
            .map(|at| at + PROMETHEUS_STALE + SignedDuration::from_millis(1));
        stale
            .filter(|stale| *stale > self.last)
            .map_or(quiet, |stale| stale.max(busy).min(quiet))
    }

    fn take(&mut self, event: Event) {
        self.dirty = true;
        match event {
            Event::Seen(kind, seen) => self.see(kind, seen),
            Event::Measured(traffic, splits) => self.measure(traffic, splits),
        }
    }

    fn see(&mut self, kind: Kind, seen: Seen) {
        self.objects_revision += 1;
        let lost = matches!(seen, Seen::Lost(_));
        match seen {
            Seen::Absent => {
                self.objects.clear(kind);
                self.gaps.remove(&kind);
                self.objects.kinds.insert(kind, KindState::Absent);
            }
            Seen::Reset { facts, gaps } => {
                self.objects.clear(kind);
                facts.into_iter().for_each(|fact| self.objects.put(fact));
                self.gaps.insert(kind, gaps.into_iter().collect());
                self.objects.kinds.insert(kind, KindState::Known);
            }
            Seen::Applied(fact) => self.objects.put(fact),
            Seen::Deleted(key) => self.objects.remove(&key),
            Seen::Unreadable(key, why) => {
                self.objects.remove(&key);
                self.gaps.entry(kind).or_default().insert(why);
            }
            // What was seen stays: it is the last known, and said to be so.
            Seen::Lost(why) => drop(self.objects.kinds.insert(kind, KindState::Lost(why))),
        }
        if !lost {
            self.objects_at = Some(self.clock.now());
        }
    }

    fn measure(
        &mut self,
        traffic: Result<Dated<Traffic>, Why>,
        splits: BTreeMap<RouteRef, Result<Dated<Split>, Why>>,
    ) {
        let before = &self.traffic.value;
        match traffic {
            Ok(dated) => {
                let memory: Memory = remember(&before.last_seen, &dated.value, dated.at, KEEP);
                self.traffic = Section {
                    value: Arc::new(Observed {
                        traffic: Some(Arc::new(dated.value)),
                        last_seen: Arc::new(memory),
                        splits,
                    }),
                    revision: self.traffic.revision + 1,
                    at: Some(dated.at),
                    gaps: dated.gaps.into(),
                };
            }
            Err(why) => {
                let value = Observed {
                    splits,
                    ..Observed::clone(before)
                };
                let section = &mut self.traffic;
                section.value = Arc::new(value);
                section.revision += 1;
                section.gaps = Arc::from([why]);
            }
        }
    }

    fn publish(&mut self) {
        let now = self.clock.now();
        if self.published.revision != self.objects_revision {
            self.published.value = Arc::new(self.objects.clone());
            self.published.revision = self.objects_revision;
            self.published.gaps = self.gaps.values().flatten().cloned().collect();
        }
        // Watches are silent while nothing changes. While none is broken, what they said is true now.
        let broken = self
            .objects
            .kinds
            .values()
            .any(|state| matches!(state, KindState::Lost(_)));
        let heard = self.objects_at.is_some();
        if heard && !broken {
            self.objects_at = Some(now);
        }
        self.published.at = self.objects_at;
        self.version.seq += 1;
        let snapshot = Snapshot {
            version: self.version,
            taken: now,
            objects: self.published.clone(),
            traffic: self.traffic.clone(),
        };
        let whole = graph(&Known::of(&snapshot), &Scope::all());
        let layout = place(Some(&self.layout), &whole);
        if layout != *self.layout {
            self.layout = Arc::new(layout);
        }
        self.board.publish(Published {
            snapshot: Arc::new(snapshot),
            layout: Arc::clone(&self.layout),
        });
        self.last = now;
        self.dirty = false;
    }
}
