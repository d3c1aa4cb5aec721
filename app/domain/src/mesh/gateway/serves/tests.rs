use super::{bound, serves};
use crate::{
    manifests,
    mesh::{
        Mesh, Proxy,
        gateway::{Skip, Target, merged},
    },
    object::Kind,
    snapshot::Objects,
};
use serde_json::{Value, json};

fn gateway(namespace: &str, name: &str, age: u32, servers: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": name, "namespace": namespace,
        "creationTimestamp": format!("2026-01-0{age}T00:00:00Z")}, "spec": {"selector": {"istio": "ingressgateway"}, "servers": servers}})
}

fn virtual_service(namespace: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn pod(name: &str, ready: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "istio-system", "labels": {"istio": "ingressgateway"},
        "annotations": {"sidecar.istio.io/status": "{}"}},
        "spec": {"containers": [{"name": "istio-proxy"}]}, "status": {"conditions": [{"type": "Ready", "status": ready}]}})
}

fn service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gw", "namespace": "istio-system"}, "spec": {
        "selector": {"istio": "ingressgateway"}, "ports": [{"port": 80, "targetPort": 8080}, {"port": 443, "targetPort": "https"}]}})
}

fn http(port: u16, host: &str) -> Value {
    json!({"port": {"number": port, "name": "http", "protocol": "HTTP"}, "hosts": [host]})
}

fn https(name: &str, host: &str) -> Value {
    json!({"port": {"number": 443, "name": name, "protocol": "HTTPS"}, "hosts": [host], "tls": {"mode": "SIMPLE", "credentialName": "cert"}})
}

fn world(extra: &[Value]) -> Objects {
    let base = [pod("gw-1", "True"), pod("gw-2", "False"), service()];
    manifests::objects(base.into_iter().chain(extra.iter().cloned())).unwrap()
}

fn proxy() -> Proxy {
    Proxy::gateway("istio-system", [("istio".into(), "ingressgateway".into())].into())
}

/// Positions of the servers of each group, as gateway's name and index.
fn groups(objects: &Objects) -> Vec<Vec<(String, u32)>> {
    let merged = merged(&Mesh::of(objects), &proxy()).unwrap();
    let place = |it: &crate::mesh::gateway::Placed<'_>| (it.name.to_string(), it.server.index);
    merged
        .groups
        .iter()
        .map(|group| group.servers.iter().map(place).collect())
        .collect()
}

fn skipped(objects: &Objects) -> Vec<(String, Skip, String)> {
    let merged = merged(&Mesh::of(objects), &proxy()).unwrap();
    let told = |it: crate::mesh::gateway::Skipped<'_>| {
        (it.placed.name.to_string(), it.why, it.winner.key.name.to_string())
    };
    merged.skipped.into_iter().map(told).collect()
}

