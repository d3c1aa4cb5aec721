//! PromQL from typed parts. Text from outside only ever becomes the quoted value of a matcher.

use super::label::Label;
use naru_domain::{
    Name,
    traffic::{Reporter, ServiceId},
};
use std::fmt::{self, Display, Formatter, Write};

/// What is asked about all flows at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Measure {
    /// Requests per second, by response and by policy.
    Requests,
    /// Milliseconds spent per second. Each request adds one to `istio_requests_total` and its duration to this sum, so the mean duration is
    /// their quotient; asking for the histogram's own count would cost Prometheus another third and say the same.
    Duration,
    /// TCP connections opened per second.
    Opened,
    /// TCP bytes per second from the called side back to the caller.
    SentBack,
    /// TCP bytes per second from the caller.
    Received,
}

/// Tells one flow from another.
const FLOW: [Label; 16] = [
    Label::Reporter,
    Label::SourceCluster,
    Label::SourceNamespace,
    Label::SourceWorkload,
    Label::SourceService,
    Label::SourceVersion,
    Label::SourceRevision,
    Label::TargetCluster,
    Label::TargetNamespace,
    Label::TargetWorkload,
    Label::TargetService,
    Label::TargetVersion,
    Label::TargetRevision,
    Label::ServiceNamespace,
    Label::ServiceName,
    Label::Protocol,
];

impl Measure {
    /// All of them: one query each.
    pub(super) const ALL: [Self; 5] = [
        Self::Requests,
        Self::Duration,
        Self::Opened,
        Self::SentBack,
        Self::Received,
    ];

    /// The counter: <https://istio.io/latest/docs/reference/config/metrics/#metrics>. Sent and received are meant from the proxy towards
    /// its client: `sent_bytes` are the response, by either reporter.
    fn metric(self) -> &'static str {
        match self {
            Self::Requests => REQUESTS,
            Self::Duration => "istio_request_duration_milliseconds_sum",
            Self::Opened => "istio_tcp_connections_opened_total",
            Self::SentBack => "istio_tcp_sent_bytes_total",
            Self::Received => "istio_tcp_received_bytes_total",
        }
    }

    /// What is told apart beside the flow. Adding the policy to the responses gives no more rows: a flow seldom has two policies.
    fn also_by(self) -> &'static [Label] {
        match self {
            Self::Requests => &[Label::Code, Label::Flags, Label::GrpcStatus, Label::Policy],
            Self::Opened => &[Label::Flags, Label::Policy],
            Self::Duration | Self::SentBack | Self::Received => &[],
        }
    }
}

pub(super) const REQUESTS: &str = "istio_requests_total";

/// Requests by how long they took, below each bound.
const DURATIONS: &str = "istio_request_duration_milliseconds_bucket";

/// What a proxy exports now is in its samples of so many seconds: as long as Prometheus itself takes a series to live on without one.
const LATELY_S: u32 = 300;

/// A condition on a label.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Matcher {
    Is(Label, String),
    OneOf(Label, Vec<String>),
}

impl Matcher {
    fn one_of(label: Label, mut values: Vec<String>) -> Self {
        if values.len() == 1 {
            Self::Is(label, values.swap_remove(0))
        } else {
            Self::OneOf(label, values)
        }
    }
}

/// A counter's samples over a window that ends now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) metric: &'static str,
    pub(super) matchers: Vec<Matcher>,
    pub(super) seconds: u32,
}

/// A question to Prometheus. `Display` is its PromQL.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query(Form);

#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// `sum by (…) (rate(…))`
    SumOfRates { by: Vec<Label>, range: Range },
    /// `max by (…) (count_over_time(…))`
    MostSamples { by: Label, range: Range },
    /// The samples themselves.
    Samples { range: Range },
}

impl Query {
    /// Rates of all flows over a window; of one replica, if there are several.
    pub(super) fn rates(measure: Measure, window_s: u32, replica: Option<&str>) -> Self {
        let by = FLOW.iter().chain(measure.also_by()).copied().collect();
        let matchers = replica
            .map(|it| Matcher::Is(Label::Replica, it.to_owned()))
            .into_iter()
            .collect();
        Self(Form::SumOfRates {
            by,
            range: Range {
                metric: measure.metric(),
                matchers,
                seconds: window_s,
            },
        })
    }

