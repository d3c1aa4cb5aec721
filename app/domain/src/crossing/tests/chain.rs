//! Whatever is done to signatures below Naru's own word is seen, and where.

use super::{accepted, at, at_number, edited, head, person, signed, told, without};
use crate::{
    crossing::{
        Evidence, SignOff,
        chain::{How, undecided},
    },
    object::{Digest, Kind, Object, Write},
};
use serde_json::{Value, json};

#[test]
fn what_is_whole_has_a_head_and_may_have_grown_since_it_was_published() {
    assert_eq!(told(&[], None), "ok");
    let three = signed(3);
    assert_eq!(head(&three).count, 3);
    for earlier in [1, 2, 3] {
        let published = head(&signed(earlier)).digest;
        assert_eq!(told(&three, Some(&published)), "ok", "{earlier}");
    }
}

#[test]
fn each_way_to_tamper_is_seen_at_its_place() {
    let all = signed(4);
    let set = |number, pointer: &str, value: Value| {
        at_number(&all, number, |json| {
            *json.pointer_mut(pointer).unwrap() = value.clone()
        })
    };
    let published = head(&all).digest;
    let cases: Vec<(&str, Vec<Object>, &str)> = vec![
        (
            "a byte of the statement",
            set(2, "/spec/statement", json!("All callers are known!")),
            "000002 changed",
        ),
        (
            "who signed",
            set(2, "/spec/actor/sub", json!("abd")),
            "000002 changed",
        ),
        (
            "when",
            set(4, "/spec/signedAt", json!("2026-11-23T02:41:01Z")),
            "000004 changed",
        ),
        (
            "a field that nobody knows",
            at_number(&all, 3, |json| json["spec"]["more"] = json!(1)),
            "000003 changed",
        ),
        (
            "an added second person",
            at_number(&all, 3, |json| {
                json["status"]["countersignature"] = json!({"actor": person("other"), "at": at(99)});
            }),
            "000003 changed",
        ),
        ("a missing link", without(&all, 2), "000002 missing"),
        ("a missing beginning", without(&all, 1), "000001 missing"),
        ("a cut tail", without(&all, 4), "000003 cut"),
        ("all of it gone", Vec::new(), "000001 cut"),
        (
            "no number",
            at_number(&all, 4, |json| json["metadata"]["name"] = json!("4")),
            "4 unnumbered",
        ),
        (
            "unreadable",
            at_number(&all, 4, |json| json["spec"] = json!({"item": 3})),
            "000004 unreadable",
        ),
        (
            "both",
            at_number(&all, 2, |json| {
                json["status"]["refused"] = json!({"at": at(0), "why": "x"})
            }),
            "000002 contradicted",
        ),
    ];
    for (what, tampered, expected) in cases {
        assert_eq!(told(&tampered, Some(&published)), expected, "{what}");
    }
}

#[test]
fn a_changed_signature_that_naru_is_made_to_accept_anew_breaks_the_next_link() {
    let all = signed(4);
    let accept = |objects: Vec<Object>, number: u32| -> Vec<Object> {
        let is = |it: &Object| *it.key().name == *format!("{number:06}");
        objects
            .iter()
            .map(|it| if is(it) { accepted(it) } else { it.clone() })
            .collect()
    };
    let changed = at_number(&all, 2, |json| json["spec"]["statement"] = json!("x"));
    assert_eq!(told(&accept(changed, 2), None), "000003 unlinked");
    // The last one has no next: a published head shows it.
    let last = at_number(&all, 4, |json| json["spec"]["statement"] = json!("x"));
    let last = accept(last, 4);
    assert_eq!(told(&last, None), "ok");
    assert_eq!(told(&last, Some(&head(&all).digest)), "000004 cut");
}

#[test]
fn two_that_change_places_or_follow_one_are_seen() {
    let all = signed(3);
    let mut moved = all.clone();
    let last = moved.len() - 1;
    moved.swap(last, last - 1);
    assert_eq!(told(&moved, None), "000003 moved");

    let renamed: Vec<Object> = all
        .iter()
        .map(|it| match &*it.key().name {
            "000002" => accepted(&edited(it, |json| json["metadata"]["name"] = json!("000003"))),
            "000003" => accepted(&edited(it, |json| json["metadata"]["name"] = json!("000002"))),
            _ => it.clone(),
        })
        .collect();
    let mut renamed = renamed;
    renamed.sort_by_key(|it| it.key().clone());
    assert_eq!(told(&renamed, None), "000002 unlinked");

    let first = SignOff::read(all.iter().find(|it| *it.key().name == *"000001").unwrap()).unwrap();
    let forked = at_number(&all, 3, |json| json["spec"]["previous"] = json!(first.link));
    let forked: Vec<Object> = forked
        .iter()
        .map(|it| {
            if *it.key().name == *"000003" {
                accepted(it)
            } else {
                it.clone()
            }
        })
        .collect();
    assert_eq!(told(&forked, None), "000003 forked");
    let twice: Vec<Object> = all.iter().chain(all.last()).cloned().collect();
    assert_eq!(told(&twice, None), "000003 forked");
}

