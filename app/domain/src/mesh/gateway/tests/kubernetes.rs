//! Gateways of the Gateway API, as their proxies serve them.

#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` is written where it is used"
)]

use crate::{
    Name, manifests,
    mesh::{
        Mesh, Proxy,
        gateway::{Skip, Target, merged, serves},
        route::{Choice, Missing, Outcome, Protocol, Request, choose},
    },
    object::Kind,
    snapshot::Objects,
};
use serde_json::{Value, json};

fn k8s(kind: &str, namespace: &str, name: &str, age: u32, spec: Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace,
        "creationTimestamp": format!("2026-01-0{age}T00:00:00Z")}, "spec": spec})
}

fn istio(kind: &str, namespace: &str, name: &str, age: u32, spec: Value) -> Value {
    let mut it = k8s(kind, namespace, name, age, spec);
    it["apiVersion"] = json!("networking.istio.io/v1");
    it
}

fn listener(name: &str, port: u16, host: &str) -> Value {
    json!({"name": name, "port": port, "protocol": "HTTP", "hostname": host, "allowedRoutes": {"namespaces": {"from": "All"}}})
}

fn gateway(listeners: Value) -> Value {
    k8s(
        "Gateway",
        "edge",
        "g",
        1,
        json!({"gatewayClassName": "istio", "listeners": listeners}),
    )
}

