#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` is written where it is used"
)]

use super::{Front, fronts, listener_of};
use crate::{manifests, snapshot::Objects};
use serde_json::{Value, json};

fn gateway(spec: Value) -> Value {
    let mut whole = json!({"gatewayClassName": "istio"});
    whole
        .as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "g", "namespace": "edge"}, "spec": whole})
}

fn objects(all: &[Value]) -> Objects {
    manifests::objects(all.iter().cloned()).unwrap()
}

fn front(all: &[Value]) -> Front {
    fronts(&objects(all)).remove(0)
}

fn listeners(listeners: Value, extra: &[Value]) -> Vec<Value> {
    let mut all = vec![gateway(json!({ "listeners": listeners }))];
    all.extend(extra.iter().cloned());
    let made = front(&all).gateways;
    made.iter()
        .map(|it| it.list("/spec/servers")[0].clone())
        .collect()
}

fn http(port: u16, host: &str) -> Value {
    json!({"name": format!("l{port}{host}"), "port": port, "protocol": "HTTP", "hostname": host})
}

#[test]
fn istiod_deploys_a_gateway_unless_an_address_names_a_service() {
    let told = |spec: Value| {
        let front = front(&[gateway(spec)]);
        let names: Vec<String> = front
            .services
            .iter()
            .map(|it| it.replace(".svc.cluster.local", ""))
            .collect();
        (front.managed, names.join(" "))
    };
    let address = |kind: &str, value: &str| json!({"type": kind, "value": value});
    assert_eq!(told(json!({})), (true, "g-istio.edge".into()));
    assert_eq!(
        told(json!({"addresses": [{"value": "10.0.0.1"}]})),
        (true, "g-istio.edge".into())
    );
    assert_eq!(
        told(json!({"addresses": [address("IPAddress", "10.0.0.1")]})),
        (true, "g-istio.edge".into())
    );
    assert_eq!(
        told(json!({"addresses": [address("Hostname", "gw")]})),
        (false, "gw.edge".into())
    );
    assert_eq!(
        told(
            json!({"addresses": [address("Hostname", "gw.other.svc.cluster.local"), address("IPAddress", "10.0.0.1"), {"value": "b"}]})
        ),
        (false, "gw.other b.edge".into())
    );
    assert_eq!(
        told(json!({"addresses": [address("IPAddress", "10.0.0.1"), address("IPAddress", "10.0.0.2")]})),
        (false, String::new())
    );
    let named = |name: &str| {
        let mut it = gateway(json!({}));
        it["metadata"]["annotations"] = json!({"gateway.istio.io/name-override": name});
        front(&[it]).services[0].to_string()
    };
    assert_eq!(named("mine"), "mine.edge.svc.cluster.local");
    assert_eq!(named(""), "g-istio.edge.svc.cluster.local");
}

#[test]
fn pods_of_its_service_in_its_own_namespace_serve_it() {
    let service = |namespace: &str, selector: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "g-istio", "namespace": namespace}, "spec": {"selector": selector}});
    let labels = [("app".into(), "gw".into())].into();
    let told = |namespace: &str, extra: Value| {
        let all = objects(&[gateway(json!({})), extra]);
        fronts(&all)[0].serves(&all, namespace, &labels)
    };
    assert!(told("edge", service("edge", json!({"app": "gw"}))));
    assert!(!told("other", service("edge", json!({"app": "gw"}))));
    assert!(!told("edge", service("other", json!({"app": "gw"}))));
    assert!(!told("edge", service("edge", json!({"app": "gw", "x": "y"}))));
    assert!(!told("edge", service("edge", json!({}))));
}

#[test]
fn another_class_or_listeners_that_are_not_seen_are_not_judged() {
    let told = |spec: Value| front(&[gateway(spec)]).judged;
    assert!(told(json!({})) && told(json!({"allowedListeners": {"namespaces": {"from": "None"}}})));
    assert!(!told(
        json!({"allowedListeners": {"namespaces": {"from": "All"}}})
    ));
    assert!(!told(json!({"gatewayClassName": "nginx"})));
    let other = front(&[gateway(
        json!({"gatewayClassName": "nginx", "listeners": [http(80, "a")]}),
    )]);
    assert!(other.gateways.is_empty());
}

