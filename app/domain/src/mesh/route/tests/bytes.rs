//! Connections that are not read as HTTP.

use super::{Objects, Protocol, Request, ask, istio, rules, service, to, told, world};
use serde_json::{Value, json};

pub(super) fn bytes(objects: &Objects, protocol: Protocol, host: &str, port: u16, sni: &str) -> String {
    told(&ask(
        objects,
        &Request {
            protocol,
            sni: sni.into(),
            ..Request::get(host, port)
        },
    ))
}

#[test]
fn bytes_go_by_port_and_address() {
    let objects = world([]);
    for (protocol, host, port, expected) in [
        (Protocol::Tcp, "db", 5432, "db.shop:5432 100"),
        // HTTP on a TCP port is bytes.
        (Protocol::Http, "db", 5432, "db.shop:5432 100"),
        (Protocol::Tcp, "db", 5433, "Passthrough"),
        (Protocol::Tcp, "odd", 9000, "odd.shop:9000 100"),
        (Protocol::Http, "odd", 9000, "odd.shop:9000 100"),
        (Protocol::Tls, "odd", 9000, "odd.shop:9000 100"),
        // A proxy that reads HTTP lets other bytes pass.
        (Protocol::Https, "web", 80, "Passthrough"),
        (Protocol::Tcp, "web", 80, "Passthrough"),
        (Protocol::Https, "safe", 443, "safe.shop:443 100"),
    ] {
        assert_eq!(
            bytes(&objects, protocol, host, port, "safe"),
            expected,
            "{protocol:?} {host} {port}"
        );
    }
    let at = |address: &str, host: &str, port: u16| {
        told(&ask(
            &objects,
            &Request {
                address: Some(address.parse().unwrap()),
                ..Request::get(host, port)
            },
        ))
    };
    assert_eq!(at("10.0.0.3", "whatever", 5432), "db.shop:5432 100");
    assert_eq!(at("10.9.9.9", "db", 5432), "Passthrough");
    assert_eq!(at("10.9.9.9", "web", 80), "web.shop:80 100");
    // A sniffed service's own listener has its routes alone, whatever the Host says.
    assert_eq!(at("10.0.0.4", "web", 9000), "odd.shop:9000 100");
}

#[test]
fn a_sniffed_services_http_goes_by_its_rules() {
    let objects = world([rules(
        "v",
        json!({"hosts": ["odd"], "http": [{"match": [{"uri": {"exact": "/a"}}], "route": to("api")}]}),
    )]);
    let at = |path: &str| {
        told(&ask(
            &objects,
            &Request {
                path: path.into(),
                ..Request::get("odd", 9000)
            },
        ))
    };
    assert_eq!(at("/a"), "api.shop:9000 100!Port");
    assert_eq!(at("/b"), "NoRoute");
    assert_eq!(
        bytes(&objects, Protocol::Tcp, "odd", 9000, ""),
        "odd.shop:9000 100"
    );
}

#[test]
fn tcp_rules() {
    let db = |tcp: Value| {
        world([
            rules("v", json!({"hosts": ["db"], "tcp": tcp})),
            service("shop", "db2", "10.0.0.7", &[(6000, "tcp")]),
        ])
    };
    for (tcp, expected) in [
        (json!([{"route": to("db2")}]), "db2.shop:6000 100"),
        (
            json!([{"match": [{"port": 5432}], "route": [{"destination": {"host": "db2"}, "weight": 1}, {"destination": {"host": "db"}, "weight": 3}]}]),
            "db2.shop:6000 1, db.shop:5432 3",
        ),
        (
            json!([{"match": [{"port": 1}], "route": to("db2")}]),
            "db.shop:5432 100",
        ),
        (
            json!([{"match": [{"sourceLabels": {"app": "other"}}], "route": to("db2")}]),
            "db.shop:5432 100",
        ),
        (
            json!([{"match": [{"gateways": ["mesh"], "sourceLabels": {"app": "other"}}], "route": to("db2")}]),
            "db.shop:5432 100",
        ),
        (
            json!([{"match": [{"sourceNamespace": "bank"}], "route": to("db2")}]),
            "db.shop:5432 100",
        ),
        (
            json!([{"match": [{"destinationSubnets": ["10.0.0.0/24"]}], "route": to("db2")}]),
            "db2.shop:6000 100",
        ),
        (
            json!([{"match": [{"destinationSubnets": ["10.1.0.0/24"]}], "route": to("db2")}]),
            "db.shop:5432 100",
        ),
        (json!([{"route": []}]), "db.shop:5432 100"),
    ] {
        assert_eq!(
            bytes(&db(tcp.clone()), Protocol::Tcp, "db", 5432, ""),
            expected,
            "{tcp}"
        );
    }
}

#[test]
fn tls_rules_go_by_server_name() {
    let name = "safe.shop.svc.cluster.local";
    let objects = world([rules(
        "v",
        json!({"hosts": ["safe"], "tls": [
            {"match": [{"sniHosts": [name]}], "route": [{"destination": {"host": "safe"}}]},
            {"match": [{"sniHosts": ["*.shop.svc.cluster.local"]}], "route": to("web")}]}),
    )]);
    assert_eq!(
        bytes(&objects, Protocol::Https, "safe", 443, name),
        "safe.shop:443 100"
    );
    assert_eq!(
        bytes(&objects, Protocol::Tls, "safe", 443, "x.shop.svc.cluster.local"),
        "web.shop:80 100"
    );
    assert_eq!(
        bytes(&objects, Protocol::Tls, "safe", 443, "other.example"),
        "Passthrough"
    );
    assert_eq!(bytes(&objects, Protocol::Tcp, "safe", 443, ""), "Passthrough");
}

#[test]
fn services_of_different_subnets_share_a_port_and_of_the_same_the_first_has_it() {
    let entry = |name: &str, net: &str| {
        let spec = json!({"hosts": [format!("{name}.example")], "addresses": [net],
            "ports": [{"number": 7000, "name": "p", "protocol": "TCP"}]});
        istio("ServiceEntry", "shop", name, spec)
    };
    let objects = world([
        entry("a", "192.168.0.0/16"),
        entry("b", "172.16.0.0/12"),
        entry("c", "172.16.0.0/12"),
    ]);
    for (address, expected) in [
        ("192.168.3.4", "a.example:7000 100"),
        ("172.31.0.1", "b.example:7000 100"),
        ("172.32.0.1", "Passthrough"),
    ] {
        let request = Request {
            address: Some(address.parse().unwrap()),
            protocol: Protocol::Tcp,
            ..Request::get("", 7000)
        };
        assert_eq!(told(&ask(&objects, &request)), expected, "{address}");
    }
}
