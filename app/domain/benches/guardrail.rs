//! How often the guardrail condemns a worthy canary, and how soon it catches a bad one, on seeded runs.
//!
//! `cargo bench -p naru-domain --bench guardrail`; `NARU_RUNS` sets the runs of each line (the number of worthy ones is nine times that).

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "guardrail/chance.rs"]
mod chance;
#[path = "guardrail/play.rs"]
mod play;
#[path = "guardrail/told.rs"]
mod told;
#[path = "guardrail/world.rs"]
mod world;

use play::{LONG, Steps, USUAL, play};
use told::{End, line, nth, rolled, upper};
use world::{Fault, Setting};

/// Nine lines of worthy canaries make 2,007.
const RUNS: u32 = 223;

const BASES: [f64; 3] = [0.0, 0.001, 0.02];
const RATES: [f64; 3] = [5.0, 50.0, 500.0];

fn main() {
    let runs = std::env::var("NARU_RUNS").ok().and_then(|it| it.parse().ok());
    let runs = runs.unwrap_or(RUNS);
    worthy(runs);
    bad(runs);
    later(runs);
    at_once(runs);
}

fn ends(setting: Setting, steps: Steps, runs: u32) -> Vec<End> {
    (0..runs)
        .map(|run| play(setting, steps, 1_000_003 * u64::from(run) + 17))
        .collect()
}

fn worthy(runs: u32) {
    println!("worthy canaries: base error, rps | runs, rolled back, upper 95 % | promoted, median minutes");
    let (mut wrong, mut all) = (0, 0);
    for base in BASES {
        for rps in RATES {
            let setting = Setting {
                base,
                rps,
                fault: Fault::None,
                onset: 0,
            };
            let ends = ends(setting, USUAL, runs);
            let k = rolled(&ends);
            (wrong, all) = (wrong + k, all + runs);
            let done: Vec<i64> = ends.iter().filter_map(End::promoted).map(|it| it / 60).collect();
            println!(
                "{:>4.1} % {rps:>4} | {runs} {k} {:.2} % | {} {}",
                base * 100.0,
                100.0 * upper(k, runs),
                done.len(),
                nth(done.clone(), 50)
            );
            for end in ends {
                if let End::RolledBack {
                    after,
                    weight,
                    reasons,
                    ..
                } = end
                {
                    println!("      after {after} s at {weight} %: {reasons:?}");
                }
            }
        }
    }
    println!(
        "together: {wrong} of {all}, upper 95 % {:.2} %",
        100.0 * upper(wrong, all)
    );
}

fn bad(runs: u32) {
    println!(
        "+3 points: base error, rps | caught before 50 % | minutes median, 95 % | requests harmed median, 95 %"
    );
    for base in BASES {
        for rps in RATES {
            let setting = Setting {
                base,
                rps,
                fault: Fault::Errors(0.03),
                onset: 0,
            };
            line(
                &ends(setting, USUAL, runs),
                60,
                50,
                &format!("{:>4.1} % {rps:>4}", base * 100.0),
            );
        }
    }
}

/// Worse only after an hour that was well.
fn later(runs: u32) {
    println!(
        "+3 points later, base error 0.1 %: what, rps | caught before the next weight | minutes median, 95 % | requests harmed median, 95 %"
    );
    for (what, fault, onset, next) in [
        ("from 25 % on", Fault::AtWeight(25, 0.03), 0, 50),
        ("40 min into 10 %", Fault::Errors(0.03), 2_400, 25),
    ] {
        for rps in RATES {
            let setting = Setting {
                base: 0.001,
                rps,
                fault,
                onset,
            };
            line(
                &ends(setting, LONG, runs.min(100)),
                60,
                next,
                &format!("{what}, {rps:>3}"),
            );
        }
    }
}

fn at_once(runs: u32) {
    println!(
        "at once: what, first weight, rps | caught | seconds median, 95 % | requests harmed median, 95 %"
    );
    for (what, fault, onset) in [
        ("0 pods", Fault::NoPods, 0),
        ("OOM loop", Fault::OomLoop, 0),
        ("gRPC only, 10 %", Fault::Grpc(0.1), 0),
        ("gRPC only, 20 %", Fault::Grpc(0.2), 0),
        ("slow 10 %, after warm-up", Fault::Slow(0.1), 180),
        ("slow 20 %, after warm-up", Fault::Slow(0.2), 180),
        ("first minute, 10 %", Fault::FirstMinute(0.1), 0),
        ("first minute, 20 %", Fault::FirstMinute(0.2), 0),
        ("first minute, 50 %", Fault::FirstMinute(0.5), 0),
    ] {
        for (first, steps) in [(5, USUAL), (10, &USUAL[1..])] {
            for rps in RATES {
                let setting = Setting {
                    base: 0.001,
                    rps,
                    fault,
                    onset,
                };
                let ends = ends(setting, steps, runs.min(100));
                line(&ends, 1, 101, &format!("{what}, {first} %, {rps:>3}"));
            }
        }
    }
}
