//! What a Gateway object really serves.

use super::{
    edge::Edge,
    merge::{Skip, Target, in_front, merged, target},
    names,
    server::{Server, servers},
};
use crate::{
    Name, Why, fact,
    mesh::{
        Decider, Mesh, Proxy, gateway_api, host,
        route::{self, matching},
        unjudged,
    },
    object::{Key, Kind, Object},
    traffic::ServiceId,
};
use std::borrow::Cow;

/// What a Gateway serves, and by whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Serving {
    /// Pods that it selects, without those that are leaving. None at all: nobody serves it.
    pub pods: Vec<ServingPod>,
    /// A pod lies in another namespace than the Gateway: fine unless istiod runs with PILOT_SCOPE_GATEWAY_TO_NAMESPACE, which is not seen.
    pub across_namespaces: bool,
    /// Its servers.
    pub servers: Vec<Served>,
    /// `numTrustedProxies` of the mesh's `defaultConfig`; 0 unless set. An annotation `proxy.istio.io/config` of the pods would go before it,
    /// and is not seen.
    pub trusted_proxies: u32,
}

/// A gateway pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingPod {
    /// Its namespace: credentials must be there.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// It takes requests.
    pub ready: bool,
}

/// A server of the Gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// As written.
    pub server: Server,
    /// How requests come to it.
    pub reach: Vec<Reach>,
    /// Where its credentials must be: the namespaces of the pods. Empty where it needs none.
    pub credential_namespaces: Vec<Name>,
    /// It is left out on some pod, for this reason, in favour of this server.
    pub conflicts: Vec<(Skip, Decider)>,
    /// VirtualServices whose hosts it serves. Empty: 404 for everything, or no listener at all.
    pub used_by: Vec<Key>,
}

/// A Service that leads to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The Service.
    pub service: ServiceId,
    /// Its port.
    pub port: u16,
    /// Where that leads.
    pub target: Target,
}

/// What a Gateway serves.
///
/// One of the Gateway API's serves by its listeners: each is a server with the listener's position.
///
/// # Errors
/// Kinds that cannot be read, a Gateway without a selector (it is for all gateways, and pods do not say whether they are one), or one of the
/// Gateway API's that is not judged.
pub fn serves(mesh: &Mesh<'_>, gateway: &Object) -> Result<Serving, Vec<Why>> {
    if gateway.key().kind == Kind::GatewayApiGateway {
        return front(mesh, gateway);
    }
    let needed = [Kind::Gateway, Kind::VirtualService, Kind::Pod, Kind::Service];
    let mut gaps: Vec<Why> = needed.iter().filter_map(|&kind| mesh.objects.gap(kind)).collect();
    gaps.extend(mesh.config.gap.clone());
    let selector = unjudged::labels(gateway, "/spec/selector");
    if selector.is_empty() {
        gaps.push(unjudged::named(gateway));
    }
    if !gaps.is_empty() {
        return Err(gaps);
    }
    let pods = pods(mesh, |pod| {
        selector.iter().all(|(k, v)| pod.labels.get(k) == Some(v))
    });
    let edge = Edge::of(mesh);
    let served = servers(gateway)
        .into_iter()
        .map(|server| served(&edge, gateway, server, &pods));
    let servers = served.collect::<Result<_, _>>()?;
    Ok(serving(mesh, gateway, &pods, servers))
}

/// Those with a proxy that stay, among the pods that fit.
fn pods<'a>(mesh: &Mesh<'a>, fits: impl Fn(&fact::Pod) -> bool) -> Vec<&'a fact::Pod> {
    let all = mesh.objects.pods.values().map(|pod| &**pod);
    all.filter(|pod| !pod.leaving && pod.proxy == fact::Proxy::Sidecar && fits(pod))
        .collect()
}

