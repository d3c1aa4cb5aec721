//! What is brought in from a file is what it was, says that it was brought in, and waits until it is whole.

use super::{at, at_number, edited, head, objects, person, signed, stored, told};
use crate::{
    crossing::{
        Ledger, SignOff, Waiver,
        decide::next,
        export::Export,
        import::{Imported, Landed, Step, steps},
        waiver::WaiverSpec,
    },
    object::{Kind, Object, Write},
};
use serde_json::json;

fn of(all: &[Object]) -> Vec<Step> {
    steps(&Export::of(&objects(all), at(60)), "admin").unwrap()
}

/// As an API server stores a new object: with a uid of its own, and without a status.
fn created(step: &Step) -> Object {
    assert_eq!(step.object.get("/metadata/uid"), None);
    assert_eq!(step.object.get("/status"), None);
    stored(&step.object, "another")
}

fn finished(step: &Step) -> Object {
    let created = created(step);
    let Some(Write::PatchStatus { ops, .. }) = step.finish(&created) else {
        return created;
    };
    edited(&created, |json| json_patch::patch(json, &ops).unwrap())
}

#[test]
fn in_another_cluster_signatures_still_name_their_evidence() {
    let all = signed(2);
    let steps = of(&all);
    let live: Vec<Object> = steps.iter().map(finished).collect();
    assert_eq!(
        live.iter().filter(|it| it.key().kind == Kind::Evidence).count(),
        2
    );
    assert_eq!(told(&live, Some(&head(&all).digest)), "ok");
    for (step, live) in steps.iter().zip(&live) {
        assert_eq!(step.landed(Some(live)), Landed::Whole);
        let imported = Imported::of(live).unwrap();
        assert_eq!(&*imported.by, "admin");
        assert_eq!(imported.from, Export::of(&objects(&all), at(60)).digest);
    }
    // Nothing that was written here says so.
    assert!(all.iter().all(|it| Imported::of(it).is_none()));
}

#[test]
fn how_far_a_step_has_come_is_seen() {
    let steps = of(&signed(1));
    for step in &steps {
        assert_eq!(step.landed(None), Landed::Not);
        let half = step.landed(Some(&created(step)));
        let waits = step.key().kind == Kind::SignOff;
        assert_eq!(half, if waits { Landed::Half } else { Landed::Whole });
        let other = edited(&finished(step), |json| json["spec"]["item"] = json!("1.1"));
        assert_eq!(step.landed(Some(&other)), Landed::Other);
    }
    let evidence = steps.iter().find(|it| it.key().kind == Kind::Evidence).unwrap();
    let another = edited(&created(evidence), |json| {
        json["metadata"]["annotations"] = json!({});
    });
    assert_eq!(evidence.landed(Some(&another)), Landed::Other);
    let sign_off = steps.iter().find(|it| it.key().kind == Kind::SignOff).unwrap();
    let later = edited(&finished(sign_off), |json| {
        json["status"]["reopened"] = json!({"at": at(90)})
    });
    assert_eq!(sign_off.landed(Some(&later)), Landed::Whole);
    let forged = edited(&finished(sign_off), |json| {
        json["status"]["accepted"]["at"] = json!(at(90))
    });
    assert_eq!(sign_off.landed(Some(&forged)), Landed::Other);
}

/// A waiver as it was written here.
fn waiver() -> Object {
    let spec = WaiverSpec {
        item: "3.1".into(),
        reason: "It moves next week.".into(),
        owner: "team".into(),
        until: at(600),
        actor: person("abc"),
        at: at(0),
    };
    stored(&spec.object("w").unwrap(), "uid-w")
}

#[test]
fn what_is_accepted_comes_before_the_signatures_that_rest_on_it() {
    let all: Vec<Object> = signed(2).into_iter().chain([waiver()]).collect();
    let kinds: Vec<Kind> = of(&all).iter().map(|it| it.key().kind).collect();
    let (evidence, sign_off) = (Kind::Evidence, Kind::SignOff);
    assert_eq!(kinds, [Kind::Waiver, evidence, evidence, sign_off, sign_off]);
}

#[test]
fn a_waiver_that_is_there_without_a_status_is_whole_unless_the_file_has_more() {
    let plain = waiver();
    let step = &of(std::slice::from_ref(&plain))[0];
    assert_eq!(step.landed(Some(&plain)), Landed::Whole);
    assert_eq!(step.landed(Some(&created(step))), Landed::Half);
    let revoked = edited(&plain, |json| {
        json["status"] = json!({"revoked": {"actor": person("abc"), "reason": "r", "at": at(10)}});
    });
    let step = &of(&[revoked])[0];
    assert_eq!(step.landed(Some(&plain)), Landed::Other);
    // Between its two writes it passes nothing over, and after them neither.
    for live in [created(step), finished(step)] {
        assert!(!Waiver::read(&live).unwrap().holds(at(20)));
    }
    assert!(Waiver::read(&plain).unwrap().holds(at(20)));
}

#[test]
fn nobody_decides_on_what_is_still_arriving() {
    let open = at_number(&signed(2), 2, |json| {
        json.as_object_mut().unwrap().remove("status");
    });
    let ledger = Ledger::read(&open);
    assert!(next(&ledger, |_| false).unwrap().is_some());
    let mut live: Vec<Object> = of(&open).iter().map(created).collect();
    assert!(SignOff::read(&live[live.len() - 1]).unwrap().arriving);
    assert_eq!(next(&Ledger::read(&live), |_| false).unwrap(), None);
    // Once it has arrived, what was undecided there is decided here.
    live = of(&open).iter().map(finished).collect();
    let ledger = Ledger::read(&live);
    let (sign_off, _) = next(&ledger, |_| false).unwrap().unwrap();
    assert_eq!(&*sign_off.name, "000002");
}
