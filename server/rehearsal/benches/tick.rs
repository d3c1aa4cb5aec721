//! What a second of a rehearsed system costs: `cargo bench -p naru-rehearsal --bench tick`.

mod started;

use divan::{AllocProfiler, Bencher};
use futures::FutureExt;
use naru_domain::{
    object::{Key, Kind},
    traffic::{ServiceId, SplitQuestion},
};
use naru_ports::Metrics;
use started::Started;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const SIZES: [u32; 3] = [200, 1_000, 2_000];

/// One second passes: five steps of requests along about 2.4 edges a service, and a fifth of a scrape.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 5)]
fn second(bencher: Bencher<'_, '_>, services: u32) {
    let it = Started::of(services, 30);
    bencher.bench_local(|| {
        it.pass(1_000);
    });
}

/// Two seconds in which a rule changes, so that the proxies' routes are made anew.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn two_seconds_with_a_change(bencher: Bencher<'_, '_>, services: u32) {
    let it = Started::of(services, 30);
    let mut n = 0_u64;
    bencher.bench_local(|| {
        n += 1;
        let key = Key::new(Kind::Gateway, "istio-system", "edge");
        it.rehearsal.cluster.edit(&key, "bench", |json| {
            json["metadata"]["annotations"] = serde_json::json!({"n": n.to_string()})
        });
        it.pass(2_000);
    });
}

/// The answer to the page's question about all traffic: rates over five minutes.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn traffic(bencher: Bencher<'_, '_>, services: u32) {
    let it = Started::of(services, 320);
    bencher.bench_local(|| {
        it.rehearsal
            .metrics
            .traffic(300)
            .now_or_never()
            .is_some_and(|it| it.is_ok())
    });
}

/// The answer to a canary's question: where requests went in the last five minutes.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn split(bencher: Bencher<'_, '_>, services: u32) {
    let it = Started::of(services, 320);
    let question = SplitQuestion {
        services: [ServiceId {
            namespace: "team-000".into(),
            name: "service-0000".into(),
        }]
        .into(),
        since: it.now() - jiff::SignedDuration::from_secs(300),
        changed: Some(it.now() - jiff::SignedDuration::from_secs(302)),
    };
    bencher.bench_local(|| {
        it.rehearsal
            .metrics
            .splits(std::slice::from_ref(&question))
            .now_or_never()
    });
}

/// All objects of a system, and what controllers make of them.
#[divan::bench(args = [200, 1_000, 2_000], sample_count = 2, sample_size = 1)]
fn start(bencher: Bencher<'_, '_>, services: u32) {
    bencher.bench_local(|| Started::of(services, 0));
}
