//! What a sidecar sees, and what is not known.

use super::{
    Kind, Mesh, Name, Outcome, Protocol, Proxy, Request, Table, Why, aged, ask, bytes::bytes, caller, choose,
    get, istio, rules, service, to, told, world,
};
use serde_json::{Value, json};

fn outside(spec: Value) -> Value {
    istio("ServiceEntry", "shop", "outside", spec)
}

#[test]
fn service_entries() {
    let entry = |hosts: Value, port: u16, protocol: &str| {
        outside(
            json!({"hosts": hosts, "resolution": "DNS", "location": "MESH_EXTERNAL", "ports": [{"number": port, "name": "p", "protocol": protocol}]}),
        )
    };
    let http = world([entry(json!(["api.example", "*.wild.example"]), 80, "HTTP")]);
    assert_eq!(told(&get(&http, "api.example", 80)), "api.example:80 100");
    assert_eq!(told(&get(&http, "a.wild.example", 80)), "*.wild.example:80 100");
    assert_eq!(told(&get(&http, "b.example", 80)), "Passthrough");
    let tls = world([entry(json!(["api.example", "*.wild.example"]), 443, "TLS")]);
    assert_eq!(
        bytes(&tls, Protocol::Https, "api.example", 443, "api.example"),
        "api.example:443 100"
    );
    assert_eq!(
        bytes(&tls, Protocol::Https, "a.wild.example", 443, "a.wild.example"),
        "*.wild.example:443 100"
    );
    assert_eq!(
        bytes(&tls, Protocol::Https, "b.example", 443, "b.example"),
        "Passthrough"
    );
    let subnet = world([outside(
        json!({"hosts": ["net.example"], "addresses": ["192.168.0.0/16"], "ports": [{"number": 7000, "name": "p", "protocol": "TCP"}]}),
    )]);
    let at = |address: &str| {
        told(&ask(
            &subnet,
            &Request {
                address: Some(address.parse().unwrap()),
                protocol: Protocol::Tcp,
                ..Request::get("", 7000)
            },
        ))
    };
    assert_eq!(
        (at("192.168.3.4").as_str(), at("192.169.3.4").as_str()),
        ("net.example:7000 100", "Passthrough")
    );
    assert_eq!(told(&get(&subnet, "net.example", 7000)), "Unknown");
}

#[test]
fn what_is_not_exported_is_not_seen() {
    for (to, expected) in [
        ("bank", "Passthrough"),
        ("~", "Passthrough"),
        (".", "Passthrough"),
        ("*", "hid.bank:80 100"),
        ("bank, shop", "hid.bank:80 100"),
    ] {
        let mut hidden = service("bank", "hid", "10.0.0.9", &[(80, "http")]);
        hidden["metadata"]["annotations"] = json!({"networking.istio.io/exportTo": to});
        assert_eq!(told(&get(&world([hidden]), "hid.bank", 80)), expected, "{to}");
    }
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": "defaultServiceExportTo: ['.']"}});
    assert_eq!(told(&get(&world([map.clone()]), "pay.bank", 80)), "Passthrough");
    assert_eq!(told(&get(&world([map]), "web", 80)), "web.shop:80 100");
}

#[test]
fn a_sidecar_limits_what_is_seen() {
    let limit = |hosts: Value| {
        world([istio(
            "Sidecar",
            "shop",
            "s",
            json!({"egress": [{"hosts": hosts}]}),
        )])
    };
    for (hosts, web, pay) in [
        (json!(["./*"]), true, false),
        (json!(["bank/*"]), false, true),
        (json!(["*/*"]), true, true),
        (json!(["*/pay.bank.svc.cluster.local"]), false, true),
        (json!(["*/*.bank.svc.cluster.local"]), false, true),
        (json!(["*/*", "~bank/*"]), true, false),
        (json!(["*/*", "~/web.shop.svc.cluster.local"]), false, true),
        (json!(["nonsense", "a/b/c"]), false, false),
        (json!(["~/*"]), false, false),
    ] {
        let objects = limit(hosts.clone());
        let seen = |host: &str| matches!(get(&objects, host, 80).outcome, Outcome::Sent(_));
        assert_eq!((seen("web"), seen("pay.bank")), (web, pay), "{hosts}");
    }
}

