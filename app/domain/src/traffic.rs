//! Traffic as the mesh's proxies counted it.

pub mod failing;

use crate::{Name, Timestamp, Why};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// Something known at a time, with what is missing from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated<T> {
    /// What is known.
    pub value: T,
    /// When it was so.
    pub at: Timestamp,
    /// What is missing.
    pub gaps: Vec<Why>,
}

/// Whose proxy counted. Source: the caller's, which sees what the caller got, after retries. Destination: the called side's, which sees
/// each attempt. They are never added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reporter {
    /// The caller's proxy.
    Source,
    /// The called side's proxy.
    Destination,
}

/// What was spoken, as the proxy saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP/1 or HTTP/2.
    Http,
    /// gRPC.
    Grpc,
    /// Bytes.
    Tcp,
}

impl Protocol {
    /// As Istio's `request_protocol` label says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
            Self::Tcp => "tcp",
        }
    }
}

/// One end of a flow, in Istio's labels. `unknown` and missing labels become empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Party {
    /// `*_cluster`.
    pub cluster: Name,
    /// `*_workload_namespace`.
    pub namespace: Name,
    /// `*_workload`.
    pub workload: Name,
    /// `*_canonical_service`, or `*_app`.
    pub app: Name,
    /// `*_version`, or `*_canonical_revision`.
    pub version: Name,
}

/// The service that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId {
    /// `destination_service_namespace`.
    pub namespace: Name,
    /// `destination_service_name`; `PassthroughCluster` and `BlackHoleCluster` stand here too.
    pub name: Name,
}

/// What tells one flow from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKey {
    /// The caller.
    pub source: Party,
    /// The called side.
    pub target: Party,
    /// The service asked for.
    pub service: ServiceId,
    /// Whose proxy counted.
    pub reporter: Reporter,
    /// What was spoken.
    pub protocol: Protocol,
}

/// How much, over the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// Requests (for TCP: connections opened) per second.
    pub rate: f64,
    /// Of these per second: failed (5xx, no answer, gRPC status that tells of a failing server).
    pub failed: f64,
    /// Of these per second: under mutual TLS. Meant for the destination reporter; the source's label says unknown.
    pub mtls: f64,
    /// Mean duration in milliseconds; None without requests in the window.
    pub average_ms: Option<f64>,
    /// Bytes per second from caller to called (TCP).
    pub sent: f64,
    /// Bytes per second back (TCP).
    pub received: f64,
    /// Requests per second by response code and Envoy's response flags.
    pub codes: BTreeMap<(Name, Name), f64>,
}

/// All flows over one window, from one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Seconds.
    pub window_s: u32,
    /// In key order: two readers of the same data see the same.
    pub flows: BTreeMap<FlowKey, Flow>,
}

/// Asks how the requests to a rule's services were really split since a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitQuestion {
    /// The services that the rule's destinations name.
    pub services: BTreeSet<ServiceId>,
    /// When the weights were in the API server: only samples later than this count.
    pub since: Timestamp,
    /// When they were set, where that is lately: the [minutes](BEFORE) up to then are counted beside.
    pub changed: Option<Timestamp>,
}

/// So long before a change is counted to be compared with what came of it: enough for a mean, and hardly another hour of the day.
pub const BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// The label by which proxies tell a route's name, where a Telemetry lets them: none of Istio's standard labels has it
/// (<https://istio.io/latest/docs/reference/config/metrics/#labels>).
pub const ROUTE_TAG: &str = "route_name";

/// Requests to services since a moment, counted from raw samples (never from `rate`, which loses a series' first sample), by the
/// callers' proxies. Mirrored copies and callers without a proxy are not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The first sample that was counted from.
    pub from: Timestamp,
    /// The last sample.
    pub to: Timestamp,
    /// Where requests arrived, sorted by workload.
    pub rows: Vec<SplitRow>,
    /// Requests that reached no workload, by the [route's name](SplitRow::route).
    pub unrouted: BTreeMap<Name, u64>,
    /// The same before the change; None where it was not asked for, and where nothing was counted.
    pub before: Option<Before>,
}

/// Requests to the same services in the minutes up to a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Before {
    /// The first sample that was counted from.
    pub from: Timestamp,
    /// The last sample.
    pub to: Timestamp,
    /// Where requests arrived, sorted by workload.
    pub rows: Vec<SplitRow>,
}

/// A workload's part of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitRow {
    /// Namespace of the workload.
    pub namespace: Name,
    /// Its name.
    pub workload: Name,
    /// Its version label.
    pub version: Name,
    /// The name of the route that led here, as the callers' proxies tell it in the label [`ROUTE_TAG`]; empty where they do not.
    pub route: Name,
    /// Requests.
    pub requests: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Of these, those whose duration says something: one that became a connection lasts as long as it is open.
    pub timed: u64,
    /// What those took together, in milliseconds; None where durations are not collected.
    pub spent_ms: Option<f64>,
}
