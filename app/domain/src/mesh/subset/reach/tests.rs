use super::{Endpoint, Reach, reach};
use crate::{
    fact::{Labels, Proxy as Meshed},
    manifests,
    mesh::{Mesh, Proxy, route::ChosenDestination},
    object::Kind,
    snapshot::{KindState, Objects},
};
use serde_json::{Value, json};

fn service(spec: &Value) -> Value {
    let mut whole = json!({"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "admin", "port": 81, "targetPort": "admin"}]});
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": whole})
}

fn pod(name: &str, version: &str, more: &[(&str, &str)]) -> Value {
    let mut labels = json!({"app": "web", "version": version});
    for (key, value) in more {
        labels[*key] = json!(value);
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"containers": [{"name": "app"}]}})
}

fn slice(name: &str, ports: &Value, endpoints: &Value) -> Value {
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": ports, "endpoints": endpoints})
}

fn of_pod(name: &str, ready: bool) -> Value {
    json!({"targetRef": {"kind": "Pod", "name": name}, "conditions": {"ready": ready}})
}

fn rule() -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"host": "web", "subsets": [{"name": "v1", "labels": {"version": "v1"}}, {"name": "all"}]}})
}

fn world() -> Vec<Value> {
    vec![
        service(&json!({})),
        pod("a", "v1", &[("security.istio.io/tlsMode", "istio")]),
        pod("b", "v1", &[]),
        pod("c", "v2", &[]),
        slice(
            "s",
            &json!([{"name": "http", "port": 8080}]),
            &json!([
                of_pod("a", true),
                of_pod("b", false),
                of_pod("c", true),
                of_pod("unheard-of", true)
            ]),
        ),
        rule(),
    ]
}

fn ask(objects: &Objects, subset: &str, port: u16) -> Reach {
    let to = ChosenDestination {
        host: "web.shop.svc.cluster.local".into(),
        subset: subset.into(),
        port,
    };
    reach(&Mesh::of(objects), &Proxy::sidecar("client", Labels::new()), &to)
}

