//! What a scrape of a rehearsed system costs: `cargo bench -p naru-rehearsal --bench scrape`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod started;

use divan::{AllocProfiler, Bencher};
use started::Started;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    // `cargo test --all-targets` runs each bench once, to see that it works.
    if std::env::args().any(|it| it == "--bench") {
        SIZES.into_iter().for_each(sizes);
    }
    divan::main();
}

/// What divan does not measure: how large a page is, and what a process is that keeps all samples.
fn sizes(services: u32) {
    let before = resident();
    let it = Started::of(services, 1_200);
    let kept = resident();
    let (mut bytes, mut lines) = (0, 0);
    for piece in it.rehearsal.metrics.exposition() {
        bytes += piece.len();
        lines += piece.lines().filter(|line| !line.starts_with('#')).count();
    }
    let after = resident();
    println!(
        "{services} services: {lines} series, {bytes} bytes; resident {before}, with 20 minutes of samples {kept}, after a page {after}"
    );
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    line.unwrap_or_default().trim().to_owned()
}

const SIZES: [u32; 3] = [200, 500, 2_000];

/// The whole page, piece by piece, thrown away.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn page(bencher: Bencher<'_, '_>, services: u32) {
    let it = Started::of(services, 60);
    bencher.with_inputs(|| it.pass(1_000)).bench_local_values(|()| {
        it.rehearsal
            .metrics
            .exposition()
            .map(|piece| piece.len())
            .sum::<usize>()
    });
}

/// The copy that is taken under the lock.
#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn copy(bencher: Bencher<'_, '_>, services: u32) {
    let it = Started::of(services, 60);
    bencher
        .with_inputs(|| it.pass(1_000))
        .bench_local_values(|()| it.rehearsal.metrics.exposition());
}