    /// How many samples the best sampled counter of a reporter has, for each replica.
    pub(super) fn most_samples(reporter: &str, seconds: u32) -> Self {
        let matchers = vec![Matcher::Is(Label::Reporter, reporter.to_owned())];
        Self(Form::MostSamples {
            by: Label::Replica,
            range: Range {
                metric: REQUESTS,
                matchers,
                seconds,
            },
        })
    }

    /// What the callers' proxies counted to these services: samples, not rates. More services than asked for can match, since names and
    /// namespaces are matched apart.
    pub(super) fn samples(
        measure: Measure,
        names: Vec<String>,
        namespaces: Vec<String>,
        seconds: u32,
    ) -> Self {
        let matchers = vec![
            Matcher::Is(Label::Reporter, "source".to_owned()),
            Matcher::one_of(Label::ServiceName, names),
            Matcher::one_of(Label::ServiceNamespace, namespaces),
        ];
        Self(Form::Samples {
            range: Range {
                metric: measure.metric(),
                matchers,
                seconds,
            },
        })
    }
}

impl Query {
    /// What one side's proxies counted of requests to a service; of these workloads only, if any are named.
    pub(super) fn requests_to(
        reporter: Reporter,
        service: &ServiceId,
        workloads: &[Name],
        seconds: u32,
    ) -> Self {
        let mut matchers = to_service(reporter, service);
        if !workloads.is_empty() {
            let names = workloads.iter().map(|it| it.to_string()).collect();
            matchers.push(Matcher::one_of(Label::TargetWorkload, names));
        }
        Self(Form::Samples {
            range: Range {
                metric: REQUESTS,
                matchers,
                seconds,
            },
        })
    }

    /// How many requests to a service took at most `bound_ms` by the callers' proxies, and how many there were.
    pub(super) fn durations_to(service: &ServiceId, bound_ms: f64, seconds: u32) -> Self {
        let mut matchers = to_service(Reporter::Source, service);
        let mut bounds = spellings(bound_ms);
        bounds.push("+Inf".to_owned());
        matchers.push(Matcher::OneOf(Label::Bound, bounds));
        Self(Form::Samples {
            range: Range {
                metric: DURATIONS,
                matchers,
                seconds,
            },
        })
    }

    /// Where the buckets end by which the callers' proxies tell how long requests to a service took.
    pub(super) fn bounds_of(service: &ServiceId) -> Self {
        Self(Form::MostSamples {
            by: Label::Bound,
            range: Range {
                metric: DURATIONS,
                matchers: to_service(Reporter::Source, service),
                seconds: LATELY_S,
            },
        })
    }

    /// When these targets were scraped.
    pub(super) fn scrapes_of(instances: Vec<String>, seconds: u32) -> Self {
        Self(Form::Samples {
            range: Range {
                metric: "up",
                matchers: vec![Matcher::one_of(Label::Instance, instances)],
                seconds,
            },
        })
    }
}

fn to_service(reporter: Reporter, service: &ServiceId) -> Vec<Matcher> {
    let reporter = match reporter {
        Reporter::Source => "source",
        Reporter::Destination => "destination",
    };
    vec![
        Matcher::Is(Label::Reporter, reporter.to_owned()),
        Matcher::Is(Label::ServiceName, service.name.to_string()),
        Matcher::Is(Label::ServiceNamespace, service.namespace.to_string()),
    ]
}

/// A bucket's bound as `le` may say it: Envoy writes `500` and `1800000`, and Prometheus 3 keeps it as `500.0` and `1.8e+06`
/// (<https://prometheus.io/docs/prometheus/latest/migration/>).
fn spellings(bound: f64) -> Vec<String> {
    let plain = bound.to_string();
    let mut all = vec![plain.clone()];
    if !plain.contains('.') {
        all.push(format!("{plain}.0"));
    }
    if bound >= 1e6 {
        all.push(format!("{bound:e}").replace('e', "e+0"));
    }
    all
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::SumOfRates { by, range } => {
                f.write_str("sum by (")?;
                for (at, label) in by.iter().enumerate() {
                    if at > 0 {
                        f.write_char(',')?;
                    }
                    f.write_str(label.name())?;
                }
                write!(f, ") (rate({range}))")
            }
            Form::MostSamples { by, range } => write!(f, "max by ({}) (count_over_time({range}))", by.name()),
            Form::Samples { range } => range.fmt(f),
        }
    }
}

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric)?;
        if !self.matchers.is_empty() {
            f.write_char('{')?;
            for (at, matcher) in self.matchers.iter().enumerate() {
                if at > 0 {
                    f.write_char(',')?;
                }
                matcher.fmt(f)?;
            }
            f.write_char('}')?;
        }
        write!(f, "[{}s]", self.seconds)
    }
}

