//! Which Gateways select a proxy, and what becomes of servers that share a port.

use super::server::{Server, Speaks, servers};
use crate::{
    Name, Why,
    fact::Labels,
    mesh::{
        Decider, Mesh, Proxy, age,
        gateway_api::{self, Front},
        host, unjudged,
    },
    object::{Kind, Object},
    traffic::ServiceId,
};
use std::{borrow::Cow, collections::BTreeMap};

/// The port that is really listened on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// This one.
    Number(u16),
    /// The container port of this name: pods' container ports are not known.
    Named(Name),
}

/// A server with where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<'a> {
    /// Its Gateway; one that istiod makes of a listener is that listener's.
    pub gateway: Cow<'a, Object>,
    /// The Gateway as VirtualServices name it: `namespace/name`.
    pub name: Name,
    /// Itself.
    pub server: Server,
}

impl Placed<'_> {
    /// The server, or the listener that it is made of, as a reason.
    pub fn decider(&self) -> Decider {
        match gateway_api::listener_of(&self.gateway) {
            Some((key, index, _)) => Decider {
                key,
                path: format!("/spec/listeners/{index}").into(),
            },
            None => Decider::of(&self.gateway, format!("/spec/servers/{}", self.server.index)),
        }
    }
}

/// Servers that are built together: one port, address and protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<'a> {
    /// Where it listens.
    pub target: Target,
    /// The first server's protocol.
    pub protocol: Name,
    /// `bind`; empty for all addresses.
    pub bind: Name,
    /// Oldest Gateway first.
    pub servers: Vec<Placed<'a>>,
}

/// Why a server is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Another protocol has the port.
    Protocol,
    /// These hosts, under TLS, are another server's on this port.
    Hosts(Vec<Name>),
    /// Another HTTPS server of the Gateway has the port's number and name.
    PortName,
    /// The proxy is deployed for a Gateway of the Gateway API, and takes no Gateway of another namespace beside it.
    /// (`filterStrictGatewayMerging` in istio's `pilot/pkg/model`.)
    Strict,
}

/// A server that Istio leaves out. Nobody is told: it is a line in istiod's log.
#[derive(Clone, Debug, PartialEq)]
pub struct Skipped<'a> {
    /// Which.
    pub placed: Placed<'a>,
    /// Why.
    pub why: Skip,
    /// The server that stands in its place.
    pub winner: Decider,
}

/// All Gateways of a proxy as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged<'a> {
    /// What is listened on.
    pub groups: Vec<Group<'a>>,
    /// What is left out.
    pub skipped: Vec<Skipped<'a>>,
    /// Ports that two Services of the proxy lead to different places: which one counts is not judged.
    pub ambiguous: Vec<u16>,
}

/// Whether a Gateway is for the proxy: each label of its selector is there. Namespaces do not matter, unless istiod runs with
/// PILOT_SCOPE_GATEWAY_TO_NAMESPACE, which is not seen here and taken for its default (off). Without a selector it is for every gateway.
pub fn selects(gateway: &Object, proxy: &Proxy) -> bool {
    proxy.selected_by(&unjudged::labels(gateway, "/spec/selector"))
}

