//! Whatever stands in the objects, each question has an answer: no panic on any JSON.

use super::{
    Mesh, Proxy, authz,
    explain::explain,
    gateway, gateway_api, injection, mtls,
    route::{self, ChosenDestination, Protocol, Request},
    subset,
};
use crate::{
    manifests,
    object::{Key, Kind},
    snapshot::Objects,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value, json};

/// Words that stand in real objects, so that nonsense goes deep.
const NAMES: &[&str] = &[
    "hosts",
    "http",
    "tls",
    "tcp",
    "match",
    "route",
    "destination",
    "host",
    "subset",
    "port",
    "number",
    "weight",
    "uri",
    "exact",
    "prefix",
    "regex",
    "headers",
    "queryParams",
    "method",
    "gateways",
    "servers",
    "selector",
    "protocol",
    "name",
    "mode",
    "sniHosts",
    "delegate",
    "namespace",
    "redirect",
    "rewrite",
    "mirror",
    "mirrors",
    "fault",
    "retries",
    "timeout",
    "exportTo",
    "subsets",
    "labels",
    "trafficPolicy",
    "portLevelSettings",
    "mtls",
    "portLevelMtls",
    "rules",
    "from",
    "to",
    "when",
    "source",
    "operation",
    "principals",
    "notPrincipals",
    "ipBlocks",
    "paths",
    "key",
    "values",
    "notValues",
    "action",
    "provider",
    "jwtRules",
    "issuer",
    "egress",
    "ports",
    "addresses",
    "endpoints",
    "location",
    "resolution",
    "matchLabels",
    "workloadSelector",
    "parentRefs",
    "backendRefs",
    "filters",
    "matches",
    "path",
    "type",
    "value",
    "httpsRedirect",
    "credentialName",
    "targetPort",
    "spec",
    "template",
    "containers",
    "metadata",
    "annotations",
    "webhooks",
    "namespaceSelector",
    "objectSelector",
    "matchExpressions",
    "operator",
    "kind",
    "group",
    "configPatches",
    "patch",
    "percentage",
    "abort",
    "httpStatus",
    "delay",
    "fixedDelay",
    "outlierDetection",
    "connectionPool",
    "loadBalancer",
    "listeners",
    "gatewayClassName",
    "hostname",
    "hostnames",
    "allowedRoutes",
    "namespaces",
    "tls",
    "certificateRefs",
    "requestRedirect",
    "urlRewrite",
    "requestMirror",
    "backendRef",
    "replacePrefixMatch",
    "sectionName",
];
const TEXTS: &[&str] = &[
    "",
    "*",
    ".",
    "a",
    "web",
    "shop",
    "web.shop.svc.cluster.local",
    "*.example",
    "mesh",
    "shop/edge",
    "HTTP",
    "HTTPS",
    "TLS",
    "STRICT",
    "DISABLE",
    "SIMPLE",
    "PASSTHROUGH",
    "ALLOW",
    "DENY",
    "CUSTOM",
    "/",
    "/a",
    "(",
    "[0-9]+",
    "10.0.0.1",
    "10.0.0.0/8",
    "::/0",
    "5s",
    "-1s",
    "request.headers[a]",
    "request.auth.claims[a][b]",
    "source.ip",
    "Service",
    "Gateway",
    "In",
    "Exists",
    "enabled",
    "true",
    "한글",
    "\u{0}",
    "{*}",
    "/{**}/x",
    "cluster.local/ns/shop/sa/web",
    "RequestRedirect",
    "URLRewrite",
    "ReplacePrefixMatch",
    "Hostname",
    "Selector",
];

