use super::{Cause, Handshake, Mode, Outcome, Refuser, Sends, Server, mode, modes, server_mode};
use crate::{
    fact::{self, Labels},
    manifests,
    mesh::{Mesh, Proxy, route::ChosenDestination},
    object::Kind,
    snapshot::{KindState, Objects},
};
use serde_json::{Value, json};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

fn web() -> Proxy {
    Proxy::sidecar(
        "shop",
        labels(&[("app", "web"), ("security.istio.io/tlsMode", "istio")]),
    )
}

fn client() -> Proxy {
    Proxy::sidecar("client", labels(&[("app", "client")]))
}

fn peer(name: &str, namespace: &str, spec: &Value) -> Value {
    json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn dated(mut document: Value, created: &str) -> Value {
    document["metadata"]["creationTimestamp"] = json!(created);
    document
}

fn mtls(mode: &str) -> Value {
    json!({"mtls": {"mode": mode}})
}

fn select(app: &str, mode: &str) -> Value {
    json!({"selector": {"matchLabels": {"app": app}}, "mtls": {"mode": mode}})
}

fn rule(policy: &Value, subset: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"host": "web", "trafficPolicy": policy, "subsets": [{"name": "v1", "labels": {"version": "v1"}, "trafficPolicy": subset}]}})
}

fn service(spec: &Value) -> Value {
    let mut whole = json!({"clusterIP": "10.0.0.1", "selector": {"app": "web"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "tcp-x", "port": 81, "targetPort": 9000}, {"name": "x", "port": 82}]});
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": whole})
}

fn mesh_config(text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": text}})
}

fn objects(documents: &[Value]) -> Objects {
    let mut all = vec![service(&json!({}))];
    all.extend_from_slice(documents);
    manifests::objects(all).unwrap()
}

fn to(subset: &str, port: u16) -> ChosenDestination {
    ChosenDestination {
        host: "web.shop.svc.cluster.local".into(),
        subset: subset.into(),
        port,
    }
}

/// The mode at port 8080 of shop's web, and who said it, as `namespace/name/pointer`.
fn taken(documents: &[Value]) -> (Mode, String) {
    taken_at(documents, &web(), 8080)
}

fn taken_at(documents: &[Value], proxy: &Proxy, port: u16) -> (Mode, String) {
    let objects = objects(documents);
    let (mode, decider) = server_mode(&Mesh::of(&objects), proxy, port).unwrap();
    let by = decider.map_or_else(String::new, |decider| {
        format!("{}/{}{}", decider.key.namespace, decider.key.name, decider.path)
    });
    (mode, by)
}

fn between(
    documents: &[Value],
    client: Option<&Proxy>,
    to: &ChosenDestination,
    server: &Server,
) -> Handshake {
    let objects = objects(documents);
    mode(&Mesh::of(&objects), client, to, server)
}

/// From a client with a sidecar to shop's web with one, at port 80 (8080).
fn called(documents: &[Value]) -> Handshake {
    between(
        documents,
        Some(&client()),
        &to("", 80),
        &Server::sidecar(&web(), 8080),
    )
}

fn sent(handshake: &Handshake) -> (Sends, Cause) {
    let sent = handshake.sent.as_ref().unwrap();
    (sent.sends, sent.cause)
}

const MUTUAL: Outcome = Outcome::Works { mutual: true };
const PLAIN: Outcome = Outcome::Works { mutual: false };

fn refused(handshake: &Handshake) -> (Refuser, String) {
    match &handshake.outcome {
        Outcome::Refused { by, decider } => (
            *by,
            decider
                .as_ref()
                .map_or_else(String::new, |it| format!("{}/{}", it.key.namespace, it.key.name)),
        ),
        other => panic!("{other:?}"),
    }
}

