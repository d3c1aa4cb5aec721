//! Weights of an HTTPRoute, by the Gateway API's own definition: what it fills in is planned on, and nothing else is written.

use super::{admin, subject::Lab};
use naru_domain::{
    change::plan::{Intent, plan},
    fact::Fact,
    object::{Kind, Object, Write},
    snapshot::{Objects, Observed, Section, Snapshot},
};
use naru_ports::{As, ClusterError, contract::cluster::Subject};
use serde_json::{Value, json};

/// HTTPRoute's definition, as `lab api` puts it beside its kubeconfig.
fn definition() -> Value {
    let file = admin::kubeconfig().parent().unwrap().join("bin/gateway-api.yaml");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut all = serde_saphyr::from_multiple::<Value>(&text).unwrap().into_iter();
    let is = |it: &Value| it["metadata"]["name"] == "httproutes.gateway.networking.k8s.io";
    let mut definition = all.find(is).unwrap();
    definition["metadata"]["labels"]["naru.dev/suite"] = json!("yes");
    definition
}

/// The route, with what is behind it: no node runs here, so that pods are told.
fn snapshot(route: &Object) -> Snapshot {
    let namespace = &route.key().namespace;
    let mut objects = Objects::all_known();
    let mut put = |kind, json| objects.put(Fact::read(kind, json).unwrap());
    for version in ["v1", "v2"] {
        let place = |name: String| {
            json!({"name": name, "namespace": namespace, "labels": {"version": version,
            "kubernetes.io/service-name": format!("shop-{version}")}})
        };
        put(
            Kind::Service,
            json!({"metadata": place(format!("shop-{version}")), "spec": {"selector": {"version": version}, "ports": [{"port": 80}]}}),
        );
        put(
            Kind::Pod,
            json!({"metadata": place(format!("pod-{version}")), "spec": {"containers": [{"name": "app"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
        );
        put(
            Kind::EndpointSlice,
            json!({"metadata": place(format!("slice-{version}")),
            "endpoints": [{"targetRef": {"kind": "Pod", "name": format!("pod-{version}")}, "conditions": {"ready": true}}]}),
        );
    }
    objects.put(Fact::Object(route.clone()));
    let now = naru_domain::Timestamp::UNIX_EPOCH;
    Snapshot::once(
        Section::seen(objects, now),
        Section::seen(Observed::default(), now),
        now,
    )
}

fn wish(route: &Object, v1: u32) -> Intent {
    let to = |version: &str, weight: u32| json!({"host": format!("shop-{version}"), "subset": "", "weight": weight});
    let key = route.key();
    let json = json!({"intent": "set-weights", "weights": [to("v1", v1), to("v2", 100 - v1)],
        "route": {"namespace": key.namespace, "name": key.name, "list": "http-route", "rule": 0}});
    serde_json::from_value(json).unwrap()
}

fn without_weights(route: &Object) -> Value {
    let mut json = route.json()["spec"].clone();
    for it in json["rules"][0]["backendRefs"].as_array_mut().unwrap() {
        it.as_object_mut().unwrap().remove("weight").unwrap();
    }
    json
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_of_an_http_route_only_weights_are_written_and_taken_back() {
    let lab = Lab::new().await;
    admin::Admin::new().await.define(&definition()).await;
    let namespace = lab.namespace();
    let spec = json!({"parentRefs": [{"group": "", "kind": "Service", "name": "shop", "port": 80}], "rules": [{
        "matches": [{"path": {"value": "/shop"}, "headers": [{"name": "x", "value": "y"}]}],
        "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "a", "value": "b"}]}}],
        "timeouts": {"request": "2s"},
        "backendRefs": [{"name": "shop-v1", "port": 80, "weight": 999_999},
            {"name": "shop-v2", "port": 80, "filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["c"]}}]}]}]});
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": namespace}, "spec": spec});
    let there = lab.put(Kind::HttpRoute, route).await;
    // Written by nobody, and there all the same.
    assert_eq!(there.get("/spec/rules/0/backendRefs/1/weight"), Some(&json!(1)));

    let operator = lab.operator();
    let who = As::Person(&operator);
    let plan = plan(&wish(&there, 75), &snapshot(&there)).unwrap();
    let tried = lab.cluster().submit(who, &plan.write(), true, "naru-suite").await;
    assert_eq!(tried.unwrap().object.unwrap().digest(), plan.after);
    let done = lab
        .cluster()
        .submit(who, &plan.write(), false, "naru-suite")
        .await;
    let done = done.unwrap().object.unwrap();
    assert_eq!(done.digest(), plan.after);
    assert_eq!(without_weights(&done), without_weights(&there));
    let weight = |it: &Object, n: u32| it.get(&format!("/spec/rules/0/backendRefs/{n}/weight")).cloned();
    assert_eq!(
        [weight(&done, 0), weight(&done, 1)],
        [Some(json!(75)), Some(json!(25))]
    );

    // Planned on what is not there any more, it is written by nobody.
    let again = lab
        .cluster()
        .submit(who, &plan.write(), false, "naru-suite")
        .await;
    assert!(matches!(again, Err(ClusterError::Conflict)), "{again:?}");
    let back = Write::Patch {
        key: plan.target.clone(),
        rv: done.resource_version(),
        ops: plan.undo.clone(),
    };
    let back = lab.cluster().submit(who, &back, false, "naru-suite").await;
    assert_eq!(back.unwrap().object.unwrap().digest(), there.digest());

    let nobody = naru_domain::actor::Actor {
        groups: std::sync::Arc::from([]),
        ..operator.clone()
    };
    let refused = lab
        .cluster()
        .submit(As::Person(&nobody), &plan.write(), true, "naru-suite")
        .await;
    assert!(matches!(refused, Err(ClusterError::Forbidden(_))), "{refused:?}");
}
