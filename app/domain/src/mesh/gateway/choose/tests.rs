#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` is written where it is used"
)]

use super::{super::virtual_host::catches_all, Asked, Rules, by_rules as choose};
use crate::{
    Name, Why, manifests,
    mesh::{
        Mesh, Proxy,
        route::{Choice, Outcome, Protocol, Request, matching},
    },
    object::Kind,
    snapshot::Objects,
};
use serde_json::{Value, json};

/// Just enough of the rules: exact paths and prefixes, the method, the port, the gateways. The outcome's status is the rule's `directResponse`.
struct Few;

impl Rules for Few {
    fn takes(
        &self,
        asked: Asked<'_>,
        entry: Option<&Value>,
        request: &Request,
    ) -> (bool, Result<bool, Vec<Why>>) {
        let Some(entry) = entry else {
            return (true, Ok(true));
        };
        if entry.get("regex").is_some() {
            return (true, Err(vec![Why::NotJudged { what: "regex".into() }]));
        }
        let namespace = &asked.virtual_service.key().namespace;
        let port = entry
            .get("port")
            .is_none_or(|it| it.as_u64() == Some(u64::from(asked.port)));
        let listed = entry.get("gateways").and_then(Value::as_array);
        let gateway = listed.is_none_or(|it| {
            it.iter()
                .any(|it| &*matching::gateway(it.as_str().unwrap(), namespace) == asked.gateway)
        });
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
        let exact = text("/uri/exact").is_none_or(|it| it == request.path_alone());
        let prefix = text("/uri/prefix").is_none_or(|it| request.path_alone().starts_with(it));
        let method = text("/method/exact").is_none_or(|it| *it == *request.method);
        (port && gateway, Ok(exact && prefix && method))
    }

    fn act(&self, asked: Asked<'_>, _: &Request) -> Choice {
        let status = asked
            .rule
            .pointer("/directResponse/status")
            .or(asked.rule.pointer("/route/0/weight"));
        let status = u16::try_from(status.and_then(Value::as_u64).unwrap()).unwrap();
        Choice {
            rule: Some((asked.virtual_service.key().clone(), asked.index)),
            ..Choice::by_default(Outcome::Direct { status })
        }
    }
}

fn world(objects: &[Value]) -> Objects {
    manifests::objects(objects.iter().cloned()).unwrap()
}

fn gateway(name: &str, age: u32, servers: Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": name, "namespace": "default",
        "creationTimestamp": format!("2026-01-0{age}T00:00:00Z")}, "spec": {"selector": {"istio": "ingressgateway"}, "servers": servers}})
}

fn service(name: &str, age: u32, hosts: Value, rest: Value) -> Value {
    let mut spec = json!({"hosts": hosts, "gateways": ["default/g"]});
    spec.as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name, "namespace": "shop",
        "creationTimestamp": format!("2026-01-0{age}T00:00:00Z")}, "spec": spec})
}

fn answer(path: Value, status: u16) -> Value {
    json!({"match": [path], "directResponse": {"status": status}})
}

fn all(status: u16) -> Value {
    json!({"directResponse": {"status": status}})
}

fn http(hosts: Value) -> Value {
    json!({"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": hosts})
}

fn tls(name: &str, protocol: &str, mode: &str, hosts: Value) -> Value {
    json!({"port": {"number": 443, "name": name, "protocol": protocol}, "hosts": hosts, "tls": {"mode": mode, "credentialName": "c"}})
}

fn proxy() -> Proxy {
    Proxy::gateway("istio-system", [("istio".into(), "ingressgateway".into())].into())
}

fn ask(objects: &Objects, request: &Request) -> Choice {
    choose(&Mesh::of(objects), &proxy(), request, &Few)
}

fn get(objects: &Objects, host: &str, path: &str) -> Outcome {
    ask(
        objects,
        &Request {
            path: path.into(),
            ..Request::get(host, 80)
        },
    )
    .outcome
}

fn secure(objects: &Objects, protocol: Protocol, sni: &str) -> Outcome {
    ask(
        objects,
        &Request {
            protocol,
            sni: sni.into(),
            ..Request::get(sni, 443)
        },
    )
    .outcome
}

fn direct(status: u16) -> Outcome {
    Outcome::Direct { status }
}

#[test]
fn nobody_listens_where_no_server_is() {
    let objects = world(&[gateway("g", 1, json!([http(json!(["*"]))]))]);
    assert_eq!(ask(&objects, &Request::get("a", 81)).outcome, Outcome::NoListener);
    let other = Proxy::gateway("istio-system", [("istio".into(), "egressgateway".into())].into());
    assert_eq!(
        choose(&Mesh::of(&objects), &other, &Request::get("a", 80), &Few).outcome,
        Outcome::NoListener
    );
}