fn unknown(handshake: &Handshake) -> String {
    match &handshake.outcome {
        Outcome::Unknown(whys) => format!("{whys:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_a_policy_a_sidecar_takes_both_and_nobody_said_so() {
    assert_eq!(taken(&[]), (Mode::Permissive, String::new()));
}

#[test]
fn the_workload_goes_before_the_namespace_which_goes_before_the_mesh() {
    let all = [
        peer("w", "shop", &select("web", "DISABLE")),
        peer("n", "shop", &mtls("STRICT")),
        peer("m", "istio-system", &mtls("PERMISSIVE")),
    ];
    assert_eq!(taken(&all), (Mode::Disable, "shop/w/spec/mtls/mode".into()));
    assert_eq!(taken(&all[1..]), (Mode::Strict, "shop/n/spec/mtls/mode".into()));
    assert_eq!(
        taken(&all[2..]),
        (Mode::Permissive, "istio-system/m/spec/mtls/mode".into())
    );
}

#[test]
fn strict_in_one_namespace_is_not_the_whole_mesh() {
    let here = [peer("default", "shop", &mtls("STRICT"))];
    assert_eq!(taken(&here).0, Mode::Strict);
    for namespace in ["cart", "istio-system", "default"] {
        let other = Proxy::sidecar(namespace, Labels::new());
        assert_eq!(
            taken_at(&here, &other, 80),
            (Mode::Permissive, String::new()),
            "{namespace}"
        );
    }
    let mesh = [peer("default", "istio-system", &mtls("STRICT"))];
    for namespace in ["shop", "cart", "istio-system"] {
        let any = Proxy::sidecar(namespace, Labels::new());
        assert_eq!(taken_at(&mesh, &any, 80).0, Mode::Strict, "{namespace}");
    }
}

#[test]
fn the_root_namespace_is_where_mesh_config_says() {
    let all = [
        peer("m", "mesh", &mtls("STRICT")),
        mesh_config("rootNamespace: mesh"),
    ];
    assert_eq!(taken(&all).0, Mode::Strict);
    let usual = [
        peer("m", "istio-system", &mtls("STRICT")),
        mesh_config("rootNamespace: mesh"),
    ];
    assert_eq!(taken(&usual).0, Mode::Permissive);
}

#[test]
fn a_selector_in_the_root_namespace_is_for_nobody() {
    let all = [peer("w", "istio-system", &select("web", "STRICT"))];
    assert_eq!(taken(&all).0, Mode::Permissive);
    let there = Proxy::sidecar("istio-system", labels(&[("app", "web")]));
    assert_eq!(taken_at(&all, &there, 80).0, Mode::Permissive);
}

#[test]
fn a_selector_picks_by_all_its_labels_and_an_empty_one_is_the_namespaces() {
    let two = json!({"selector": {"matchLabels": {"app": "web", "tier": "x"}}, "mtls": {"mode": "STRICT"}});
    assert_eq!(taken(&[peer("w", "shop", &two)]).0, Mode::Permissive);
    assert_eq!(
        taken(&[peer("w", "shop", &select("cart", "STRICT"))]).0,
        Mode::Permissive
    );
    assert_eq!(
        taken(&[peer("w", "cart", &select("web", "STRICT"))]).0,
        Mode::Permissive
    );
    for selector in [json!({}), json!({"matchLabels": {}}), json!(null)] {
        let spec = json!({"selector": selector, "mtls": {"mode": "STRICT"}});
        let any = Proxy::sidecar("shop", Labels::new());
        assert_eq!(
            taken_at(&[peer("n", "shop", &spec)], &any, 80).0,
            Mode::Strict,
            "{selector}"
        );
    }
}

#[test]
fn an_unset_mode_is_inherited() {
    for unset in [
        json!({}),
        json!({"mtls": {}}),
        json!({"mtls": {"mode": "UNSET"}}),
        json!({"mtls": null}),
    ] {
        let all = [
            peer("n", "shop", &unset),
            peer("m", "istio-system", &mtls("STRICT")),
        ];
        assert_eq!(
            taken(&all),
            (Mode::Strict, "istio-system/m/spec/mtls/mode".into()),
            "{unset}"
        );
        let mut workload = unset.clone();
        workload["selector"] = json!({"matchLabels": {"app": "web"}});
        let all = [peer("w", "shop", &workload), peer("n", "shop", &mtls("DISABLE"))];
        assert_eq!(
            taken(&all),
            (Mode::Disable, "shop/n/spec/mtls/mode".into()),
            "{unset}"
        );
        assert_eq!(
            taken(&[peer("m", "istio-system", &unset)]),
            (Mode::Permissive, String::new())
        );
    }
}

#[test]
fn of_several_the_oldest_counts_alone_even_if_it_says_nothing() {
    for (namespace, spec) in [
        ("shop", json!({})),
        ("istio-system", json!({})),
        ("shop", json!({"selector": {"matchLabels": {"app": "web"}}})),
    ] {
        let with = |mode: Option<&str>| {
            let mut spec = spec.clone();
            if let Some(mode) = mode {
                spec["mtls"] = json!({"mode": mode});
            }
            spec
        };
        let older = "2021-01-01T00:00:00Z";
        let younger = "2022-01-01T00:00:00Z";
        let all = [
            dated(peer("a", namespace, &with(Some("STRICT"))), younger),
            dated(peer("b", namespace, &with(Some("DISABLE"))), older),
        ];
        assert_eq!(taken(&all).0, Mode::Disable, "{namespace}");
        let silent = [
            dated(peer("a", namespace, &with(Some("STRICT"))), younger),
            dated(peer("b", namespace, &with(None)), older),
        ];
        assert_eq!(taken(&silent).0, Mode::Permissive, "{namespace}");
        let twins = [
            dated(peer("b", namespace, &with(Some("STRICT"))), older),
            dated(peer("a", namespace, &with(Some("DISABLE"))), older),
        ];
        assert_eq!(taken(&twins).0, Mode::Disable, "{namespace}");
    }
}

#[test]
fn modes_of_ports_count_where_there_is_a_selector_and_by_the_pods_port() {
    let ports =
        json!({"8080": {"mode": "DISABLE"}, "9000": {"mode": "UNSET"}, "x": {"mode": "STRICT"}, "9001": {}});
    let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "mtls": {"mode": "STRICT"}, "portLevelMtls": ports});
    let all = [peer("w", "shop", &spec)];
    assert_eq!(
        taken(&all),
        (Mode::Disable, "shop/w/spec/portLevelMtls/8080/mode".into())
    );
    for port in [9000, 9001, 80] {
        assert_eq!(
            taken_at(&all, &web(), port),
            (Mode::Strict, "shop/w/spec/mtls/mode".into()),
            "{port}"
        );
    }
    for namespace in ["shop", "istio-system"] {
        let wide = json!({"portLevelMtls": {"8080": {"mode": "STRICT"}}});
        assert_eq!(
            taken(&[peer("n", namespace, &wide)]).0,
            Mode::Permissive,
            "{namespace}"
        );
    }
    let inherits =
        json!({"selector": {"matchLabels": {"app": "web"}}, "portLevelMtls": {"8080": {"mode": "UNSET"}}});
    let all = [peer("w", "shop", &inherits), peer("n", "shop", &mtls("STRICT"))];
    assert_eq!(taken(&all), (Mode::Strict, "shop/n/spec/mtls/mode".into()));
}

