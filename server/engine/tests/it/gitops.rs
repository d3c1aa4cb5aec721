//! Weights of objects that are applied from a repository: set where that leaves them alone, planned for others where it does not.

use crate::system::{engine, route_key, store, until, weights, wish};
use naru_domain::{
    Refused, Risk,
    actor::{Actor, Scope},
    object::Kind,
};
use naru_ports::Console;
use naru_rehearsal::api::ObjectStore;
use naru_view::{
    canary::{Canary, DryRun, Owner},
    why::{ApplyError, Leaves},
};
use serde_json::json;
use std::sync::Arc;

/// The system, with its route applied by an Application that ignores its weights, with these sync options.
fn applied_with(options: &[&str]) -> ObjectStore {
    let store = store();
    store.edit(&route_key(), "kubectl", |json| {
        let id = "shop:networking.istio.io/VirtualService:user-service/user-service";
        json["metadata"]["annotations"] = json!({"argocd.argoproj.io/tracking-id": id});
    });
    store.install(Kind::Application);
    let ignored = json!([{"group": "networking.istio.io", "kind": "VirtualService", "jqPathExpressions": [".spec.http[].route[].weight"]}]);
    let application = json!({"metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"ignoreDifferences": ignored, "syncPolicy": {"syncOptions": options}}});
    store
        .load(Kind::Application, application, "argocd-server")
        .expect("a well-formed object");
    store
}

fn shown(engine: &dyn Console) -> Canary {
    let view = engine.view(&Scope::all());
    let mut routes = view.canaries.routes.iter();
    routes
        .find(|it| *it.route.name == *route_key().name)
        .cloned()
        .expect("the route is shown")
}

#[tokio::test]
async fn what_a_sync_would_write_over_is_planned_for_the_repository_and_told_why() {
    let store = applied_with(&["CreateNamespace=true"]);
    let engine = engine(Arc::new(store.clone())).await;
    let who = Actor::loopback();
    let leaves = Leaves::UntilSync {
        application: "argocd/shop".into(),
    };
    until(|| shown(&*engine).owner.is_some_and(|it: Owner| it.leaves == leaves)).await;
    assert!(shown(&*engine).barred());
    let sheet = engine.plan(&who, &wish(50, 50)).await.unwrap();
    assert_eq!(sheet.dry_run, DryRun::Accepted);
    assert_eq!(&*sheet.hand_over.unwrap().owner, "Argo CD");
    let refused = engine.apply(&who, &wish(50, 50), &sheet.digest, "why").await;
    let expected = Refused::Owned {
        owner: "Argo CD".into(),
        by: "argocd.argoproj.io/tracking-id".into(),
        leaves,
    };
    assert_eq!(refused, Err(ApplyError::Refused { refused: expected }));
    assert_eq!(store.keys(Kind::Change), []);
}

#[tokio::test]
async fn what_a_sync_keeps_is_set_and_the_price_is_told() {
    let store = applied_with(&["RespectIgnoreDifferences=true"]);
    let engine = engine(Arc::new(store.clone())).await;
    let who = Actor::loopback();
    until(|| shown(&*engine).owner.is_some() && !shown(&*engine).barred()).await;
    let sheet = engine.plan(&who, &wish(50, 50)).await.unwrap();
    assert_eq!(sheet.hand_over, None);
    let stays = Risk::RulesStay {
        application: "argocd/shop".into(),
        list: "spec.http".into(),
    };
    assert!(sheet.risks.contains(&stays), "{:?}", sheet.risks);
    engine
        .apply(&who, &wish(50, 50), &sheet.digest, "half")
        .await
        .unwrap();
    assert_eq!(weights(&store), [50, 50]);
}
