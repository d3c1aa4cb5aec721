//! The virtual hosts of a port, and which of them takes a Host header. (`BuildSidecarOutboundVirtualHosts` in istio's
//! `pilot/pkg/networking/core`; Envoy's virtual host matching.)

use super::{action::without_port, bound::Bound, matching, scope::Listener};
use crate::{
    Name,
    mesh::{
        DOMAIN, Proxy,
        host::{name, registry::Registered},
    },
};
use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

/// A virtual host.
#[derive(Clone, Debug)]
pub(crate) struct VirtualHost {
    /// The registry's host; None for a VirtualService's host that is no service's.
    pub(crate) service: Option<Name>,
    /// The VirtualService in the listener's list; None for the service itself.
    pub(crate) rules: Option<usize>,
}

/// A port's virtual hosts.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualHosts {
    pub(crate) all: Vec<VirtualHost>,
    domains: HashMap<Name, usize>,
    wildcards: Vec<Name>,
}

impl VirtualHosts {
    /// By a Host header: the exact name, then the longest suffix. The port does not count, nor does case.
    pub(crate) fn by_host(&self, host: &str) -> Option<&VirtualHost> {
        let host = without_port(host).to_lowercase();
        let exact = self.domains.get(&*host);
        let index = exact.or_else(|| {
            let wildcards = self.wildcards.iter().map(|it| &**it);
            let fitting = wildcards.filter(|it| it.len() <= host.len());
            self.domains.get(name::most_specific(&host, fitting)?)
        })?;
        self.all.get(*index)
    }

    /// The one that a sniffed service's own listener has.
    pub(crate) fn by_service(&self, host: &str) -> Option<&VirtualHost> {
        self.all.get(*self.domains.get(host)?)
    }

    fn name(&mut self, domain: Name, index: usize) {
        if let Entry::Vacant(free) = self.domains.entry(domain) {
            if free.key().starts_with('*') {
                self.wildcards.push(free.key().clone());
            }
            free.insert(index);
        }
    }
}

struct Draft {
    rules: Option<usize>,
    hosts: Vec<Name>,
    services: Vec<Name>,
}

/// Those of a port, for the listener in charge of it.
pub(crate) fn of(listener: &Listener, proxy: &Proxy, port: u16) -> VirtualHosts {
    let services: BTreeMap<Name, &Registered> = listener
        .services
        .iter()
        .filter(|it| it.port(port).is_some())
        .map(|it| (it.host.clone(), &**it))
        .collect();
    let drafts = drafts(listener, proxy, port, &services);
    let known: HashSet<&Name> = drafts.iter().flat_map(|it| &it.services).collect();
    let mut hosts = VirtualHosts::default();
    let mut named = HashSet::new();
    for draft in &drafts {
        let plain = draft.hosts.iter().map(|it| (it.clone(), None));
        let registered = draft.services.iter().map(|it| (it.clone(), services.get(it)));
        for (host, service) in plain.chain(registered) {
            if !named.insert(host.clone()) {
                continue;
            }
            let index = hosts.all.len();
            hosts.all.push(VirtualHost {
                service: service.map(|_| host.clone()),
                rules: draft.rules,
            });
            let Some(service) = service else {
                hosts.name(host.to_lowercase().into(), index);
                continue;
            };
            let domains = service.domains.get_or_init(|| Domains::of(service));
            for (domain, short) in domains.seen_from(&proxy.namespace) {
                if !(*short && known.contains(domain)) {
                    hosts.name(domain.clone(), index);
                }
            }
        }
    }
    hosts
}

/// VirtualServices in order, then services that none of them took. One with no rule for this proxy and port counts as not there.
fn drafts(
    listener: &Listener,
    proxy: &Proxy,
    port: u16,
    services: &BTreeMap<Name, &Registered>,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let http = |host: &Name| {
        services
            .get(host)
            .and_then(|it| it.port(port))
            .is_some_and(|it| it.http_or_sniffed())
    };
    for (index, bound) in listener.bound.iter().enumerate() {
        if port != 80 && !selects(bound, services) || !has_rules(bound, proxy, port) {
            continue;
        }
        let (hosts, mut found) = split(listener, index, services);
        if bound.gateway_api && bound.key.namespace != proxy.namespace {
            // Only callers of its own namespace may be told where another namespace's service leads.
            found.retain(|it| {
                services
                    .get(it)
                    .is_some_and(|it| it.namespace == bound.key.namespace)
            });
        }
        if bound.gateway_api && found.is_empty() {
            continue;
        }
        let taken: Vec<Name> = found.into_iter().filter(http).collect();
        if !taken.is_empty() || port == 80 {
            drafts.push(Draft {
                rules: Some(index),
                hosts,
                services: taken,
            });
        }
    }
    let taken: HashSet<Name> = drafts.iter().flat_map(|it| it.services.clone()).collect();
    let rest = services
        .values()
        .filter(|it| !taken.contains(&it.host) && it.alias_for.is_empty() && http(&it.host));
    let rest: Vec<Draft> = rest
        .map(|it| Draft {
            rules: None,
            hosts: Vec::new(),
            services: vec![it.host.clone()],
        })
        .collect();
    drafts.extend(rest);
    drafts
}

