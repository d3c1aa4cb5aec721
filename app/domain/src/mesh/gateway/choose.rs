//! What a gateway does with a request: listener, filter chain, virtual host, rule.

use super::{
    merge::{Group, Merged, Placed, Target, merged, targets},
    names,
    server::{Mode, Speaks},
    serves::{bound, trusted_proxies},
};
use crate::{
    Name, Why,
    mesh::{
        Decider, Mesh, Proxy,
        route::{Choice, Outcome, Protocol, Request},
        unjudged::{self, Side},
    },
    object::{Kind, Object},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A rule as it is asked about: of a VirtualService, bound to a Gateway, on a server.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The VirtualService, as written.
    pub virtual_service: &'a Object,
    /// `http`, `tls` or `tcp`.
    pub list: &'static str,
    /// Position in that list.
    pub index: u32,
    /// The rule.
    pub rule: &'a Value,
    /// The Gateway, as `namespace/name`.
    pub gateway: &'a str,
    /// The server's own port: what `match.port` means, and where a destination without a port goes.
    pub port: u16,
    /// The server has `tls`.
    pub tls: bool,
}

/// What rules do, which the model of routes answers: gateways only say which rules are asked, and in which order.
pub trait Rules {
    /// Whether an entry of a rule's `match` can apply at all on this gateway and port (`match.gateways`, `match.port`, source labels), and then
    /// whether it takes the request. The first false leaves no route behind. None stands for a rule without `match`.
    fn takes(
        &self,
        asked: Asked<'_>,
        entry: Option<&Value>,
        request: &Request,
    ) -> (bool, Result<bool, Vec<Why>>);

    /// What the rule does with the request.
    fn act(&self, asked: Asked<'_>, request: &Request) -> Choice;
}

/// What a gateway does with a request at a server's port. Client certificates are taken for granted where a server demands them.
/// (`buildGatewayListeners` and `buildGatewayHTTPRouteConfig` in istio's `pilot/pkg/networking/core/gateway.go`.)
pub fn by_rules(mesh: &Mesh<'_>, proxy: &Proxy, request: &Request, rules: &dyn Rules) -> Choice {
    let mut whys = unjudged::touching(mesh, proxy, Side::Outbound);
    let kinds = [Kind::VirtualService, Kind::GatewayApiGateway, Kind::HttpRoute];
    whys.extend(kinds.iter().filter_map(|&kind| mesh.objects.gap(kind)));
    whys.extend(mesh.config.gap.clone());
    whys.extend(ingresses(mesh, proxy, request.port));
    whys.extend(of_gateway_api(mesh, proxy));
    let merged = match merged(mesh, proxy) {
        Ok(merged) if whys.is_empty() => merged,
        Ok(_) => return unknown(whys),
        Err(more) => {
            whys.extend(more);
            return unknown(whys);
        }
    };
    if merged.ambiguous.contains(&request.port) {
        return not_judged(format!("targetPort of {}", request.port));
    }
    let target = targets(mesh, proxy, request.port)
        .into_iter()
        .next()
        .unwrap_or(Target::Number(request.port));
    at(mesh, proxy, request, rules, &merged, &target)
}

/// Gateways of the Gateway API that may be served by this proxy: its own, or those that name a Service instead. They are not judged yet.
fn of_gateway_api<'a>(mesh: &'a Mesh<'_>, proxy: &'a Proxy) -> impl Iterator<Item = Why> + 'a {
    const NAME: &str = "gateway.networking.k8s.io/gateway-name";
    let own = proxy.labels.get(NAME);
    let all = mesh.objects.of_kind(Kind::GatewayApiGateway);
    all.filter(move |it| it.key().namespace == proxy.namespace)
        .filter(move |it| own == Some(&it.key().name) || !it.list("/spec/addresses").is_empty())
        .map(unjudged::named)
}

/// Ingresses that istiod turns into gateways itself (`ingressClass`, `ingressSelector` of the mesh's configuration).
fn ingresses<'a>(mesh: &'a Mesh<'_>, proxy: &Proxy, port: u16) -> impl Iterator<Item = Why> + 'a {
    let setting = |name: &str, default: &'static str| -> Name {
        let text = mesh
            .config
            .json
            .get(name)
            .and_then(Value::as_str)
            .filter(|it| !it.is_empty());
        text.unwrap_or(default).into()
    };
    let class = setting("ingressClass", "istio");
    let selected = proxy.labels.get("istio") == Some(&setting("ingressSelector", "ingressgateway"));
    let here = selected && [80, 443].contains(&port);
    let all = mesh
        .objects
        .ingresses
        .values()
        .filter(move |it| here && it.class == class);
    all.map(|it| Why::NotJudged {
        what: format!("Ingress {}/{}", it.namespace, it.name).into(),
    })
}

