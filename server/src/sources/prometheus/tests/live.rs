//! The adapter on a real Prometheus that scrapes counters of ours: names that want quoting, a history that begins, the exact numbers.

use super::{
    adapter_with, now,
    process::Prometheus,
    question,
    server::{Reply, serve},
};
use crate::sources::prometheus::PrometheusMetrics;
use naru_domain::{
    Timestamp, Why,
    traffic::{Dated, Protocol, Reporter, Split},
};
use naru_ports::Metrics;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Waits until `ask` has what is wanted; the last answer, after a minute.
async fn until<T>(ask: impl AsyncFn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let mut answer = ask().await;
    for _ in 0..120 {
        if wanted(&answer) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        answer = ask().await;
    }
    answer
}

const LABELS: &str = r#"source_workload="shop",source_workload_namespace="n",source_canonical_service="shop",source_version="unknown",
    source_canonical_revision="latest",destination_workload_namespace="n",destination_canonical_service="주문",
    destination_service_namespace="n",destination_service_name="a\"b\\c.d|주문",request_protocol="http",instance="shop-1","#;

/// A sample of `istio_requests_total` in the exposition format.
fn requests(reporter: &str, version: &str, code: u32, value: u32) -> String {
    let labels = LABELS.replace(['\n', ' '], "");
    format!(
        "istio_requests_total{{{labels}reporter=\"{reporter}\",destination_workload=\"orders-{version}\",\
         destination_version=\"{version}\",response_code=\"{code}\",response_flags=\"-\",\
         connection_security_policy=\"mutual_tls\"}} {value}\n"
    )
}

async fn split(adapter: &PrometheusMetrics, since: Timestamp) -> Result<Dated<Split>, Why> {
    // The odd name proves the quoting to the real parser; the other question makes it an alternation.
    let questions = [
        question("n", "a\"b\\c.d|주문", since),
        question("n(", "nobody$", since),
    ];
    let mut answers = adapter.splits(&questions).await;
    assert!(matches!(
        answers.pop(),
        Some(Err(Why::NoTraffic { .. } | Why::TooYoung { .. }))
    ));
    answers.remove(0)
}

#[tokio::test]
#[ignore = "needs Prometheus (NARU_TEST_PROMETHEUS) and half a minute"]
async fn counts_are_exact_and_rates_are_close() {
    let exposed = Arc::new(Mutex::new(String::new()));
    let page = exposed.clone();
    let (exporter, _) = serve(move |_| {
        Reply::new(
            "200 OK",
            "text/plain; version=0.0.4",
            &page.lock().unwrap().clone(),
        )
    })
    .await;
    let expose = |rows: &[String]| *exposed.lock().unwrap() = rows.concat();
    let prometheus = Prometheus::start(&exporter);
    let adapter = adapter_with(&prometheus.url, |it| it.timeout = Duration::from_secs(8));

    // Nothing is there, then too little, then enough.
    let first = until(|| adapter.traffic(4), Result::is_ok).await.unwrap();
    assert!(
        first.value.flows.is_empty() && first.gaps == [Why::NoTraffic { window_s: 4 }],
        "{first:?}"
    );
    expose(&[
        requests("source", "v1", 200, 1000),
        requests("destination", "v1", 200, 1100),
    ]);
    let young = until(
        || adapter.traffic(30),
        |it| {
            it.as_ref()
                .is_ok_and(|it| !it.gaps.contains(&Why::NoTraffic { window_s: 30 }))
        },
    )
    .await
    .unwrap();
    assert!(
        matches!(young.gaps[..], [Why::TooYoung { needed: 4, .. }]),
        "{young:?}"
    );
    let ready = until(
        || adapter.traffic(4),
        |it| it.as_ref().is_ok_and(|it| it.gaps.is_empty()),
    )
    .await
    .unwrap();
    assert_eq!(ready.value.flows.len(), 2, "{ready:?}");
    let (key, flow) = ready.value.flows.first_key_value().unwrap();
    assert_eq!(
        (key.reporter, key.protocol, flow.rate),
        (Reporter::Source, Protocol::Http, 0.0)
    );
    assert_eq!(
        (&*key.service.name, &*key.source.version),
        ("a\"b\\c.d|주문", "latest")
    );

    // The moment; then requests, of which failures are a new series.
    let since = now();
    // Samples of both series are there, and no request is in them.
    let base = until(
        || split(&adapter, since),
        |it| matches!(it, Err(Why::NoTraffic { .. })),
    )
    .await;
    assert!(base.is_err());
    expose(&[
        requests("source", "v1", 200, 1090),
        requests("source", "v2", 200, 3),
        requests("source", "v2", 503, 7),
        requests("destination", "v1", 200, 1190),
    ]);
    let requests_in = |it: &Split| it.rows.iter().map(|row| row.requests).sum::<u64>();
    let found = until(
        || split(&adapter, since),
        |it| it.as_ref().is_ok_and(|it| requests_in(&it.value) >= 100),
    )
    .await;
    let found = found.unwrap();
    let rows: Vec<_> = found
        .value
        .rows
        .iter()
        .map(|it| (&*it.workload, &*it.version, it.requests, it.failed))
        .collect();
    assert_eq!(rows, [("orders-v1", "v1", 90, 0), ("orders-v2", "v2", 10, 7)]);
    assert!(
        found.value.from > since && found.value.to >= found.value.from && found.gaps.is_empty(),
        "{found:?}"
    );

    let busy = adapter.traffic(30).await.unwrap();
    let source: f64 = busy
        .value
        .flows
        .iter()
        .filter(|it| it.0.reporter == Reporter::Source)
        .map(|it| it.1.rate)
        .sum();
    // `rate` loses the first sample of v2, and extrapolates the rest.
    assert!(source > 1.0, "{busy:?}");
    assert!(busy.value.flows.values().all(|it| it.mtls == it.rate), "{busy:?}");
}
