//! What one sidecar knows: per egress listener the services and VirtualServices that it takes in, and all services that it has clusters
//! for. (`SidecarScope` in istio's `pilot/pkg/model`.)

use super::{
    ChosenDestination, Missing,
    action::Clusters,
    bound::{self, Bound},
    table::Ports,
};
use crate::{
    Name, Why,
    mesh::{
        Decider, Mesh, Proxy, Role,
        host::{
            name,
            registry::{self, Registered, Registry, Spoken},
            sidecar,
        },
        subset,
    },
    object::{Kind, Object},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A sidecar's view: what all of a namespace's see through the same `Sidecar`.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) listeners: Vec<Listener>,
    /// The whole registry: DNS knows more than a proxy may see.
    pub(crate) registry: Arc<Registry>,
    /// Services that it has clusters for.
    pub(crate) clusters: BTreeMap<Name, Arc<Registered>>,
    /// Some rule asks for the caller's labels, so that not all who share this view have the same routes.
    pub(crate) by_labels: bool,
    /// The ports' routes of all who do.
    pub(crate) ports: Ports,
    /// What happens to the unknown, and by what.
    pub(crate) unknown: Result<(bool, Option<Decider>), Why>,
}

/// An egress listener with what it takes in.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) port: Option<(u16, Spoken)>,
    pub(crate) odd: bool,
    pub(crate) services: Vec<Arc<Registered>>,
    pub(crate) bound: Vec<Arc<Bound>>,
    /// For each service the VirtualService whose host says most about it.
    pub(crate) best: BTreeMap<Name, usize>,
}

/// The view of `proxy`.
pub(crate) fn of(mesh: &Mesh<'_>, proxy: &Proxy) -> Arc<Scope> {
    // A `Sidecar` is for sidecars: gateways see all that is exported to them.
    let sidecar = (proxy.role == Role::Sidecar)
        .then(|| sidecar::applying(mesh, proxy))
        .flatten();
    mesh.scope(&proxy.namespace, sidecar)
}

/// See [`Mesh::scope`].
pub(crate) fn seen(mesh: &Mesh<'_>, space: &Name, sidecar: Option<&Object>) -> Scope {
    let registry = mesh.registry().clone();
    let seen = registry::seen_by(&registry.all, space);
    let rules = bound::for_sidecars(mesh.rules(), space);
    let listeners: Vec<Listener> = sidecar::egress(sidecar, space)
        .into_iter()
        .map(|egress| {
            let services = egress.services(&seen, space);
            let bound: Vec<Arc<Bound>> = rules
                .iter()
                .filter(|it| egress.imports_rule(&it.key.namespace, &it.hosts))
                .cloned()
                .collect();
            let best = best(&bound, &services);
            Listener {
                port: egress.port,
                odd: egress.odd,
                services,
                bound,
                best,
            }
        })
        .collect();
    let clusters = clusters(&listeners, &registry, space);
    Scope {
        unknown: unknown(mesh, sidecar),
        by_labels: rules.iter().any(|it| it.asks_labels()),
        listeners,
        registry,
        clusters,
        ports: Ports::default(),
    }
}

fn unknown(mesh: &Mesh<'_>, sidecar: Option<&Object>) -> Result<(bool, Option<Decider>), Why> {
    let what = |what: &str| Why::NotJudged { what: what.into() };
    if let Some(sidecar) = sidecar
        && let Some(policy) = sidecar
            .get("/spec/outboundTrafficPolicy")
            .filter(|it| !it.is_null())
    {
        if policy.get("egressProxy").is_some_and(|it| !it.is_null()) {
            return Err(what("Sidecar outboundTrafficPolicy.egressProxy"));
        }
        let by = Decider::of(sidecar, "/spec/outboundTrafficPolicy");
        return match policy
            .get("mode")
            .and_then(Value::as_str)
            .unwrap_or("REGISTRY_ONLY")
        {
            "ALLOW_ANY" => Ok((true, Some(by))),
            "REGISTRY_ONLY" => Ok((false, Some(by))),
            other => Err(what(&format!("outboundTrafficPolicy.mode {other}"))),
        };
    }
    let mode = mesh
        .config
        .json
        .pointer("/outboundTrafficPolicy/mode")
        .and_then(Value::as_str);
    match mode {
        None | Some("" | "ALLOW_ANY" | "REGISTRY_ONLY") => {
            let map = mesh
                .objects
                .object(Kind::ConfigMap, super::super::ROOT_NAMESPACE, "istio");
            let by = map
                .filter(|_| mode.is_some())
                .map(|it| Decider::of(it, "/data/mesh"));
            Ok((!mesh.config.registry_only, by))
        }
        Some(other) => Err(what(&format!("outboundTrafficPolicy.mode {other}"))),
    }
}

/// (`computeWildcardHostVirtualServiceIndex` in istio's `pilot/pkg/model`.)
fn best(bound: &[Arc<Bound>], services: &[Arc<Registered>]) -> BTreeMap<Name, usize> {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, it) in bound.iter().enumerate() {
        for host in &it.hosts {
            hosts.entry(host).or_insert(index);
        }
    }
    let wildcards: Vec<&str> = hosts.keys().copied().filter(|it| name::wild(it)).collect();
    let find = |it: &Registered| {
        hosts.get(&*it.host).copied().or_else(|| {
            let widest = name::most_specific(&it.host, wildcards.iter().copied())?;
            hosts.get(widest).copied()
        })
    };
    services
        .iter()
        .filter_map(|it| Some((it.host.clone(), find(it)?)))
        .collect()
}

