mod rare;
mod spans;

use super::{
    Arrivals, Block, Evidence, Facts, Hold, Judged, Metric, Reason, Role, Rules, Said, Slow, Unrouted,
    Verdict, judge,
};
use crate::{
    Timestamp,
    canary::spec::{Guardrail, Latency},
};
use jiff::SignedDuration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn rules() -> Rules {
    Rules {
        guardrail: Guardrail {
            latency: Some(Latency {
                above_ms: 500.0,
                difference: 0.02,
            }),
            ..Guardrail::default()
        },
        weight: 10,
        since: at(0),
        began: at(0),
        steps: 4,
        dwell: SignedDuration::from_mins(10),
        requests: 1_000,
        warm_up: SignedDuration::from_mins(3),
        max_blind: SignedDuration::from_mins(10),
        blind_since: None,
    }
}

/// Twenty minutes of scrapes of a worthy canary: 900 requests a scrape at the stable version, 100 at the canary, one in a hundred of both
/// fails, is slow or refused.
fn worthy() -> Evidence {
    let facts = Facts {
        ready: Some(2),
        started: Some(at(-9_000)),
        ..Facts::default()
    };
    let mut evidence = Evidence {
        scrape: SignedDuration::from_secs(15),
        newest: Some(at(1_200)),
        blocks: Vec::new(),
        arrivals: Vec::new(),
        unrouted: Vec::new(),
        slow: Slow::Told,
        left_out: None,
        stable: facts.clone(),
        canary: facts,
    };
    for scrape in 1..=80 {
        let to = at(15 * scrape);
        for (role, n) in [(Role::Stable, 900), (Role::Canary, 100)] {
            evidence.blocks.push(Block {
                from: at(15 * scrape - 15),
                to,
                role,
                caller: "gateway".into(),
                destination: role.name().into(),
                requests: n,
                failed: n / 100,
                grpc_failed: 0,
                client_errors: n / 100,
                slow: n / 100,
            });
            evidence.arrivals.push(Arrivals {
                to,
                role,
                pod: None,
                attempts: n + n / 50,
            });
        }
    }
    evidence
}

fn of_canary(evidence: &mut Evidence, change: impl Fn(&mut Block)) {
    evidence
        .blocks
        .iter_mut()
        .filter(|it| it.role == Role::Canary)
        .for_each(change);
}

fn now(rules: &Rules, evidence: &Evidence) -> Judged {
    judge(rules, evidence, at(1_200))
}

fn codes(judged: &Judged) -> (&'static str, Vec<String>) {
    let code = |said: Said| said.code.to_string();
    match &judged.verdict {
        Verdict::Advance => ("advance", Vec::new()),
        Verdict::Hold(holds) => ("hold", holds.iter().map(|it| code(it.into())).collect()),
        Verdict::RollBack(reasons) => ("back", reasons.iter().map(|it| code(it.into())).collect()),
    }
}

#[test]
fn what_is_well_and_over_advances() {
    let judged = now(&rules(), &worthy());
    assert_eq!(judged.verdict, Verdict::Advance);
    let metrics: Vec<Metric> = judged.metrics.iter().map(|it| it.metric).collect();
    assert_eq!(metrics, Metric::ALL);
    let errors = &judged.metrics[0];
    assert_eq!(errors.n, 8_000);
    assert!(errors.low < 0.0 && errors.high > 0.0 && errors.difference.abs() < 1e-9);
}

