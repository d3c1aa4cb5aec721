//! Where a caller's proxy sends a request, and what is behind that: the mesh model's word, kept until something of it changes.

use super::{
    demand::Shape,
    peers::{Peer, Peers, Side, narrow},
    pools::Limits,
    rules::host_header,
};
use naru_domain::{
    Name,
    mesh::{
        Mesh, Proxy, gateway_api, host,
        route::{self, ChosenDestination, Effects, Outcome, Request, Table, told_apart},
        route_tag,
        subset::{self, Reach},
    },
    object::{Key, Kind},
    traffic::{self, ServiceId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// The service that is meant; a gateway is asked for a host instead.
    pub(super) service: ServiceId,
    /// The host in the URL.
    pub(super) host: Name,
    /// The port in the URL; None: the service's first.
    pub(super) port: Option<u16>,
    pub(super) protocol: traffic::Protocol,
}

/// What becomes of a request at the caller's side.
#[derive(Debug)]
pub(super) enum To {
    /// It goes to one of these, by weight.
    Legs(Vec<(u32, Leg)>),
    /// The proxy answers.
    Answer(Answer),
    /// The connection is refused or reset before there is a request: nobody counts it.
    Refused,
    /// Out of the mesh.
    Outside,
}

/// A proxy's own answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 404, NR.
    NoRoute,
    /// 502.
    BlackHole,
    /// A redirect or a response of its own.
    Status(u16),
}

/// A destination.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) destination: u32,
    pub(super) service: ServiceId,
    /// The proxy has no cluster for it.
    pub(super) missing: bool,
}

/// A choice of the model's.
#[derive(Debug)]
pub(super) struct Routed {
    pub(super) to: To,
    pub(super) effects: Effects,
    pub(super) mirrors: Vec<(u32, Leg)>,
    /// As it arrives.
    pub(super) host: Name,
    /// As it arrives.
    pub(super) path: Name,
    /// The port that was called.
    pub(super) port: u16,
    /// The model judged all of it.
    pub(super) judged: bool,
    /// The name of the route, where proxies tell it; else empty.
    pub(super) route: Name,
}

/// What is behind a destination.
#[derive(Debug)]
pub(super) struct Behind {
    /// Pods that take requests, with their ports.
    pub(super) ends: Vec<(Peer, u16)>,
    pub(super) missing: bool,
    pub(super) limits: Option<Limits>,
    pub(super) judged: bool,
    service: ServiceId,
}

/// All that was asked so far.
#[derive(Debug, Default)]
pub(super) struct Routes {
    pub(super) targets: Vec<Target>,
    target_numbers: BTreeMap<Target, u32>,
    pub(super) destinations: Vec<ChosenDestination>,
    destination_numbers: BTreeMap<ChosenDestination, u32>,
    /// By side, target, shape.
    chosen: BTreeMap<(u32, u32, u32), Arc<Routed>>,
    /// By side and destination.
    behind: BTreeMap<(u32, u32), Arc<Behind>>,
}

/// The model's tables, for as long as the objects stay as they are.
pub(super) type Tables<'m> = BTreeMap<u32, Table<'m>>;

impl Routes {
    pub(super) fn target(&mut self, target: Target) -> u32 {
        if let Some(&number) = self.target_numbers.get(&target) {
            return number;
        }
        let number = narrow(self.targets.len());
        self.targets.push(target.clone());
        self.target_numbers.insert(target, number);
        number
    }

    fn destination(&mut self, destination: &ChosenDestination) -> u32 {
        if let Some(&number) = self.destination_numbers.get(destination) {
            return number;
        }
        let number = narrow(self.destinations.len());
        self.destinations.push(destination.clone());
        self.destination_numbers.insert(destination.clone(), number);
        number
    }

    /// The configuration has changed.
    pub(super) fn forget(&mut self) {
        self.chosen.clear();
        self.behind.clear();
    }

    /// These services' endpoints have changed, and these namespaces' pods.
    pub(super) fn forget_ends(&mut self, services: &BTreeSet<ServiceId>, namespaces: &BTreeSet<Name>) {
        self.behind
            .retain(|_, it| !services.contains(&it.service) && !namespaces.contains(&it.service.namespace));
    }

