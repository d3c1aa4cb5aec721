//! The rehearsed worlds are what an API server would send, and behave as a cluster does with its manifests.

use futures::{FutureExt, StreamExt};
use naru_domain::{
    fact::{Fact, Proxy},
    object::{Key, Kind, Write},
    snapshot::{KindState, Objects},
    workload::{runs, workload_of},
};
use naru_ports::{As, Cluster, Seen};
use naru_rehearsal::{ManualClock, Rehearsal, Settings, scenario};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

pub(crate) fn start(scenario: &scenario::Scenario, history_s: u32) -> (Arc<ManualClock>, Rehearsal) {
    let clock = Arc::new(ManualClock::at("2026-11-23T02:13:00Z".parse().unwrap()));
    let settings = Settings {
        history_s,
        ..Settings::default()
    };
    (clock.clone(), Rehearsal::with(scenario, settings, clock))
}

/// Everything that watches tell at the start.
pub(crate) fn seen(rehearsal: &Rehearsal) -> Objects {
    let mut objects = Objects::default();
    for kind in Kind::ALL {
        let Some(Some(Seen::Reset { facts, gaps })) = rehearsal.cluster.watch(kind).next().now_or_never()
        else {
            panic!("{kind:?} is not listed at once");
        };
        assert_eq!(gaps, [], "{kind:?}");
        facts.into_iter().for_each(|fact| objects.put(fact));
        objects.kinds.insert(kind, KindState::Known);
    }
    objects
}

#[test]
fn every_object_of_every_scenario_is_well_formed_and_arrives() {
    for scenario in [scenario::GUIDE, scenario::HEADER_CANARY, scenario::BEFORE] {
        let named = (scenario.objects)();
        let (_, rehearsal) = start(&scenario, 0);
        for (kind, json) in named {
            let key = Key::of(kind, &json).unwrap();
            let stored = rehearsal.cluster.object(&key).unwrap_or_else(|| panic!("{key}"));
            assert!(
                !stored.uid().is_empty() && !stored.resource_version().is_empty(),
                "{key}"
            );
            assert_eq!(stored.text("/kind"), kind.name());
            assert_eq!(stored.text("/apiVersion"), kind.api_version());
            Fact::read(kind, stored.json().clone()).unwrap();
        }
        let objects = seen(&rehearsal);
        assert!(objects.pods.values().all(|pod| pod.ready && !pod.ip.is_empty()));
    }
}

#[test]
fn the_guides_system_has_its_workloads_inside_and_outside_the_mesh() {
    let (_, rehearsal) = start(&scenario::GUIDE, 0);
    let objects = seen(&rehearsal);
    let mut all = BTreeMap::<_, Vec<_>>::new();
    for pod in objects.pods.values().filter(|pod| runs(pod)) {
        all.entry(workload_of(&objects, pod)).or_default().push(pod);
    }
    let found: Vec<String> = all
        .iter()
        .map(|((namespace, name), pods)| {
            let meshed = pods.iter().filter(|pod| pod.proxy == Proxy::Sidecar).count();
            format!("{namespace}/{name} {meshed} of {}", pods.len())
        })
        .collect();
    assert_eq!(
        found,
        [
            "batch/price-sync 0 of 1",
            "default/sangsang-plus-gateway 2 of 2",
            "ingress-nginx/ingress-nginx-controller 0 of 1",
            "istio-system/istio-ingressgateway 2 of 2",
            "istio-system/istiod 0 of 2",
            "istio-system/prometheus 0 of 1",
            "keycloak/keycloak 0 of 1",
            "product-service/product-service 2 of 2",
            "user-service/user-db 0 of 1",
            "user-service/user-service-v1 3 of 3",
            "user-service/user-service-v2 1 of 1",
        ]
    );
    let ips: std::collections::BTreeSet<_> = objects.pods.values().map(|pod| &pod.ip).collect();
    assert_eq!(
        ips.len(),
        objects.pods.len(),
        "every pod has an address of its own"
    );
    assert!(objects.deployments.values().all(|it| it.ready == it.replicas));
}

#[tokio::test]
async fn scaling_and_restarting_replace_pods() {
    let (_, rehearsal) = start(&scenario::GUIDE, 0);
    let store = &rehearsal.cluster;
    let key = Key::new(Kind::Deployment, "keycloak", "keycloak");
    let pods = || {
        seen(&rehearsal)
            .pods
            .into_values()
            .filter(|pod| &*pod.namespace == "keycloak")
            .collect::<Vec<_>>()
    };
    let patch = async |ops| {
        let rv = store.get(&key).await.unwrap().resource_version();
        let write = Write::Patch {
            key: key.clone(),
            rv,
            ops: serde_json::from_value(ops).unwrap(),
        };
        store
            .submit(As::Controller("test"), &write, false, "test")
            .await
            .unwrap();
    };
    patch(json!([{"op": "replace", "path": "/spec/replicas", "value": 3}])).await;
    assert_eq!(pods().len(), 3);
    assert_eq!(
        store.object(&key).unwrap().get("/status/readyReplicas"),
        Some(&json!(3))
    );

    // Labelling the namespace alone injects nothing; the restart does.
    store.edit(&Key::new(Kind::Namespace, "", "keycloak"), "kubectl", |json| {
        json["metadata"]["labels"]["istio-injection"] = "enabled".into();
    });
    assert!(pods().iter().all(|pod| pod.proxy == Proxy::None));
    let restart = json!({"kubectl.kubernetes.io/restartedAt": "2026-11-23T02:14:00Z"});
    patch(json!([{"op": "add", "path": "/spec/template/metadata/annotations", "value": restart}])).await;
    let after = pods();
    assert!(
        after.len() == 3 && after.iter().all(|pod| pod.proxy == Proxy::Sidecar),
        "{after:?}"
    );
    let slices = seen(&rehearsal).endpoint_slices;
    let slice = slices
        .values()
        .find(|slice| &*slice.service == "keycloak")
        .unwrap();
    assert_eq!(slice.endpoints.iter().filter(|it| it.ready).count(), 3);

    // A pod that is deleted comes again; without its Deployment all go.
    store.delete(&Key::new(Kind::Pod, "keycloak", after[0].name.clone()));
    assert_eq!(pods().len(), 3);
    store.delete(&key);
    assert_eq!(pods().len(), 0);
}

#[test]
fn scenarios_have_names_of_their_own() {
    let names: std::collections::BTreeSet<&str> = scenario::ALL.iter().map(|it| it.name).collect();
    assert_eq!(names.len(), scenario::ALL.len());
    assert!(
        scenario::ALL
            .iter()
            .all(|it| scenario::by_name(it.name).is_some())
    );
    assert!(scenario::by_name("nonsense").is_none());
}
