//! The sets of manifests on a real API server: what it gives back of them, read by the real client, is judged as the files are, to the byte of the
//! committed table (`app/domain/tests/it/sets/VERDICTS.md`).
//!
//! `NARU_LAB_API_KUBECONFIG=… cargo test -p naru-kube --test sets -- --ignored`, on a bare API server of `end2end/lab/lab api`, which puts Istio's and
//! the Gateway API's definitions beside its kubeconfig. A program of its own, because the contract's suite beside it wants those definitions absent.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop where it stands; clippy.toml knows only test functions"
)]

#[expect(dead_code, reason = "the suite beside it needs more of these")]
#[path = "../it/real/admin.rs"]
mod admin;
mod api;
#[expect(dead_code, reason = "the suite beside it needs more of these")]
#[path = "../it/real/definition.rs"]
mod definition;
#[path = "../../../../app/domain/tests/it/sets/table.rs"]
mod table;

use admin::Admin;
use api::{Definitions, apply, clear, read, unread};
use naru_domain::{
    judge::{Fact, Judgement, Severity},
    manifests,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use table::{
    HEAD, SETS, assert_committed, assert_the_guide_has_twenty_faults, codes, documents, judged, rows,
};

fn domain() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../app/domain")
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_objects_of_every_set_are_judged_as_the_committed_table_says() {
    let admin = Admin::new().await;
    let definitions = Definitions::install(&admin).await;
    // What fails must not leave its set behind: others find a bare API server again.
    let judged = tokio::spawn(sets()).await;
    for (set, _) in SETS {
        clear(&admin, &documents(&domain(), set)).await;
    }
    definitions.take_away(&admin).await;
    assert_committed(&domain(), &format!("{HEAD}{}", judged.unwrap()));
}

/// The codes that no cluster shows by itself: they are about ConfigMaps of applications, and of ConfigMaps Naru reads the mesh's own alone.
const UNREAD: [&str; 5] = [
    "frontend-nginx-http-1-0",
    "frontend-nginx-own-host",
    "frontend-nginx-round-mesh",
    "spring-prometheus-export",
    "spring-sleuth",
];

/// The rows of all sets, each applied, read back, judged, and taken away again.
async fn sets() -> String {
    let admin = Admin::new().await;
    let mut out = String::new();
    for (set, _) in SETS {
        let documents = documents(&domain(), set);
        apply(&admin, &documents).await;
        let mut there = read(&documents).await;
        let unread = unread(&admin, &documents).await;
        clear(&admin, &documents).await;

        let alone = judged(there.clone());
        unread.into_iter().for_each(|fact| there.put(fact));
        let there = judged(there);
        if set == "original" {
            assert_the_guide_has_twenty_faults(&there);
            assert_the_guide_has_twenty_faults(&alone);
        }
        // More than the table has: where each finding is, and all that is seen and not known.
        let files = judged(manifests::objects(documents).unwrap());
        let differ: Vec<String> = differences(&lines(&there), &lines(&files));
        assert_eq!(differ, Vec::<String>::new(), "{set}");
        for (alone, there) in alone.iter().zip(&there) {
            assert_eq!(alone.verdict, there.verdict, "{set} {}", there.item);
            let mut seen = codes(there, Severity::Info);
            seen.retain(|it| !UNREAD.contains(it));
            assert_eq!(codes(alone, Severity::Info), seen, "{set} {}", there.item);
        }
        out += &rows(set, &there);
    }
    out
}

/// All that is said of a set but what the API server counts, one thing a line.
fn lines(judgements: &[Judgement]) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for it in judgements {
        let findings = it.findings.iter().map(|it| format!("{it:?}"));
        let unknown = it.unknown.iter().map(|it| format!("{it:?}"));
        let facts = it.facts.iter().map(|fact| {
            format!(
                "{:?}",
                Fact {
                    resource_version: "".into(),
                    ..fact.clone()
                }
            )
        });
        lines.extend(
            findings
                .chain(unknown)
                .chain(facts)
                .map(|line| format!("{} {line}", it.item)),
        );
    }
    lines
}

fn differences(there: &BTreeSet<String>, files: &BTreeSet<String>) -> Vec<String> {
    let more = there.difference(files).map(|it| format!("only there: {it}"));
    let less = files
        .difference(there)
        .map(|it| format!("only in the files: {it}"));
    more.chain(less).collect()
}
