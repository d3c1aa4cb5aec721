//! `naru check` on files.

use crate::support::process::{ended, naru};
use serde_json::Value;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../k8s/guide");

fn checked(set: &str, more: &[&str]) -> (i32, String, String) {
    let folder = format!("{GUIDE}/{set}");
    let arguments = [&["check", "-f", &*folder], more].concat();
    let (code, _, output) = ended(&mut naru(&arguments));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(output.stdout), text(output.stderr))
}

#[test]
fn the_guide_as_it_stands_is_not_met_and_each_finding_says_what_where_and_why() {
    let (code, text, _) = checked("original", &["--phase", "1", "--output", "json"]);
    assert_eq!(code, 1);
    let json: Value = serde_json::from_str(&text).unwrap();
    let items = json["items"].as_array().unwrap();
    let ids: Vec<&str> = items.iter().map(|it| it["item"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1.1", "1.2", "1.3", "1.4"]);
    for item in items {
        assert_eq!(item["verdict"], "not-met", "{}", item["item"]);
        for finding in item["findings"].as_array().unwrap() {
            assert!(!finding["message"].as_str().unwrap().contains('{'), "{finding}");
            assert!(finding["object"]["kind"].is_string() && finding["code"].is_string());
        }
    }
    let all: Vec<&str> = items
        .iter()
        .flat_map(|it| it["findings"].as_array().unwrap())
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    assert!(all.contains(&"gateway-credential-elsewhere"), "{all:?}");
}

#[test]
fn every_sentence_of_the_guide_is_whole_in_both_languages() {
    for lang in ["en", "ko"] {
        let (code, text, _) = checked("original", &["--lang", lang]);
        assert_eq!(code, 1, "{lang}");
        assert!(!text.contains('{') || text.contains("{\""), "{text}");
    }
}

#[test]
fn what_files_do_not_show_is_not_known_rather_than_met() {
    let (code, text, _) = checked(
        "corrected",
        &["--item", "1.2", "--item", "2.1", "--output", "json"],
    );
    assert_eq!(code, 3);
    let json: Value = serde_json::from_str(&text).unwrap();
    for item in json["items"].as_array().unwrap() {
        assert_eq!(item["verdict"], "unknown");
        assert!(!item["unknown"].as_array().unwrap().is_empty());
        assert!(!item["facts"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_pipeline_gets_a_junit_report() {
    let (code, text, _) = checked("original", &["--output", "junit"]);
    assert_eq!(code, 1);
    assert_eq!(text.matches("<testcase ").count(), 16);
    assert!(text.contains("<failure type=\"gateway-credential-elsewhere\""));
    assert_eq!(
        text.matches("<testsuite ").count(),
        text.matches("</testsuite>").count()
    );
}

#[test]
fn what_is_no_item_no_phase_or_no_file_is_told_at_once() {
    assert_eq!(checked("original", &["--item", "9.9"]).0, 2);
    assert_eq!(checked("original", &["--phase", "5"]).0, 2);
    assert_eq!(checked("original", &["--phase", "1", "--item", "1.1"]).0, 2);
    let (code, _, errors) = checked("nowhere", &[]);
    assert_eq!(code, 2);
    assert!(errors.contains("error[file]"), "{errors}");
}
