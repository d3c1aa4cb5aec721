//! Systems of any size.

use crate::world::seen;
use jiff::Timestamp;
use naru_domain::{
    fact::Proxy,
    object::{Key, Kind, Object},
    traffic::Reporter,
};
use naru_ports::Metrics;
use naru_rehearsal::{
    ManualClock, Rehearsal, Settings, scenario,
    traffic::Caller,
    world::{self, sized::Member},
};
use std::{collections::BTreeSet, sync::Arc};

fn started(namespaces: u32, services: u32) -> Rehearsal {
    let clock = Arc::new(ManualClock::at(
        "2026-11-23T02:13:00Z".parse::<Timestamp>().unwrap(),
    ));
    Rehearsal::of(scenario::sized(namespaces, services), Settings::default(), clock)
}

#[test]
fn a_world_has_the_size_that_was_asked_for() {
    for (namespaces, services, pods) in [(1, 1, 1), (3, 4, 1), (7, 10, 2), (50, 10, 8), (0, 0, 0)] {
        let manifests = world::sized::sized(namespaces, services, pods);
        let of = |kind, at: &str| {
            let here = manifests.iter().filter(|(it, json)| {
                let place = if kind == Kind::Namespace {
                    "name"
                } else {
                    "namespace"
                };
                *it == kind && json["metadata"][place].as_str().unwrap().starts_with(at)
            });
            here.map(|(_, json)| json).collect::<Vec<_>>()
        };
        let (n, m) = (namespaces.max(1) as usize, services.max(1) as usize);
        assert_eq!(of(Kind::Namespace, "team-").len(), n);
        assert_eq!(of(Kind::Service, "team-").len(), n * m);
        let deployments = of(Kind::Deployment, "team-");
        let canaries = of(Kind::DestinationRule, "team-").len();
        assert_eq!(deployments.len(), n * m + canaries);
        // An edge for each namespace, and the canaries' rules.
        assert_eq!(of(Kind::VirtualService, "team-").len(), n + canaries);
        let replicas = |it: &&serde_json::Value| it["spec"]["replicas"].as_u64().unwrap();
        let asked: u64 = deployments.iter().map(replicas).sum();
        let each = u64::from(pods.max(1));
        let expected = each * (n * m) as u64 + if each == 1 { canaries as u64 } else { 0 };
        assert_eq!(asked, expected, "{namespaces} {services} {pods}");
        let mut keys: Vec<Key> = Vec::new();
        for (kind, json) in &manifests {
            let object = Object::new(*kind, json.clone());
            keys.push(object.unwrap().key().clone());
        }
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all, "two objects share a name");
    }
    let ten: Vec<Member> = (0..10).map(|s| Member::of(4, s, 10)).collect();
    assert_eq!(ten.iter().filter(|it| it.canary).count(), 1);
    assert_eq!(ten[3].workloads().count(), 1);
    let canary = ten.iter().find(|it| it.canary).unwrap();
    assert_eq!(
        canary
            .workloads()
            .map(|it| it.ends_with("-v2"))
            .collect::<Vec<_>>(),
        [false, true]
    );
}

#[test]
fn all_of_it_stands_in_the_mesh_under_names_of_its_own() {
    let objects = seen(&started(4, 6));
    let teams: Vec<_> = objects
        .pods
        .values()
        .filter(|it| it.namespace.starts_with("team-"))
        .collect();
    assert!(teams.len() >= 48);
    assert!(teams.iter().all(|it| it.ready && it.proxy == Proxy::Sidecar));
    let accounts: BTreeSet<_> = teams.iter().map(|it| &it.service_account).collect();
    assert_eq!(accounts.len(), 24);
    let outside = objects
        .pods
        .values()
        .find(|it| &*it.namespace == world::sized::OUTSIDE)
        .unwrap();
    assert_eq!(
        (outside.proxy, &*outside.service_account),
        (Proxy::None, "import-000")
    );
}

#[test]
fn who_is_called_is_there_and_the_same_each_time() {
    let system = scenario::sized(6, 9);
    let again = scenario::sized(6, 9);
    assert_eq!(format!("{:?}", system.demand), format!("{:?}", again.demand));
    let services: BTreeSet<(&str, &str)> = system
        .objects
        .iter()
        .filter(|(kind, _)| *kind == Kind::Service)
        .map(|(_, json)| {
            (
                json["metadata"]["namespace"].as_str().unwrap(),
                json["metadata"]["name"].as_str().unwrap(),
            )
        })
        .collect();
    let works = system.demand.works.values();
    let calls: Vec<_> = works
        .flat_map(|it| &it.calls)
        .chain(system.demand.arrivals.iter().map(|it| &it.call))
        .collect();
    assert!(
        calls
            .iter()
            .all(|it| services.contains(&(&*it.service.namespace, &*it.service.name)))
    );
    assert!(system.demand.works.values().all(|it| it.calls.len() <= 4));
    let callers = |wanted: fn(&Caller) -> bool| {
        system
            .demand
            .arrivals
            .iter()
            .filter(|it| wanted(&it.caller))
            .count()
    };
    assert_eq!(callers(|it| matches!(it, Caller::Gateway { .. })), 6);
    assert_eq!(
        callers(|it| matches!(it, Caller::Workload { meshed: false, .. })),
        2
    );
}

#[tokio::test]
async fn about_one_request_a_second_passes_along_each_edge() {
    let rehearsal = started(10, 10);
    let traffic = rehearsal.metrics.traffic(240).await.unwrap().value;
    let (mut edges, mut rate, mut reached) = (BTreeSet::new(), 0.0, BTreeSet::new());
    for (key, flow) in traffic
        .flows
        .iter()
        .filter(|(key, _)| key.reporter == Reporter::Destination)
    {
        // A canary's two workloads share an edge.
        edges.insert((&key.source.app, &key.target.app));
        rate += flow.rate;
        reached.insert(&key.target.app);
    }
    let mean = rate / f64::from(u32::try_from(edges.len()).unwrap());
    assert!((100..400).contains(&edges.len()), "{}", edges.len());
    assert!((0.7..1.3).contains(&mean), "{mean}");
    assert!(reached.len() >= 60, "{}", reached.len());
    let failing: f64 = traffic.flows.values().map(|it| it.failed).sum();
    assert!(failing > 0.0);
}
