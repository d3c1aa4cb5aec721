//! What judging the checklist costs, and looking at the mesh, by services: `cargo bench -p naru-rehearsal --bench judge`.

mod started;

use divan::{AllocProfiler, Bencher};
use futures::FutureExt;
use naru_domain::{
    Timestamp,
    fact::Fact,
    judge::{self, World},
    mesh::Prepared,
    object::Kind,
    snapshot::{KindState, Objects},
    survey::Survey,
    traffic::{Dated, Traffic},
};
use naru_ports::Metrics;
use serde_json::{Value, json};
use started::Started;
use std::sync::Arc;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    for services in [100, 500] {
        dearest(services);
    }
    divan::main();
}

const SIZES: [u32; 3] = [100, 500, 1_000];

/// A cluster in which every service belongs to the Migration, and is called by the one before it.
struct System {
    objects: Objects,
    traffic: Arc<Dated<Traffic>>,
    now: Timestamp,
}

impl System {
    fn of(services: u32) -> Self {
        let started = Started::of(services, 120);
        let mut objects = Objects::default();
        for kind in judge::kinds() {
            objects.kinds.insert(kind, KindState::Known);
            for (_, json) in started.rehearsal.cluster.list(kind, None) {
                objects.put(Fact::read(kind, (*json).clone()).expect("it was taken by an API server"));
            }
        }
        objects.put(Fact::read(Kind::Migration, migration(&objects)).expect("a Migration"));
        let traffic = started.rehearsal.metrics.traffic(60).now_or_never();
        Self {
            traffic: Arc::new(traffic.expect("at once").expect("scraped")),
            now: started.now(),
            objects,
        }
    }

    fn world(&self) -> World<'_> {
        let traffic = Some(Arc::clone(&self.traffic));
        World::of(&self.objects, Prepared::of(&self.objects), traffic, self.now)
    }
}

fn migration(objects: &Objects) -> Value {
    let services = objects
        .services
        .values()
        .filter(|it| it.namespace.starts_with("team-"));
    let places: Vec<Value> = services
        .map(|it| json!({"namespace": it.namespace, "name": it.name}))
        .collect();
    let calls: Vec<Value> = places
        .windows(2)
        .map(|it| json!({"from": it[0], "to": it[1]}))
        .collect();
    json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Migration", "metadata": {"name": "sized"}, "spec": {
        "system": "sized", "entry": places[0], "services": &places[1..], "calls": calls,
        "edge": {"hosts": ["team-000.example.com"], "gateway": {"namespace": "istio-system", "name": "istio-ingressgateway"}, "tls": "terminate"}}})
}

/// All sixteen items, as they are judged after each change: the model of the mesh is made anew too.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn checklist(bencher: Bencher<'_, '_>, services: u32) {
    let system = System::of(services);
    bencher.bench_local(|| judge::judge(&system.world()).len());
}

/// The dearest checks, each with a model of its own, in milliseconds: printed once, since a bench for each of 74 would take an hour.
#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn dearest(services: u32) {
    let system = System::of(services);
    let mut all: Vec<(u128, &str)> = judge::ALL
        .iter()
        .map(|check| {
            let world = system.world();
            let begun = std::time::Instant::now();
            (check.run)(&world, &mut judge::Found::default());
            (begun.elapsed().as_millis(), check.name)
        })
        .collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    println!("dearest checks at {services} services, ms: {:?}", &all[..12]);
}

/// Proxies, control planes and what injection would do to each workload, beside the judgement.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn survey(bencher: Bencher<'_, '_>, services: u32) {
    let system = System::of(services);
    bencher.bench_local(|| Survey::of(&system.world()).proxies.len());
}