#[test]
fn a_gateways_listeners_are_not_judged_and_gaps_are_said() {
    let plain = objects(&[]);
    assert!(server_mode(&Mesh::of(&plain), &Proxy::gateway("shop", Labels::new()), 80).is_err());
    for kind in [Kind::PeerAuthentication, Kind::ConfigMap] {
        let mut objects = objects(&[]);
        objects.kinds.insert(kind, KindState::NotYet);
        assert_eq!(
            server_mode(&Mesh::of(&objects), &web(), 80).unwrap_err().len(),
            1,
            "{kind:?}"
        );
    }
}

#[test]
fn between_two_sidecars_mutual_tls_is_automatic() {
    for documents in [
        vec![],
        vec![peer("n", "shop", &mtls("STRICT"))],
        vec![peer("m", "istio-system", &mtls("PERMISSIVE"))],
    ] {
        let it = called(&documents);
        assert_eq!(sent(&it), (Sends::Mutual, Cause::Automatic));
        assert_eq!(it.outcome, MUTUAL);
    }
}

#[test]
fn a_caller_without_a_sidecar_is_refused_by_strict_alone() {
    let ask = |documents: &[Value]| between(documents, None, &to("", 80), &Server::sidecar(&web(), 8080));
    assert_eq!(ask(&[]).outcome, PLAIN);
    assert_eq!(sent(&ask(&[])), (Sends::Plaintext, Cause::NoProxy));
    assert_eq!(ask(&[peer("n", "shop", &mtls("DISABLE"))]).outcome, PLAIN);
    let strict = ask(&[peer("n", "shop", &mtls("STRICT"))]);
    assert_eq!(refused(&strict), (Refuser::Sidecar, "shop/n".into()));
    assert_eq!(ask(&[peer("n", "client", &mtls("STRICT"))]).outcome, PLAIN);
    let port = json!({"selector": {"matchLabels": {"app": "web"}}, "mtls": {"mode": "STRICT"}, "portLevelMtls": {"8080": {"mode": "PERMISSIVE"}}});
    assert_eq!(ask(&[peer("w", "shop", &port)]).outcome, PLAIN);
}

