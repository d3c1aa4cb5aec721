use super::{came_by, own_names};
use crate::{
    fact::Fact,
    manifests,
    mesh::route::{Leading, rules},
    object::{Key, Kind, Object},
    snapshot::Objects,
    traffic::ServiceId,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn route(name: &str, hosts: &Value, http: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"hosts": hosts, "http": http}})
}

fn objects(http: &Value, beside: &Value) -> Objects {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "user", "namespace": "shop"},
        "spec": {"ports": [{"port": 80}]}});
    let all = [
        service,
        route("user", &json!(["user"]), http),
        route("other", &json!(["other"]), beside),
    ];
    manifests::objects(all).unwrap()
}

fn to(name: &str, subset: &str) -> Value {
    let route = json!([{"destination": {"host": "user", "subset": subset}}]);
    match name {
        "" => json!({"route": route}),
        name => json!({"name": name, "route": route}),
    }
}

fn key() -> Key {
    Key::new(Kind::VirtualService, "shop", "user")
}

fn own(objects: &Objects, rule: usize) -> Option<String> {
    let object = &objects.whole[&key()];
    let names = own_names(&Leading::of(objects), (object, &rules(object)[rule]), &services());
    names.and_then(|it| it.first().map(ToString::to_string))
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
    assert!(!came_by("weights", "weights-2") && !came_by("weights", "") && !came_by("weights", "default"));
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
fn what_a_delegates_rule_is_called_is_not_known() {
    let http = json!([to("header", "v2"), to("weights", "v1")]);
    let mut all = objects(&http, &json!([]));
    assert!(own(&all, 1).is_some());
    let delegate = route("delegate", &json!([]), &json!([to("far", "v2")]));
    all.put(Fact::Object(Object::new(Kind::VirtualService, delegate).unwrap()));
    assert_eq!(own(&all, 1), None);
    let itself = route("user", &json!([]), &http);
    let mut all = objects(&http, &json!([]));
    all.put(Fact::Object(Object::new(Kind::VirtualService, itself).unwrap()));
    assert_eq!(own(&all, 1), None);
}

#[test]
fn an_http_routes_rule_is_called_by_its_name_or_by_its_place() {
    let backend = json!([{"name": "user", "port": 80}]);
    let json = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r", "namespace": "shop"},
        "spec": {"rules": [{"backendRefs": backend}, {"name": "mine", "backendRefs": backend}]}});
    let mut all = objects(&json!([]), &json!([]));
    all.put(Fact::Object(Object::new(Kind::HttpRoute, json).unwrap()));
    let object = &all.whole[&Key::new(Kind::HttpRoute, "shop", "r")];
    let rules = crate::mesh::gateway_api::weights::rules(object);
    let leading = Leading::of(&all);
    let names = |rule: usize| own_names(&leading, (object, &rules[rule]), &services()).unwrap();
    assert!(names(0).told("shop.r.0") && !names(0).told("shop.r.1") && !names(0).told("mine"));
    assert!(names(1).told("mine") && names(1).told("shop.r.1") && !names(1).told("shop.r.0"));
}

#[test]
fn new_names_are_given_to_those_that_have_none_and_tell_them_apart() {
    let mut split = to("", "v1");
    split["route"][0]["weight"] = 90.into();
    let second = json!({"destination": {"host": "user", "subset": "v2"}, "weight": 10});
    split["route"].as_array_mut().unwrap().push(second);
    let http = json!([to("", "v2"), to("shop/user/3", "v2"), split, {"redirect": {"uri": "/"}}]);
    let before = objects(&http, &json!([to("far", "v1")]));
    let leading = Leading::of(&before);
    let given = leading.nameless();
    assert_eq!(given.keys().collect::<Vec<_>>(), [&key()]);
    let given = &given[&key()];
    assert_eq!(
        given,
        &[(0, "shop/user/1".into()), (2, "shop/user/4".into())].into()
    );
    let mut named = before.whole[&key()].json().clone();
    for (rule, name) in given {
        named["spec"]["http"][*rule as usize]["name"] = (&**name).into();
    }
    let mut after = before.clone();
    after.put(Fact::Object(Object::new(Kind::VirtualService, named).unwrap()));
    assert_eq!(own(&after, 2).as_deref(), Some("shop/user/4"));
    assert!(Leading::of(&after).nameless().is_empty());
    // Without weights nobody asks.
    let plain = objects(&json!([to("", "v2"), to("", "v1")]), &json!([]));
    assert!(Leading::of(&plain).nameless().is_empty());
    // A name that is there stays, also where it is another's too.
    let clash = json!([to("same", "v2"), {"name": "same", "route": http[2]["route"]}]);
    let clash = objects(&clash, &json!([]));
    assert!(Leading::of(&clash).nameless().is_empty() && own(&clash, 1).is_none());
}