impl Display for Matcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(label, value) => write!(f, "{}={}", label.name(), Quoted(value)),
            // Prometheus answers an alternation of plain texts by looking each up, not by trying the expression on every value.
            Self::OneOf(label, values) => {
                let alternation: Vec<String> = values.iter().map(|it| literally(it)).collect();
                write!(f, "{}=~{}", label.name(), Quoted(&alternation.join("|")))
            }
        }
    }
}

/// A text that an RE2 expression matches as it stands, whole.
fn literally(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for it in text.chars() {
        if r"\.+*?()|[]{}^$".contains(it) {
            escaped.push('\\');
        }
        escaped.push(it);
    }
    escaped
}

/// A PromQL string in double quotes, with Go's escapes: <https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals>.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for it in self.0.chars() {
            match it {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                it if it.is_control() => write!(f, "\\U{:08x}", u32::from(it))?,
                it => f.write_char(it)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::{Measure, Query};
    use naru_domain::traffic::{Reporter, ServiceId};

    #[test]
    fn rates_are_summed_by_what_tells_flows_apart() {
        assert_eq!(
            Query::rates(Measure::Received, 60, Some("a\"b")).to_string(),
            "sum by (reporter,source_cluster,source_workload_namespace,source_workload,source_canonical_service,source_version,\
             source_canonical_revision,destination_cluster,destination_workload_namespace,destination_workload,\
             destination_canonical_service,destination_version,destination_canonical_revision,destination_service_namespace,\
             destination_service_name,request_protocol) \
             (rate(istio_tcp_received_bytes_total{prometheus_replica=\"a\\\"b\"}[60s]))"
        );
    }

    #[test]
    fn samples_are_counted_for_each_replica() {
        assert_eq!(
            Query::most_samples("source", 120).to_string(),
            "max by (prometheus_replica) (count_over_time(istio_requests_total{reporter=\"source\"}[120s]))"
        );
    }

    #[test]
    fn a_canarys_counts_are_of_one_service() {
        let service = ServiceId {
            namespace: "shop".into(),
            name: "user\"} or up #".into(),
        };
        let to = "destination_service_name=\"user\\\"} or up #\",destination_service_namespace=\"shop\"";
        assert_eq!(
            Query::requests_to(Reporter::Source, &service, &[], 900).to_string(),
            format!("istio_requests_total{{reporter=\"source\",{to}}}[900s]")
        );
        assert_eq!(
            Query::requests_to(Reporter::Destination, &service, &["a.b".into(), "c".into()], 60).to_string(),
            format!(
                "istio_requests_total{{reporter=\"destination\",{to},destination_workload=~\"a\\\\.b|c\"}}[60s]"
            )
        );
        let durations = |bound| Query::durations_to(&service, bound, 60).to_string();
        let asked = |bounds: &str| {
            format!(
                "istio_request_duration_milliseconds_bucket{{reporter=\"source\",{to},le=~\"{bounds}|\\\\+Inf\"}}[60s]"
            )
        };
        assert_eq!(durations(500.0), asked(r"500|500\\.0"));
        assert_eq!(durations(0.5), asked(r"0\\.5"));
        assert_eq!(durations(1_800_000.0), asked(r"1800000|1800000\\.0|1\\.8e\\+06"));
        assert_eq!(
            Query::bounds_of(&service).to_string(),
            format!(
                "max by (le) (count_over_time(istio_request_duration_milliseconds_bucket{{reporter=\"source\",{to}}}[300s]))"
            )
        );
        assert_eq!(
            Query::scrapes_of(vec!["10.0.0.1:15020".into()], 60).to_string(),
            "up{instance=\"10.0.0.1:15020\"}[60s]"
        );
    }

    #[test]
    fn what_comes_from_outside_stays_within_its_quotes() {
        let text = |it: &str| it.to_owned();
        assert_eq!(
            Query::samples(Measure::Requests, vec![text("a.b"), text("x\"} or vector(1) #")], vec![text("주문"), text("n\\\n")], 900).to_string(),
            r#"istio_requests_total{reporter="source",destination_service_name=~"a\\.b|x\"\\} or vector\\(1\\) #","#.to_owned()
                + r#"destination_service_namespace=~"주문|n\\\\\U0000000a"}[900s]"#
        );
    }
}