fn unknown(whys: Vec<Why>) -> Choice {
    Choice::by_default(Outcome::Unknown(whys))
}

fn not_judged(what: String) -> Choice {
    unknown(vec![Why::NotJudged { what: what.into() }])
}

fn decided(outcome: Outcome, deciders: Vec<Decider>) -> Choice {
    Choice {
        deciders,
        ..Choice::by_default(outcome)
    }
}

/// A filter chain: the names that it takes (empty: all), and what is behind it.
struct Chain<'m, 'a> {
    sni: Vec<Name>,
    end: End<'m, 'a>,
}

enum End<'m, 'a> {
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
struct Found<'m, 'a> {
    placed: &'m Placed<'a>,
    virtual_service: &'a Object,
    list: &'static str,
    index: u32,
    rule: &'a Value,
}

impl<'m, 'a> Found<'m, 'a> {
    fn asked(&self) -> Asked<'_> {
        Asked {
            virtual_service: self.virtual_service,
            list: self.list,
            index: self.index,
            rule: self.rule,
            gateway: &self.placed.name,
            port: self.placed.server.port,
            tls: self.placed.server.tls.is_some(),
        }
    }
}

fn at(
    mesh: &Mesh<'_>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    merged: &Merged<'_>,
    target: &Target,
) -> Choice {
    let groups: Vec<&Group<'_>> = merged.groups.iter().filter(|it| it.target == *target).collect();
    let Some(first) = groups.first() else {
        return Choice::by_default(Outcome::NoListener);
    };
    if groups.iter().any(|it| it.bind != first.bind) {
        return not_judged(format!("bind of {}", request.port));
    }
    let named = |it: &Group<'_>| matches!(it.target, Target::Named(_));
    if named(first)
        && merged.groups.iter().any(|it| !named(it))
        && merged.groups.iter().any(|it| unresolved(mesh, proxy, it))
    {
        return not_judged(format!("targetPort of {}", request.port));
    }
    let chains = chains(mesh, proxy, request, rules, &groups);
    let deciders: Vec<Decider> = groups
        .iter()
        .flat_map(|it| it.servers.iter().map(Placed::decider))
        .collect();
    if chains.is_empty() {
        return decided(Outcome::NoListener, deciders);
    }
    if let Some(name) = twice(&chains) {
        // Envoy refuses such a listener whole and keeps what it had, or nothing.
        return not_judged(format!("SNI {name} twice on port {}", request.port));
    }
    let plain = matches!(request.protocol, Protocol::Http | Protocol::Tcp);
    let sni = if plain {
        String::new()
    } else {
        request.sni.to_ascii_lowercase()
    };
    match pick(&chains, &sni) {
        Some(chain) => through(mesh, proxy, request, rules, chain),
        None => decided(Outcome::NoFilterChain, deciders),
    }
}

/// Whether a group listens on a number that no Service translates.
fn unresolved(mesh: &Mesh<'_>, proxy: &Proxy, group: &Group<'_>) -> bool {
    group
        .servers
        .iter()
        .any(|it| targets(mesh, proxy, it.server.port).is_empty())
}

fn chains<'m, 'a>(
    mesh: &Mesh<'a>,
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
                for (names, asked) in passed(mesh, proxy, request, rules, placed) {
                    if names.iter().all(|it| !taken.contains(it)) {
                        taken.extend(names.iter().cloned());
                        chains.push(Chain {
                            sni: names,
                            end: End::Through(asked),
                        });
                    }
                }
            } else if let Some(asked) = bytes(mesh, proxy, request, rules, placed) {
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
fn overlapping<'a>(mesh: &Mesh<'a>, proxy: &Proxy, placed: &Placed<'a>) -> Vec<&'a Object> {
    let mut all = bound(mesh, placed.gateway, &proxy.namespace);
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
    object: &'a Object,
    list: &'static str,
) -> impl Iterator<Item = Found<'m, 'a>> {
    let rules = object.list(if list == "tls" { "/spec/tls" } else { "/spec/tcp" });
    rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| {
            rule.get("route")
                .and_then(Value::as_array)
                .is_some_and(|it| !it.is_empty())
        })
        .map(move |(index, rule)| Found {
            placed,
            virtual_service: object,
            list,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            rule,
        })
}

