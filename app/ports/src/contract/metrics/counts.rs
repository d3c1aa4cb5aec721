//! The properties of counts: what a canary is judged by.

use super::{Series, Subject, requests, run, service, unrouted};
use naru_domain::{
    Name, Timestamp,
    judge::guardrail::{Block, Counts, CountsQuestion, Role, Slow},
    traffic::{Protocol, Reporter},
};
use std::collections::BTreeSet;

/// What both versions of the shop's user service have answered since a moment.
pub(super) fn versions(since: Timestamp) -> CountsQuestion {
    let workload = |version: &str| BTreeSet::from([("shop".into(), format!("user-{version}").into())]);
    CountsQuestion {
        service: service(),
        stable: workload("v1"),
        canary: workload("v2"),
        since,
        slow_above_ms: None,
    }
}

async fn counts(subject: &dyn Subject, question: &CountsQuestion) -> Counts {
    let answer = subject.metrics().counts(question).await;
    answer.unwrap_or_else(|why| panic!("{why:?}"))
}

/// Requests, failed, failed by gRPC, client errors, slow.
type Sums = [u64; 5];

fn sums<'a>(blocks: impl Iterator<Item = &'a Block>) -> Sums {
    blocks.fold([0; 5], |sums, it| {
        let [requests, failed, grpc, client, slow] = sums;
        [
            requests + it.requests,
            failed + it.failed,
            grpc + it.grpc_failed,
            client + it.client_errors,
            slow + it.slow,
        ]
    })
}

fn of(counts: &Counts, role: Role) -> Sums {
    sums(counts.blocks.iter().filter(|it| it.role == role))
}

/// The same series from another caller.
fn by(caller: &str, series: &Series) -> Series {
    let mut series = series.clone();
    series.flow.source.workload = caller.into();
    series.flow.source.app = caller.into();
    series
}

/// Versions, callers and scrapes stand apart; other services, other workloads and what was counted before are not in it.
pub async fn counts_are_by_version_caller_and_scrape(subject: &dyn Subject) {
    let (one, two) = (requests("v1", Reporter::Source), requests("v2", Reporter::Source));
    let batch = by("batch", &one);
    let third = requests("v3", Reporter::Source);
    let mut other = one.clone();
    other.flow.service.name = "product".into();
    run(
        subject,
        3,
        &[(&one, 1_000), (&batch, 100), (&third, 50), (&other, 10)],
    )
    .await;
    let since = subject.now();
    subject.scrape(1).await;
    let all = [(&one, 70), (&batch, 20), (&two, 30), (&third, 50), (&other, 10)];
    run(subject, 4, &all).await;
    let counts = counts(subject, &versions(since)).await;
    let callers: BTreeSet<&Name> = counts.blocks.iter().map(|it| &it.caller).collect();
    assert_eq!(callers.len(), 2, "{callers:?}");
    let mut told: Vec<(Role, &str, u64)> = Vec::new();
    for role in [Role::Stable, Role::Canary] {
        for caller in &callers {
            let its: Vec<&Block> = counts
                .blocks
                .iter()
                .filter(|it| it.role == role && it.caller == **caller)
                .collect();
            if let Some(first) = its.first() {
                told.push((role, &first.destination, sums(its.iter().copied())[0]));
            }
        }
    }
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (Role::Stable, "shop/user-v1", 80),
            (Role::Stable, "shop/user-v1", 280),
            (Role::Canary, "shop/user-v2", 120),
        ]
    );
    let order: Vec<Timestamp> = counts.blocks.iter().map(|it| it.to).collect();
    assert!(
        order.is_sorted() && order.iter().all(|to| *to > since),
        "{order:?}"
    );
    let scrapes: BTreeSet<Timestamp> = order.into_iter().collect();
    assert!((2..=8).contains(&scrapes.len()), "{scrapes:?}");
    let long = |it: &&Block| it.to.duration_since(it.from) > counts.scrape * 3;
    assert_eq!(counts.blocks.iter().find(long), None, "{:?}", counts.scrape);
    let off = counts.scrape.as_secs_f64() - f64::from(subject.interval_s());
    assert!(
        off.abs() < 0.3 * f64::from(subject.interval_s()),
        "{:?}",
        counts.scrape
    );
    let newest = counts.newest.expect("callers were scraped");
    assert!(
        subject.now().duration_since(newest) < counts.scrape * 4,
        "{newest}"
    );
}