#[test]
fn of_several_sidecars_the_one_that_selects_the_proxy_applies() {
    let one = |namespace: &str, name: &str, at: &str, host: &str, selector: Value| {
        let mut spec = json!({"egress": [{"hosts": [host]}]});
        if !selector.is_null() {
            spec["workloadSelector"] = json!({"labels": selector});
        }
        aged(istio("Sidecar", namespace, name, spec), at)
    };
    let seen = |more: Vec<Value>| {
        let objects = world(more);
        let sent = |host: &str| matches!(get(&objects, host, 80).outcome, Outcome::Sent(_));
        (sent("web"), sent("pay.bank"))
    };
    let root = one("istio-system", "r", "2025-01-01T00:00:00Z", "bank/*", json!(null));
    let plain = one("shop", "p", "2026-01-01T00:00:00Z", "./*", json!(null));
    let younger = one("shop", "a", "2026-01-02T00:00:00Z", "bank/*", json!(null));
    let mine = one(
        "shop",
        "m",
        "2026-01-03T00:00:00Z",
        "bank/*",
        json!({"app": "caller"}),
    );
    let others = one(
        "shop",
        "o",
        "2024-01-03T00:00:00Z",
        "bank/*",
        json!({"app": "other"}),
    );
    assert_eq!(seen(vec![root.clone()]), (false, true));
    assert_eq!(seen(vec![root.clone(), plain.clone(), younger]), (true, false));
    assert_eq!(seen(vec![plain.clone(), mine]), (false, true));
    assert_eq!(seen(vec![plain, others.clone()]), (true, false));
    assert_eq!(seen(vec![root, others]), (false, true));
}

#[test]
fn a_sidecars_own_port_has_what_it_names_alone() {
    let sidecar = json!({"egress": [{"port": {"number": 80, "protocol": "HTTP", "name": "h"}, "hosts": ["bank/*"]}, {"hosts": ["*/*"]}]});
    let objects = world([istio("Sidecar", "shop", "s", sidecar)]);
    assert_eq!(told(&get(&objects, "pay.bank", 80)), "pay.bank:80 100");
    assert_eq!(told(&get(&objects, "web", 80)), "Passthrough");
    assert_eq!(told(&get(&objects, "api", 8080)), "api.shop:8080 100");
    let odd = json!({"egress": [{"port": {"number": 80, "protocol": "HTTP", "name": "h"}, "bind": "127.0.0.1", "hosts": ["*/*"]}]});
    assert_eq!(
        told(&get(&world([istio("Sidecar", "shop", "s", odd)]), "web", 80)),
        "Unknown"
    );
}

#[test]
fn a_rules_destinations_are_known_though_the_sidecar_does_not_name_them() {
    let objects = world([
        istio(
            "Sidecar",
            "shop",
            "s",
            json!({"egress": [{"hosts": ["./web.shop.svc.cluster.local"]}]}),
        ),
        rules(
            "v",
            json!({"hosts": ["web"], "http": [{"route": to("pay.bank.svc.cluster.local")}]}),
        ),
    ]);
    assert_eq!(told(&get(&objects, "web", 80)), "pay.bank:80 100");
    assert_eq!(told(&get(&objects, "pay.bank", 80)), "Passthrough");
}

#[test]
fn an_external_name_is_another_name_of_what_it_stands_for() {
    let alias = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "alias", "namespace": "shop"},
        "spec": {"type": "ExternalName", "externalName": "pay.bank.svc.cluster.local", "ports": [{"port": 80, "name": "http"}]}});
    let objects = world([
        alias,
        rules("v", json!({"hosts": ["web"], "http": [{"route": to("alias")}]})),
    ]);
    assert_eq!(told(&get(&objects, "alias", 80)), "pay.bank:80 100");
    assert_eq!(told(&get(&objects, "web", 80)), "pay.bank:80 100");
}

#[test]
fn headless_services_are_known_by_their_pods_names_too() {
    let objects = world([service("shop", "pods", "None", &[(80, "http"), (7000, "tcp")])]);
    assert_eq!(told(&get(&objects, "pods", 80)), "pods.shop:80 100");
    assert_eq!(
        told(&get(&objects, "pods-0.pods.shop.svc.cluster.local", 80)),
        "pods.shop:80 100"
    );
    assert_eq!(
        bytes(&objects, Protocol::Tcp, "pods", 7000, ""),
        "pods.shop:7000 100"
    );
}

#[test]
fn what_is_not_known_or_not_judged_is_unknown() {
    let filter = json!({"configPatches": [{"applyTo": "HTTP_ROUTE", "match": {"context": "SIDECAR_OUTBOUND"}, "patch": {"operation": "MERGE", "value": {"route": {}}}}]});
    let patched = json!({"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "f", "namespace": "shop"}, "spec": filter});
    assert_eq!(told(&get(&world([patched]), "web", 80)), "Unknown");
    for kind in [
        Kind::Service,
        Kind::VirtualService,
        Kind::ServiceEntry,
        Kind::Sidecar,
        Kind::HttpRoute,
        Kind::EnvoyFilter,
    ] {
        let mut objects = world([]);
        objects.kinds.remove(&kind);
        assert!(
            matches!(get(&objects, "web", 80).outcome, Outcome::Unknown(whys) if matches!(whys[0], Why::NotYet { .. })),
            "{kind:?}"
        );
    }
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r", "namespace": "shop"},
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "web"}], "rules": [{"backendRefs": [{"kind": "InferencePool", "name": "p"}]}]}});
    let objects = world([route]);
    assert_eq!(told(&get(&objects, "web", 80)), "Unknown");
    assert_eq!(told(&get(&objects, "api", 80)), "api.shop:80 100");
    let gateway = Proxy::gateway("shop", [].into());
    assert_eq!(
        choose(&Mesh::of(&objects), &gateway, &Request::get("web", 80)).outcome,
        Outcome::NoListener
    );
}

