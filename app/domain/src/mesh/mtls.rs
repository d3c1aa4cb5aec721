//! Mutual TLS: what a caller's side sends, what the called side takes, and whether they agree.
//!
//! EnvoyFilters are not looked at here: [`unjudged`] says whether one touches either proxy.

mod client;
mod server;

pub use server::{Mode, server_mode};

use super::{
    Decider, Mesh, Proxy, Role, host, protocol,
    protocol::Reads,
    route::ChosenDestination,
    subset::{self, Endpoint, Reach, Setting},
    unjudged,
};
use crate::{
    Why,
    fact::{self, Labels, Pod},
    object::Kind,
};

/// The called side: a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its namespace and labels, as configuration selects it by, whether it has a proxy or not.
    pub pod: Proxy,
    /// How it is in the mesh.
    pub meshed: fact::Proxy,
    /// Its own port (a service's target port); None where that is not known.
    pub port: Option<u16>,
}

impl Server {
    /// A pod with a sidecar.
    pub fn sidecar(pod: &Proxy, port: u16) -> Self {
        Self {
            pod: pod.clone(),
            meshed: fact::Proxy::Sidecar,
            port: Some(port),
        }
    }

    /// A pod without a proxy.
    pub fn plain(pod: &Proxy, port: u16) -> Self {
        Self {
            meshed: fact::Proxy::None,
            ..Self::sidecar(pod, port)
        }
    }

    /// A pod.
    pub fn of(pod: &Pod, port: Option<u16>) -> Self {
        Self {
            pod: Proxy::sidecar(pod.namespace.clone(), pod.labels.clone()),
            meshed: pod.proxy,
            port,
        }
    }

    /// An endpoint of a service in a namespace.
    pub fn at(endpoint: &Endpoint, namespace: &str) -> Self {
        match &endpoint.pod {
            Some(pod) => Self::of(pod, endpoint.port),
            None => Self {
                pod: Proxy::sidecar(namespace, Labels::new()),
                meshed: fact::Proxy::None,
                port: endpoint.port,
            },
        }
    }
}

/// What the caller's side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sends {
    /// The workload's bytes as they are.
    Plaintext,
    /// Mutual TLS with the mesh's certificates.
    Mutual,
    /// TLS of a DestinationRule's own making.
    Tls {
        /// With a certificate of the client's.
        certificate: bool,
    },
}

/// Why it sends that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The caller has no proxy.
    NoProxy,
    /// A DestinationRule says so.
    DestinationRule,
    /// meshConfig has turned automatic mutual TLS off, and no DestinationRule says anything.
    AutoMtlsOff,
    /// A PeerAuthentication has turned mutual TLS off on the called side, which callers heed.
    PeerAuthentication,
    /// The called pod does not say that it has a proxy.
    NoServerProxy,
    /// Nothing is said, so mutual TLS is automatic.
    Automatic,
    /// It is let through to an address, by no cluster of a service's.
    Passthrough,
}

/// What is sent, why, and by which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What is sent.
    pub sends: Sends,
    /// Why.
    pub cause: Cause,
    /// The field; None where no object said it.
    pub decider: Option<Decider>,
}

/// What the called side takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Takes {
    /// There is no proxy: the workload takes what it takes, and knows nothing of the mesh's certificates.
    Workload,
    /// What its sidecar's mode says.
    Sidecar(Mode),
}

/// Whether the two sides agree.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// They do.
    Works {
        /// By mutual TLS; else in plaintext.
        mutual: bool,
    },
    /// They do not: the connection is reset.
    Refused {
        /// Who refuses.
        by: Refuser,
        /// The field that makes it so: of the called side's mode, else of what the caller sends.
        decider: Option<Decider>,
    },
    /// It cannot be known.
    Unknown(Vec<Why>),
}

/// Who refuses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refuser {
    /// The called side's sidecar.
    Sidecar,
    /// The called workload, which has no proxy to take the TLS off.
    Workload,
}

