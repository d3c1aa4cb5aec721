//! The filter chains of a gateway's listener, and which of them takes a connection.

use super::{
    choose::{Asked, Rules},
    edge::Edge,
    merge::{Group, Placed},
    names,
    server::{Mode, Speaks},
};
use crate::{
    Name,
    mesh::{Proxy, route::Request},
    object::Object,
};
use serde_json::Value;
use std::borrow::Cow;

/// A filter chain: the names that it takes (empty: all), and what is behind it.
pub(super) struct Chain<'m, 'a> {
    pub(super) sni: Vec<Name>,
    pub(super) end: End<'m, 'a>,
}

pub(super) enum End<'m, 'a> {
    /// Plain HTTP of all these servers.
    Plain(&'m [Placed<'a>]),
    /// HTTP under TLS.
    Terminated(&'m Placed<'a>),
    /// Bytes, to the first rule of `tcp` that applies; under TLS, or not.
    Bytes(Found<'m, 'a>, bool),
    /// TLS that goes through, by a rule of `tls`.
    Through(Found<'m, 'a>),
    /// AUTO_PASSTHROUGH: between meshes.
    Auto(&'m Placed<'a>),
}

/// A rule that was found, on its server.
#[derive(Clone)]
pub(super) struct Found<'m, 'a> {
    pub(super) placed: &'m Placed<'a>,
    pub(super) virtual_service: Cow<'a, Object>,
    pub(super) list: &'static str,
    pub(super) index: u32,
}

impl Found<'_, '_> {
    pub(super) fn rule(&self) -> &Value {
        let rules = self.virtual_service.list(match self.list {
            "tls" => "/spec/tls",
            "tcp" => "/spec/tcp",
            _ => "/spec/http",
        });
        rules.get(self.index as usize).unwrap_or(&Value::Null)
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            virtual_service: &self.virtual_service,
            list: self.list,
            index: self.index,
            rule: self.rule(),
            gateway: &self.placed.name,
            port: self.placed.server.port,
            tls: self.placed.server.tls.is_some(),
        }
    }
}

pub(super) fn chains<'m, 'a>(
    edge: &Edge<'a>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    groups: &[&'m Group<'a>],
) -> Vec<Chain<'m, 'a>> {
    let mut chains = Vec::new();
    let mut taken: Vec<Name> = Vec::new();
    for group in groups {
        if group.servers[0].server.speaks == Speaks::Http {
            chains.push(Chain {
                sni: Vec::new(),
                end: End::Plain(&group.servers),
            });
            continue;
        }
        for placed in &group.servers {
            let server = &placed.server;
            let mode = server.tls.as_ref().map(|tls| tls.mode);
            if mode == Some(Mode::AutoPassthrough) {
                chains.push(Chain {
                    sni: server.sni(),
                    end: End::Auto(placed),
                });
            } else if mode.is_some() && server.reads_http() {
                chains.push(Chain {
                    sni: server.sni(),
                    end: End::Terminated(placed),
                });
            } else if mode == Some(Mode::Passthrough) {
                for (names, asked) in passed(edge, proxy, request, rules, placed) {
                    if names.iter().all(|it| !taken.contains(it)) {
                        taken.extend(names.iter().cloned());
                        chains.push(Chain {
                            sni: names,
                            end: End::Through(asked),
                        });
                    }
                }
            } else if let Some(asked) = bytes(edge, proxy, request, rules, placed) {
                chains.push(Chain {
                    sni: server.sni(),
                    end: End::Bytes(asked, mode.is_some()),
                });
            }
        }
    }
    chains
}

