//! The snapshot follows the cluster, and says what it does not know.

use crate::system::{engine, store, until};
use naru_domain::{
    actor::Scope,
    object::{Key, Kind},
};
use naru_ports::Console;
use naru_view::source::Freshness;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn objects_come_and_go_and_versions_only_rise() {
    let store = store();
    let engine = engine(Arc::new(store.clone())).await;
    let first = engine.view(&Scope::all()).version;
    let here = |name: &str| {
        engine
            .snapshot()
            .objects
            .value
            .service("user-service", name)
            .is_some()
    };
    store
        .load(
            Kind::Service,
            json!({"metadata": {"name": "새", "namespace": "user-service"}}),
            "kubectl",
        )
        .unwrap();
    until(|| here("새")).await;
    store.delete(&Key::new(Kind::Service, "user-service", "새"));
    until(|| !here("새")).await;
    let later = engine.changed(first).await;
    assert!(later.replaces(first) && later.epoch == first.epoch);
}

#[tokio::test]
async fn an_api_server_that_goes_away_makes_it_stale_and_its_return_fresh() {
    let store = store();
    let engine = engine(Arc::new(store.clone())).await;
    let state = || engine.view(&Scope::all()).canaries.sources[0].state;
    until(|| state() == Freshness::Fresh).await;
    store.reachable(false);
    until(|| state() == Freshness::Stale).await;
    assert_eq!(
        engine.view(&Scope::all()).canaries.routes.len(),
        1,
        "the last known is still shown"
    );
    store.reachable(true);
    until(|| state() == Freshness::Fresh).await;
}

#[tokio::test]
async fn a_kind_may_be_absent_and_arrive_later() {
    let store = store();
    store.remove(Kind::VirtualService);
    let engine = engine(Arc::new(store.clone())).await;
    let view = || engine.view(&Scope::all());
    assert!(view().canaries.routes.is_empty());
    until(|| view().canaries.sources[0].state == Freshness::Fresh).await;
    store.install(Kind::VirtualService);
    let spec = json!({"hosts": ["a"], "http": [{"route": [{"destination": {"host": "a"}}, {"destination": {"host": "b"}}]}]});
    let json = json!({"metadata": {"name": "late", "namespace": "user-service"}, "spec": spec});
    store.load(Kind::VirtualService, json, "kubectl").unwrap();
    until(|| view().canaries.routes.len() == 1).await;
}

#[tokio::test]
async fn who_may_see_nothing_sees_nothing() {
    let engine = engine(Arc::new(store())).await;
    let view = engine.view(&Scope {
        namespaces: Some(Arc::from([])),
    });
    assert!(view.canaries.routes.is_empty() && view.overview.services.is_empty());
}
