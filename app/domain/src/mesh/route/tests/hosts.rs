//! Which host a name means, and whose rules it has.

use super::{Request, aged, ask, get, istio, rules, to, told, world};
use serde_json::{Value, json};

#[test]
fn a_host_is_known_by_its_forms() {
    let objects = world([]);
    for (host, port, expected) in [
        ("web", 80, "web.shop:80 100"),
        ("WEB:80", 80, "web.shop:80 100"),
        ("web.shop", 80, "web.shop:80 100"),
        ("web.shop.svc", 80, "web.shop:80 100"),
        ("web.shop.svc.cluster.local", 80, "web.shop:80 100"),
        ("web.shop.svc.cluster.local.", 80, "web.shop:80 100"),
        ("10.0.0.1", 80, "web.shop:80 100"),
        ("pay", 80, "Passthrough"),
        ("pay.bank", 80, "pay.bank:80 100"),
        ("pay.bank.svc:80", 80, "pay.bank:80 100"),
        ("web", 81, "Passthrough"),
        ("web", 8080, "Passthrough"),
        ("api", 8080, "api.shop:8080 100"),
        ("elsewhere.example", 80, "Passthrough"),
        ("", 80, "Unknown"),
    ] {
        assert_eq!(told(&get(&objects, host, port)), expected, "{host} {port}");
    }
}

#[test]
fn what_the_registry_does_not_know_is_not_let_out_if_so_said() {
    let map = |text: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": text}});
    let only = map("outboundTrafficPolicy: {mode: REGISTRY_ONLY}");
    let closed = world([only.clone()]);
    let choice = get(&closed, "elsewhere.example", 80);
    assert_eq!(told(&choice), "BlackHole");
    assert_eq!(&*choice.deciders[0].path, "/data/mesh");
    assert_eq!(told(&get(&closed, "elsewhere.example", 81)), "BlackHole");
    let policy = |policy: Value| {
        world([
            only.clone(),
            istio("Sidecar", "shop", "s", json!({"outboundTrafficPolicy": policy})),
        ])
    };
    assert_eq!(
        told(&get(
            &policy(json!({"mode": "ALLOW_ANY"})),
            "elsewhere.example",
            80
        )),
        "Passthrough"
    );
    assert_eq!(
        told(&get(&policy(json!({})), "elsewhere.example", 80)),
        "BlackHole"
    );
    let through = json!({"mode": "ALLOW_ANY", "egressProxy": {"host": "out"}});
    assert_eq!(told(&get(&policy(through), "elsewhere.example", 80)), "Unknown");
    let dynamic = world([map("outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}")]);
    assert_eq!(told(&get(&dynamic, "elsewhere.example", 80)), "Unknown");
}

#[test]
fn the_first_rule_that_fits_decides_and_none_is_a_404() {
    let objects = world([rules(
        "v",
        json!({"hosts": ["web"], "http": [
        {"match": [{"uri": {"prefix": "/a"}}, {"uri": {"exact": "/z"}}], "route": to("api")},
        {"match": [{"uri": {"prefix": "/"}, "method": {"exact": "POST"}}], "route": to("web")}]}),
    )]);
    let at = |method: &str, path: &str| {
        let request = Request {
            method: method.into(),
            path: path.into(),
            ..Request::get("web", 80)
        };
        ask(&objects, &request)
    };
    assert_eq!(told(&at("GET", "/a/b")), "api.shop:80 100");
    assert_eq!(at("GET", "/a").rule.map(|it| it.1), Some(0));
    assert_eq!(told(&at("GET", "/z?q=1")), "api.shop:80 100");
    assert_eq!(told(&at("POST", "/zz")), "web.shop:80 100");
    assert_eq!(at("POST", "/zz").rule.map(|it| it.1), Some(1));
    assert_eq!(&*at("POST", "/zz").deciders[0].path, "/spec/http/1");
    assert_eq!(told(&at("GET", "/zz")), "NoRoute");
}

