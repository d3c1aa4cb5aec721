//! A port's listeners, and which filter chain takes a connection. (`buildSidecarOutboundListener` in istio's
//! `pilot/pkg/networking/core`; Envoy's filter chain matching.)

use super::{
    bound::{Bound, Rule},
    matching,
    scope::{Listener, Scope},
};
use crate::{
    Name,
    mesh::{
        Proxy,
        host::{
            name,
            registry::{Registered, Spoken},
        },
    },
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// Where a listener listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bind {
    /// On all addresses.
    Wild,
    /// On one.
    Address(Name),
    /// On the addresses of this headless Service's pods.
    Own(Name),
}

/// Where a chain sends bytes.
#[derive(Clone, Debug)]
pub(crate) enum To {
    /// HTTP is read; the host whose own routes these are, or none for the port's.
    Http(Option<Name>),
    /// By a rule of `spec.tls` or `spec.tcp`.
    Rule(Box<Rule>),
    /// To the service, at this port.
    Service(Name, u16),
}

/// A filter chain.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    sni: Vec<Name>,
    subnets: Vec<Name>,
    pub(crate) to: To,
}

impl Chain {
    fn http(&self) -> bool {
        matches!(self.to, To::Http(_))
    }

    fn any_name(&self) -> bool {
        self.sni.is_empty() || self.sni.iter().any(|it| &**it == "*")
    }