#[test]
fn to_a_pod_without_a_sidecar_plaintext_is_sent() {
    let bare = Proxy::sidecar("shop", labels(&[("app", "web")]));
    let server = Server::plain(&bare, 8080);
    let strict = [peer("m", "istio-system", &mtls("STRICT"))];
    let it = between(&strict, Some(&client()), &to("", 80), &server);
    assert_eq!(sent(&it), (Sends::Plaintext, Cause::NoServerProxy));
    assert_eq!(it.outcome, PLAIN);
    assert_eq!(between(&strict, None, &to("", 80), &server).outcome, PLAIN);
}

#[test]
fn a_sidecar_whose_pod_lacks_the_label_gets_plaintext() {
    let unlabelled = Proxy::sidecar("shop", labels(&[("app", "web")]));
    let server = Server::sidecar(&unlabelled, 8080);
    assert_eq!(between(&[], Some(&client()), &to("", 80), &server).outcome, PLAIN);
    let strict = [peer("n", "shop", &mtls("STRICT"))];
    let it = between(&strict, Some(&client()), &to("", 80), &server);
    assert_eq!(refused(&it), (Refuser::Sidecar, "shop/n".into()));
}

#[test]
fn callers_heed_a_policy_that_turns_mutual_tls_off() {
    let port =
        json!({"selector": {"matchLabels": {"app": "web"}}, "portLevelMtls": {"8080": {"mode": "DISABLE"}}});
    for spec in [mtls("DISABLE"), select("web", "DISABLE"), port] {
        let it = called(&[peer("p", "shop", &spec)]);
        assert_eq!(sent(&it), (Sends::Plaintext, Cause::PeerAuthentication), "{spec}");
        assert_eq!(it.outcome, PLAIN);
        assert_eq!(&*it.sent.unwrap().decider.unwrap().key.name, "p");
    }
    let mesh = called(&[peer("m", "istio-system", &mtls("DISABLE"))]);
    assert_eq!(sent(&mesh), (Sends::Plaintext, Cause::PeerAuthentication));
}

#[test]
fn a_namespace_that_turns_it_off_leaves_a_strict_workload_of_its_own_unreachable() {
    let it = called(&[
        peer("n", "shop", &mtls("DISABLE")),
        peer("w", "shop", &select("web", "STRICT")),
    ]);
    assert_eq!(sent(&it), (Sends::Plaintext, Cause::PeerAuthentication));
    assert_eq!(refused(&it), (Refuser::Sidecar, "shop/w".into()));
}

#[test]
fn automatic_mutual_tls_may_be_off() {
    let off = mesh_config("enableAutoMtls: false");
    let it = called(std::slice::from_ref(&off));
    assert_eq!(sent(&it), (Sends::Plaintext, Cause::AutoMtlsOff));
    assert_eq!(
        &*it.sent.as_ref().unwrap().decider.as_ref().unwrap().path,
        "/data/mesh"
    );
    assert_eq!(it.outcome, PLAIN);
    let strict = called(&[off.clone(), peer("n", "shop", &mtls("STRICT"))]);
    assert_eq!(refused(&strict), (Refuser::Sidecar, "shop/n".into()));
    let ruled = called(&[off, rule(&json!({"tls": {"mode": "ISTIO_MUTUAL"}}), &json!(null))]);
    assert_eq!(ruled.outcome, MUTUAL);
}

