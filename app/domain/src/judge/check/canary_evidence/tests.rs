use super::{CHECK, steps, back};
use crate::{
    Timestamp, Why,
    change::example::Story,
    fact::Fact,
    inquiry::{Count, Counts, CountsOf, Inquiry, Reply},
    judge::{Found, World, testing::codes},
    mesh::Prepared,
    object::Kind,
    traffic::{Dated, Reporter},
};
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;

/// Requests to v2, of so many in all, and those that failed, over the times that a question may be about.
type Counted<'a> = &'a dyn Fn(&CountsOf) -> Option<Count>;

fn found(story: &Story, after: i64, counted: Counted<'_>) -> Found {
    let mut objects = story.objects.clone();
    let migration = json!({"metadata": {"name": "m"}, "spec": {"services": [{"namespace": "user-service", "name": "user-service"}],
        "objectives": {"success": 0.99}}});
    objects.put(Fact::read(Kind::Migration, migration).unwrap());
    let now = story.now + SignedDuration::from_mins(after);
    let mut replies = std::collections::BTreeMap::new();
    // Asked until nothing new is asked: who counts answers before the next judgement.
    loop {
        let known = Arc::new(replies.clone());
        let world = World::of(&objects, Prepared::of(&objects), None, now).knowing(known);
        let mut found = Found::default();
        (CHECK.run)(&world, &mut found);
        let before = replies.len();
        for inquiry in world.asked() {
            let Inquiry::CountsOf(question) = &inquiry else { continue };
            assert_eq!(question.by, Reporter::Source);
            let counts = Counts {
                by_caller: counted(question).into_iter().map(|it| (("g".into(), "gw".into()), it)).collect(),
                // A new version had no series before its first request.
                covered: counted(question).is_some() && &*question.to.1 == "user-service-v1",
            };
            let dated = Dated { value: Reply::CountsOf(counts), at: now, gaps: Vec::new() };
            replies.insert(inquiry, Ok(dated));
        }
        if replies.len() == before {
            return found;
        }
    }
}

/// 200 a minute of both, split as it was set, of which a share fails.
fn usual(story: &Story, failing: f64) -> impl Fn(&CountsOf) -> Option<Count> {
    let tried = crate::change::tried::tried(&story.journal());
    move |question: &CountsOf| {
        let weight = |at: Timestamp| {
            let stays = tried.iter().flat_map(|it| &it.stays);
            let mut here = stays.filter(|it| it.from <= at && it.until.is_none_or(|until| at < until));
            here.next().map_or(0.0, |it| f64::from(it.weight))
        };
        let mut requests = 0.0;
        let mut at = question.from;
        while at < question.until {
            let v2 = 2.0 * weight(at);
            requests += if &*question.to.1 == "user-service-v2" { v2 } else { 200.0 - v2 };
            at += SignedDuration::from_mins(1);
        }
        Some(Count { requests, lost: 0.0, failed: requests * failing })
    }
}

/// v1's weights, each for so many minutes.
fn story(weights: &[(u32, i64)]) -> Story {
    let mut story = Story::new();
    for (index, (v1, minutes)) in weights.iter().enumerate() {
        story.weights(&format!("c{index:02}"), *v1);
        story.now += SignedDuration::from_mins(minutes - 1);
    }
    story
}

fn told(weights: &[(u32, i64)], failing: f64) -> (Vec<&'static str>, usize, usize) {
    let story = story(weights);
    let found = found(&story, 5, &usual(&story, failing));
    (codes(&found), found.unknown.len(), found.facts.len())
}

#[test]
fn a_canary_that_had_its_time_and_was_taken_back_under_load_is_evidence() {
    let story = story(&[(100, 5), (90, 60), (50, 40), (100, 1)]);
    let found = found(&story, 5, &usual(&story, 0.0));
    assert_eq!((codes(&found), found.unknown.len()), (vec![], 0));
    let facts: Vec<_> = found.facts.iter().map(|it| (it.name, &*it.value)).collect();
    assert_eq!(facts[0], (steps::SEEN, "user-service/user-service: 10 % · n=1200 · 10.0 %, 50 % · n=4000 · 50.0 %"));
    assert_eq!(facts[1].0, back::SEEN);
    assert!(facts[1].1.contains("100.000 % · n=500"), "{}", facts[1].1);
}

