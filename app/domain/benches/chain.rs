//! What it costs to verify all signatures of a crossing.
//!
//! `cargo bench -p naru-domain --bench chain`.

use divan::Bencher;
use naru_domain::{
    Timestamp,
    actor::Actor,
    crossing::{
        Evidence, Item, Ledger, SignOff,
        evidence::EvidenceSpec,
        export::Export,
        signoff::{EvidenceRef, SignOffSpec},
    },
    judge::{Fact, FactSource, Judgement, Verdict},
    object::{Digest, Key, Kind, Object},
    snapshot::Objects,
};

fn main() {
    divan::main();
}

const SIZES: [u32; 3] = [10, 100, 1_000];

fn now(second: u32) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::from(second)).expect("a date in range")
}

/// Forty facts each, about ten kilobytes: an item of a system of some ten services.
fn signed(count: u32) -> Vec<Object> {
    let mut objects = Vec::new();
    let mut previous = Digest::default();
    let fact = |index: u32| Fact {
        name: "injection",
        source: FactSource::Object,
        key: Some(Key::new(Kind::Namespace, "", format!("namespace-{index}"))),
        path: "/metadata/labels/istio-injection".into(),
        value: "enabled".into(),
        at: None,
        resource_version: "12345678".into(),
    };
    for number in 1..=count {
        let judgement = Judgement {
            item: Item::Secured,
            verdict: Verdict::Met,
            findings: Vec::new(),
            facts: (0..40).map(fact).collect(),
            unknown: Vec::new(),
        };
        let evidence = EvidenceSpec::of(&judgement, None, Vec::new(), now(number));
        let evidence = evidence.object().expect("forty facts fit");
        let read = Evidence::read(&evidence).expect("just written");
        let spec = SignOffSpec {
            item: "3.1".into(),
            evidence: EvidenceRef {
                name: read.name,
                uid: read.uid,
                digest: read.digest,
            },
            previous,
            actor: Actor::loopback(),
            statement: "All callers are known.".into(),
            signed_at: now(number),
        };
        let sign_off = spec.object(number).expect("a number is a name");
        previous = SignOff::read(&sign_off).expect("just written").link;
        objects.extend([evidence, sign_off]);
    }
    objects
}

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