fn selects(bound: &Bound, services: &BTreeMap<Name, &Registered>) -> bool {
    bound.hosts.iter().any(|host| {
        services.contains_key(host)
            || services
                .keys()
                .any(|it| (name::wild(host) || name::wild(it)) && name::matches(host, it))
    })
}

/// (`BuildHTTPRoutesForVirtualService` in istio's `pilot/pkg/networking/core/route`.)
fn has_rules(bound: &Bound, proxy: &Proxy, port: u16) -> bool {
    let request = super::Request::get("", port);
    let seen = matching::Seen {
        request: &request,
        proxy,
        port,
        gateway: "mesh",
        scheme: "http",
    };
    bound.http.iter().any(|rule| {
        let blocks = rule.blocks();
        blocks.is_empty()
            || blocks
                .iter()
                .any(|it| matching::concerns(it, &seen, &bound.key.namespace))
    })
}

/// Hosts that are no services', and services. (`separateVSHostsAndServices` in istio's `pilot/pkg/networking/core/route`.)
fn split(
    listener: &Listener,
    index: usize,
    services: &BTreeMap<Name, &Registered>,
) -> (Vec<Name>, Vec<Name>) {
    let (mut plain, mut found) = (Vec::new(), Vec::new());
    let Some(bound) = listener.bound.get(index) else {
        return (plain, found);
    };
    for host in bound.hosts.iter().filter(|it| !name::wild(it)) {
        if services.contains_key(host) {
            &mut found
        } else {
            &mut plain
        }
        .push(host.clone());
    }
    for host in bound.hosts.iter().filter(|it| name::wild(it)) {
        if bound.gateway_api {
            plain.push(host.clone());
            continue;
        }
        let mut any = false;
        for service in services.keys().filter(|it| name::matches(it, host)) {
            any = true;
            if listener.best.get(service) == Some(&index) {
                found.push(service.clone());
            }
        }
        if !any {
            plain.push(host.clone());
        }
    }
    (plain, found)
}

/// A service's domains, each with whether it is a short form, in which another service of that full name goes first.
/// (`generateVirtualHostDomains` in istio's `pilot/pkg/networking/core`.)
#[derive(Clone, Debug, Default)]
pub(crate) struct Domains {
    anywhere: Vec<(Name, bool)>,
    /// Those that only callers of a namespace use.
    at_home: BTreeMap<Name, Vec<(Name, bool)>>,
}

impl Domains {
    fn of(service: &Registered) -> Self {
        let mut all = Self::default();
        for host in std::iter::once(&service.host).chain(&service.aliases) {
            all.anywhere.push((host.to_lowercase().into(), false));
            all.anywhere
                .push((format!("{host}.").to_lowercase().into(), true));
            let Some(place) = host.strip_suffix(&format!(".svc.{DOMAIN}")) else {
                continue;
            };
            let place = place.to_lowercase();
            all.anywhere.push((format!("{place}.svc").into(), true));
            if let Some((name, space)) = place.split_once('.') {
                all.at_home
                    .entry(space.into())
                    .or_default()
                    .push((name.into(), true));
            }
            all.anywhere.push((place.into(), true));
        }
        if service.headless {
            for list in std::iter::once(&mut all.anywhere).chain(all.at_home.values_mut()) {
                let wild: Vec<Name> = list.iter().map(|(it, _)| format!("*.{it}").into()).collect();
                list.extend(wild.into_iter().map(|it| (it, false)));
            }
        }
        for address in &service.addresses {
            let v6 = address.contains(':') && !address.starts_with('[');
            let written = if v6 {
                format!("[{address}]")
            } else {
                address.to_string()
            };
            all.anywhere.push((written.to_lowercase().into(), false));
        }
        all
    }

    fn seen_from(&self, namespace: &str) -> impl Iterator<Item = &(Name, bool)> {
        let at_home = self.at_home.get(namespace).into_iter().flatten();
        self.anywhere.iter().chain(at_home)
    }
}
