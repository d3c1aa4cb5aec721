//! The contract of `Metrics`, on the rehearsed Prometheus with counters grown by hand.

use jiff::{SignedDuration, Timestamp};
use naru_domain::{SourceName, Why};
use naru_ports::{
    Clock, Metrics,
    contract::metrics::{Series, Subject},
};
use naru_rehearsal::{
    ManualClock,
    traffic::{Count, Line, SimulatedMetrics},
};
use std::sync::Arc;

struct Counted {
    clock: Arc<ManualClock>,
    metrics: SimulatedMetrics,
}

impl Counted {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-23T02:13:00Z".parse().unwrap()));
        Self {
            metrics: SimulatedMetrics::by_hand(clock.clone()),
            clock,
        }
    }
}

#[async_trait::async_trait]
impl Subject for Counted {
    fn metrics(&self) -> &dyn Metrics {
        &self.metrics
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn interval_s(&self) -> u32 {
        5
    }

    async fn count(&self, series: &Series, requests: u64) {
        let line = Line {
            flow: series.flow.clone(),
            mtls: series.mtls,
            // A rehearsed line has one code, and gRPC's status follows from it.
            code: if series.grpc_status == "14" {
                "503"
            } else {
                series.code
            }
            .into(),
            flags: series.flags.into(),
            route: series.route.into(),
        };
        let duration_us = requests * u64::from(series.duration_ms) * 1_000;
        self.metrics.count(
            &line,
            Count {
                requests,
                duration_us,
                ..Count::default()
            },
        );
    }

    async fn scrape(&self, times: u32) {
        for _ in 0..times {
            self.clock.advance(SignedDuration::from_secs(5));
            self.metrics.scrape();
        }
    }

    /// Samples are kept as growth, to which a counter that begins at 0 again makes no difference.
    async fn restart(&self) {}

    async fn reachable(&self, yes: bool) {
        let detail = "connection refused".into();
        self.metrics.fail((!yes).then_some(Why::Unreachable {
            source: SourceName::Prometheus,
            detail,
        }));
    }
}

naru_ports::metrics_contract!(Counted::new());
