//! One request explained with the model, beside what was observed between the same workloads.

use crate::{Millis, Name, source::SourceState, topology::Meshed, version::Version, why::Why};
use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ask {
    /// Who calls: `namespace/workload`.
    pub from: Name,
    /// In capitals or not.
    pub method: Name,
    /// `http://` or `https://`, host, port, path, query. Empty: see `to`.
    pub url: Name,
    /// Whom the request is for, where the URL is empty: a workload or a Service (`namespace/name`). The URL is then that of the Service
    /// in front of it.
    #[serde(default)]
    pub to: Name,
    /// Names and values, as sent.
    pub headers: Vec<(Name, Name)>,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Of the snapshot that it was made from.
    pub version: Version,
    /// The sources behind it.
    pub sources: Vec<SourceState>,
    /// When the traffic was measured.
    pub measured: Option<Millis>,
    /// Over how many seconds rates are taken.
    pub window_s: u32,
    /// What was asked, with its URL.
    pub ask: Ask,
    /// Who asks.
    pub caller: Caller,
    /// What the caller's proxy does, or without one the cluster's DNS.
    pub outcome: Outcome,
    /// What decided, the most decisive first. Empty where Istio's own defaults did.
    pub deciders: Vec<Decider>,
    /// What the rule does to the request besides.
    pub effects: Effects,
    /// Each destination that gets requests, with what is behind it.
    pub legs: Vec<Leg>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caller {
    /// `namespace/workload`.
    pub workload: Name,
    /// Whether its pods are in the mesh: [`Meshed::Sidecar`], [`Meshed::Ambient`] or [`Meshed::No`].
    pub meshed: Meshed,
    /// Its proxy is a gateway's.
    pub gateway: bool,
    /// Its identity under mutual TLS; None without a proxy.
    pub principal: Option<Name>,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decider", rename_all = "kebab-case")]
pub enum Decider {
    /// A field of an object.
    Object {
        /// Kubernetes kind.
        kind: Name,
        /// Where it is; empty for cluster-scoped kinds.
        namespace: Name,
        /// How it is called.
        name: Name,
        /// JSON pointer of the field (RFC 6901); empty for the object as a whole.
        path: Name,
    },
    /// An object that this viewer may not see.
    Elsewhere,
}

/// What becomes of a request at the caller's side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It goes to the legs, by weight.
    Sent,
    /// The caller has no proxy: it goes where the cluster's DNS leads, by no rule of the mesh. Without a leg: to no Service.
    ByDns,
    /// 404: the proxy knows no virtual host of this name.
    NoVirtualHost,
    /// 404: the host is known, and none of its rules takes the request.
    NoRoute,
    /// Nothing listens on this port.
    NoListener,
    /// No filter chain takes the connection.
    NoFilterChain,
    /// It is let through to where it was addressed.
    Passthrough,
    /// It is not let out.
    BlackHole,
    /// The proxy answers with a redirect.
    Redirect {
        /// The status.
        code: u16,
        /// Empty where it stays.
        authority: Name,
        /// Empty where it stays.
        path: Name,
    },
    /// The proxy answers itself.
    Direct {
        /// The status.
        status: u16,
    },
    /// The host is of a namespace that this viewer may not see.
    Elsewhere,
    /// Something decides that is not judged, or cannot be read.
    Unknown {
        /// Why.
        whys: Vec<Why>,
    },
}

/// What a rule does to a request besides choosing where it goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// The whole request's limit in milliseconds; None for no limit.
    pub timeout_ms: Option<u64>,
    /// None where the protocol has none.
    pub retries: Option<Retries>,
    /// Percentage and milliseconds of a delay that is put in.
    pub delay: Option<(f64, u64)>,
    /// Percentage and status of failures that are put in.
    pub abort: Option<(f64, u16)>,
    /// The host that the called side sees; empty where it stays.
    pub authority: Name,
    /// The path that the called side sees, with its query; None where it stays.
    pub path: Option<Name>,
    /// Copies go here too: host with subset, and percentage.
    pub mirrors: Vec<(Name, u32)>,
}

/// Retries in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    /// Beyond the first attempt; 0: they are off.
    pub attempts: u32,
    /// Envoy's conditions.
    pub on: Name,
    /// Milliseconds for each attempt; None: the request's own limit.
    pub per_try_ms: Option<u64>,
}

/// One destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// Its full name; empty where the viewer may not see its namespace.
    pub host: Name,
    /// Empty for the host as a whole.
    pub subset: Name,
    /// The Service's port, not the pod's.
    pub port: u16,
    /// Its part as set, relative to the others'; 100 for one alone.
    pub weight: u32,
    /// What is behind it.
    pub behind: Behind,
}