    fn conflicts(&self, other: &Self) -> bool {
        let names = |it: &Self| {
            it.sni
                .iter()
                .filter(|it| &***it != "*")
                .cloned()
                .collect::<BTreeSet<Name>>()
        };
        let nets = |it: &Self| {
            it.subnets
                .iter()
                .filter_map(|it| subnet(it))
                .filter(|it| it.1 > 0)
                .collect::<BTreeSet<_>>()
        };
        self.http() == other.http() && names(self) == names(other) && nets(self) == nets(other)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Http,
    Bytes(Spoken),
    Sniffed,
}

struct Entry {
    chains: Vec<Chain>,
    mode: Mode,
    locked: bool,
}

/// The listeners of a port.
pub(crate) fn of(scope: &Scope, proxy: &Proxy, port: u16) -> BTreeMap<Bind, Vec<Chain>> {
    let mut entries: BTreeMap<Bind, Entry> = BTreeMap::new();
    for listener in &scope.listeners {
        match listener.port {
            Some((number, spoken)) if number == port => {
                for service in &listener.services {
                    add(&mut entries, listener, service, proxy, (port, spoken));
                }
            }
            Some(_) => {}
            None => {
                entries.values_mut().for_each(|it| it.locked = true);
                for service in &listener.services {
                    if let Some(spoken) = service.port(port) {
                        add(&mut entries, listener, service, proxy, (port, spoken));
                    }
                }
            }
        }
    }
    entries
        .into_iter()
        .map(|(bind, entry)| (bind, entry.chains))
        .collect()
}

fn add(
    entries: &mut BTreeMap<Bind, Entry>,
    listener: &Listener,
    service: &Registered,
    proxy: &Proxy,
    at: (u16, Spoken),
) {
    let (_, spoken) = at;
    if !service.alias_for.is_empty() || spoken == Spoken::Udp {
        return;
    }
    if spoken == Spoken::Http {
        let chains = vec![Chain {
            sni: Vec::new(),
            subnets: Vec::new(),
            to: To::Http(None),
        }];
        put(entries, Bind::Wild, chains, Mode::Http);
        return;
    }
    let (ips, subnets): (Vec<Name>, Vec<Name>) = service
        .addresses
        .iter()
        .cloned()
        .partition(|it| whole(it).is_some());
    let mut places: Vec<(Bind, Vec<Name>)> = ips
        .iter()
        .filter_map(|it| Some((Bind::Address(whole(it)?.to_string().into()), Vec::new())))
        .collect();
    if !subnets.is_empty() {
        places.push((Bind::Wild, subnets));
    }
    if places.is_empty() {
        places.push((
            // Without an address of its own a Service is listened for on all; a headless one on its pods'. (`ConvertService` in istio's
            // `pilot/pkg/serviceregistry/kube`.)
            if service.kubernetes() && service.headless {
                Bind::Own(service.host.clone())
            } else {
                Bind::Wild
            },
            Vec::new(),
        ));
    }
    for (bind, subnets) in places {
        let mut chains = bytes(listener, service, proxy, at, &bind, &subnets);
        let mode = if spoken == Spoken::Auto {
            // On all addresses the routes are the port's; on its own they are the service's alone.
            let own = (bind != Bind::Wild).then(|| service.host.clone());
            chains.push(Chain {
                sni: Vec::new(),
                subnets: Vec::new(),
                to: To::Http(own),
            });
            Mode::Sniffed
        } else {
            Mode::Bytes(spoken)
        };
        put(entries, bind, chains, mode);
    }
}

fn put(entries: &mut BTreeMap<Bind, Entry>, bind: Bind, chains: Vec<Chain>, mode: Mode) {
    let Some(entry) = entries.get_mut(&bind) else {
        // HTTP on all addresses lets other bytes pass, and so counts as sniffed from then on.
        let mode = if mode == Mode::Http { Mode::Sniffed } else { mode };
        entries.insert(
            bind,
            Entry {
                chains,
                mode,
                locked: false,
            },
        );
        return;
    };
    let jealous = |it: Mode| matches!(it, Mode::Bytes(Spoken::Jealous(_)));
    if entry.locked || (jealous(mode) || jealous(entry.mode)) && mode != entry.mode {
        return;
    }
    if mode == Mode::Http && entry.mode == Mode::Sniffed {
        return;
    }
    for chain in chains {
        if !entry.chains.iter().any(|it| it.conflicts(&chain)) {
            entry.chains.push(chain);
        }
    }
    if !matches!((mode, entry.mode), (Mode::Bytes(_), Mode::Bytes(_))) {
        entry.mode = Mode::Sniffed;
    }
}

/// The chains of a service's port for bytes. (`buildSidecarOutboundTLSFilterChainOpts`, `buildSidecarOutboundTCPFilterChainOpts`.)
fn bytes(
    listener: &Listener,
    service: &Registered,
    proxy: &Proxy,
    at: (u16, Spoken),
    bind: &Bind,
    subnets: &[Name],
) -> Vec<Chain> {
    let (port, spoken) = at;
    let bound: Vec<&Bound> = listener
        .bound
        .iter()
        .map(|it| &**it)
        .filter(|it| it.hosts.iter().any(|host| name::matches(host, &service.host)))
        .collect();
    let target = match service.ports.as_slice() {
        [(only, _)] => *only,
        _ => port,
    };
    let default = |sni: Vec<Name>| Chain {
        sni,
        subnets: subnets.to_vec(),
        to: To::Service(service.host.clone(), target),
    };
    if spoken != Spoken::Tls {
        return tcp(&bound, proxy, port, subnets, &default(Vec::new()));
    }
    let mut chains = Vec::new();
    let mut seen = BTreeSet::new();
    let mut nets = subnets.to_vec();
    for rule in bound.iter().flat_map(|it| &it.tls).filter(|it| routed(it)) {
        for block in rule.blocks().iter().filter(|it| concerns(it, proxy, port)) {
            let (names, own) = (texts(block, "sniHosts"), texts(block, "destinationSubnets"));
            if !own.is_empty() {
                nets.clone_from(&own);
            }
            if seen.insert((names.clone(), own)) {
                chains.push(Chain {
                    sni: names,
                    subnets: nets.clone(),
                    to: To::Rule(Box::new(rule.clone())),
                });
            }
        }
    }
    if chains.is_empty() {
        let named = !subnets.is_empty() || *bind == Bind::Wild;
        let names = || {
            std::iter::once(&service.host)
                .chain(&service.aliases)
                .cloned()
                .collect()
        };
        chains.push(default(if named { names() } else { Vec::new() }));
    }
    chains
}

fn tcp(bound: &[&Bound], proxy: &Proxy, port: u16, subnets: &[Name], default: &Chain) -> Vec<Chain> {
    let mut chains = Vec::new();
    let mut covered = false;
    for rule in bound.iter().flat_map(|it| &it.tcp).filter(|it| routed(it)) {
        let to = To::Rule(Box::new(rule.clone()));
        let mut nets = Vec::new();
        let mut last = rule.blocks().is_empty();
        for block in rule.blocks().iter().filter(|it| concerns(it, proxy, port)) {
            let own = texts(block, "destinationSubnets");
            if own.is_empty() {
                last = true;
                break;
            }
            nets.extend(own);
        }
        if last {
            chains.push(Chain {
                sni: Vec::new(),
                subnets: subnets.to_vec(),
                to,
            });
            return chains;
        }
        if !nets.is_empty() {
            let set = |it: &[Name]| it.iter().cloned().collect::<BTreeSet<Name>>();
            covered |= set(&nets) == set(subnets);
            chains.push(Chain {
                sni: Vec::new(),
                subnets: nets,
                to,
            });
        }
    }
    if !covered {
        chains.push(default.clone());
    }
    chains
}

fn routed(rule: &Rule) -> bool {
    rule.json
        .get("route")
        .and_then(Value::as_array)
        .is_some_and(|it| !it.is_empty())
}

/// For bytes, gateways, labels, namespace and port all count. (`matchTLS`, `matchTCP` in istio's `pilot/pkg/networking/core`.)
fn concerns(block: &Value, proxy: &Proxy, port: u16) -> bool {
    let number = block.get("port").and_then(Value::as_u64).unwrap_or(0);
    let gateways = texts(block, "gateways");
    (number == 0 || number == u64::from(port))
        && (gateways.is_empty() || gateways.iter().any(|it| &**it == "mesh"))
        && matching::source(block, proxy)
}

fn texts(block: &Value, name: &str) -> Vec<Name> {
    let list = block.get(name).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(Name::from)
        .collect()
}

/// A single address, also as a subnet of one.
pub(crate) fn whole(text: &str) -> Option<IpAddr> {
    let (address, length) = subnet(text)?;
    (length == if address.is_ipv4() { 32 } else { 128 }).then_some(address)
}

/// A subnet's first address and length.
fn subnet(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address.parse::<IpAddr>().ok()?, Some(length.parse::<u8>().ok()?)),
        None => (text.parse::<IpAddr>().ok()?, None),
    };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(bits);
    (length <= bits).then(|| (masked(address, length), length))
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(it) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((u32::from(it) & mask).into())
        }
        IpAddr::V6(it) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((u128::from(it) & mask).into())
        }
    }
}

