//! Sets of manifests, each with what must be found in it: the guide's system as the guide has it and corrected, and correct systems of other
//! people's shapes, in which nothing above a note may be found that is not so.

use naru_domain::{
    Timestamp,
    judge::{Judgement, Severity, Verdict, World, judge, settled::settled},
    manifests,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Each set's name and folder.
pub(crate) const SETS: [(&str, &str); 5] = [
    ("original", "../../k8s/guide/original"),
    ("corrected", "../../k8s/guide/corrected"),
    ("bookinfo", "tests/it/sets/bookinfo"),
    ("httpbin", "tests/it/sets/httpbin"),
    ("shop", "tests/it/sets/shop"),
];

/// The day on which the sets are judged: releases go out of support.
pub(crate) fn day() -> Timestamp {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

/// The documents of a set, in order of its files.
pub(crate) fn documents(name: &str) -> Vec<Value> {
    let folder = SETS.iter().find(|(it, _)| *it == name).unwrap().1;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read =
        |file: &PathBuf| serde_saphyr::from_multiple::<Value>(&fs::read_to_string(file).unwrap()).unwrap();
    files.iter().flat_map(read).collect()
}

pub(crate) fn judged(documents: Vec<Value>) -> Vec<Judgement> {
    let objects = settled(manifests::objects(documents).unwrap());
    judge(&World::of_files(&objects, day()))
}

/// The codes of the findings at least so bad, each once, in order.
pub(crate) fn codes(judgement: &Judgement, least: Severity) -> BTreeSet<&'static str> {
    let bad = judgement.findings.iter().filter(|it| it.code.severity <= least);
    bad.map(|it| it.code.name).collect()
}

fn table() -> String {
    let mut out = String::from(
        "What `naru check -f` says of each set of manifests: set, item, verdict, codes of its errors, of its warnings, of its notes.\n\
         Written by `NARU_WRITE=1 cargo test -p naru-domain --test it`; a change of a check shows here, and is looked at before it is committed.\n\n\
         | set | item | verdict | errors | warnings | notes |\n|---|---|---|---|---|---|\n",
    );
    for (set, _) in SETS {
        for it in judged(documents(set)) {
            let verdict = match it.verdict {
                Verdict::Met => "met",
                Verdict::NotMet => "not met",
                Verdict::Unknown => "unknown",
            };
            let of = |severity| {
                let of: BTreeSet<_> = it
                    .findings
                    .iter()
                    .filter(|it| it.code.severity == severity)
                    .map(|it| it.code.name)
                    .collect();
                of.into_iter().collect::<Vec<_>>().join(", ")
            };
            let (errors, warnings, notes) = (of(Severity::Error), of(Severity::Warning), of(Severity::Info));
            writeln!(
                out,
                "| {set} | {} | {verdict} | {errors} | {warnings} | {notes} |",
                it.item
            )
            .unwrap();
        }
    }
    out
}

#[test]
fn the_committed_table_is_what_the_checks_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sets/VERDICTS.md");
    let now = table();
    if std::env::var_os("NARU_WRITE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differ: Vec<&str> = now
        .lines()
        .filter(|line| !committed.lines().any(|it| it == *line))
        .collect();
    assert_eq!(
        differ,
        Vec::<&str>::new(),
        "lines that the committed table does not have"
    );
    assert_eq!(now, committed);
}

#[test]
fn the_guide_as_it_stands_has_twenty_faults_and_nothing_of_phases_one_to_three_is_met() {
    let judged = judged(documents("original"));
    let all: BTreeSet<&str> = judged
        .iter()
        .flat_map(|it| codes(it, Severity::Warning))
        .collect();
    assert!(all.len() >= 20, "{} codes: {all:?}", all.len());
    for it in judged.iter().filter(|it| it.item.phase() <= 3) {
        assert_ne!(it.verdict, Verdict::Met, "{}", it.item);
    }
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
