//! Observed traffic follows the objects of the moment.

use crate::world::start;
use naru_domain::{
    Timestamp, Why,
    actor::Actor,
    object::{Key, Kind, Write},
    traffic::{Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Split, SplitQuestion, Traffic},
};
use naru_ports::{As, Clock, Cluster, Metrics};
use naru_rehearsal::{
    ManualClock, Rehearsal, Settings, scenario,
    traffic::{Cause, Harm},
    world::controllers::set_ready,
};
use serde_json::json;
use std::sync::Arc;

fn user_service() -> ServiceId {
    ServiceId {
        namespace: "user-service".into(),
        name: "user-service".into(),
    }
}

fn canary() -> Key {
    Key::new(Kind::VirtualService, "user-service", "user-service-canary")
}

async fn set_weights(rehearsal: &Rehearsal, rule: u32, v1: u32, v2: u32) {
    let rv = rehearsal.cluster.get(&canary()).await.unwrap().resource_version();
    let ops = json!([
        {"op": "replace", "path": format!("/spec/http/{rule}/route/0/weight"), "value": v1},
        {"op": "replace", "path": format!("/spec/http/{rule}/route/1/weight"), "value": v2},
    ]);
    let write = Write::Patch {
        key: canary(),
        rv,
        ops: serde_json::from_value(ops).unwrap(),
    };
    rehearsal
        .cluster
        .submit(As::Person(&Actor::loopback()), &write, false, "naru-test")
        .await
        .unwrap();
}

async fn split(rehearsal: &Rehearsal, since: Timestamp) -> Result<Split, Why> {
    let question = SplitQuestion {
        services: [user_service()].into(),
        since,
        changed: None,
    };
    rehearsal
        .metrics
        .splits(&[question])
        .await
        .remove(0)
        .map(|dated| dated.value)
}

fn share(split: &Split, workload: &str) -> f64 {
    let n: u64 = split.rows.iter().map(|row| row.requests).sum();
    let row = split.rows.iter().find(|row| &*row.workload == workload);
    f64::from(u32::try_from(row.map_or(0, |row| row.requests)).unwrap())
        / f64::from(u32::try_from(n).unwrap())
}

async fn traffic(rehearsal: &Rehearsal, window_s: u32) -> Traffic {
    rehearsal.metrics.traffic(window_s).await.unwrap().value
}

fn between<'a>(
    traffic: &'a Traffic,
    source: &'a str,
    target: &'a str,
    reporter: Reporter,
) -> Option<(&'a FlowKey, &'a Flow)> {
    let mut flows = traffic.flows.iter();
    flows.find(|(key, _)| {
        &*key.source.workload == source && &*key.target.workload == target && key.reporter == reporter
    })
}

#[tokio::test]
async fn moved_weights_move_what_is_observed() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 120);
    let before = split(&rehearsal, clock.now() - jiff::SignedDuration::from_secs(100))
        .await
        .unwrap();
    assert!(
        (0.06..0.14).contains(&share(&before, "user-service-v2")),
        "{before:?}"
    );

    set_weights(&rehearsal, 0, 50, 50).await;
    // The routes are in force after a second at most; from there on only the new weights count.
    clock.advance_ms(1_200);
    let since = clock.now();
    clock.advance_ms(100_000);
    let after = split(&rehearsal, since).await.unwrap();
    let n: u64 = after.rows.iter().map(|row| row.requests).sum();
    assert!(n > 1_500, "{after:?}");
    assert!(
        (0.45..0.55).contains(&share(&after, "user-service-v2")),
        "{after:?}"
    );
    assert!(after.unrouted.is_empty());
    assert!(after.from >= since);
}

