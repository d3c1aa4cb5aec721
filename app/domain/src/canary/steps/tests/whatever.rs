//! Whatever is seen in whatever order.

use super::super::{Effect, Ended, Live};
use super::{World, at, bad, frost, judged, live};
use crate::canary::spec::Course;
use crate::canary::status::{Phase, Status, Weights};
use crate::judge::guardrail::{Hold, Verdict};
use proptest::prelude::*;

proptest! {
    /// Whatever is seen in whatever order: weights move only from what is live, never while frozen or unseen, upwards only when nothing
    /// speaks against it, and each status is read as it was written.
    #[test]
    fn nothing_moves_that_must_not(turns in prop::collection::vec((0..8_u8, 0..4_u8, any::<bool>(), any::<bool>(), 0..6_u32, 0..5_u8), 1..40)) {
        let mut world = World::new();
        for (says, course, frozen, unseen, ready, lost) in turns {
            let before = world.canary();
            world.seen.judged = match says {
                0..4 => judged(Verdict::Advance),
                4 | 5 => judged(Verdict::Hold(vec![Hold::NothingToCompare])),
                6 => judged(Verdict::Hold(vec![Hold::Dwell(at(1))])),
                _ => bad(),
            };
            world.spec.course = [Course::Run, Course::Run, Course::Pause, Course::Promote][usize::from(course)];
            world.seen.frozen = (frozen && lost > 2).then(frost);
            world.seen.capacity.ready = ready.checked_sub(1);
            let kept = world.seen.live.clone();
            let dark = unseen && lost == 4;
            if dark {
                world.seen.live = Live::Unknown;
            }
            let was = world.status.clone();
            let effect = world.ask();
            world.seen.live = kept;
            let read: Status = serde_json::from_value(serde_json::to_value(&world.status).unwrap()).unwrap();
            prop_assert_eq!(&read, &world.status);
            let Some(Effect::Move { from, to, change, .. }) = effect else {
                continue;
            };
            prop_assert!(world.seen.frozen.is_none() && !dark);
            prop_assert_eq!(from, Weights::of(before));
            prop_assert_eq!(to.stable + to.canary, 100);
            let written = world.status.written.clone().unwrap();
            prop_assert_eq!((&written.change, written.after), (&change, to));
            let again = was.phase == Phase::Moving;
            if to.canary > from.canary && was.since.is_some() && !again {
                prop_assert!(says != 7);
                prop_assert!(says < 4 || world.spec.course == Course::Promote);
            }
            if to.canary < from.canary && !again {
                let ready = world.seen.capacity.ready.unwrap_or(0);
                // Forty requests a second, and each pod is trusted to carry fifteen. From a dead version all goes to whatever is ready.
                let needed = if says == 7 { 1 } else { world.status.stable_pods.unwrap_or(3).clamp(1, 3) };
                prop_assert!(ready >= 1 && ready * 100 / needed >= to.stable);
            }
            // Some patches are lost on the way, before or after they landed.
            if lost != 0 {
                world.seen.live = live(to.canary);
            }
            world.seen.change = match lost {
                0 if unseen => Ended::NotCarriedOut,
                0 => Ended::Absent,
                1 => Ended::Intended,
                _ => Ended::Landed(at(world.minute)),
            };
        }
        prop_assert!(world.status.phase != Phase::Stopped, "{:?}", world.why());
    }
}