#[test]
fn a_destination_rule_decides_what_is_sent() {
    let disable = rule(&json!({"tls": {"mode": "DISABLE"}}), &json!(null));
    let it = called(std::slice::from_ref(&disable));
    assert_eq!(sent(&it), (Sends::Plaintext, Cause::DestinationRule));
    assert_eq!(it.outcome, PLAIN);
    let strict = called(&[disable, peer("n", "shop", &mtls("STRICT"))]);
    assert_eq!(refused(&strict), (Refuser::Sidecar, "shop/n".into()));
    let mutual = rule(&json!({"tls": {"mode": "ISTIO_MUTUAL"}}), &json!(null));
    let off = called(&[mutual.clone(), peer("n", "shop", &mtls("DISABLE"))]);
    assert_eq!(sent(&off), (Sends::Mutual, Cause::DestinationRule));
    assert_eq!(refused(&off), (Refuser::Sidecar, "shop/n".into()));
    let bare = Server::plain(&Proxy::sidecar("shop", labels(&[("app", "web")])), 8080);
    let it = between(&[mutual], Some(&client()), &to("", 80), &bare);
    assert_eq!(refused(&it), (Refuser::Workload, "shop/web".into()));
}

#[test]
fn the_ports_and_the_subsets_tls_go_before_the_hosts() {
    let port = json!({"tls": {"mode": "DISABLE"}, "portLevelSettings": [{"port": {"number": 80}, "tls": {"mode": "ISTIO_MUTUAL"}}]});
    assert_eq!(sent(&called(&[rule(&port, &json!(null))])).0, Sends::Mutual);
    let subset = [rule(
        &json!({"tls": {"mode": "DISABLE"}}),
        &json!({"tls": {"mode": "ISTIO_MUTUAL"}}),
    )];
    let server = Server::sidecar(&web(), 8080);
    let of_subset = between(&subset, Some(&client()), &to("v1", 80), &server);
    assert_eq!(sent(&of_subset).0, Sends::Mutual);
    let of_host = between(&subset, Some(&client()), &to("", 80), &server);
    assert_eq!(sent(&of_host).0, Sends::Plaintext);
    let none = between(&subset, Some(&client()), &to("v9", 80), &server);
    assert!(unknown(&none).contains("subset v9"));
}

#[test]
fn a_port_that_says_nothing_about_tls_is_automatic_but_endpoints_keep_the_hosts_mark() {
    let policy = |mode: &str| json!({"tls": {"mode": mode}, "portLevelSettings": [{"port": {"number": 80}}]});
    let it = called(&[rule(&policy("DISABLE"), &json!(null))]);
    assert_eq!(sent(&it), (Sends::Plaintext, Cause::DestinationRule));
    let bare = Server::plain(&Proxy::sidecar("shop", labels(&[("app", "web")])), 8080);
    let it = between(
        &[rule(&policy("ISTIO_MUTUAL"), &json!(null))],
        Some(&client()),
        &to("", 80),
        &bare,
    );
    assert_eq!(sent(&it), (Sends::Mutual, Cause::DestinationRule));
}

#[test]
fn tls_of_a_rules_own_is_refused_where_http_is_read_or_the_meshs_certificate_is_wanted() {
    let simple = rule(&json!({"tls": {"mode": "SIMPLE"}}), &json!(null));
    let certificate = rule(
        &json!({"tls": {"mode": "MUTUAL", "clientCertificate": "/c", "privateKey": "/k"}}),
        &json!(null),
    );
    let strict = peer("n", "shop", &mtls("STRICT"));
    let ask = |documents: &[Value], port| {
        between(
            documents,
            Some(&client()),
            &to("", port),
            &Server::sidecar(&web(), 8080),
        )
    };
    let http = ask(std::slice::from_ref(&simple), 80);
    assert_eq!(sent(&http).0, Sends::Tls { certificate: false });
    assert_eq!(refused(&http), (Refuser::Sidecar, "shop/web".into()));
    for port in [81, 82] {
        assert!(unknown(&ask(std::slice::from_ref(&simple), port)).contains("TLS of the workload"));
    }
    assert!(unknown(&ask(std::slice::from_ref(&simple), 99)).contains("Service"));
    assert_eq!(refused(&ask(&[simple.clone(), strict.clone()], 81)).1, "shop/n");
    let it = ask(&[certificate, strict], 80);
    assert_eq!(sent(&it).0, Sends::Tls { certificate: true });
    assert!(unknown(&it).contains("certificates"));
    let bare = Server::plain(&Proxy::sidecar("shop", labels(&[("app", "web")])), 8080);
    assert!(
        unknown(&between(&[simple], Some(&client()), &to("", 80), &bare)).contains("TLS of the workload")
    );
}

