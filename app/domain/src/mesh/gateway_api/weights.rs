//! What an HTTPRoute says of weights, as it is written: its rules, what it is for, and whether it may name a Service.

use super::{
    grant,
    rule::{list, text},
};
use crate::{
    Name,
    mesh::{
        DOMAIN,
        route::{Destination, Rule},
    },
    object::{Key, Kind, Object},
    snapshot::Objects,
    traffic::ServiceId,
};
use naru_view::canary::RuleList;
use serde_json::Value;

/// The rules, each with its `backendRefs`. A Service of the route's own namespace is called by its name alone, one of another by its full
/// name; what is neither a Service nor a host of Istio's (`networking.istio.io`, `Hostname`) by its kind and name.
pub fn rules(http_route: &Object) -> Vec<Rule> {
    let rules = http_route.list("/spec/rules").iter().enumerate();
    rules
        .map(|(index, rule)| Rule {
            list: RuleList::HttpRoute,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            name: text(rule, "/name").unwrap_or("").into(),
            matches: !list(rule, "matches").is_empty(),
            destinations: list(rule, "backendRefs")
                .iter()
                .map(|it| backend(it, &http_route.key().namespace))
                .collect(),
        })
        .collect()
}

fn backend(it: &Value, own: &str) -> Destination {
    let name = text(it, "/name").unwrap_or("");
    let namespace = text(it, "/namespace").unwrap_or(own);
    let group = text(it, "/group").unwrap_or("");
    let kind = text(it, "/kind").unwrap_or("Service");
    let number = |field: &str| it.get(field).and_then(Value::as_u64);
    let (host, foreign) = match (group, kind) {
        ("", "Service") if namespace == own => (name.into(), None),
        ("", "Service") => (format!("{name}.{namespace}.svc.{DOMAIN}"), None),
        ("networking.istio.io", "Hostname") => (name.into(), None),
        _ => (format!("{kind}/{name}"), Some(kind.into())),
    };
    Destination {
        host: host.into(),
        subset: "".into(),
        port: number("port").and_then(|it| u16::try_from(it).ok()),
        weight: number("weight").and_then(|it| u32::try_from(it).ok()),
        foreign,
    }
}

/// The hosts that it is for: those that it writes, and the Services and ServiceEntries among its `parentRefs`.
pub fn hosts(http_route: &Object) -> Vec<Name> {
    let written = http_route.list("/spec/hostnames").iter();
    let mut hosts: Vec<Name> = written.filter_map(Value::as_str).map(Name::from).collect();
    hosts.extend(parents(http_route).filter_map(|(kind, parent)| match kind {
        Parent::Service => Some(format!("{}.{}.svc.{DOMAIN}", parent.name, parent.namespace).into()),
        Parent::Gateway => None,
    }));
    hosts
}

/// Where it is bound, in a VirtualService's words: its Gateways, as `namespace/name`, and `mesh` if it is for a Service.
pub fn gateways(http_route: &Object) -> Vec<Name> {
    let mut all: Vec<Name> = parents(http_route)
        .map(|(kind, parent)| match kind {
            Parent::Service => "mesh".into(),
            Parent::Gateway => format!("{}/{}", parent.namespace, parent.name).into(),
        })
        .collect();
    all.dedup();
    all
}

/// Whether istiod lets the route lead to a Service: at a Gateway one of another namespace needs a ReferenceGrant there, in the mesh it does not.
pub fn granted(objects: &Objects, http_route: &Object, service: &ServiceId) -> bool {
    let own = &*http_route.key().namespace;
    let at_gateway = parents(http_route).any(|(kind, _)| kind == Parent::Gateway);
    let to = ("", "Service", &*service.namespace);
    !at_gateway
        || *service.namespace == *own
        || grant::allows(objects, (grant::HTTP_ROUTE, own), to, &service.name)
}

/// What takes a route's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parent {
    Service,
    Gateway,
}

