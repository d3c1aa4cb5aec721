//! From step to step, by what people want and what is found.

use super::super::{Effect, Live, step};
use super::{World, at, bad, frost, judged, live};
use crate::canary::spec::{Answer, Course};
use crate::canary::status::{Phase, Weights};
use crate::judge::guardrail::{Hold, Judged, Verdict};
use serde_json::json;

#[test]
fn a_worthy_canary_goes_through_its_steps_and_is_finished_when_the_old_version_may_go() {
    let mut world = World::new();
    let mut weights = Vec::new();
    for _ in 0..8 {
        if let Some(Effect::Move { to, .. }) = world.turn() {
            weights.push(to.canary);
            assert_eq!(world.status.phase, Phase::Moving);
        }
    }
    assert_eq!(weights, [10, 50, 100]);
    assert_eq!(world.status.phase, Phase::Promoted);
    assert_eq!(&*world.status.roles.as_ref().unwrap().stable.subset, "v2");
    world.minute += 23 * 60;
    world.turn();
    assert_eq!(world.status.phase, Phase::Promoted);
    world.minute += 60;
    world.turn();
    assert_eq!(world.status.phase, Phase::Finished);
    let last = step(&world.spec, &world.status, &world.seen, at(9_999));
    assert_eq!((last.effect, last.wake_at), (None, None));
}

#[test]
fn what_people_want_and_what_is_found_meet_as_the_table_says() {
    let hold = || judged(Verdict::Hold(vec![Hold::StableRestarted(1)]));
    // Course, frozen, what the guardrail says, answer to failure: phase, and the weight that is moved to.
    for (course, frozen, says, answer, phase, to) in [
        ("run", false, hold(), Answer::RollBack, Phase::Held, None),
        (
            "run",
            false,
            judged(Verdict::Advance),
            Answer::RollBack,
            Phase::Moving,
            Some(50),
        ),
        ("run", false, bad(), Answer::RollBack, Phase::Moving, Some(0)),
        ("run", false, bad(), Answer::Hold, Phase::Held, None),
        (
            "run",
            true,
            judged(Verdict::Advance),
            Answer::RollBack,
            Phase::Held,
            None,
        ),
        ("run", true, bad(), Answer::RollBack, Phase::Held, None),
        ("run", true, bad(), Answer::Hold, Phase::Held, None),
        (
            "pause",
            false,
            judged(Verdict::Advance),
            Answer::RollBack,
            Phase::Paused,
            None,
        ),
        ("pause", false, bad(), Answer::RollBack, Phase::Moving, Some(0)),
        (
            "promote",
            false,
            hold(),
            Answer::RollBack,
            Phase::Moving,
            Some(100),
        ),
        ("promote", false, bad(), Answer::RollBack, Phase::Moving, Some(0)),
        ("promote", true, hold(), Answer::RollBack, Phase::Held, None),
        (
            "abort",
            false,
            judged(Verdict::Advance),
            Answer::Hold,
            Phase::Moving,
            Some(0),
        ),
        (
            "abort",
            true,
            judged(Verdict::Advance),
            Answer::Hold,
            Phase::Held,
            None,
        ),
    ] {
        let mut world = World::at_step(10);
        world.spec.course = serde_json::from_value(json!(course)).unwrap();
        world.spec.on_failure = answer;
        (world.seen.frozen, world.seen.judged) = (frozen.then(frost), says.clone());
        let effect = world.ask();
        let case = format!("{course} {frozen} {says:?} {answer:?}");
        assert_eq!(world.status.phase, phase, "{case}");
        let moved = match effect {
            Some(Effect::Move { to, .. }) => Some(to.canary),
            _ => None,
        };
        assert_eq!(moved, to, "{case}");
        assert_eq!(world.why().contains(&"frozen"), frozen, "{case}");
        let back = course == "abort" || (says == bad() && answer == Answer::RollBack);
        let told = world.status.alarm.as_ref().map(|it| &*it.code);
        assert_eq!(told == Some("roll-back-frozen"), frozen && back, "{case}");
        // Where it is to stay although it is worse, that is what people are told, frozen or not.
        if says == bad() && answer == Answer::Hold {
            assert_eq!(told, Some("no-ready-pods"), "{case}");
        }
    }
}

#[test]
fn a_first_step_that_was_there_before_is_judged_and_taken_back_like_any_other() {
    let mut world = World::new();
    world.seen.live = live(10);
    world.turn();
    assert_eq!(
        (world.status.phase, world.status.written.is_none()),
        (Phase::Dwelling, true)
    );
    assert_eq!(world.status.rules(&world.spec).unwrap().weight, 10);
    let there = world.status.clone();
    world.spec.course = Course::Abort;
    assert!(matches!(world.ask(), Some(Effect::Move { to, .. }) if to == Weights::of(0)));
    (world.status, world.spec.course) = (there, Course::Run);
    world.seen.live = live(30);
    world.ask();
    assert_eq!(world.why(), ["touched"]);
}

#[test]
fn the_blind_leave_weights_as_they_are_and_say_so_in_the_end() {
    let blind = |alarm| Judged {
        verdict: Verdict::Hold(vec![Hold::Stale(None)]),
        metrics: Vec::new(),
        left_out: None,
        blind: true,
        alarm,
    };
    for (answer, phase) in [(Answer::Hold, Phase::Held), (Answer::RollBack, Phase::Moving)] {
        let mut world = World::at_step(10);
        world.spec.when_blind = answer;
        world.seen.judged = blind(false);
        assert_eq!(world.ask(), None);
        assert_eq!(
            (world.status.phase, world.status.alarm.is_some()),
            (Phase::Held, false)
        );
        let since = world.status.blind_since;
        world.minute += 11;
        world.seen.judged = blind(true);
        let effect = world.ask();
        assert_eq!(world.status.phase, phase);
        assert_eq!(&*world.status.alarm.as_ref().unwrap().code, "blind");
        assert_eq!(matches!(effect, Some(Effect::Alarm(_))), answer == Answer::Hold);
        assert_eq!(world.status.blind_since, since);
        // An alarm is given once.
        if answer == Answer::Hold {
            assert_eq!(world.ask(), None);
            world.seen.judged = judged(Verdict::Hold(vec![Hold::Dwell(at(99))]));
            world.ask();
            assert_eq!(
                (world.status.alarm.clone(), world.status.blind_since),
                (None, None)
            );
        }
    }
    let mut world = World::at_step(10);
    world.seen.live = Live::Unknown;
    assert_eq!(world.ask(), None);
    assert_eq!(world.status.phase, Phase::Dwelling);
    world.minute += 11;
    assert!(matches!(world.ask(), Some(Effect::Alarm(_))));
}

#[test]
fn the_last_step_below_100_waits_for_a_person() {
    let mut world = World::at_step(50);
    world.spec.steps.pop();
    world.seen.judged = judged(Verdict::Advance);
    assert_eq!(world.turn(), None);
    assert_eq!(
        (world.status.phase, world.why()),
        (Phase::Held, vec!["awaits-promotion"])
    );
}
