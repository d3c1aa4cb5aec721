//! The properties of splits.

use super::{Series, Subject, about, flow, requests, run, service, split, traffic, unrouted};
use naru_domain::{
    Why,
    traffic::{Party, Reporter, ServiceId, SplitQuestion, SplitRow},
};

/// Only samples after the moment count, and all of them: those of a series that has just begun too.
pub async fn a_split_counts_only_later_samples(subject: &dyn Subject) {
    let (one, two) = (requests("v1", Reporter::Source), requests("v2", Reporter::Source));
    run(subject, 3, &[(&one, 1_000)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(
        subject,
        4,
        &[
            (&one, 70),
            (&two, 30),
            (
                &Series {
                    code: "503",
                    ..two.clone()
                },
                5,
            ),
        ],
    )
    .await;
    let split = split(subject, since)
        .await
        .unwrap_or_else(|why| panic!("{why:?}"));
    let row = |version: &str, requests: u32, failed| SplitRow {
        namespace: "shop".into(),
        workload: format!("user-{version}").into(),
        version: version.into(),
        route: "".into(),
        requests: requests.into(),
        failed,
        timed: requests.into(),
        spent_ms: Some(f64::from(requests) * 20.0),
    };
    assert_eq!(split.rows, [row("v1", 280, 0), row("v2", 140, 20)]);
    assert!(split.unrouted.is_empty());
    assert!(since <= split.from && split.from < split.to, "{split:?}");
}

/// What proxies tell the route of is counted by it, beside what they do not.
pub async fn a_split_tells_routes_apart(subject: &dyn Subject) {
    let plain = requests("v1", Reporter::Source);
    let by = |route, it: &Series| Series { route, ..it.clone() };
    let (weighted, tester) = (by("weights", &plain), by("tester.beta", &plain));
    let nobody = by("weights", &unrouted());
    let since = subject.now();
    run(
        subject,
        2,
        &[(&plain, 0), (&weighted, 0), (&tester, 0), (&nobody, 0)],
    )
    .await;
    let all = [(&plain, 3), (&weighted, 50), (&tester, 20), (&nobody, 4)];
    run(subject, 1, &all).await;
    let split = split(subject, since)
        .await
        .unwrap_or_else(|why| panic!("{why:?}"));
    let told: Vec<_> = split.rows.iter().map(|it| (&*it.route, it.requests)).collect();
    assert_eq!(told, [("", 3), ("tester.beta", 20), ("weights", 50)]);
    assert_eq!(split.unrouted, [("weights".into(), 4)].into());
}

/// What was before the moment is counted beside, of the same services, and never with what came later.
pub async fn what_was_before_a_change_is_told_beside(subject: &dyn Subject) {
    let one = requests("v1", Reporter::Source);
    // Another code is another series: of one, all requests take as long as the first did.
    let slow = Series {
        code: "201",
        duration_ms: 80,
        ..one.clone()
    };
    let failing = Series {
        code: "503",
        ..one.clone()
    };
    run(subject, 3, &[(&one, 90), (&failing, 10)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(subject, 2, &[(&slow, 50)]).await;
    let split = split(subject, since)
        .await
        .unwrap_or_else(|why| panic!("{why:?}"));
    let before = split.before.unwrap_or_else(|| panic!("nothing before"));
    // Of three scrapes the first is where counting begins.
    let told = |it: &SplitRow| (it.requests, it.failed, it.spent_ms);
    assert_eq!(
        before.rows.iter().map(told).collect::<Vec<_>>(),
        [(200, 20, Some(4_000.0))]
    );
    assert_eq!(
        split.rows.iter().map(told).collect::<Vec<_>>(),
        [(100, 0, Some(8_000.0))]
    );
    assert!(before.from < before.to && before.to <= since, "{before:?}");
}

/// The called sides' counts, other services and unknown callers are no part of a split.
pub async fn a_split_is_what_callers_counted_for_this_service(subject: &dyn Subject) {
    let (source, destination) = (
        requests("v1", Reporter::Source),
        requests("v1", Reporter::Destination),
    );
    let mut unknown = destination.clone();
    unknown.flow.source = Party::default();
    let mut other = source.clone();
    other.flow.service.name = "product".into();
    let all = [(&source, 10), (&destination, 10), (&unknown, 10), (&other, 10)];
    run(subject, 1, &all).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(subject, 2, &all).await;
    let split = split(subject, since)
        .await
        .unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(
        split.rows.iter().map(|row| row.requests).collect::<Vec<_>>(),
        [20]
    );
}

/// Requests that reached nobody are counted apart and charged to nobody.
pub async fn what_reached_nobody_is_counted_apart(subject: &dyn Subject) {
    let (one, nobody) = (requests("v1", Reporter::Source), unrouted());
    run(subject, 2, &[(&one, 90), (&nobody, 10)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(subject, 7, &[(&one, 90), (&nobody, 10)]).await;
    let split = split(subject, since)
        .await
        .unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(
        (split.rows.len(), split.rows[0].requests, split.unrouted),
        (1, 630, [("".into(), 70)].into())
    );
    let traffic = traffic(subject).await;
    let flow = flow(&traffic, &nobody);
    about(flow.failed, flow.rate);
    assert!(
        flow.codes.contains_key(&("503".into(), "UH".into())),
        "{:?}",
        flow.codes
    );
}

/// Samples, but no request: that is said, and is no split.
pub async fn no_traffic_is_no_split(subject: &dyn Subject) {
    run(subject, 2, &[(&requests("v1", Reporter::Source), 10)]).await;
    let since = subject.now();
    subject.scrape(4).await;
    let answer = split(subject, since).await;
    assert!(matches!(answer, Err(Why::NoTraffic { .. })), "{answer:?}");
}

/// One answer for each question, in order; of several services, of all of them together.
pub async fn questions_are_answered_in_order(subject: &dyn Subject) {
    let series = requests("v1", Reporter::Source);
    run(subject, 1, &[(&series, 10)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(subject, 3, &[(&series, 10)]).await;
    let about = |services: &[ServiceId]| SplitQuestion {
        services: services.iter().cloned().collect(),
        since,
        changed: None,
    };
    let nobody = ServiceId {
        name: "nobody".into(),
        ..service()
    };
    let known = about(&[service()]);
    let other = about(std::slice::from_ref(&nobody));
    let both = about(&[nobody, service()]);
    let metrics = subject.metrics();
    assert_eq!(metrics.splits(&[]).await, []);
    let answers = metrics.splits(&[other.clone(), known, both, other]).await;
    let told: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(told, [false, true, true, false]);
    assert_eq!(answers[1], answers[2]);
}
