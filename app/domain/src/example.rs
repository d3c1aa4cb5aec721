//! The guide's system, small, as facts: what the domain's own tests ask about.

use crate::{
    fact::Fact,
    object::{Key, Kind, Object},
    snapshot::{Objects, Observed, Section, Snapshot},
    traffic::{Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Traffic},
};
use naru_view::version::Version;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// user-service with v1 (two pods) and v2 (one), split 90 to 10, called by the gateway of namespace default.
pub(crate) fn objects() -> Objects {
    build(&json!([rule(90, 10)]))
}

/// The same with the guide's header rule before the weights.
pub(crate) fn objects_with_header_rule() -> Objects {
    let header = json!({"match": [{"headers": {"canary": {"exact": "true"}}}],
        "route": [{"destination": {"host": "user-service", "subset": "v2"}}]});
    build(&json!([header, rule(90, 10)]))
}

/// The same without the VirtualService: an HTTPRoute of the Service splits its requests 9 to 1 between a Service for each version.
pub(crate) fn objects_with_http_route() -> Objects {
    let mut objects = objects();
    objects.remove(&Key::new(Kind::VirtualService, "user-service", "user-service"));
    let mut put = |kind, json| objects.put(Fact::read(kind, json).unwrap());
    for (version, pods) in [("v1", &["a", "b"][..]), ("v2", &["c"])] {
        let name = format!("user-service-{version}");
        put(
            Kind::Service,
            json!({"metadata": {"name": name, "namespace": "user-service"},
            "spec": {"selector": {"app": "user-service", "version": version}, "ports": [{"name": "http", "port": 80}]}}),
        );
        let ready =
            |pod: &&str| json!({"targetRef": {"kind": "Pod", "name": pod}, "conditions": {"ready": true}});
        put(
            Kind::EndpointSlice,
            json!({"metadata": {"name": format!("{name}-x"), "namespace": "user-service", "labels": {"kubernetes.io/service-name": name}},
            "endpoints": pods.iter().map(ready).collect::<Vec<_>>()}),
        );
    }
    let to = |version: &str, weight: u32| json!({"group": "", "kind": "Service", "name": format!("user-service-{version}"), "port": 80, "weight": weight});
    put(
        Kind::HttpRoute,
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "user-service", "namespace": "user-service", "uid": "uid-route", "resourceVersion": "7"},
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "user-service", "port": 80}],
            "rules": [{"backendRefs": [to("v1", 9), to("v2", 1)]}]}}),
    );
    objects
}

/// A snapshot of [`objects`] with 30 requests a second to user-service.
pub(crate) fn snapshot(objects: Objects) -> Snapshot {
    let section = |value| Section {
        value: Arc::new(value),
        revision: 1,
        at: Some(now()),
        gaps: Arc::from([]),
    };
    Snapshot {
        version: Version { epoch: 1, seq: 1 },
        taken: now(),
        objects: section(objects),
        traffic: traffic(),
    }
}

pub(crate) fn now() -> jiff::Timestamp {
    "2026-11-23T02:13:00Z".parse().unwrap()
}

fn traffic() -> Section<Observed> {
    let party = |namespace: &str, workload: &str, version: &str| Party {
        namespace: namespace.into(),
        workload: workload.into(),
        version: version.into(),
        ..Party::default()
    };
    let flow = |version: &str, reporter| FlowKey {
        source: party("default", "sangsang-plus-gateway", "v1"),
        target: party("user-service", &format!("user-service-{version}"), version),
        service: ServiceId {
            namespace: "user-service".into(),
            name: "user-service".into(),
        },
        reporter,
        protocol: Protocol::Http,
    };
    let at = |rate| Flow {
        rate,
        ..Flow::default()
    };
    let flows = BTreeMap::from([
        (flow("v1", Reporter::Source), at(27.0)),
        (flow("v2", Reporter::Source), at(3.0)),
        (flow("v1", Reporter::Destination), at(27.0)),
        (flow("v2", Reporter::Destination), at(3.0)),
    ]);
    let observed = Observed {
        traffic: Some(Arc::new(Traffic { window_s: 60, flows })),
        ..Observed::default()
    };
    Section {
        value: Arc::new(observed),
        revision: 1,
        at: Some(now()),
        gaps: Arc::from([]),
    }
}

fn rule(v1: u32, v2: u32) -> Value {
    let to = |subset: &str, weight: u32| json!({"destination": {"host": "user-service", "subset": subset}, "weight": weight});
    json!({"route": [to("v1", v1), to("v2", v2)]})
}

fn build(http: &Value) -> Objects {
    let place = |name: &str| json!({"name": name, "namespace": "user-service", "uid": format!("uid-{name}"), "resourceVersion": "7"});
    let mut objects = Objects::all_known();
    let mut put = |kind, json| objects.put(Fact::read(kind, json).unwrap());
    put(
        Kind::Service,
        json!({"metadata": place("user-service"), "spec": {"selector": {"app": "user-service"},
        "ports": [{"name": "http", "port": 80}]}}),
    );
    let mut endpoints = Vec::new();
    for (name, version) in [("a", "v1"), ("b", "v1"), ("c", "v2")] {
        let set = format!("user-service-{version}-6d4cf56db6");
        put(
            Kind::Pod,
            json!({"metadata": {"name": name, "namespace": "user-service",
            "labels": {"app": "user-service", "version": version, "pod-template-hash": "6d4cf56db6"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": set, "controller": true}]},
            "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
        );
        put(
            Kind::ReplicaSet,
            json!({"metadata": {"name": set, "namespace": "user-service",
            "ownerReferences": [{"kind": "Deployment", "name": format!("user-service-{version}"), "controller": true}]}}),
        );
        endpoints.push(json!({"targetRef": {"kind": "Pod", "name": name}, "conditions": {"ready": true}}));
    }
    put(
        Kind::EndpointSlice,
        json!({"metadata": {"name": "user-service-x", "namespace": "user-service",
        "labels": {"kubernetes.io/service-name": "user-service"}}, "endpoints": endpoints}),
    );
    put(
        Kind::DestinationRule,
        json!({"metadata": place("user-service"), "spec": {"host": "user-service",
        "subsets": [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}]}}),
    );
    put(
        Kind::VirtualService,
        json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": place("user-service"), "spec": {"hosts": ["user-service"], "http": http}}),
    );
    objects
}

/// The VirtualService of [`objects`], as a kubectl user would have edited it.
pub(crate) fn edited(objects: &Objects, edit: impl FnOnce(&mut Value)) -> Object {
    let route = objects
        .object(Kind::VirtualService, "user-service", "user-service")
        .unwrap();
    let mut json = route.json().clone();
    json["metadata"]["resourceVersion"] = json!("8");
    edit(&mut json);
    Object::new(Kind::VirtualService, json).unwrap()
}

/// The same, with the HTTPRoute as somebody has edited it.
pub(crate) fn with_http_route_edited(edit: impl FnOnce(&mut Value)) -> Objects {
    let mut objects = objects_with_http_route();
    let route = objects.object(Kind::HttpRoute, "user-service", "user-service");
    let mut json = route.unwrap().json().clone();
    edit(&mut json);
    objects.put(Fact::Object(Object::new(Kind::HttpRoute, json).unwrap()));
    objects
}