/// A change of rules or evidence, and what comes of it.
type Case = (
    &'static str,
    fn(&mut Rules, &mut Evidence),
    &'static str,
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "the dwell is not over",
        |rules, _| rules.since = at(900),
        "hold",
        &["dwell"],
    ),
    (
        "too few requests",
        |rules, _| rules.requests = 9_000,
        "hold",
        &["few-requests"],
    ),
    (
        "a pod is young",
        |_, it| it.canary.started = Some(at(1_100)),
        "hold",
        &["warm-up"],
    ),
    (
        "stable restarted",
        |_, it| it.stable.restarts = 1,
        "hold",
        &["stable-restarted"],
    ),
    (
        "a rollout of stable",
        |_, it| it.stable.deployed = Some(at(900)),
        "hold",
        &["deployed"],
    ),
    (
        "a rollout of the canary",
        |_, it| it.canary.deployed = Some(at(900)),
        "hold",
        &["deployed"],
    ),
    (
        "one pod for many",
        |_, it| it.stable.ready = Some(40),
        "hold",
        &["load"],
    ),
    (
        "little load is usual",
        |_, it| it.canary.ready = Some(40),
        "advance",
        &[],
    ),
    (
        "the source is stale",
        |_, it| it.newest = Some(at(1_100)),
        "hold",
        &["stale"],
    ),
    (
        "two scrapes are missed",
        |_, it| it.newest = Some(at(1_160)),
        "advance",
        &[],
    ),
    (
        "nothing was ever seen",
        |_, it| {
            it.newest = None;
            it.blocks.clear();
            it.arrivals.clear();
        },
        "hold",
        &["few-requests", "nothing-to-compare", "no-samples"],
    ),
    (
        "readiness is not known",
        |_, it| it.canary.ready = None,
        "hold",
        &["readiness-unknown"],
    ),
    (
        "no pods",
        |_, it| it.canary.ready = Some(0),
        "back",
        &["no-ready-pods"],
    ),
    (
        "no pods, and no samples",
        |_, it| {
            it.newest = None;
            it.blocks.clear();
            it.canary.ready = Some(0);
        },
        "back",
        &["no-ready-pods"],
    ),
    (
        "a crash loop",
        |_, it| it.canary.crash_looping = 1,
        "back",
        &["crash-looping"],
    ),
    (
        "restarts before it is called a loop",
        |_, it| it.canary.restarts = 2,
        "back",
        &["crash-looping"],
    ),
    ("one restart", |_, it| it.canary.restarts = 1, "advance", &[]),
    (
        "failures",
        |_, it| of_canary(it, |block| block.failed += 5),
        "back",
        &["worse"],
    ),
    (
        "failures while a pod is young",
        |_, it| {
            it.canary.started = Some(at(1_100));
            of_canary(it, |block| block.failed += 5);
        },
        "back",
        &["worse"],
    ),
    (
        "gRPC alone",
        |_, it| of_canary(it, |block| block.grpc_failed += 5),
        "back",
        &["worse"],
    ),
    (
        "401",
        |_, it| of_canary(it, |block| block.client_errors += 8),
        "back",
        &["worse"],
    ),
    (
        "401 of both",
        |_, it| {
            it.blocks
                .iter_mut()
                .for_each(|block| block.client_errors = block.requests / 2)
        },
        "advance",
        &[],
    ),
    (
        "401 that do not count",
        |rules, it| {
            rules.guardrail.client_errors = false;
            of_canary(it, |block| block.client_errors += 8);
        },
        "advance",
        &[],
    ),
    (
        "slowness",
        |_, it| of_canary(it, |block| block.slow += 8),
        "back",
        &["worse"],
    ),
    (
        "an objective that no bucket ends at",
        |_, it| {
            it.slow = Slow::no_bucket(500.0, [10.0, 250.0, 500.5, 1_000.0, f64::INFINITY]);
            of_canary(it, |block| block.slow = 0);
        },
        "hold",
        &["no-bucket-nearest"],
    ),
    (
        "the same, and nobody knows which there are",
        |_, it| it.slow = Slow::no_bucket(500.0, []),
        "hold",
        &["no-bucket"],
    ),
    (
        "the same, where nobody asked for latency",
        |rules, it| {
            rules.guardrail.latency = None;
            it.slow = Slow::no_bucket(500.0, []);
        },
        "advance",
        &[],
    ),
    (
        "the same, and failures",
        |_, it| {
            it.slow = Slow::no_bucket(500.0, []);
            of_canary(it, |block| block.failed += 5);
        },
        "back",
        &["worse"],
    ),
    (
        "slowness after a restart of stable",
        |_, it| {
            it.stable.restarts = 1;
            of_canary(it, |block| block.slow += 8);
        },
        "hold",
        &["undecided", "stable-restarted"],
    ),
    (
        "slowness while it was warming up",
        |_, it| {
            of_canary(it, |block| {
                if block.to <= at(165) {
                    block.slow = 60;
                }
            })
        },
        "advance",
        &[],
    ),
    (
        "retries",
        |_, it| {
            it.arrivals
                .iter_mut()
                .filter(|it| it.role == Role::Canary)
                .for_each(|it| it.attempts += 30);
        },
        "back",
        &["worse"],
    ),
    (
        "attempts that nobody counted",
        |_, it| it.arrivals.clear(),
        "advance",
        &[],
    ),
    (
        "a point, which may be chance",
        |_, it| {
            of_canary(it, |block| {
                if block.to <= at(1_140) {
                    block.failed += 1;
                } else {
                    block.failed += 2;
                }
            })
        },
        "hold",
        &["undecided"],
    ),
    (
        "failures that reached nobody",
        |_, it| unrouted(it, true),
        "back",
        &["worse"],
    ),
    (
        "the same, when stable had no pods",
        |_, it| unrouted(it, false),
        "advance",
        &[],
    ),
];

