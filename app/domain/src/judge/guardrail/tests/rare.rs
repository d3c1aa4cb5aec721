//! Few of many requests: what moves the 99th percentile and not the 95th.

use super::{at, codes, of_canary, rules, worthy};
use crate::judge::guardrail::{Evidence, Rules, judge};
use jiff::SignedDuration;

/// Two minutes of 500 requests a second, one in ten at the canary; one in a thousand of both is slow, of which half a percent more may be.
fn busy() -> (Rules, Evidence) {
    let (mut rules, mut evidence) = (rules(), worthy());
    rules.warm_up = SignedDuration::ZERO;
    rules.guardrail.latency.as_mut().unwrap().difference = 0.005;
    evidence.blocks.retain(|it| it.to <= at(120));
    evidence.arrivals.clear();
    evidence.newest = Some(at(120));
    for block in &mut evidence.blocks {
        block.requests = block.requests * 15 / 2;
        (block.failed, block.client_errors, block.slow) = (0, 0, block.requests / 1_000);
    }
    (rules, evidence)
}

#[test]
fn four_slow_of_a_hundred_are_caught_within_two_minutes() {
    let (rules, mut evidence) = busy();
    of_canary(&mut evidence, |block| block.slow += block.requests / 25);
    let judged = judge(&rules, &evidence, at(120));
    assert_eq!(codes(&judged), ("back", vec!["worse".to_owned()]));
}

#[test]
fn a_burst_of_as_many_as_may_be_is_not() {
    // Within what is allowed on the whole, and all of it in one minute: nothing is held against it but its time.
    let (rules, mut evidence) = busy();
    of_canary(&mut evidence, |block| {
        block.slow += if block.to > at(60) {
            block.requests / 100
        } else {
            0
        };
    });
    let judged = judge(&rules, &evidence, at(120));
    let (verdict, why) = codes(&judged);
    assert_eq!(verdict, "hold");
    assert!(!why.contains(&"worse".to_owned()), "{why:?}");
}
