//! In force is what every proxy that routes by it has acknowledged since, whichever istiod it is connected to.

use super::{InForce, in_force};
use crate::{
    Timestamp, Why,
    fact::Fact,
    inquiry::{ProxyState, ProxyStates, Replies, Reply, Stage, Xds},
    judge::{World, testing::now},
    manifests,
    mesh::{Prepared, injection::installed},
    object::{Key, Kind, Object},
    snapshot::Objects,
    traffic::Dated,
};
use jiff::SignedDuration;
use naru_view::canary::RuleList;
use serde_json::{Value, json};
use std::sync::Arc;

fn pod(namespace: &str, name: &str, ip: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"app": name},
            "annotations": {"sidecar.istio.io/status": "{}"}},
        "spec": {"containers": [{"name": "app", "image": "a"}, {"name": "istio-proxy", "image": "istio/proxyv2:1.31.0"}]},
        "status": {"phase": "Running", "podIP": ip}})
}

/// Two istiods, callers in two namespaces, a gateway; `rule` is the VirtualService's spec but for its routes.
fn objects(rule: &Value) -> Objects {
    let mut webhook = installed("istio-sidecar-injector");
    webhook["apiVersion"] = json!("admissionregistration.k8s.io/v1");
    webhook["kind"] = json!("MutatingWebhookConfiguration");
    let istiod = |name: &str, ip: &str| {
        let mut pod = pod("istio-system", name, ip);
        pod["metadata"]["labels"] = json!({"app": "istiod"});
        pod["metadata"]["annotations"] = json!({});
        pod["spec"]["containers"] = json!([{"name": "discovery"}]);
        pod
    };
    let mut spec = json!({"hosts": ["user-service.shop.svc.cluster.local"],
        "http": [{"route": [{"destination": {"host": "user-service"}}]}]});
    for (field, value) in rule.as_object().unwrap() {
        spec[field] = value.clone();
    }
    let mut documents = vec![
        webhook,
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "istiod", "namespace": "istio-system"},
            "spec": {"selector": {"app": "istiod"}, "ports": [{"port": 443}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "user-service", "namespace": "shop"},
            "spec": {"selector": {"app": "user"}, "ports": [{"name": "http", "port": 80}]}}),
        json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge", "namespace": "gate"},
            "spec": {"selector": {"app": "gate"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}}),
        json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "user", "namespace": "shop"}, "spec": spec}),
    ];
    documents.extend([istiod("istiod-a", "10.0.0.1"), istiod("istiod-b", "10.0.0.2")]);
    documents.extend([
        pod("shop", "web", "10.0.1.1"),
        pod("other", "batch", "10.0.1.2"),
        pod("gate", "gate", "10.0.1.3"),
    ]);
    manifests::objects(documents).unwrap()
}

fn state(pod: (&str, &str), routes: Stage) -> ProxyState {
    ProxyState {
        pod: (pod.0.into(), pod.1.into()),
        version: "1.31.0".into(),
        stages: vec![
            (Xds::Clusters, Stage::Acknowledged(None)),
            (Xds::Listeners, Stage::Acknowledged(None)),
            (Xds::Routes, routes),
        ],
    }
}

/// A second after the change, or before it.
fn sent(seconds: i64) -> Stage {
    Stage::Acknowledged(Some(since() + SignedDuration::from_secs(seconds)))
}

fn since() -> Timestamp {
    now() - SignedDuration::from_secs(10)
}

fn seen(rule: &Value, a: Option<Vec<ProxyState>>, b: Option<Vec<ProxyState>>) -> InForce {
    seen_of(&objects(rule), RuleList::Http, a, b)
}

fn seen_of(
    objects: &Objects,
    list: RuleList,
    a: Option<Vec<ProxyState>>,
    b: Option<Vec<ProxyState>>,
) -> InForce {
    let question = |name: &str, ip: &str| ProxyStates {
        istiod: ("istio-system".into(), name.into()),
        ip: ip.into(),
    };
    let dated = |value| {
        Ok(Dated {
            value: Reply::ProxyStates(value),
            at: now(),
            gaps: vec![],
        })
    };
    let replies = [
        (question("istiod-a", "10.0.0.1"), a),
        (question("istiod-b", "10.0.0.2"), b),
    ];
    let given = replies.into_iter();
    let replies: Replies = given
        .filter_map(|(it, states)| Some((it.into(), dated(states?))))
        .collect();
    let world = World::of(objects, Prepared::of(objects), None, now()).knowing(Arc::new(replies));
    let kind = match list {
        RuleList::HttpRoute => Kind::HttpRoute,
        _ => Kind::VirtualService,
    };
    let object = objects.object(kind, "shop", "user").unwrap();
    in_force(&world, object, list, since())
}

const WEB: (&str, &str) = ("shop", "web");
const BATCH: (&str, &str) = ("other", "batch");
const GATE: (&str, &str) = ("gate", "gate");