/// By response code, by gRPC's status, and what the caller is to blame for.
pub async fn counts_tell_how_requests_failed(subject: &dyn Subject) {
    let (one, two) = (requests("v1", Reporter::Source), requests("v2", Reporter::Source));
    let coded = |code: &'static str, flags: &'static str| Series {
        code,
        flags,
        ..two.clone()
    };
    let (down, gone, denied) = (coded("503", "UF,URX"), coded("0", "DC"), coded("401", "-"));
    let grpc = |status: &'static str| {
        let mut series = two.clone();
        series.flow.protocol = Protocol::Grpc;
        series.grpc_status = status;
        series
    };
    let (called, unavailable) = (grpc("0"), grpc("14"));
    run(subject, 2, &[(&one, 100)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    let all = [
        (&one, 100),
        (&two, 40),
        (&down, 1),
        (&gone, 2),
        (&denied, 3),
        (&called, 5),
        (&unavailable, 7),
    ];
    run(subject, 3, &all).await;
    let counts = counts(subject, &versions(since)).await;
    assert_eq!(of(&counts, Role::Stable), [300, 0, 0, 0, 0]);
    assert_eq!(of(&counts, Role::Canary), [3 * 58, 3 * 3, 3 * 7, 3 * 3, 0]);
    assert!(counts.unrouted.is_empty(), "{:?}", counts.unrouted);
}

/// Slower than a bucket's bound is slow; what no bucket ends at cannot be told, and that is said.
pub async fn counts_tell_slow_requests_by_a_buckets_bound(subject: &dyn Subject) {
    let one = requests("v1", Reporter::Source);
    let two = Series {
        duration_ms: 80,
        ..requests("v2", Reporter::Source)
    };
    let slower = Series {
        duration_ms: 300,
        code: "201",
        ..two.clone()
    };
    run(subject, 2, &[(&one, 100)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(subject, 3, &[(&one, 90), (&two, 10), (&slower, 4)]).await;
    for (bound, slow) in [
        (50.0, [0, 42]),
        (100.0, [0, 12]),
        (10.0, [270, 42]),
        (1_000.0, [0, 0]),
    ] {
        let question = CountsQuestion {
            slow_above_ms: Some(bound),
            ..versions(since)
        };
        let counts = counts(subject, &question).await;
        let told = [Role::Stable, Role::Canary].map(|role| of(&counts, role)[4]);
        assert_eq!(told, slow, "above {bound}");
    }
    let question = CountsQuestion {
        slow_above_ms: Some(60.0),
        ..versions(since)
    };
    // Requests are counted all the same, and where buckets do end is told.
    let counts = counts(subject, &question).await;
    assert_eq!(
        counts.slow,
        Slow::NoBucket {
            nearest: vec![50.0, 100.0]
        }
    );
    assert_eq!(
        [Role::Stable, Role::Canary].map(|role| of(&counts, role)[0]),
        [270, 42]
    );
}

/// Failures that no workload answered are no version's.
pub async fn counts_tell_who_reached_nobody(subject: &dyn Subject) {
    let (one, nobody) = (requests("v1", Reporter::Source), unrouted());
    run(subject, 2, &[(&one, 90)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(
        subject,
        3,
        &[(&one, 90), (&nobody, 10), (&by("batch", &nobody), 1)],
    )
    .await;
    let counts = counts(subject, &versions(since)).await;
    assert_eq!(of(&counts, Role::Stable), [270, 0, 0, 0, 0]);
    assert_eq!(of(&counts, Role::Canary), [0; 5]);
    let callers: BTreeSet<&Name> = counts.unrouted.iter().map(|it| &it.caller).collect();
    let reached_nobody: u64 = counts.unrouted.iter().map(|it| it.requests).sum();
    assert_eq!((callers.len(), reached_nobody), (2, 33), "{:?}", counts.unrouted);
    assert!(counts.unrouted.iter().all(|it| it.to > since));
}

/// The first sample of a series counts, and so does what a proxy counted after it was started anew.
pub async fn counts_begin_with_a_series_and_anew_with_its_proxy(subject: &dyn Subject) {
    let (one, two) = (requests("v1", Reporter::Source), requests("v2", Reporter::Source));
    let failed = Series {
        code: "500",
        ..two.clone()
    };
    run(subject, 2, &[(&one, 500)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(subject, 1, &[(&one, 100), (&two, 9), (&failed, 6)]).await;
    subject.scrape(1).await;
    let first = counts(subject, &versions(since)).await;
    assert_eq!(of(&first, Role::Canary), [15, 6, 0, 0, 0]);
    subject.restart().await;
    run(subject, 2, &[(&one, 40), (&two, 3), (&failed, 1)]).await;
    let counts = counts(subject, &versions(since)).await;
    assert_eq!(of(&counts, Role::Stable), [180, 0, 0, 0, 0]);
    assert_eq!(of(&counts, Role::Canary), [15 + 8, 6 + 2, 0, 0, 0]);
}

/// What the called side's proxies counted is not added to what callers' did; callers without a proxy are not in it. A version of which less
/// was counted there than callers asked of it is not collected whole, and then nothing is told of either.
pub async fn attempts_are_counted_beside_requests(subject: &dyn Subject) {
    let reported = |reporter| [requests("v1", reporter), requests("v2", reporter)];
    let [one, two] = reported(Reporter::Source);
    let [tried, tried_two] = reported(Reporter::Destination);
    let mut unknown = tried_two.clone();
    unknown.flow.source = naru_domain::traffic::Party::default();
    let all = [
        (&one, 100),
        (&two, 10),
        (&tried, 110),
        (&tried_two, 12),
        (&unknown, 1_000),
    ];
    run(subject, 2, &all).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(subject, 3, &all).await;
    let told = |counts: &Counts| {
        [Role::Stable, Role::Canary].map(|role| {
            let its = counts.arrivals.iter().filter(|it| it.role == role);
            (of(counts, role)[0], its.map(|it| it.attempts).sum::<u64>())
        })
    };
    let both = counts(subject, &versions(since)).await;
    assert_eq!(told(&both), [(300, 330), (30, 36)]);
    run(subject, 3, &[(&one, 100), (&two, 10), (&tried_two, 10)]).await;
    let half = counts(subject, &versions(since)).await;
    assert_eq!(told(&half), [(600, 0), (60, 0)]);
}

/// Samples without requests, and no samples at all.
pub async fn no_requests_are_no_counts(subject: &dyn Subject) {
    let nothing = |counts: &Counts| {
        counts.blocks.is_empty() && counts.arrivals.is_empty() && counts.unrouted.is_empty()
    };
    let before = counts(subject, &versions(subject.now())).await;
    assert!(nothing(&before) && before.newest.is_none(), "{before:?}");
    run(subject, 2, &[(&requests("v1", Reporter::Source), 10)]).await;
    let since = subject.now();
    subject.scrape(3).await;
    let after = counts(subject, &versions(since)).await;
    assert!(
        nothing(&after) && after.newest.is_some_and(|at| at > since),
        "{after:?}"
    );
}
