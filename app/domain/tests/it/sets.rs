//! Sets of manifests, each with what must be found in it: the guide's system as the guide has it and corrected, and correct systems of other
//! people's shapes, in which nothing above a note may be found that is not so.

mod table;

pub(crate) use table::codes;

use naru_domain::{
    judge::{Judgement, Severity},
    manifests,
};
use serde_json::Value;
use std::{fs, path::Path};
use table::{HEAD, SETS, TABLE, assert_committed, assert_the_guide_has_twenty_faults, rows};

fn domain() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents of a set, in order of its files.
pub(crate) fn documents(set: &str) -> Vec<Value> {
    table::documents(domain(), set)
}

pub(crate) fn judged(documents: Vec<Value>) -> Vec<Judgement> {
    table::judged(manifests::objects(documents).unwrap())
}

#[test]
fn the_committed_table_is_what_the_checks_say() {
    let rows = SETS.map(|(set, _)| rows(set, &judged(documents(set)))).concat();
    let now = format!("{HEAD}{rows}");
    if std::env::var_os("NARU_WRITE").is_some() {
        fs::write(domain().join(TABLE), &now).unwrap();
    }
    assert_committed(domain(), &now);
}

#[test]
fn the_guide_as_it_stands_has_twenty_faults_and_nothing_of_phases_one_to_three_is_met() {
    assert_the_guide_has_twenty_faults(&judged(documents("original")));
}

#[test]
fn the_corrected_guide_and_other_peoples_correct_systems_raise_no_alarm() {
    for set in ["corrected", "bookinfo", "httpbin", "shop"] {
        for it in judged(documents(set)) {
            // What is open at the end of a crossing is all that came before.
            let found: Vec<String> = it
                .findings
                .iter()
                .filter(|it| it.code.severity < Severity::Info && it.code.name != "items-open")
                .map(|it| format!("{} at {} {}", it.code.name, it.key, it.path))
                .collect();
            let allowed = allowed(set, it.item.id());
            let surprising: Vec<&String> = found
                .iter()
                .filter(|it| !allowed.iter().any(|ok| it.starts_with(ok)))
                .collect();
            assert_eq!(surprising, Vec::<&String>::new(), "{set} {}", it.item);
        }
    }
}

/// Findings that are true of a set: each with its reason.
fn allowed(set: &str, item: &str) -> &'static [&'static str] {
    match (set, item) {
        // Nobody has required mutual TLS.
        ("bookinfo" | "shop", "3.1") => &["strict-missing"],
        // Nothing takes out an endpoint that fails.
        ("bookinfo" | "shop", "3.3") => &["outlier-detection-absent"],
        _ => &[],
    }
}