fn unrouted(evidence: &mut Evidence, stable_ready: bool) {
    for minute in 1..=10 {
        evidence.unrouted.push(Unrouted {
            to: at(60 * minute),
            caller: "gateway".into(),
            requests: 60,
            stable_ready,
        });
    }
}

#[test]
fn each_rule_by_itself() {
    for (what, change, verdict, said) in CASES {
        let (mut rules, mut evidence) = (rules(), worthy());
        change(&mut rules, &mut evidence);
        let judged = now(&rules, &evidence);
        assert_eq!(
            codes(&judged),
            (*verdict, said.iter().map(ToString::to_string).collect()),
            "{what}"
        );
    }
}

#[test]
fn first_failures_count_and_a_handful_condemns_nobody() {
    // Only the first scrape is there, and all of the canary's requests failed.
    for (requests, back) in [(4, false), (40, true)] {
        let mut evidence = worthy();
        evidence.blocks.truncate(2);
        evidence.arrivals.truncate(2);
        evidence.newest = Some(at(15));
        of_canary(&mut evidence, |block| {
            (block.requests, block.failed) = (requests, requests)
        });
        let judged = judge(&rules(), &evidence, at(15));
        assert_eq!(matches!(judged.verdict, Verdict::RollBack(_)), back, "{requests}");
        let undecided =
            matches!(&judged.verdict, Verdict::Hold(it) if it.contains(&Hold::Undecided(Metric::Errors)));
        assert_eq!(undecided, !back);
    }
}

#[test]
fn an_incident_of_both_condemns_nobody() {
    let mut evidence = worthy();
    for block in &mut evidence.blocks {
        if (300..=420).contains(&block.to.as_second()) {
            block.failed = block.requests / 3;
        }
    }
    assert!(!matches!(now(&rules(), &evidence).verdict, Verdict::RollBack(_)));
}

#[test]
fn a_caller_that_never_reaches_the_canary_says_nothing_of_it() {
    let mut evidence = worthy();
    let mut others: Vec<Block> = evidence.blocks.clone();
    others.retain(|it| it.role == Role::Stable);
    for block in &mut others {
        block.caller = "batch".into();
        block.failed = block.requests / 2;
    }
    let alone = now(&rules(), &evidence).metrics[0].clone();
    evidence.blocks.extend(others);
    let beside = now(&rules(), &evidence).metrics[0].clone();
    // Drawn a little towards what all callers see, far less than the 25 points by which the versions' totals differ.
    assert!((alone.difference - beside.difference).abs() < 0.01, "{beside:?}");
}

#[test]
fn the_lower_end_is_what_condemns_and_blindness_alarms_in_time() {
    let mut evidence = worthy();
    of_canary(&mut evidence, |block| block.failed += 5);
    let judged = now(&rules(), &evidence);
    assert_eq!(
        judged.verdict,
        Verdict::RollBack(vec![Reason::Worse(Metric::Errors)])
    );
    let errors = &judged.metrics[0];
    assert!(
        errors.low > errors.threshold && errors.low < errors.difference && errors.difference < errors.high
    );
    for (since, alarm) in [(None, false), (Some(at(700)), false), (Some(at(500)), true)] {
        let mut evidence = worthy();
        evidence.newest = None;
        let blind = Rules {
            blind_since: since,
            ..rules()
        };
        let judged = now(&blind, &evidence);
        assert_eq!((judged.blind, judged.alarm), (true, alarm));
        assert!(matches!(judged.verdict, Verdict::Hold(_)));
    }
}

#[test]
fn the_nearest_ends_of_buckets_are_named_and_what_was_left_out_is_told() {
    let mut evidence = worthy();
    evidence.slow = Slow::no_bucket(500.0, [10.0, 250.0, 500.5, 1_000.0, f64::INFINITY]);
    evidence.left_out = Some(at(300));
    let judged = now(&rules(), &evidence);
    let Verdict::Hold(holds) = &judged.verdict else {
        panic!("{:?}", judged.verdict);
    };
    assert_eq!(Said::from(&holds[0]).args["nearest"], "250, 500.5".into());
    assert!(judged.metrics.iter().all(|it| it.metric != Metric::Latency));
    assert_eq!(judged.left_out, Some(at(300)));
}