/// What is behind a destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "behind", rename_all = "kebab-case")]
pub enum Behind {
    /// These workloads. None, or none of them ready: 503, flag UH.
    Ends {
        /// By workload.
        ends: Vec<End>,
    },
    /// There is no such Service, port or subset: 503, flag NC.
    NoCluster,
    /// In a namespace that this viewer may not see.
    Elsewhere,
    /// It cannot be known.
    Unknown {
        /// Why.
        whys: Vec<Why>,
    },
}

/// A workload behind a destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// `namespace/workload`; None for addresses that are no pod's.
    pub workload: Option<Name>,
    /// Endpoints that take requests.
    pub ready: u32,
    /// All of them.
    pub total: u32,
    /// What both sides make of TLS.
    pub tls: Tls,
    /// Its proxy reads HTTP there, and something else is sent: nobody answers.
    #[serde(default)]
    pub deaf: bool,
    /// Whether it is let in; None where no proxy asks.
    pub authorization: Option<Authorization>,
    /// What was measured between the caller and this workload, whichever way its requests took; None where nothing was.
    pub observed: Option<Observed>,
}

/// What both sides make of TLS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tls {
    /// What the caller's side sends, and why; None where it cannot be known.
    pub sent: Option<(Sends, Cause)>,
    /// The field that says so; None where none does.
    pub sent_by: Option<Decider>,
    /// What the called side takes; None where it cannot be known.
    pub takes: Option<Takes>,
    /// The field that says so; None where none does.
    pub takes_by: Option<Decider>,
    /// Whether they agree.
    pub agreed: Agreed,
}

/// What the caller's side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sends {
    /// The workload's bytes as they are.
    Plaintext,
    /// Mutual TLS with the mesh's certificates.
    Mutual,
    /// TLS of a DestinationRule's own making.
    Tls,
}

/// Why it sends that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The caller has no proxy.
    NoProxy,
    /// A DestinationRule says so.
    DestinationRule,
    /// Automatic mutual TLS is off in the whole mesh.
    AutoMtlsOff,
    /// A PeerAuthentication has turned mutual TLS off on the called side.
    PeerAuthentication,
    /// The called pod does not say that it has a proxy.
    NoServerProxy,
    /// Nothing is said, so mutual TLS is automatic.
    Automatic,
    /// It is let through to an address, by no cluster of a service's.
    Passthrough,
}

/// What the called side takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// There is no proxy: whatever the workload takes.
    Workload,
    /// Mutual TLS alone.
    Strict,
    /// Mutual TLS and plaintext.
    Permissive,
    /// Plaintext alone.
    Disable,
}

/// Whether the two sides agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "agreed", rename_all = "kebab-case")]
pub enum Agreed {
    /// On mutual TLS.
    Mutual,
    /// On plaintext.
    Plaintext,
    /// They do not: the connection is reset.
    Refused,
    /// It cannot be known.
    Unknown {
        /// Why.
        whys: Vec<Why>,
    },
}

/// Whether a request is let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Authorization {
    /// Whether.
    pub verdict: Verdict,
    /// How it was decided.
    pub how: How,
    /// The policy and rule; None where nothing had to decide.
    pub decider: Option<Decider>,
}

/// Whether a request is let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// It reaches the workload.
    Allow,
    /// It does not.
    Deny,
    /// It cannot be known.
    Unknown {
        /// Why.
        whys: Vec<Why>,
    },
}

/// How authorization decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// No policy applies.
    NoPolicies,
    /// Policies apply; none refuses, and none has to allow.
    NotDenied,
    /// A rule of an ALLOW policy takes it.
    AllowedByRule,
    /// A rule of a DENY policy takes it.
    DeniedByRule,
    /// ALLOW policies enforce, and no rule of them takes it.
    NoRuleMatched,
    /// An external authorizer is asked, or would be, if the mesh had it.
    Custom,
    /// The token's issuer or audience.
    Token,
    /// Something decides that is not judged.
    NotJudged,
}

/// What was measured between two workloads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// `http`, `grpc` or `tcp`.
    pub protocol: Name,
    /// Requests (for TCP: connections opened) per second; 0 when it has gone quiet.
    pub rate: Option<f64>,
    /// Failed share as the caller saw it, 0 to 1.
    pub error_share: Option<f64>,
    /// Share under mutual TLS as the called side saw it, 0 to 1.
    pub mtls_share: Option<f64>,
    /// Mean duration in milliseconds, as the caller saw it.
    pub average_ms: Option<f64>,
    /// When requests were last seen; None while there are some in the window.
    pub last_seen: Option<Millis>,
    /// What is not known about it.
    pub whys: Vec<Why>,
}
