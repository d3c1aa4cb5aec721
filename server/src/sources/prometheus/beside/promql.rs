//! The questions as PromQL, from typed parts.

use crate::sources::prometheus::{
    label::Label,
    query::{Matcher, REQUESTS, Range},
};
use naru_domain::{
    Timestamp,
    inquiry::{CountsOf, Reach},
    traffic::Reporter,
};
use std::fmt::{self, Display, Formatter};

/// A question.
#[derive(Clone, Copy, Debug)]
pub(super) enum Promql<'a> {
    /// The earliest end of a root certificate, in seconds since the epoch.
    RootEnds,
    /// The same of whatever stands between the root and what istiod signs with, where that is plugged in.
    ChainEnds,
    /// How many istiods are scraped.
    Istiods,
    /// How many proxies are connected to them.
    Connected,
    /// Pushes refused over ten minutes, by counters that were there before.
    RefusedGrown,
    /// The same by counters that have begun since: `increase` loses what they began with.
    RefusedBorn,
    /// The pods whose proxies are scraped.
    Proxies,
    /// How many samples most proxies have left in ten minutes.
    Samples,
    /// Whether any request is known that was counted so long ago.
    Kept(Reach),
    /// What ingress-nginx counts.
    Edge {
        /// Which of its counters.
        of: Rate,
        /// Seconds.
        window_s: u32,
    },
    /// Requests to a workload, by counters that were there at the beginning.
    Grown(&'a CountsOf),
    /// What those that were not began with.
    Born(&'a CountsOf),
    /// Whether any was there at the beginning.
    Before(&'a CountsOf),
}

/// A counter of ingress-nginx.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rate {
    /// Requests.
    Requests,
    /// Seconds that they took.
    Seconds,
    /// Requests whose seconds were counted.
    Timed,
}

impl<'a> Promql<'a> {
    /// Of one replica, if there are several.
    pub(super) fn of_replica(self, replica: Option<&'a str>) -> impl Display + 'a {
        Asked {
            promql: self,
            replica,
        }
    }
}

struct Asked<'a> {
    promql: Promql<'a>,
    replica: Option<&'a str>,
}

/// Over how many seconds pushes are looked at.
pub(super) const TEN_MINUTES: u32 = 600;

/// For how long after its last sample Prometheus takes a series to be there.
const STALENESS: u32 = 300;

/// How long ago a counter's last sample may be for it to have been there: a gap in scraping does not make an old counter a new one.
const REMEMBERED: u32 = 7_200;

const REFUSED: &str = "pilot_total_xds_rejects";

impl Asked<'_> {
    fn series(&self, metric: &'static str, seconds: u32) -> Range {
        let replica = self.replica.map(|it| Matcher::Is(Label::Replica, it.to_owned()));
        Range {
            metric,
            matchers: replica.into_iter().collect(),
            seconds,
        }
    }

    /// The counters of a workload's requests.
    fn requests(&self, of: &CountsOf, seconds: u32) -> Range {
        let reporter = match of.by {
            Reporter::Source => "source",
            Reporter::Destination => "destination",
        };
        let mut series = self.series(REQUESTS, seconds);
        series.matchers.extend([
            Matcher::Is(Label::Reporter, reporter.to_owned()),
            Matcher::Is(Label::TargetNamespace, of.to.0.to_string()),
            Matcher::Is(Label::TargetWorkload, of.to.1.to_string()),
        ]);
        series
    }
}

/// What counts of requests are told apart by.
const COUNTED: &str = "source_workload_namespace,source_workload,response_code,response_flags,grpc_response_status,\
     request_protocol";

fn seconds(of: &CountsOf) -> u32 {
    u32::try_from(of.until.duration_since(of.from).as_secs()).unwrap_or(u32::MAX)
}

/// `@`: <https://prometheus.io/docs/prometheus/latest/querying/basics/#modifier>.
fn at(moment: Timestamp) -> i64 {
    moment.as_second()
}

