//! What both versions are compared over: all, the weight in force, the last minutes.

use super::{at, codes, of_canary, rules, worthy};
use crate::Timestamp;
use crate::judge::guardrail::{
    Arrivals, Block, Evidence, Hold, Metric, Reason, Role, Rules, Span, Verdict, judge,
};

/// An hour at 10 % that was well, then so many minutes at 25 %, of whose requests so many of a hundred fail at the canary.
fn later(minutes: i64, failing: u64) -> (Rules, Evidence, Timestamp) {
    let (end, mut evidence) = (3_600 + 60 * minutes, worthy());
    let one = |role| {
        evidence
            .blocks
            .iter()
            .find(|it| it.role == role)
            .cloned()
            .unwrap()
    };
    let (stable, canary) = (one(Role::Stable), one(Role::Canary));
    evidence.blocks.clear();
    evidence.arrivals.clear();
    for to in (15..=end).step_by(15) {
        let (n, failed) = if to <= 3_600 {
            (100, 0)
        } else {
            (250, 250 * failing / 100)
        };
        for (block, n, failed) in [(&stable, 1_000 - n, 0), (&canary, n, failed)] {
            evidence.blocks.push(Block {
                from: at(to - 15),
                to: at(to),
                requests: n,
                failed,
                client_errors: 0,
                slow: 0,
                ..block.clone()
            });
        }
    }
    evidence.newest = Some(at(end));
    let rules = Rules {
        weight: 25,
        since: at(3_600),
        ..rules()
    };
    (rules, evidence, at(end))
}

#[test]
fn what_fails_only_at_the_later_weight_is_not_diluted_by_the_hour_before() {
    let (rules, evidence, now) = later(2, 3);
    let judged = judge(&rules, &evidence, now);
    assert_eq!(
        codes(&judged),
        ("hold", vec!["dwell".to_owned(), "undecided".to_owned()])
    );
    assert_eq!(judged.metrics[0].span, Span::Weight);
    let (rules, evidence, now) = later(10, 3);
    let judged = judge(&rules, &evidence, now);
    assert_eq!(codes(&judged), ("back", vec!["worse".to_owned()]));
    let errors = &judged.metrics[0];
    assert_eq!((errors.span, errors.n), (Span::Weight, 10_000));
    assert!((errors.difference - 0.028).abs() < 1e-3, "{errors:?}");
    // Over all that was counted the same requests condemn nobody.
    let whole = Rules {
        since: rules.began,
        ..rules.clone()
    };
    let judged = judge(&whole, &evidence, now);
    assert!(
        !matches!(judged.verdict, Verdict::RollBack(_)),
        "{:?}",
        judged.verdict
    );
    // What may be chance holds, by this weight alone.
    let (rules, evidence, now) = later(10, 2);
    let mut few = evidence.clone();
    for block in &mut few.blocks {
        if block.to > at(3_600) {
            block.requests /= 25;
            block.failed = u64::from(block.role == Role::Canary && block.to.as_second() % 60 == 0);
        }
    }
    let rules = Rules {
        requests: 100,
        ..rules
    };
    let judged = judge(&rules, &few, now);
    assert_eq!(codes(&judged), ("hold", vec!["undecided".to_owned()]));
    assert_eq!(judged.metrics[0].span, Span::Weight);
    // And what is well at this weight advances, shown over all that was counted.
    let (rules, evidence, now) = later(10, 0);
    let judged = judge(&rules, &evidence, now);
    assert_eq!(
        (judged.verdict, judged.metrics[0].span),
        (Verdict::Advance, Span::Began)
    );
}

#[test]
fn each_weight_has_its_part_of_the_error_probability() {
    let (rules, evidence, now) = later(20, 3);
    let low = |steps| {
        let rules = Rules {
            steps,
            ..rules.clone()
        };
        let judged = judge(&rules, &evidence, now);
        (judged.metrics[0].span, judged.metrics[0].low)
    };
    let (two, ten) = (low(2), low(10));
    assert_eq!((two.0, ten.0), (Span::Weight, Span::Weight));
    assert!(ten.1 < two.1, "{ten:?} {two:?}");
    assert_eq!(low(1), two);
}

#[test]
fn what_began_lately_holds_and_is_shown_and_condemns_nobody() {
    let (mut rules, mut evidence, now) = later(60, 0);
    rules.requests = 500;
    of_canary(&mut evidence, |block| {
        if block.to > at(7_200 - 240) {
            block.failed = 20;
        }
    });
    let judged = judge(&rules, &evidence, now);
    assert_eq!(codes(&judged), ("hold", vec!["recently-worse".to_owned()]));
    let errors = &judged.metrics[0];
    assert_eq!((errors.span, errors.n), (Span::Recent, 10_000));
    // Slowness as well, and what only warming up explains does not make it more than a hold.
    of_canary(&mut evidence, |block| {
        block.failed = 0;
        block.slow = if block.to > at(7_200 - 240) { 40 } else { 0 };
    });
    let judged = judge(&rules, &evidence, now);
    assert_eq!(judged.verdict, Verdict::Hold(vec![Hold::Recent(Metric::Latency)]));
    assert_eq!(judged.metrics[1].span, Span::Recent);
}

#[test]
fn retries_at_this_weight_are_compared_by_whole_minutes() {
    let (rules, mut evidence, now) = later(10, 0);
    let rules = Rules {
        since: at(3_615),
        ..rules
    };
    for block in evidence.blocks.clone() {
        let more = if block.role == Role::Canary && block.to > at(3_600) {
            5
        } else {
            1
        };
        evidence.arrivals.push(Arrivals {
            to: block.to,
            role: block.role,
            pod: None,
            attempts: block.requests * (10 + more) / 10,
        });
    }
    let judged = judge(&rules, &evidence, now);
    let retries = judged
        .metrics
        .iter()
        .find(|it| it.metric == Metric::Amplification)
        .unwrap();
    assert_eq!(
        judged.verdict,
        Verdict::RollBack(vec![Reason::Worse(Metric::Amplification)])
    );
    // The minute in which the weight came is left out.
    assert_eq!((retries.span, retries.n), (Span::Weight, 250 * 4 * 9 + 250));
    assert!((retries.canary - 0.5).abs() < 1e-9, "{retries:?}");
}
