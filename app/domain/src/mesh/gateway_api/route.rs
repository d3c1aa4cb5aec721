//! HTTPRoutes as VirtualServices: those of services (GAMMA), and those of Gateways.

use super::{
    SEMANTICS,
    listener::Listener,
    rule::{self, Not, Turning, text},
};
use crate::{
    Name, Why,
    mesh::{DOMAIN, gateway::names, unjudged},
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the Gateway API's objects come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translation {
    /// VirtualServices that exist nowhere: names and rules are istiod's.
    pub virtual_services: Vec<Object>,
    /// HTTPRoutes of which something is not turned, with what they are for: a service's host, or a listener's Gateway as `namespace/name`.
    pub unjudged: Vec<(Name, Why)>,
}

/// 1 without a match; then kind and length of the path, whether there is a method, and how many headers and parameters.
type Rank = (u8, std::cmp::Reverse<(u8, usize, bool, usize, usize)>);

/// Where a rule of a VirtualService that is made of other objects was written: an HTTPRoute with the position in its `spec.rules`, or a
/// delegate with that in its `spec.http`.
pub fn origin(virtual_service: &Object, index: usize) -> Option<(Key, u32)> {
    let of = virtual_service.list("/spec/http").get(index)?.get("origin")?;
    let kind = match text(of, "/kind") {
        None => Kind::HttpRoute,
        Some(_) => Kind::VirtualService,
    };
    let key = Key::new(kind, text(of, "/namespace")?, text(of, "/name")?);
    Some((key, u32::try_from(of.get("rule")?.as_u64()?).ok()?))
}

/// What is merged into one VirtualService: rules of one host, at one place, by their key.
#[derive(Default)]
struct Merging(BTreeMap<Name, Merged>);

struct Merged {
    host: Name,
    gateway: Name,
    namespace: Name,
    created: Value,
    rules: Vec<Value>,
}

impl Merging {
    /// The oldest route gives the whole its namespace and age.
    fn put(&mut self, key: Name, (gateway, host): (&str, &str), route: &Object, rules: &[Value]) {
        if rules.is_empty() {
            return;
        }
        let merged = self.0.entry(key).or_insert_with(|| Merged {
            host: host.into(),
            gateway: gateway.into(),
            namespace: route.key().namespace.clone(),
            created: route
                .get("/metadata/creationTimestamp")
                .cloned()
                .unwrap_or(Value::Null),
            rules: Vec::new(),
        });
        merged.rules.extend_from_slice(rules);
    }

    /// Their rules in the order that the Gateway API demands. (`mergeHTTPRoutes` and `sortHTTPRoutes` in istio's
    /// `pilot/pkg/config/kube/gateway`.)
    fn done(self) -> Vec<Object> {
        let one = |(key, mut it): (Name, Merged)| {
            it.rules.sort_by_key(rank);
            let http: Vec<Value> = it.rules.into_iter().flat_map(rule::plain).collect();
            let json = json!({"metadata": {"name": key.replace('/', "~"), "namespace": it.namespace, "creationTimestamp": it.created,
                "annotations": {SEMANTICS: "gateway"}}, "spec": {"hosts": [it.host], "gateways": [it.gateway], "http": http}});
            Object::new(Kind::VirtualService, json).ok()
        };
        self.0.into_iter().filter_map(one).collect()
    }
}

/// Oldest first, then by namespace and name. (`sortRoutesByCreationTime` there.)
fn routes(objects: &Objects) -> Vec<&Object> {
    let mut routes: Vec<&Object> = objects.of_kind(Kind::HttpRoute).collect();
    routes.sort_by_key(|it| (it.text("/metadata/creationTimestamp"), it.key()));
    routes
}

/// Longest path first, exact before prefix before expression, then method, headers, query; rules without a match last. (`sortHTTPRoutes`.)
fn rank(rule: &Value) -> Rank {
    let Some(entry) = rule.pointer("/match/0") else {
        return (1, std::cmp::Reverse((0, 0, false, 0, 0)));
    };
    let path = |kind: &str| text(entry, &format!("/uri/{kind}")).map(str::len);
    let (kind, length) = [("exact", 3), ("prefix", 2), ("regex", 1)]
        .into_iter()
        .find_map(|(kind, rank)| Some((rank, path(kind)?)))
        .unwrap_or((0, 0));
    let count = |name: &str| entry.get(name).and_then(Value::as_object).map_or(0, Map::len);
    (
        0,
        std::cmp::Reverse((
            kind,
            length,
            entry.get("method").is_some(),
            count("headers"),
            count("queryParams"),
        )),
    )
}