/// VirtualServices whose hosts a server of bytes serves. (`pickMatchingGatewayHosts` there.)
fn overlapping<'a>(edge: &Edge<'a>, proxy: &Proxy, placed: &Placed<'a>) -> Vec<Cow<'a, Object>> {
    let mut all = edge.bound(&placed.gateway, &proxy.namespace);
    all.retain(|it| {
        let ours = names::for_namespace(&placed.server.hosts, &it.key().namespace);
        let theirs = names::hosts(it);
        ours.iter()
            .any(|our| theirs.iter().any(|their| names::overlap(our, their)))
    });
    all
}

fn listed<'m, 'a>(
    placed: &'m Placed<'a>,
    object: &Cow<'a, Object>,
    list: &'static str,
) -> Vec<Found<'m, 'a>> {
    let rules = object.list(if list == "tls" { "/spec/tls" } else { "/spec/tcp" });
    let some = rules.iter().enumerate().filter(|(_, rule)| {
        rule.get("route")
            .and_then(Value::as_array)
            .is_some_and(|it| !it.is_empty())
    });
    some.map(|(index, _)| Found {
        placed,
        virtual_service: object.clone(),
        list,
        index: u32::try_from(index).unwrap_or(u32::MAX),
    })
    .collect()
}

pub(super) fn entries(rule: &Value) -> &[Value] {
    rule.get("match")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The first rule of `tcp` that applies on the server; there is one for all connections.
fn bytes<'m, 'a>(
    edge: &Edge<'a>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    placed: &'m Placed<'a>,
) -> Option<Found<'m, 'a>> {
    let all = overlapping(edge, proxy, placed);
    all.iter().flat_map(|it| listed(placed, it, "tcp")).find(|it| {
        let entries = entries(it.rule());
        entries.is_empty()
            || entries
                .iter()
                .any(|entry| rules.takes(it.asked(), Some(entry), request).0)
    })
}

/// Every match of `tls` that applies on the server, with its names.
fn passed<'m, 'a>(
    edge: &Edge<'a>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    placed: &'m Placed<'a>,
) -> Vec<(Vec<Name>, Found<'m, 'a>)> {
    let all = overlapping(edge, proxy, placed);
    let mut passed = Vec::new();
    for asked in all.iter().flat_map(|it| listed(placed, it, "tls")) {
        for entry in entries(asked.rule()) {
            if rules.takes(asked.asked(), Some(entry), request).0 {
                let names = entry.get("sniHosts").and_then(Value::as_array);
                let names = names
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(Name::from)
                    .collect();
                passed.push((names, asked.clone()));
            }
        }
    }
    passed
}

/// A name that two chains take alike; `*` for two that take all.
pub(super) fn twice(chains: &[Chain<'_, '_>]) -> Option<Name> {
    let mut seen: Vec<Name> = Vec::new();
    for chain in chains {
        let all = chain.sni.is_empty() || chain.sni.iter().any(|it| &**it == "*");
        let mut own = if all { vec!["*".into()] } else { chain.sni.clone() };
        own.sort();
        own.dedup();
        if let Some(name) = own.iter().find(|it| seen.contains(it)) {
            return Some(name.clone());
        }
        seen.extend(own);
    }
    None
}

/// The chain for a server name: exact, the longest wildcard, all. (Envoy reference, `FilterChainMatch.server_names`.)
pub(super) fn pick<'c, 'm, 'a>(chains: &'c [Chain<'m, 'a>], sni: &str) -> Option<&'c Chain<'m, 'a>> {
    let rank = |chain: &Chain<'_, '_>| {
        let all = chain.sni.is_empty() || chain.sni.iter().any(|it| &**it == "*");
        let one = |name: &Name| match name.strip_prefix('*') {
            None => (!sni.is_empty() && **name == *sni).then_some((2, name.len())),
            Some(suffix) => (sni.len() > suffix.len() && sni.ends_with(suffix)).then_some((1, suffix.len())),
        };
        if all {
            Some((0, 0))
        } else {
            chain.sni.iter().filter_map(one).max()
        }
    };
    chains
        .iter()
        .filter_map(|it| Some((rank(it)?, it)))
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, it)| it)
}
