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

/// A system that has two items of its own: one that only a cluster can show, and one that nobody can read.
fn own(more: &[&str]) -> (i32, String) {
    let name = format!("own-items-{}.yaml", more.join("").replace(['-', '.'], ""));
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let text = "{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {items: [\n\
        {phase: 2, name: checkout, title: The <checkout> answers, query: up, atLeast: 1, for: 30m},\n\
        {phase: 3, name: odd, title: Odd, query: 'up == 1', atLeast: 1, for: 30m}]}}";
    std::fs::write(&file, text).unwrap();
    let arguments = [&["check", "-f", file.to_str().unwrap()], more].concat();
    let (code, _, output) = ended(&mut naru(&arguments));
    (code, String::from_utf8(output.stdout).unwrap())
}

#[test]
fn items_of_a_teams_own_are_judged_and_named_like_the_others() {
    let (code, text) = own(&["--item", "2.checkout", "--output", "json"]);
    assert_eq!(code, 3);
    let json: Value = serde_json::from_str(&text).unwrap();
    let item = &json["items"][0];
    assert_eq!(json["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &item["item"],
            &item["phase"],
            &item["title"],
            &item["unknown"][0]["check"]
        ),
        (
            &"2.checkout".into(),
            &2.into(),
            &"The <checkout> answers".into(),
            &"own_threshold".into()
        )
    );
    let (code, text) = own(&["--item", "3.odd"]);
    assert_eq!(code, 1);
    assert!(
        text.contains("own-query-filters") && text.contains("/spec/items/1/query"),
        "{text}"
    );
    let (_, text) = own(&["--phase", "2", "--output", "junit"]);
    assert_eq!(text.matches("<testcase ").count(), 5);
    assert!(
        text.contains("name=\"2.checkout The &lt;checkout&gt; answers\""),
        "{text}"
    );
    // What the Migration does not have is no item, whatever it may be called.
    assert_eq!(own(&["--item", "2.nothing"]).0, 2);
    assert_eq!(checked("corrected", &["--item", "2.checkout"]).0, 2);
}