/// The parents of kinds that are known. Defaults are the Gateway API's: a Gateway of the route's own namespace.
fn parents(http_route: &Object) -> impl Iterator<Item = (Parent, Key)> {
    let own = &http_route.key().namespace;
    http_route.list("/spec/parentRefs").iter().filter_map(move |it| {
        let group = text(it, "/group").unwrap_or(super::GROUP);
        let (parent, kind) = match (group, text(it, "/kind").unwrap_or("Gateway")) {
            (super::GROUP, "Gateway") => (Parent::Gateway, Kind::GatewayApiGateway),
            ("", "Service") => (Parent::Service, Kind::Service),
            _ => return None,
        };
        let namespace = text(it, "/namespace").unwrap_or(own);
        Some((parent, Key::new(kind, namespace, text(it, "/name").unwrap_or(""))))
    })
}

#[cfg(test)]
mod tests {
    use super::{gateways, granted, hosts, rules};
    use crate::{
        manifests,
        object::{Kind, Object},
        traffic::ServiceId,
    };
    use serde_json::{Value, json};

    fn route(spec: &Value) -> Object {
        let json = json!({"metadata": {"name": "r", "namespace": "shop"}, "spec": spec});
        Object::new(Kind::HttpRoute, json).unwrap()
    }

    #[test]
    fn a_backend_is_a_service_a_host_of_istios_or_not_judged_and_weighs_1_unless_it_says_otherwise() {
        let rules = rules(&route(&json!({"rules": [
            {"backendRefs": [{"name": "a", "port": 80}, {"name": "b", "namespace": "bank", "port": 8080, "weight": 1_000_000}]},
            {"name": "two", "matches": [{}], "backendRefs": [
                {"group": "networking.istio.io", "kind": "Hostname", "name": "x.example", "port": 80, "weight": 0},
                {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "llm"}]},
            {"filters": []}, null]})));
        assert_eq!(rules[0].weights(), [1, 1_000_000]);
        assert_eq!(rules[1].weights(), [0, 1]);
        assert!(rules[0].weighted() && !rules[2].weighted() && !rules[3].weighted());
        let named: Vec<(&str, Option<u16>, Option<&str>)> = rules
            .iter()
            .flat_map(|it| &it.destinations)
            .map(|it| (&*it.host, it.port, it.foreign.as_deref()))
            .collect();
        assert_eq!(
            named,
            [
                ("a", Some(80), None),
                ("b.bank.svc.cluster.local", Some(8080), None),
                ("x.example", Some(80), None),
                ("InferencePool/llm", None, Some("InferencePool")),
            ]
        );
        assert_eq!(
            (&*rules[1].name, rules[1].matches, rules[0].matches),
            ("two", true, false)
        );
    }

    #[test]
    fn it_is_for_its_hostnames_and_its_services_and_bound_where_its_parents_are() {
        let both = route(
            &json!({"hostnames": ["shop.example"], "parentRefs": [{"name": "public", "namespace": "edge"},
            {"group": "", "kind": "Service", "name": "user"}, {"group": "x", "kind": "Y", "name": "z"}]}),
        );
        let names = |all: Vec<crate::Name>| all.iter().map(|it| it.to_string()).collect::<Vec<_>>();
        assert_eq!(
            names(hosts(&both)),
            ["shop.example", "user.shop.svc.cluster.local"]
        );
        assert_eq!(names(gateways(&both)), ["edge/public", "mesh"]);
    }

    #[test]
    fn at_a_gateway_another_namespaces_service_needs_its_grant() {
        let grant = json!({"apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "ReferenceGrant",
            "metadata": {"name": "g", "namespace": "bank"},
            "spec": {"from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"}],
                "to": [{"group": "", "kind": "Service"}]}});
        let (none, one) = (
            manifests::objects([]).unwrap(),
            manifests::objects([grant]).unwrap(),
        );
        let service = |namespace: &str| ServiceId {
            namespace: namespace.into(),
            name: "pay".into(),
        };
        let at_gateway = route(&json!({"parentRefs": [{"name": "public"}]}));
        assert!(!granted(&none, &at_gateway, &service("bank")));
        assert!(granted(&one, &at_gateway, &service("bank")));
        assert!(granted(&none, &at_gateway, &service("shop")));
        let in_mesh = route(&json!({"parentRefs": [{"group": "", "kind": "Service", "name": "user"}]}));
        assert!(granted(&none, &in_mesh, &service("bank")));
    }
}
