//! A canary played from its first request to its end, looked at after every scrape.

use super::{
    told::End,
    world::{Fault, Setting, World, at},
};
use jiff::SignedDuration;
use naru_domain::{
    canary::spec::{Guardrail, Latency},
    judge::guardrail::{Rules, Verdict, judge},
};

/// Weight, minutes of dwell, requests.
pub(crate) type Steps = &'static [(u32, i64, u64)];

/// A usual canary.
pub(crate) const USUAL: Steps = &[(5, 10, 500), (10, 10, 500), (25, 10, 500), (50, 10, 500)];

/// One that stays for an hour at 10 %.
pub(crate) const LONG: Steps = &[(10, 60, 500), (25, 10, 500), (50, 10, 500)];

/// No canary is played for longer: six hours.
const LONGEST: i64 = 6 * 3_600;

pub(crate) fn play(setting: Setting, steps: Steps, seed: u64) -> End {
    let mut world = World::new(setting, seed);
    let mut since = 0;
    for &(weight, dwell, requests) in steps {
        loop {
            world.tick(weight);
            let rules = Rules {
                guardrail: Guardrail {
                    latency: Some(Latency {
                        above_ms: 1_000.0,
                        difference: 0.02,
                    }),
                    ..Guardrail::default()
                },
                weight,
                since: at(since),
                began: at(0),
                steps: u32::try_from(steps.len()).unwrap_or(u32::MAX),
                dwell: SignedDuration::from_mins(dwell),
                requests,
                warm_up: SignedDuration::from_mins(3),
                max_blind: SignedDuration::from_mins(10),
                blind_since: None,
            };
            let now = world.now();
            match judge(&rules, &world.evidence, now).verdict {
                Verdict::Advance => break,
                Verdict::RollBack(reasons) => {
                    return End::RolledBack {
                        after: now.as_second() - world.begun.unwrap_or(0),
                        weight,
                        reasons,
                        harmed: world.harmed,
                    };
                }
                Verdict::Hold(_) if now.as_second() >= LONGEST => return End::Lasting,
                // Nothing new happens after what was wrong is over.
                Verdict::Hold(_)
                    if matches!(setting.fault, Fault::FirstMinute(_)) && now.as_second() > 900 =>
                {
                    return End::Lasting;
                }
                Verdict::Hold(_) => {}
            }
        }
        since = world.now().as_second();
    }
    End::Promoted(since)
}