fn route(name: &str, age: u32, hosts: Value, backend: &str) -> Value {
    k8s(
        "HTTPRoute",
        "shop",
        name,
        age,
        json!({"parentRefs": [{"name": "g", "namespace": "edge"}], "hostnames": hosts,
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": format!("/{name}")}}], "backendRefs": [{"name": backend, "port": 80}]}]}),
    )
}

fn service(namespace: &str, name: &str, selector: &str, ports: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": "10.0.0.1", "selector": {"app": selector}, "ports": ports}})
}

fn world(extra: impl IntoIterator<Item = Value>) -> Objects {
    let ports = json!([{"name": "http", "port": 80}, {"name": "other", "port": 8080}, {"name": "https", "port": 443, "targetPort": 8443}]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "g-1", "namespace": "edge", "labels": {"app": "g"}},
        "spec": {"containers": [{"name": "istio-proxy"}]}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    let base = [
        service("edge", "g-istio", "g", ports),
        service("shop", "web", "web", json!([{"name": "http", "port": 80}])),
        service("bank", "pay", "pay", json!([{"name": "http", "port": 80}])),
        pod,
    ];
    manifests::objects(base.into_iter().chain(extra)).unwrap()
}

fn proxy() -> Proxy {
    let labels = [("app", "g"), ("gateway.networking.k8s.io/gateway-name", "g")];
    Proxy::gateway("edge", labels.map(|(k, v)| (k.into(), v.into())).into())
}

fn ask(objects: &Objects, request: &Request) -> Choice {
    choose(&Mesh::of(objects), &proxy(), request)
}

fn get(objects: &Objects, host: &str, port: u16, path: &str) -> Choice {
    let path: Name = path.into();
    ask(
        objects,
        &Request {
            path,
            ..Request::get(host, port)
        },
    )
}

fn sent(choice: &Choice) -> (&str, Option<Missing>) {
    match &choice.outcome {
        Outcome::Sent(shares) => (&shares[0].destination.host, shares[0].missing),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_route_is_served_at_its_listener_and_told_by_what_was_written() {
    let objects = world([
        gateway(json!([listener("a", 80, "*.com")])),
        route("web", 1, json!(["a.com"]), "web"),
    ]);
    let choice = get(&objects, "a.com", 80, "/web/x");
    assert_eq!(sent(&choice), ("web.shop.svc.cluster.local", None));
    assert_eq!(
        choice.rule.as_ref().map(|(key, at)| (key.kind, &*key.name, *at)),
        Some((Kind::HttpRoute, "web", 0))
    );
    assert_eq!(choice.deciders.len(), 1);
    assert_eq!(&*choice.deciders[0].path, "/spec/rules/0");
    let nowhere = get(&objects, "b.com", 80, "/web");
    assert_eq!(nowhere.outcome, Outcome::NoVirtualHost);
    assert_eq!(
        (nowhere.deciders[0].key.kind, &*nowhere.deciders[0].path),
        (Kind::GatewayApiGateway, "/spec/listeners/0")
    );
    assert_eq!(get(&objects, "a.com", 80, "/other").outcome, Outcome::NoRoute);
    assert_eq!(get(&objects, "a.com", 8080, "/web").outcome, Outcome::NoListener);
}

#[test]
fn a_route_names_its_parents_port_and_section() {
    let told = |parent: Value| {
        let mut route = route("web", 1, json!([]), "web");
        route["spec"]["parentRefs"] = json!([parent]);
        let objects = world([
            gateway(json!([listener("a", 80, ""), listener("b", 8080, "")])),
            route,
        ]);
        [80, 8080].map(|port| matches!(get(&objects, "a.com", port, "/web").outcome, Outcome::Sent(_)))
    };
    let parent = |more: Value| {
        let mut it = json!({"name": "g", "namespace": "edge"});
        it.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        told(it)
    };
    assert_eq!(parent(json!({})), [true, true]);
    assert_eq!(parent(json!({"port": 80})), [true, false]);
    assert_eq!(parent(json!({"sectionName": "b"})), [false, true]);
    assert_eq!(parent(json!({"sectionName": "b", "port": 80})), [false, false]);
    assert_eq!(
        parent(json!({"kind": "Gateway", "group": "gateway.networking.k8s.io"})),
        [true, true]
    );
    assert_eq!(parent(json!({"group": "networking.istio.io"})), [false, false]);
    assert_eq!(parent(json!({"kind": "Service", "group": ""})), [false, false]);
    assert_eq!(parent(json!({"namespace": "shop"})), [false, false]);
    assert_eq!(parent(json!({"name": "h"})), [false, false]);
}

#[test]
fn a_host_is_the_narrowest_listeners_of_its_port() {
    let listeners = json!([
        listener("all", 80, ""),
        listener("wide", 80, "*.com"),
        listener("one", 80, "a.com"),
        listener("far", 8080, "b.com")
    ]);
    let section = |name: &str| {
        let mut route = route("web", 1, json!(["a.com", "b.com", "c.org"]), "web");
        route["spec"]["parentRefs"][0]["sectionName"] = json!(name);
        let objects = world([gateway(listeners.clone()), route]);
        ["a.com", "b.com", "c.org"]
            .map(|host| matches!(get(&objects, host, 80, "/web").outcome, Outcome::Sent(_)))
    };
    assert_eq!(section("one"), [true, false, false]);
    assert_eq!(section("wide"), [false, true, false]);
    assert_eq!(section("all"), [false, false, true]);
}

#[test]
fn routes_for_one_host_are_one_and_the_oldest_namespace_is_their_own() {
    let exact = k8s(
        "HTTPRoute",
        "bank",
        "pay",
        2,
        json!({"parentRefs": [{"name": "g", "namespace": "edge"}], "hostnames": ["a.com"],
        "rules": [{"matches": [{"path": {"type": "Exact", "value": "/web/pay"}}], "backendRefs": [{"name": "pay", "port": 80}]}]}),
    );
    let objects = world([
        gateway(json!([listener("a", 80, "")])),
        route("web", 1, json!(["a.com"]), "web"),
        exact,
    ]);
    assert_eq!(
        sent(&get(&objects, "a.com", 80, "/web/pay")).0,
        "pay.bank.svc.cluster.local"
    );
    assert_eq!(
        sent(&get(&objects, "a.com", 80, "/web/pay/x")).0,
        "web.shop.svc.cluster.local"
    );
}

#[test]
fn another_namespaces_backend_is_refused_without_leave_and_named_all_the_same() {
    let mut it = route("web", 1, json!([]), "pay");
    it["spec"]["rules"][0]["backendRefs"][0]["namespace"] = json!("bank");
    let grant = |namespace: &str, kind: &str| {
        k8s(
            "ReferenceGrant",
            namespace,
            "r",
            1,
            json!({
        "from": [{"group": "gateway.networking.k8s.io", "kind": kind, "namespace": "shop"}], "to": [{"group": "", "kind": "Service", "name": "pay"}]}),
        )
    };
    let told = |extra: Vec<Value>| {
        let objects = world(
            [gateway(json!([listener("a", 80, "")])), it.clone()]
                .into_iter()
                .chain(extra),
        );
        let choice = get(&objects, "a.com", 80, "/web");
        let (host, missing) = sent(&choice);
        (host.to_owned(), missing)
    };
    let pay = "pay.bank.svc.cluster.local";
    assert_eq!(told(vec![]), (pay.into(), Some(Missing::Host)));
    assert_eq!(told(vec![grant("bank", "HTTPRoute")]), (pay.into(), None));
    assert_eq!(told(vec![grant("bank", "Gateway")]).1, Some(Missing::Host));
    assert_eq!(told(vec![grant("shop", "HTTPRoute")]).1, Some(Missing::Host));
}

#[test]
fn a_listener_for_other_kinds_takes_none() {
    for (kinds, taken) in [
        (json!([]), true),
        (json!([{"kind": "HTTPRoute"}]), true),
        (
            json!([{"kind": "GRPCRoute"}, {"kind": "HTTPRoute", "group": "gateway.networking.k8s.io"}]),
            true,
        ),
        (json!([{"kind": "GRPCRoute"}]), false),
        (json!([{"kind": "HTTPRoute", "group": "example.com"}]), false),
    ] {
        let mut listener = listener("a", 80, "");
        listener["allowedRoutes"]["kinds"] = kinds.clone();
        let objects = world([gateway(json!([listener])), route("web", 1, json!([]), "web")]);
        assert_eq!(
            matches!(get(&objects, "a.com", 80, "/web").outcome, Outcome::Sent(_)),
            taken,
            "{kinds}"
        );
    }
}

#[test]
fn tls_ends_at_a_listener_whose_certificate_may_be_used() {
    let https = |namespace: &str| {
        json!({"name": "s", "port": 443, "protocol": "HTTPS", "hostname": "a.com",
        "tls": {"certificateRefs": [{"name": "c", "namespace": namespace}]}, "allowedRoutes": {"namespaces": {"from": "All"}}})
    };
    let told = |namespace: &str, sni: &str| {
        let objects = world([
            gateway(json!([https(namespace)])),
            route("web", 1, json!([]), "web"),
        ]);
        ask(
            &objects,
            &Request {
                protocol: Protocol::Https,
                sni: sni.into(),
                path: "/web".into(),
                ..Request::get("a.com", 443)
            },
        )
        .outcome
    };
    assert!(matches!(told("edge", "a.com"), Outcome::Sent(_)));
    assert_eq!(told("edge", "b.com"), Outcome::NoFilterChain);
    assert!(matches!(told("certs", "a.com"), Outcome::Unknown(_)));
}

#[test]
fn routes_of_kinds_that_are_not_seen_make_a_listener_unknown() {
    for protocol in ["TCP", "TLS"] {
        let bytes = json!({"name": "b", "port": 80, "protocol": protocol, "tls": {"mode": "Passthrough"}});
        let objects = world([gateway(json!([bytes]))]);
        assert!(
            matches!(get(&objects, "a.com", 80, "/").outcome, Outcome::Unknown(_)),
            "{protocol}"
        );
    }
    let mut pool = route("web", 1, json!([]), "web");
    pool["spec"]["rules"][0]["backendRefs"] = json!([{"kind": "InferencePool", "name": "p"}]);
    let objects = world([
        gateway(json!([listener("a", 80, ""), listener("b", 8080, "x.org")])),
        pool,
    ]);
    assert!(matches!(
        get(&objects, "a.com", 80, "/").outcome,
        Outcome::Unknown(_)
    ));
}

#[test]
fn what_is_not_judged_or_not_read_is_unknown() {
    let base = || {
        [
            gateway(json!([listener("a", 80, "")])),
            route("web", 1, json!([]), "web"),
        ]
    };
    for kind in [
        Kind::GatewayApiGateway,
        Kind::HttpRoute,
        Kind::ReferenceGrant,
        Kind::Namespace,
    ] {
        let mut objects = world(base());
        objects.kinds.remove(&kind);
        assert!(
            matches!(get(&objects, "a.com", 80, "/web").outcome, Outcome::Unknown(_)),
            "{kind:?}"
        );
    }
    let with = |spec: Value| {
        let [mut gateway, route] = base();
        gateway["spec"]
            .as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        get(&world([gateway, route]), "a.com", 80, "/web").outcome
    };
    assert!(matches!(with(json!({})), Outcome::Sent(_)));
    assert!(matches!(
        with(json!({"gatewayClassName": "mine"})),
        Outcome::Unknown(_)
    ));
    assert!(matches!(
        with(json!({"allowedListeners": {"namespaces": {"from": "Same"}}})),
        Outcome::Unknown(_)
    ));
    // Another Gateway's pods are none of this one's.
    let mut other = proxy();
    other.labels = [("app".into(), "h".into())].into();
    let [mut odd, route] = base();
    odd["spec"]["gatewayClassName"] = json!("mine");
    let objects = world([odd, route]);
    assert_eq!(
        choose(&Mesh::of(&objects), &other, &Request::get("a.com", 80)).outcome,
        Outcome::NoListener
    );
}

#[test]
fn a_service_entry_that_may_stand_behind_an_address_is_not_judged() {
    let mut it = gateway(json!([listener("a", 80, "")]));
    it["spec"]["addresses"] = json!([{"type": "Hostname", "value": "gw.example"}]);
    let entry = |app: &str| {
        istio(
            "ServiceEntry",
            "edge",
            "e",
            1,
            json!({"hosts": ["gw.example"], "workloadSelector": {"labels": {"app": app}}}),
        )
    };
    assert!(matches!(
        get(&world([it.clone(), entry("g")]), "a.com", 80, "/").outcome,
        Outcome::Unknown(_)
    ));
    assert_eq!(
        get(&world([it.clone(), entry("h")]), "a.com", 80, "/").outcome,
        Outcome::NoListener
    );
    assert_eq!(get(&world([it]), "a.com", 80, "/").outcome, Outcome::NoListener);
}

#[test]
fn a_deployed_gateway_takes_no_istio_gateway_of_another_namespace() {
    let own = |namespace: &str, name: &str| {
        istio(
            "Gateway",
            namespace,
            name,
            1,
            json!({"selector": {"app": "g"},
        "servers": [{"port": {"number": 8080, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}),
        )
    };
    let told = |manual: bool, namespace: &str| {
        let mut it = gateway(json!([listener("a", 80, "")]));
        if manual {
            it["spec"]["addresses"] = json!([{"type": "Hostname", "value": "g-istio"}]);
        }
        let objects = world([it, own(namespace, "i")]);
        let merged = merged(&Mesh::of(&objects), &proxy()).unwrap();
        let skipped = merged
            .skipped
            .iter()
            .map(|it| (it.why.clone(), it.winner.key.kind));
        (merged.groups.len(), skipped.collect::<Vec<_>>())
    };
    assert_eq!(
        told(false, "default"),
        (1, vec![(Skip::Strict, Kind::GatewayApiGateway)])
    );
    assert_eq!(told(false, "edge"), (2, vec![]));
    assert_eq!(told(true, "default"), (2, vec![]));
}

#[test]
fn a_listener_is_on_its_own_services_port_alone() {
    let other = service(
        "edge",
        "other",
        "g",
        json!([{"name": "more", "port": 9000}, {"name": "http", "port": 80, "targetPort": 7000}]),
    );
    let objects = world([
        gateway(json!([listener("a", 9000, ""), listener("b", 80, "")])),
        route("web", 1, json!([]), "web"),
        other,
    ]);
    let merged = merged(&Mesh::of(&objects), &proxy()).unwrap();
    let targets: Vec<&Target> = merged.groups.iter().map(|it| &it.target).collect();
    assert_eq!(targets, [&Target::Number(80)]);
    assert!(merged.ambiguous.is_empty());
    assert_eq!(
        sent(&get(&objects, "a.com", 80, "/web")).0,
        "web.shop.svc.cluster.local"
    );
    assert_eq!(get(&objects, "a.com", 9000, "/web").outcome, Outcome::NoListener);
}

#[test]
fn what_it_serves_is_told_by_listener() {
    let https = json!({"name": "s", "port": 443, "protocol": "HTTPS", "hostname": "b.com", "tls": {"certificateRefs": [{"name": "c"}]}});
    let objects = world([
        gateway(json!([{"name": "odd"}, listener("a", 80, "a.com"), https])),
        route("web", 1, json!(["a.com"]), "web"),
        route("web2", 2, json!(["a.com"]), "web"),
    ]);
    let mesh = Mesh::of(&objects);
    let told = serves(
        &mesh,
        objects.object(Kind::GatewayApiGateway, "edge", "g").unwrap(),
    )
    .unwrap();
    assert_eq!((told.pods.len(), told.across_namespaces), (1, false));
    let servers: Vec<_> = told
        .servers
        .iter()
        .map(|it| {
            (
                it.server.index,
                it.server.port,
                it.used_by.iter().map(|it| &*it.name).collect(),
                it.credential_namespaces.clone(),
                it.reach.len(),
            )
        })
        .collect();
    assert_eq!(
        servers,
        [
            (1, 80, vec!["web2", "web"], vec![], 1),
            (2, 443, vec![], vec!["edge".into()], 1)
        ]
    );
    let mut odd = gateway(json!([]));
    odd["spec"]["gatewayClassName"] = json!("mine");
    let objects = world([odd]);
    assert!(
        serves(
            &Mesh::of(&objects),
            objects.object(Kind::GatewayApiGateway, "edge", "g").unwrap()
        )
        .is_err()
    );
}
