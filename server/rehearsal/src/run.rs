//! A story's progress in a running rehearsal.
//!
//! It is judged at the end of each whole second of the rehearsal's time, in order, however late somebody looks: the same deeds at the
//! same times make the same run, however fast time passes. Judging changes nothing; what happens by itself is on the store's agenda.

mod judge;
mod look;
mod past;
mod record;

pub(crate) use judge::Judge;
pub use look::{Look, Pods};
pub use record::Record;

use crate::{
    api::ObjectStore,
    scenario::Scenario,
    story::{Step, Story},
    traffic::{SimulatedMetrics, Toll},
};
use jiff::SignedDuration;
use naru_domain::{
    Name,
    fact::Fact,
    object::{Key, Kind},
    snapshot::Objects,
};
use naru_view::rehearsal::{self as wire, Declined, Ending, TollRow};
use std::sync::Arc;

/// A run of a scenario's story.
#[derive(Clone, Debug)]
pub struct Run {
    scenario: &'static str,
    seed: u64,
    judge: Arc<Judge>,
    store: ObjectStore,
    metrics: Arc<SimulatedMetrics>,
}

impl Run {
    /// Begins a story at the store's present.
    pub(crate) fn begin(
        scenario: &Scenario,
        story: &'static Story,
        seed: u64,
        store: &ObjectStore,
        metrics: &Arc<SimulatedMetrics>,
    ) -> Self {
        let begun = store.now();
        let after = |seconds: i64| begun + SignedDuration::from_secs(seconds);
        let away: Vec<_> = story
            .away
            .iter()
            .map(|(from, to)| (after(*from), after(*to)))
            .collect();
        let judge = Arc::new(Judge::new(story, begun));
        metrics.observed(judge.clone(), &away);
        for event in story.events {
            store.later(after(event.at_s), event.does);
        }
        Self {
            scenario: scenario.name,
            seed,
            judge,
            store: store.clone(),
            metrics: metrics.clone(),
        }
    }

    /// How it stands now.
    pub fn look(&self) -> wire::Story {
        // Time is caught up with first, and not under the judge's lock, which each second takes.
        let (now, objects) = self.present();
        let story = self.judge.story;
        let progress = self.judge.progress();
        let ended = progress.ended.as_ref();
        let (offered, hint) = progress.advice(&self.judge, self.store.now(), &objects, &now);
        let goals = story.goals.iter().map(|goal| wire::Goal {
            name: goal.name.into(),
            met: progress.met(goal).map(|at| at.as_millisecond()),
        });
        let moves = story.moves.iter().map(|it| wire::Move {
            name: it.name.into(),
            command: it.command.into(),
            done: progress.last(it.name).map(|at| at.as_millisecond()),
            offered: ended.is_none() && offered.iter().any(|offered| offered.name == it.name),
        });
        wire::Story {
            goals: goals.collect(),
            hint: hint.filter(|_| ended.is_none()).map(|it| it.name.into()),
            moves: moves.collect(),
            ending: ended.map(|it| Ending {
                at: it.at.as_millisecond(),
                harm: it.harm.map(Name::from),
            }),
            minutes: story.minutes,
            toll: toll(ended.map_or(&now, |it| &it.toll)),
        }
    }

    /// Does one of the story's moves, now.
    pub fn act(&self, name: &str) -> Result<(), Declined> {
        let story = self.judge.story;
        let known = story.moves.iter().find(|it| it.name == name);
        let Some(wanted) = known else {
            return Err(Declined::Unknown(name.into()));
        };
        let (toll, objects) = self.present();
        {
            let mut progress = self.judge.progress();
            if progress.ended.is_some() {
                return Err(Declined::Ended);
            }
            let now = self.store.now();
            let (offered, _) = progress.advice(&self.judge, now, &objects, &toll);
            if !offered.iter().any(|it| it.name == name) {
                return Err(Declined::NotNow);
            }
            progress.done.push((wanted.name, now));
        }
        (wanted.does)(&self.store);
        Ok(())
    }

    /// Takes a play's step, now.
    pub fn take(&self, step: &Step) -> Result<(), Declined> {
        match *step {
            Step::Move(name) => self.act(name),
            Step::Weights { route, rule, weights } => {
                let key = Key::new(Kind::VirtualService, route.0, route.1);
                let edited = self.store.edit(&key, "naru", |json| {
                    for (nth, weight) in weights.iter().enumerate() {
                        json["spec"]["http"][rule]["route"][nth]["weight"] = (*weight).into();
                    }
                });
                edited.then_some(()).ok_or(Declined::NotNow)
            }
        }
    }

    /// What remains of it; None until it has ended.
    pub fn record(&self) -> Option<Record> {
        self.metrics.toll();
        let progress = self.judge.progress();
        let ended = progress.ended.as_ref()?;
        Some(Record {
            scenario: self.scenario.into(),
            seed: self.seed,
            began: self.judge.begun,
            ended: ended.at,
            harm: ended.harm.map(Name::from),
            asked: ended.toll.asked(),
            harmed: ended.toll.harmed(|_| true),
            moves: progress
                .done
                .iter()
                .map(|(name, at)| ((*name).into(), *at))
                .collect(),
        })
    }

    /// What was borne by now, and the objects as the API server has them.
    fn present(&self) -> (Toll, Objects) {
        let toll = self.metrics.toll();
        let mut objects = Objects::all_known();
        for kind in Kind::ALL {
            for (_, json) in self.store.list(kind, None) {
                if let Ok(fact) = Fact::read(kind, (*json).clone()) {
                    objects.put(fact);
                }
            }
        }
        (toll, objects)
    }
}

fn toll(toll: &Toll) -> wire::Toll {
    let row = |(harm, requests): (&crate::traffic::Harm, &u64)| TollRow {
        caller: harm.caller.clone(),
        cause: harm.cause.name().into(),
        place: harm.place.clone(),
        requests: *requests,
    };
    let mut rows: Vec<TollRow> = toll.harmed.iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.requests));
    wire::Toll {
        asked: toll.asked(),
        harmed: toll.harmed(|_| true),
        rows,
    }
}
