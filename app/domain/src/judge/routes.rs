//! Where VirtualServices and HTTPRoutes send requests, and whose proxies do.

use super::World;
use crate::{
    Name, Why,
    fact::Labels,
    mesh::{
        Decider, Proxy, gateway, gateway_api,
        host::{self, Host},
        route::{self, ChosenDestination, matching},
        unjudged,
    },
    object::{Key, Kind, Object},
    traffic::ServiceId,
    workload::selects,
};
use naru_view::canary::RuleList;
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// A destination that a rule names.
pub(super) struct Used<'a> {
    /// The VirtualService, or what istiod makes of HTTPRoutes.
    pub(super) route: Cow<'a, Object>,
    /// The destination's place: its object and field.
    pub(super) by: Decider,
    /// As written.
    pub(super) host: Name,
    /// As written; empty for none.
    pub(super) subset: Name,
    /// As written.
    pub(super) port: Option<u16>,
    /// In effect; 0 for copies, whose answers nobody waits for.
    pub(super) weight: u32,
}

/// VirtualServices as written, and those that istiod makes of HTTPRoutes for callers in the mesh and at gateways; what is not judged of those beside.
pub(super) fn all<'a>(world: &World<'a>) -> (Vec<Cow<'a, Object>>, Vec<Why>) {
    let mut whys: Vec<Why> = [Kind::VirtualService, Kind::HttpRoute]
        .iter()
        .filter_map(|&kind| world.objects.gap(kind))
        .collect();
    let mut all: Vec<Cow<'_, Object>> = world
        .objects
        .of_kind(Kind::VirtualService)
        .map(Cow::Borrowed)
        .collect();
    if world.objects.of_kind(Kind::HttpRoute).next().is_some() {
        let inside = gateway_api::virtual_services(world.objects);
        let outside = gateway_api::at_gateways(world.objects);
        whys.extend(
            inside
                .unjudged
                .into_iter()
                .chain(outside.unjudged)
                .map(|(_, why)| why),
        );
        let made = inside
            .virtual_services
            .into_iter()
            .chain(outside.virtual_services);
        all.extend(made.map(Cow::Owned));
    }
    (all, whys)
}

/// All destinations that have a place, each once.
pub(super) fn used<'a>(world: &World<'a>) -> (Vec<Used<'a>>, Vec<Why>) {
    let (routes, whys) = all(world);
    let mut found: Vec<Used<'_>> = Vec::new();
    for it in routes.iter().flat_map(of) {
        let again = |other: &Used<'_>| other.by == it.by && other.host == it.host && other.port == it.port;
        if it.by.key.kind == Kind::VirtualService || !found.iter().any(again) {
            found.push(it);
        }
    }
    (found, whys)
}

fn of<'a>(object: &Cow<'a, Object>) -> Vec<Used<'a>> {
    let mut found = Vec::new();
    for list in [RuleList::Http, RuleList::Tls, RuleList::Tcp] {
        let field = list.field();
        for rule in route::listed(object, list) {
            let index = rule.index;
            let by = |below: String| match gateway_api::origin(object, index as usize) {
                Some((key, rule)) => Decider {
                    key,
                    path: format!("/spec/rules/{rule}").into(),
                },
                None => Decider::of(object, format!("/spec/{field}/{index}/{below}")),
            };
            let weights = rule.weights();
            let routes = rule.destinations.iter().zip(weights).enumerate();
            found.extend(routes.map(|(place, (it, weight))| Used {
                route: object.clone(),
                by: by(format!("route/{place}/destination")),
                host: it.host.clone(),
                subset: it.subset.clone(),
                port: it.port,
                weight,
            }));
            let json = object.get(&format!("/spec/{field}/{index}"));
            let copies = json.map(mirrors).unwrap_or_default();
            found.extend(copies.into_iter().map(|(field, it)| {
                Used {
                    route: object.clone(),
                    by: by(field),
                    host: text(it, "host"),
                    subset: text(it, "subset"),
                    port: it
                        .pointer("/port/number")
                        .and_then(|it| it.as_u64()?.try_into().ok()),
                    weight: 0,
                }
            }));
        }
    }
    // What istiod refuses to resolve has no host.
    found.retain(|it| !it.host.is_empty());
    found
}

fn mirrors(rule: &Value) -> Vec<(String, &Value)> {
    let one = rule.get("mirror").filter(|it| it.is_object());
    let one = one.map(|it| ("mirror".to_owned(), it));
    let several = rule.get("mirrors").and_then(Value::as_array);
    let several = several.into_iter().flatten().enumerate();
    let several = several
        .filter_map(|(index, it)| Some((format!("mirrors/{index}/destination"), it.get("destination")?)));
    one.into_iter().chain(several).collect()
}

fn text(json: &Value, name: &str) -> Name {
    json.get(name).and_then(Value::as_str).unwrap_or("").into()
}

