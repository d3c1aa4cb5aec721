//! Whether what came by one rule can be told from what came by another to the same pods: by the name that Envoy's route has, where proxies tell it.

use super::Rule;
use crate::{
    Name,
    mesh::{gateway_api, host::Host, route},
    object::{Key, Kind, Object},
    snapshot::Objects,
    traffic::ServiceId,
};
use naru_view::canary::RuleList;
use std::collections::{BTreeMap, BTreeSet};

/// What Istio calls the route that it makes of a Service without a VirtualService (`pilot/pkg/networking/core/httproute.go`).
pub const DEFAULT: &str = "default";

/// The name that Envoy's route of an HTTP rule has: a VirtualService's rule's own, which its matches' names follow behind a dot (Istio reference,
/// `HTTPRoute.name`); an HTTPRoute's rule's own, or its place where it has none (`pilot/pkg/config/kube/gateway`). Empty for none.
pub fn name(route: &Key, rule: &Rule) -> Name {
    if route.kind == Kind::HttpRoute && rule.name.is_empty() {
        return format!("{}.{}.{}", route.namespace, route.name, rule.index).into();
    }
    rule.name.clone()
}

/// Whether a request of this route's name came by the rule of that name.
pub fn came_by(rule: &str, route: &str) -> bool {
    route
        .strip_prefix(rule)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The name by which a rule's requests are told from those of all others to the same services; None where it has none of its own.
pub fn own_name(objects: &Objects, rule: (&Object, &Rule), services: &BTreeSet<ServiceId>) -> Option<Name> {
    let own = name(rule.0.key(), rule.1);
    let mut others = leading_to(objects, services)
        .into_iter()
        .filter(|it| !same(it, rule));
    let alike = |it: &(&Object, Rule)| {
        let theirs = name(it.0.key(), &it.1);
        came_by(&own, &theirs) || came_by(&theirs, &own) && !theirs.is_empty()
    };
    (!own.is_empty() && !came_by(&own, DEFAULT) && !others.any(|it| alike(&it))).then_some(own)
}

/// The HTTP rules that send requests to any of these services.
pub fn leading_to<'a>(objects: &'a Objects, services: &BTreeSet<ServiceId>) -> Vec<(&'a Object, Rule)> {
    let written = objects
        .of_kind(Kind::VirtualService)
        .map(|it| (it, route::rules(it)))
        .chain(
            objects
                .of_kind(Kind::HttpRoute)
                .map(|it| (it, gateway_api::weights::rules(it))),
        );
    let leads = |object: &Object, rule: &Rule| {
        rule.destinations.iter().any(|it| {
            matches!(it.resolve(objects, &object.key().namespace), Host::Service(service) if services.contains(&service))
        })
    };
    written
        .flat_map(|(object, rules)| rules.into_iter().map(move |rule| (object, rule)))
        .filter(|(object, rule)| leads(object, rule))
        .collect()
}

/// Names for the rules of VirtualServices that want one of their own: those that send requests to a service whose versions another rule weighs. By object,
/// and by position in `spec.http`; a name stays with its rule wherever that is moved.
pub fn wanting(objects: &Objects) -> BTreeMap<Key, BTreeMap<u32, Name>> {
    let mut all: BTreeMap<Key, BTreeMap<u32, Name>> = BTreeMap::new();
    for services in mixed(objects) {
        for (object, rule) in leading_to(objects, &services) {
            if rule.list == RuleList::Http && own_name(objects, (object, &rule), &services).is_none() {
                let rules = all.entry(object.key().clone()).or_default();
                rules.insert(rule.index, "".into());
            }
        }
    }
    for (key, rules) in &mut all {
        let written = objects.whole.get(key).map(route::rules).unwrap_or_default();
        let mut taken: BTreeSet<Name> = written.into_iter().map(|it| it.name).collect();
        for (index, name) in rules {
            let free = (*index + 1..).map(|n| Name::from(format!("{}/{}/{n}", key.namespace, key.name)));
            if let Some(free) = free.into_iter().find(|it| !taken.contains(it)) {
                taken.insert(free.clone());
                *name = free;
            }
        }
    }
    all
}

/// The services of each weighted HTTP rule to whose pods other rules send requests as well.
fn mixed(objects: &Objects) -> BTreeSet<BTreeSet<ServiceId>> {
    let kinds = [Kind::VirtualService, Kind::HttpRoute].into_iter();
    let all = kinds.flat_map(|kind| objects.of_kind(kind));
    let rules = all.flat_map(|object| {
        route::weighted(object)
            .into_iter()
            .map(move |rule| (object, rule))
    });
    let mut mixed = BTreeSet::new();
    for (object, rule) in rules.filter(|(_, rule)| !rule.list.connections()) {
        let mut services = BTreeSet::new();
        let mut reached = false;
        for to in &rule.destinations {
            if let Host::Service(service) = to.resolve(objects, &object.key().namespace) {
                reached |= route::others_reach(objects, (object, &rule), &service, &to.subset);
                services.insert(service);
            }
        }
        if reached {
            mixed.insert(services);
        }
    }
    mixed
}

