//! What is known of both versions: counts by scrape, and facts that need no counting.

use super::counts::Slow;
use crate::{Name, Timestamp};
use jiff::SignedDuration;

/// Which of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// That which served before.
    Stable,
    /// That which is tried.
    Canary,
}

/// All that is judged by. Counts begin with the canary's first request and may be given coarser the older they are, but never coarser than
/// a minute; what is left out at the beginning is forgotten.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The interval at which proxies are really scraped.
    pub scrape: SignedDuration,
    /// The newest sample of any caller's proxy; None where there is none.
    pub newest: Option<Timestamp>,
    /// Requests, by the callers' proxies: what callers got, after retries.
    pub blocks: Vec<Block>,
    /// Attempts, by the called side's proxies. They are compared with `blocks`, never added to them.
    pub arrivals: Vec<Arrivals>,
    /// Failures of the route's host that reached no destination, by the callers' proxies.
    pub unrouted: Vec<Unrouted>,
    /// Whether slow requests are told apart.
    pub slow: Slow,
    /// What came before is not known; see [`Counts`](super::Counts).
    pub left_out: Option<Timestamp>,
    /// The stable version's facts.
    pub stable: Facts,
    /// The canary's facts.
    pub canary: Facts,
}

/// Requests that one caller's pod sent to one destination between two samples: differences of raw counters, see
/// [`counter`](super::counter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The sample before.
    pub from: Timestamp,
    /// The sample.
    pub to: Timestamp,
    /// Which version answered.
    pub role: Role,
    /// The caller's pod.
    pub caller: Name,
    /// The answering pod; the workload where the pod is not told.
    pub destination: Name,
    /// Requests.
    pub requests: u64,
    /// Of these: failed by response code (5xx, no answer). gRPC requests are not among them.
    pub failed: u64,
    /// Of these: failed by `grpc_response_status`, for HTTP says 200 of them.
    pub grpc_failed: u64,
    /// Of these: answered 400 to 499.
    pub client_errors: u64,
    /// Of these: slower than the objective.
    pub slow: u64,
}

/// Attempts that arrived at one pod within a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// The minute's last sample.
    pub to: Timestamp,
    /// Of which version.
    pub role: Role,
    /// The pod; None where it is not told.
    pub pod: Option<Name>,
    /// Attempts: a request that is tried three times is three of them.
    pub attempts: u64,
}

/// Failures that no version answered: no healthy upstream, no route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrouted {
    /// The sample.
    pub to: Timestamp,
    /// The caller's pod.
    pub caller: Name,
    /// Requests.
    pub requests: u64,
    /// Whether the stable version had ready endpoints then, so that these were not its own.
    pub stable_ready: bool,
}

/// What Kubernetes says of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Ready endpoints; None where it is not known.
    pub ready: Option<u32>,
    /// Pods that are crash-looping.
    pub crash_looping: u32,
    /// Restarts of its pods' containers in the window.
    pub restarts: u32,
    /// When its youngest pod started.
    pub started: Option<Timestamp>,
    /// A rollout of it that began in the window.
    pub deployed: Option<Timestamp>,
}