fn described(reach: Reach) -> String {
    let one = |endpoint: Endpoint| {
        format!(
            "{}{}{}",
            endpoint
                .pod
                .map_or_else(|| "?".into(), |pod| pod.name.to_string()),
            if endpoint.ready { "+" } else { "-" },
            endpoint.port.map_or_else(|| "?".into(), |port| port.to_string())
        )
    };
    match reach {
        Reach::Endpoints(endpoints) => endpoints.into_iter().map(one).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

fn told(documents: Vec<Value>, subset: &str, port: u16) -> String {
    described(ask(&manifests::objects(documents).unwrap(), subset, port))
}

#[test]
fn slices_say_who_is_there_and_at_which_port() {
    assert_eq!(told(world(), "", 80), "a+8080 b-8080 c+8080");
    assert_eq!(told(world(), "v1", 80), "a+8080 b-8080");
    assert_eq!(told(world(), "all", 80), "a+8080 b-8080 c+8080");
    // The other port is in no slice: nobody answers there.
    assert_eq!(told(world(), "", 81), "");
}

#[test]
fn a_pod_of_two_slices_is_one_and_ready_if_one_says_so() {
    let mut documents = world();
    documents.push(slice(
        "t",
        &json!([{"name": "http", "port": 8080}]),
        &json!([of_pod("b", true), of_pod("a", false)]),
    ));
    documents.push(slice(
        "u",
        &json!([{"name": "other", "port": 1}]),
        &json!([of_pod("d", true)]),
    ));
    assert_eq!(told(documents, "", 80), "a+8080 b+8080 c+8080");
}

#[test]
fn a_subset_without_a_name_is_not_the_whole_service() {
    let mut documents = world();
    documents[5]["spec"]["subsets"] =
        json!([{"labels": {"version": "v2"}}, {"name": "", "labels": {"version": "v1"}}]);
    assert_eq!(told(documents, "", 80), "a+8080 b-8080 c+8080");
}

#[test]
fn slices_of_another_namespace_or_service_are_others() {
    let mut documents = world();
    let ports = json!([{"name": "http", "port": 8080}]);
    let mut elsewhere = slice("t", &ports, &json!([of_pod("b", true)]));
    elsewhere["metadata"]["namespace"] = json!("other");
    let mut another = slice("u", &ports, &json!([of_pod("b", true)]));
    another["metadata"]["labels"] = json!({"kubernetes.io/service-name": "cart"});
    documents.extend([elsewhere, another]);
    assert_eq!(told(documents, "", 80), "a+8080 b-8080 c+8080");
}

#[test]
fn a_slice_without_ports_leaves_what_the_service_says() {
    for (target, expected) in [
        (json!(8080), "a+8080"),
        (json!("8080"), "a+8080"),
        (json!("named"), "a+?"),
        (json!(null), "a+80"),
        (json!(0), "a+80"),
    ] {
        let mut documents = world();
        documents[0] = service(&json!({"ports": [{"name": "http", "port": 80, "targetPort": target}]}));
        documents[4] = slice("s", &json!(null), &json!([of_pod("a", true)]));
        assert_eq!(told(documents, "", 80), expected, "{target}");
    }
}

#[test]
fn draining_pods_take_no_new_requests_and_addresses_that_are_no_pods_have_no_labels() {
    let mut documents = world();
    documents[1] = pod("a", "v1", &[("istio.io/draining", "true")]);
    documents[2] = pod("b", "v1", &[("istio.io/draining", "")]);
    documents[4] = slice(
        "s",
        &json!([{"name": "http", "port": 8080}]),
        &json!([of_pod("a", true), of_pod("b", true), {"addresses": ["10.9.9.9"]}]),
    );
    assert_eq!(told(documents.clone(), "", 80), "a-8080 b+8080 ?+8080");
    assert_eq!(told(documents, "v1", 80), "a-8080 b+8080");
}

#[test]
fn pods_that_are_leaving_or_not_ready_count_as_their_slice_says() {
    // So it is with publishNotReadyAddresses: the slice calls them ready.
    let mut documents = world();
    documents[0] = service(&json!({"publishNotReadyAddresses": true, "clusterIP": "None"}));
    documents[1]["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(told(documents, "v1", 80), "a+8080 b-8080");
}

#[test]
fn the_label_says_who_speaks_mutual_tls_and_the_containers_who_has_a_proxy() {
    let mut documents = world();
    documents[1]["spec"] = json!({"containers": [{"name": "app"}], "initContainers": [{"name": "istio-proxy", "restartPolicy": "Always"}]});
    documents[3] = pod("c", "v2", &[("security.istio.io/tlsMode", "disabled")]);
    documents[4] = slice(
        "s",
        &json!([{"name": "http", "port": 8080}]),
        &json!([of_pod("a", true), of_pod("b", true), of_pod("c", true), {"addresses": ["10.9.9.9"]}]),
    );
    let Reach::Endpoints(endpoints) = ask(&manifests::objects(documents).unwrap(), "", 80) else {
        panic!()
    };
    let tls: Vec<bool> = endpoints.iter().map(Endpoint::mutual_tls).collect();
    assert_eq!(tls, [true, false, false, false]);
    let proxies: Vec<Meshed> = endpoints.iter().map(Endpoint::proxy).collect();
    assert_eq!(
        proxies,
        [Meshed::Sidecar, Meshed::None, Meshed::None, Meshed::None]
    );
    assert_eq!(endpoints[0].workload, Some(("shop".into(), "a".into())));
    assert_eq!(endpoints[3].workload, None);
}

#[test]
fn what_is_missing_is_told_apart() {
    assert_eq!(told(world(), "v9", 80), "NoSubset");
    assert_eq!(told(world(), "", 82), "NoPort");
    assert_eq!(told(world()[1..].to_vec(), "", 80), "NoService");
    let mut bare = world();
    bare.truncate(5);
    assert_eq!(told(bare.clone(), "v1", 80), "NoSubset");
    assert_eq!(told(bare, "", 80), "a+8080 b-8080 c+8080");
}

#[test]
fn what_is_not_judged_is_unknown_by_name() {
    let entry = json!({"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "e", "namespace": "x"},
        "spec": {"hosts": ["web.shop.svc.cluster.local"]}});
    let machine = |namespace: &str, app: &str| {
        json!({"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry", "metadata": {"name": "m", "namespace": namespace},
            "spec": {"address": "1.2.3.4", "labels": {"app": app}}})
    };
    let with = |document: Value| [world(), vec![document]].concat();
    assert!(told(with(entry), "", 80).contains("ServiceEntry x/e"));
    assert!(told(with(machine("shop", "web")), "", 80).contains("WorkloadEntry shop/m"));
    assert!(told(with(machine("shop", "cart")), "", 80).starts_with("a+"));
    assert!(told(with(machine("other", "web")), "", 80).starts_with("a+"));
    let external = json!({"type": "ExternalName", "externalName": "example.com"});
    assert!(told(with(service(&external)), "", 80).contains("Service shop/web: externalName"));
    let local = json!({"internalTrafficPolicy": "Local"});
    assert!(told(with(service(&local)), "", 80).contains("Service shop/web: internalTrafficPolicy"));
}

#[test]
fn every_kind_that_is_asked_must_be_known() {
    for kind in [
        Kind::Service,
        Kind::Pod,
        Kind::EndpointSlice,
        Kind::WorkloadEntry,
        Kind::ServiceEntry,
        Kind::DestinationRule,
    ] {
        let mut objects = manifests::objects(world()).unwrap();
        objects.kinds.insert(kind, KindState::NotYet);
        assert!(
            matches!(ask(&objects, "", 80), Reach::Unknown(whys) if whys.len() == 1),
            "{kind:?}"
        );
    }
}
