//! Signatures, made and tampered with.

mod chain;
mod decide;
mod export;
mod guard;
mod import;
mod own;
mod reopen;
mod standing;

use super::{
    Evidence, Ledger, SignOff,
    chain::Head,
    evidence::{EvidenceSpec, POLICIES, Policy},
    signoff::{EvidenceRef, SignOffSpec, number_of},
};
use crate::{
    Name, Timestamp, Why,
    actor::Actor,
    judge::{Code, Fact, FactSource, Finding, Judgement, Severity, Verdict},
    object::{Digest, Key, Kind, Object},
    snapshot::Objects,
};
use jiff::ToSpan;
use serde_json::{Value, json};

pub(super) static WRONG: Code = Code::error("wrong");
pub(super) static UNREADY: Code = Code::error("unready").state();

pub(super) fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T02:00:00Z".parse().unwrap();
    start.checked_add(minutes.minutes()).unwrap()
}

pub(super) fn person(sub: &str) -> Actor {
    Actor {
        issuer: "https://id.example".into(),
        sub: sub.into(),
        name: "김운영".into(),
        groups: [Name::from("naru:operator")].into(),
    }
}

pub(super) fn judgement(verdict: Verdict, codes: &[&'static Code], unknown: &[&'static str]) -> Judgement {
    let item = super::Item::Secured;
    let finding = |code: &&'static Code| Finding {
        code,
        item,
        key: Key::new(Kind::Namespace, "", "shop"),
        path: "/metadata/labels".into(),
        args: [("namespace", Name::from("shop"))].into(),
        fix: None,
    };
    Judgement {
        item,
        verdict,
        findings: codes.iter().map(finding).collect(),
        facts: vec![fact("enabled")],
        unknown: unknown.iter().map(|check| (*check, Why::NeedsCluster)).collect(),
    }
}

pub(super) fn fact(value: &str) -> Fact {
    Fact {
        name: "injection",
        source: FactSource::Object,
        key: Some(Key::new(Kind::Namespace, "", "shop")),
        path: "/metadata/labels/istio-injection".into(),
        value: value.into(),
        at: None,
        resource_version: "7".into(),
    }
}

pub(super) fn policies() -> Vec<Policy> {
    let policy = |name: &str| Policy {
        name: name.into(),
        generation: Some(1),
        binding: Some(1),
    };
    POLICIES.iter().map(|name| policy(name)).collect()
}

/// A cluster with `count` accepted signatures, each for evidence of its own.
pub(super) fn signed(count: u32) -> Vec<Object> {
    let mut objects = Vec::new();
    let mut last = Digest::default();
    for number in 1..=count {
        let judged = judgement(Verdict::Met, &[], &[]);
        let spec = EvidenceSpec::of(&judged, None, policies(), at(i64::from(number) * 10));
        let evidence = stored(&spec.object().unwrap(), &format!("uid-{number}"));
        let read = Evidence::read(&evidence).unwrap();
        let spec = SignOffSpec {
            item: "3.1".into(),
            evidence: EvidenceRef {
                name: read.name,
                uid: read.uid,
                digest: read.digest,
            },
            previous: last,
            actor: person("abc"),
            statement: "All callers are known.".into(),
            signed_at: at(i64::from(number) * 10 + 1),
        };
        let object = accepted(&stored(&spec.object(number).unwrap(), "uid-s"));
        last = SignOff::read(&object).unwrap().link;
        objects.extend([evidence, object]);
    }
    objects.sort_by_key(|object| object.key().clone());
    objects
}

pub(super) fn stored(object: &Object, uid: &str) -> Object {
    edited(object, |json| json["metadata"]["uid"] = json!(uid))
}

/// As Naru accepts it, whatever it is.
pub(super) fn accepted(object: &Object) -> Object {
    let digest = SignOff::read(object).unwrap().whole;
    edited(object, |json| {
        json["status"]["accepted"] = json!({"at": at(0), "digest": digest});
    })
}

pub(super) fn edited(object: &Object, edit: impl FnOnce(&mut Value)) -> Object {
    let mut json = object.json().clone();
    edit(&mut json);
    Object::new(object.key().kind, json).unwrap()
}

/// Edits one signature.
pub(super) fn at_number(objects: &[Object], number: u32, edit: impl Fn(&mut Value)) -> Vec<Object> {
    let is = |it: &Object| it.key().kind == Kind::SignOff && number_of(&it.key().name) == Some(number);
    let each = |it: &Object| if is(it) { edited(it, &edit) } else { it.clone() };
    objects.iter().map(each).collect()
}

pub(super) fn without(objects: &[Object], number: u32) -> Vec<Object> {
    let is = |it: &Object| it.key().kind == Kind::SignOff && number_of(&it.key().name) == Some(number);
    objects.iter().filter(|it| !is(it)).cloned().collect()
}

pub(super) fn objects(all: &[Object]) -> Objects {
    let mut objects = Objects::all_known();
    for object in all {
        objects.whole.insert(object.key().clone(), object.clone());
    }
    objects
}

/// What a verification comes to: `ok`, or the place and the key of what is wrong.
pub(super) fn told(objects: &[Object], head: Option<&Digest>) -> String {
    match Ledger::read(objects).verify(head) {
        Ok(_) => "ok".into(),
        Err(broken) => format!("{} {}", broken.at, broken.how.key()),
    }
}

pub(super) fn head(objects: &[Object]) -> Head {
    Ledger::read(objects).verify(None).unwrap()
}

#[test]
fn what_was_judged_is_kept_whole_or_refused() {
    let judged = judgement(Verdict::NotMet, &[&WRONG], &["reach"]);
    let spec = EvidenceSpec::of(&judged, None, policies(), at(0));
    let object = spec.object().unwrap();
    assert_eq!(Evidence::read(&object).unwrap().spec, spec);
    assert!(object.key().name.starts_with("3.1-"), "{}", object.key());
    assert_eq!(spec.findings[0].severity, Severity::Error);

    let mut long = judged.clone();
    long.facts[0].value = "가".repeat(5000).into();
    let spec = EvidenceSpec::of(&long, None, policies(), at(0));
    assert_eq!(spec.facts[0].value.chars().count(), 4096);
    assert!(spec.facts[0].value.ends_with('…'));

    long.facts = vec![long.facts[0].clone(); 30];
    let spec = EvidenceSpec::of(&long, None, policies(), at(0));
    assert!(spec.object().unwrap_err().bytes > super::evidence::LIMIT);
}
