//! What every adapter of [`Metrics`] must do, as properties that run on the rehearsal and on a real Prometheus alike.
//!
//! ```ignore
//! // One #[tokio::test] for each property; the expression makes a fresh subject and may await.
//! naru_ports::metrics_contract!(Counted::new());
//! ```
//!
//! A subject is a metrics source with proxies whose counters the harness lets grow. Rates are compared within tolerances, since
//! Prometheus extrapolates to the ends of the window; counts of splits are compared exactly.

use crate::Metrics;
use naru_domain::{
    SourceName, Timestamp, Why,
    traffic::{Flow, FlowKey, Party, Protocol, Reporter, ServiceId, SplitQuestion, SplitRow, Traffic},
};

/// A counter of a proxy: one series of `istio_requests_total`, with its duration histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Source, target, service, reporter, protocol (HTTP). Empty names stand for `unknown`.
    pub flow: FlowKey,
    /// `response_code`.
    pub code: &'static str,
    /// `response_flags`.
    pub flags: &'static str,
    /// `connection_security_policy` is `mutual_tls`.
    pub mtls: bool,
    /// Each of its requests took this long.
    pub duration_ms: u32,
}

/// An adapter under test, and the hands that only its harness has.
#[async_trait::async_trait]
pub trait Subject: Send + Sync {
    /// The adapter. Nothing has been counted at the start.
    fn metrics(&self) -> &dyn Metrics;

    /// The source's present.
    fn now(&self) -> Timestamp;

    /// Seconds between scrapes.
    fn interval_s(&self) -> u32;

    /// Proxies count more requests.
    async fn count(&self, series: &Series, requests: u64);

    /// Lets this many scrapes pass, one interval apart. Returns when the last of them can be asked about; what was counted before is in
    /// all of them.
    async fn scrape(&self, times: u32);

    /// Cuts the adapter off from the source, or joins it again.
    async fn reachable(&self, yes: bool);
}

fn party(namespace: &str, workload: &str, version: &str) -> Party {
    Party {
        cluster: "Kubernetes".into(),
        namespace: namespace.into(),
        workload: workload.into(),
        app: workload.into(),
        version: version.into(),
    }
}

fn service() -> ServiceId {
    ServiceId {
        namespace: "shop".into(),
        name: "user".into(),
    }
}

/// Requests from the shop's gateway to a version of its user service.
fn requests(version: &str, reporter: Reporter) -> Series {
    let flow = FlowKey {
        source: party("shop", "gateway", "v1"),
        target: party("shop", &format!("user-{version}"), version),
        service: service(),
        reporter,
        protocol: Protocol::Http,
    };
    let mtls = reporter == Reporter::Destination;
    Series {
        flow,
        code: "200",
        flags: "-",
        mtls,
        duration_ms: 20,
    }
}

/// Requests that reached nobody.
fn unrouted() -> Series {
    let mut series = requests("v1", Reporter::Source);
    series.flow.target = Party::default();
    Series {
        code: "503",
        flags: "UH",
        duration_ms: 0,
        ..series
    }
}

/// A window that holds eight scrapes.
fn window(subject: &dyn Subject) -> u32 {
    subject.interval_s() * 8
}

/// Counts the same in each of `times` scrapes.
async fn run(subject: &dyn Subject, times: u32, all: &[(&Series, u64)]) {
    for _ in 0..times {
        for (series, requests) in all {
            subject.count(series, *requests).await;
        }
        subject.scrape(1).await;
    }
}

async fn traffic(subject: &dyn Subject) -> Traffic {
    let answer = subject.metrics().traffic(window(subject)).await;
    answer.unwrap_or_else(|why| panic!("{why:?}")).value
}

fn flow<'a>(traffic: &'a Traffic, series: &Series) -> &'a Flow {
    traffic
        .flows
        .get(&series.flow)
        .unwrap_or_else(|| panic!("{:?} is not in {:?}", series.flow, traffic.flows.keys()))
}

#[track_caller]
fn about(value: f64, wanted: f64) {
    assert!(
        (value - wanted).abs() <= wanted * 0.3,
        "{value} is not about {wanted}"
    );
}

async fn split(subject: &dyn Subject, since: Timestamp) -> Result<naru_domain::traffic::Split, Why> {
    let question = SplitQuestion {
        service: service(),
        since,
    };
    let mut answers = subject.metrics().splits(&[question]).await;
    assert_eq!(answers.len(), 1, "one answer for each question");
    answers.remove(0).map(|dated| dated.value)
}

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
    let keys = |answer: &Result<naru_domain::traffic::Dated<Traffic>, Why>| {
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
    let claims = |answer: Result<naru_domain::traffic::Dated<Traffic>, Why>| match answer {
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
    let row = |version: &str, requests, failed| SplitRow {
        namespace: "shop".into(),
        workload: format!("user-{version}").into(),
        version: version.into(),
        requests,
        failed,
    };
    assert_eq!(split.rows, [row("v1", 280, 0), row("v2", 140, 20)]);
    assert_eq!(split.unrouted, 0);
    assert!(since <= split.from && split.from < split.to, "{split:?}");
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
        (1, 630, 70)
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

/// One answer for each question, in order.
pub async fn questions_are_answered_in_order(subject: &dyn Subject) {
    let series = requests("v1", Reporter::Source);
    run(subject, 1, &[(&series, 10)]).await;
    let since = subject.now();
    subject.scrape(1).await;
    run(subject, 3, &[(&series, 10)]).await;
    let known = SplitQuestion {
        service: service(),
        since,
    };
    let other = SplitQuestion {
        service: ServiceId {
            name: "nobody".into(),
            ..service()
        },
        since,
    };
    let metrics = subject.metrics();
    assert_eq!(metrics.splits(&[]).await, []);
    let answers = metrics.splits(&[other.clone(), known, other]).await;
    let told: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(told, [false, true, false]);
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
        service: service(),
        since: subject.now(),
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
    subject.reachable(true).await;
    assert!(flow(&traffic(subject).await, &series).rate > 0.0);
}

/// Makes a test of each property. See [`contract::metrics`](crate::contract::metrics).
#[macro_export]
macro_rules! metrics_contract {
    (@one [$(#[$attribute:meta])*] $subject:tt $property:ident) => {
        $(#[$attribute])*
        #[tokio::test]
        async fn $property() {
            let subject = $subject;
            $crate::contract::metrics::$property(&subject).await;
        }
    };
    (@each $attributes:tt $subject:tt $($property:ident)*) => {
        $($crate::metrics_contract!(@one $attributes $subject $property);)*
    };
    ($(#[$attribute:meta])* $subject:expr) => {
        $crate::metrics_contract!(@each [$(#[$attribute])*] { $subject }
            rates_are_what_was_counted
            reporters_are_never_added
            what_is_older_than_the_window_is_out
            an_unknown_caller_is_told_as_such
            the_same_samples_give_the_same_answer
            the_young_claim_nothing
            a_split_counts_only_later_samples
            a_split_is_what_callers_counted_for_this_service
            what_reached_nobody_is_counted_apart
            no_traffic_is_no_split
            questions_are_answered_in_order
            an_absent_source_is_a_reason
        );
    };
}
