//! The properties of rates, and of a source that is away.

use super::{Series, Subject, about, flow, requests, run, service, split, traffic, versions, window};
use naru_domain::{
    SourceName, Why,
    traffic::{Dated, Party, Reporter, SplitQuestion, Traffic},
};

/// Rates are what was counted, by the second; failures, mutual TLS, codes and mean durations are parts of it.
pub async fn rates_are_what_was_counted(subject: &dyn Subject) {
    let good = requests("v1", Reporter::Destination);
    let bad = Series {
        code: "500",
        duration_ms: 60,
        ..good.clone()
    };
    let plain = Series {
        mtls: false,
        ..good.clone()
    };
    run(subject, 9, &[(&good, 60), (&bad, 20), (&plain, 20)]).await;
    let traffic = traffic(subject).await;
    let flow = flow(&traffic, &good);
    let second = f64::from(subject.interval_s());
    about(flow.rate, 100.0 / second);
    about(flow.failed, 20.0 / second);
    about(flow.mtls, 80.0 / second);
    let average = flow
        .average_ms
        .unwrap_or_else(|| panic!("requests have a duration"));
    about(average, 28.0);
    let code = |code: &str| flow.codes.get(&(code.into(), "-".into())).copied().unwrap_or(0.0);
    about(code("200"), 80.0 / second);
    about(code("500"), 20.0 / second);
    assert_eq!(traffic.window_s, window(subject));
}

/// The two reporters of one edge are two flows, each with what it counted.
pub async fn reporters_are_never_added(subject: &dyn Subject) {
    let (source, destination) = (
        requests("v1", Reporter::Source),
        requests("v1", Reporter::Destination),
    );
    // Retries: the called side saw more.
    run(subject, 9, &[(&source, 100), (&destination, 150)]).await;
    let traffic = traffic(subject).await;
    let second = f64::from(subject.interval_s());
    about(flow(&traffic, &source).rate, 100.0 / second);
    about(flow(&traffic, &destination).rate, 150.0 / second);
    assert!(
        flow(&traffic, &source).mtls.abs() < f64::EPSILON,
        "the source's proxy does not say"
    );
}

/// What lies before the window is not in it.
pub async fn what_is_older_than_the_window_is_out(subject: &dyn Subject) {
    let (old, new) = (requests("v1", Reporter::Source), requests("v2", Reporter::Source));
    run(subject, 9, &[(&old, 100)]).await;
    assert!(flow(&traffic(subject).await, &old).rate > 0.0);
    run(subject, 10, &[(&new, 100)]).await;
    let traffic = traffic(subject).await;
    let rate = traffic.flows.get(&old.flow).map_or(0.0, |flow| flow.rate);
    assert!(rate.abs() < f64::EPSILON, "{rate}");
    assert!(flow(&traffic, &new).rate > 0.0);
}

/// A caller without a proxy is there, without a name.
pub async fn an_unknown_caller_is_told_as_such(subject: &dyn Subject) {
    let mut series = Series {
        mtls: false,
        ..requests("v1", Reporter::Destination)
    };
    series.flow.source = Party::default();
    run(subject, 9, &[(&series, 50)]).await;
    let traffic = traffic(subject).await;
    assert!(flow(&traffic, &series).rate > 0.0);
    assert_eq!(traffic.flows.len(), 1);
}

/// The same samples give the same answer, in the same order.
pub async fn the_same_samples_give_the_same_answer(subject: &dyn Subject) {
    let series = ["v3", "v1", "v2"].map(|version| requests(version, Reporter::Source));
    for series in &series {
        run(subject, 3, &[(series, 30)]).await;
    }
    let (metrics, window) = (subject.metrics(), window(subject));
    let (one, two) = (metrics.traffic(window).await, metrics.traffic(window).await);
    let keys = |answer: &Result<Dated<Traffic>, Why>| {
        answer
            .as_ref()
            .map(|dated| dated.value.flows.keys().cloned().collect::<Vec<_>>())
            .ok()
    };
    assert!(keys(&one).is_some_and(|keys| keys.len() == 3), "{one:?}");
    assert_eq!(keys(&one), keys(&two));
    if let (Ok(one), Ok(two)) = (one, two)
        && one.at == two.at
    {
        assert_eq!(one, two);
    }
}

/// Before there are samples no rate and no split is claimed.
pub async fn the_young_claim_nothing(subject: &dyn Subject) {
    let series = requests("v1", Reporter::Source);
    let since = subject.now();
    let claims = |answer: Result<Dated<Traffic>, Why>| match answer {
        Ok(dated) => dated.value.flows.values().any(|flow| flow.rate > 0.0),
        Err(why) => {
            assert!(
                matches!(why, Why::TooYoung { .. } | Why::NoTraffic { .. }),
                "{why:?}"
            );
            false
        }
    };
    assert!(!claims(subject.metrics().traffic(window(subject)).await));
    subject.count(&series, 100).await;
    subject.scrape(1).await;
    assert!(!claims(subject.metrics().traffic(window(subject)).await));
    let answer = split(subject, since).await;
    assert!(matches!(answer, Err(Why::TooYoung { .. })), "{answer:?}");
}

/// A source that is away is an unknown with its reason, for every question, and is asked again later.
pub async fn an_absent_source_is_a_reason(subject: &dyn Subject) {
    let series = requests("v1", Reporter::Source);
    run(subject, 9, &[(&series, 10)]).await;
    subject.reachable(false).await;
    let away = |why: &Why| {
        let source = match why {
            Why::Unreachable { source, .. } | Why::TimedOut { source, .. } | Why::Failed { source, .. } => {
                Some(*source)
            }
            _ => None,
        };
        assert_eq!(source, Some(SourceName::Prometheus), "{why:?}");
    };
    match subject.metrics().traffic(window(subject)).await {
        Err(why) => away(&why),
        Ok(answer) => panic!("{answer:?}"),
    }
    let question = SplitQuestion {
        services: [service()].into(),
        since: subject.now(),
        changed: None,
    };
    let answers = subject.metrics().splits(&[question.clone(), question]).await;
    assert_eq!(answers.len(), 2);
    for answer in answers {
        away(
            &answer
                .err()
                .unwrap_or_else(|| panic!("an absent source knows no split")),
        );
    }
    let answer = subject.metrics().counts(&versions(subject.now())).await;
    away(
        &answer
            .err()
            .unwrap_or_else(|| panic!("an absent source has counted nothing")),
    );
    subject.reachable(true).await;
    assert!(flow(&traffic(subject).await, &series).rate > 0.0);
}
