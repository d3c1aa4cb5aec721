//! What it costs to verify all signatures of a crossing.
//!
//! `cargo bench -p naru-domain --bench chain`.

#[path = "chain/signed.rs"]
mod signed;

use divan::Bencher;
use naru_domain::{
    crossing::{Ledger, export::Export},
    snapshot::Objects,
};
use signed::{now, signed};

fn main() {
    divan::main();
}

const SIZES: [u32; 3] = [10, 100, 1_000];

/// From objects as they lie in memory: read, digested, walked.
#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn verify(bencher: Bencher<'_, '_>, count: u32) {
    let objects = signed(count);
    let head = Ledger::read(&objects).verify(None).expect("whole");
    assert_eq!(head.count, count);
    bencher.bench_local(|| Ledger::read(&objects).verify(Some(&head.digest)));
}

/// From the text of a file: parsed as well.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn verify_file(bencher: Bencher<'_, '_>, count: u32) {
    let mut all = Objects::all_known();
    for object in signed(count) {
        all.whole.insert(object.key().clone(), object);
    }
    let text = Export::of(&all, now(0)).text();
    bencher.bench_local(|| Export::read(&text).expect("whole").verify(None));
}