#[test]
fn a_listener_is_a_server_with_the_namespaces_whose_routes_it_takes() {
    let namespaces = [("shop", json!({"team": "a"})), ("bank", json!({}))].map(|(name, labels)| {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    });
    let hosts = |allowed: Value| {
        let listener = json!({"name": "l", "port": 80, "protocol": "HTTP", "hostname": "a.com", "allowedRoutes": allowed});
        let hosts = listeners(json!([listener]), &namespaces)[0]["hosts"].clone();
        hosts
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let from =
        |from: &str, selector: Value| hosts(json!({"namespaces": {"from": from, "selector": selector}}));
    assert_eq!(hosts(Value::Null), ["edge/a.com"]);
    assert_eq!(from("Same", Value::Null), ["edge/a.com"]);
    assert_eq!(from("All", Value::Null), ["*/a.com"]);
    assert_eq!(from("Selector", Value::Null), ["*/a.com"]);
    assert_eq!(
        from("Selector", json!({"matchLabels": {"team": "a"}})),
        ["shop/a.com"]
    );
    assert_eq!(
        from(
            "Selector",
            json!({"matchLabels": {"kubernetes.io/metadata.name": "bank"}})
        ),
        ["bank/a.com"]
    );
    assert_eq!(from("Selector", json!({})), ["bank/a.com", "shop/a.com"]);
    assert_eq!(
        from("Selector", json!({"matchLabels": {"team": "b"}})),
        ["~/a.com"]
    );
    assert_eq!(
        from(
            "Selector",
            json!({"matchExpressions": [{"key": "team", "operator": "Odd"}]})
        ),
        ["~/a.com"]
    );
    assert_eq!(
        listeners(json!([{"name": "l", "port": 80, "protocol": "HTTP"}]), &[])[0]["hosts"],
        json!(["edge/*"])
    );
}

#[test]
fn of_two_listeners_that_are_not_told_apart_the_first_stands() {
    let of = |protocol: &str, host: &str| json!({"name": "l", "port": 80, "protocol": protocol, "hostname": host, "tls": {}});
    let ports = |a: Value, b: Value| {
        let made = listeners(json!([a, b]), &[]);
        made.iter()
            .map(|it| it["port"]["protocol"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ports(of("HTTP", "a"), of("HTTPS", "a")), ["HTTP"]);
    assert_eq!(ports(of("HTTP", ""), of("TLS", "*")), ["HTTP"]);
    assert_eq!(ports(of("HTTP", "a"), of("HTTPS", "b")), ["HTTP", "HTTPS"]);
    assert_eq!(ports(of("TCP", "a"), of("HTTP", "b")), ["TCP"]);
    assert_eq!(ports(of("HTTP", "a"), of("TCP", "b")), ["HTTP"]);
    assert_eq!(ports(of("TCP", "a"), of("TCP", "b")), ["TCP"]);
    assert_eq!(ports(of("TCP", "a"), of("UDP", "b")), ["TCP"]);
    assert_eq!(ports(of("HTTP", "a"), of("odd", "a")), ["HTTP", ""]);
    let mut elsewhere = of("HTTPS", "a");
    elsewhere["port"] = json!(81);
    assert_eq!(ports(of("HTTP", "a"), elsewhere), ["HTTP", "HTTPS"]);
    // What does not stand takes nothing from those after it.
    let made = listeners(json!([of("HTTP", "a"), of("HTTPS", "a"), of("TLS", "b")]), &[]);
    assert_eq!(made.len(), 2);
}

#[test]
fn tls_is_what_the_listener_says() {
    let tls = |protocol: &str, tls: Value| {
        let listener = json!({"name": "l", "port": 443, "protocol": protocol, "tls": tls});
        listeners(json!([listener]), &[])
            .first()
            .map(|it| it["tls"].clone())
    };
    let option = |mode: &str| json!({"certificateRefs": [{"name": "c"}], "options": {"gateway.istio.io/tls-terminate-mode": mode}});
    let own = json!(["kubernetes-gateway://edge/c"]);
    assert_eq!(
        tls("HTTPS", json!({"certificateRefs": [{"name": "c"}]})),
        Some(json!({"mode": "SIMPLE", "credentialNames": own}))
    );
    assert_eq!(tls("HTTPS", option("MUTUAL")).unwrap()["mode"], "MUTUAL");
    assert_eq!(
        tls("HTTPS", option("OPTIONAL_MUTUAL")).unwrap()["mode"],
        "OPTIONAL_MUTUAL"
    );
    assert_eq!(
        tls("HTTPS", option("ISTIO_MUTUAL")),
        Some(json!({"mode": "ISTIO_MUTUAL"}))
    );
    assert_eq!(
        tls("HTTPS", option("ISTIO_SIMPLE")),
        Some(json!({"mode": "SIMPLE"}))
    );
    assert_eq!(
        tls("TLS", json!({"mode": "Passthrough"})),
        Some(json!({"mode": "PASSTHROUGH"}))
    );
    assert_eq!(
        tls(
            "TLS",
            json!({"mode": "Passthrough", "options": {"gateway.istio.io/listener-protocol": "auto-passthrough"}})
        ),
        Some(json!({"mode": "AUTO_PASSTHROUGH"}))
    );
    // A listener for TLS without any is not there.
    assert_eq!(tls("HTTPS", Value::Null), None);
    assert_eq!(tls("HTTP", Value::Null), Some(Value::Null));
}

#[test]
fn another_namespaces_certificate_needs_its_leave() {
    let grant = |kind: &str, to: Value| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "ReferenceGrant", "metadata": {"name": "r", "namespace": "certs"},
            "spec": {"from": [{"group": "gateway.networking.k8s.io", "kind": kind, "namespace": "edge"}], "to": [to]}})
    };
    let usable = |certificates: Value, extra: &[Value]| {
        let listener =
            json!({"name": "l", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": certificates}});
        let mut all = vec![gateway(json!({"listeners": [listener]}))];
        all.extend(extra.iter().cloned());
        listener_of(&front(&all).gateways[0]).unwrap().2
    };
    let theirs = || json!([{"name": "c", "namespace": "certs"}]);
    let secrets = json!({"group": "", "kind": "Secret"});
    assert!(usable(json!([{"name": "c"}]), &[]));
    assert!(usable(json!([{"name": "c", "namespace": "edge"}]), &[]));
    assert!(!usable(theirs(), &[]) && usable(theirs(), &[grant("Gateway", secrets.clone())]));
    assert!(usable(
        theirs(),
        &[grant(
            "Gateway",
            json!({"group": "", "kind": "Secret", "name": "c"})
        )]
    ));
    assert!(!usable(
        theirs(),
        &[grant(
            "Gateway",
            json!({"group": "", "kind": "Secret", "name": "d"})
        )]
    ));
    assert!(!usable(
        theirs(),
        &[grant("Gateway", json!({"group": "", "kind": "Service"}))]
    ));
    assert!(!usable(theirs(), &[grant("HTTPRoute", secrets)]));
    // One that may be used is enough; three are too many; another kind is none.
    assert!(usable(
        json!([{"name": "c", "namespace": "certs"}, {"name": "d"}]),
        &[]
    ));
    assert!(!usable(json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]), &[]));
    assert!(!usable(json!([{"name": "a", "kind": "ConfigMap"}]), &[]));
    assert!(!usable(json!([]), &[]));
}

#[test]
fn a_translated_gateway_names_its_listener() {
    let all = [gateway(
        json!({"listeners": [http(80, "a"), {"name": "odd"}, http(81, "b")]}),
    )];
    let front = front(&all);
    let told: Vec<(String, u32)> = front
        .gateways
        .iter()
        .map(|it| {
            let (key, index, _) = listener_of(it).unwrap();
            (format!("{}/{}", key.namespace, key.name), index)
        })
        .collect();
    assert_eq!(told, [("edge/g".into(), 0), ("edge/g".into(), 2)]);
    assert_eq!(
        &*front.gateways[1].key().name,
        "g~istio-autogenerated-k8s-gateway~l81b"
    );
    assert_eq!(listener_of(&front.gateway), None);
}
