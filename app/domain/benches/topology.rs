//! How long the graph of a large mesh takes: 1,000 workloads of two pods and 3,000 edges, each counted by both reporters.
//!
//! `cargo bench -p naru-domain --bench topology`; prints the fastest, the median and the slowest of 21 runs of each step
//! in milliseconds. On a busy machine only the fastest says something about the code.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use naru_domain::{
    Name, Timestamp,
    actor::Scope,
    fact::{Fact, Labels, Pod, Proxy, Service},
    object::Kind,
    snapshot::{KindState, Objects},
    topology::{KEEP, Known, Memory, graph, place, remember, report, topology},
    traffic::{Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Traffic},
};
use naru_view::version::Version;
use std::{sync::Arc, time::Instant};

const WORKLOADS: usize = 1_000;
const EDGES: usize = 3_000;
const TIERS: usize = 8;
const SIZE: usize = WORKLOADS / TIERS;
const NAMESPACES: usize = 40;

fn place_of(i: usize) -> (Name, Name) {
    (
        format!("team-{:02}", i % NAMESPACES).into(),
        format!("service-{i:04}").into(),
    )
}

fn objects() -> Objects {
    let mut objects = Objects::default();
    for i in 0..WORKLOADS {
        let (namespace, name) = place_of(i);
        let labels = Labels::from([
            ("app".into(), name.clone()),
            ("version".into(), "v1".into()),
            ("pod-template-hash".into(), "5d4".into()),
        ]);
        for pod in 0..2 {
            objects.put(Fact::Pod(Arc::new(Pod {
                namespace: namespace.clone(),
                name: format!("{name}-5d4-{pod}").into(),
                labels: labels.clone(),
                owner: Some(("ReplicaSet".into(), format!("{name}-5d4").into())),
                ip: "10.0.0.1".into(),
                phase: "Running".into(),
                ready: true,
                leaving: false,
                proxy: if i % 10 == 0 { Proxy::None } else { Proxy::Sidecar },
                service_account: "default".into(),
                created: None,
                restarts: 0,
                sidecar: None,
                template: None,
            })));
        }
        objects.put(Fact::Service(Arc::new(Service {
            namespace,
            name: name.clone(),
            selector: Labels::from([("app".into(), name)]),
            ports: Vec::new(),
            headless: false,
            node_local: false,
            external_name: "".into(),
            addresses: Vec::new(),
            export_to: Vec::new(),
            created: "".into(),
        })));
    }
    objects.kinds = Kind::ALL
        .into_iter()
        .map(|kind| (kind, KindState::Known))
        .collect();
    objects
}

/// Eight tiers, each calling the next two; one edge in fifty leads back and closes cycles.
fn traffic(extra: usize) -> Traffic {
    let party = |i: usize| {
        let (namespace, workload) = place_of(i);
        Party {
            cluster: "Kubernetes".into(),
            namespace,
            app: workload.clone(),
            workload,
            version: "v1".into(),
        }
    };
    let mut flows = std::collections::BTreeMap::new();
    let mut seed = 7_usize;
    let mut edge = 0;
    while edge < EDGES + extra {
        // Knuth's linear congruential generator (MMIX): the same graph on every machine.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (tier, a, b) = (
            (seed >> 50) % (TIERS - 1),
            (seed >> 33) % SIZE,
            (seed >> 20) % (2 * SIZE),
        );
        let (a, b) = (tier * SIZE + a, ((tier + 1) * SIZE + b).min(WORKLOADS - 1));
        let (a, b) = if edge % 50 == 0 { (b, a) } else { (a, b) };
        let (namespace, name) = place_of(b);
        for reporter in [Reporter::Source, Reporter::Destination] {
            let key = FlowKey {
                source: party(a),
                target: party(b),
                service: ServiceId {
                    namespace: namespace.clone(),
                    name: name.clone(),
                },
                reporter,
                protocol: Protocol::Http,
            };
            let codes = [
                (("200".into(), "-".into()), 9.9),
                (("503".into(), "UH".into()), 0.1),
            ]
            .into();
            flows.insert(
                key,
                Flow {
                    rate: 10.0,
                    failed: 0.1,
                    mtls: 10.0,
                    average_ms: Some(12.3),
                    codes,
                    ..Flow::default()
                },
            );
        }
        edge = flows.len() / 2;
    }
    Traffic { window_s: 60, flows }
}

fn measure<T>(what: &str, mut step: impl FnMut() -> T) -> T {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..21 {
        let start = Instant::now();
        let made = std::hint::black_box(step());
        times.push(start.elapsed());
        last = Some(made);
    }
    times.sort();
    let [fastest, median, slowest] = [0, 10, 20].map(|i| ms(times[i]));
    println!("{what:<34} fastest {fastest:>6.2} ms   median {median:>6.2} ms   slowest {slowest:>6.2} ms");
    last.expect("there were 21 runs")
}

fn ms(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn main() {
    let objects = objects();
    let now = Timestamp::from_second(1_800_000_000).expect("a date in range");
    let (first, second) = (traffic(0), traffic(20));
    let memory = measure("remember", || remember(&Memory::new(), &first, now, KEEP));
    let known = Known {
        objects: &objects,
        traffic: Some(&first),
        at: Some(now),
        memory: &memory,
    };
    let more = Known {
        traffic: Some(&second),
        ..known
    };
    let drawn = measure("graph", || graph(&known, &Scope::all()));
    println!("{} nodes, {} edges", drawn.nodes.len(), drawn.edges.len());
    let layout = measure("place, first time", || place(None, &drawn));
    measure("place, nothing changed", || place(Some(&layout), &drawn));
    let changed = graph(&more, &Scope::all());
    measure("place, 20 edges more", || place(Some(&layout), &changed));
    let version = Version { epoch: 1, seq: 1 };
    let whole = measure("topology, all", || {
        topology(&known, &layout, &Scope::all(), Vec::new(), version)
    });
    println!("{:.0} x {:.0} pixels", whole.width, whole.height);
    let scope = Scope {
        namespaces: Some(Arc::from([Name::from("team-07")])),
    };
    measure("topology, one namespace of 40", || {
        topology(&known, &layout, &scope, Vec::new(), version)
    });
    measure("report", || report::report(&known, &Scope::all()));
}