/// The Gateways of a proxy, merged. (`mergeGateways` in istio's `pilot/pkg/model/gateway.go`.)
///
/// # Errors
/// Kinds that cannot be read.
pub fn merged<'a>(mesh: &Mesh<'a>, proxy: &Proxy) -> Result<Merged<'a>, Vec<Why>> {
    let gaps: Vec<Why> = [Kind::Gateway, Kind::Service]
        .iter()
        .filter_map(|&kind| mesh.objects.gap(kind))
        .collect();
    if !gaps.is_empty() {
        return Err(gaps);
    }
    let mut all: Vec<(Cow<'a, Object>, Option<Vec<Name>>)> = mesh
        .objects
        .of_kind(Kind::Gateway)
        .filter(|it| selects(it, proxy))
        .map(|it| (Cow::Borrowed(it), None))
        .collect();
    let fronts = &mesh.at_gateways().fronts;
    let serving: Vec<&Front> = fronts
        .iter()
        .filter(|it| it.judged && it.serves(mesh.objects, &proxy.namespace, &proxy.labels))
        .collect();
    for front in &serving {
        let made = front.gateways.iter();
        all.extend(made.map(|it| (Cow::Owned(it.clone()), Some(front.services.clone()))));
    }
    all.sort_by(|(a, _), (b, _)| age(a).cmp(&age(b)));
    let mut merged = Merged::default();
    let deployed = serving.iter().find(|it| it.managed && !it.gateways.is_empty());
    if let Some(front) = deployed {
        let winner = Decider::of(&front.gateway, "");
        let own = &front.gateway.key().namespace;
        let (staying, leaving) = all
            .into_iter()
            .partition(|(gateway, services)| services.is_some() || gateway.key().namespace == *own);
        all = staying;
        for (gateway, _) in leaving {
            merged.skipped.extend(skipped(&gateway, &winner));
        }
    }
    merge(mesh, proxy, all, &mut merged);
    Ok(merged)
}

/// All its servers.
fn skipped<'a>(gateway: &Cow<'a, Object>, winner: &Decider) -> Vec<Skipped<'a>> {
    let all = servers(gateway).into_iter();
    all.map(|server| Skipped {
        placed: Placed {
            name: named(gateway),
            gateway: gateway.clone(),
            server,
        },
        why: Skip::Strict,
        winner: winner.clone(),
    })
    .collect()
}

fn named(gateway: &Object) -> Name {
    let key = gateway.key();
    format!("{}/{}", key.namespace, key.name).into()
}

/// What is known of a port while servers are put on it.
#[derive(Default)]
struct Port {
    /// The first plain server: its group.
    plain: Option<usize>,
    taken: bool,
    /// Hosts under TLS, with bind.
    hosts: BTreeMap<(Name, Name), Decider>,
    routes: BTreeMap<(u16, Name, Name), Decider>,
}

fn merge<'a>(
    mesh: &Mesh<'_>,
    proxy: &Proxy,
    gateways: Vec<(Cow<'a, Object>, Option<Vec<Name>>)>,
    merged: &mut Merged<'a>,
) {
    let mut ports: BTreeMap<Target, Port> = BTreeMap::new();
    for (gateway, services) in gateways {
        for server in servers(&gateway) {
            let mut targets = targets(mesh, proxy, server.port, services.as_deref());
            if services.is_none() {
                // One place alone, and the number itself where no Service has it.
                if targets.len() > 1 && !merged.ambiguous.contains(&server.port) {
                    merged.ambiguous.push(server.port);
                }
                targets = vec![targets.into_iter().next().unwrap_or(Target::Number(server.port))];
            }
            for target in targets {
                let placed = Placed {
                    name: named(&gateway),
                    gateway: gateway.clone(),
                    server: server.clone(),
                };
                let port = ports.entry(target.clone()).or_default();
                put(merged, port, target, placed);
            }
        }
    }
}

/// Where the Services that select the proxy, or of these the ones named, send a port; empty where none has it. (`resolvePorts` there.)
pub(super) fn targets(mesh: &Mesh<'_>, proxy: &Proxy, number: u16, services: Option<&[Name]>) -> Vec<Target> {
    let mut found: Vec<Target> = Vec::new();
    for (service, target) in in_front(mesh, &proxy.namespace, &proxy.labels, number) {
        let id = ServiceId {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
        };
        let meant = services.is_none_or(|all| all.contains(&host::of_service(&id)));
        if meant && !found.contains(&target) {
            found.push(target);
        }
    }
    found
}

