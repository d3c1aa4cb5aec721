//! Signed, valid, second person, waived, accepted.

use super::{UNREADY, WRONG, at, at_number, judgement, person, signed};
use crate::{
    crossing::{
        Exception, Ledger, Waiver,
        exception::apply,
        standing::{Signature, Standing, standing},
    },
    judge::{Judgement, Verdict},
    object::{Kind, Object},
};
use serde_json::{Value, json};

fn exception(edit: impl FnOnce(&mut Value)) -> Exception {
    let mut json = json!({"metadata": {"name": "known"}, "spec": {
        "code": "wrong", "object": {"kind": "Namespace", "namespace": "", "name": "shop"}, "reason": "r", "owner": "o",
        "until": at(100), "actor": person("abc"), "at": at(0)}});
    edit(&mut json);
    Exception::read(&Object::new(Kind::Exception, json).unwrap()).unwrap()
}

fn waiver(edit: impl FnOnce(&mut Value)) -> Waiver {
    let mut json = json!({"metadata": {"name": "later"}, "spec": {
        "item": "3.1", "reason": "r", "owner": "o", "until": at(100), "actor": person("abc"), "at": at(0)}});
    edit(&mut json);
    Waiver::read(&Object::new(Kind::Waiver, json).unwrap()).unwrap()
}

fn of(ledger: &Ledger, judgement: &Judgement, two: bool) -> Standing {
    standing(judgement, ledger, &ledger.verify(None), two, at(50))
}

#[test]
fn an_error_that_is_accepted_does_not_count_until_it_ends() {
    let judged = judgement(Verdict::NotMet, &[&WRONG], &[]);
    let verdict = |exceptions: &[Exception], now| apply(&judged, exceptions, at(now));
    assert_eq!(verdict(&[], 50).verdict, Verdict::NotMet);
    let known = [exception(|_| {})];
    let held = verdict(&known, 50);
    assert_eq!(
        (held.verdict, held.accepted),
        (Verdict::Met, vec![(0, "known".into())])
    );
    for now in [-1, 100, 5000] {
        let ended = verdict(&known, now);
        assert_eq!(
            (ended.verdict, ended.lapsed),
            (Verdict::NotMet, vec![(0, "known".into())]),
            "{now}"
        );
    }
    let others: [fn(&mut Value); 5] = [
        |json| json["spec"]["code"] = json!("unready"),
        |json| json["spec"]["object"]["name"] = json!("shop2"),
        |json| json["spec"]["path"] = json!("/metadata/annotations"),
        |json| json["status"] = json!({"revoked": {"actor": person("x"), "reason": "r", "at": at(1)}}),
        // Longer than anything may be.
        |json| json["spec"]["until"] = json!("2028-01-01T00:00:00Z"),
    ];
    for other in others {
        assert_eq!(verdict(&[exception(other)], 50).verdict, Verdict::NotMet);
    }
    let there = exception(|json| json["spec"]["path"] = json!("/metadata/labels"));
    assert_eq!(verdict(&[there], 50).verdict, Verdict::Met);
}

#[test]
fn what_is_accepted_makes_nothing_known_and_covers_nothing_else() {
    let known = [exception(|_| {})];
    let two = judgement(Verdict::NotMet, &[&WRONG, &UNREADY], &[]);
    assert_eq!(apply(&two, &known, at(50)).verdict, Verdict::NotMet);
    let dark = judgement(Verdict::NotMet, &[&WRONG], &["reach"]);
    assert_eq!(apply(&dark, &known, at(50)).verdict, Verdict::Unknown);
    let unknown = judgement(Verdict::Unknown, &[], &["reach"]);
    assert_eq!(apply(&unknown, &known, at(50)).verdict, Verdict::Unknown);
}

#[test]
fn a_signature_counts_once_it_is_whole_accepted_and_by_as_many_as_it_takes() {
    let met = judgement(Verdict::Met, &[], &[]);
    let all = signed(2);
    let stands = |objects: &[Object], two| of(&Ledger::read(objects), &met, two).signature;
    assert_eq!(stands(&[], false), Signature::None);
    assert!(
        matches!(stands(&all, false), Signature::Valid(it) if &*it.name == "000002" && &*it.by.sub == "abc")
    );
    assert!(matches!(stands(&all, true), Signature::SecondMissing(_)));
    let pending = at_number(&all, 2, |json| json["status"] = json!({}));
    assert!(matches!(stands(&pending, false), Signature::Pending(_)));
    let refused = at_number(&all, 2, |json| {
        json["status"] = json!({"refused": {"at": at(9), "why": "cut"}})
    });
    assert!(matches!(stands(&refused, false), Signature::Valid(it) if &*it.name == "000001"));
    let revoked = at_number(&all, 2, |json| {
        json["status"]["revoked"] = json!({"actor": person("x"), "reason": "r", "at": at(9)});
    });
    assert!(matches!(stands(&revoked, false), Signature::Revoked(_, it) if &*it.reason == "r"));
    let broken = at_number(&all, 1, |json| json["spec"]["statement"] = json!("x"));
    assert!(matches!(stands(&broken, false), Signature::Untrusted(_)));
    assert!(!of(&Ledger::read(&broken), &met, false).signable());
}

#[test]
fn a_waiver_passes_an_item_over_until_its_end() {
    let judged = judgement(Verdict::NotMet, &[&WRONG], &[]);
    let stands = |waiver| {
        let ledger = Ledger {
            waivers: vec![waiver],
            ..Ledger::default()
        };
        of(&ledger, &judged, false)
    };
    let waived = stands(waiver(|_| {}));
    assert_eq!(waived.waived.as_ref().map(|it| it.until), Some(at(100)));
    assert!(waived.done() && !waived.signable());
    let others: [fn(&mut Value); 4] = [
        |json| json["spec"]["item"] = json!("3.2"),
        |json| json["spec"]["until"] = json!(at(50)),
        |json| json["spec"]["at"] = json!(at(51)),
        |json| json["status"] = json!({"revoked": {"actor": person("x"), "reason": "r", "at": at(1)}}),
    ];
    for other in others {
        assert!(!stands(waiver(other)).done());
    }
}