impl Display for Asked<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.promql {
            Promql::RootEnds => {
                let series = self.series("citadel_server_root_cert_expiry_timestamp", STALENESS);
                write!(f, "min(last_over_time({series}))")
            }
            Promql::ChainEnds => {
                let series = self.series("citadel_server_cert_chain_expiry_timestamp", STALENESS);
                // Zero where none is plugged in.
                write!(f, "min(last_over_time({series}) > 0)")
            }
            Promql::Istiods => {
                let series = self.series("pilot_xds", STALENESS);
                // One series a version of proxies: an istiod has several during an upgrade.
                write!(f, "count(count by (instance) (last_over_time({series})))")
            }
            Promql::Connected => write!(f, "sum(last_over_time({}))", self.series("pilot_xds", STALENESS)),
            Promql::RefusedGrown => write!(f, "sum(increase({}))", self.series(REFUSED, TEN_MINUTES)),
            Promql::RefusedBorn => {
                let series = self.series(REFUSED, TEN_MINUTES);
                let before = self.series(REFUSED, REMEMBERED);
                write!(
                    f,
                    "sum(min_over_time({series}) unless last_over_time({before} offset {TEN_MINUTES}s))"
                )
            }
            Promql::Proxies => {
                let series = self.series("envoy_server_uptime", STALENESS);
                write!(f, "count by (namespace,pod) (last_over_time({series}))")
            }
            Promql::Samples => {
                let series = self.series("envoy_server_uptime", TEN_MINUTES);
                let before = self.series("envoy_server_uptime", STALENESS);
                // Of those that were there all the time: who came or went meanwhile has left fewer.
                write!(
                    f,
                    "quantile(0.5, count_over_time({series}) and last_over_time({before} offset {TEN_MINUTES}s) and last_over_time({before}))"
                )
            }
            Promql::Kept(back) => {
                let series = self.series(REQUESTS, STALENESS);
                write!(f, "count(last_over_time({series} offset {}h))", back.hours())
            }
            Promql::Edge { of, window_s } => {
                let metric = match of {
                    Rate::Requests => "nginx_ingress_controller_requests",
                    Rate::Seconds => "nginx_ingress_controller_request_duration_seconds_sum",
                    Rate::Timed => "nginx_ingress_controller_request_duration_seconds_count",
                };
                write!(
                    f,
                    "sum by (host,exported_namespace,namespace,exported_service,service,status) (rate({}))",
                    self.series(metric, window_s)
                )
            }
            Promql::Grown(of) => {
                let series = self.requests(of, seconds(of));
                write!(f, "sum by ({COUNTED}) (increase({series} @ {}))", at(of.until))
            }
            Promql::Born(of) => {
                let (series, before) = (self.requests(of, seconds(of)), self.requests(of, REMEMBERED));
                write!(
                    f,
                    "sum by ({COUNTED}) (min_over_time({series} @ {}) unless last_over_time({before} @ {}))",
                    at(of.until),
                    at(of.from)
                )
            }
            Promql::Before(of) => {
                let before = self.requests(of, STALENESS);
                write!(f, "count(last_over_time({before} @ {}))", at(of.from))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Promql, Rate};
    use naru_domain::{
        inquiry::{CountsOf, Reach},
        traffic::Reporter,
    };

    fn text(promql: Promql<'_>, replica: Option<&str>) -> String {
        promql.of_replica(replica).to_string()
    }

    #[test]
    fn counters_that_have_begun_meanwhile_count_whole() {
        let of = CountsOf {
            to: ("shop".into(), "we\"b".into()),
            by: Reporter::Source,
            from: "2026-01-01T00:00:00Z".parse().unwrap(),
            until: "2026-01-01T00:11:00Z".parse().unwrap(),
        };
        let matchers =
            r#"reporter="source",destination_workload_namespace="shop",destination_workload="we\"b""#;
        let by = super::COUNTED;
        assert_eq!(
            text(Promql::Grown(&of), None),
            format!("sum by ({by}) (increase(istio_requests_total{{{matchers}}}[660s] @ 1767226260))")
        );
        assert_eq!(
            text(Promql::Born(&of), None),
            format!(
                "sum by ({by}) (min_over_time(istio_requests_total{{{matchers}}}[660s] @ 1767226260) \
                 unless last_over_time(istio_requests_total{{{matchers}}}[7200s] @ 1767225600))"
            )
        );
        assert_eq!(
            text(Promql::Before(&of), None),
            format!("count(last_over_time(istio_requests_total{{{matchers}}}[300s] @ 1767225600))")
        );
    }

    #[test]
    fn one_replica_is_read() {
        assert_eq!(
            text(Promql::RootEnds, Some("a")),
            r#"min(last_over_time(citadel_server_root_cert_expiry_timestamp{prometheus_replica="a"}[300s]))"#
        );
        let edge = Promql::Edge {
            of: Rate::Requests,
            window_s: 300,
        };
        assert_eq!(
            text(Promql::Kept(Reach::Day), None),
            "count(last_over_time(istio_requests_total[300s] offset 24h))"
        );
        assert_eq!(
            text(Promql::Samples, Some("a")),
            "quantile(0.5, count_over_time(envoy_server_uptime{prometheus_replica=\"a\"}[600s]) \
             and last_over_time(envoy_server_uptime{prometheus_replica=\"a\"}[300s] offset 600s) \
             and last_over_time(envoy_server_uptime{prometheus_replica=\"a\"}[300s]))"
        );
        assert!(text(edge, None).ends_with("(rate(nginx_ingress_controller_requests[300s]))"));
        assert!(
            text(Promql::RefusedBorn, None)
                .ends_with("unless last_over_time(pilot_total_xds_rejects[7200s] offset 600s))")
        );
    }
}
