//! What holds for all checks. What each finds is held by the sets of manifests in `app/domain/tests`.

use super::{ALL, OWN, codes};
use crate::judge::{
    Severity,
    testing::{judged, judged_running},
};
use std::collections::BTreeSet;

#[test]
fn each_file_of_the_folder_is_registered_under_its_name_and_each_code_belongs_to_one_check() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/judge/check");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "tests")
        .collect();
    let names = ALL.iter().map(|check| check.name).chain([OWN.name]);
    let registered: BTreeSet<String> = names.map(str::to_owned).collect();
    assert_eq!(files, registered);
    let mut once = BTreeSet::new();
    for code in codes() {
        assert!(once.insert(code.name), "{} belongs to two checks", code.name);
    }
}

/// Webhooks are seldom among files, and a cluster without them has no Istio: what is told of them is left out.
#[test]
fn correct_systems_are_left_alone() {
    let yaml = include_str!("tests/correct.yaml");
    for check in ALL.iter().filter(|it| it.name != "injector_present") {
        for found in [judged(check.name, yaml), judged_running(check.name, yaml)] {
            let alarms: Vec<_> = found
                .findings
                .iter()
                .filter(|(code, ..)| code.severity != Severity::Info)
                .collect();
            assert!(alarms.is_empty(), "{}: {alarms:?}", check.name);
        }
    }
}
