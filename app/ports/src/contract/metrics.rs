//! What every adapter of [`Metrics`] must do, as properties that run on the rehearsal and on a real Prometheus alike.
//!
//! ```ignore
//! // One #[tokio::test] for each property; the expression makes a fresh subject and may await.
//! naru_ports::metrics_contract!(Counted::new());
//! ```
//!
//! A subject is a metrics source with proxies whose counters the harness lets grow. Rates are compared within tolerances, since
//! Prometheus extrapolates to the ends of the window; counts of splits are compared exactly.

mod counts;
mod rates;
mod splits;

pub use counts::*;
pub use rates::*;
pub use splits::*;

use crate::Metrics;
use naru_domain::{
    Timestamp, Why,
    traffic::{Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Split, SplitQuestion, Traffic},
};

/// A counter of a proxy: one series of `istio_requests_total`, with its duration histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Source, target, service, reporter, protocol (HTTP). Empty names stand for `unknown`.
    pub flow: FlowKey,
    /// `response_code`.
    pub code: &'static str,
    /// `grpc_response_status` of an answer to gRPC: empty, 0 or 14.
    pub grpc_status: &'static str,
    /// `response_flags`.
    pub flags: &'static str,
    /// `connection_security_policy` is `mutual_tls`.
    pub mtls: bool,
    /// Each of its requests took this long.
    pub duration_ms: u32,
    /// `route_name`; empty where proxies do not tell it.
    pub route: &'static str,
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

    /// All proxies are started anew, and count from 0.
    async fn restart(&self);

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
        grpc_status: "",
        flags: "-",
        mtls,
        duration_ms: 20,
        route: "",
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

async fn split(subject: &dyn Subject, since: Timestamp) -> Result<Split, Why> {
    let question = SplitQuestion {
        services: [service()].into(),
        since,
        changed: Some(since),
    };
    let mut answers = subject.metrics().splits(&[question]).await;
    assert_eq!(answers.len(), 1, "one answer for each question");
    answers.remove(0).map(|dated| dated.value)
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
    ([$($attributes:tt)*] $subject:expr) => {
        $crate::metrics_contract!(@each [$($attributes)*] { $subject }
            rates_are_what_was_counted
            reporters_are_never_added
            what_is_older_than_the_window_is_out
            an_unknown_caller_is_told_as_such
            the_same_samples_give_the_same_answer
            the_young_claim_nothing
            a_split_counts_only_later_samples
            a_split_tells_routes_apart
            what_was_before_a_change_is_told_beside
            a_split_is_what_callers_counted_for_this_service
            what_reached_nobody_is_counted_apart
            no_traffic_is_no_split
            questions_are_answered_in_order
            an_absent_source_is_a_reason
            counts_are_by_version_caller_and_scrape
            counts_tell_how_requests_failed
            counts_tell_slow_requests_by_a_buckets_bound
            counts_tell_who_reached_nobody
            counts_begin_with_a_series_and_anew_with_its_proxy
            attempts_are_counted_beside_requests
            no_requests_are_no_counts
        );
    };
    ($subject:expr) => {
        $crate::metrics_contract!([] $subject);
    };
}