#[test]
fn without_a_virtual_service_everything_is_404() {
    let objects = world(&[gateway("g", 1, json!([http(json!(["*"]))]))]);
    assert_eq!(get(&objects, "a.com", "/"), Outcome::NoVirtualHost);
}

#[test]
fn the_host_is_found_with_port_and_in_any_case_and_others_are_404() {
    let objects = world(&[
        gateway("g", 1, json!([http(json!(["*.com"]))])),
        service("v", 1, json!(["A.com", "b.org"]), json!({"http": [all(201)]})),
    ]);
    assert_eq!(get(&objects, "a.COM:8080", "/"), direct(201));
    assert_eq!(get(&objects, "b.org", "/"), Outcome::NoVirtualHost);
    assert_eq!(get(&objects, "", "/"), Outcome::NoVirtualHost);
}

#[test]
fn an_exact_host_without_a_matching_rule_does_not_fall_back_to_the_wildcards() {
    let objects = world(&[
        gateway("g", 1, json!([http(json!(["*"]))])),
        service(
            "exact",
            1,
            json!(["a.com"]),
            json!({"http": [answer(json!({"uri": {"prefix": "/x"}}), 201)]}),
        ),
        service("wild", 2, json!(["*"]), json!({"http": [all(202)]})),
    ]);
    assert_eq!(get(&objects, "a.com", "/x"), direct(201));
    assert_eq!(get(&objects, "a.com", "/y"), Outcome::NoRoute);
    assert_eq!(get(&objects, "b.com", "/y"), direct(202));
}

#[test]
fn virtual_services_of_one_host_merge_older_first_and_catch_alls_last() {
    let objects = world(&[
        gateway("g", 1, json!([http(json!(["*"]))])),
        service(
            "young",
            2,
            json!(["a.com"]),
            json!({"http": [answer(json!({"uri": {"prefix": "/x"}}), 203), answer(json!({"uri": {"prefix": "/y"}}), 204)]}),
        ),
        service(
            "old",
            1,
            json!(["a.com"]),
            json!({"http": [answer(json!({"uri": {"prefix": "/x"}}), 201), all(202)]}),
        ),
    ]);
    assert_eq!(get(&objects, "a.com", "/x"), direct(201));
    assert_eq!(get(&objects, "a.com", "/y"), direct(204));
    assert_eq!(get(&objects, "a.com", "/z"), direct(202));
}

#[test]
fn what_follows_a_catch_all_in_its_own_virtual_service_is_lost() {
    let objects = world(&[
        gateway("g", 1, json!([http(json!(["*"]))])),
        service(
            "v",
            1,
            json!(["a.com"]),
            json!({"http": [all(201), answer(json!({"uri": {"prefix": "/x"}}), 202)]}),
        ),
    ]);
    assert_eq!(get(&objects, "a.com", "/x"), direct(201));
}

#[test]
fn matches_for_another_port_or_gateway_leave_no_route_and_no_host() {
    let rules = |entry: Value| {
        world(&[
            gateway("g", 1, json!([http(json!(["*"]))])),
            service("v", 1, json!(["a.com"]), json!({"http": [answer(entry, 201)]})),
        ])
    };
    assert_eq!(get(&rules(json!({"port": 80})), "a.com", "/"), direct(201));
    assert_eq!(
        get(&rules(json!({"port": 81})), "a.com", "/"),
        Outcome::NoVirtualHost
    );
    assert_eq!(
        get(&rules(json!({"gateways": ["default/g"]})), "a.com", "/"),
        direct(201)
    );
    assert_eq!(
        get(&rules(json!({"gateways": ["mesh"]})), "a.com", "/"),
        Outcome::NoVirtualHost
    );
}

#[test]
fn a_host_kept_for_a_namespace_is_not_served_to_others() {
    let with = |host: &str| {
        world(&[
            gateway("g", 1, json!([http(json!([host]))])),
            service("v", 1, json!(["a.com"]), json!({"http": [all(201)]})),
        ])
    };
    assert_eq!(get(&with("shop/*"), "a.com", "/"), direct(201));
    assert_eq!(get(&with("./a.com"), "a.com", "/"), Outcome::NoVirtualHost);
}