/// How many bits of the address a chain asks for; None where it is for others.
fn bits(chain: &Chain, address: Option<IpAddr>) -> Option<u8> {
    if chain.subnets.is_empty() {
        return Some(0);
    }
    let address = address?;
    let nets = chain.subnets.iter().filter_map(|it| subnet(it));
    nets.filter(|(net, length)| net.is_ipv4() == address.is_ipv4() && masked(address, *length) == *net)
        .map(|(_, length)| length)
        .max()
}

/// A connection as the listener sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection<'a> {
    pub(crate) address: Option<IpAddr>,
    pub(crate) tls: bool,
    pub(crate) sni: &'a str,
    pub(crate) http: bool,
}

/// Whether some chain asks for the address, so that it must be known.
pub(crate) fn asks_address(chains: &[Chain]) -> bool {
    chains.iter().any(|it| !it.subnets.is_empty())
}

/// The chain that takes a connection. Each step narrows down and never goes back: the longest subnet, the longest server name, then
/// HTTP or bytes. The chain that asks for nothing takes the rest.
pub(crate) fn pick<'a>(chains: &'a [Chain], connection: Connection<'_>) -> Option<&'a Chain> {
    let rest = chains
        .iter()
        .find(|it| it.subnets.is_empty() && it.any_name() && !it.http());
    let inspected = chains.iter().any(|it| !it.sni.is_empty());
    let longest = chains
        .iter()
        .filter_map(|it| bits(it, connection.address))
        .max()?;
    let near: Vec<&Chain> = chains
        .iter()
        .filter(|it| bits(it, connection.address) == Some(longest))
        .collect();
    let sni = connection.sni.to_lowercase();
    let says = |chain: &Chain| -> Option<usize> {
        if chain.any_name() {
            return Some(0);
        }
        let fits = |it: &&Name| match it.strip_prefix('*') {
            Some(suffix) => sni.ends_with(suffix) && sni.len() > suffix.len(),
            None => ***it == *sni,
        };
        // An exact name says more than any wildcard.
        let weight = |it: &Name| if name::wild(it) { it.len() } else { usize::MAX };
        chain
            .sni
            .iter()
            .filter(|_| inspected && connection.tls)
            .filter(fits)
            .map(weight)
            .max()
    };
    let most = near.iter().filter_map(|it| says(it)).max();
    let named = near.into_iter().filter(|it| most.is_some() && says(it) == most);
    let (http, other): (Vec<&Chain>, Vec<&Chain>) = named.partition(|it| it.http());
    let http = http.first().filter(|_| connection.http);
    http.or(other.first()).copied().or(rest)
}

#[cfg(test)]
mod tests;
