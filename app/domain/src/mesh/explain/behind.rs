//! What is behind a destination, and how a request fares there.

use super::{Caller, End, Leg, Nowhere};
use crate::{
    fact::{self, Pod},
    mesh::{
        Mesh, Proxy, authz, host, mtls,
        protocol::{self, Reads},
        route::{ChosenDestination, Request, Share},
        subset::{self, Endpoint, Reach},
    },
    traffic::ServiceId,
    workload::{WorkloadId, selects},
};
use std::collections::BTreeMap;

/// A request with who asks.
#[derive(Clone, Copy)]
pub(super) struct Asks<'a> {
    pub(super) mesh: &'a Mesh<'a>,
    pub(super) caller: &'a Caller,
    pub(super) proxy: &'a Proxy,
    pub(super) request: &'a Request,
    /// HTTP is sent.
    pub(super) http: bool,
}

impl Asks<'_> {
    /// A destination that a rule or the cluster's DNS leads to.
    pub(super) fn leg(self, share: Share) -> Leg {
        let to = &share.destination;
        let ends = match subset::reach(self.mesh, self.proxy, to) {
            Reach::Endpoints(endpoints) => Ok(self.ends(to, &endpoints, false)),
            Reach::NoService | Reach::NoPort | Reach::NoSubset => Err(Nowhere::NoCluster),
            Reach::Unknown(whys) => self.original(to).ok_or(Nowhere::Unknown(whys)),
        };
        Leg { share, ends }
    }

    /// Endpoints by workload. What is let `through` is sent as it is.
    pub(super) fn ends(self, to: &ChosenDestination, endpoints: &[Endpoint], through: bool) -> Vec<End> {
        let mut by_workload: BTreeMap<Option<WorkloadId>, Vec<&Endpoint>> = BTreeMap::new();
        for endpoint in endpoints {
            by_workload
                .entry(endpoint.workload.clone())
                .or_default()
                .push(endpoint);
        }
        let count = |endpoints: &[&Endpoint], ready: bool| {
            let some = endpoints.iter().filter(|it| it.ready || !ready).count();
            u32::try_from(some).unwrap_or(u32::MAX)
        };
        let one = |(workload, endpoints): (Option<WorkloadId>, Vec<&Endpoint>)| {
            // Pods of one workload are alike; one that takes requests speaks for them.
            let speaker = endpoints.iter().find(|it| it.ready).or(endpoints.first())?;
            let server = mtls::Server::at(speaker, &self.proxy.namespace);
            let client = (self.caller.meshed == fact::Proxy::Sidecar).then_some(self.proxy);
            let handshake = if through {
                mtls::through(self.mesh, to, &server)
            } else {
                mtls::mode(self.mesh, client, to, &server)
            };
            let pod = speaker.pod.as_deref();
            let reads = reads(self.mesh, to, pod, server.port);
            let meshed = speaker.proxy() == fact::Proxy::Sidecar;
            let http = self.http && reads != Some(Reads::No);
            Some(End {
                workload,
                ready: count(&endpoints, true),
                total: count(&endpoints, false),
                authorization: meshed.then(|| self.authorize(http, &handshake, &server, pod)),
                handshake,
                reads,
                deaf: meshed && !self.http && reads == Some(Reads::Http),
            })
        };
        by_workload.into_iter().filter_map(one).collect()
    }

    fn authorize(
        self,
        http: bool,
        handshake: &mtls::Handshake,
        server: &mtls::Server,
        pod: Option<&Pod>,
    ) -> authz::Decision {
        let request = self.request;
        let mutual = matches!(handshake.outcome, mtls::Outcome::Works { mutual: true });
        let asked = authz::Request {
            protocol: if http {
                authz::Protocol::Http
            } else {
                authz::Protocol::Tcp
            },
            mtls: mutual,
            principal: self
                .caller
                .principal
                .clone()
                .filter(|_| mutual)
                .unwrap_or_else(|| "".into()),
            namespace: self.caller.workload.0.clone(),
            destination_ip: pod.and_then(|pod| pod.ip.parse().ok()),
            method: request.method.clone(),
            path: request.path.clone(),
            headers: request.headers.clone(),
            ..authz::Request::get(&request.host, server.port.unwrap_or(0))
        };
        authz::decide(self.mesh, &server.pod, &asked)
    }
}

/// What is read at a port of the called side: on one that is declared otherwise than HTTP, policies see bytes, whatever is sent. By the
/// Service that was called, else by the first (by name) that leads to the pod's port; a port that none leads to is sniffed.
fn reads(mesh: &Mesh<'_>, to: &ChosenDestination, pod: Option<&Pod>, port: Option<u16>) -> Option<Reads> {
    let called = host::service_of(&to.host).and_then(|it| mesh.objects.service(&it.namespace, &it.name));
    if let Some(service) = called {
        return Some(protocol::of_service(service, to.port)?.0.protocol.reads());
    }
    let (pod, number) = (pod?, port?);
    let services = mesh.objects.services.values();
    let mut leading = services
        .filter(|it| it.namespace == pod.namespace && selects(&it.selector, &pod.labels))
        .filter_map(|service| {
            let id = ServiceId {
                namespace: service.namespace.clone(),
                name: service.name.clone(),
            };
            let mut ports = service.ports.iter();
            let port = ports.find(|port| {
                let all = subset::all(mesh, &id, port);
                all.iter().any(|it| {
                    it.port == Some(number) && it.pod.as_ref().is_some_and(|it| it.name == pod.name)
                })
            })?;
            Some(protocol::of_service(service, port.port)?.0.protocol.reads())
        });
    Some(leading.next().unwrap_or(Reads::Sniffed))
}
