//! The way back.

use super::super::{Capacity, Effect, Ended};
use super::{World, bad, frost, judged, live, worse};
use crate::canary::spec::Course;
use crate::canary::status::{Phase, Weights};
use crate::judge::guardrail::Verdict;

#[test]
fn a_rollback_goes_no_faster_than_the_stable_version_can_take_it() {
    let mut world = World::at_step(50);
    world.seen.capacity = Capacity {
        ready: Some(1),
        wanted: 1,
        peak: Some(10.0),
        // Half as much again as the peak is trusted to each.
        rate: Some(60.0),
    };
    world.seen.judged = worse();
    assert_eq!(world.turn(), Some(Effect::Scale { to: 4 }));
    world.seen.capacity.wanted = 4;
    // One pod of four carries a quarter, and half of all requests is there already.
    assert_eq!(world.turn(), Some(Effect::WaitForStable { ready: 1, needed: 4 }));
    assert!(world.why().contains(&"worse"));
    // What the guardrail says meanwhile does not call it off.
    world.seen.judged = judged(Verdict::Advance);
    world.seen.capacity.ready = Some(3);
    assert!(matches!(world.turn(), Some(Effect::Move { to, .. }) if to == Weights::of(25)));
    world.turn();
    assert_eq!(world.status.phase, Phase::RollingBack);
    world.seen.capacity.ready = None;
    assert!(!matches!(world.turn(), Some(Effect::Move { .. })));
    world.seen.capacity.ready = Some(4);
    assert!(matches!(world.turn(), Some(Effect::Move { to, .. }) if to == Weights::of(0)));
    world.turn();
    assert_eq!(world.status.phase, Phase::RolledBack);
}

#[test]
fn from_the_first_step_it_goes_back_at_once() {
    let mut world = World::at_step(10);
    // Its four pods have had nine of ten requests, and are to have all again.
    world.seen.capacity = Capacity {
        ready: Some(4),
        wanted: 4,
        peak: Some(9.0),
        rate: Some(40.0),
    };
    world.seen.judged = worse();
    assert!(matches!(world.turn(), Some(Effect::Move { to, .. }) if to == Weights::of(0)));
    // However little of the requests they were seen with lately: they carried all before it began.
    let mut world = World::at_step(50);
    world.seen.capacity.peak = Some(0.01);
    world.seen.judged = worse();
    assert!(matches!(world.turn(), Some(Effect::Move { to, .. }) if to == Weights::of(0)));
}

#[test]
fn from_a_dead_version_all_goes_back_to_whatever_is_ready() {
    let mut world = World::at_step(50);
    world.seen.capacity.ready = Some(1);
    world.seen.judged = bad();
    assert!(matches!(world.turn(), Some(Effect::Move { to, .. }) if to == Weights::of(0)));
}

#[test]
fn what_is_ready_takes_its_part_before_anybody_scales() {
    let mut world = World::at_step(50);
    (world.seen.capacity.ready, world.seen.capacity.wanted) = (Some(3), 3);
    world.seen.capacity.rate = Some(60.0);
    world.seen.judged = worse();
    assert!(matches!(world.turn(), Some(Effect::Move { to, .. }) if to == Weights::of(25)));
    world.turn();
    assert_eq!(world.turn(), Some(Effect::Scale { to: 4 }));
}

#[test]
fn a_rollback_with_rate_unknown_is_whole_and_with_nothing_ready_waits() {
    for (ready, moves) in [(Some(1), true), (Some(0), false), (None, false)] {
        let mut world = World::at_step(50);
        world.seen.capacity = Capacity {
            ready,
            wanted: 1,
            peak: None,
            rate: None,
        };
        world.seen.judged = bad();
        let effect = world.turn();
        assert_eq!(matches!(effect, Some(Effect::Move { .. })), moves, "{ready:?}");
        assert!(world.status.alarm.is_some());
    }
}

#[test]
fn where_nobody_knows_what_it_needs_pods_are_asked_for_beside_the_move() {
    // Kubernetes has one pod of the four that it began with; no figure says what they carry.
    for (wanted, rate, asked) in [(1, None, Some(4)), (4, None, None), (1, Some(1.0), None)] {
        let mut world = World::at_step(50);
        world.seen.capacity = Capacity {
            ready: Some(1),
            wanted,
            peak: Some(10.0),
            rate,
        };
        world.seen.judged = worse();
        for _ in 0..2 {
            // Asked again after a crash, too.
            let effect = world.ask();
            let Some(Effect::Move { to, pods, .. }) = effect else {
                panic!("no move: {effect:?}");
            };
            assert_eq!((to, pods), (Weights::of(0), asked), "{wanted} {rate:?}");
            world.seen.change = Ended::Absent;
        }
    }
    // Forwards nothing is asked for.
    let mut world = World::at_step(10);
    (world.seen.capacity.wanted, world.seen.capacity.rate) = (1, None);
    world.seen.judged = judged(Verdict::Advance);
    assert!(matches!(world.ask(), Some(Effect::Move { to, pods: None, .. }) if to == Weights::of(50)));
}

#[test]
fn what_was_promoted_is_taken_back_while_the_old_version_is_there() {
    let mut world = World::at_step(50);
    world.spec.course = Course::Promote;
    world.turn();
    world.turn();
    assert_eq!(world.status.phase, Phase::Promoted);
    world.spec.course = Course::Abort;
    assert!(matches!(world.turn(), Some(Effect::Move { to, .. }) if to == Weights::of(0)));
    world.turn();
    assert_eq!(world.status.phase, Phase::RolledBack);
    assert_eq!(&*world.status.roles.as_ref().unwrap().stable.subset, "v1");
    // Where it has nothing there is nothing to take back; what it had before is taken as well.
    let mut world = World::new();
    world.spec.course = Course::Abort;
    assert_eq!(world.turn(), None);
    assert_eq!(world.status.phase, Phase::RolledBack);
    let mut world = World::new();
    world.seen.live = live(5);
    world.spec.course = Course::Abort;
    assert!(matches!(world.turn(), Some(Effect::Move { to, .. }) if to == Weights::of(0)));
}

#[test]
fn a_freeze_on_the_way_back_is_said_while_it_is_there_and_not_after_it() {
    // Before the next part goes back, and while a part is meant and not begun.
    for begun in [false, true] {
        let mut world = World::at_step(50);
        (world.seen.capacity.ready, world.seen.capacity.rate) = (Some(3), Some(60.0));
        world.seen.judged = worse();
        if begun {
            world.turn();
            world.turn();
        } else {
            assert!(matches!(world.ask(), Some(Effect::Move { .. })));
            world.seen.change = Ended::Absent;
        }
        world.seen.frozen = Some(frost());
        for _ in 0..2 {
            assert!(!matches!(world.ask(), Some(Effect::Move { .. })));
            assert_eq!(world.why(), ["frozen", "worse"], "{begun}");
        }
        (world.seen.frozen, world.seen.capacity.ready) = (None, Some(4));
        while world.status.phase != Phase::RolledBack {
            world.turn();
            assert_eq!(world.why(), ["worse"], "{begun}");
        }
    }
}