#[test]
fn secrets_are_not_given_to_sidecars_unless_the_rule_picks_them() {
    let with = |name: &str, mode: &str| {
        rule(
            &json!({"tls": {"mode": mode, "credentialName": name}}),
            &json!(null),
        )
    };
    let gateway = Proxy::gateway("client", Labels::new());
    let ask = |document: Value, proxy: &Proxy| {
        sent(&between(
            &[document],
            Some(proxy),
            &to("", 81),
            &Server::sidecar(&web(), 9000),
        ))
        .0
    };
    assert_eq!(ask(with("secret", "SIMPLE"), &client()), Sends::Plaintext);
    assert_eq!(ask(with("secret", "MUTUAL"), &client()), Sends::Plaintext);
    assert_eq!(ask(with("secret", "ISTIO_MUTUAL"), &client()), Sends::Mutual);
    assert_eq!(
        ask(with("", "SIMPLE"), &client()),
        Sends::Tls { certificate: false }
    );
    assert_eq!(
        ask(with("configmap://ca", "SIMPLE"), &client()),
        Sends::Tls { certificate: false }
    );
    assert_eq!(
        ask(with("secret", "SIMPLE"), &gateway),
        Sends::Tls { certificate: false }
    );
    let mut picked = with("secret", "SIMPLE");
    picked["metadata"]["namespace"] = json!("client");
    picked["spec"]["host"] = json!("web.shop.svc.cluster.local");
    picked["spec"]["workloadSelector"] = json!({"matchLabels": {"app": "client"}});
    assert_eq!(ask(picked, &client()), Sends::Tls { certificate: false });
}

fn pod(name: &str, tls: Option<&str>, sidecar: bool) -> Value {
    let mut labels = json!({"app": "web", "version": "v1"});
    if let Some(tls) = tls {
        labels["security.istio.io/tlsMode"] = json!(tls);
    }
    let containers = if sidecar {
        json!([{"name": "app"}, {"name": "istio-proxy"}])
    } else {
        json!([{"name": "app"}])
    };
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": labels}, "spec": {"containers": containers}})
}

fn slice(pods: &[(&str, bool)]) -> Value {
    let endpoints: Vec<Value> = pods
        .iter()
        .map(|(name, ready)| json!({"targetRef": {"kind": "Pod", "name": name}, "conditions": {"ready": ready}}))
        .collect();
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": "s", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": "http", "port": 8080}], "endpoints": endpoints})
}

#[test]
fn a_headless_service_is_judged_as_a_whole() {
    let headless = service(&json!({"clusterIP": "None"}));
    let ask = |pods: &[Value], slice: Value, proxy: &Proxy| {
        let documents = [vec![headless.clone(), slice], pods.to_vec()].concat();
        sent(&between(
            &documents,
            Some(proxy),
            &to("", 80),
            &Server::sidecar(&web(), 8080),
        ))
    };
    let meshed = pod("a", Some("istio"), true);
    let bare = pod("b", None, false);
    let none = (Sends::Plaintext, Cause::NoServerProxy);
    assert_eq!(
        ask(std::slice::from_ref(&meshed), slice(&[("a", true)]), &client()),
        (Sends::Mutual, Cause::Automatic)
    );
    assert_eq!(
        ask(
            &[meshed.clone(), bare],
            slice(&[("a", true), ("b", false)]),
            &client()
        ),
        none
    );
    assert_eq!(ask(&[], slice(&[]), &client()), none);
    let off = pod("b", Some("disabled"), true);
    assert_eq!(
        ask(&[meshed, off], slice(&[("a", true), ("b", true)]), &client()),
        none
    );
    let odd = pod("a", Some("odd"), true);
    assert_eq!(
        ask(&[odd], slice(&[("a", true)]), &client()),
        (Sends::Mutual, Cause::Automatic)
    );
}