fn serving(mesh: &Mesh<'_>, gateway: &Object, pods: &[&fact::Pod], servers: Vec<Served>) -> Serving {
    Serving {
        across_namespaces: pods.iter().any(|pod| pod.namespace != gateway.key().namespace),
        servers,
        trusted_proxies: trusted_proxies(mesh),
        pods: pods
            .iter()
            .map(|pod| ServingPod {
                namespace: pod.namespace.clone(),
                name: pod.name.clone(),
                ready: pod.ready,
            })
            .collect(),
    }
}

/// What a Gateway of the Gateway API serves.
fn front(mesh: &Mesh<'_>, gateway: &Object) -> Result<Serving, Vec<Why>> {
    let needed = [
        Kind::GatewayApiGateway,
        Kind::HttpRoute,
        Kind::ReferenceGrant,
        Kind::Namespace,
        Kind::Gateway,
        Kind::VirtualService,
        Kind::Pod,
        Kind::Service,
    ];
    let mut gaps: Vec<Why> = needed.iter().filter_map(|&kind| mesh.objects.gap(kind)).collect();
    gaps.extend(mesh.config.gap.clone());
    let fronts = &mesh.at_gateways().fronts;
    let front = fronts.iter().find(|it| it.gateway.key() == gateway.key());
    let Some(front) = front.filter(|it| it.judged && gaps.is_empty()) else {
        if gaps.is_empty() {
            gaps.push(unjudged::named(gateway));
        }
        return Err(gaps);
    };
    let pods = pods(mesh, |pod| {
        front.serves(mesh.objects, &pod.namespace, &pod.labels)
    });
    let edge = Edge::of(mesh);
    let mut all = Vec::new();
    for made in &front.gateways {
        for server in servers(made) {
            let mut it = served(&edge, made, server, &pods)?;
            if let Some((_, index, _)) = gateway_api::listener_of(made) {
                it.server.index = index;
            }
            it.reach
                .retain(|reach| front.services.contains(&host::of_service(&reach.service)));
            all.push(it);
        }
    }
    Ok(serving(mesh, gateway, &pods, all))
}

/// `meshConfig.defaultConfig.gatewayTopology.numTrustedProxies` (Istio reference, `Topology`).
pub(super) fn trusted_proxies(mesh: &Mesh<'_>) -> u32 {
    let number = mesh
        .config
        .json
        .pointer("/defaultConfig/gatewayTopology/numTrustedProxies");
    number
        .and_then(|it| u32::try_from(it.as_u64()?).ok())
        .unwrap_or(0)
}

fn served(
    edge: &Edge<'_>,
    gateway: &Object,
    server: Server,
    pods: &[&fact::Pod],
) -> Result<Served, Vec<Why>> {
    let mesh = edge.mesh;
    let mut reach: Vec<Reach> = Vec::new();
    let mut credential_namespaces: Vec<Name> = Vec::new();
    let mut conflicts: Vec<(Skip, Decider)> = Vec::new();
    let mut used_by: Vec<Key> = Vec::new();
    for pod in pods {
        let proxy = Proxy::gateway(pod.namespace.clone(), pod.labels.clone());
        for it in reaching(mesh, &proxy, server.port) {
            if !reach.contains(&it) {
                reach.push(it);
            }
        }
        for credential in server.tls.iter().flat_map(|tls| &tls.credentials) {
            let named = credential
                .strip_prefix(gateway_api::SECRET)
                .and_then(|it| it.split_once('/'));
            let namespace = named.map_or_else(|| pod.namespace.clone(), |(namespace, _)| namespace.into());
            if !credential_namespaces.contains(&namespace) {
                credential_namespaces.push(namespace);
            }
        }
        for it in merged(mesh, &proxy)?.skipped {
            let this = it.placed.gateway.key() == gateway.key() && it.placed.server.index == server.index;
            if this && !conflicts.contains(&(it.why.clone(), it.winner.clone())) {
                conflicts.push((it.why, it.winner));
            }
        }
        for virtual_service in edge.bound(gateway, &pod.namespace) {
            let ours = names::for_namespace(&server.hosts, &virtual_service.key().namespace);
            let both = names::intersection(&ours, &names::hosts(&virtual_service));
            if both.is_empty() {
                continue;
            }
            for key in written(&virtual_service) {
                if !used_by.contains(&key) {
                    used_by.push(key);
                }
            }
        }
    }
    Ok(Served {
        server,
        reach,
        credential_namespaces,
        conflicts,
        used_by,
    })
}

