//! A small system: user-service with v1 and v2 behind a 90/10 route.

use naru_domain::{
    Why,
    change::plan::Intent,
    object::{Key, Kind, Object},
    traffic::{Dated, Split, SplitQuestion, Traffic},
};
use naru_engine::{Engine, Settings, Setup};
use naru_ports::{Clock, Cluster, Metrics, SystemClock};
use naru_rehearsal::{api::ObjectStore, world::policies::policies};
use naru_view::canary::{RouteRef, RuleList, SetWeights, WeightOf};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

pub(crate) const NAMESPACE: &str = "user-service";

/// A Prometheus that has nothing to say.
pub(crate) struct Silent;

#[async_trait::async_trait]
impl Metrics for Silent {
    async fn traffic(&self, _window_s: u32) -> Result<Dated<Traffic>, Why> {
        Err(Why::NotYet {
            source: naru_domain::SourceName::Prometheus,
        })
    }

    async fn splits(&self, questions: &[SplitQuestion]) -> Vec<Result<Dated<Split>, Why>> {
        questions
            .iter()
            .map(|_| {
                Err(Why::NotYet {
                    source: naru_domain::SourceName::Prometheus,
                })
            })
            .collect()
    }

    async fn counts(
        &self,
        _: &naru_domain::judge::guardrail::CountsQuestion,
    ) -> Result<naru_domain::judge::guardrail::Counts, Why> {
        Err(Why::NotYet {
            source: naru_domain::SourceName::Prometheus,
        })
    }
}

pub(crate) fn route() -> RouteRef {
    RouteRef {
        namespace: NAMESPACE.into(),
        name: "user-service".into(),
        list: RuleList::Http,
        rule: 0,
    }
}

pub(crate) fn route_key() -> Key {
    Key::new(Kind::VirtualService, NAMESPACE, "user-service")
}

pub(crate) fn wish(v1: u32, v2: u32) -> Intent {
    let to = |subset: &str, weight| WeightOf {
        host: "user-service".into(),
        subset: subset.into(),
        weight,
    };
    Intent::SetWeights(SetWeights {
        route: route(),
        weights: vec![to("v1", v1), to("v2", v2)],
    })
}

pub(crate) fn store() -> ObjectStore {
    store_by(Arc::new(SystemClock))
}

/// The same, by another clock.
pub(crate) fn store_by(clock: Arc<dyn Clock>) -> ObjectStore {
    let store = ObjectStore::new(clock, 1024);
    for kind in [
        Kind::Gateway,
        Kind::VirtualService,
        Kind::DestinationRule,
        Kind::PeerAuthentication,
        Kind::Change,
        Kind::Canary,
        Kind::Freeze,
        Kind::Migration,
        Kind::SignOff,
        Kind::Evidence,
        Kind::Waiver,
        Kind::Exception,
        Kind::Report,
    ] {
        store.install(kind);
    }
    for (kind, json) in policies() {
        store.load(kind, json, "kubectl").expect("a well-formed policy");
    }
    let load = |kind: Kind, json: Value| store.load(kind, json, "kubectl").expect("a well-formed object");
    let place = |name: &str| json!({"name": name, "namespace": NAMESPACE});
    load(Kind::Namespace, json!({"metadata": {"name": NAMESPACE}}));
    for name in ["naru", "default"] {
        load(Kind::Namespace, json!({"metadata": {"name": name}}));
    }
    load(
        Kind::Service,
        json!({"metadata": place("user-service"),
        "spec": {"selector": {"app": "user-service"}, "ports": [{"port": 80}]}}),
    );
    for version in ["v1", "v2"] {
        let mut metadata = place(version);
        metadata["labels"] = json!({"app": "user-service", "version": version});
        let ready = json!([{"type": "Ready", "status": "True"}]);
        load(
            Kind::Pod,
            json!({"metadata": metadata, "status": {"phase": "Running", "conditions": ready}}),
        );
    }
    let mut slice = place("user-service-x");
    slice["labels"] = json!({"kubernetes.io/service-name": "user-service"});
    let to = |pod: &str| json!({"targetRef": {"kind": "Pod", "name": pod}, "conditions": {"ready": true}});
    load(
        Kind::EndpointSlice,
        json!({"metadata": slice, "endpoints": [to("v1"), to("v2")]}),
    );
    let subset = |name: &str| json!({"name": name, "labels": {"version": name}});
    load(
        Kind::DestinationRule,
        json!({"metadata": place("user-service"),
        "spec": {"host": "user-service", "subsets": [subset("v1"), subset("v2")]}}),
    );
    let to = |subset: &str, weight: u32| json!({"destination": {"host": "user-service", "subset": subset}, "weight": weight});
    load(
        Kind::VirtualService,
        json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": place("user-service"),
        "spec": {"hosts": ["user-service"], "http": [{"route": [to("v1", 90), to("v2", 10)]}]}}),
    );
    store
}

pub(crate) fn weights(store: &ObjectStore) -> Vec<u64> {
    let object: Object = store.object(&route_key()).expect("the route is there");
    let routes = object.list("/spec/http/0/route");
    routes
        .iter()
        .map(|route| route["weight"].as_u64().expect("a weight"))
        .collect()
}

/// An engine that knows the whole system.
pub(crate) async fn engine(cluster: Arc<dyn Cluster>) -> Arc<Engine> {
    engine_with(cluster, Settings::new(7, "test".into()).grace).await
}

/// The same, with another grace.
pub(crate) async fn engine_with(cluster: Arc<dyn Cluster>, grace: Duration) -> Arc<Engine> {
    let settings = Settings {
        grace,
        ..Settings::new(7, "test".into())
    };
    let engine = Engine::start(Setup {
        cluster,
        metrics: Arc::new(Silent),
        inquiries: Arc::new(naru_ports::Nobody),
        clock: Arc::new(SystemClock),
        settings,
    });
    until(|| knows(&engine)).await;
    engine
}

/// Whether an engine has heard of everything that it watches.
pub(crate) fn knows(engine: &Engine) -> bool {
    let snapshot = engine.snapshot();
    let objects = &snapshot.objects.value;
    let watched = &objects.kinds;
    !watched.is_empty() && watched.keys().all(|&kind| objects.gap(kind).is_none())
}

/// Waits until something is so.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("it becomes so");
}
