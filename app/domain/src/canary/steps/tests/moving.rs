//! Weights that are meant, and what becomes of that.

use super::super::{Effect, Ended, Live};
use super::{World, at, bad, judged, live};
use crate::Name;
use crate::canary::spec::Course;
use crate::canary::status::{Phase, Weights};
use crate::judge::guardrail::{Said, Verdict};

#[test]
fn after_a_crash_the_live_route_tells() {
    let touched = "touched";
    // The live weight, how the Change ended, then: phase, moved again under the same name, why.
    for (weight, change, phase, again, why) in [
        (50, Ended::Intended, Phase::Dwelling, false, None),
        (50, Ended::Absent, Phase::Dwelling, false, None),
        (10, Ended::Absent, Phase::Moving, true, None),
        (10, Ended::Intended, Phase::Moving, false, None),
        (10, Ended::NotCarriedOut, Phase::Dwelling, false, None),
        (10, Ended::Landed(at(1)), Phase::Stopped, false, Some(touched)),
        (10, Ended::Stopped, Phase::Stopped, false, Some("change-stopped")),
        (30, Ended::Intended, Phase::Stopped, false, Some(touched)),
    ] {
        let mut world = World::at_step(10);
        world.seen.judged = judged(Verdict::Advance);
        let Some(Effect::Move { change: name, .. }) = world.ask() else {
            panic!("no move");
        };
        // It dies here; whoever comes next reads the status.
        (world.seen.live, world.seen.change) = (live(weight), change);
        let effect = world.ask();
        let case = format!("{weight} {change:?}");
        assert_eq!(world.status.phase, phase, "{case}");
        let same = matches!(&effect, Some(Effect::Move { change, .. }) if *change == name);
        assert_eq!(same, again, "{case}");
        if let Some(why) = why {
            assert_eq!(world.why(), [why], "{case}");
        }
    }
}

#[test]
fn a_person_who_touches_the_weights_stops_it_and_is_named() {
    let mut world = World::at_step(10);
    world.seen.live = Live::Known {
        weights: Weights::of(20),
        others: 0,
        by: Some("kubectl-edit".into()),
    };
    assert!(matches!(world.ask(), Some(Effect::Alarm(_))));
    assert_eq!(world.status.phase, Phase::Stopped);
    assert_eq!(&*world.status.why[0].args["by"], "kubectl-edit");
    let mut world = World::new();
    world.seen.live = Live::Known {
        weights: Weights::of(0),
        others: 30,
        by: None,
    };
    world.ask();
    assert_eq!(world.why(), ["other-destinations"]);
}

#[test]
fn what_was_meant_before_somebody_wanted_another_course_is_not_begun() {
    for course in [Course::Pause, Course::Abort] {
        let mut world = World::at_step(10);
        world.seen.judged = judged(Verdict::Advance);
        assert!(matches!(world.ask(), Some(Effect::Move { to, .. }) if to == Weights::of(50)));
        (world.seen.change, world.spec.course) = (Ended::Absent, course);
        world.ask();
        assert_eq!(world.status.phase, Phase::Dwelling, "{course:?}");
        let next = world.ask();
        let back = matches!(next, Some(Effect::Move { to, .. }) if to == Weights::of(0));
        assert_eq!(back, course == Course::Abort, "{next:?}");
    }
}

#[test]
fn names_of_changes_are_the_callers() {
    let mut world = World::new();
    let effect = world.ask();
    assert!(matches!(effect, Some(Effect::Move { change, .. }) if change == Name::from("c1")));
}

#[test]
fn what_is_refused_is_not_written_down_as_meant_and_people_are_told() {
    let no = Said::new("refused", [("detail", "no ready pods".to_owned())]);
    // At a step that is over: it stays, and goes on to be judged.
    let mut world = World::at_step(10);
    world.seen.judged = judged(Verdict::Advance);
    world.seen.refused = Some(no.clone());
    let (before, written) = (world.canary(), world.status.written.clone());
    let effect = world.ask();
    assert_eq!(effect, Some(Effect::Alarm(no.clone())));
    assert_eq!((world.status.phase, world.why()), (Phase::Held, vec!["refused"]));
    assert_eq!(world.status.written, written);
    assert_eq!(world.ask(), None);
    assert_eq!(world.canary(), before);
    world.seen.refused = None;
    assert!(matches!(world.ask(), Some(Effect::Move { .. })));
    // One that was written down already and was never begun is given up, and what is found worse meanwhile still goes back.
    (world.seen.change, world.seen.refused) = (Ended::Absent, Some(no.clone()));
    assert_eq!(
        (world.ask(), world.status.alarm.clone()),
        (None, Some(no)),
        "told already"
    );
    assert_eq!(world.status.phase, Phase::Dwelling);
    (world.seen.refused, world.seen.judged) = (None, bad());
    assert!(matches!(world.ask(), Some(Effect::Move { to, .. }) if to == Weights::of(0)));
    // A way back that is refused stays one.
    let mut world = World::at_step(10);
    (world.seen.refused, world.seen.judged) = (Some(Said::new("refused", [])), bad());
    world.ask();
    assert_eq!(
        (world.status.phase, world.why()),
        (Phase::RollingBack, vec!["refused", "no-ready-pods"])
    );
}