#[test]
fn plain_requests_are_redirected_where_the_gateway_says_so_known_host_or_not() {
    let mut server = http(json!(["*"]));
    server["tls"] = json!({"httpsRedirect": true});
    let objects = world(&[
        gateway("g", 1, json!([server])),
        service("v", 1, json!(["a.com"]), json!({"http": [all(201)]})),
    ]);
    let moved = Outcome::Redirect {
        code: 301,
        authority: "".into(),
        path: "".into(),
    };
    assert_eq!(get(&objects, "a.com", "/"), moved);
    assert_eq!(get(&objects, "b.com", "/"), moved);
    let choice = ask(&objects, &Request::get("a.com", 80));
    assert_eq!(&*choice.deciders[0].path, "/spec/servers/0/tls/httpsRedirect");
}

#[test]
fn a_forwarded_https_is_believed_only_from_trusted_proxies() {
    let mut server = http(json!(["*"]));
    server["tls"] = json!({"httpsRedirect": true});
    let base = [
        gateway("g", 1, json!([server])),
        service("v", 1, json!(["a.com"]), json!({"http": [all(201)]})),
    ];
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": "defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}"}});
    let mut request = Request::get("a.com", 80);
    request.headers.insert("x-forwarded-proto".into(), "https".into());
    assert!(matches!(
        ask(&world(&base), &request).outcome,
        Outcome::Unknown(_)
    ));
    let trusted = world(&[base[0].clone(), base[1].clone(), map]);
    assert_eq!(ask(&trusted, &request).outcome, direct(201));
    request.headers.insert("x-forwarded-proto".into(), "http".into());
    assert!(matches!(
        ask(&trusted, &request).outcome,
        Outcome::Redirect { .. }
    ));
}

#[test]
fn a_terminated_handshake_needs_its_server_name() {
    let objects = world(&[
        gateway(
            "g",
            1,
            json!([
                tls("a", "HTTPS", "SIMPLE", json!(["a.com"])),
                tls("w", "HTTPS", "SIMPLE", json!(["*.a.com"]))
            ]),
        ),
        service("v", 1, json!(["a.com", "x.a.com"]), json!({"http": [all(201)]})),
    ]);
    assert_eq!(secure(&objects, Protocol::Https, "a.com"), direct(201));
    assert_eq!(secure(&objects, Protocol::Https, "X.a.com"), direct(201));
    assert_eq!(secure(&objects, Protocol::Https, "b.com"), Outcome::NoFilterChain);
    assert_eq!(secure(&objects, Protocol::Https, ""), Outcome::NoFilterChain);
    let crossed = Request {
        protocol: Protocol::Https,
        sni: "a.com".into(),
        ..Request::get("x.a.com", 443)
    };
    assert_eq!(ask(&objects, &crossed).outcome, Outcome::NoVirtualHost);
}

#[test]
fn re_encrypting_without_sni_reaches_only_a_server_for_all_hosts() {
    let with = |host: &str| {
        world(&[
            gateway("g", 1, json!([tls("a", "HTTPS", "SIMPLE", json!([host]))])),
            service("v", 1, json!(["a.com"]), json!({"http": [all(201)]})),
        ])
    };
    let request = Request {
        protocol: Protocol::Https,
        ..Request::get("a.com", 443)
    };
    assert_eq!(ask(&with("*"), &request).outcome, direct(201));
    assert_eq!(ask(&with("a.com"), &request).outcome, Outcome::NoFilterChain);
}

#[test]
fn plain_http_on_443_and_tls_on_80_are_reset() {
    let objects = world(&[
        gateway(
            "g",
            1,
            json!([http(json!(["*"])), tls("a", "HTTPS", "SIMPLE", json!(["*"]))]),
        ),
        service("v", 1, json!(["*"]), json!({"http": [all(201)]})),
    ]);
    assert_eq!(
        ask(&objects, &Request::get("a.com", 443)).outcome,
        Outcome::NoFilterChain
    );
    let request = Request {
        protocol: Protocol::Https,
        sni: "a.com".into(),
        ..Request::get("a.com", 80)
    };
    assert_eq!(ask(&objects, &request).outcome, Outcome::NoFilterChain);
}

#[test]
fn passthrough_goes_by_the_sni_of_the_rules() {
    let rule = |name: &str, weight: u16| json!({"match": [{"sniHosts": [name]}], "route": [{"destination": {"host": "x"}, "weight": weight}]});
    let objects = world(&[
        gateway("g", 1, json!([tls("a", "TLS", "PASSTHROUGH", json!(["*.com"]))])),
        service(
            "v",
            1,
            json!(["a.com", "b.com"]),
            json!({"tls": [rule("a.com", 1), rule("a.com", 2), rule("b.com", 3)]}),
        ),
    ]);
    assert_eq!(secure(&objects, Protocol::Tls, "a.com"), direct(1));
    assert_eq!(secure(&objects, Protocol::Https, "b.com"), direct(3));
    assert_eq!(secure(&objects, Protocol::Tls, "c.com"), Outcome::NoFilterChain);
}

