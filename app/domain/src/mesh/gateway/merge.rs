//! Which Gateways select a proxy, and what becomes of servers that share a port.

use super::server::{Server, Speaks, servers};
use crate::{
    Name, Why,
    fact::Labels,
    mesh::{Decider, Mesh, Proxy, unjudged},
    object::{Kind, Object},
};
use std::collections::BTreeMap;

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
    /// Its Gateway.
    pub gateway: &'a Object,
    /// The Gateway as VirtualServices name it: `namespace/name`.
    pub name: Name,
    /// Itself.
    pub server: Server,
}

impl Placed<'_> {
    /// The server, as a reason.
    pub fn decider(&self) -> Decider {
        Decider::of(self.gateway, format!("/spec/servers/{}", self.server.index))
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
    let gateways = mesh.oldest_first(Kind::Gateway);
    Ok(merge(
        mesh,
        proxy,
        gateways.into_iter().filter(|it| selects(it, proxy)),
    ))
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

fn merge<'a>(mesh: &Mesh<'a>, proxy: &Proxy, gateways: impl Iterator<Item = &'a Object>) -> Merged<'a> {
    let mut merged = Merged::default();
    let mut ports: BTreeMap<Target, Port> = BTreeMap::new();
    for gateway in gateways {
        let key = gateway.key();
        let name: Name = format!("{}/{}", key.namespace, key.name).into();
        for server in servers(gateway) {
            let targets = targets(mesh, proxy, server.port);
            if targets.len() > 1 && !merged.ambiguous.contains(&server.port) {
                merged.ambiguous.push(server.port);
            }
            let target = targets.into_iter().next().unwrap_or(Target::Number(server.port));
            let placed = Placed {
                gateway,
                name: name.clone(),
                server,
            };
            let port = ports.entry(target.clone()).or_default();
            put(&mut merged, port, target, placed);
        }
    }
    merged
}

/// Where the Services that select the proxy send a port; empty where none has it, so that the number itself is listened on. (`resolvePorts` there.)
pub(super) fn targets(mesh: &Mesh<'_>, proxy: &Proxy, number: u16) -> Vec<Target> {
    let mut found: Vec<Target> = Vec::new();
    for (_, target) in in_front(mesh, &proxy.namespace, &proxy.labels, number) {
        if !found.contains(&target) {
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
