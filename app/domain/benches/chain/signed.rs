//! A chain of signatures, as long as is wanted, of all items in turn.

use naru_domain::{
    Timestamp,
    actor::Actor,
    crossing::{
        Evidence, Item, SignOff,
        evidence::EvidenceSpec,
        signoff::{EvidenceRef, SignOffSpec},
    },
    judge::{Fact, FactSource, Judgement, Verdict},
    object::{Digest, Key, Kind, Object},
};

/// A second of the time in which they were given.
pub(crate) fn now(second: u32) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + i64::from(second)).expect("a date in range")
}

/// Forty facts each, about ten kilobytes: an item of a system of some ten services.
pub(crate) fn signed(count: u32) -> Vec<Object> {
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
        let item = Item::ALL[number as usize % Item::ALL.len()];
        let judgement = Judgement {
            item,
            verdict: Verdict::Met,
            findings: Vec::new(),
            facts: (0..40).map(fact).collect(),
            unknown: Vec::new(),
        };
        let evidence = EvidenceSpec::of(&judgement, None, Vec::new(), now(number));
        let mut json = evidence.object().expect("forty facts fit").json().clone();
        json["metadata"]["uid"] = format!("uid-{number}").into();
        let evidence = Object::new(Kind::Evidence, json).expect("it was one");
        let read = Evidence::read(&evidence).expect("just written");
        let spec = SignOffSpec {
            item: item.id().into(),
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