/// A connection between two workloads.
#[derive(Clone, Debug, PartialEq)]
pub struct Handshake {
    /// What the caller's side sends; None where it cannot be known.
    pub sent: Option<Sent>,
    /// What the called side takes; None where it cannot be known.
    pub takes: Option<Setting<Takes>>,
    /// Whether they agree.
    pub outcome: Outcome,
}

/// What happens between a caller (None: without a sidecar) and one pod behind a destination. The destination is the service, subset
/// and service port that the caller's routes have chosen. Ambient pods, gateways as the called side, ExternalName Services and
/// ServiceEntries are Unknown, as is TLS that the workloads would have to speak themselves.
pub fn mode(mesh: &Mesh<'_>, client: Option<&Proxy>, to: &ChosenDestination, server: &Server) -> Handshake {
    let sent = client::sent(mesh, client, to, server);
    let takes = takes(mesh, server);
    let outcome = match (&sent, &takes) {
        (Ok(sent), Ok(takes)) => outcome(mesh, to, sent, takes),
        (sent, takes) => {
            let whys = [sent.as_ref().err(), takes.as_ref().err()];
            let mut whys: Vec<Why> = whys.into_iter().flatten().flatten().cloned().collect();
            whys.dedup();
            Outcome::Unknown(whys)
        }
    };
    Handshake {
        sent: sent.ok(),
        takes: takes.ok(),
        outcome,
    }
}

/// What happens where a request is let through to a pod's address: it is sent as it is. (`buildDefaultPassthroughCluster` in istio's
/// `pilot/pkg/networking/core`.)
pub(super) fn through(mesh: &Mesh<'_>, to: &ChosenDestination, server: &Server) -> Handshake {
    let sent = Sent {
        sends: Sends::Plaintext,
        cause: Cause::Passthrough,
        decider: None,
    };
    let takes = takes(mesh, server);
    Handshake {
        outcome: match &takes {
            Ok(takes) => outcome(mesh, to, &sent, takes),
            Err(whys) => Outcome::Unknown(whys.clone()),
        },
        sent: Some(sent),
        takes: takes.ok(),
    }
}

/// The same for every endpoint behind the destination that takes new requests.
///
/// # Errors
/// Why the endpoints cannot be known, as [`reach`](subset::reach()) says it.
pub fn modes(
    mesh: &Mesh<'_>,
    client: &Proxy,
    to: &ChosenDestination,
) -> Result<Vec<(Endpoint, Handshake)>, Reach> {
    let endpoints = match subset::reach(mesh, client, to) {
        Reach::Endpoints(endpoints) => endpoints,
        other => return Err(other),
    };
    let namespace = host::service_of(&to.host).map_or_else(|| "".into(), |service| service.namespace);
    let ready = endpoints.into_iter().filter(|endpoint| endpoint.ready);
    Ok(ready
        .map(|endpoint| {
            let server = Server::at(&endpoint, &namespace);
            let handshake = mode(mesh, Some(client), to, &server);
            (endpoint, handshake)
        })
        .collect())
}

fn takes(mesh: &Mesh<'_>, server: &Server) -> Result<Setting<Takes>, Vec<Why>> {
    match server.meshed {
        fact::Proxy::None => Ok(Setting::unset(Takes::Workload)),
        fact::Proxy::Ambient => Err(vec![Why::NotJudged {
            what: "ambient".into(),
        }]),
        fact::Proxy::Sidecar => {
            let pod = Proxy {
                role: role(mesh, &server.pod)?,
                ..server.pod.clone()
            };
            let (mode, decider) = match server.port {
                Some(port) => server_mode(mesh, &pod, port)?,
                None => server::mode_of_any_port(mesh, &pod)?,
            };
            if mode == Mode::Disable {
                without_own_tls(mesh, &pod)?;
            }
            Ok(Setting {
                value: Takes::Sidecar(mode),
                decider,
            })
        }
    }
}