fn entries(rule: &Value) -> &[Value] {
    rule.get("match")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The first rule of `tcp` that applies on the server; there is one for all connections.
fn bytes<'m, 'a>(
    mesh: &Mesh<'a>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    placed: &'m Placed<'a>,
) -> Option<Found<'m, 'a>> {
    let all = overlapping(mesh, proxy, placed);
    all.into_iter()
        .flat_map(|it| listed(placed, it, "tcp"))
        .find(|it| {
            let entries = entries(it.rule);
            entries.is_empty()
                || entries
                    .iter()
                    .any(|entry| rules.takes(it.asked(), Some(entry), request).0)
        })
}

/// Every match of `tls` that applies on the server, with its names.
fn passed<'m, 'a>(
    mesh: &Mesh<'a>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    placed: &'m Placed<'a>,
) -> Vec<(Vec<Name>, Found<'m, 'a>)> {
    let all = overlapping(mesh, proxy, placed);
    let mut passed = Vec::new();
    for asked in all.into_iter().flat_map(|it| listed(placed, it, "tls")) {
        for entry in entries(asked.rule) {
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
fn twice(chains: &[Chain<'_, '_>]) -> Option<Name> {
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
fn pick<'c, 'm, 'a>(chains: &'c [Chain<'m, 'a>], sni: &str) -> Option<&'c Chain<'m, 'a>> {
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

fn through(
    mesh: &Mesh<'_>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    chain: &Chain<'_, '_>,
) -> Choice {
    let under_tls = matches!(request.protocol, Protocol::Https | Protocol::Tls);
    match &chain.end {
        End::Plain(servers) if request.protocol == Protocol::Http => {
            http(mesh, proxy, request, rules, servers)
        }
        End::Terminated(placed) if request.protocol == Protocol::Https => {
            http(mesh, proxy, request, rules, std::slice::from_ref(*placed))
        }
        // The chain takes it and cannot read it.
        End::Plain(servers) => decided(
            Outcome::NoFilterChain,
            servers.iter().map(Placed::decider).collect(),
        ),
        End::Terminated(placed) => decided(Outcome::NoFilterChain, vec![placed.decider()]),
        End::Bytes(asked, true) if !under_tls => {
            decided(Outcome::NoFilterChain, vec![asked.placed.decider()])
        }
        End::Bytes(asked, _) | End::Through(asked) => rules.act(asked.asked(), request),
        End::Auto(placed) => {
            let mut choice = not_judged("AUTO_PASSTHROUGH".into());
            choice.deciders.push(placed.decider());
            choice
        }
    }
}

/// One entry of a virtual host: a rule with one of its matches.
struct Entry<'m, 'a> {
    asked: Found<'m, 'a>,
    entry: Option<&'a Value>,
    /// The port and TLS of the first server of the Gateway that the VirtualService was built for.
    first: &'m Placed<'a>,
}

#[derive(Default)]
struct VirtualHost<'m, 'a> {
    entries: Vec<Entry<'m, 'a>>,
    redirect: Option<Decider>,
}

fn http(
    mesh: &Mesh<'_>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    servers: &[Placed<'_>],
) -> Choice {
    let hosts = virtual_hosts(mesh, proxy, request, rules, servers);
    let deciders = || servers.iter().map(Placed::decider).collect();
    let Some(found) = names::envoy_host(&request.host, hosts.keys().map(|it| &**it)) else {
        return decided(Outcome::NoVirtualHost, deciders());
    };
    let host = &hosts[found];
    if let Some(decider) = &host.redirect
        && request.protocol == Protocol::Http
    {
        return redirect(mesh, request, decider, || routed(request, rules, host));
    }
    let mut choice = routed(request, rules, host);
    if choice.deciders.is_empty() {
        choice.deciders = deciders();
    }
    choice
}

/// `httpsRedirect`: 301, unless a proxy before that is trusted says that the request came by https. Whether one is trusted may be said in an
/// annotation of the pod, which is not seen. (`RequireTls` in Envoy's `VirtualHost`.)
fn redirect(mesh: &Mesh<'_>, request: &Request, decider: &Decider, or: impl FnOnce() -> Choice) -> Choice {
    let said = request
        .headers
        .get("x-forwarded-proto")
        .is_some_and(|it| it.eq_ignore_ascii_case("https"));
    if said && trusted_proxies(mesh) > 0 {
        return or();
    }
    if said {
        return not_judged("proxy.istio.io/config: numTrustedProxies".into());
    }
    let moved = Outcome::Redirect {
        code: 301,
        authority: "".into(),
        path: "".into(),
    };
    decided(moved, vec![decider.clone()])
}

fn routed(request: &Request, rules: &dyn Rules, host: &VirtualHost<'_, '_>) -> Choice {
    // Routes that take everything come last; otherwise the order stays. (`SortVHostRoutes` in istio's `route.go`.)
    let (last, first): (Vec<_>, Vec<_>) = host.entries.iter().partition(|it| catches_all(it.entry));
    for it in first.into_iter().chain(last) {
        let asked = asked_at(&it.asked, it.first);
        match rules.takes(asked, it.entry, request).1 {
            // What a delegate does with it, and whether it takes it at all, is not judged here.
            Ok(true) if asked.rule.get("delegate").is_some() => {
                return unknown(vec![unjudged::named(asked.virtual_service)]);
            }
            Ok(true) => return rules.act(asked, request),
            Ok(false) => {}
            Err(whys) => return unknown(whys),
        }
    }
    Choice::by_default(Outcome::NoRoute)
}

fn asked_at<'x>(asked: &'x Found<'_, '_>, first: &Placed<'_>) -> Asked<'x> {
    Asked {
        port: first.server.port,
        tls: first.server.tls.is_some(),
        ..asked.asked()
    }
}

/// Whether a match takes every request that reaches it: no header, query or method, and the path `/` as a prefix. (`IsCatchAllRoute` there.)
pub(super) fn catches_all(entry: Option<&Value>) -> bool {
    let Some(entry) = entry else { return true };
    let empty = |name: &str| {
        entry
            .get(name)
            .is_none_or(|it| it.is_null() || it.as_object().is_some_and(serde_json::Map::is_empty))
    };
    let narrow = [
        "headers",
        "withoutHeaders",
        "queryParams",
        "method",
        "authority",
        "scheme",
    ];
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    let all_paths = empty("uri") || text("/uri/prefix") == Some("/") || text("/uri/regex") == Some(".*");
    all_paths && narrow.into_iter().all(empty)
}

fn virtual_hosts<'m, 'a>(
    mesh: &Mesh<'a>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    servers: &'m [Placed<'a>],
) -> BTreeMap<Name, VirtualHost<'m, 'a>> {
    let mut hosts: BTreeMap<Name, VirtualHost<'m, 'a>> = BTreeMap::new();
    // Routes are built once for a Gateway and VirtualService, with the port of the first server that has any.
    let mut built: BTreeMap<(Name, crate::object::Key), &'m Placed<'a>> = BTreeMap::new();
    for placed in servers {
        let redirect = placed.server.redirects().then(|| {
            Decider::of(
                placed.gateway,
                format!("/spec/servers/{}/tls/httpsRedirect", placed.server.index),
            )
        });
        for virtual_service in bound(mesh, placed.gateway, &proxy.namespace) {
            let key = virtual_service.key();
            let ours = names::for_namespace(&placed.server.hosts, &key.namespace);
            let both = names::intersection(&ours, &names::hosts(virtual_service));
            if both.is_empty() {
                continue;
            }
            let place = (placed.name.clone(), key.clone());
            let first = *built.get(&place).unwrap_or(&placed);
            let entries = routes(request, rules, placed, first, virtual_service);
            if entries.is_empty() {
                continue;
            }
            built.insert(place, first);
            for host in both {
                let host = hosts.entry(host.to_ascii_lowercase().into()).or_default();
                host.redirect = host.redirect.take().or_else(|| redirect.clone());
                host.entries.extend(entries.iter().map(|it| Entry {
                    asked: it.asked.clone(),
                    ..*it
                }));
            }
        }
        if redirect.is_some() {
            // A host with a namespace before it becomes a name that no request has.
            for host in &placed.server.hosts {
                let host = hosts.entry(host.to_ascii_lowercase().into()).or_default();
                host.redirect = host.redirect.take().or_else(|| redirect.clone());
            }
        }
    }
    hosts
}

/// The routes that a VirtualService has on a server; what comes after one that takes everything is dropped. (`BuildHTTPRoutesForVirtualService` there.)
fn routes<'m, 'a>(
    request: &Request,
    rules: &dyn Rules,
    placed: &'m Placed<'a>,
    first: &'m Placed<'a>,
    virtual_service: &'a Object,
) -> Vec<Entry<'m, 'a>> {
    let mut routes = Vec::new();
    for (index, rule) in virtual_service.list("/spec/http").iter().enumerate() {
        let asked = Found {
            placed,
            virtual_service,
            list: "http",
            index: u32::try_from(index).unwrap_or(u32::MAX),
            rule,
        };
        let matches = entries(rule);
        if matches.is_empty() {
            routes.push(Entry {
                asked,
                entry: None,
                first,
            });
            return routes;
        }
        for entry in matches {
            if rules.takes(asked_at(&asked, first), Some(entry), request).0 {
                routes.push(Entry {
                    asked: asked.clone(),
                    entry: Some(entry),
                    first,
                });
                if catches_all(Some(entry)) {
                    return routes;
                }
            }
        }
    }
    routes
}

#[cfg(test)]
mod tests;
