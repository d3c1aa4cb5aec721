//! What is accepted, what is refused, and who waits for whom.

use super::{WRONG, accepted, at, at_number, edited, judgement, person, policies, signed, stored};
use crate::{
    crossing::{
        Evidence, Exception, Ledger, SignOff,
        chain::How,
        decide::{Decision, next},
        evidence::EvidenceSpec,
        signoff::{EvidenceRef, SignOffSpec},
    },
    judge::{Judgement, Verdict},
    object::{Kind, Object},
};
use serde_json::{Value, json};

fn pending(objects: &[Object], number: u32) -> Vec<Object> {
    at_number(objects, number, |json| {
        json.as_object_mut().unwrap().shift_remove("status");
    })
}

fn told(objects: &[Object], second: &[&str]) -> Option<(String, Decision)> {
    let ledger = Ledger::read(objects);
    let next = next(&ledger, |item| second.contains(&item)).unwrap();
    next.map(|(sign_off, decision)| (sign_off.name.to_string(), decision))
}

/// Evidence of a judgement, and a signature for it `minutes` later.
fn one(judged: &Judgement, minutes: i64) -> Vec<Object> {
    let spec = EvidenceSpec::of(judged, None, policies(), at(0));
    let evidence = stored(&spec.object().unwrap(), "uid-1");
    let read = Evidence::read(&evidence).unwrap();
    let spec = SignOffSpec {
        item: "3.1".into(),
        evidence: EvidenceRef {
            name: read.name,
            uid: read.uid,
            digest: read.digest,
        },
        previous: Default::default(),
        actor: person("abc"),
        statement: "All callers are known.".into(),
        signed_at: at(minutes),
    };
    vec![evidence, stored(&spec.object(1).unwrap(), "uid-s")]
}

#[test]
fn what_is_in_order_is_accepted_one_after_the_other() {
    let all = pending(&pending(&signed(3), 2), 3);
    assert_eq!(told(&all, &[]), Some(("000002".into(), Decision::Accept)));
    let second = all.iter().find(|it| &*it.key().name == "000002").unwrap();
    let mut after: Vec<Object> = all
        .iter()
        .filter(|it| it.key() != second.key())
        .cloned()
        .collect();
    after.push(accepted(second));
    after.sort_by_key(|it| it.key().clone());
    assert_eq!(told(&after, &[]), Some(("000003".into(), Decision::Accept)));
    assert_eq!(told(&signed(3), &[]), None);
}

#[test]
fn who_waits_for_a_second_person_holds_up_nobody_else() {
    let all = pending(&pending(&signed(3), 2), 3);
    assert_eq!(told(&all, &["3.1"]), None, "both wait");
    let countersigned = at_number(&all, 3, |json| {
        json["status"] = json!({"countersignature": {"actor": person("other"), "at": at(40)}});
    });
    assert_eq!(
        told(&countersigned, &["3.1"]),
        Some(("000003".into(), Decision::Accept))
    );
    let by_one = at_number(&all, 2, |json| {
        json["status"] = json!({"countersignature": {"actor": person("abc"), "at": at(40)}});
    });
    assert_eq!(
        told(&by_one, &["3.1"]),
        Some(("000002".into(), Decision::Refuse(How::OnePerson)))
    );
}

#[test]
fn a_signature_over_an_error_or_over_old_evidence_is_refused() {
    let met = judgement(Verdict::Met, &[], &[]);
    assert_eq!(
        told(&one(&met, 14), &[]),
        Some(("000001".into(), Decision::Accept))
    );
    for minutes in [16, -2] {
        assert_eq!(
            told(&one(&met, minutes), &[]),
            Some(("000001".into(), Decision::Refuse(How::Stale))),
            "{minutes}"
        );
    }
    let unknown = judgement(Verdict::Unknown, &[], &["reach"]);
    assert_eq!(
        told(&one(&unknown, 5), &[]),
        Some(("000001".into(), Decision::Accept))
    );
    let wrong = one(&judgement(Verdict::NotMet, &[&WRONG], &[]), 5);
    let refused = Some(("000001".into(), Decision::Refuse(How::NotMet)));
    assert_eq!(told(&wrong, &[]), refused);
    let excepted = |edit: fn(&mut Value)| {
        let mut json = json!({"metadata": {"name": "known"}, "spec": {
            "code": "wrong", "object": {"kind": "Namespace", "namespace": "", "name": "shop"}, "reason": "r",
            "owner": "o", "until": at(100), "actor": person("abc"), "at": at(0)}});
        edit(&mut json);
        let object = Object::new(Kind::Exception, json).unwrap();
        Exception::read(&object).unwrap();
        let mut all = wrong.clone();
        all.push(object);
        told(&all, &[])
    };
    let accept = Some(("000001".into(), Decision::Accept));
    assert_eq!(excepted(|_| {}), accept);
    // What ended after it was signed held when it was.
    let revoked = |minutes: i64| json!({"revoked": {"actor": person("x"), "reason": "r", "at": at(minutes)}});
    assert_eq!(excepted(|json| json["spec"]["until"] = json!(at(5))), refused);
    assert_eq!(excepted(|json| json["spec"]["at"] = json!(at(6))), refused);
    let mut late = wrong.clone();
    for (minutes, expected) in [(6, &accept), (4, &refused)] {
        let object = json!({"metadata": {"name": "known"}, "spec": {
            "code": "wrong", "object": {"kind": "Namespace", "namespace": "", "name": "shop"}, "reason": "r",
            "owner": "o", "until": at(100), "actor": person("abc"), "at": at(0)}, "status": revoked(minutes)});
        late.truncate(2);
        late.push(Object::new(Kind::Exception, object).unwrap());
        assert_eq!(&told(&late, &[]), expected, "{minutes}");
    }
}

#[test]
fn nothing_is_decided_on_a_chain_that_is_broken() {
    let all = pending(&signed(3), 3);
    let forged: Vec<Object> = all
        .iter()
        .map(|it| match &*it.key().name {
            "000001" => edited(it, |json| json["spec"]["statement"] = json!("other")),
            _ => it.clone(),
        })
        .collect();
    let ledger = Ledger::read(&forged);
    let broken = next(&ledger, |_| false).unwrap_err();
    assert_eq!((&*broken.at, broken.how.key()), ("000001", "changed"));
    assert!(SignOff::read(&forged[3]).is_ok());
}