#[test]
fn before_a_headless_service_a_sidecar_cannot_tell_endpoints_apart_and_a_gateway_can() {
    let documents = [
        service(&json!({"clusterIP": "None"})),
        pod("a", Some("istio"), true),
        slice(&[("a", true)]),
    ];
    let unlabelled = Server::sidecar(&Proxy::sidecar("shop", labels(&[("app", "web")])), 8080);
    let ask = |proxy: &Proxy| sent(&between(&documents, Some(proxy), &to("", 80), &unlabelled));
    assert_eq!(ask(&client()), (Sends::Mutual, Cause::Automatic));
    assert_eq!(
        ask(&Proxy::gateway("client", Labels::new())),
        (Sends::Plaintext, Cause::NoServerProxy)
    );
    let normal = [pod("a", Some("istio"), true), slice(&[("a", true)])];
    let it = between(&normal, Some(&client()), &to("", 80), &unlabelled);
    assert_eq!(sent(&it), (Sends::Plaintext, Cause::NoServerProxy));
}

#[test]
fn passthrough_is_judged_like_a_headless_service() {
    let passthrough = json!({"loadBalancer": {"simple": "PASSTHROUGH"}});
    let server = Server::sidecar(&Proxy::sidecar("shop", labels(&[("app", "web")])), 8080);
    let ask = |rule: Value, subset: &str, pods: &[Value]| {
        let documents = [vec![rule, slice(&[("a", true)])], pods.to_vec()].concat();
        sent(&between(&documents, Some(&client()), &to(subset, 80), &server))
    };
    let meshed = [pod("a", Some("istio"), true)];
    let automatic = (Sends::Mutual, Cause::Automatic);
    let none = (Sends::Plaintext, Cause::NoServerProxy);
    assert_eq!(ask(rule(&passthrough, &json!(null)), "", &meshed), automatic);
    assert_eq!(ask(rule(&passthrough, &json!(null)), "", &[]), none);
    assert_eq!(ask(rule(&json!(null), &passthrough), "v1", &meshed), automatic);
    assert_eq!(ask(rule(&json!(null), &passthrough), "v1", &[]), none);
    assert_eq!(ask(rule(&json!(null), &passthrough), "", &meshed), none);
    // Nobody looks at the endpoints where only the port says so, or the host of a subset.
    let port =
        json!({"portLevelSettings": [{"port": {"number": 80}, "loadBalancer": {"simple": "PASSTHROUGH"}}]});
    assert_eq!(ask(rule(&port, &json!(null)), "", &[]), automatic);
    assert_eq!(ask(rule(&passthrough, &json!(null)), "v1", &[]), automatic);
}

#[test]
fn what_is_not_judged_is_unknown() {
    let server = Server::sidecar(&web(), 8080);
    let ambient = Server {
        meshed: fact::Proxy::Ambient,
        ..server.clone()
    };
    assert!(unknown(&between(&[], Some(&client()), &to("", 80), &ambient)).contains("ambient"));
    let gateway = json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "g", "namespace": "x"},
        "spec": {"selector": {"app": "web"}}});
    assert!(unknown(&called(&[gateway])).contains("Gateway"));
    let named = Server::sidecar(
        &Proxy::sidecar("shop", labels(&[("gateway.networking.k8s.io/gateway-name", "g")])),
        80,
    );
    assert!(unknown(&between(&[], None, &to("", 80), &named)).contains("Gateway"));
    let declared = Server::sidecar(&Proxy::gateway("shop", Labels::new()), 80);
    assert!(unknown(&between(&[], None, &to("", 80), &declared)).contains("Gateway"));
    let external = service(&json!({"type": "ExternalName", "externalName": "example.com"}));
    assert!(unknown(&called(&[external])).contains("externalName"));
    let elsewhere = |host: &str| ChosenDestination {
        host: host.into(),
        ..to("", 80)
    };
    let outside = between(&[], Some(&client()), &elsewhere("api.example.com"), &server);
    assert!(unknown(&outside).contains("ServiceEntry"));
    assert!(outside.sent.is_none() && outside.takes.is_some());
    let missing = between(
        &[],
        Some(&client()),
        &elsewhere("no.shop.svc.cluster.local"),
        &server,
    );
    assert!(unknown(&missing).contains("Service shop/no"));
}