#[test]
fn passthrough_without_rules_has_no_listener() {
    let objects = world(&[
        gateway("g", 1, json!([tls("a", "TLS", "PASSTHROUGH", json!(["*"]))])),
        service("v", 1, json!(["a.com"]), json!({"http": [all(201)]})),
    ]);
    assert_eq!(secure(&objects, Protocol::Tls, "a.com"), Outcome::NoListener);
}

#[test]
fn bytes_go_by_the_first_rule_that_applies() {
    let rule = |entry: Value, weight: u16| json!({"match": [entry], "route": [{"destination": {"host": "x"}, "weight": weight}]});
    let tcp = json!({"port": {"number": 443, "name": "t", "protocol": "TCP"}, "hosts": ["*"]});
    let objects = world(&[
        gateway("g", 1, json!([tcp])),
        service(
            "v",
            1,
            json!(["a.com"]),
            json!({"tcp": [rule(json!({"port": 1}), 1), rule(json!({"port": 443}), 2), rule(json!({}), 3)]}),
        ),
    ]);
    for protocol in [Protocol::Tcp, Protocol::Http, Protocol::Tls, Protocol::Https] {
        assert_eq!(secure(&objects, protocol, "z"), direct(2), "{protocol:?}");
    }
    let terminated = world(&[
        gateway("g", 1, json!([tls("t", "TLS", "SIMPLE", json!(["*"]))])),
        service("v", 1, json!(["a.com"]), json!({"tcp": [rule(json!({}), 3)]})),
    ]);
    assert_eq!(secure(&terminated, Protocol::Tls, "z"), direct(3));
    assert_eq!(secure(&terminated, Protocol::Tcp, ""), Outcome::NoFilterChain);
}

#[test]
fn one_server_name_in_two_chains_makes_envoy_refuse_the_listener() {
    let objects = world(&[gateway(
        "g",
        1,
        json!([
            tls("a", "HTTPS", "SIMPLE", json!(["m/a.com"])),
            tls("b", "HTTPS", "SIMPLE", json!(["n/a.com"]))
        ]),
    )]);
    assert!(matches!(
        secure(&objects, Protocol::Https, "a.com"),
        Outcome::Unknown(_)
    ));
}

#[test]
fn what_is_not_judged_or_not_read_is_unknown() {
    let base = [
        gateway("g", 1, json!([http(json!(["*"]))])),
        service("v", 1, json!(["a.com"]), json!({"http": [all(201)]})),
    ];
    let filter = json!({"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "f", "namespace": "istio-system"},
        "spec": {"configPatches": [{"applyTo": "HTTP_FILTER", "match": {"context": "GATEWAY"}, "patch": {"operation": "INSERT_BEFORE"}}]}});
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "n"}, "spec": {"ingressClassName": "istio"}});
    let manual = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "m", "namespace": "istio-system"},
        "spec": {"gatewayClassName": "other", "addresses": [{"type": "Hostname", "value": "gw"}]}});
    let front = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gw", "namespace": "istio-system"},
        "spec": {"selector": {"istio": "ingressgateway"}, "ports": [{"port": 80}]}});
    for extra in [filter, ingress, manual] {
        let objects = world(&[base[0].clone(), base[1].clone(), front.clone(), extra]);
        assert!(matches!(get(&objects, "a.com", "/"), Outcome::Unknown(_)));
    }
    for kind in [
        Kind::Gateway,
        Kind::VirtualService,
        Kind::Service,
        Kind::HttpRoute,
        Kind::ConfigMap,
    ] {
        let mut objects = world(&base);
        objects.kinds.remove(&kind);
        assert!(
            matches!(get(&objects, "a.com", "/"), Outcome::Unknown(_)),
            "{kind:?}"
        );
    }
    let odd = world(&[
        base[0].clone(),
        service(
            "v",
            1,
            json!(["a.com"]),
            json!({"http": [answer(json!({"regex": 1, "uri": {"prefix": "/x"}}), 201)]}),
        ),
    ]);
    assert!(matches!(get(&odd, "a.com", "/"), Outcome::Unknown(_)));
}

