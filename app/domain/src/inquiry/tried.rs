//! What Naru tries out itself.

use crate::{Name, Timestamp, fact::Pod};

/// A place where TLS begins, and the name that is asked for there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// A pod's IP address.
    pub ip: Name,
    /// The port on which the pod listens.
    pub port: u16,
    /// The name that the client says (SNI, RFC 6066 §3).
    pub name: Name,
}

/// The certificates that a server presented, its own first; it has proved that it holds that one's key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// As presented. Never empty.
    pub certificates: Vec<Certificate>,
}

/// What is looked at of a certificate (RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject, for people.
    pub subject: Name,
    /// Who issued it, for people.
    pub issuer: Name,
    /// Its serial number in hexadecimal digits.
    pub serial: Name,
    /// The DNS names of its subjectAltName.
    pub names: Vec<Name>,
    /// `notBefore`.
    pub from: Timestamp,
    /// `notAfter`.
    pub until: Timestamp,
}

/// A GET for a host and path, sent to an address. It carries no credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exchange {
    /// Where it is sent, and the host that it is for.
    pub to: Address,
    /// It is sent over TLS.
    pub tls: bool,
    /// The path; begins with `/`.
    pub path: Name,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Envoy heard from an upstream (`x-envoy-upstream-service-time`): the answer is not the proxy's own.
    pub upstream: bool,
    /// Envoy answered, as the `server` header says it.
    pub envoy: bool,
}

/// What one istiod knows of the proxies that are connected to it (`/debug/syncz`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProxyStates {
    /// The istiod's own pod: `namespace/name`.
    pub istiod: (Name, Name),
    /// Its IP address.
    pub ip: Name,
}

impl ProxyStates {
    /// Of the istiod in a pod.
    pub fn of(istiod: &Pod) -> Self {
        Self {
            istiod: (istiod.namespace.clone(), istiod.name.clone()),
            ip: istiod.ip.clone(),
        }
    }
}

/// A proxy that is connected to an istiod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyState {
    /// The pod's namespace and name.
    pub pod: (Name, Name),
    /// The version that the proxy says it has.
    pub version: Name,
    /// What it was sent, by kind of resource. A kind that was never sent is not there.
    pub stages: Vec<(Xds, Stage)>,
}

/// A kind of resource that istiod sends (Envoy's xDS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is called as Envoy calls it")]
pub enum Xds {
    Clusters,
    Listeners,
    Routes,
    Endpoints,
}

impl Xds {
    /// As proxies' status is told everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clusters => "CDS",
            Self::Listeners => "LDS",
            Self::Routes => "RDS",
            Self::Endpoints => "EDS",
        }
    }
}

/// So many seconds after it was sent a proxy has acknowledged: istiod gathers changes for at most ten (`PILOT_DEBOUNCE_MAX`), and a push takes less.
const ACKNOWLEDGED_WITHIN_S: i64 = 60;

impl ProxyState {
    /// Every proxy is sent clusters and listeners at once; an istiod that does not say so tells in another form, and nothing is known by it.
    pub fn tells(&self) -> bool {
        let sent = |xds: Xds| self.stages.iter().any(|(it, _)| *it == xds);
        sent(Xds::Clusters) && sent(Xds::Listeners)
    }
}

impl Stage {
    /// It has waited longer than an acknowledgement takes, at the moment of the reply.
    pub fn overdue(&self, at: Timestamp) -> bool {
        let late = |sent: Timestamp| at.duration_since(sent).as_secs() > ACKNOWLEDGED_WITHIN_S;
        matches!(self, Self::Waiting(sent) if sent.is_none_or(late))
    }
}

/// How far a proxy has come with what it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has acknowledged the last, which was sent at this moment by istiod's clock.
    Acknowledged(Option<Timestamp>),
    /// It has not acknowledged what was sent at this moment.
    Waiting(Option<Timestamp>),
    /// It has refused the last (NACK), in these words.
    Refused(Name),
}

/// Whether a pod that asks for a proxy of a revision would get one: a dry run, nothing is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Injection {
    /// `istio.io/rev`; empty for whoever answers without one.
    pub revision: Name,
}

/// Whether a VirtualService that Istio calls invalid would be refused: a dry run, nothing is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Validation;

/// What became of a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial<T> {
    /// It went as it should: the pod got a proxy, the rule was refused by Istio's own validation. What was seen.
    AsMeant(T),
    /// The webhook did not act: no proxy was put in, the rule was let through.
    Passed,
    /// The webhook did not answer, in the API server's words.
    Failed(Name),
}

/// The proxy that a pod would get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Injected {
    /// Its image.
    pub image: Name,
    /// The CPU that it asks for; empty for none.
    pub cpu: Name,
    /// The memory that it asks for; empty for none.
    pub memory: Name,
}
