//! An item of a team's own, signed and then no longer asked for: nothing of it is lost.

use super::{at, objects, person, policies, stored};
use crate::{
    crossing::{
        Audited, Evidence, Item, Ledger, Migration, OwnItems, SignOff,
        evidence::EvidenceSpec,
        export::Export,
        progress::{Holdup, holdups},
        signoff::{EvidenceRef, SignOffSpec},
        standing::{Signature, Standing},
    },
    judge::{Judgement, Verdict},
    object::{Digest, Kind, Object},
};
use serde_json::json;

const ID: &str = "2.checkout-success";

fn item() -> Item {
    ID.parse().unwrap()
}

fn migration(own: bool) -> Object {
    let items = json!([{"phase": 2, "name": "checkout-success", "title": "Checkout works", "query": "up", "atLeast": 1, "for": "5m"}]);
    let items = if own { items } else { json!([]) };
    let json = json!({"metadata": {"name": "m"}, "spec": {"twoPeople": [], "items": items}});
    Object::new(Kind::Migration, json).unwrap()
}

fn judged(item: Item, verdict: Verdict) -> Judgement {
    Judgement {
        item,
        verdict,
        findings: Vec::new(),
        facts: Vec::new(),
        unknown: Vec::new(),
    }
}

/// The item's signature, accepted, with what it was given for.
fn signed() -> Vec<Object> {
    let spec = EvidenceSpec::of(&judged(item(), Verdict::Met), None, policies(), at(1));
    let evidence = stored(&spec.object().unwrap(), "uid-1");
    let read = Evidence::read(&evidence).unwrap();
    let spec = SignOffSpec {
        item: ID.into(),
        evidence: EvidenceRef {
            name: read.name,
            uid: read.uid,
            digest: read.digest,
        },
        previous: Digest::default(),
        actor: person("abc"),
        statement: "Looked at.".into(),
        signed_at: at(2),
    };
    vec![
        evidence,
        super::accepted(&stored(&spec.object(1).unwrap(), "uid-s")),
    ]
}

fn standings(audited: &Audited) -> Vec<Standing> {
    let all = audited.items.all().into_iter();
    all.map(|it| audited.standing(&judged(it, Verdict::Met), at(3)))
        .collect()
}

#[test]
fn it_holds_up_the_next_phase_until_it_is_signed() {
    let unsigned = Audited::of(&objects(&[migration(true)]), None);
    let held = |audited: &Audited, phase| {
        let all = holdups(&standings(audited), phase);
        all.into_iter().find(|(it, _)| *it == item()).map(|(_, why)| why)
    };
    assert_eq!(held(&unsigned, 1), None);
    assert_eq!(held(&unsigned, 2), Some(Holdup::Unsigned));
    assert_eq!(held(&unsigned, 4), Some(Holdup::Unsigned));
    let all = [signed(), vec![migration(true)]].concat();
    let audited = Audited::of(&objects(&all), None);
    assert!(audited.chain.is_ok());
    assert_eq!(held(&audited, 2), None);
    let own = standings(&audited)
        .into_iter()
        .find(|it| it.item == item())
        .unwrap();
    assert!(matches!(own.signature, Signature::Valid(_)));
}

#[test]
fn what_is_no_longer_asked_for_stays_in_the_chain_and_is_named() {
    for (own, gone) in [(true, vec![]), (false, vec![ID])] {
        let all = [signed(), vec![migration(own)]].concat();
        let export = Export::of(&objects(&all), at(60));
        let read = Export::read(&export.text()).unwrap();
        assert_eq!(read.verify(None).unwrap().count, 1);
        let ledger = Ledger::read(&read.objects().unwrap());
        let told = ledger.no_longer_asked(&read.items().all());
        assert_eq!(told.into_iter().map(|it| &**it).collect::<Vec<&str>>(), gone);
        assert_eq!(read.items().all().len(), 16 + usize::from(own));
        assert_eq!(ledger.sign_offs.first().map(SignOff::number), Some(Some(1)));
    }
    let odd = Object::new(
        Kind::Migration,
        json!({"metadata": {"name": "m"}, "spec": {"items": 3}}),
    )
    .unwrap();
    assert!(Migration::read(&odd).is_err());
    assert_eq!(OwnItems::of(&objects(&[odd])).all(), Item::ALL);
}