#[test]
fn a_table_answers_as_one_by_one() {
    let objects = world([rules(
        "v",
        json!({"hosts": ["web"], "http": [{"match": [{"uri": {"exact": "/a"}}], "route": to("api")}]}),
    )]);
    let (mesh, proxy) = (Mesh::of(&objects), caller());
    let table = Table::of(&mesh, &proxy);
    for host in ["web", "api", "db", "nobody"] {
        for port in [80, 8080, 5432, 80] {
            let request = Request::get(host, port);
            assert_eq!(
                table.choose(&request),
                choose(&mesh, &proxy, &request),
                "{host} {port}"
            );
        }
    }
}

#[test]
fn gateways_names_in_full() {
    for (name, expected) in [
        ("mesh", "mesh"),
        ("gw", "n/gw"),
        ("./gw", "n/gw"),
        ("a/gw", "a/gw"),
        ("gw.b", "b/gw"),
        ("gw.b.svc.cluster.local", "b/gw"),
    ] {
        assert_eq!(
            crate::mesh::route::matching::gateway(name, "n"),
            Name::from(expected),
            "{name}"
        );
    }
}

#[test]
fn a_sidecar_of_another_namespace_and_one_of_the_root_with_a_selector_limit_nothing() {
    let sidecar = |namespace: &str, selector: Value| {
        let spec = json!({"workloadSelector": selector, "egress": [{"hosts": ["bank/*"]}]});
        world([istio("Sidecar", namespace, "s", spec)])
    };
    let caller = || json!({"labels": {"app": "caller"}});
    for (namespace, selector, limits) in [
        ("bank", Value::Null, false),
        ("istio-system", caller(), false),
        ("istio-system", Value::Null, true),
        ("shop", caller(), true),
        ("shop", json!({"labels": {"app": "other"}}), false),
    ] {
        let seen = told(&get(&sidecar(namespace, selector.clone()), "web", 80));
        assert_eq!(seen == "Passthrough", limits, "{namespace} {selector}: {seen}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(16))]

    #[test]
    fn no_rule_however_odd_makes_it_fall(text in "\\PC{0,12}", number in proptest::num::i64::ANY) {
        for odd in [json!(text), json!(number), json!([text]), json!({"exact": text}), json!({"regex": text}), json!(null)] {
            for field in ["match", "route", "redirect", "rewrite", "fault", "retries", "mirror", "mirrors", "timeout", "delegate", "headers"] {
                let spec = json!({"hosts": ["web", text], "http": [{field: odd}, {"match": [{"uri": odd, "headers": odd, "port": odd}], "route": to("web")}], "tcp": odd, "tls": [odd]});
                let objects = world([rules("v", spec)]);
                let request = Request { path: text.as_str().into(), host: text.as_str().into(), ..Request::get("web", 80) };
                let _ = ask(&objects, &request);
                let _ = get(&objects, "web", 80);
            }
        }
    }
}

fn http_route(namespace: &str, name: &str, parent: &str, rules: Value) -> Value {
    let (space, service) = parent.split_once('/').unwrap();
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name, "namespace": namespace},
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": service, "namespace": space, "port": 80}], "rules": rules}})
}

fn all_to(name: &str) -> Value {
    json!([{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [{"name": name, "port": 80}]}])
}

#[test]
fn a_http_route_of_a_service_is_followed_and_named() {
    let objects = world([http_route("shop", "r", "shop/web", all_to("api"))]);
    let choice = get(&objects, "web", 80);
    assert_eq!(told(&choice), "api.shop:80 100");
    let (key, index) = choice.rule.unwrap();
    assert_eq!((key.kind, &*key.name, index), (Kind::HttpRoute, "r", 0));
    assert_eq!(choice.deciders[0].key, key);
    assert_eq!(&*choice.deciders[0].path, "/spec/rules/0");
    assert_eq!(told(&get(&objects, "api", 80)), "api.shop:80 100");
}

#[test]
fn a_http_route_is_for_its_own_namespaces_callers_and_services() {
    // `pay` belongs to bank: a route of bank is for everybody, one of a third namespace for nobody here.
    let objects = world([http_route("bank", "r", "bank/pay", all_to("gone"))]);
    assert_eq!(told(&get(&objects, "pay.bank", 80)), "gone.bank:80 100!Host");
    let objects = world([http_route("third", "r", "bank/pay", all_to("gone"))]);
    assert_eq!(told(&get(&objects, "pay.bank", 80)), "pay.bank:80 100");
    // The caller's own goes before the owner's, though it is younger.
    let objects = world([
        aged(
            http_route("bank", "a", "bank/pay", all_to("gone")),
            "2026-01-01T00:00:00Z",
        ),
        aged(
            http_route("shop", "b", "bank/pay", all_to("web")),
            "2026-01-02T00:00:00Z",
        ),
    ]);
    assert_eq!(told(&get(&objects, "pay.bank", 80)), "web.shop:80 100");
}
