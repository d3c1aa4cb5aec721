//! What the graph of a mesh costs: services of two pods each, three edges a service, each counted by both reporters.
//!
//! `cargo bench -p naru-domain --bench topology`.

use divan::{AllocProfiler, Bencher};
use naru_domain::{
    Name, Timestamp,
    actor::Scope,
    fact::{Fact, Labels, Pod, Proxy, Service},
    snapshot::Objects,
    topology::{KEEP, Known, Memory, graph, place, remember, report, topology},
    traffic::{Flow, FlowKey, Party, Protocol, Reporter, ServiceId, Traffic},
};
use naru_view::version::Version;
use std::sync::Arc;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const SIZES: [usize; 4] = [100, 500, 1_000, 2_000];
const TIERS: usize = 8;
const NAMESPACES: usize = 40;

fn place_of(i: usize) -> (Name, Name) {
    (
        format!("team-{:02}", i % NAMESPACES).into(),
        format!("service-{i:04}").into(),
    )
}

fn objects(services: usize) -> Objects {
    let mut objects = Objects::all_known();
    for i in 0..services {
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
                started: None,
                restarts: 0,
                ended: Box::default(),
                sidecar: None,
                template: None,
            })));
        }
        objects.put(Fact::Service(Arc::new(Service {
            namespace,
            name: name.clone(),
            selector: Labels::from([("app".into(), name)]),
            ports: Vec::new(),
            exposure: "ClusterIP".into(),
            headless: false,
            node_local: false,
            external_name: "".into(),
            addresses: Vec::new(),
            export_to: Vec::new(),
            created: "".into(),
        })));
    }
    objects
}

/// Eight tiers, each calling the next two; one edge in fifty leads back and closes cycles.
fn traffic(services: usize, extra: usize) -> Traffic {
    let size = services / TIERS;
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
    while edge < 3 * services + extra {
        // Knuth's linear congruential generator (MMIX): the same graph on every machine.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (tier, a, b) = (
            (seed >> 50) % (TIERS - 1),
            (seed >> 33) % size,
            (seed >> 20) % (2 * size),
        );
        let (a, b) = (tier * size + a, ((tier + 1) * size + b).min(services - 1));
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

/// A mesh, and what is known of it.
struct Made {
    objects: Objects,
    traffic: Traffic,
    memory: Memory,
}

impl Made {
    fn of(services: usize, extra: usize) -> Self {
        let traffic = traffic(services, extra);
        let memory = remember(&Memory::new(), &traffic, now(), KEEP);
        let objects = objects(services);
        Self {
            objects,
            traffic,
            memory,
        }
    }

    fn known(&self) -> Known<'_> {
        Known {
            objects: &self.objects,
            traffic: Some(&self.traffic),
            at: Some(now()),
            memory: &self.memory,
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a date in range")
}

const VERSION: Version = Version { epoch: 1, seq: 1 };

#[divan::bench(args = SIZES)]
fn remember_all(bencher: Bencher<'_, '_>, services: usize) {
    let it = Made::of(services, 0);
    bencher.bench_local(|| remember(&Memory::new(), &it.traffic, now(), KEEP));
}

#[divan::bench(args = SIZES)]
fn graph_all(bencher: Bencher<'_, '_>, services: usize) {
    let it = Made::of(services, 0);
    bencher.bench_local(|| graph(&it.known(), &Scope::all()));
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn place_first(bencher: Bencher<'_, '_>, services: usize) {
    let it = Made::of(services, 0);
    let drawn = graph(&it.known(), &Scope::all());
    bencher.bench_local(|| place(None, &drawn));
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn place_unchanged(bencher: Bencher<'_, '_>, services: usize) {
    let it = Made::of(services, 0);
    let drawn = graph(&it.known(), &Scope::all());
    let layout = place(None, &drawn);
    bencher.bench_local(|| place(Some(&layout), &drawn));
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn place_20_edges_more(bencher: Bencher<'_, '_>, services: usize) {
    let (before, after) = (Made::of(services, 0), Made::of(services, 20));
    let layout = place(None, &graph(&before.known(), &Scope::all()));
    let drawn = graph(&after.known(), &Scope::all());
    bencher.bench_local(|| place(Some(&layout), &drawn));
}

/// The picture that a page shows.
#[divan::bench(args = SIZES, sample_count = 50, sample_size = 1)]
fn view_all(bencher: Bencher<'_, '_>, services: usize) {
    let it = Made::of(services, 0);
    let layout = place(None, &graph(&it.known(), &Scope::all()));
    bencher.bench_local(|| topology(&it.known(), &layout, &Scope::all(), Vec::new(), VERSION));
}

#[divan::bench(args = SIZES, sample_count = 50, sample_size = 1)]
fn view_one_namespace_of_40(bencher: Bencher<'_, '_>, services: usize) {
    let it = Made::of(services, 0);
    let layout = place(None, &graph(&it.known(), &Scope::all()));
    let scope = Scope {
        namespaces: Some(Arc::from([Name::from("team-07")])),
    };
    bencher.bench_local(|| topology(&it.known(), &layout, &scope, Vec::new(), VERSION));
}

#[divan::bench(args = SIZES, sample_count = 50, sample_size = 1)]
fn report_all(bencher: Bencher<'_, '_>, services: usize) {
    let it = Made::of(services, 0);
    bencher.bench_local(|| report::report(&it.known(), &Scope::all()));
}