#[test]
fn what_is_missing_is_told_of_the_latest() {
    for (weights, failing, codes) in [
        // Ten minutes, and 200 requests in them.
        (vec![(100, 5), (90, 10), (50, 40), (100, 1)], 0.0, vec!["canary-step-short"]),
        (vec![(100, 5), (98, 60), (50, 40), (100, 1)], 0.0, vec!["canary-step-few"]),
        // It was promoted, and never taken back.
        (vec![(100, 5), (90, 60), (50, 40), (0, 1)], 0.0, vec!["canary-not-aborted"]),
        (vec![(100, 5), (90, 60), (100, 1)], 0.02, vec!["canary-abort-failed"]),
        // The only weight is looked at, though it was taken back from; a later one need not have had its time.
        (vec![(100, 5), (90, 10), (100, 1)], 0.0, vec!["canary-step-short"]),
        (vec![(100, 5), (90, 60), (50, 10), (100, 1)], 0.0, vec![]),
        (vec![(100, 5), (0, 60), (100, 1)], 0.0, vec!["canary-at-once"]),
        // A later one was not taken back: what is wrong with the one that was is told.
        (
            vec![(100, 5), (90, 60), (100, 5), (90, 60), (0, 5)],
            0.02,
            vec!["canary-abort-failed"],
        ),
    ] {
        assert_eq!(told(&weights, failing).0, codes, "{weights:?}");
    }
}

#[test]
fn one_that_did_well_is_enough_whatever_came_after_it() {
    let well = [(100, 5), (90, 60), (50, 40), (100, 1)];
    let later = [(90, 2), (100, 1)];
    assert_eq!(told(&[&well[..], &later].concat(), 0.0), (vec![], 0, 2));
}

#[test]
fn a_share_that_others_may_have_moved_is_not_known() {
    let story = story(&[(100, 5), (90, 60), (100, 1)]);
    let usual = usual(&story, 0.0);
    let more = |question: &CountsOf| {
        let more = if &*question.to.1 == "user-service-v2" {
            1.5
        } else {
            1.0
        };
        usual(question).map(|it| Count {
            requests: it.requests * more,
            ..it
        })
    };
    let found = found(&story, 5, &more);
    assert!(found.findings.is_empty());
    let unknown = format!("{:?}", found.unknown);
    assert!(unknown.contains("10 % (14.3 %, n="), "{unknown}");
}

#[test]
fn why_it_was_taken_back_is_not_what_came_of_it() {
    // One in five of the canary's fails, until it gets none.
    let story = story(&[(100, 5), (90, 60), (100, 1)]);
    let usual = usual(&story, 0.0);
    let bad = |question: &CountsOf| {
        let v2 = &*question.to.1 == "user-service-v2";
        let failing = if v2 { 0.2 } else { 0.0 };
        usual(question).map(|it| Count {
            failed: it.requests * failing,
            ..it
        })
    };
    assert_eq!(codes(&found(&story, 5, &bad)), [""; 0]);
}

#[test]
fn what_nobody_knows_is_not_missing() {
    // None in the journal.
    let never = found(&story(&[(75, 5)]), 5, &|_| None);
    let what = "canary".into();
    assert_eq!(never.unknown, [Why::NotObserved { what }]);
    // Prometheus does not reach back so far; or it is not over.
    let well = story(&[(100, 5), (90, 60), (100, 1)]);
    let forgotten = found(&well, 5, &|_| None);
    assert!(forgotten.findings.is_empty() && !forgotten.unknown.is_empty());
    let story = story(&[(100, 5), (90, 10)]);
    let under_way = found(&story, 1, &usual(&story, 0.0));
    assert!(matches!(&under_way.unknown[..], [Why::NotOver { .. }]), "{:?}", under_way.unknown);
    assert_eq!(codes(&under_way), ["canary-not-aborted"]);
}