#[test]
fn a_sidecar_with_certificates_of_its_own_is_not_judged_where_mutual_tls_is_off() {
    let own = |namespace: &str, tls: bool| {
        let mut listener = json!({"port": {"number": 8080, "protocol": "HTTPS", "name": "x"}});
        if tls {
            listener["tls"] = json!({"mode": "SIMPLE"});
        }
        json!({"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": {"name": "s", "namespace": namespace}, "spec": {"ingress": [listener]}})
    };
    let off = peer("n", "shop", &mtls("DISABLE"));
    for namespace in ["shop", "istio-system"] {
        assert!(unknown(&called(&[off.clone(), own(namespace, true)])).contains("Sidecar"));
    }
    assert_eq!(called(&[off.clone(), own("other", true)]).outcome, PLAIN);
    assert_eq!(called(&[off, own("shop", false)]).outcome, PLAIN);
    assert_eq!(called(&[own("shop", true)]).outcome, MUTUAL);
}

#[test]
fn an_unknown_port_matters_only_where_ports_differ() {
    let server = Server {
        port: None,
        ..Server::sidecar(&web(), 0)
    };
    let ports = |mode: &str| {
        peer(
            "w",
            "shop",
            &json!({"selector": {"matchLabels": {"app": "web"}}, "portLevelMtls": {"1": {"mode": mode}}}),
        )
    };
    let ask = |documents: &[Value]| between(documents, Some(&client()), &to("", 80), &server);
    assert_eq!(ask(&[]).outcome, MUTUAL);
    assert_eq!(ask(&[ports("PERMISSIVE")]).outcome, MUTUAL);
    let it = ask(&[ports("DISABLE")]);
    assert_eq!(unknown(&it).matches("targetPort").count(), 1);
}

#[test]
fn every_kind_that_is_asked_must_be_known() {
    for kind in [
        Kind::Service,
        Kind::DestinationRule,
        Kind::PeerAuthentication,
        Kind::ConfigMap,
        Kind::Gateway,
    ] {
        let mut objects = objects(&[]);
        objects.kinds.insert(kind, KindState::NotYet);
        let it = mode(
            &Mesh::of(&objects),
            Some(&client()),
            &to("", 80),
            &Server::sidecar(&web(), 8080),
        );
        assert!(matches!(it.outcome, Outcome::Unknown(_)), "{kind:?}");
    }
    let headless = [
        service(&json!({"clusterIP": "None"})),
        peer("n", "shop", &mtls("DISABLE")),
    ];
    for kind in [Kind::Pod, Kind::EndpointSlice, Kind::Sidecar] {
        let mut objects = objects(&headless);
        objects.kinds.insert(kind, KindState::NotYet);
        let it = mode(
            &Mesh::of(&objects),
            Some(&client()),
            &to("", 80),
            &Server::sidecar(&web(), 8080),
        );
        assert!(matches!(it.outcome, Outcome::Unknown(_)), "{kind:?}");
    }
}

#[test]
fn all_ready_endpoints_are_judged_one_by_one() {
    let documents = [
        pod("a", Some("istio"), true),
        pod("b", None, false),
        pod("c", Some("istio"), true),
        slice(&[("a", true), ("b", true), ("c", false)]),
    ];
    let objects = objects(&documents);
    let all = modes(&Mesh::of(&objects), &client(), &to("", 80)).unwrap();
    let outcomes: Vec<Outcome> = all.into_iter().map(|(_, handshake)| handshake.outcome).collect();
    assert_eq!(outcomes, [MUTUAL, PLAIN]);
    assert!(modes(&Mesh::of(&objects), &client(), &to("v1", 80)).is_err());
}

#[test]
fn an_address_that_is_no_pods_is_in_the_services_namespace_and_has_no_proxy() {
    let mut slice = slice(&[]);
    slice["endpoints"] = json!([{"addresses": ["10.9.9.9"]}]);
    let objects = objects(&[slice]);
    let all = modes(&Mesh::of(&objects), &client(), &to("", 80)).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].1.outcome, PLAIN);
    let server = Server::at(&all[0].0, "shop");
    assert_eq!(
        (&*server.pod.namespace, server.meshed, server.port),
        ("shop", fact::Proxy::None, Some(8080))
    );
}
