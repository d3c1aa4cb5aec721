//! The sets, and the committed table of what is said of them. `server/kube/tests/sets` holds the same table against what a real API server gives back of
//! the same objects, and takes this file in.

use naru_domain::{
    Timestamp,
    judge::{Judgement, Severity, Verdict, World, judge, settled::settled},
    snapshot::Objects,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Each set's name and folder, as seen from the domain's crate.
pub(crate) const SETS: [(&str, &str); 5] = [
    ("original", "../../k8s/guide/original"),
    ("corrected", "../../k8s/guide/corrected"),
    ("bookinfo", "tests/it/sets/bookinfo"),
    ("httpbin", "tests/it/sets/httpbin"),
    ("shop", "tests/it/sets/shop"),
];

/// Where the table is, as seen from the domain's crate.
pub(crate) const TABLE: &str = "tests/it/sets/VERDICTS.md";

/// What stands above its rows.
pub(crate) const HEAD: &str = "What `naru check -f` says of each set of manifests: set, item, verdict, codes of its errors, of its warnings, of its notes.\n\
     Written by `NARU_WRITE=1 cargo test -p naru-domain --test it`; a change of a check shows here, and is looked at before it is committed.\n\
     `./dev lab test` holds the same table against the same objects as a real API server gives them back.\n\n\
     | set | item | verdict | errors | warnings | notes |\n|---|---|---|---|---|---|\n";

/// The day on which the sets are judged: releases go out of support.
fn day() -> Timestamp {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

/// The documents of a set, in order of its files.
pub(crate) fn documents(domain: &Path, set: &str) -> Vec<Value> {
    let folder = SETS.iter().find(|(it, _)| *it == set).unwrap().1;
    let mut files: Vec<PathBuf> = fs::read_dir(domain.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read =
        |file: &PathBuf| serde_saphyr::from_multiple::<Value>(&fs::read_to_string(file).unwrap()).unwrap();
    files.iter().flat_map(read).collect()
}

/// Judged as files are: as they would be once everything has come up.
pub(crate) fn judged(objects: Objects) -> Vec<Judgement> {
    judge(&World::of_files(&settled(objects), day()))
}

/// The codes of the findings for which it is so, each once, in order.
fn codes_of(judgement: &Judgement, so: impl Fn(Severity) -> bool) -> BTreeSet<&'static str> {
    let those = judgement.findings.iter().filter(|it| so(it.code.severity));
    those.map(|it| it.code.name).collect()
}

/// The codes of the findings at least so bad.
pub(crate) fn codes(judgement: &Judgement, least: Severity) -> BTreeSet<&'static str> {
    codes_of(judgement, |it| it <= least)
}

/// A set's rows of the table.
pub(crate) fn rows(set: &str, judgements: &[Judgement]) -> String {
    let mut out = String::new();
    for it in judgements {
        let verdict = match it.verdict {
            Verdict::Met => "met",
            Verdict::NotMet => "not met",
            Verdict::Unknown => "unknown",
        };
        let of = |severity| {
            let of = codes_of(it, |it| it == severity);
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
    out
}

/// Byte for byte; lines that are not committed are shown alone.
pub(crate) fn assert_committed(domain: &Path, now: &str) {
    let committed = fs::read_to_string(domain.join(TABLE)).unwrap_or_default();
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

/// What is promised of the guide as it stands: twenty faults at least, and nothing of phases 1 to 3 is met.
pub(crate) fn assert_the_guide_has_twenty_faults(original: &[Judgement]) {
    let all: BTreeSet<&str> = original
        .iter()
        .flat_map(|it| codes(it, Severity::Warning))
        // It only says that the others are open.
        .filter(|it| *it != "items-open")
        .collect();
    assert!(all.len() >= 20, "{} codes: {all:?}", all.len());
    let early: Vec<&Judgement> = original.iter().filter(|it| it.item.phase() <= 3).collect();
    assert_eq!(early.len(), 12);
    for it in early {
        assert_ne!(it.verdict, Verdict::Met, "{}", it.item);
    }
}