/// Where a VirtualService's rule has its name, as a JSON pointer (RFC 6901).
pub fn path(rule: u32) -> String {
    format!("/spec/http/{rule}/name")
}

fn same(it: &(&Object, Rule), rule: (&Object, &Rule)) -> bool {
    it.0.key() == rule.0.key() && (it.1.list, it.1.index) == (rule.1.list, rule.1.index)
}

#[cfg(test)]
mod tests {
    use super::{came_by, name, own_name, wanting};
    use crate::{
        mesh::route::rules,
        object::{Key, Kind},
        snapshot::Objects,
        traffic::ServiceId,
    };
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    fn objects(http: &Value, beside: &Value) -> Objects {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "user", "namespace": "shop"},
            "spec": {"ports": [{"port": 80}]}});
        let route = |name: &str, http: &Value| {
            json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": name, "namespace": "shop"}, "spec": {"hosts": [name], "http": http}})
        };
        crate::manifests::objects([service, route("user", http), route("other", beside)]).unwrap()
    }

    fn to(name: &str, subset: &str) -> Value {
        let route = json!([{"destination": {"host": "user", "subset": subset}}]);
        match name {
            "" => json!({"route": route}),
            name => json!({"name": name, "route": route}),
        }
    }

    fn own(objects: &Objects, rule: usize) -> Option<String> {
        let object = &objects.whole[&Key::new(Kind::VirtualService, "shop", "user")];
        own_name(objects, (object, &rules(object)[rule]), &services()).map(|it| it.to_string())
    }

    fn services() -> BTreeSet<ServiceId> {
        let user = ServiceId {
            namespace: "shop".into(),
            name: "user".into(),
        };
        [user].into()
    }

    #[test]
    fn a_route_is_named_after_its_rule_and_its_match() {
        assert!(came_by("weights", "weights") && came_by("weights", "weights.tester"));
        assert!(
            !came_by("weights", "weights-2") && !came_by("weights", "") && !came_by("weights", "default")
        );
    }

    #[test]
    fn a_rule_is_told_by_a_name_that_no_other_has() {
        let at = |first: &str, second: &str, beside: Value| {
            let http = json!([to(first, "v2"), to(second, "v1")]);
            own(&objects(&http, &beside), 1)
        };
        let told = Some("weights".to_owned());
        assert_eq!(at("header", "weights", json!([])), told);
        // What has no name is not taken for what has one; whether there was any is for the counters to say.
        assert_eq!(at("", "weights", json!([])), told);
        for (first, second, beside) in [
            ("header", "", json!([])),
            ("weights", "weights", json!([])),
            ("weights.v2", "weights", json!([])),
            ("weights", "weights.v1", json!([])),
            ("header", "weights", json!([to("weights", "v2")])),
            ("header", "default", json!([])),
        ] {
            assert_eq!(at(first, second, beside), None, "{first} {second}");
        }
    }

    #[test]
    fn an_http_routes_rule_has_a_name_by_its_place() {
        let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r", "namespace": "n"},
            "spec": {"rules": [{"backendRefs": [{"name": "a", "port": 80}]}, {"name": "mine", "backendRefs": [{"name": "a", "port": 80}]}]}});
        let objects = crate::manifests::objects([route]).unwrap();
        let object = &objects.whole[&Key::new(Kind::HttpRoute, "n", "r")];
        let rules = crate::mesh::gateway_api::weights::rules(object);
        let told: Vec<_> = rules.iter().map(|it| name(object.key(), it)).collect();
        assert_eq!(told, ["n.r.0".into(), "mine".into()]);
    }

    #[test]
    fn new_names_are_given_to_those_that_need_one_and_tell_them_apart() {
        let mut split = to("", "v1");
        split["route"][0]["weight"] = 90.into();
        let second = json!({"destination": {"host": "user", "subset": "v2"}, "weight": 10});
        split["route"].as_array_mut().unwrap().push(second);
        let http = json!([to("", "v2"), to("shop/user/3", "v2"), split, {"redirect": {"uri": "/"}}]);
        let before = objects(&http, &json!([to("far", "v1")]));
        let key = Key::new(Kind::VirtualService, "shop", "user");
        let given = wanting(&before);
        assert_eq!(given.keys().collect::<Vec<_>>(), [&key]);
        let given = &given[&key];
        assert_eq!(
            given,
            &[(0, "shop/user/1".into()), (2, "shop/user/4".into())].into()
        );
        let mut named = before.whole[&key].json().clone();
        for (rule, name) in given {
            named["spec"]["http"][*rule as usize]["name"] = (&**name).into();
        }
        let mut after = before.clone();
        let named = crate::object::Object::new(Kind::VirtualService, named).unwrap();
        after.put(crate::fact::Fact::Object(named));
        assert_eq!(own(&after, 2).as_deref(), Some("shop/user/4"));
        assert!(wanting(&after).is_empty());
        // Without weights nobody asks.
        let plain = objects(&json!([to("", "v2"), to("", "v1")]), &json!([]));
        assert!(wanting(&plain).is_empty());
    }
}
