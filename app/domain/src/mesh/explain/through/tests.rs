#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` is written where it is used"
)]

use crate::{
    manifests,
    mesh::{
        Mesh, authz,
        explain::{End, Explanation, explain},
        mtls::{Cause, Outcome, Sends},
        protocol::Reads,
        route::{self, Protocol, Request},
    },
    snapshot::Objects,
};
use serde_json::{Value, json};

fn pod(name: &str, ip: &str, proxy: bool) -> Value {
    let containers = if proxy {
        json!([{"name": "app"}, {"name": "istio-proxy"}])
    } else {
        json!([{"name": "app"}])
    };
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop",
        "labels": {"app": name, "security.istio.io/tlsMode": "istio"}},
        "spec": {"containers": containers}, "status": {"phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn of(kind: &str, name: &str, spec: Value) -> Value {
    let group = if kind == "PeerAuthentication" {
        "security"
    } else {
        "networking"
    };
    json!({"apiVersion": format!("{group}.istio.io/v1"), "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": spec})
}

/// A Service of two ports, whose pods listen on 8080 and 9090.
fn world(extra: &[Value]) -> Objects {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"clusterIP": "10.0.0.1", "selector": {"app": "web"}, "ports": [
            {"name": "http", "port": 80, "targetPort": 8080}, {"name": "tcp", "port": 90, "targetPort": 9090}, {"port": 91, "targetPort": 9191}]}});
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "web-x", "namespace": "shop",
        "labels": {"kubernetes.io/service-name": "web"}}, "ports": [{"name": "http", "port": 8080}, {"name": "tcp", "port": 9090}, {"name": "", "port": 9191}],
        "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "web"}}]});
    let all = [
        pod("caller", "10.1.0.9", true),
        pod("web", "10.1.0.1", true),
        pod("plain", "10.1.0.2", false),
        service,
        slice,
    ];
    manifests::objects(all.into_iter().chain(extra.iter().cloned())).unwrap()
}

fn to(address: &str, port: u16, protocol: Protocol) -> Request {
    Request {
        protocol,
        address: Some(address.parse().unwrap()),
        ..Request::get(
            if protocol == Protocol::Http {
                "nobody.example"
            } else {
                ""
            },
            port,
        )
    }
}

fn told(objects: &Objects, request: &Request) -> Explanation {
    explain(&Mesh::of(objects), &("shop".into(), "caller".into()), request).unwrap()
}

fn end(told: &Explanation) -> &End {
    &told.legs[0].ends.as_ref().unwrap()[0]
}

fn strict() -> Value {
    of(
        "PeerAuthentication",
        "strict",
        json!({"mtls": {"mode": "STRICT"}}),
    )
}

#[test]
fn what_is_let_through_to_a_pod_is_sent_as_it_is_and_refused_under_strict() {
    let objects = world(&[]);
    let request = to("10.1.0.1", 8080, Protocol::Http);
    let it = told(&objects, &request);
    assert_eq!(it.choice.as_ref().unwrap().outcome, route::Outcome::Passthrough);
    let share = &it.legs[0].share;
    assert_eq!(
        (&*share.destination.host, share.destination.port, share.weight),
        ("10.1.0.1", 8080, 100)
    );
    let sent = end(&it).handshake.sent.as_ref().unwrap();
    assert_eq!((sent.sends, sent.cause), (Sends::Plaintext, Cause::Passthrough));
    assert_eq!(end(&it).handshake.outcome, Outcome::Works { mutual: false });
    assert_eq!(end(&it).workload.as_ref().unwrap().1.to_string(), "web");
    assert_eq!((end(&it).ready, end(&it).total), (1, 1));
    let refused = told(&world(&[strict()]), &request);
    assert!(matches!(end(&refused).handshake.outcome, Outcome::Refused { .. }));
}

