//! Canaries on the rehearsal's cluster and mesh, judged and moved as the controller does: how often a worthy one is condemned, and how soon a
//! bad one is caught.
//!
//! `cargo bench -p naru-rehearsal --bench canary`. Runs of all lines in turn, until `NARU_MINUTES` (15) are over or each has `NARU_RUNS` (223: nine
//! lines of worthy ones make 2,007). `NARU_LINES` leaves those whose name has this in it.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "canary/demand.rs"]
mod demand;
#[path = "canary/play.rs"]
mod play;
#[path = "../../../app/domain/benches/guardrail/told.rs"]
mod told;

use demand::{Fault, Setting};
use play::{USUAL, play};
use std::time::{Duration, Instant};
use told::{End, line, nth, rolled, upper};

const BASES: [f64; 3] = [0.0, 0.001, 0.02];
const RATES: [f64; 3] = [5.0, 50.0, 500.0];

/// A new version is warm after so many seconds.
const WARM_S: i64 = 180;

const USUALLY: Setting = Setting {
    base: 0.001,
    slow: 0.0,
    slower: 0.02,
    rps: 50.0,
    fault: Fault::None,
    grpc: false,
    onset: 0,
};

/// Runs of one setting.
struct Line {
    what: String,
    setting: Setting,
    weights: &'static [u32],
    /// What was rolled back below this weight was caught in time.
    below: u32,
    ends: Vec<End>,
    took: Duration,
}

fn all() -> Vec<Line> {
    let line = |what: String, setting, weights, below| Line {
        what,
        setting,
        weights,
        below,
        ends: Vec::new(),
        took: Duration::ZERO,
    };
    let mut lines = Vec::new();
    for (fault, what, below) in [(Fault::None, "worthy", 0), (Fault::Errors(0.03), "+3 points", 50)] {
        for base in BASES {
            for rps in RATES {
                let setting = Setting {
                    base,
                    rps,
                    fault,
                    ..USUALLY
                };
                lines.push(line(
                    format!("{what}, {:.1} %, {rps:>3}", base * 100.0),
                    setting,
                    USUAL,
                    below,
                ));
            }
        }
    }
    for (what, fault, rps, grpc, onset) in [
        (
            "+3 points from 25 % on",
            Fault::AtWeight(25, 0.03),
            50.0,
            false,
            0,
        ),
        ("0 pods", Fault::NoPods, 50.0, false, 0),
        ("OOM loop", Fault::OomLoop, 50.0, false, 0),
        ("gRPC only, 20 %", Fault::Errors(0.2), 50.0, true, 0),
        ("slow 20 %, after warm-up", Fault::Slow(0.2), 50.0, false, WARM_S),
        ("slow 10 %, after warm-up", Fault::Slow(0.1), 50.0, false, WARM_S),
        // The median and the 95th percentile stay as they were.
        ("slow 4 %, after warm-up", Fault::Slow(0.04), 500.0, false, WARM_S),
        ("first minute, 20 %", Fault::FirstMinute(0.2), 50.0, false, 0),
        ("first minute, 10 %", Fault::FirstMinute(0.1), 50.0, false, 0),
        ("first minute, 10 %", Fault::FirstMinute(0.1), 500.0, false, 0),
    ] {
        let setting = Setting {
            rps,
            fault,
            grpc,
            onset,
            ..USUALLY
        };
        lines.push(line(
            format!("{what}, 0.1 %, {rps}, from 10 %"),
            setting,
            &USUAL[1..],
            101,
        ));
    }
    // An objective for the 99th percentile: half a percent is slow as a rule, and so much more may be.
    for slower in [0.01, 0.005] {
        for (what, fault, rps) in [
            ("worthy", Fault::None, 50.0),
            ("worthy", Fault::None, 500.0),
            ("slow 4 %, after warm-up", Fault::Slow(0.04), 50.0),
            ("slow 4 %, after warm-up", Fault::Slow(0.04), 500.0),
            ("slow 10 %, after warm-up", Fault::Slow(0.1), 50.0),
        ] {
            let (weights, below, onset) = if fault == Fault::None {
                (USUAL, 0, 0)
            } else {
                (&USUAL[1..], 101, WARM_S)
            };
            let setting = Setting {
                slow: 0.005,
                slower,
                rps,
                fault,
                onset,
                ..USUALLY
            };
            let allowed = slower * 100.0;
            lines.push(line(
                format!("p99: {what}, {allowed} % allowed, {rps}"),
                setting,
                weights,
                below,
            ));
        }
    }
    let only = std::env::var("NARU_LINES").unwrap_or_default();
    lines.retain(|it| it.what.contains(&only));
    lines
}

fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    let told = std::env::var(name).ok().and_then(|it| it.parse().ok());
    told.unwrap_or(otherwise)
}

fn main() {
    let (minutes, runs) = (number("NARU_MINUTES", 15_u64), number("NARU_RUNS", 223_u64));
    let (begun, mut lines) = (Instant::now(), all());
    'time: for run in 0..runs {
        for line in &mut lines {
            if begun.elapsed().as_secs() >= 60 * minutes {
                break 'time;
            }
            let one = Instant::now();
            line.ends
                .push(play(line.setting, line.weights, 1_000_003 * run + 17));
            line.took += one.elapsed();
        }
    }
    let (mut wrong, mut all) = (0, 0);
    println!("what, base error, rps | ms a run");
    for it in &lines {
        let runs = u32::try_from(it.ends.len()).unwrap_or(u32::MAX).max(1);
        print!("{:>5} ms | ", (it.took / runs).as_millis());
        if it.setting.fault != Fault::None {
            // Seconds since the fault; requests that failed at v2, the base among them.
            line(&it.ends, 1, it.below, &it.what);
            continue;
        }
        let k = rolled(&it.ends);
        (wrong, all) = (wrong + k, all + runs);
        let done: Vec<i64> = it
            .ends
            .iter()
            .filter_map(End::promoted)
            .map(|it| it / 60)
            .collect();
        println!(
            "{} | rolled back {k} of {runs}, at most {:.2} % | promoted {}, median minutes {}",
            it.what,
            100.0 * upper(k, runs),
            done.len(),
            nth(done.clone(), 50)
        );
        for end in it.ends.iter().filter(|it| matches!(it, End::RolledBack { .. })) {
            println!("      {end:?}");
        }
    }
    println!(
        "worthy together: {wrong} of {all}, upper 95 % {:.2} %",
        100.0 * upper(wrong, all)
    );
}
