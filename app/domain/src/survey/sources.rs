//! What each source shows, and what its gaps leave unknown.

use crate::{
    Timestamp, Why,
    crossing::Item,
    judge::Judgement,
    snapshot::{KindState, Objects},
    traffic::{Dated, Reporter, Traffic},
    view::failure,
};
use std::collections::BTreeMap;

/// Kinds of objects, by whether they are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kinds {
    /// So many are.
    pub read: usize,
    /// The API server does not have these.
    pub absent: Vec<&'static str>,
    /// These cannot be read, and why.
    pub unread: Vec<(&'static str, Why)>,
}

impl Kinds {
    /// Of all kinds that were asked for.
    pub fn of(objects: &Objects) -> Self {
        let mut kinds = Self::default();
        for (kind, state) in &objects.kinds {
            match state {
                KindState::Known => kinds.read += 1,
                KindState::Absent => kinds.absent.push(kind.name()),
                KindState::Lost(why) => kinds.unread.push((kind.name(), why.clone())),
                KindState::NotYet => {}
            }
        }
        kinds
    }
}

/// What Prometheus shows of the traffic.
#[derive(Clone, Debug, PartialEq)]
pub enum Metrics {
    /// It gave no answer.
    Silent(Why),
    /// It did.
    Answers {
        /// Of what moment.
        at: Timestamp,
        /// Seconds over which rates are taken.
        window_s: u32,
        /// Pairs of workloads that the calling side has counted.
        source: usize,
        /// And the called side.
        destination: usize,
        /// What is missing from the answer.
        gaps: Vec<Why>,
    },
}

impl Metrics {
    /// Of an answer, or of why there is none.
    pub fn of(traffic: Result<&Dated<Traffic>, &Why>) -> Self {
        let dated = match traffic {
            Ok(dated) => dated,
            Err(why) => return Self::Silent(why.clone()),
        };
        let by = |reporter| {
            let flows = dated.value.flows.keys();
            flows.filter(|it| it.reporter == reporter).count()
        };
        Self::Answers {
            at: dated.at,
            window_s: dated.value.window_s,
            source: by(Reporter::Source),
            destination: by(Reporter::Destination),
            gaps: dated.gaps.clone(),
        }
    }

    /// These are the last figures that there were: since then there was no answer.
    pub fn kept(&self) -> bool {
        let old = |why: &Why| failure(why) || matches!(why, Why::Stale { .. });
        matches!(self, Self::Answers { gaps, .. } if gaps.iter().any(old))
    }

    /// What is wrong with it.
    pub fn faults(&self) -> Vec<Why> {
        match self {
            Self::Silent(why) => vec![why.clone()],
            Self::Answers {
                source,
                destination,
                gaps,
                ..
            } => {
                let mut all = gaps.clone();
                let missing = |name: &str| Why::OneReporter { missing: name.into() };
                match (source, destination) {
                    (0, 0) => {}
                    (0, _) => all.push(missing("source")),
                    (_, 0) => all.push(missing("destination")),
                    _ => {}
                }
                all
            }
        }
    }
}

/// Each reason once, with the items that it leaves unknown; those that leave most unknown first.
pub fn unknown<'a>(judgements: impl IntoIterator<Item = &'a Judgement>) -> Vec<(Why, Vec<Item>)> {
    let mut by: BTreeMap<&Why, Vec<Item>> = BTreeMap::new();
    // The last item goes by the others, and is unknown because they are.
    let items = judgements.into_iter().filter(|it| it.item != Item::Ready);
    for judgement in items {
        for (_, why) in &judgement.unknown {
            let items = by.entry(why).or_default();
            if items.last() != Some(&judgement.item) {
                items.push(judgement.item);
            }
        }
    }
    // What follows from another item is that item's to tell.
    let mut all: Vec<_> = by
        .into_iter()
        .filter(|(why, _)| !matches!(why, Why::FollowsFrom { .. }))
        .map(|(why, items)| (why.clone(), items))
        .collect();
    all.sort_by_key(|(_, items)| std::cmp::Reverse(items.len()));
    all
}
