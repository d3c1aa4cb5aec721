use crate::{
    Risk,
    change::plan::{Intent, plan},
    example,
    fact::Fact,
    object::Kind,
    snapshot::{Objects, Observed as Traffic, Snapshot},
    traffic::Protocol,
};
use naru_view::canary::{RouteRef, RuleList, SetWeights, WeightOf};
use serde_json::{Value, json};
use std::sync::Arc;

/// Weights v1 and v2 of the example: 27 and 3 requests a second, from one caller, to two pods and to one.
fn risks(snapshot: &Snapshot, v2: u32) -> Vec<Risk> {
    let weight = |subset: &str, weight| WeightOf {
        host: "user-service".into(),
        subset: subset.into(),
        weight,
    };
    let wish = SetWeights {
        route: RouteRef {
            namespace: "user-service".into(),
            name: "user-service".into(),
            list: RuleList::Http,
            rule: 0,
        },
        weights: vec![weight("v1", 100 - v2), weight("v2", v2)],
    };
    let plan = plan(&Intent::SetWeights(wish), snapshot).unwrap();
    let bounds = |it: &Risk| matches!(it, Risk::Autoscaler { .. } | Risk::Pool { .. });
    plan.risks.into_iter().filter(bounds).collect()
}

fn put(objects: &mut Objects, kind: Kind, json: Value) {
    objects.put(Fact::read(kind, json).unwrap());
}

fn with_autoscaler(most: u32, of: &str) -> Snapshot {
    let mut objects = example::objects();
    for version in ["v1", "v2"] {
        put(
            &mut objects,
            Kind::Deployment,
            json!({"metadata": {"name": format!("user-service-{version}"), "namespace": "user-service"},
                "spec": {"replicas": 2, "template": {"metadata": {"labels": {"app": "user-service", "version": version}}}}}),
        );
    }
    put(
        &mut objects,
        Kind::HorizontalPodAutoscaler,
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "scale", "namespace": "user-service"},
            "spec": {"maxReplicas": most, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": of}}}),
    );
    example::snapshot(objects)
}

#[test]
fn more_pods_than_the_autoscaler_makes_are_told_before() {
    let told = |most, pods| Risk::Autoscaler {
        subset: "v2".into(),
        autoscaler: "scale".into(),
        most,
        pods,
    };
    // The busiest pod carries 13.5 a second: 15 want two of them, 30 three.
    assert_eq!(risks(&with_autoscaler(1, "user-service-v2"), 50), [told(1, 2)]);
    assert_eq!(risks(&with_autoscaler(2, "user-service-v2"), 50), []);
    assert_eq!(risks(&with_autoscaler(2, "user-service-v2"), 100), [told(2, 3)]);
    // 45 % is 13.5 to the point.
    assert_eq!(risks(&with_autoscaler(1, "user-service-v2"), 45), []);
    // Another's is nobody's concern, and neither is one of the version that gets less.
    assert_eq!(risks(&with_autoscaler(1, "user-service-v1"), 100), []);
    assert_eq!(risks(&with_autoscaler(1, "other"), 100), []);
}

/// The example with a pool for v2, `pods` pods of the caller, and requests that take so long.
fn with_pool(pool: &Value, pods: usize, ms: f64, protocol: Protocol) -> Snapshot {
    let mut objects = example::objects();
    put(
        &mut objects,
        Kind::DestinationRule,
        json!({"metadata": {"name": "user-service", "namespace": "user-service"}, "spec": {"host": "user-service", "subsets": [
            {"name": "v1", "labels": {"version": "v1"}},
            {"name": "v2", "labels": {"version": "v2"}, "trafficPolicy": {"connectionPool": pool}}]}}),
    );
    for n in 0..pods {
        put(
            &mut objects,
            Kind::Pod,
            json!({"metadata": {"name": format!("gateway-{n}"), "namespace": "default", "labels": {"app": "gateway"},
                "ownerReferences": [{"kind": "StatefulSet", "name": "sangsang-plus-gateway", "controller": true}]},
                "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}]}, "status": {"phase": "Running"}}),
        );
    }
    let mut snapshot = example::snapshot(objects);
    let mut observed: Traffic = (*snapshot.traffic.value).clone();
    let mut traffic = (**observed.traffic.as_ref().unwrap()).clone();
    traffic.flows = traffic
        .flows
        .into_iter()
        .map(|(mut key, mut flow)| {
            key.protocol = protocol;
            flow.average_ms = Some(ms);
            (key, flow)
        })
        .collect();
    observed.traffic = Some(Arc::new(traffic));
    snapshot.traffic.value = Arc::new(observed);
    snapshot
}

#[test]
fn a_callers_pool_that_would_be_full_is_told_with_the_field_that_says_so() {
    let of = |pool: Value, pods, ms| with_pool(&pool, pods, ms, Protocol::Http);
    // 100 % of 30 a second at 300 ms are 9 under way on average, 18 now and then; in two pods 4.5 each, 11.
    let told = |field: &str, limit, most| Risk::Pool {
        subset: "v2".into(),
        caller: "default/sangsang-plus-gateway".into(),
        rule: "user-service".into(),
        field: field.into(),
        limit,
        most,
    };
    let requests = |n: u32| json!({"http": {"http2MaxRequests": n}});
    assert_eq!(
        risks(&of(requests(10), 1, 300.0), 100),
        [told("http2MaxRequests", 10, 18)]
    );
    assert_eq!(
        risks(&of(requests(10), 2, 300.0), 100),
        [told("http2MaxRequests", 10, 11)]
    );
    assert_eq!(risks(&of(requests(18), 1, 300.0), 100), []);
    assert_eq!(risks(&of(requests(10), 1, 300.0), 25), []);
    let both = json!({"tcp": {"maxConnections": 5}, "http": {"http1MaxPendingRequests": 5}});
    let field = "maxConnections + http1MaxPendingRequests, HTTP/1.1";
    assert_eq!(risks(&of(both.clone(), 1, 300.0), 100), [told(field, 10, 18)]);
    // What waits without an end is late, not lost.
    assert_eq!(
        risks(&of(json!({"tcp": {"maxConnections": 5}}), 1, 300.0), 100),
        []
    );
    // Without pods, or going back, there is nothing to say.
    assert_eq!(risks(&of(requests(1), 0, 300.0), 100), []);
    assert_eq!(risks(&of(requests(1), 1, 300.0), 5), []);
    // gRPC has one connection for many.
    assert_eq!(risks(&with_pool(&both, 1, 300.0, Protocol::Grpc), 100), []);
    assert_eq!(
        risks(&with_pool(&requests(10), 1, 300.0, Protocol::Grpc), 100),
        [told("http2MaxRequests", 10, 18)]
    );
}
