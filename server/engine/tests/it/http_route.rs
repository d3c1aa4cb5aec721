//! Weights of an HTTPRoute go the way of a VirtualService's: plan, dry run, journal, patch, undo; and no canary is begun on them.

use crate::system::{NAMESPACE, engine, route, store, until};
use naru_domain::{
    Refused,
    actor::{Actor, Scope},
    change::plan::Intent,
    object::{Key, Kind},
};
use naru_ports::Console;
use naru_rehearsal::api::ObjectStore;
use naru_view::{
    canary::{DryRun, RouteRef, RuleList, SetWeights, WeightOf},
    change::Phase,
    order::{Begin, Step},
    why::ApplyError,
};
use serde_json::{Value, json};
use std::sync::Arc;

fn key() -> Key {
    Key::new(Kind::HttpRoute, NAMESPACE, "user-service")
}

fn of_http_route() -> RouteRef {
    RouteRef {
        list: RuleList::HttpRoute,
        ..route()
    }
}

/// The system with an HTTPRoute that has the VirtualService's name.
fn with_http_route() -> ObjectStore {
    let store = store();
    store.install(Kind::HttpRoute);
    let load = |kind: Kind, json: Value| store.load(kind, json, "kubectl").expect("a well-formed object");
    for version in ["v1", "v2"] {
        let name = format!("user-service-{version}");
        load(
            Kind::Service,
            json!({"metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"selector": {"app": "user-service", "version": version}, "ports": [{"port": 80}]}}),
        );
        let labels = json!({"kubernetes.io/service-name": name});
        load(
            Kind::EndpointSlice,
            json!({"metadata": {"name": format!("{name}-x"), "namespace": NAMESPACE, "labels": labels},
            "endpoints": [{"targetRef": {"kind": "Pod", "name": version}, "conditions": {"ready": true}}]}),
        );
    }
    let to = |version: &str, weight: u32| json!({"name": format!("user-service-{version}"), "port": 80, "weight": weight});
    load(
        Kind::HttpRoute,
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "user-service", "namespace": NAMESPACE},
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "user-service"}],
            "rules": [{"backendRefs": [to("v1", 9), to("v2", 1)], "timeouts": {"request": "2s"}}]}}),
    );
    store
}

fn wish(v1: u32, v2: u32) -> Intent {
    let to = |version: &str, weight| WeightOf {
        host: format!("user-service-{version}").into(),
        subset: "".into(),
        weight,
    };
    Intent::SetWeights(SetWeights {
        route: of_http_route(),
        weights: vec![to("v1", v1), to("v2", v2)],
    })
}

#[tokio::test]
async fn it_is_set_and_taken_back_and_its_namesake_stays() {
    let store = with_http_route();
    let virtual_service = Key::new(Kind::VirtualService, NAMESPACE, "user-service");
    let (before, beside) = (
        store.object(&key()).unwrap(),
        store.object(&virtual_service).unwrap(),
    );
    let engine = engine(Arc::new(store.clone())).await;
    let who = Actor::loopback();
    let sheet = engine.plan(&who, &wish(75, 25)).await.unwrap();
    assert_eq!(sheet.dry_run, DryRun::Accepted);
    assert_eq!(&*sheet.target.0, "HTTPRoute");
    let applied = engine
        .apply(&who, &wish(75, 25), &sheet.digest, "a quarter")
        .await;
    let applied = applied.unwrap();
    let weights = || {
        let object = store.object(&key()).unwrap();
        let all = object.list("/spec/rules/0/backendRefs").to_vec();
        all.iter()
            .map(|it| it["weight"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(weights(), [75, 25]);
    // The page says so, and which change it was.
    let shown = || {
        let view = engine.view(&Scope::all());
        let mut routes = view.canaries.routes.iter();
        routes.find(|it| it.route == of_http_route()).cloned().unwrap()
    };
    until(|| shown().last_change.as_ref() == Some(&applied.change)).await;
    assert_eq!(shown().points(), [75, 25]);
    let landed = || {
        let changes = &engine.view(&Scope::all()).changes;
        matches!(changes.changes[0].phase, Phase::Landed { .. })
    };
    until(landed).await;

    let undo = Intent::Undo {
        namespace: applied.namespace.clone(),
        change: applied.change.clone(),
    };
    let sheet = engine.plan(&who, &undo).await.unwrap();
    let labels: Vec<&str> = sheet.diff.iter().map(|it| &*it.label).collect();
    assert_eq!(labels, ["user-service-v1", "user-service-v2"]);
    engine.apply(&who, &undo, &sheet.digest, "back").await.unwrap();
    assert_eq!(store.object(&key()).unwrap().digest(), before.digest());
    assert_eq!(store.object(&virtual_service).unwrap(), beside);
}

#[tokio::test]
async fn whom_it_belongs_to_is_asked_first() {
    let store = with_http_route();
    store.edit(&key(), "kubectl", |json| {
        json["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] = json!("shop");
    });
    let engine = engine(Arc::new(store.clone())).await;
    let before = store.object(&key());
    // What is planned is for whoever writes it: it is shown, and not written here.
    let sheet = engine.plan(&Actor::loopback(), &wish(75, 25)).await.unwrap();
    let over = sheet.hand_over.unwrap();
    assert_eq!(&*over.owner, "Flux");
    let patch: serde_json::Value = serde_json::from_str(&over.patch).unwrap();
    let set = patch
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["op"] == "replace");
    assert_eq!(set.map(|it| it["value"].clone()).collect::<Vec<_>>(), [75, 25]);
    let refused = engine
        .apply(&Actor::loopback(), &wish(75, 25), &sheet.digest, "why")
        .await;
    assert!(
        matches!(&refused, Err(ApplyError::Refused { refused: Refused::Owned { owner, .. } }) if &**owner == "Flux"),
        "{refused:?}"
    );
    assert_eq!(store.object(&key()), before);
}

#[tokio::test]
async fn no_canary_is_begun_on_it() {
    let engine = engine(Arc::new(with_http_route())).await;
    let step = Step {
        weight: 50,
        dwell_s: 60,
        requests: 1,
    };
    let wish = Begin {
        route: of_http_route(),
        steps: vec![step],
        errors: 0.01,
    };
    let list = "HTTPRoute".into();
    assert_eq!(
        engine.begin(&Actor::loopback(), &wish).await,
        Err(ApplyError::Refused {
            refused: Refused::NoSteps { list }
        })
    );
}