fn json() -> impl Strategy<Value = Value> {
    let text = || prop_oneof![4 => prop::sample::select(TEXTS).prop_map(String::from), 1 => ".{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(0_i64), Just(80), Just(-1), Just(65_536), any::<i64>()].prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 6, move |inner| {
        let field = (prop::sample::select(NAMES).prop_map(String::from), inner.clone());
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            vec(field, 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A system that holds, and nonsense beside it: of any kind, in the places that questions look at.
fn world() -> impl Strategy<Value = Vec<Value>> {
    let kinds = prop::sample::select(&Kind::ALL[..]);
    let place = (
        prop::sample::select(&["web", "edge", "istio", "odd"][..]),
        prop::sample::select(&["shop", "istio-system"][..]),
    );
    let object = (kinds, place, json(), json()).prop_map(|(kind, (name, namespace), spec, rest)| {
        let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.name(),
            "metadata": {"name": name, "namespace": namespace}});
        if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
            for (name, value) in rest
                .into_iter()
                .filter(|(name, _)| name != "metadata" && name != "kind")
            {
                object.insert(name, value);
            }
            object.insert("spec".into(), spec);
        }
        object
    });
    vec(object, 1..8)
}

fn sound() -> Vec<Value> {
    let pod = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name, "istio": name}},
        "spec": {"containers": [{"name": "istio-proxy"}]}, "status": {"phase": "Running", "podIP": "10.0.0.9"}})
    };
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"clusterIP": "10.0.0.1", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}, {"name": "tcp", "port": 90}, {"port": 91}]}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "web-x", "namespace": "shop",
            "labels": {"kubernetes.io/service-name": "web"}}, "ports": [{"name": "http", "port": 8080}], "endpoints": [{"targetRef": {"kind": "Pod", "name": "web"}}]}),
        json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "sound", "namespace": "shop"},
            "spec": {"selector": {"istio": "edge"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge-istio", "namespace": "shop"},
            "spec": {"clusterIP": "10.0.0.2", "selector": {"app": "edge"}, "ports": [{"name": "http", "port": 90}]}}),
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "edge", "namespace": "shop"},
            "spec": {"gatewayClassName": "istio", "listeners": [{"name": "http", "port": 90, "protocol": "HTTP"}]}}),
        pod("web"),
        pod("edge"),
    ]
}

fn ask_everything(objects: &Objects) {
    let mesh = Mesh::of(objects);
    let labels = |app: &str| [("app".into(), app.into()), ("istio".into(), app.into())].into();
    let (sidecar, edge) = (
        Proxy::sidecar("shop", labels("web")),
        Proxy::gateway("shop", labels("edge")),
    );
    for protocol in [Protocol::Http, Protocol::Https, Protocol::Tls, Protocol::Tcp] {
        for port in [80, 90, 91] {
            let request = Request {
                protocol,
                sni: "web.shop.svc.cluster.local".into(),
                path: "/a?b=1".into(),
                ..Request::get("web.shop", port)
            };
            let _ = route::choose(&mesh, &sidecar, &request);
            let _ = route::choose(&mesh, &edge, &request);
            let _ = explain(&mesh, &("shop".into(), "web".into()), &request);
        }
    }
    for object in objects.of_kind(Kind::VirtualService) {
        let _ = route::unreachable(object);
    }
    for kind in [Kind::Gateway, Kind::GatewayApiGateway] {
        for object in objects.of_kind(kind) {
            let _ = gateway::serves(&mesh, object);
        }
    }
    let _ = gateway_api::at_gateways(objects);
    let _ = gateway_api::virtual_services(objects);
    let to = ChosenDestination {
        host: "web.shop.svc.cluster.local".into(),
        subset: "a".into(),
        port: 80,
    };
    let _ = (
        subset::policy(&mesh, &sidecar, &to),
        subset::reach(&mesh, &sidecar, &to),
        mtls::server_mode(&mesh, &sidecar, 8080),
    );
    let request = authz::Request::get("web", 80).from("cluster.local/ns/shop/sa/web");
    let _ = (
        authz::decide(&mesh, &sidecar, &request),
        authz::decide(&mesh, &edge, &authz::Request::tcp(80)),
        authz::policies(&mesh, &sidecar),
    );
    for template in injection::templates(objects) {
        let namespace = objects.namespaces.get(&Key::new(Kind::Namespace, "", "shop"));
        let _ = namespace.map(|it| injection::will_inject(&mesh, it, &template));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_json_is_too_odd(nonsense in world()) {
        // Beside sound objects, and in their place.
        for all in [sound().into_iter().chain(nonsense.clone()).collect(), nonsense] {
            let all: Vec<Value> = all;
            if let Ok(objects) = manifests::objects(all) {
                ask_everything(&objects);
            }
        }
    }
}