    pub(super) fn chosen<'m>(
        &mut self,
        mesh: &'m Mesh<'m>,
        tables: &mut Tables<'m>,
        sides: &'m [Side],
        (side, target, shape): (u32, u32, u32),
        asked: &Shape,
    ) -> Arc<Routed> {
        if let Some(known) = self.chosen.get(&(side, target, shape)) {
            return known.clone();
        }
        let by = &sides[side as usize];
        let it = self.targets[target as usize].clone();
        let service = mesh.objects.service(&it.service.namespace, &it.service.name);
        let first = || service.and_then(|it| it.ports.first()).map_or(80, |it| it.port);
        let port = it.port.unwrap_or_else(first);
        let request = request(&it, port, asked);
        let routed = if by.proxied.meshed() {
            let table = tables.entry(side).or_insert_with(|| Table::of(mesh, &by.proxy));
            let choice = table.choose(&request);
            let route = told(mesh, &choice);
            Routed {
                route,
                ..self.routed(choice, &request, &it)
            }
        } else {
            self.direct(mesh, &by.proxy, &request)
        };
        let routed = Arc::new(routed);
        self.chosen.insert((side, target, shape), routed.clone());
        routed
    }

    fn routed(&mut self, choice: route::Choice, request: &Request, target: &Target) -> Routed {
        let mut judged = true;
        let to = match choice.outcome {
            Outcome::Sent(shares) => To::Legs(shares.iter().map(|it| self.leg(it)).collect()),
            Outcome::NoVirtualHost | Outcome::NoRoute => To::Answer(Answer::NoRoute),
            Outcome::NoListener | Outcome::NoFilterChain => To::Refused,
            Outcome::Passthrough => To::Outside,
            Outcome::BlackHole => To::Answer(Answer::BlackHole),
            Outcome::Redirect { code, .. } => To::Answer(Answer::Status(code)),
            Outcome::Direct { status } => To::Answer(Answer::Status(status)),
            Outcome::Unknown(_) => {
                judged = false;
                let share = whole(&target.service, request.port);
                To::Legs(vec![self.leg(&share)])
            }
        };
        let mirrors = choice.effects.mirrors.iter().map(|it| self.leg(it)).collect();
        let rewrite = choice.effects.rewrite.clone().unwrap_or_default();
        Routed {
            to,
            mirrors,
            host: if rewrite.authority.is_empty() {
                request.host.clone()
            } else {
                rewrite.authority
            },
            path: rewrite.path.unwrap_or_else(|| request.path.clone()),
            port: request.port,
            effects: choice.effects,
            judged,
            route: Name::default(),
        }
    }

    fn leg(&mut self, share: &route::Share) -> (u32, Leg) {
        let host = &share.destination.host;
        let service = host::service_of(host).unwrap_or_else(|| ServiceId {
            namespace: "".into(),
            name: host.clone(),
        });
        let leg = Leg {
            destination: self.destination(&share.destination),
            service,
            missing: share.missing.is_some(),
        };
        (share.weight, leg)
    }

    /// Who has no proxy knows no rules: the cluster's DNS leads to a Service, and that to any of its pods.
    fn direct(&mut self, mesh: &Mesh<'_>, caller: &Proxy, request: &Request) -> Routed {
        let to = match addressed(mesh, &caller.namespace, &request.host) {
            Some(service) => To::Legs(vec![self.leg(&whole(&service, request.port))]),
            None => To::Refused,
        };
        Routed {
            to,
            effects: Effects::default(),
            mirrors: Vec::new(),
            host: request.host.clone(),
            path: request.path.clone(),
            port: request.port,
            judged: true,
            route: Name::default(),
        }
    }

    /// The pods that take requests behind a destination.
    pub(super) fn behind(
        &mut self,
        mesh: &Mesh<'_>,
        peers: &Peers,
        side: u32,
        destination: u32,
    ) -> Arc<Behind> {
        if let Some(known) = self.behind.get(&(side, destination)) {
            return known.clone();
        }
        let to = &self.destinations[destination as usize];
        let by = &peers.sides[side as usize];
        let service = host::service_of(&to.host).unwrap_or_default();
        let mut behind = Behind {
            ends: Vec::new(),
            missing: false,
            limits: None,
            judged: true,
            service,
        };
        let peer = |namespace: &Name, name: &Name| {
            let key = Key::new(Kind::Pod, namespace.clone(), name.clone());
            peers.of_pod.get(&key).copied()
        };
        match subset::reach(mesh, &by.proxy, to) {
            Reach::Endpoints(endpoints) => {
                let ready = endpoints.into_iter().filter(|it| it.ready);
                behind.ends = ready
                    .filter_map(|it| {
                        let pod = it.pod?;
                        Some((peer(&pod.namespace, &pod.name)?, it.port.unwrap_or(to.port)))
                    })
                    .collect();
            }
            Reach::NoService | Reach::NoPort | Reach::NoSubset => behind.missing = true,
            Reach::Unknown(_) => {
                behind.judged = false;
                let pods = subset::pods_of(mesh.objects, &behind.service);
                let ready = pods.into_iter().filter(|(_, ready)| *ready);
                behind.ends = ready
                    .filter_map(|(pod, _)| Some((peer(&pod.namespace, &pod.name)?, to.port)))
                    .collect();
            }
        }
        if by.proxied.meshed() {
            match subset::policy(mesh, &by.proxy, to) {
                Ok(policy) => behind.limits = policy.and_then(|it| limits(&it.pool)),
                Err(_) => behind.judged = false,
            }
        }
        let behind = Arc::new(behind);
        self.behind.insert((side, destination), behind.clone());
        behind
    }
}

