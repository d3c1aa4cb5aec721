//! A few canaries on the rehearsal's cluster and mesh, as `benches/canary.rs` plays two thousand.

#[path = "../../benches/canary/demand.rs"]
mod demand;
#[path = "../../benches/canary/play.rs"]
mod play;
#[path = "../../../../app/domain/benches/guardrail/told.rs"]
mod told;

use demand::{Fault, Setting};
use naru_domain::judge::guardrail::{Metric, Reason};
use play::{USUAL, play};
use told::End;

fn setting(base: f64, rps: f64, fault: Fault) -> Setting {
    Setting {
        base,
        slow: 0.0,
        slower: 0.02,
        rps,
        fault,
        grpc: false,
        onset: 0,
    }
}

#[test]
fn worthy_canaries_come_to_the_end_of_their_steps() {
    for (base, rps, seed) in [(0.0, 20.0, 1), (0.001, 20.0, 2), (0.02, 20.0, 3), (0.02, 5.0, 4)] {
        let end = play(setting(base, rps, Fault::None), USUAL, seed);
        assert!(matches!(end, End::Promoted(_)), "{base} {rps}: {end:?}");
    }
}

#[test]
fn three_points_are_caught_before_half_of_all_requests_and_where_they_begin() {
    for (base, fault, weights, at) in [
        (0.001, Fault::Errors(0.03), USUAL, 5..50),
        (0.02, Fault::Errors(0.03), USUAL, 5..50),
        (0.001, Fault::AtWeight(25, 0.03), &USUAL[1..], 25..26),
    ] {
        let end = play(setting(base, 50.0, fault), weights, 5);
        let caught = matches!(&end, End::RolledBack { weight, reasons, harmed, .. }
            if at.contains(weight) && *reasons == [Reason::Worse(Metric::Errors)] && (10..2_000).contains(harmed));
        assert!(caught, "{base} {fault:?}: {end:?}");
    }
}

#[test]
fn what_is_plainly_wrong_goes_back_within_two_minutes() {
    for (fault, grpc, onset, reason) in [
        (Fault::NoPods, false, 0, Reason::NoReadyPods),
        (Fault::OomLoop, false, 0, Reason::CrashLooping(2)),
        (Fault::Errors(0.2), true, 0, Reason::Worse(Metric::Errors)),
        (Fault::Slow(0.2), false, 180, Reason::Worse(Metric::Latency)),
        (Fault::FirstMinute(0.3), false, 0, Reason::Worse(Metric::Errors)),
    ] {
        let setting = Setting {
            grpc,
            onset,
            ..setting(0.001, 50.0, fault)
        };
        let end = play(setting, &USUAL[1..], 6);
        let caught = matches!(&end, End::RolledBack { after, reasons, .. } if *after <= 120 && reasons.contains(&reason));
        assert!(caught, "{fault:?}: {end:?}");
    }
}
