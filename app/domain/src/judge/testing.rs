//! What the checks' tests are built from.

use super::{ALL, Found, World, settled::settled};
use crate::{manifests, mesh::Prepared, snapshot::Objects};
use serde_json::Value;

/// The objects of a file, as they would be once everything has come up.
pub(crate) fn objects(yaml: &str) -> Objects {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    settled(manifests::objects(documents).unwrap())
}

/// What a check says about files.
pub(crate) fn judged(check: &str, yaml: &str) -> Found {
    let objects = objects(yaml);
    of(check, &World::of_files(&objects, now()))
}

/// What it says about the same objects as if they were running.
pub(crate) fn judged_running(check: &str, yaml: &str) -> Found {
    let objects = objects(yaml);
    of(check, &World::of(&objects, Prepared::of(&objects), None, now()))
}

/// What a check says about a world.
pub(crate) fn of(check: &str, world: &World<'_>) -> Found {
    let check = ALL.iter().find(|it| it.name == check).unwrap();
    let mut found = Found::default();
    (check.run)(world, &mut found);
    for (code, ..) in &found.findings {
        assert!(check.codes.contains(code), "{} is not listed", code.name);
    }
    found
}

/// The names of what was found, in order, each once.
pub(crate) fn codes(found: &Found) -> Vec<&'static str> {
    let mut all: Vec<&str> = found.findings.iter().map(|(code, ..)| code.name).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// 2026-01-01T12:00:00Z.
pub(crate) fn now() -> jiff::Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}