#[test]
fn policies_see_no_identity_in_what_is_let_through() {
    let named = json!({"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"rules": [{"from": [{"source": {"principals": ["*"]}}]}]}});
    let it = told(&world(&[named]), &to("10.1.0.1", 8080, Protocol::Http));
    assert_eq!(
        end(&it).authorization.as_ref().unwrap().verdict,
        authz::Verdict::Deny
    );
    let plain = told(&world(&[]), &to("10.1.0.2", 8080, Protocol::Http));
    assert_eq!(end(&plain).authorization, None);
}

#[test]
fn bytes_get_no_answer_where_http_is_read_and_only_there() {
    let objects = world(&[]);
    for (port, reads, deaf) in [
        (8080, Reads::Http, true),
        (9090, Reads::No, false),
        (9191, Reads::Sniffed, false),
        (7070, Reads::Sniffed, false),
    ] {
        for protocol in [Protocol::Tcp, Protocol::Tls, Protocol::Http] {
            let it = told(&objects, &to("10.1.0.1", port, protocol));
            assert_eq!(end(&it).reads, Some(reads), "{port}");
            assert_eq!(
                end(&it).deaf,
                deaf && protocol != Protocol::Http,
                "{port} {protocol:?}"
            );
        }
    }
    // Nobody reads where there is no proxy.
    assert!(!end(&told(&objects, &to("10.1.0.2", 8080, Protocol::Tcp))).deaf);
}

#[test]
fn bytes_to_a_services_http_port_get_no_answer_either() {
    let bytes = Request {
        protocol: Protocol::Tcp,
        ..Request::get("web", 80)
    };
    let it = explain(&Mesh::of(&world(&[])), &("shop".into(), "plain".into()), &bytes).unwrap();
    assert!(end(&it).deaf);
    let http = explain(
        &Mesh::of(&world(&[])),
        &("shop".into(), "plain".into()),
        &Request::get("web", 80),
    )
    .unwrap();
    assert!(!end(&http).deaf);
}

#[test]
fn what_is_let_through_to_a_services_address_ends_behind_it_in_plaintext() {
    let blind = of(
        "Sidecar",
        "s",
        json!({"workloadSelector": {"labels": {"app": "caller"}}, "egress": [{"hosts": ["none/*"]}]}),
    );
    let allow = of("Sidecar", "s", {
        let mut spec = blind["spec"].clone();
        spec["outboundTrafficPolicy"] = json!({"mode": "ALLOW_ANY"});
        spec
    });
    let objects = world(&[allow, strict()]);
    let by_name = told(&objects, &Request::get("web", 80));
    let by_address = told(&objects, &to("10.0.0.1", 80, Protocol::Http));
    for it in [by_name, by_address] {
        assert_eq!(it.choice.as_ref().unwrap().outcome, route::Outcome::Passthrough);
        assert_eq!(&*it.legs[0].share.destination.host, "web.shop.svc.cluster.local");
        assert!(matches!(end(&it).handshake.outcome, Outcome::Refused { .. }));
    }
}

#[test]
fn an_address_of_nobodys_or_of_several_leads_nowhere_that_is_known() {
    let twin = pod("twin", "10.1.0.2", false);
    let mut over = pod("over", "10.1.0.1", false);
    over["status"]["phase"] = json!("Succeeded");
    let objects = world(&[twin, over]);
    for address in ["192.0.2.1", "10.1.0.2"] {
        let it = told(&objects, &to(address, 8080, Protocol::Http));
        assert_eq!(it.choice.as_ref().unwrap().outcome, route::Outcome::Passthrough);
        assert_eq!(it.legs, []);
    }
    // A pod that is over has no address any more.
    assert_eq!(
        told(&objects, &to("10.1.0.1", 8080, Protocol::Http)).legs.len(),
        1
    );
    let mut unknown = world(&[]);
    unknown.kinds.remove(&crate::object::Kind::Pod);
    assert_eq!(told(&unknown, &to("10.1.0.1", 8080, Protocol::Http)).legs, []);
}

#[test]
fn a_service_entry_that_resolves_nothing_leads_to_the_address_that_was_dialled() {
    let entry = |more: Value| {
        let mut spec =
            json!({"hosts": ["e.example"], "ports": [{"number": 8080, "name": "http", "protocol": "HTTP"}]});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        of("ServiceEntry", "e", spec)
    };
    let request = Request {
        host: "e.example".into(),
        ..to("10.1.0.1", 8080, Protocol::Http)
    };
    for resolution in [json!({}), json!({"resolution": "NONE"})] {
        let it = told(&world(&[entry(resolution), strict()]), &request);
        assert!(matches!(
            it.choice.as_ref().unwrap().outcome,
            route::Outcome::Sent(_)
        ));
        assert!(matches!(end(&it).handshake.outcome, Outcome::Refused { .. }));
        assert_eq!(end(&it).reads, Some(Reads::Http));
    }
    let rule = of(
        "DestinationRule",
        "d",
        json!({"host": "e.example", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}),
    );
    let second = of("ServiceEntry", "e2", entry(json!({}))["spec"].clone());
    for odd in [
        vec![entry(json!({"resolution": "STATIC"}))],
        vec![entry(json!({"endpoints": [{"address": "10.1.0.1"}]}))],
        vec![entry(json!({"workloadSelector": {"labels": {"app": "web"}}}))],
        vec![entry(json!({})), rule],
        vec![entry(json!({})), second],
    ] {
        assert!(told(&world(&odd), &request).legs[0].ends.is_err(), "{odd:?}");
    }
    let away = Request {
        address: Some("192.0.2.1".parse().unwrap()),
        ..request
    };
    assert!(told(&world(&[entry(json!({}))]), &away).legs[0].ends.is_err());
}