#[test]
fn it_is_in_force_when_every_caller_has_acknowledged_what_was_sent_since() {
    let all = seen(
        &json!({}),
        Some(vec![state(WEB, sent(1))]),
        Some(vec![state(BATCH, sent(1)), state(GATE, sent(-5))]),
    );
    // The gateway has no routes of a rule that is bound to the mesh alone.
    assert_eq!(
        (all.proxies, all.acknowledged, all.whole()),
        (2, 2, true),
        "{all:?}"
    );

    for late in [sent(-1), Stage::Waiting(Some(now())), Stage::Acknowledged(None)] {
        let some = seen(
            &json!({}),
            Some(vec![state(WEB, sent(1)), state(BATCH, late)]),
            Some(vec![]),
        );
        assert_eq!(some.waiting, ["other/batch".into()]);
        assert!(!some.whole());
    }
}

#[test]
fn a_refusal_is_told_in_envoys_words_and_a_proxy_that_nobody_knows_is_waited_for() {
    let all = seen(
        &json!({}),
        Some(vec![state(WEB, Stage::Refused("bad regex".into()))]),
        Some(vec![]),
    );
    assert_eq!(all.refused, [("shop/web".into(), "bad regex".into())]);
    assert_eq!((all.waiting, all.acknowledged), (vec!["other/batch".into()], 0));
}

#[test]
fn an_istiod_that_does_not_answer_leaves_it_unknown() {
    let states = vec![state(WEB, sent(1)), state(BATCH, sent(1))];
    let all = seen(&json!({}), Some(states), None);
    assert_eq!((all.acknowledged, all.unknown.len(), all.whole()), (2, 1, false));
}

#[test]
fn who_routes_by_it_is_who_is_asked_for() {
    let states = || {
        Some(vec![
            state(WEB, sent(1)),
            state(BATCH, sent(-5)),
            state(GATE, sent(1)),
        ])
    };
    // Exported to its own namespace alone.
    let own = seen(&json!({"exportTo": ["."]}), states(), Some(vec![]));
    assert_eq!((own.proxies, own.whole()), (1, true), "{own:?}");
    let edge = seen(&json!({"gateways": ["gate/edge"]}), states(), Some(vec![]));
    assert_eq!((edge.proxies, edge.whole()), (1, true), "{edge:?}");
    let both = seen(
        &json!({"gateways": ["gate/edge", "mesh"]}),
        states(),
        Some(vec![]),
    );
    assert_eq!((both.proxies, both.waiting.len()), (3, 1), "{both:?}");
    // A delegate acts through others, and a rule that nobody has routes of is in force nowhere.
    let delegate = seen(&json!({"hosts": []}), states(), Some(vec![]));
    assert_eq!((delegate.unknown.len(), delegate.whole()), (1, false));
    let nobody = seen(&json!({"gateways": ["gate/none"]}), states(), Some(vec![]));
    assert_eq!((nobody.proxies, nobody.whole()), (0, false));
}

/// The system with an HTTPRoute in the VirtualService's place.
fn with_http_route(parent: &Value) -> Objects {
    let mut objects = objects(&json!({}));
    objects.remove(&Key::new(Kind::VirtualService, "shop", "user"));
    let route = json!({"metadata": {"name": "user", "namespace": "shop"},
        "spec": {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": "user-service", "port": 80}]}]}});
    objects.put(Fact::Object(Object::new(Kind::HttpRoute, route).unwrap()));
    objects
}

#[test]
fn an_http_route_of_a_service_is_routed_by_in_the_mesh_and_one_at_a_gateway_is_not_judged() {
    let states = |batch| {
        Some(vec![
            state(WEB, sent(1)),
            state(BATCH, batch),
            state(GATE, sent(-5)),
        ])
    };
    let of_service = with_http_route(&json!({"group": "", "kind": "Service", "name": "user-service"}));
    let seen = |states| seen_of(&of_service, RuleList::HttpRoute, states, Some(vec![]));
    let all = seen(states(sent(1)));
    assert_eq!((all.proxies, all.whole()), (2, true), "{all:?}");
    let some = seen(states(sent(-1)));
    assert_eq!((some.proxies, some.waiting.len()), (2, 1), "{some:?}");
    let at_gateway = with_http_route(&json!({"name": "edge"}));
    let nobody = seen_of(&at_gateway, RuleList::HttpRoute, states(sent(1)), Some(vec![]));
    let what = "shop/edge".into();
    assert_eq!(nobody.unknown, [Why::NotJudged { what }]);
    assert!(!nobody.whole());
}

#[test]
fn connections_are_in_force_with_the_listeners() {
    let rule = json!({"http": [], "tcp": [{"route": [{"destination": {"host": "user-service"}}]}]});
    let states = || Some(vec![state(WEB, sent(1)), state(BATCH, sent(1))]);
    let seen = seen_of(&objects(&rule), RuleList::Tcp, states(), Some(vec![]));
    assert_eq!((seen.proxies, seen.waiting.len()), (2, 2), "{seen:?}");
}