/// What proxies tell of the route that was chosen.
fn told(mesh: &Mesh<'_>, choice: &route::Choice) -> Name {
    if !route_tag::told(mesh.objects, &mesh.config) {
        return Name::default();
    }
    let Some((key, index)) = &choice.rule else {
        return told_apart::DEFAULT.into();
    };
    let of = mesh.objects.whole.get(key);
    let rules = of.map(|it| match key.kind {
        Kind::HttpRoute => gateway_api::weights::rules(it),
        _ => route::rules(it),
    });
    let rule = rules.into_iter().flatten().find(|it| it.index == *index);
    let names = of.zip(rule).map(|(of, rule)| told_apart::Names::of(of, &rule));
    names.and_then(|it| it.first().cloned()).unwrap_or_default()
}

fn limits(pool: &subset::Pool) -> Option<Limits> {
    let limits = Limits {
        connections: pool.max_connections.value,
        pending: pool.max_pending_requests.value,
        requests: pool.max_requests.value,
    };
    let bounded = [limits.connections, limits.pending, limits.requests]
        .iter()
        .any(|it| *it < u32::MAX);
    bounded.then_some(limits)
}

fn whole(service: &ServiceId, port: u16) -> route::Share {
    route::Share {
        destination: ChosenDestination {
            host: host::of_service(service),
            subset: "".into(),
            port,
        },
        weight: 100,
        missing: None,
    }
}

/// The Service that a name leads to in the cluster's DNS.
pub(super) fn addressed(mesh: &Mesh<'_>, namespace: &str, host: &str) -> Option<ServiceId> {
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let mut parts = host.split('.');
    let name = parts.next()?;
    let service = mesh.objects.service(parts.next().unwrap_or(namespace), name)?;
    Some(ServiceId {
        namespace: service.namespace.clone(),
        name: service.name.clone(),
    })
}

fn request(target: &Target, port: u16, shape: &Shape) -> Request {
    let (protocol, usual) = match target.protocol {
        traffic::Protocol::Tcp => (route::Protocol::Tcp, port),
        _ if target.service.name.is_empty() && port == 443 => (route::Protocol::Https, 443),
        traffic::Protocol::Http | traffic::Protocol::Grpc => (route::Protocol::Http, 80),
    };
    Request {
        protocol,
        sni: if protocol == route::Protocol::Https {
            target.host.clone()
        } else {
            "".into()
        },
        method: shape.method.clone(),
        path: shape.path.clone(),
        headers: shape.headers.clone(),
        ..Request::get(&host_header(&target.host, port, usual), port)
    }
}