/// All that listeners take in, and what their VirtualServices lead to besides: of the proxy's own namespace first, then of a Kubernetes
/// Service that it sees. (`collectImportedServices` in istio's `pilot/pkg/model`.)
fn clusters(listeners: &[Listener], registry: &Registry, space: &str) -> BTreeMap<Name, Arc<Registered>> {
    let mut all: BTreeMap<Name, Arc<Registered>> = BTreeMap::new();
    for listener in listeners {
        for it in &listener.services {
            add(&mut all, it.clone());
        }
        for rule in &listener.bound {
            for (host, ports) in destinations(rule, space) {
                let named = registry.named(&host);
                let picked = named.clone().find(|it| *it.namespace == *space).or_else(|| {
                    named
                        .filter(|it| it.visible(space))
                        .max_by_key(|it| it.kubernetes())
                });
                let Some(mut picked) = picked.cloned() else {
                    continue;
                };
                let mut only = |wanted: &dyn Fn(&u16) -> bool| {
                    Arc::make_mut(&mut picked).ports.retain(|(port, _)| wanted(port));
                };
                match listener.port {
                    Some((number, _)) => only(&|port| *port == number),
                    None if ports.contains(&0) => {}
                    None => only(&|port| ports.contains(port)),
                }
                if !picked.ports.is_empty() {
                    add(&mut all, picked);
                }
            }
        }
    }
    all
}

fn add(all: &mut BTreeMap<Name, Arc<Registered>>, it: Arc<Registered>) {
    let Some(there) = all.get_mut(&it.host) else {
        all.insert(it.host.clone(), it);
        return;
    };
    match (there.kubernetes(), it.kubernetes()) {
        (true, false) => {}
        (false, true) => *there = it,
        _ if there.namespace == it.namespace => {
            for port in &it.ports {
                if there.port(port.0).is_none() {
                    Arc::make_mut(there).ports.push(*port);
                }
            }
        }
        _ => {}
    }
}

/// Hosts that a VirtualService leads to, with the ports that it names, 0 for none.
fn destinations(rule: &Bound, space: &str) -> BTreeMap<Name, BTreeSet<u16>> {
    let mut all: BTreeMap<Name, BTreeSet<u16>> = BTreeMap::new();
    let mut put = |it: Option<&Value>| {
        let host = it.and_then(|it| it.get("host")?.as_str());
        let port = it
            .and_then(|it| it.pointer("/port/number")?.as_u64())
            .and_then(|it| u16::try_from(it).ok());
        if let Some(host) = host {
            all.entry(host.into()).or_default().insert(port.unwrap_or(0));
        }
    };
    let spaced = |rule: &bound::Rule| {
        let mut named = rule
            .blocks()
            .iter()
            .filter_map(|it| it.get("sourceNamespace")?.as_str())
            .filter(|it| !it.is_empty())
            .peekable();
        named.peek().is_none() || named.any(|it| it == space)
    };
    for it in rule
        .http
        .iter()
        .filter(|it| spaced(it))
        .chain(&rule.tcp)
        .chain(&rule.tls)
    {
        put(it.json.get("mirror"));
        for list in ["route", "mirrors"] {
            let list = it.json.get(list).and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .for_each(|it| put(it.get("destination")));
        }
    }
    all
}

/// A sidecar's clusters, as seen from a port.
pub(crate) struct Known<'s> {
    pub(crate) mesh: &'s Mesh<'s>,
    pub(crate) proxy: &'s Proxy,
    pub(crate) scope: &'s Scope,
    /// The listener's port.
    pub(crate) port: u16,
    /// Bytes: a service's only port stands for one that is not written. For HTTP it is always the caller's.
    pub(crate) bytes: bool,
}

impl Clusters for Known<'_> {
    fn find(
        &self,
        host: &str,
        subset: &str,
        port: Option<u16>,
    ) -> Result<(ChosenDestination, Option<Missing>), Vec<Why>> {
        let lower: Name = host.to_lowercase().into();
        let asked = self.scope.clusters.get(&lower);
        let only = asked
            .filter(|_| self.bytes)
            .and_then(|it| match it.ports.as_slice() {
                [(only, _)] => Some(*only),
                _ => None,
            });
        let port = port.or(only).unwrap_or(self.port);
        // An ExternalName Service is followed once, and for HTTP only from a port that it has.
        let alias = asked.filter(|it| !it.alias_for.is_empty());
        let alias = alias.filter(|it| self.bytes || it.port(self.port).is_some());
        let name: Name = alias.map_or(host.into(), |it| it.alias_for.clone());
        let missing = match self
            .scope
            .clusters
            .get(&name.to_lowercase() as &str)
            .filter(|it| it.alias_for.is_empty())
        {
            None => Some(Missing::Host),
            Some(it) if it.port(port).is_none_or(|it| it == Spoken::Udp) => Some(Missing::Port),
            Some(_) if subset.is_empty() => None,
            Some(it) => (!self.subset(it, subset)?).then_some(Missing::Subset),
        };
        Ok((
            ChosenDestination {
                host: name,
                subset: subset.into(),
                port,
            },
            missing,
        ))
    }
}

impl Known<'_> {
    fn subset(&self, it: &Registered, subset: &str) -> Result<bool, Vec<Why>> {
        let rule = subset::destination_rule(self.mesh, self.proxy, &it.host)?;
        Ok(rule.is_some_and(|it| it.subset(subset).is_some()))
    }
}