/// The VirtualService, or the HTTPRoutes that it is made of.
fn written(virtual_service: &Object) -> Vec<Key> {
    if virtual_service.annotation(gateway_api::SEMANTICS).is_none() {
        return vec![virtual_service.key().clone()];
    }
    let rules = 0..virtual_service.list("/spec/http").len();
    rules
        .filter_map(|index| gateway_api::origin(virtual_service, index))
        .map(|(key, _)| key)
        .collect()
}

/// The Services' ports that end at what a server of this number listens on.
fn reaching(mesh: &Mesh<'_>, proxy: &Proxy, number: u16) -> Vec<Reach> {
    let translated = in_front(mesh, &proxy.namespace, &proxy.labels, number);
    let listens = translated
        .first()
        .map_or(Target::Number(number), |(_, target)| target.clone());
    let selecting = mesh.objects.services.values().filter(|service| {
        service.namespace == proxy.namespace
            && !service.selector.is_empty()
            && proxy.selected_by(&service.selector)
    });
    let ports = selecting.flat_map(|service| service.ports.iter().map(move |port| (service, port)));
    ports
        .map(|(service, port)| Reach {
            service: ServiceId {
                namespace: service.namespace.clone(),
                name: service.name.clone(),
            },
            port: port.port,
            target: target(&port.target, port.port),
        })
        .filter(|it| it.target == listens)
        .collect()
}

/// The VirtualServices that are bound to a Gateway and visible in the namespace of its pods, in the order in which istiod merges them: those
/// visible there only, then the namespace's own HTTPRoutes, then the public ones; each oldest first. (`VirtualServicesForGateway` in istio's
/// `pilot/pkg/model`.)
pub fn bound<'a>(mesh: &Mesh<'a>, gateway: &Object, proxy_namespace: &str) -> Vec<Cow<'a, Object>> {
    let all = mesh.at_edge();
    let key = gateway.key();
    let name: Name = format!("{}/{}", key.namespace, key.name).into();
    let mut ranked: Vec<(u8, &Cow<'a, Object>)> = all
        .iter()
        .filter(|it| route::gateways(it).iter().any(|named| matching::gateway(named, &it.key().namespace) == name))
        // Without hosts it is a delegate, which acts through its root only.
        .filter(|it| !it.list("/spec/hosts").is_empty())
        .filter_map(|it| Some((rank(mesh, it, proxy_namespace)?, it)))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, it)| it.clone()).collect()
}

/// 0 private to the namespace, 1 exported to it, 2 its own HTTPRoutes', 3 public, None invisible. (`initVirtualServices` there.)
fn rank(mesh: &Mesh<'_>, virtual_service: &Object, namespace: &str) -> Option<u8> {
    let written: Vec<&str> = virtual_service
        .list("/spec/exportTo")
        .iter()
        .filter_map(|it| it.as_str())
        .collect();
    let default: Vec<&str> = mesh
        .config
        .virtual_service_export_to
        .iter()
        .map(|it| &**it)
        .collect();
    let own = &*virtual_service.key().namespace;
    let to = if written.is_empty() { default } else { written };
    if to.is_empty() || to.contains(&"*") {
        let made = virtual_service.annotation(gateway_api::SEMANTICS).is_some();
        return Some(if made && own == namespace { 2 } else { 3 });
    }
    let here = to
        .iter()
        .any(|it| *it == namespace || (*it == "." && own == namespace));
    (here && !to.contains(&"~")).then_some(u8::from(own != namespace))
}

#[cfg(test)]
mod tests;
