//! Canaries that were tried, as the journal tells of them: whoever moved the weights, by steps or by hand. What was moved past Naru is not in it.

use super::{
    plan::Intent,
    record::{Phase, Record},
};
use crate::{
    Name, Timestamp,
    canary::{
        self,
        spec::{REASON, Target},
    },
    object::{Key, Kind},
};
use naru_view::canary::{RouteRef, RuleList, SetWeights};
use std::collections::BTreeMap;

/// A weight that stayed for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    /// The new version's, 1 to 100.
    pub weight: u32,
    /// Since when.
    pub from: Timestamp,
    /// Until when; None: it is so still.
    pub until: Option<Timestamp>,
}

/// A canary, from its first requests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The object whose weights were moved.
    pub route: Key,
    /// Where in it the destinations are: a JSON pointer.
    pub path: Name,
    /// The version that had all requests before.
    pub stable: Target,
    /// The other.
    pub canary: Target,
    /// Its weights on the way up, in the order of time.
    pub stays: Vec<Stay>,
    /// When the version that served before had all requests again.
    pub back: Option<Timestamp>,
}

/// Weights that were moved.
struct Move<'a> {
    at: Timestamp,
    sides: Vec<Side>,
    /// Why, as the journal has it: the steps of one Canary object have the same reason.
    reason: &'a str,
}

struct Side {
    to: Target,
    before: u32,
    after: u32,
}