/// The HTTPRoutes whose parents are Services or ServiceEntries, as VirtualServices of the mesh: one for each namespace of routes, port and
/// host. One that istiod refuses is as if it were not there. (`HTTPRouteCollection` there.)
pub fn virtual_services(objects: &Objects) -> Translation {
    let mut translation = Translation::default();
    let mut merging = Merging::default();
    for object in routes(objects) {
        let own = &object.key().namespace;
        let turning = Turning {
            objects,
            route: object,
            at_gateway: false,
        };
        for parent in object.list("/spec/parentRefs") {
            let port = parent.get("port").and_then(Value::as_u64);
            let hosts = hosts_in_mesh(objects, parent, own);
            match rule::rules(turning, port) {
                Ok(rules) => {
                    for host in &hosts {
                        let key = match port {
                            None => format!("{own}/{host}"),
                            Some(port) => format!("{own}/{port}/{host}"),
                        };
                        merging.put(key.into(), ("mesh", host), object, &rules);
                    }
                }
                Err(Not::Judged) => {
                    let why = unjudged::named(object);
                    translation
                        .unjudged
                        .extend(hosts.into_iter().map(|host| (host, why.clone())));
                }
                Err(Not::Refused) => {}
            }
        }
    }
    translation.virtual_services = merging.done();
    translation
}

/// What a parent stands for in the mesh: a Service's or a ServiceEntry's hosts, if it is there.
fn hosts_in_mesh(objects: &Objects, parent: &Value, own: &str) -> Vec<Name> {
    let name = text(parent, "/name").unwrap_or("");
    let namespace = text(parent, "/namespace").unwrap_or(own);
    match (text(parent, "/group"), text(parent, "/kind")) {
        (Some(""), Some("Service")) => {
            let service = objects.service(namespace, name);
            service
                .map(|_| format!("{name}.{namespace}.svc.{DOMAIN}").into())
                .into_iter()
                .collect()
        }
        (Some("networking.istio.io"), Some("ServiceEntry")) => {
            let entry = objects.object(Kind::ServiceEntry, namespace, name);
            let hosts = entry.map_or(&[][..], |it| it.list("/spec/hosts"));
            hosts.iter().filter_map(Value::as_str).map(Name::from).collect()
        }
        _ => Vec::new(),
    }
}

/// The HTTPRoutes whose parents are listeners, as VirtualServices of these: one for each listener and host.
pub(super) fn at_listeners(objects: &Objects, listeners: &[Listener]) -> Translation {
    let mut translation = Translation::default();
    let mut merging = Merging::default();
    for object in routes(objects) {
        let attached = attached(object, listeners);
        let turning = Turning {
            objects,
            route: object,
            at_gateway: true,
        };
        match rule::rules(turning, None) {
            Ok(rules) => {
                for (listener, host) in attached {
                    let key = format!("{}/{host}", listener.name);
                    merging.put(key.into(), (&listener.name, &host), object, &rules);
                }
            }
            Err(Not::Judged) => {
                let why = unjudged::named(object);
                let all = attached.into_iter().map(|(it, _)| (it.name.clone(), why.clone()));
                translation.unjudged.extend(all);
            }
            Err(Not::Refused) => {}
        }
    }
    translation.virtual_services = merging.done();
    translation
}

/// The listeners that take a route, each with every host of it that is not a narrower listener's. (`extractParentReferenceInfo`,
/// `referenceAllowed` and `hostnameAllowedByIsolation` there.)
fn attached<'l>(route: &Object, listeners: &'l [Listener]) -> Vec<(&'l Listener, Name)> {
    let own = &*route.key().namespace;
    let mut hosts: Vec<Name> = route
        .list("/spec/hostnames")
        .iter()
        .filter_map(Value::as_str)
        .map(Name::from)
        .collect();
    if hosts.is_empty() {
        hosts.push("*".into());
    }
    let mut attached: Vec<(&Listener, Name)> = Vec::new();
    for parent in route.list("/spec/parentRefs") {
        let is = |pointer: &str, default: &str| text(parent, pointer).unwrap_or(default).to_owned();
        if (is("/group", super::GROUP), is("/kind", "Gateway")) != (super::GROUP.into(), "Gateway".into()) {
            continue;
        }
        let gateway = Key::new(Kind::GatewayApiGateway, is("/namespace", own), is("/name", ""));
        let of_gateway = || listeners.iter().filter(|it| it.gateway == gateway);
        let port = parent.get("port").and_then(Value::as_u64);
        let taking = of_gateway()
            .filter(|it| port.is_none_or(|port| port == u64::from(it.port)))
            .filter(|it| {
                text(parent, "/sectionName").is_none_or(|it_is| it_is.is_empty() || *it_is == *it.section)
            })
            .filter(|it| it.takes(own, &hosts));
        for listener in taking {
            let others: Vec<&Name> = of_gateway()
                .filter(|it| it.port == listener.port && it.protocol == listener.protocol)
                .map(|it| &it.host)
                .filter(|it| **it != listener.host)
                .collect();
            let open = hosts
                .iter()
                .filter(|host| isolated(&listener.host, host, &others));
            attached.extend(open.map(|host| (listener, host.clone())));
        }
    }
    attached.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    attached
}

/// Whether a route's host is left to a listener by the Gateway's other listeners of its port and protocol: none of them says more about it.
/// Lengths are compared as istiod does; a listener without a name is the shortest.
fn isolated(listener: &str, host: &str, others: &[&Name]) -> bool {
    if !listener.is_empty() && !listener.starts_with('*') {
        return true;
    }
    if !listener.is_empty() && !names::overlap(host, listener) {
        return false;
    }
    others
        .iter()
        .all(|other| listener.len() > other.len() || !names::subset_of(host, other))
}

#[cfg(test)]
mod tests;