#[test]
fn a_match_catches_all_only_with_nothing_in_it_but_the_root() {
    for entry in [
        json!({}),
        json!({"uri": {"prefix": "/"}}),
        json!({"uri": {"regex": ".*"}}),
        json!({"port": 80}),
        json!({"headers": {}}),
    ] {
        assert!(catches_all(Some(&entry)), "{entry}");
    }
    for entry in [
        json!({"uri": {"prefix": "/x"}}),
        json!({"uri": {"exact": "/"}}),
        json!({"method": {"exact": "GET"}}),
        json!({"headers": {"a": {}}}),
        json!({"withoutHeaders": {"a": {}}}),
        json!({"queryParams": {"a": {}}}),
        json!({"authority": {"exact": "a"}}),
        json!({"scheme": {"exact": "a"}}),
    ] {
        assert!(!catches_all(Some(&entry)), "{entry}");
    }
    assert!(catches_all(None));
}

#[test]
fn the_rule_is_named() {
    let objects = world(&[
        gateway("g", 1, json!([http(json!(["*"]))])),
        service(
            "v",
            1,
            json!(["a.com"]),
            json!({"http": [answer(json!({"uri": {"prefix": "/x"}}), 201), all(202)]}),
        ),
    ]);
    let (key, index) = ask(&objects, &Request::get("a.com", 80)).rule.unwrap();
    assert_eq!((key.name, index), (Name::from("v"), 1));
}

#[test]
fn a_delegates_rules_stand_in_the_roots_place() {
    let root = |delegate: Value| json!({"match": [{"uri": {"prefix": "/x"}}], "delegate": delegate});
    let delegate = |name: &str, spec: Value| {
        json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": name, "namespace": "leaves"}, "spec": spec})
    };
    let leaf = delegate(
        "d",
        json!({"http": [answer(json!({"uri": {"prefix": "/x/a"}}), 203), answer(json!({"uri": {"prefix": "/z"}}), 204),
            answer(json!({"method": {"exact": "PUT"}}), 205)]}),
    );
    let told = |to: Value, leaf: &Value| {
        let rules = service("v", 1, json!(["a.com"]), json!({"http": [root(to), all(202)]}));
        let objects = world(&[gateway("g", 1, json!([http(json!(["*"]))])), rules, leaf.clone()]);
        ["/x/a", "/x", "/z", "/y"].map(|path| get(&objects, "a.com", path))
    };
    let named = json!({"name": "d", "namespace": "leaves"});
    // What the root leaves to it and it does not take goes on to the root's next rule.
    let all_to_last = [202, 202, 202, 202].map(direct);
    assert_eq!(told(named.clone(), &leaf), [203, 202, 202, 202].map(direct));
    // Whoever has hosts is no delegate, nor is one that is not exported here, nor one elsewhere.
    for odd in [json!({"hosts": ["b.com"]}), json!({"exportTo": ["."]})] {
        let mut spec = leaf["spec"].clone();
        spec.as_object_mut()
            .unwrap()
            .extend(odd.as_object().unwrap().clone());
        assert_eq!(told(named.clone(), &delegate("d", spec)), all_to_last);
    }
    assert_eq!(told(json!({"name": "d"}), &leaf), all_to_last);
}

#[test]
fn a_delegates_rule_is_named_with_what_delegated_to_it() {
    let rules = service(
        "v",
        1,
        json!(["a.com"]),
        json!({"http": [answer(json!({"uri": {"exact": "/own"}}), 201), {"delegate": {"name": "d"}}]}),
    );
    let leaf = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "d", "namespace": rules["metadata"]["namespace"]},
        "spec": {"http": [answer(json!({"uri": {"exact": "/a"}}), 202), all(203)]}});
    let objects = world(&[gateway("g", 1, json!([http(json!(["*"]))])), rules, leaf]);
    let told = |path: &str| {
        let request = Request {
            path: path.into(),
            ..Request::get("a.com", 80)
        };
        let choice = crate::mesh::gateway::choose(&Mesh::of(&objects), &proxy(), &request);
        let (key, index) = choice.rule.unwrap();
        let paths: Vec<String> = choice
            .deciders
            .iter()
            .map(|it| format!("{}{}", it.key.name, it.path))
            .collect();
        (key.name.to_string(), index, paths)
    };
    assert_eq!(
        told("/"),
        (
            "d".into(),
            1,
            vec!["d/spec/http/1".into(), "v/spec/http/1".into()]
        )
    );
    assert_eq!(told("/own"), ("v".into(), 0, vec!["v/spec/http/0".into()]));
}
