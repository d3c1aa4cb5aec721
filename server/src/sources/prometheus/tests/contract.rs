//! The contract of [`Metrics`], kept by the adapter on a real Prometheus that scrapes a proxy of ours each second.

use super::{
    adapter_with, now,
    process::Prometheus,
    server::{Reply, serve},
};
use crate::sources::prometheus::PrometheusMetrics;
use naru_domain::{
    Timestamp,
    traffic::{Party, Protocol, Reporter},
};
use naru_ports::{
    Metrics,
    contract::metrics::{Series, Subject},
};
use std::{
    collections::BTreeMap,
    fmt::Write,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

naru_ports::metrics_contract!(
    [#[ignore = "needs Prometheus (NARU_TEST_PROMETHEUS) and up to half a minute"]] Counted::start().await
);

/// Counters by their labels, and how often they were scraped.
#[derive(Default)]
struct Page {
    requests: BTreeMap<String, (u64, u32)>,
    scrapes: u32,
}

impl Page {
    /// As a proxy of Istio's exposes it; the number of the scrape stands beside.
    fn exposed(&mut self) -> String {
        self.scrapes += 1;
        let mut text = format!("naru_test_scrape {}\n", self.scrapes);
        for (labels, (requests, duration_ms)) in &self.requests {
            let spent = requests * u64::from(*duration_ms);
            let _ = writeln!(text, "istio_requests_total{{{labels}}} {requests}");
            let _ = writeln!(
                text,
                "istio_request_duration_milliseconds_sum{{{labels}}} {spent}"
            );
            let _ = writeln!(
                text,
                "istio_request_duration_milliseconds_count{{{labels}}} {requests}"
            );
            for (bound, le) in [
                (10, "10"),
                (50, "50"),
                (100, "100"),
                (1_000, "1000"),
                (u32::MAX, "+Inf"),
            ] {
                let below = if *duration_ms <= bound { *requests } else { 0 };
                let _ = writeln!(
                    text,
                    "istio_request_duration_milliseconds_bucket{{{labels},le=\"{le}\"}} {below}"
                );
            }
        }
        text
    }
}

/// The labels of a series; what the proxy does not know is `unknown`.
fn labels(series: &Series) -> String {
    let or_unknown = |it: &str| {
        if it.is_empty() {
            "unknown".to_owned()
        } else {
            it.to_owned()
        }
    };
    let flow = &series.flow;
    let mut all = vec![
        (
            "reporter".to_owned(),
            if flow.reporter == Reporter::Source {
                "source"
            } else {
                "destination"
            }
            .to_owned(),
        ),
        (
            "destination_service_namespace".into(),
            or_unknown(&flow.service.namespace),
        ),
        ("destination_service_name".into(), or_unknown(&flow.service.name)),
        ("request_protocol".into(), flow.protocol.name().into()),
        ("response_code".into(), series.code.into()),
        ("grpc_response_status".into(), series.grpc_status.into()),
        ("response_flags".into(), series.flags.into()),
        (
            "connection_security_policy".into(),
            match (flow.reporter, series.mtls) {
                (Reporter::Source, _) => "unknown".into(),
                (Reporter::Destination, true) => "mutual_tls".into(),
                (Reporter::Destination, false) => "none".into(),
            },
        ),
    ];
    if !series.route.is_empty() {
        all.push(("route_name".into(), series.route.into()));
    }
    let mut party = |side: &str, it: &Party| {
        all.push((format!("{side}_cluster"), or_unknown(&it.cluster)));
        all.push((format!("{side}_workload_namespace"), or_unknown(&it.namespace)));
        all.push((format!("{side}_workload"), or_unknown(&it.workload)));
        all.push((format!("{side}_canonical_service"), or_unknown(&it.app)));
        all.push((format!("{side}_version"), or_unknown(&it.version)));
    };
    party("source", &flow.source);
    party("destination", &flow.target);
    assert_ne!(flow.protocol, Protocol::Tcp);
    all.iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect::<Vec<_>>()
        .join(",")
}

/// The wire between adapter and Prometheus, which can be cut.
struct Wire {
    address: SocketAddr,
    to: String,
    carrying: Mutex<Option<JoinHandle<()>>>,
}

impl Wire {
    async fn join(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let to = self.to.clone();
        let carrying = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let to = to.clone();
                connections.spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(to).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        *self.carrying.lock().unwrap() = Some(carrying);
    }

    async fn cut(&self) {
        let carrying = self.carrying.lock().unwrap().take();
        if let Some(carrying) = carrying {
            carrying.abort();
            let _ = carrying.await;
        }
    }
}

/// A Prometheus, what it scrapes, and the adapter on it.
struct Counted {
    page: Arc<Mutex<Page>>,
    prometheus: Prometheus,
    wire: Wire,
    adapter: PrometheusMetrics,
}

impl Counted {
    async fn start() -> Self {
        let page = Arc::new(Mutex::new(Page::default()));
        let scraped = page.clone();
        let (exporter, _) = serve(move |_| {
            Reply::new(
                "200 OK",
                "text/plain; version=0.0.4",
                &scraped.lock().unwrap().exposed(),
            )
        })
        .await;
        let prometheus = Prometheus::start(&exporter);
        let to = prometheus
            .url
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let wire = Wire {
            address,
            to,
            carrying: Mutex::default(),
        };
        wire.join().await;
        let adapter = adapter_with(&format!("http://{address}/tenant"), |it| {
            it.timeout = Duration::from_secs(8)
        });
        let counted = Self {
            page,
            prometheus,
            wire,
            adapter,
        };
        counted.stored(1).await;
        counted
    }

    /// Waits until this scrape can be asked about.
    async fn stored(&self, scrape: u32) {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        let url = format!("{}api/v1/query?query=naru_test_scrape", self.prometheus.url);
        for _ in 0..600 {
            let answer = async { client.get(&url).send().await.ok()?.bytes().await.ok() }.await;
            let json: serde_json::Value =
                serde_json::from_slice(&answer.unwrap_or_default()).unwrap_or_default();
            let stored = json
                .pointer("/data/result/0/value/1")
                .and_then(|it| it.as_str()?.parse::<u32>().ok());
            if stored.is_some_and(|it| it >= scrape) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Prometheus does not scrape");
    }
}

#[async_trait::async_trait]
impl Subject for Counted {
    fn metrics(&self) -> &dyn Metrics {
        &self.adapter
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn interval_s(&self) -> u32 {
        1
    }

    async fn count(&self, series: &Series, requests: u64) {
        let mut page = self.page.lock().unwrap();
        // Requests of other durations are other codes in the suite, so one duration for each counter is enough.
        let counter = page
            .requests
            .entry(labels(series))
            .or_insert((0, series.duration_ms));
        counter.0 += requests;
    }

    async fn scrape(&self, times: u32) {
        let before = self.page.lock().unwrap().scrapes;
        self.stored(before + times).await;
    }

    async fn restart(&self) {
        for (requests, _) in self.page.lock().unwrap().requests.values_mut() {
            *requests = 0;
        }
    }

    async fn reachable(&self, yes: bool) {
        if yes {
            self.wire.join().await
        } else {
            self.wire.cut().await
        }
    }
}