/// The Services that select pods of these labels and have this port, with its target.
pub(super) fn in_front<'a>(
    mesh: &Mesh<'a>,
    namespace: &str,
    labels: &Labels,
    number: u16,
) -> Vec<(&'a crate::fact::Service, Target)> {
    let selecting = mesh.objects.services.values().filter(|service| {
        &*service.namespace == namespace
            && !service.selector.is_empty()
            && service.selector.iter().all(|(k, v)| labels.get(k) == Some(v))
    });
    selecting
        .flat_map(|service| service.ports.iter().map(move |port| (&**service, port)))
        .filter(|(_, port)| port.port == number)
        .map(|(service, port)| (service, target(&port.target, port.port)))
        .collect()
}

/// A Service port's target; an absent one is the port itself.
pub(super) fn target(written: &str, port: u16) -> Target {
    match written.parse() {
        Ok(number) => Target::Number(number),
        Err(_) if written.is_empty() => Target::Number(port),
        Err(_) => Target::Named(written.into()),
    }
}

fn put<'a>(merged: &mut Merged<'a>, port: &mut Port, target: Target, placed: Placed<'a>) {
    let decider = placed.decider();
    let server = &placed.server;
    if server.tls.is_some() {
        let place = |host: &Name| (host.clone(), server.bind.clone());
        let twice: Vec<Name> = server
            .hosts
            .iter()
            .filter(|it| port.hosts.contains_key(&place(it)))
            .cloned()
            .collect();
        if let Some(first) = twice.first() {
            let winner = port
                .hosts
                .get(&place(first))
                .cloned()
                .unwrap_or_else(|| decider.clone());
            merged.skipped.push(Skipped {
                placed,
                why: Skip::Hosts(twice),
                winner,
            });
            return;
        }
        port.hosts
            .extend(server.hosts.iter().map(|it| (place(it), decider.clone())));
    }
    if !port.taken {
        port.taken = true;
        if !server.by_sni() {
            port.plain = Some(merged.groups.len());
        }
        note_route(port, server, &placed.name, decider);
        merged.groups.push(group(target, placed));
        return;
    }
    if let Some(plain) = port.plain {
        let current = &merged.groups[plain];
        let same_bind = current.bind == server.bind;
        let speaks = current.servers[0].server.speaks;
        let merges = speaks == Speaks::Http && server.speaks == Speaks::Http;
        if same_bind && merges {
            merged.groups[plain].servers.push(placed);
        } else if same_bind {
            let winner = current.servers[0].decider();
            merged.skipped.push(Skipped {
                placed,
                why: Skip::Protocol,
                winner,
            });
        } else {
            append(merged, target, placed);
        }
        return;
    }
    if !server.by_sni() {
        port.plain = Some(merged.groups.len());
        merged.groups.push(group(target, placed));
        return;
    }
    if server.reads_http() {
        let route = (server.port, server.port_name.clone(), placed.name.clone());
        if let Some(winner) = port.routes.get(&route).cloned() {
            merged.skipped.push(Skipped {
                placed,
                why: Skip::PortName,
                winner,
            });
            return;
        }
        note_route(port, server, &placed.name, decider);
    }
    append(merged, target, placed);
}

fn note_route(port: &mut Port, server: &Server, gateway: &Name, decider: Decider) {
    if server.speaks == Speaks::Https && server.reads_http() {
        let route = (server.port, server.port_name.clone(), gateway.clone());
        port.routes.insert(route, decider);
    }
}

fn append<'a>(merged: &mut Merged<'a>, target: Target, placed: Placed<'a>) {
    let server = &placed.server;
    let same = merged
        .groups
        .iter_mut()
        .find(|it| it.target == target && it.bind == server.bind && it.protocol == server.protocol);
    match same {
        Some(group) => group.servers.push(placed),
        None => merged.groups.push(group(target, placed)),
    }
}

fn group(target: Target, placed: Placed<'_>) -> Group<'_> {
    Group {
        target,
        protocol: placed.server.protocol.clone(),
        bind: placed.server.bind.clone(),
        servers: vec![placed],
    }
}
