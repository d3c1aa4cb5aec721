//! What a proxy does with a request.

use crate::{Name, Why, mesh::Decider, object::Key};

/// What a proxy does with a request, and by what.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What it does.
    pub outcome: Outcome,
    /// The objects and fields that decided, the most decisive first. Empty where Istio's own defaults did.
    pub deciders: Vec<Decider>,
    /// The rule that took the request: its object, and its position in `spec.http`, `spec.tls` or `spec.tcp`.
    pub rule: Option<(Key, u32)>,
    /// What the rule does to the request besides.
    pub effects: Effects,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It goes to one of these, by weight; never empty. One alone has all of it.
    Sent(Vec<Share>),
    /// 404: the proxy knows no virtual host of this name.
    NoVirtualHost,
    /// 404: the host is known, and none of its rules takes the request.
    NoRoute,
    /// Nothing listens on this port: the connection is refused.
    NoListener,
    /// Something listens, and no filter chain takes the connection (by SNI, mostly): it is reset.
    NoFilterChain,
    /// It is let through to where the caller addressed it (`PassthroughCluster`).
    Passthrough,
    /// It is not let out (`BlackHoleCluster`): 502 for HTTP, a reset for other bytes.
    BlackHole,
    /// The proxy answers with a redirect.
    Redirect {
        /// 301 unless said otherwise.
        code: u16,
        /// Where to, as far as the configuration says: authority and path, empty where they stay.
        authority: Name,
        /// See `authority`.
        path: Name,
    },
    /// The proxy answers itself.
    Direct {
        /// The status.
        status: u16,
    },
    /// Something decides that is not judged.
    Unknown(Vec<Why>),
}

/// A destination with its part of the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Where to.
    pub destination: Destination,
    /// As set, relative to the others'; 100 for one alone.
    pub weight: u32,
    /// What is missing there, so that requests fail with 503, or with 500 where a HTTPRoute's rule sends them.
    pub missing: Option<Missing>,
}

/// Where requests are sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// Full name.
    pub host: Name,
    /// Empty for the host as a whole.
    pub subset: Name,
    /// The service's port, not the pod's.
    pub port: u16,
}

/// Why a destination has no cluster: 503 with the flag NC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// The host names nothing that this proxy may see.
    Host,
    /// The service has no such port.
    Port,
    /// No DestinationRule that this proxy uses defines the subset.
    Subset,
}

/// What a rule does to a request besides choosing where it goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// New authority and path (or path prefix), if any.
    pub rewrite: Option<Rewrite>,
    /// Copies go here too; `weight` is the percentage of requests.
    pub mirrors: Vec<Share>,
    /// Faults that are put in.
    pub fault: Option<Fault>,
    /// Whole time for the request in milliseconds; None for no limit.
    pub timeout_ms: Option<u64>,
    /// Attempts beyond the first. None where the protocol has none.
    pub retries: Option<Retries>,
}

/// A rewrite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// Empty: stays.
    pub authority: Name,
    /// The path as the workload sees it, with the query; None: stays.
    pub path: Option<Name>,
}

/// Faults put in by the caller's proxy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    /// Percentage and milliseconds.
    pub delay: Option<(f64, u64)>,
    /// Percentage and HTTP status.
    pub abort: Option<(f64, u16)>,
}

/// Retries in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Attempts beyond the first; 0 turns them off.
    pub attempts: u32,
    /// Envoy's conditions, as written or by default.
    pub on: Name,
    /// Milliseconds for each attempt; None: the request's own limit.
    pub per_try_timeout_ms: Option<u64>,
}

impl Choice {
    /// An outcome that nothing but Istio's defaults decided.
    pub fn by_default(outcome: Outcome) -> Self {
        Self {
            outcome,
            deciders: Vec::new(),
            rule: None,
            effects: Effects::default(),
        }
    }
}
