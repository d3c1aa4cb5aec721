//! Whole systems: a correct one, about which nothing is said above `info`, and the guide's as it is written, in which each of its traps is found.

use super::{Severity, World, judge, testing};
use crate::mesh::Prepared;
use std::collections::BTreeSet;

/// What is found above `info` in the items of phases 2 to 4, without what is only about other items, and without outlier detection, which neither
/// system has.
fn told(yaml: &str, running: bool) -> BTreeSet<String> {
    let objects = testing::objects(yaml);
    let world = if running {
        World::of(&objects, Prepared::of(&objects), None, testing::now())
    } else {
        World::of_files(&objects, testing::now())
    };
    let all = judge(&world);
    let later = all.iter().filter(|it| it.item.phase() > 1);
    let findings = later.flat_map(|it| &it.findings);
    findings
        .filter(|it| it.code.severity != Severity::Info)
        .filter(|it| !["items-open", "outlier-detection-absent"].contains(&it.code.name))
        .map(|it| it.code.name.to_owned())
        .collect()
}

const CORRECT: &str = include_str!("systems/correct.yaml");
const GUIDE: &str = include_str!("systems/guide.yaml");

#[test]
fn nothing_is_said_about_a_correct_system_be_it_in_files_or_running() {
    assert_eq!(told(CORRECT, false), BTreeSet::new());
    assert_eq!(told(CORRECT, true), BTreeSet::new());
}

#[test]
fn what_needs_no_state_is_known_of_a_correct_system() {
    let objects = testing::objects(CORRECT);
    let all = judge(&World::of_files(&objects, testing::now()));
    let of_configuration = [
        "entry_injected",
        "entry_traps",
        "services_injected",
        "services_traps",
        "callers_blocked",
        "calls_work",
        "strict_scope",
        "strict_callers",
        "authorization_principals",
        "authorization_shuts_out",
        "tracing_configured",
        "scrape_blocked",
        "canary_owner",
    ];
    for (check, why) in all.iter().flat_map(|it| &it.unknown) {
        assert!(!of_configuration.contains(check), "{check}: {why:?}");
    }
}

#[test]
fn each_trap_of_the_guide_is_found() {
    let told = told(GUIDE, false);
    let wanted = [
        "balancing-deprecated",
        "call-denied",
        "call-refused",
        "caller-blocked",
        "entry-annotation-asks",
        "policy-shuts-out-caller",
        "policy-shuts-out-gateway",
        "pool-small",
        "principal-nobody",
        "requests-per-connection",
        "service-label-on-owner",
        "service-unlabelled",
        "strict-one-namespace",
        "strict-refuses-caller",
        "strict-refuses-ingress",
        "strict-without-proxy",
        "tracing-none",
    ];
    for code in wanted {
        assert!(told.contains(code), "{code} is not among {told:?}");
    }
}

/// Pods come and go by themselves: what is found only because they are not ready must not open a signed item at once.
#[test]
fn what_only_readiness_brings_about_is_state() {
    let errors = |ready: bool| -> BTreeSet<(&'static str, bool)> {
        let mut objects = testing::objects(CORRECT);
        let old = testing::now() - jiff::SignedDuration::from_hours(2);
        for pod in objects.pods.values_mut() {
            let pod = std::sync::Arc::make_mut(pod);
            (pod.ready, pod.created) = (ready, Some(old));
        }
        for slice in objects.endpoint_slices.values_mut() {
            let endpoints = &mut std::sync::Arc::make_mut(slice).endpoints;
            endpoints.iter_mut().for_each(|it| it.ready = ready);
        }
        let world = World::of(&objects, Prepared::of(&objects), None, testing::now());
        let all = judge(&world);
        let found = all.iter().flat_map(|it| &it.findings);
        let errors = found.filter(|it| it.code.severity == Severity::Error && it.code.name != "items-open");
        errors.map(|it| (it.code.name, it.code.state)).collect()
    };
    let (well, unwell) = (errors(true), errors(false));
    let new: Vec<_> = unwell.difference(&well).collect();
    assert!(!new.is_empty() && new.iter().all(|(_, state)| *state), "{new:?}");
}
