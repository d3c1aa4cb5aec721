//! What one sidecar does with requests, by situations.
#![expect(clippy::needless_pass_by_value, reason = "situations are written in place")]

use super::{Choice, Missing, Outcome, Protocol, Request, Retries, Table, choose};
use crate::{
    Name, Why, manifests,
    mesh::{Mesh, Proxy},
    object::Kind,
    snapshot::Objects,
};
use serde_json::{Value, json};

fn service(namespace: &str, name: &str, ip: &str, ports: &[(u16, &str)]) -> Value {
    let ports: Vec<Value> = ports
        .iter()
        .map(|(port, name)| json!({"port": port, "name": name}))
        .collect();
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "ports": ports}})
}

fn istio(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn rules(name: &str, spec: Value) -> Value {
    istio("VirtualService", "shop", name, spec)
}

fn aged(mut object: Value, at: &str) -> Value {
    object["metadata"]["creationTimestamp"] = json!(at);
    object
}

/// `web` and `api` of `shop`, `db` (TCP), `odd` (sniffed) and `safe` (TLS); `pay` of `bank`.
fn world(more: impl IntoIterator<Item = Value>) -> Objects {
    let services = [
        service("shop", "web", "10.0.0.1", &[(80, "http")]),
        service("shop", "api", "10.0.0.2", &[(8080, "http"), (80, "http-old")]),
        service("shop", "db", "10.0.0.3", &[(5432, "tcp")]),
        service("shop", "odd", "10.0.0.4", &[(9000, "")]),
        service("shop", "safe", "10.0.0.5", &[(443, "https")]),
        service("bank", "pay", "10.0.0.6", &[(80, "http")]),
    ];
    manifests::objects(services.into_iter().chain(more)).unwrap()
}

fn caller() -> Proxy {
    Proxy::sidecar("shop", [("app".into(), "caller".into())].into())
}

fn ask(objects: &Objects, request: &Request) -> Choice {
    choose(&Mesh::of(objects), &caller(), request)
}

fn get(objects: &Objects, host: &str, port: u16) -> Choice {
    ask(objects, &Request::get(host, port))
}

/// `host:port/subset weight`, with `!` and what is missing.
fn told(choice: &Choice) -> String {
    match &choice.outcome {
        Outcome::Sent(shares) => {
            let one = |it: &super::Share| {
                let subset = if it.destination.subset.is_empty() {
                    String::new()
                } else {
                    format!("/{}", it.destination.subset)
                };
                let missing = it.missing.map_or(String::new(), |it| format!("!{it:?}"));
                let host = it.destination.host.replace(".svc.cluster.local", "");
                format!("{host}:{}{subset} {}{missing}", it.destination.port, it.weight)
            };
            shares.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Outcome::Unknown(_) => "Unknown".into(),
        other => format!("{other:?}"),
    }
}

fn to(host: &str) -> Value {
    json!([{"destination": {"host": host}}])
}

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

#[test]
fn weights_ports_and_subsets() {
    let objects = world([
        rules(
            "v",
            json!({"hosts": ["web"], "http": [
            {"match": [{"uri": {"exact": "/split"}}], "route": [
                {"destination": {"host": "web", "subset": "v1"}, "weight": 90}, {"destination": {"host": "web", "subset": "v2"}, "weight": 10},
                {"destination": {"host": "api"}, "weight": 0}, {"destination": {"host": "api"}}]},
            {"match": [{"uri": {"exact": "/alone"}}], "route": [{"destination": {"host": "web"}, "weight": 0}]},
            {"match": [{"uri": {"exact": "/port"}}], "route": [{"destination": {"host": "api", "port": {"number": 8080}}}]},
            {"match": [{"uri": {"exact": "/other"}}], "route": to("db")},
            {"match": [{"uri": {"exact": "/none"}}], "route": to("nobody")},
            {"match": [{"uri": {"exact": "/empty"}}], "route": []},
            {"route": to("pay")}]}),
        ),
        istio(
            "DestinationRule",
            "shop",
            "web",
            json!({"host": "web", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]}),
        ),
    ]);
    for (path, expected) in [
        ("/split", "web.shop:80/v1 90, web.shop:80/v2 10!Subset"),
        ("/alone", "web.shop:80 100"),
        ("/port", "api.shop:8080 100"),
        // The caller's port stands, though the target has one single other.
        ("/other", "db.shop:80 100!Port"),
        ("/none", "nobody.shop:80 100!Host"),
        ("/empty", "Unknown"),
        ("/", "pay.shop:80 100!Host"),
    ] {
        let request = Request {
            path: path.into(),
            ..Request::get("web", 80)
        };
        assert_eq!(told(&ask(&objects, &request)), expected, "{path}");
    }
    let choice = ask(
        &objects,
        &Request {
            path: "/none".into(),
            ..Request::get("web", 80)
        },
    );
    assert!(matches!(&choice.outcome, Outcome::Sent(shares) if shares[0].missing == Some(Missing::Host)));
}

fn with(field: Value) -> Choice {
    let mut rule = json!({"route": to("web")});
    rule.as_object_mut()
        .unwrap()
        .extend(field.as_object().unwrap().clone());
    get(
        &world([rules("v", json!({"hosts": ["web"], "http": [rule]}))]),
        "web",
        80,
    )
}

#[test]
fn redirects_and_answers() {
    for (redirect, code, authority, path) in [
        (json!({"uri": "/new"}), 301, "", "/new"),
        (
            json!({"authority": "new.example", "redirectCode": 308}),
            308,
            "new.example",
            "",
        ),
        (json!({"port": 8443}), 301, "web:8443", ""),
        (json!({"port": 80}), 301, "", ""),
        (
            json!({"port": 443, "scheme": "https", "authority": "a"}),
            301,
            "a",
            "",
        ),
        (
            json!({"derivePort": "FROM_REQUEST_PORT", "scheme": "https", "authority": "a"}),
            301,
            "a:80",
            "",
        ),
    ] {
        let expected = Outcome::Redirect {
            code,
            authority: authority.into(),
            path: path.into(),
        };
        assert_eq!(
            with(json!({"redirect": redirect})).outcome,
            expected,
            "{redirect}"
        );
    }
    assert_eq!(told(&with(json!({"redirect": {"redirectCode": 305}}))), "Unknown");
    assert_eq!(
        with(json!({"directResponse": {"status": 418}})).outcome,
        Outcome::Direct { status: 418 }
    );
}

#[test]
fn retries_and_timeouts_by_default_and_as_written() {
    let default = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
    for (retries, attempts, on, per_try) in [
        (json!(null), 2, default, None),
        (json!({"attempts": 0, "retryOn": "5xx"}), 0, "", None),
        (json!({"attempts": 3}), 3, default, None),
        (
            json!({"attempts": 1, "retryOn": "5xx, 503", "perTryTimeout": "2s"}),
            1,
            "5xx,503,retriable-status-codes",
            Some(2000),
        ),
        (
            json!({"attempts": 1, "retryOn": "gateway-error"}),
            1,
            "gateway-error",
            None,
        ),
    ] {
        let expected = Retries {
            attempts,
            on: on.into(),
            per_try_timeout_ms: per_try,
        };
        assert_eq!(
            with(json!({"retries": retries})).effects.retries,
            Some(expected),
            "{retries}"
        );
    }
    for (written, expected) in [
        ("0s", None),
        ("1.5s", Some(1500)),
        ("1m30s", Some(90_000)),
        ("250ms", Some(250)),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(
            with(json!({"timeout": written})).effects.timeout_ms,
            expected,
            "{written}"
        );
    }
    let plain = get(&world([]), "web", 80).effects;
    assert_eq!(
        (plain.retries.map(|it| it.attempts), plain.timeout_ms),
        (Some(2), None)
    );
}

#[test]
fn faults_need_a_percentage() {
    let fault = |it: Value| with(json!({"fault": it})).effects.fault;
    assert_eq!(
        fault(json!({"delay": {"fixedDelay": "2s"}, "abort": {"httpStatus": 503}})),
        None
    );
    let both = fault(
        json!({"delay": {"fixedDelay": "2s", "percentage": {"value": 10}}, "abort": {"httpStatus": 503, "percentage": {"value": 0.5}}}),
    );
    assert_eq!(
        both.map(|it| (it.delay, it.abort)),
        Some((Some((10.0, 2000)), Some((0.5, 503))))
    );
    assert_eq!(
        fault(json!({"delay": {"fixedDelay": "2s", "percent": 5}})).and_then(|it| it.delay),
        Some((5.0, 2000))
    );
    let grpc = json!({"fault": {"abort": {"grpcStatus": "NOT_FOUND", "percentage": {"value": 1}}}});
    assert_eq!(told(&with(grpc)), "Unknown");
}

#[test]
fn mirrors_have_all_unless_said_otherwise() {
    let mirrors = |it: Value| -> Vec<(String, u32)> {
        with(it)
            .effects
            .mirrors
            .into_iter()
            .map(|it| (it.destination.host.to_string(), it.weight))
            .collect()
    };
    let api = "api.shop.svc.cluster.local".to_owned();
    assert_eq!(mirrors(json!({"mirror": {"host": "api"}})), [(api.clone(), 100)]);
    assert_eq!(
        mirrors(json!({"mirror": {"host": "api"}, "mirrorPercentage": {"value": 20}})),
        [(api.clone(), 20)]
    );
    assert_eq!(
        mirrors(json!({"mirror": {"host": "api"}, "mirrorPercentage": {"value": 0}})),
        []
    );
    assert_eq!(
        mirrors(json!({"mirror": {"host": "api"}, "mirrorPercent": 7})),
        [(api.clone(), 7)]
    );
    let several = json!({"mirrors": [{"destination": {"host": "api"}}, {"destination": {"host": "api"}, "percentage": {"value": 0.2}}]});
    assert_eq!(mirrors(several), [(api.clone(), 100), (api, 1)]);
}

#[test]
fn rewrites_replace_what_matched() {
    let rewritten = |uri: Value, rewrite: Value, path: &str| {
        let rule = json!({"match": [{"uri": uri}], "rewrite": rewrite, "route": to("web")});
        let objects = world([rules("v", json!({"hosts": ["web"], "http": [rule]}))]);
        let choice = ask(
            &objects,
            &Request {
                path: path.into(),
                ..Request::get("web", 80)
            },
        );
        choice
            .effects
            .rewrite
            .map(|it| (it.authority.to_string(), it.path.map(|it| it.to_string())))
    };
    let path = |path: &str| Some((String::new(), Some(path.to_owned())));
    assert_eq!(
        rewritten(json!({"prefix": "/old"}), json!({"uri": "/new"}), "/old/a?q=1"),
        path("/new/a?q=1")
    );
    assert_eq!(
        rewritten(json!({"prefix": "/old/"}), json!({"uri": "/"}), "/old/a"),
        path("/a")
    );
    assert_eq!(
        rewritten(json!({"exact": "/old"}), json!({"uri": "/new"}), "/old"),
        path("/new")
    );
    assert_eq!(
        rewritten(json!({"regex": "/old/.*"}), json!({"uri": "/new"}), "/old/a"),
        path("/new")
    );
    let regex = json!({"uriRegexRewrite": {"match": "^/a/([^/]+)/(.*)$", "rewrite": "/\\2/$x/\\1"}});
    assert_eq!(
        rewritten(json!({"prefix": "/"}), regex, "/a/b/c?d"),
        path("/c/$x/b?d")
    );
    assert_eq!(
        rewritten(json!({"prefix": "/"}), json!({"authority": "other"}), "/"),
        Some(("other".into(), None))
    );
    assert_eq!(rewritten(json!({"prefix": "/"}), json!({}), "/"), None);
    let header = with(json!({"headers": {"request": {"set": {"Host": "set"}, "add": {"host": "add"}}}}));
    assert_eq!(
        header.effects.rewrite.map(|it| it.authority.to_string()),
        Some("set".into())
    );
    let alone = with(
        json!({"route": [{"destination": {"host": "web"}, "headers": {"request": {"add": {":authority": "mine"}}}}]}),
    );
    assert_eq!(
        alone.effects.rewrite.map(|it| it.authority.to_string()),
        Some("mine".into())
    );
}

fn takes(block: Value, change: impl FnOnce(&mut Request)) -> String {
    let objects = world([rules(
        "v",
        json!({"hosts": ["web"], "http": [{"match": [block], "route": to("web")}]}),
    )]);
    let mut request = Request::get("web", 80);
    change(&mut request);
    let told = told(&ask(&objects, &request));
    told.replace("web.shop:80 100", "yes").replace("NoRoute", "no")
}

fn path(path: &'static str) -> impl Fn(&mut Request) {
    move |request| request.path = path.into()
}

#[test]
fn paths() {
    for (uri, at, expected) in [
        (json!({"exact": "/a"}), "/a", "yes"),
        (json!({"exact": "/a"}), "/a?x=/b", "yes"),
        (json!({"exact": "/a"}), "/A", "no"),
        (json!({"exact": "/a"}), "/a/", "no"),
        (json!({"prefix": "/a"}), "/ab", "yes"),
        (json!({"prefix": "/a"}), "/", "no"),
        (json!({"prefix": "/한"}), "/한글", "yes"),
        (json!({"regex": "/a"}), "/ab", "no"),
        (json!({"regex": "/a.*"}), "/ab?c", "yes"),
        (json!({"regex": "a|/b"}), "/b", "yes"),
        (json!({"regex": "/(a"}), "/a", "Unknown"),
        (json!({"regex": "[a&&b]"}), "/a", "Unknown"),
        (json!({"regex": "/[[:alpha:]]+"}), "/abc", "yes"),
        (json!({"regex": "/\\d+"}), "/12", "yes"),
        (json!({"regex": "/\\d+"}), "/١", "no"),
        (json!({}), "/any", "yes"),
        (json!({"prefix": "/"}), "/a/../b", "Unknown"),
    ] {
        assert_eq!(takes(json!({"uri": uri}), path(at)), expected, "{uri} {at}");
    }
    assert_eq!(
        takes(json!({"uri": {"exact": "/a"}, "ignoreUriCase": true}), path("/A")),
        "yes"
    );
    assert_eq!(
        takes(
            json!({"uri": {"prefix": "/a"}, "ignoreUriCase": true}),
            path("/Ab")
        ),
        "yes"
    );
    assert_eq!(
        takes(
            json!({"uri": {"prefix": "/a"}, "ignoreUriCase": false}),
            path("/Ab")
        ),
        "no"
    );
}

#[test]
fn headers_and_their_absence() {
    for (block, value, expected) in [
        (
            json!({"headers": {"x-user": {"exact": "kim"}}}),
            Some("kim"),
            "yes",
        ),
        (
            json!({"headers": {"X-User": {"exact": "kim"}}}),
            Some("kim"),
            "yes",
        ),
        (
            json!({"headers": {"x-user": {"exact": "kim"}}}),
            Some("lee"),
            "no",
        ),
        (json!({"headers": {"x-user": {"exact": "kim"}}}), None, "no"),
        (
            json!({"headers": {"x-user": {"prefix": "k"}}}),
            Some("kim"),
            "yes",
        ),
        (
            json!({"headers": {"x-user": {"regex": "k.m"}}}),
            Some("kim"),
            "yes",
        ),
        (json!({"headers": {"x-user": {"regex": "k"}}}), Some("kim"), "no"),
        (json!({"headers": {"x-user": {"regex": "*"}}}), Some(""), "yes"),
        (json!({"headers": {"x-user": {}}}), Some("kim"), "yes"),
        (json!({"headers": {"x-user": {}}}), None, "no"),
        (json!({"withoutHeaders": {"x-user": {}}}), None, "yes"),
        (json!({"withoutHeaders": {"x-user": {}}}), Some(""), "no"),
        (
            json!({"withoutHeaders": {"x-user": {"exact": "kim"}}}),
            None,
            "yes",
        ),
        (
            json!({"withoutHeaders": {"x-user": {"exact": "kim"}}}),
            Some("lee"),
            "yes",
        ),
        (
            json!({"withoutHeaders": {"x-user": {"exact": "kim"}}}),
            Some("kim"),
            "no",
        ),
        (json!({"withoutHeaders": {"x-user": {"exact": ""}}}), None, "no"),
        (
            json!({"headers": {"@request.auth.claims.sub": {"exact": "a"}}}),
            None,
            "Unknown",
        ),
        // What certainly fails is not made unknown by the rest.
        (
            json!({"headers": {"@request.auth.claims.sub": {"exact": "a"}}, "method": {"exact": "POST"}}),
            None,
            "no",
        ),
    ] {
        let change = |request: &mut Request| {
            if let Some(value) = value {
                request.headers.insert("x-user".into(), value.into());
            }
        };
        assert_eq!(takes(block.clone(), change), expected, "{block} {value:?}");
    }
}

#[test]
fn method_scheme_authority_query_and_source() {
    for (block, expected) in [
        (json!({"method": {"exact": "GET"}}), "yes"),
        (json!({"method": {"regex": "GET|HEAD"}}), "yes"),
        (json!({"method": {"exact": "get"}}), "no"),
        (json!({"scheme": {"exact": "http"}}), "yes"),
        (json!({"scheme": {"exact": "https"}}), "no"),
        (json!({"authority": {"exact": "web"}}), "yes"),
        (json!({"authority": {"prefix": "web:"}}), "no"),
        (json!({"headers": {":authority": {"exact": "web"}}}), "yes"),
        (json!({"headers": {"host": {"exact": "web"}}}), "yes"),
        (json!({"queryParams": {"a": {"exact": "1"}}}), "yes"),
        (json!({"queryParams": {"a": {"exact": "2"}}}), "no"),
        (json!({"queryParams": {"b": {}}}), "yes"),
        (json!({"queryParams": {"c": {}}}), "no"),
        (json!({"queryParams": {"c": {"exact": ""}}}), "no"),
        (json!({"port": 80}), "yes"),
        (json!({"sourceLabels": {"app": "caller"}}), "yes"),
        (json!({"sourceNamespace": "shop"}), "yes"),
        (json!({"sourceNamespace": ""}), "yes"),
    ] {
        assert_eq!(takes(block.clone(), path("/?a=1&b&a=2")), expected, "{block}");
    }
    let forwarded =
        |request: &mut Request| drop(request.headers.insert("x-forwarded-proto".into(), "https".into()));
    assert_eq!(takes(json!({"scheme": {"exact": "http"}}), forwarded), "Unknown");
}

fn delegated(root: Value, delegate: Value) -> Objects {
    let mut rule = json!({"delegate": {"name": "leaf", "namespace": "bank"}});
    rule.as_object_mut()
        .unwrap()
        .extend(root.as_object().unwrap().clone());
    world([
        rules(
            "root",
            json!({"hosts": ["web"], "http": [rule, {"match": [{"uri": {"exact": "/own"}}], "route": to("web")}]}),
        ),
        istio("VirtualService", "bank", "leaf", delegate),
    ])
}

#[test]
fn a_delegates_rules_stand_in_the_roots_place() {
    let leaf = json!({"http": [{"match": [{"uri": {"prefix": "/a/b"}}], "route": to("pay")}, {"match": [{"uri": {"prefix": "/c"}}], "route": to("pay")}]});
    let objects = delegated(
        json!({"match": [{"uri": {"prefix": "/a"}, "method": {"exact": "GET"}}], "timeout": "3s"}),
        leaf.clone(),
    );
    let at = |objects: &Objects, path: &str| {
        ask(
            objects,
            &Request {
                path: path.into(),
                ..Request::get("web", 80)
            },
        )
    };
    let choice = at(&objects, "/a/b");
    assert_eq!(
        (told(&choice).as_str(), choice.effects.timeout_ms),
        ("pay.bank:80 100", Some(3000))
    );
    assert_eq!(
        choice.rule.map(|(key, index)| (key.name.to_string(), index)),
        Some(("leaf".into(), 0))
    );
    assert_eq!(choice.deciders.len(), 2);
    assert_eq!(told(&at(&objects, "/a")), "NoRoute");
    assert_eq!(told(&at(&objects, "/c")), "NoRoute");
    assert_eq!(told(&at(&objects, "/own")), "web.shop:80 100");
    let open = delegated(json!({}), leaf.clone());
    assert_eq!(told(&at(&open, "/c")), "pay.bank:80 100");
    for hidden in [json!(["."]), json!(["~"]), json!(["other"])] {
        let mut leaf = leaf.clone();
        leaf["exportTo"] = hidden.clone();
        assert_eq!(
            told(&at(&delegated(json!({}), leaf), "/c")),
            "NoRoute",
            "{hidden}"
        );
    }
    let mut hosted = leaf;
    hosted["hosts"] = json!(["x.example"]);
    assert_eq!(told(&at(&delegated(json!({}), hosted), "/c")), "NoRoute");
}

#[test]
fn a_delegates_match_must_lie_within_the_roots() {
    for (root, leaf, within) in [
        (
            json!({"uri": {"prefix": "/a"}}),
            json!({"uri": {"exact": "/a/x"}}),
            true,
        ),
        (
            json!({"uri": {"exact": "/a"}}),
            json!({"uri": {"exact": "/a"}}),
            true,
        ),
        (
            json!({"uri": {"exact": "/a"}}),
            json!({"uri": {"prefix": "/a"}}),
            false,
        ),
        (
            json!({"uri": {"regex": "/.*"}}),
            json!({"uri": {"exact": "/a"}}),
            false,
        ),
        (
            json!({"uri": {"regex": "/.*"}}),
            json!({"method": {"exact": "GET"}}),
            true,
        ),
        (
            json!({"headers": {"h": {"exact": "1"}}}),
            json!({"headers": {"h": {"exact": "2"}}}),
            false,
        ),
        (
            json!({"headers": {"h": {"exact": "1"}}}),
            json!({"headers": {"i": {"exact": "2"}}}),
            true,
        ),
        (
            json!({"ignoreUriCase": true}),
            json!({"uri": {"exact": "/"}}),
            false,
        ),
        (json!({"port": 80}), json!({"port": 81}), false),
        (json!({"port": 80}), json!({"uri": {"exact": "/"}}), true),
        (
            json!({"sourceNamespace": "shop"}),
            json!({"uri": {"exact": "/"}}),
            false,
        ),
        (
            json!({"sourceLabels": {"a": "1"}}),
            json!({"sourceLabels": {"a": "2"}}),
            false,
        ),
        (
            json!({"gateways": ["mesh"]}),
            json!({"gateways": ["mesh", "x/y"]}),
            false,
        ),
        (
            json!({"gateways": ["mesh", "x/y"]}),
            json!({"gateways": ["mesh"]}),
            true,
        ),
    ] {
        let merged = super::delegate::merge(&json!({"match": [root]}), &[json!({"match": [leaf]})]);
        assert_eq!(merged.len(), usize::from(within), "{root} {leaf}");
    }
}

fn bytes(objects: &Objects, protocol: Protocol, host: &str, port: u16, sni: &str) -> String {
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
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "web"}]}});
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
            super::matching::gateway(name, "n"),
            Name::from(expected),
            "{name}"
        );
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
