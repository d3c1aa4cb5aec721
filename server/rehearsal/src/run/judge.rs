//! Judges a story, second by second.

use super::{look::Look, past::Past};
use crate::{
    story::{Goal, Hint, Move, Story, TOO_LATE},
    traffic::{Observer, Second, Toll},
};
use jiff::SignedDuration;
use naru_domain::{Timestamp, snapshot::Objects};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How a run ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) at: Timestamp,
    pub(super) harm: Option<&'static str>,
    pub(super) toll: Toll,
}

/// A run's progress.
#[derive(Debug, Default)]
pub(super) struct Progress {
    past: Past,
    pub(super) done: Vec<(&'static str, Timestamp)>,
    /// Since when each goal is so without a break.
    so: BTreeMap<&'static str, Timestamp>,
    /// See [`Look::reached`].
    reached: BTreeMap<&'static str, (Timestamp, Toll)>,
    pub(super) ended: Option<Ended>,
}

/// Follows a story. It looks and never touches.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(super) story: &'static Story,
    pub(super) begun: Timestamp,
    progress: Mutex<Progress>,
}

impl Judge {
    pub(crate) fn new(story: &'static Story, begun: Timestamp) -> Self {
        Self {
            story,
            begun,
            progress: Mutex::default(),
        }
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        // Each second is taken in whole; a judgement that panics leaves the second before.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limit(&self) -> Timestamp {
        let minutes = SignedDuration::from_mins(self.story.minutes.into());
        self.begun.checked_add(minutes).unwrap_or(Timestamp::MAX)
    }
}

impl Progress {
    fn look<'a>(&'a self, judge: &Judge, at: Timestamp, objects: &'a Objects, toll: &'a Toll) -> Look<'a> {
        Look {
            objects,
            toll,
            at,
            begun: judge.begun,
            past: &self.past,
            done: &self.done,
            reached: &self.reached,
        }
    }

    /// Since when a goal is met.
    pub(super) fn met(&self, goal: &Goal) -> Option<Timestamp> {
        self.reached.get(goal.name).map(|(at, _)| *at)
    }

    /// When a move was done last.
    pub(super) fn last(&self, name: &str) -> Option<Timestamp> {
        let mut done = self.done.iter().rev();
        done.find(|(it, _)| *it == name).map(|(_, at)| *at)
    }

    /// Whether each move is offered, and the hint of the moment.
    pub(super) fn advice(
        &self,
        judge: &Judge,
        at: Timestamp,
        objects: &Objects,
        toll: &Toll,
    ) -> (Vec<&'static Move>, Option<&'static Hint>) {
        let look = self.look(judge, at, objects, toll);
        let moves = judge.story.moves.iter().filter(|it| (it.offered)(&look));
        (
            moves.collect(),
            judge.story.hints.iter().find(|it| (it.when)(&look)),
        )
    }

    fn second(&mut self, judge: &Judge, second: &Second<'_>) {
        let (at, toll) = (second.at, second.toll);
        self.past.push(at, toll.clone(), second.answered());
        for goal in judge.story.goals {
            let is_so = (goal.met)(&self.look(judge, at, second.objects, toll));
            if !is_so {
                self.so.remove(goal.name);
                if !goal.stays {
                    self.reached.remove(goal.name);
                }
                continue;
            }
            let since = *self.so.entry(goal.name).or_insert(at);
            if at.duration_since(since).as_secs() >= goal.holds_s {
                self.reached
                    .entry(goal.name)
                    .or_insert_with(|| (at, toll.clone()));
            }
        }
        let look = self.look(judge, at, second.objects, toll);
        let harm = judge.story.harms.iter().find(|it| (it.done)(&look));
        let ended = match harm {
            Some(harm) => Some(Some(harm.name)),
            None if self.reached.len() == judge.story.goals.len() => Some(None),
            None => (at >= judge.limit()).then_some(Some(TOO_LATE)),
        };
        self.ended = ended.map(|harm| Ended {
            at,
            harm,
            toll: toll.clone(),
        });
    }
}

impl Observer for Judge {
    fn second(&self, second: &Second<'_>) {
        let mut progress = self.progress();
        if second.at > self.begun && progress.ended.is_none() {
            progress.second(self, second);
        }
    }
}