impl Used<'_> {
    /// The name as Istio reads it.
    pub(super) fn fqdn(&self) -> Name {
        host::fqdn(&self.host, &self.route.key().namespace)
    }

    /// What it names.
    pub(super) fn resolved(&self, world: &World<'_>) -> Host {
        host::resolve(world.objects, &self.host, &self.route.key().namespace)
    }

    /// The destination as the model asks about it: without a port, the Service's first stands for all of them.
    pub(super) fn chosen(&self, world: &World<'_>) -> Option<ChosenDestination> {
        let Host::Service(id) = self.resolved(world) else {
            return None;
        };
        let service = world.objects.service(&id.namespace, &id.name)?;
        let port = self.port.or_else(|| Some(service.ports.first()?.port))?;
        Some(ChosenDestination {
            host: self.fqdn(),
            subset: self.subset.clone(),
            port,
        })
    }
}

/// Whose proxies use which VirtualServices; read once for many.
pub(super) struct Callers<'a> {
    /// Namespaces with DestinationRules of their own and pods with a proxy.
    ruled: BTreeSet<Name>,
    gateways: BTreeMap<&'a Key, BTreeSet<Proxy>>,
}

impl<'a> Callers<'a> {
    /// Reads the namespaces and the gateways' pods.
    pub(super) fn of(world: &World<'a>) -> Self {
        let meshed: BTreeSet<&Name> = world
            .objects
            .pods
            .values()
            .filter(|pod| pod.sidecar.is_some())
            .map(|pod| &pod.namespace)
            .collect();
        let rules = world.objects.of_kind(Kind::DestinationRule);
        let ruled = rules
            .map(|it| &it.key().namespace)
            .filter(|it| meshed.contains(it));
        let gateways = world.objects.of_kind(Kind::Gateway);
        Self {
            ruled: ruled.cloned().collect(),
            gateways: gateways
                .map(|it| (it.key(), gateway_proxies(world, it)))
                .collect(),
        }
    }

    /// The proxies that use a VirtualService: of the gateways that it is bound to; for the mesh, sidecars of the service's namespace and of each
    /// with DestinationRules of its own, which go before the service's.
    pub(super) fn clients(&self, world: &World<'_>, object: &Object, fqdn: &str) -> BTreeSet<Proxy> {
        let mut found = BTreeSet::new();
        for name in route::gateways(object) {
            if &*name == "mesh" {
                let own =
                    host::service_of(fqdn).map_or_else(|| object.key().namespace.clone(), |it| it.namespace);
                let namespaces = self.ruled.iter().cloned().chain([own]);
                found.extend(namespaces.map(|it| Proxy::sidecar(it, Labels::new())));
            } else if let Some(gateway) = bound_gateway(world, object, &name) {
                found.extend(self.gateways.get(gateway.key()).into_iter().flatten().cloned());
            }
        }
        found
    }
}

/// The Gateway that a VirtualService names.
pub(super) fn bound_gateway<'a>(world: &World<'a>, object: &Object, name: &str) -> Option<&'a Object> {
    let full = matching::gateway(name, &object.key().namespace);
    let (namespace, name) = full.split_once('/')?;
    world.objects.object(Kind::Gateway, namespace, name)
}

/// The proxies that serve a Gateway; one of its own labels, in its own namespace, where the pods are not among the objects.
pub(super) fn gateway_proxies(world: &World<'_>, gateway: &Object) -> BTreeSet<Proxy> {
    let selector = unjudged::labels(gateway, "/spec/selector");
    // Without a selector it is for all gateways, and pods do not say whether they are one.
    if selector.is_empty() {
        return BTreeSet::new();
    }
    let pods = world.objects.pods.values();
    let serving = pods.filter(|pod| pod.sidecar.is_some() && !pod.leaving && selects(&selector, &pod.labels));
    let proxies: BTreeSet<Proxy> = serving
        .map(|pod| {
            let mut labels = pod.labels.clone();
            // Pods of one template differ by nothing that selects.
            labels.remove("pod-template-hash");
            Proxy::gateway(pod.namespace.clone(), labels)
        })
        .collect();
    if proxies.is_empty() {
        return [Proxy::gateway(gateway.key().namespace.clone(), selector)].into();
    }
    proxies
}

/// Services of a name in other namespaces than this one, in order.
pub(super) fn elsewhere(world: &World<'_>, name: &str, namespace: &str) -> Vec<ServiceId> {
    let all = world.objects.services.values();
    all.filter(|it| &*it.name == name && &*it.namespace != namespace)
        .map(|it| ServiceId {
            namespace: it.namespace.clone(),
            name: it.name.clone(),
        })
        .collect()
}

/// Whether files may leave out what stands behind a name: nothing of its namespace's Services is among them.
pub(super) fn left_out(world: &World<'_>, fqdn: &str) -> bool {
    let namespace = host::service_of(fqdn).map(|it| it.namespace);
    let mut services = world.objects.services.values();
    !world.running && !services.any(|it| Some(&it.namespace) == namespace.as_ref())
}

/// Hosts that Gateways serve, without wildcards.
pub(super) fn served_hosts(world: &World<'_>) -> BTreeSet<Name> {
    let gateways = world.objects.of_kind(Kind::Gateway);
    let hosts = gateways.flat_map(gateway::servers).flat_map(|it| it.hosts);
    hosts
        .map(|it| {
            it.split_once('/')
                .map_or_else(|| it.clone(), |(_, name)| name.into())
        })
        .filter(|it| !it.starts_with('*'))
        .collect()
}