#[test]
fn evidence_is_the_one_that_was_signed() {
    let all = signed(2);
    let with = |edit: fn(&mut Value)| -> Vec<Object> {
        let mut all = all.clone();
        let first = all
            .iter_mut()
            .find(|it| it.text("/metadata/uid") == "uid-1")
            .unwrap();
        *first = edited(first, edit);
        all
    };
    let gone: Vec<Object> = all
        .iter()
        .filter(|it| it.text("/metadata/uid") != "uid-1")
        .cloned()
        .collect();
    assert_eq!(told(&gone, None), "000001 no-evidence");
    assert_eq!(
        told(&with(|json| json["spec"]["verdict"] = json!("not-met")), None),
        "000001 other-evidence"
    );
    assert_eq!(
        told(&with(|json| json["metadata"]["uid"] = json!("uid-9")), None),
        "000001 other-evidence"
    );
    let imported = with(|json| {
        json["metadata"]["uid"] = json!("uid-9");
        json["metadata"]["annotations"] = json!({"naru.dev/imported-uid": "uid-1"});
    });
    assert_eq!(told(&imported, None), "ok");
    let other_item = at_number(&all, 2, |json| json["spec"]["item"] = json!("3.2"));
    let other_item: Vec<Object> = other_item
        .iter()
        .map(|it| {
            if *it.key().name == *"000002" {
                accepted(it)
            } else {
                it.clone()
            }
        })
        .collect();
    assert_eq!(told(&other_item, None), "000002 other-item");
}

#[test]
fn one_person_is_one_person_under_any_name() {
    let all = signed(1);
    let second = |sub: &str, issuer: &str| -> String {
        let with = at_number(&all, 1, |json| {
            let mut actor = json!(person(sub));
            actor["name"] = json!("somebody else");
            actor["issuer"] = json!(issuer);
            json["status"] = json!({"countersignature": {"actor": actor, "at": at(2)}});
        });
        let with: Vec<Object> = with
            .iter()
            .map(|it| {
                if it.key().kind == Kind::SignOff {
                    accepted(it)
                } else {
                    it.clone()
                }
            })
            .collect();
        told(&with, None)
    };
    assert_eq!(second("abc", "https://id.example"), "000001 one-person");
    assert_eq!(second("abd", "https://id.example"), "ok");
    assert_eq!(second("abc", "https://other.example"), "ok");
}

/// What a person writes at will does not bring the chain to an end.
#[test]
fn what_is_out_of_order_is_refused_and_the_chain_goes_on_without_it() {
    let mut all = signed(2);
    let second = all.pop().unwrap();
    let odd = edited(&second, |json| {
        json["spec"]["previous"] = json!("f".repeat(64));
        json.as_object_mut().unwrap().shift_remove("status");
    });
    let far = edited(&odd, |json| json["metadata"]["name"] = json!("000500"));
    all.extend([odd, far]);
    let decide = |all: &[Object]| -> Option<(String, Option<&'static str>)> {
        let signs: Vec<SignOff> = all
            .iter()
            .filter(|it| it.key().kind == Kind::SignOff)
            .map(|it| SignOff::read(it).unwrap())
            .collect();
        let evidence: Vec<Evidence> = all
            .iter()
            .filter(|it| it.key().kind == Kind::Evidence)
            .map(|it| Evidence::read(it).unwrap())
            .collect();
        let (sign_off, how) = undecided(&signs, &evidence).unwrap()?;
        Some((sign_off.name.to_string(), how.as_ref().map(How::key)))
    };
    assert_eq!(decide(&all), Some(("000002".into(), Some("unlinked"))));
    let refuse = |all: Vec<Object>, number| {
        at_number(&all, number, |json| {
            json["status"] = json!({"refused": {"at": at(9), "why": "unlinked"}})
        })
    };
    all = refuse(all, 2);
    assert_eq!(decide(&all), Some(("000500".into(), Some("missing"))));
    all = refuse(all, 500);
    assert_eq!(decide(&all), None);
    let end = head(&all);
    assert_eq!((end.count, &end.digest), (2, &head(&signed(1)).digest));
    // The third names the first.
    let third = edited(&second, |json| {
        json["metadata"]["name"] = json!("000003");
        json["spec"]["previous"] = json!(end.digest);
        json.as_object_mut().unwrap().shift_remove("status");
    });
    let place = all.len() - 1;
    all.insert(place, third);
    assert_eq!(decide(&all), Some(("000003".into(), None)));
}

#[test]
fn a_status_is_written_beside_what_is_there_and_guarded() {
    let all = signed(1);
    let sign_off = SignOff::read(all.last().unwrap()).unwrap();
    let Write::PatchStatus { rv, ops, .. } = sign_off.refuse("cut", at(1)) else {
        panic!("no status");
    };
    assert_eq!(rv, sign_off.rv);
    assert_eq!(json!(ops)[0]["path"], "/status/refused");
    let bare = edited(all.last().unwrap(), |json| {
        drop(json.as_object_mut().unwrap().shift_remove("status"))
    });
    let bare = SignOff::read(&bare).unwrap();
    let Write::PatchStatus { ops, .. } = bare.accept(at(1)) else {
        panic!("no status");
    };
    let digest: Digest = bare.whole.clone();
    assert_eq!(json!(ops)[0]["path"], "/status");
    assert_eq!(json!(ops)[0]["value"]["accepted"]["digest"], json!(digest));
}

proptest::proptest! {
    /// Any one character of what was signed, anywhere in the chain.
    #[test]
    fn no_character_can_be_changed(number in 1..=3_u32, pick in 0..10_000_usize, to in proptest::char::range('a', 'z')) {
        let all = signed(3);
        let sign = all.iter().find(|it| *it.key().name == *format!("{number:06}")).unwrap();
        let text = sign.get("/spec").unwrap().to_string();
        let index = text.char_indices().map(|(index, _)| index).nth(pick % text.chars().count()).unwrap();
        let mut changed = text.clone();
        changed.replace_range(index..index + text[index..].chars().next().unwrap().len_utf8(), &to.to_string());
        if changed != text && let Ok(spec) = serde_json::from_str::<Value>(&changed) {
            let tampered = at_number(&all, number, |json| json["spec"] = spec.clone());
            proptest::prop_assert_ne!(told(&tampered, None), "ok");
        }
    }
}