#[test]
fn the_credential_must_be_where_the_pods_are_and_not_where_the_gateway_is() {
    let objects = world(&[gateway(
        "default",
        "g",
        1,
        &json!([https("https", "a.com"), http(80, "a.com")]),
    )]);
    let mesh = Mesh::of(&objects);
    let serving = serves(&mesh, objects.object(Kind::Gateway, "default", "g").unwrap()).unwrap();
    assert_eq!(serving.servers[0].credential_namespaces, ["istio-system".into()]);
    assert!(serving.servers[1].credential_namespaces.is_empty());
    assert!(serving.across_namespaces);
    assert_eq!(
        serving.pods.iter().map(|it| it.ready).collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn a_selector_that_no_pod_has_serves_nothing() {
    let mut nobody = gateway("default", "g", 1, &json!([http(80, "*")]));
    nobody["spec"]["selector"] = json!({"istio": "ingress"});
    let objects = world(&[nobody]);
    let serving = serves(
        &Mesh::of(&objects),
        objects.object(Kind::Gateway, "default", "g").unwrap(),
    )
    .unwrap();
    assert!(serving.pods.is_empty() && !serving.across_namespaces);
}

#[test]
fn a_service_leads_to_a_servers_port_by_its_own_number_or_by_its_target() {
    let objects = world(&[gateway(
        "istio-system",
        "g",
        1,
        &json!([http(80, "a"), http(8080, "b"), http(9000, "c"), https("h", "d")]),
    )]);
    let serving = serves(
        &Mesh::of(&objects),
        objects.object(Kind::Gateway, "istio-system", "g").unwrap(),
    )
    .unwrap();
    let reach: Vec<Vec<(u16, Target)>> = serving
        .servers
        .iter()
        .map(|it| it.reach.iter().map(|it| (it.port, it.target.clone())).collect())
        .collect();
    let eighty = vec![(80, Target::Number(8080))];
    assert_eq!(
        reach,
        [
            eighty.clone(),
            eighty,
            vec![],
            vec![(443, Target::Named("https".into()))]
        ]
    );
    assert!(!serving.across_namespaces);
}

#[test]
fn a_server_without_virtual_services_is_noticed() {
    let bound = virtual_service(
        "shop",
        "v",
        &json!({"hosts": ["a.com"], "gateways": ["default/g"]}),
    );
    let mesh_only = virtual_service("shop", "w", &json!({"hosts": ["b.com"]}));
    let objects = world(&[
        gateway(
            "default",
            "g",
            1,
            &json!([http(80, "*.com"), http(81, "b.com"), http(82, "other/a.com")]),
        ),
        bound,
        mesh_only,
    ]);
    let serving = serves(
        &Mesh::of(&objects),
        objects.object(Kind::Gateway, "default", "g").unwrap(),
    )
    .unwrap();
    let used: Vec<usize> = serving.servers.iter().map(|it| it.used_by.len()).collect();
    assert_eq!(used, [1, 0, 0]);
}

#[test]
fn trusted_proxies_are_the_meshs_own() {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": "defaultConfig: {gatewayTopology: {numTrustedProxies: 2}}"}});
    let g = gateway("default", "g", 1, &json!([]));
    let told = |objects: &Objects| {
        serves(
            &Mesh::of(objects),
            objects.object(Kind::Gateway, "default", "g").unwrap(),
        )
        .unwrap()
        .trusted_proxies
    };
    assert_eq!(told(&world(&[g.clone(), map])), 2);
    assert_eq!(told(&world(&[g])), 0);
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let mut objects = world(&[gateway("default", "g", 1, &json!([]))]);
    objects.kinds.remove(&Kind::Pod);
    let g = objects.object(Kind::Gateway, "default", "g").unwrap();
    assert_eq!(serves(&Mesh::of(&objects), g).unwrap_err().len(), 1);
    objects.kinds.remove(&Kind::Service);
    assert_eq!(merged(&Mesh::of(&objects), &proxy()).unwrap_err().len(), 1);
}

#[test]
fn a_gateway_without_a_selector_is_for_every_gateway_and_its_pods_are_not_known() {
    let mut all = gateway("default", "g", 1, &json!([http(80, "*")]));
    all["spec"]["selector"] = json!({});
    let objects = world(&[all]);
    assert!(
        serves(
            &Mesh::of(&objects),
            objects.object(Kind::Gateway, "default", "g").unwrap()
        )
        .is_err()
    );
    assert_eq!(groups(&objects).len(), 1);
}

#[test]
fn plain_servers_on_one_port_are_one_whatever_gateway_they_are_of() {
    let objects = world(&[
        gateway("default", "young", 2, &json!([http(80, "a.com")])),
        gateway(
            "other",
            "old",
            1,
            &json!([http(80, "a.com"), http(8080, "b.com")]),
        ),
    ]);
    assert_eq!(
        groups(&objects),
        [[
            ("other/old".into(), 0),
            ("other/old".into(), 1),
            ("default/young".into(), 0)
        ]]
    );
    assert_eq!(skipped(&objects), []);
}

#[test]
fn another_protocol_on_a_plain_port_is_left_out_and_the_older_stands() {
    let tcp = json!([{"port": {"number": 80, "name": "tcp", "protocol": "TCP"}, "hosts": ["*"]}]);
    let objects = world(&[
        gateway("default", "young", 2, &tcp),
        gateway("default", "old", 1, &json!([http(80, "*")])),
    ]);
    assert_eq!(
        skipped(&objects),
        [("default/young".into(), Skip::Protocol, "old".into())]
    );
    let objects = world(&[
        gateway("default", "young", 2, &json!([http(80, "*")])),
        gateway("default", "old", 1, &tcp),
    ]);
    assert_eq!(
        skipped(&objects),
        [("default/young".into(), Skip::Protocol, "old".into())]
    );
}

#[test]
fn two_tcp_servers_on_a_port_are_one_too_many_unless_their_addresses_differ() {
    let tcp = |bind: &str| json!([{"port": {"number": 9000, "name": "tcp", "protocol": "TCP"}, "hosts": ["*"], "bind": bind}]);
    let pair = |bind: &str| {
        world(&[
            gateway("default", "a", 1, &tcp("10.0.0.1")),
            gateway("default", "b", 2, &tcp(bind)),
        ])
    };
    assert_eq!(skipped(&pair("10.0.0.1")).len(), 1);
    assert_eq!(
        (skipped(&pair("10.0.0.2")).len(), groups(&pair("10.0.0.2")).len()),
        (0, 2)
    );
}

#[test]
fn a_tls_host_twice_on_a_port_is_the_older_gateways() {
    let objects = world(&[
        gateway(
            "default",
            "young",
            2,
            &json!([https("a", "a.com"), https("b", "b.com")]),
        ),
        gateway("default", "old", 1, &json!([https("a", "a.com")])),
    ]);
    assert_eq!(
        skipped(&objects),
        [(
            "default/young".into(),
            Skip::Hosts(vec!["a.com".into()]),
            "old".into()
        )]
    );
    assert_eq!(
        groups(&objects),
        [[("default/old".into(), 0), ("default/young".into(), 1)]]
    );
}

#[test]
fn redirecting_servers_count_as_tls_when_hosts_are_compared() {
    let redirect = json!([{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"], "tls": {"httpsRedirect": true}}]);
    let objects = world(&[
        gateway("default", "a", 1, &redirect),
        gateway("default", "b", 2, &redirect),
    ]);
    assert_eq!(
        skipped(&objects),
        [("default/b".into(), Skip::Hosts(vec!["*".into()]), "a".into())]
    );
}

#[test]
fn https_servers_of_one_gateway_need_different_port_names() {
    let objects = world(&[gateway(
        "default",
        "g",
        1,
        &json!([https("x", "a.com"), https("x", "b.com"), https("y", "c.com")]),
    )]);
    assert_eq!(
        skipped(&objects),
        [("default/g".into(), Skip::PortName, "g".into())]
    );
    assert_eq!(
        groups(&objects),
        [[("default/g".into(), 0), ("default/g".into(), 2)]]
    );
}

#[test]
fn services_that_send_a_port_to_different_places_are_ambiguous() {
    let mut other = service();
    other["metadata"]["name"] = json!("gw2");
    other["spec"]["ports"][0]["targetPort"] = json!(9090);
    let g = gateway("default", "g", 1, &json!([http(80, "*"), http(81, "*")]));
    let told = |objects: &Objects| merged(&Mesh::of(objects), &proxy()).unwrap().ambiguous;
    assert_eq!(told(&world(&[g.clone(), other])), [80]);
    assert_eq!(told(&world(&[g.clone(), service()])), Vec::<u16>::new());
    assert_eq!(told(&world(&[g])), Vec::<u16>::new());
}

#[test]
fn a_virtual_service_is_bound_by_name_and_seen_only_where_it_is_exported() {
    let v = |name: &str, gateways: Value, to: Value| {
        virtual_service(
            "shop",
            name,
            &json!({"hosts": ["a.com"], "gateways": gateways, "exportTo": to}),
        )
    };
    let objects = world(&[
        gateway("default", "g", 1, &json!([])),
        v("public", json!(["default/g"]), json!([])),
        v("exported", json!(["default/g"]), json!(["istio-system"])),
        v("elsewhere", json!(["default/g"]), json!(["other"])),
        v("private", json!(["default/g"]), json!(["."])),
        v("nobody", json!(["default/g"]), json!(["~", "istio-system"])),
        v("short", json!(["g"]), json!([])),
    ]);
    let mesh = Mesh::of(&objects);
    let g = objects.object(Kind::Gateway, "default", "g").unwrap();
    let told = |namespace: &str| {
        bound(&mesh, g, namespace)
            .iter()
            .map(|it| it.key().name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(told("istio-system"), ["exported", "public"]);
    assert_eq!(told("shop"), ["private", "public"]);
}

#[test]
fn a_delegate_is_bound_to_nothing() {
    let delegate = virtual_service("default", "d", &json!({"gateways": ["g"]}));
    let objects = world(&[gateway("default", "g", 1, &json!([])), delegate]);
    assert!(
        bound(
            &Mesh::of(&objects),
            objects.object(Kind::Gateway, "default", "g").unwrap(),
            "x"
        )
        .is_empty()
    );
}
