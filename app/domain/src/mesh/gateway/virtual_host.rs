//! The virtual hosts of a gateway's HTTP, and what the one of a request does.

use super::{
    chain::{Found, entries},
    choose::{Asked, Rules, decided, not_judged, unknown},
    edge::Edge,
    merge::Placed,
    names,
    serves::trusted_proxies,
};
use crate::{
    Name, Why,
    mesh::{
        Decider, Mesh, Proxy,
        route::{Choice, Outcome, Protocol, Request},
    },
    object::Object,
};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};

/// One entry of a virtual host: a rule with one of its matches.
#[derive(Clone)]
struct Entry<'m, 'a> {
    asked: Found<'m, 'a>,
    /// The match's position; None for a rule without any.
    entry: Option<usize>,
    /// The port and TLS of the first server of the Gateway that the VirtualService was built for.
    first: &'m Placed<'a>,
}

impl Entry<'_, '_> {
    fn entry(&self) -> Option<&Value> {
        entries(self.asked.rule()).get(self.entry?)
    }
}

#[derive(Default)]
struct VirtualHost<'m, 'a> {
    entries: Vec<Entry<'m, 'a>>,
    redirect: Option<Decider>,
}

pub(super) fn http(
    edge: &Edge<'_>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    servers: &[Placed<'_>],
) -> Choice {
    let unturned: Vec<Why> = servers.iter().filter_map(|it| edge.unturned(it)).collect();
    if !unturned.is_empty() {
        return unknown(unturned);
    }
    let mesh = edge.mesh;
    let hosts = virtual_hosts(edge, proxy, request, rules, servers);
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
    let (last, first): (Vec<_>, Vec<_>) = host.entries.iter().partition(|it| catches_all(it.entry()));
    for it in first.into_iter().chain(last) {
        let asked = asked_at(&it.asked, it.first);
        match rules.takes(asked, it.entry(), request).1 {
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
    edge: &Edge<'a>,
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
                &placed.gateway,
                format!("/spec/servers/{}/tls/httpsRedirect", placed.server.index),
            )
        });
        for virtual_service in edge.bound(&placed.gateway, &proxy.namespace) {
            let key = virtual_service.key();
            let ours = names::for_namespace(&placed.server.hosts, &key.namespace);
            let both = names::intersection(&ours, &names::hosts(&virtual_service));
            if both.is_empty() {
                continue;
            }
            let place = (placed.name.clone(), key.clone());
            let first = *built.get(&place).unwrap_or(&placed);
            let entries = routes(request, rules, placed, first, &virtual_service);
            if entries.is_empty() {
                continue;
            }
            built.insert(place, first);
            for host in both {
                let host = hosts.entry(host.to_ascii_lowercase().into()).or_default();
                host.redirect = host.redirect.take().or_else(|| redirect.clone());
                host.entries.extend(entries.iter().cloned());
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
    virtual_service: &Cow<'a, Object>,
) -> Vec<Entry<'m, 'a>> {
    let mut routes = Vec::new();
    for (index, rule) in virtual_service.list("/spec/http").iter().enumerate() {
        let asked = Found {
            placed,
            virtual_service: virtual_service.clone(),
            list: "http",
            index: u32::try_from(index).unwrap_or(u32::MAX),
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
        for (position, entry) in matches.iter().enumerate() {
            if rules.takes(asked_at(&asked, first), Some(entry), request).0 {
                routes.push(Entry {
                    asked: asked.clone(),
                    entry: Some(position),
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