/// All canaries of the journal, the latest last. Of a rule whose requests are split among more than two destinations nothing is told.
pub fn tried(records: &[Record]) -> Vec<Tried> {
    let by_key: BTreeMap<&Key, &Record> = records.iter().map(|it| (&it.key, it)).collect();
    let mut moves: BTreeMap<&RouteRef, Vec<Move<'_>>> = BTreeMap::new();
    for record in records {
        if let (Phase::Landed { at, .. }, Some(wish)) = (&record.phase, wish(record, &by_key)) {
            let sides = sides(record, wish);
            let reason = &*record.reason;
            let moved = Move {
                at: *at,
                sides,
                reason,
            };
            moves.entry(&wish.route).or_default().push(moved);
        }
    }
    let mut all: Vec<Tried> = Vec::new();
    for (route, mut moves) in moves {
        moves.sort_by_key(|it| it.at);
        let (mut open, mut last): (Option<Tried>, Option<&Move<'_>>) = (None, None);
        for moved in &moves {
            open = match (open.take(), last.replace(moved)) {
                (Some(tried), Some(last)) => match follow(tried, moved, last) {
                    Next::On(tried) => Some(tried),
                    Next::Back(tried) => {
                        all.push(tried);
                        None
                    }
                    Next::Other(tried) => {
                        all.push(tried);
                        begin(route, moved)
                    }
                },
                _ => begin(route, moved),
            };
        }
        all.extend(open);
    }
    // Of what was moved on past Naru at its first weight nothing is known.
    all.retain(|it| !it.stays.is_empty());
    all.sort_by_key(|it| it.stays.first().map(|stay| stay.from));
    all
}

/// The weights that a change is about: those that it set, or those that it took back.
fn wish<'a>(mut record: &'a Record, by_key: &BTreeMap<&Key, &'a Record>) -> Option<&'a SetWeights> {
    // An entry that takes back itself, by way of others, was written by hand.
    for _ in 0..=by_key.len() {
        match &record.intent {
            Intent::SetWeights(wish) => return Some(wish),
            Intent::Undo { namespace, change } => {
                record = by_key.get(&Key::new(Kind::Change, namespace.clone(), change.clone()))?;
            }
            Intent::Mend(_) => return None,
        }
    }
    None
}

fn path(route: &RouteRef) -> String {
    let list = route.list;
    format!("/spec/{}/{}/{}", list.field(), route.rule, list.destinations())
}

fn sides(record: &Record, wish: &SetWeights) -> Vec<Side> {
    let at = path(&wish.route);
    // A backend of an HTTPRoute that has no weight has 1 (Gateway API, HTTPBackendRef).
    let without = u32::from(wish.route.list == RuleList::HttpRoute);
    let parsed = |value: &Option<Name>| value.as_ref().and_then(|it| it.parse().ok()).unwrap_or(without);
    let sides = wish.weights.iter().enumerate().map(|(index, it)| {
        let path = format!("{at}/{index}/weight");
        let line = record.diff.iter().find(|line| *line.path == *path);
        // What was not touched is as it was wished.
        let (before, after) = line.map_or((it.weight, it.weight), |line| {
            (parsed(&line.before), parsed(&line.after))
        });
        let to = Target {
            host: it.host.clone(),
            subset: it.subset.clone(),
        };
        Side { to, before, after }
    });
    sides.collect()
}

/// All requests were one version's, and another gets some of them.
fn begin(route: &RouteRef, moved: &Move<'_>) -> Option<Tried> {
    let mut had = moved.sides.iter().filter(|it| it.before > 0);
    let (Some(stable), None) = (had.next(), had.next()) else {
        return None;
    };
    let canary = moved.sides.iter().find(|it| it.before == 0 && it.after > 0)?;
    (stable.after + canary.after == 100).then(|| Tried {
        route: canary::target(route),
        path: path(route).into(),
        stable: stable.to.clone(),
        canary: canary.to.clone(),
        stays: vec![stay(canary.after, moved.at)],
        back: None,
    })
}

fn stay(weight: u32, from: Timestamp) -> Stay {
    Stay {
        weight,
        from,
        until: None,
    }
}

/// What becomes of a canary by the next move.
enum Next {
    /// It goes on.
    On(Tried),
    /// It is over: all requests were taken back.
    Back(Tried),
    /// It is over by something else, which may be another canary's beginning.
    Other(Tried),
}

fn follow(mut tried: Tried, moved: &Move<'_>, last: &Move<'_>) -> Next {
    // Somebody else moved them meanwhile: when that was, and what came of it, the journal does not tell.
    let left = |it: &Side| {
        last.sides
            .iter()
            .any(|before| before.to == it.to && before.after == it.before)
    };
    if !moved.sides.iter().all(left) {
        tried.stays.retain(|it| it.until.is_some());
        return Next::Other(tried);
    }
    let same = moved.reason == last.reason && moved.reason.starts_with(REASON);
    let after = |to: &Target| -> u32 {
        let sides = moved.sides.iter().filter(|it| it.to == *to);
        sides.map(|it| it.after).sum()
    };
    let (stable, canary) = (after(&tried.stable), after(&tried.canary));
    let mut weight = 0;
    if let Some(last) = tried.stays.last_mut() {
        last.until.get_or_insert(moved.at);
        weight = last.weight;
    }
    if stable == 100 {
        tried.back = Some(moved.at);
        return Next::Back(tried);
    }
    if stable + canary != 100 || (weight == 100 && !same) {
        return Next::Other(tried);
    }
    // On the way back in parts no weight is a step.
    if canary > weight {
        tried.stays.push(stay(canary, moved.at));
    }
    Next::On(tried)
}

#[cfg(test)]
mod tests {
    use super::tried;
    use crate::change::example::Story;

    /// Versions, weights with minutes, and the minute of the way back.
    fn told(story: &Story) -> Vec<String> {
        let start = crate::example::now();
        let minute = |at: crate::Timestamp| at.duration_since(start).as_mins();
        let all = tried(&story.journal());
        let one = |it: &super::Tried| {
            let stays: Vec<String> = it
                .stays
                .iter()
                .map(|it| {
                    format!(
                        "{}:{}-{}",
                        it.weight,
                        minute(it.from),
                        it.until.map_or(-1, minute)
                    )
                })
                .collect();
            let back = it.back.map_or(-1, minute);
            format!(
                "{}>{} {} | {back}",
                it.stable.subset,
                it.canary.subset,
                stays.join(" ")
            )
        };
        all.iter().map(one).collect()
    }

    fn story(weights: &[u32]) -> Story {
        let mut story = Story::new();
        for (index, v1) in weights.iter().enumerate() {
            story.weights(&format!("c{index:02}"), *v1);
        }
        story
    }

    #[test]
    fn steps_up_and_the_way_back_are_one_canary() {
        // Where it begins is not in the journal: 90 to 10 was there before.
        assert_eq!(told(&story(&[75, 50])), [""; 0]);
        assert_eq!(told(&story(&[100, 90, 50, 100])), ["v1>v2 10:2-3 50:3-4 | 4"]);
        // In parts.
        assert_eq!(told(&story(&[100, 50, 75, 100])), ["v1>v2 50:2-3 | 4"]);
        assert_eq!(told(&story(&[100, 90])), ["v1>v2 10:2--1 | -1"]);
    }

    #[test]
    fn a_promotion_is_taken_back_whole_or_begins_another() {
        assert_eq!(told(&story(&[100, 50, 0, 100])), ["v1>v2 50:2-3 100:3-4 | 4"]);
        assert_eq!(
            told(&story(&[100, 50, 0, 10, 100])),
            ["v1>v2 50:2-3 100:3-4 | -1", "v2>v1 10:4-5 100:5--1 | -1"]
        );
        // The same Canary object brings it back in parts, for there were too few pods.
        let mut story = Story::new();
        story.reason = "Canary/well (Kim)".into();
        for (index, v1) in [100, 50, 0, 10, 100].into_iter().enumerate() {
            story.weights(&format!("c{index:02}"), v1);
        }
        assert_eq!(told(&story), ["v1>v2 50:2-3 100:3-4 | 5"]);
    }

    #[test]
    fn what_was_moved_past_naru_is_no_evidence() {
        let mut story = story(&[100, 90, 75]);
        story.edit(|json| {
            for (index, weight) in [100, 0].into_iter().enumerate() {
                json["spec"]["http"][0]["route"][index]["weight"] = weight.into();
            }
        });
        story.weights("later", 95);
        story.weights("on", 50);
        // How long 25 % stayed nobody knows.
        assert_eq!(told(&story), ["v1>v2 10:2-3 | -1", "v1>v2 5:4-5 50:5--1 | -1"]);
    }

    #[test]
    fn what_is_taken_back_counts_as_if_it_were_set() {
        let mut story = story(&[100, 90]);
        story.undo("u", "c01").unwrap();
        assert_eq!(told(&story), ["v1>v2 10:2-3 | 3"]);
        story.undo("v", "u").unwrap();
        assert_eq!(told(&story), ["v1>v2 10:2-3 | 3", "v1>v2 10:4--1 | -1"]);
    }
}
