//! What a canary comes to.

use super::{evidence::Role, spans::RECENT};
use crate::{Name, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A canary as it is judged now.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What follows.
    pub verdict: Verdict,
    /// What was measured, for people: those that could be compared.
    pub metrics: Vec<Measured>,
    /// What came before is not known, though it was asked for; None where all of it is.
    pub left_out: Option<Timestamp>,
    /// Nothing can be seen: the source is stale or silent, or readiness is not known.
    pub blind: bool,
    /// It has been blind for longer than it may: people must be told.
    pub alarm: bool,
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The step is over, and nothing speaks against the next.
    Advance,
    /// It stays where it is, and why: at least one reason.
    Hold(Vec<Hold>),
    /// It is worse, and how: at least one reason.
    RollBack(Vec<Reason>),
}

/// Why a canary stays where it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Hold {
    /// The step lasts until then.
    Dwell(Timestamp),
    /// Fewer requests at this weight than the step wants.
    FewRequests {
        /// So many.
        n: u64,
        /// So many are wanted.
        wanted: u64,
    },
    /// It is warming up until then.
    WarmUp(Timestamp),
    /// Each of its pods carries so many times what a stable one does, which is more than twice.
    Load(f64),
    /// The stable version's containers restarted, so many times.
    StableRestarted(u32),
    /// A rollout of this version began then.
    Deployed(Role, Timestamp),
    /// The newest sample is of then; None if there is none.
    Stale(Option<Timestamp>),
    /// It is not known how many endpoints of this version are ready.
    ReadinessUnknown(Role),
    /// There are no requests of the stable version to compare with.
    NothingToCompare,
    /// Latency cannot be compared: no bucket of the proxies ends at the objective.
    NoBucket {
        /// The objective, in milliseconds.
        objective: f64,
        /// The nearest ends of buckets, as far as they are known.
        nearest: Vec<f64>,
    },
    /// It looks worse in this, and may still be chance, or explained by what else holds.
    Undecided(Metric),
    /// It looks worse in this in the last ten minutes, though not over all that was counted.
    Recent(Metric),
}

/// How a canary is worse.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// It has a weight and no ready endpoint.
    NoReadyPods,
    /// So many of its pods are crash-looping, or its containers restarted so often.
    CrashLooping(u32),
    /// The difference of this is above what is allowed, and not by chance.
    Worse(Metric),
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The share of requests that failed, HTTP by response code and gRPC by its own status.
    Errors,
    /// The share of requests slower than the objective.
    Latency,
    /// The share of requests answered 400 to 499.
    ClientErrors,
    /// Attempts per request, less one: retries per request.
    Amplification,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Errors,
        Self::Latency,
        Self::ClientErrors,
        Self::Amplification,
    ];

    /// As the status has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::ClientErrors => "client-errors",
            Self::Amplification => "amplification",
        }
    }
}

/// Over what both versions are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// All since the canary began, two hours at most.
    #[default]
    Began,
    /// What was counted at the weight in force.
    Weight,
    /// The last ten minutes, which condemn nobody.
    Recent,
}

/// One metric of both versions, of several comparisons the most worrying one. Shares 0 to 1, retries per request from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    /// Which.
    pub metric: Metric,
    /// Over what.
    #[serde(default)]
    pub span: Span,
    /// The stable version's.
    pub stable: f64,
    /// The canary's.
    pub canary: f64,
    /// The canary's minus the stable version's, over the same minutes and callers.
    pub difference: f64,
    /// Lower end of what the difference may be, however often one looks. Above `threshold`, the canary is worse; in the last ten minutes, it
    /// is held.
    pub low: f64,
    /// Upper end of the same.
    pub high: f64,
    /// The allowed difference.
    pub threshold: f64,
    /// The canary's requests.
    pub n: u64,
}

/// A reason in the form that the status keeps and a page has a sentence for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Said {
    /// Which reason; its sentence is of this name.
    pub code: Name,
    /// What the sentence is built from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<Name, Name>,
}

impl Said {
    /// A reason with what its sentence is built from.
    pub fn new<const N: usize>(code: &str, args: [(&str, String); N]) -> Self {
        Self {
            code: code.into(),
            args: args.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
        }
    }
}

impl Role {
    /// As reasons name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
        }
    }
}

impl From<&Hold> for Said {
    fn from(hold: &Hold) -> Self {
        match hold {
            Hold::Dwell(until) => Self::new("dwell", [("until", until.to_string())]),
            Hold::FewRequests { n, wanted } => Self::new(
                "few-requests",
                [("n", n.to_string()), ("wanted", wanted.to_string())],
            ),
            Hold::WarmUp(until) => Self::new("warm-up", [("until", until.to_string())]),
            Hold::Load(times) => Self::new("load", [("times", format!("{times:.1}"))]),
            Hold::StableRestarted(times) => Self::new("stable-restarted", [("times", times.to_string())]),
            Hold::Deployed(role, at) => Self::new(
                "deployed",
                [("at", at.to_string()), ("role", role.name().to_owned())],
            ),
            Hold::Stale(None) => Self::new("no-samples", []),
            Hold::Stale(Some(at)) => Self::new("stale", [("at", at.to_string())]),
            Hold::ReadinessUnknown(role) => {
                Self::new("readiness-unknown", [("role", role.name().to_owned())])
            }
            Hold::NothingToCompare => Self::new("nothing-to-compare", []),
            Hold::NoBucket { objective, nearest } if nearest.is_empty() => {
                Self::new("no-bucket", [("ms", objective.to_string())])
            }
            Hold::NoBucket { objective, nearest } => {
                let nearest: Vec<String> = nearest.iter().map(ToString::to_string).collect();
                Self::new(
                    "no-bucket-nearest",
                    [("ms", objective.to_string()), ("nearest", nearest.join(", "))],
                )
            }
            Hold::Undecided(metric) => Self::new("undecided", [("metric", metric.name().to_owned())]),
            Hold::Recent(metric) => Self::new(
                "recently-worse",
                [
                    ("metric", metric.name().to_owned()),
                    ("minutes", RECENT.as_mins().to_string()),
                ],
            ),
        }
    }
}

impl From<&Reason> for Said {
    fn from(reason: &Reason) -> Self {
        match reason {
            Reason::NoReadyPods => Self::new("no-ready-pods", []),
            Reason::CrashLooping(times) => Self::new("crash-looping", [("times", times.to_string())]),
            Reason::Worse(metric) => Self::new("worse", [("metric", metric.name().to_owned())]),
        }
    }
}