#[test]
fn a_virtual_service_without_http_rules_leaves_the_service_alone() {
    for spec in [
        json!({"hosts": ["web"]}),
        json!({"hosts": ["web"], "http": []}),
        json!({"hosts": ["web"], "gateways": ["shop/gw"], "http": [{"route": to("api")}]}),
        json!({"hosts": ["web"], "http": [{"match": [{"port": 81}], "route": to("api")}]}),
        json!({"hosts": ["web"], "http": [{"match": [{"sourceLabels": {"app": "other"}}], "route": to("api")}]}),
        json!({"hosts": ["web"], "http": [{"match": [{"gateways": ["gw"]}], "route": to("api")}]}),
    ] {
        assert_eq!(
            told(&get(&world([rules("v", spec.clone())]), "web", 80)),
            "web.shop:80 100",
            "{spec}"
        );
    }
}

#[test]
fn gateways_inside_a_match_silence_its_labels() {
    let spec = json!({"hosts": ["web"], "gateways": ["mesh", "gw"], "http": [
        {"match": [{"gateways": ["mesh"], "sourceLabels": {"app": "other"}}], "route": to("api")}]});
    assert_eq!(
        told(&get(&world([rules("v", spec)]), "web", 80)),
        "api.shop:80 100"
    );
}

#[test]
fn the_oldest_takes_a_host_whole() {
    let spec = |host: &str| json!({"hosts": ["web"], "http": [{"match": [{"uri": {"prefix": "/x"}}], "route": to(host)}]});
    let objects = world([
        aged(
            rules("a", json!({"hosts": ["web"], "http": [{"route": to("api")}]})),
            "2026-01-02T00:00:00Z",
        ),
        aged(rules("b", spec("web")), "2026-01-01T00:00:00Z"),
    ]);
    assert_eq!(told(&get(&objects, "web", 80)), "NoRoute");
    // One that has nothing for this caller leaves the host to the next.
    let nothing =
        json!({"hosts": ["web"], "http": [{"match": [{"sourceNamespace": "bank"}], "route": to("web")}]});
    let objects = world([
        aged(
            rules("a", json!({"hosts": ["web"], "http": [{"route": to("api")}]})),
            "2026-01-02T00:00:00Z",
        ),
        aged(rules("b", nothing), "2026-01-01T00:00:00Z"),
    ]);
    assert_eq!(told(&get(&objects, "web", 80)), "api.shop:80 100");
}

#[test]
fn private_rules_come_before_older_public_ones() {
    let one = |host: &str, to_all: &[&str]| json!({"hosts": ["web"], "exportTo": to_all, "http": [{"route": to(host)}]});
    let objects = world([
        aged(rules("a", one("web", &["*"])), "2026-01-01T00:00:00Z"),
        aged(rules("b", one("api", &["."])), "2026-01-02T00:00:00Z"),
    ]);
    assert_eq!(told(&get(&objects, "web", 80)), "api.shop:80 100");
    for (to_all, expected) in [
        (vec!["bank"], "web.shop:80 100"),
        (vec!["~"], "web.shop:80 100"),
        (vec!["shop"], "api.shop:80 100"),
    ] {
        assert_eq!(
            told(&get(&world([rules("v", one("api", &to_all))]), "web", 80)),
            expected,
            "{to_all:?}"
        );
    }
}

#[test]
fn the_most_specific_host_decides() {
    let rule = |name: &str, host: &str, port: u16| {
        rules(
            name,
            json!({"hosts": [host], "http": [{"route": [{"destination": {"host": "api", "port": {"number": port}}}]}]}),
        )
    };
    let objects = world([
        rule("a", "*.cluster.local", 1),
        rule("b", "*.shop.svc.cluster.local", 8080),
        rule("c", "web.shop.svc.cluster.local", 80),
    ]);
    assert_eq!(told(&get(&objects, "web", 80)), "api.shop:80 100");
    assert_eq!(told(&get(&objects, "api", 80)), "api.shop:8080 100");
    assert_eq!(told(&get(&objects, "pay.bank", 80)), "api.shop:1 100!Port");
}

#[test]
fn hosts_that_are_no_services_count_on_port_80_alone() {
    let objects = world([rules(
        "v",
        json!({"hosts": ["shop.example", "*.wild.example"], "http": [{"route": to("web")}]}),
    )]);
    assert_eq!(told(&get(&objects, "shop.example", 80)), "web.shop:80 100");
    assert_eq!(told(&get(&objects, "a.wild.example", 80)), "web.shop:80 100");
    assert_eq!(told(&get(&objects, "wild.example", 80)), "Passthrough");
    assert_eq!(told(&get(&objects, "shop.example", 8080)), "Passthrough");
}