/// Where mutual TLS is off, a `Sidecar` may give its listeners certificates of their own, which is not judged.
fn without_own_tls(mesh: &Mesh<'_>, pod: &Proxy) -> Result<(), Vec<Why>> {
    if let Some(gap) = mesh.objects.gap(Kind::Sidecar) {
        return Err(vec![gap]);
    }
    let with_tls = mesh.objects.of_kind(Kind::Sidecar).find(|sidecar| {
        let namespace = &sidecar.key().namespace;
        let near = *namespace == pod.namespace || *namespace == mesh.config.root_namespace;
        let mut listeners = sidecar.list("/spec/ingress").iter();
        near && listeners.any(|listener| listener.get("tls").is_some())
    });
    with_tls.map_or(Ok(()), |sidecar| Err(vec![unjudged::named(sidecar)]))
}

/// The proxy of a pod that has one, in its [role].
pub(crate) fn proxy(mesh: &Mesh<'_>, pod: &Pod) -> Result<Proxy, Vec<Why>> {
    let mut proxy = Proxy::sidecar(pod.namespace.clone(), pod.labels.clone());
    proxy.role = role(mesh, &proxy)?;
    Ok(proxy)
}

/// A pod with a proxy is a gateway where it says so, or a Gateway selects it.
pub(crate) fn role(mesh: &Mesh<'_>, pod: &Proxy) -> Result<Role, Vec<Why>> {
    if pod.role == Role::Gateway || pod.labels.contains_key("gateway.networking.k8s.io/gateway-name") {
        return Ok(Role::Gateway);
    }
    if let Some(gap) = mesh.objects.gap(Kind::Gateway) {
        return Err(vec![gap]);
    }
    let selected = mesh.objects.of_kind(Kind::Gateway).any(|gateway| {
        let selector = unjudged::labels(gateway, "/spec/selector");
        crate::workload::selects(&selector, &pod.labels)
    });
    Ok(if selected { Role::Gateway } else { Role::Sidecar })
}

fn outcome(mesh: &Mesh<'_>, to: &ChosenDestination, sent: &Sent, takes: &Setting<Takes>) -> Outcome {
    let refused = || Outcome::Refused {
        by: Refuser::Sidecar,
        decider: takes.decider.clone().or_else(|| sent.decider.clone()),
    };
    let unknown = |what: &str| Outcome::Unknown(vec![Why::NotJudged { what: what.into() }]);
    match (sent.sends, takes.value) {
        (Sends::Plaintext, Takes::Workload | Takes::Sidecar(Mode::Permissive | Mode::Disable)) => {
            Outcome::Works { mutual: false }
        }
        (Sends::Mutual, Takes::Sidecar(Mode::Strict | Mode::Permissive)) => Outcome::Works { mutual: true },
        (Sends::Mutual, Takes::Workload) => Outcome::Refused {
            by: Refuser::Workload,
            decider: sent.decider.clone(),
        },
        (Sends::Plaintext | Sends::Tls { certificate: false }, Takes::Sidecar(Mode::Strict))
        | (Sends::Mutual, Takes::Sidecar(Mode::Disable)) => refused(),
        (Sends::Tls { certificate: true }, Takes::Sidecar(Mode::Strict)) => unknown("certificates"),
        (Sends::Tls { .. }, Takes::Workload) => unknown("TLS of the workload"),
        // A sidecar passes foreign TLS on to its workload, but not where it has to read HTTP.
        (Sends::Tls { .. }, Takes::Sidecar(Mode::Permissive | Mode::Disable)) => match reads(mesh, to) {
            Some(Reads::Http) => refused(),
            Some(Reads::Sniffed | Reads::No) => unknown("TLS of the workload"),
            None => unknown("Service"),
        },
    }
}

fn reads(mesh: &Mesh<'_>, to: &ChosenDestination) -> Option<Reads> {
    let id = host::service_of(&to.host)?;
    let service = mesh.objects.service(&id.namespace, &id.name)?;
    let (declared, _) = protocol::of_service(service, to.port)?;
    Some(declared.protocol.reads())
}

#[cfg(test)]
mod tests;