#[tokio::test]
async fn a_weight_of_zero_gets_nothing_and_a_rule_by_header_still_does() {
    let (clock, rehearsal) = start(&scenario::HEADER_CANARY, 0);
    set_weights(&rehearsal, 1, 100, 0).await;
    clock.advance_ms(1_200);
    let since = clock.now();
    clock.advance_ms(60_000);
    let headers = split(&rehearsal, since).await.unwrap();
    assert!(
        (0.02..0.09).contains(&share(&headers, "user-service-v2")),
        "{headers:?}"
    );

    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    set_weights(&rehearsal, 0, 100, 0).await;
    clock.advance_ms(1_200);
    let since = clock.now();
    clock.advance_ms(60_000);
    assert_eq!(split(&rehearsal, since).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_version_without_pods_gives_503_to_its_share() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    let deployment = Key::new(Kind::Deployment, "user-service", "user-service-v2");
    let rv = rehearsal
        .cluster
        .get(&deployment)
        .await
        .unwrap()
        .resource_version();
    let ops =
        serde_json::from_value(json!([{"op": "replace", "path": "/spec/replicas", "value": 0}])).unwrap();
    let write = Write::Patch {
        key: deployment,
        rv,
        ops,
    };
    rehearsal
        .cluster
        .submit(As::Controller("hpa"), &write, false, "hpa")
        .await
        .unwrap();
    clock.advance_ms(1_200);
    let since = clock.now();
    clock.advance_ms(60_000);
    let split = split(&rehearsal, since).await.unwrap();
    let routed: u64 = split.rows.iter().map(|row| row.requests).sum();
    assert_eq!(split.rows.len(), 1, "{split:?}");
    let lost = f64::from(u32::try_from(split.unrouted.values().sum::<u64>()).unwrap());
    let part = lost / (lost + f64::from(u32::try_from(routed).unwrap()));
    assert!((0.06..0.14).contains(&part), "{split:?}");

    let traffic = traffic(&rehearsal, 50).await;
    let (key, flow) = between(&traffic, "sangsang-plus-gateway", "", Reporter::Source).unwrap();
    assert_eq!((&key.service, &key.target), (&user_service(), &Party::default()));
    assert_eq!(
        flow.codes.keys().cloned().collect::<Vec<_>>(),
        [("503".into(), "UH".into())]
    );
    assert!((flow.failed - flow.rate).abs() < 1e-9);
    // Who needs an answer and gets none fails too.
    let (_, edge) = between(
        &traffic,
        "istio-ingressgateway",
        "sangsang-plus-gateway",
        Reporter::Source,
    )
    .unwrap();
    assert!(edge.failed > 0.03 * edge.rate, "{edge:?}");
}

#[tokio::test]
async fn crashed_pods_and_an_undefined_subset_give_503_as_well() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    assert!(set_ready(
        &rehearsal.cluster,
        "user-service",
        "user-service-v2",
        0
    ));
    clock.advance_ms(60_000);
    let flags = |traffic: &Traffic| {
        let (_, flow) = between(traffic, "sangsang-plus-gateway", "", Reporter::Source).unwrap();
        flow.codes
            .keys()
            .map(|(code, flags)| format!("{code} {flags}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(flags(&traffic(&rehearsal, 30).await), ["503 UH"]);
    rehearsal
        .cluster
        .delete(&Key::new(Kind::DestinationRule, "user-service", "user-service"));
    clock.advance_ms(60_000);
    assert_eq!(flags(&traffic(&rehearsal, 30).await), ["503 NC"]);
    let split = split(&rehearsal, clock.now() - jiff::SignedDuration::from_secs(40))
        .await
        .unwrap();
    assert!(split.rows.is_empty() && !split.unrouted.is_empty(), "{split:?}");
}

#[tokio::test]
async fn each_edge_is_told_by_whose_proxies_are_there() {
    let (_, rehearsal) = start(&scenario::GUIDE, 120);
    let traffic = traffic(&rehearsal, 60).await;
    let has = |source, target, reporter| between(&traffic, source, target, reporter).is_some();
    let (gateway, product) = ("sangsang-plus-gateway", "product-service");
    // Both ends in the mesh: both reporters, and mutual TLS by the destination's word.
    let (_, seen) = between(&traffic, gateway, product, Reporter::Destination).unwrap();
    assert!(
        (seen.mtls - seen.rate).abs() < 1e-9 && seen.rate > 10.0 && seen.average_ms.is_some(),
        "{seen:?}"
    );
    let (_, asked) = between(&traffic, gateway, product, Reporter::Source).unwrap();
    assert!((asked.rate - seen.rate).abs() < 1e-9 && asked.mtls.abs() < 1e-9);
    // The ingress gateway reports as source; nothing is known of who calls it.
    assert!(has("istio-ingressgateway", gateway, Reporter::Source));
    assert!(
        !traffic
            .flows
            .keys()
            .any(|key| &*key.target.workload == "istio-ingressgateway")
    );
    // Keycloak has no proxy: only the caller's reporter.
    assert!(has(gateway, "keycloak", Reporter::Source) && !has(gateway, "keycloak", Reporter::Destination));
    // The batch job has none: an unknown caller in plaintext.
    let (key, job) = between(&traffic, "", product, Reporter::Destination).unwrap();
    assert_eq!(key.source, Party::default());
    assert!(job.rate > 0.5 && job.mtls.abs() < 1e-9, "{job:?}");
    // The database speaks TCP.
    let (key, database) = between(&traffic, "user-service-v1", "user-db", Reporter::Source).unwrap();
    assert_eq!(key.protocol, Protocol::Tcp);
    assert!(database.sent > 0.0 && database.average_ms.is_none() && database.failed.abs() < 1e-9);
}

#[tokio::test]
async fn strict_silences_the_plaintext_caller() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 0);
    rehearsal.cluster.edit(
        &Key::new(Kind::PeerAuthentication, "istio-system", "default"),
        "kubectl",
        |json| {
            json["spec"]["mtls"]["mode"] = "STRICT".into();
        },
    );
    clock.advance_ms(90_000);
    let traffic = traffic(&rehearsal, 60).await;
    assert!(between(&traffic, "", "product-service", Reporter::Destination).is_none());
    assert!(
        between(
            &traffic,
            "sangsang-plus-gateway",
            "product-service",
            Reporter::Destination
        )
        .is_some()
    );
}

#[tokio::test]
async fn equal_seeds_give_equal_bytes_however_often_one_asks() {
    let run = async |seed, pauses: &[i64]| {
        let clock = Arc::new(ManualClock::at("2026-11-23T02:13:00Z".parse().unwrap()));
        let settings = Settings {
            seed,
            history_s: 30,
            ..Settings::default()
        };
        let rehearsal = Rehearsal::with(&scenario::GUIDE, settings, clock.clone());
        for pause in pauses {
            clock.advance_ms(*pause);
            let _ = rehearsal.metrics.traffic(30).await;
        }
        format!("{:?}", rehearsal.metrics.traffic(30).await)
    };
    let one = run(7, &[30_000]).await;
    assert_eq!(one, run(7, &[10, 4_990, 15_000, 3, 9_997]).await);
    assert_ne!(one, run(8, &[30_000]).await);
}

#[tokio::test]
async fn missed_scrapes_and_outages_are_said() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 60);
    let at = rehearsal.metrics.traffic(60).await.unwrap().at;
    rehearsal.metrics.miss(12);
    clock.advance_ms(58_000);
    let answer = rehearsal.metrics.traffic(30).await;
    assert!(
        matches!(answer, Err(Why::TooYoung { samples: 0, .. })),
        "{answer:?}"
    );
    // What is old is not passed off as new.
    assert_eq!(rehearsal.metrics.traffic(110).await.unwrap().at, at);
    let answer = split(&rehearsal, clock.now()).await;
    assert!(
        matches!(answer, Err(Why::TooYoung { samples: 0, .. })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn before_the_crossing_no_proxy_counts_and_a_moved_ingress_moves_the_requests() {
    let (clock, rehearsal) = start(&scenario::BEFORE, 60);
    assert_eq!(traffic(&rehearsal, 60).await.flows.len(), 0);
    let store = &rehearsal.cluster;
    let (_, ingress) = store.list(Kind::Ingress, Some("default")).remove(0);
    let gateway = |name, spec| json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec});
    store
        .load(Kind::Gateway, gateway("sangsang-gateway", json!({"selector": {"istio": "ingressgateway"},
            "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [world_host()]}]})), "kubectl")
        .unwrap();
    store
        .load(Kind::VirtualService, gateway("sangsang-vs", json!({"hosts": [world_host()], "gateways": ["sangsang-gateway"],
            "http": [{"route": [{"destination": {"host": "sangsang-plus-gateway", "port": {"number": 8080}}}]}]})), "kubectl")
        .unwrap();
    // The routes alone move nothing.
    clock.advance_ms(60_000);
    assert_eq!(traffic(&rehearsal, 30).await.flows.len(), 0);
    let mut moved = (*ingress).clone();
    moved["metadata"] = json!({"name": "sangsang", "namespace": "istio-system"});
    moved["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"] =
        json!({"name": "istio-ingressgateway", "port": {"number": 80}});
    store.delete(&Key::new(Kind::Ingress, "default", "sangsang"));
    store.load(Kind::Ingress, moved, "kubectl").unwrap();
    clock.advance_ms(60_000);
    let traffic = traffic(&rehearsal, 30).await;
    let edge = between(
        &traffic,
        "istio-ingressgateway",
        "sangsang-plus-gateway",
        Reporter::Source,
    );
    assert!(edge.is_some_and(|(_, flow)| flow.rate > 20.0), "{traffic:?}");
    assert_eq!(traffic.flows.len(), 1, "nothing else has a proxy");
}

fn world_host() -> &'static str {
    naru_rehearsal::world::guide::HOST
}

#[tokio::test]
async fn a_nightly_job_is_seen_only_while_it_runs_and_is_silent_after_strict() {
    let run = async |strict: bool, inject: bool| {
        let (clock, rehearsal) = start(&scenario::BEFORE, 0);
        let store = &rehearsal.cluster;
        let label =
            |json: &mut serde_json::Value| json["metadata"]["labels"]["istio-injection"] = "enabled".into();
        for namespace in ["product-service", "default"] {
            store.edit(&Key::new(Kind::Namespace, "", namespace), "kubectl", label);
        }
        if inject {
            store.edit(&Key::new(Kind::Namespace, "", "batch"), "kubectl", label);
        }
        for (namespace, name) in [
            ("product-service", "product-service"),
            ("default", "sangsang-plus-gateway"),
        ] {
            store.edit(&Key::new(Kind::Deployment, namespace, name), "kubectl", |json| {
                json["spec"]["template"]["metadata"]["annotations"] = json!({"restarted": "yes"});
            });
        }
        if strict {
            let all = json!({"metadata": {"name": "default", "namespace": "istio-system"}, "spec": {"mtls": {"mode": "STRICT"}}});
            store.load(Kind::PeerAuthentication, all, "kubectl").unwrap();
        }
        let job = async |seconds: i64| {
            clock.advance_ms(seconds * 1_000);
            let traffic = traffic(&rehearsal, 60).await;
            let rate = |source: &str| {
                let flow = between(&traffic, source, "product-service", Reporter::Destination);
                flow.map_or(0.0, |(_, flow)| flow.rate)
            };
            // Spring's gateway has a proxy here, so that the job alone is an unknown caller.
            (rate(""), rate("price-sync"))
        };
        // 02:29, 02:33, 02:40.
        (job(16 * 60).await, job(4 * 60).await, job(7 * 60).await)
    };
    let ((before, _), (during, named), (after, _)) = run(false, false).await;
    assert!(
        during > 2.0 && before.abs() + after.abs() < 1e-9,
        "{before} {during} {after}"
    );
    assert!(named.abs() < 1e-9);
    let (_, (_, named), (_, later)) = run(false, true).await;
    assert!(named > 2.0 && later.abs() < 1e-9, "{named} {later}");
    let (_, refused, _) = run(true, false).await;
    assert_eq!(refused, (0.0, 0.0), "what is refused leaves no series");
}

#[test]
fn what_callers_bear_is_told_apart_by_whose_why_and_where() {
    let (clock, rehearsal) = start(&scenario::GUIDE, 60);
    assert_eq!(rehearsal.metrics.toll().asked(), 0, "history is nobody's fault");
    let subsets = Key::new(Kind::DestinationRule, "user-service", "user-service");
    rehearsal.cluster.delete(&subsets);
    clock.advance_ms(60_000);
    let toll = rehearsal.metrics.toll();
    assert!(
        toll.asked["people"] > 1_500 && toll.asked["price-sync"] > 80,
        "{toll:?}"
    );
    let lost = |it: &Harm| it.cause == Cause::NoCluster && &*it.place == "user-service/user-service";
    let lost = toll.harmed(|it| &*it.caller == "people" && lost(it));
    // Three of five requests of people's need the user service.
    assert!(lost * 100 > toll.asked["people"] * 55, "{toll:?}");
    assert_eq!(
        toll.harmed(|it| &*it.caller == "price-sync" && it.cause != Cause::OwnFault),
        0
    );
}
