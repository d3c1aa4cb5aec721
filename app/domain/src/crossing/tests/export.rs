//! The file keeps everything, and shows what was done to it.

use super::{at, edited, head, objects, signed};
use crate::crossing::export::{Damaged, Export};
use serde_json::json;

#[test]
fn what_is_written_is_read_again_and_verified_against_a_head() {
    let all = signed(3);
    let export = Export::of(&objects(&all), at(60));
    let read = Export::read(&export.text()).unwrap();
    assert_eq!(read, export);
    let end = head(&all);
    assert_eq!(read.verify(Some(&end.digest)), Ok(end.clone()));
    assert_eq!(read.head, Some(end.digest.clone()));
    // An earlier file, held against the head that was published since.
    let earlier = Export::of(&objects(&signed(2)), at(60));
    assert_eq!(earlier.verify(Some(&end.digest)).unwrap_err().how.key(), "cut");
}

#[test]
fn no_byte_of_the_file_can_be_changed() {
    let text = Export::of(&objects(&signed(1)), at(60)).text();
    let same = serde_json::from_str::<serde_json::Value>(&text).unwrap();
    for index in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[index] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        // White space between values is the only thing that says nothing.
        if Export::read(&changed).is_ok() {
            let equal = serde_json::from_str::<serde_json::Value>(&changed).unwrap() == same;
            assert!(equal, "byte {index}: {}", &text[index..=index]);
        }
    }
}

#[test]
fn a_file_that_was_written_anew_is_seen_by_its_chain() {
    let all = signed(3);
    let forged: Vec<_> = all
        .iter()
        .map(|it| {
            if *it.key().name == *"000002" {
                edited(it, |json| json["spec"]["statement"] = json!("x"))
            } else {
                it.clone()
            }
        })
        .collect();
    let export = Export::of(&objects(&forged), at(60));
    assert_eq!(export.head, None);
    let read = Export::read(&export.text()).unwrap();
    let broken = read.verify(None).unwrap_err();
    assert_eq!((&*broken.at, broken.how.key()), ("000002", "changed"));
}

#[test]
fn other_documents_are_told_apart() {
    assert!(matches!(Export::read("{}"), Err(Damaged::Form(_))));
    assert!(matches!(Export::read("nonsense"), Err(Damaged::Form(_))));
    let mut later = Export::of(&objects(&[]), at(0));
    later.format = "naru.dev/crossing/v2".into();
    assert_eq!(
        Export::read(&later.text()),
        Err(Damaged::Format("naru.dev/crossing/v2".into()))
    );
}
