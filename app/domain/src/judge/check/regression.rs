//! 2.4: the regression test has passed against what runs now. Its result is handed in as a [`Report`], by a pipeline or a person.
//!
//! The newest counts, by the API server's clock. It is compared with the last change at the moment when the run began, if that is told and
//! lies earlier: what a report says of itself makes it older, and never newer.

mod gateway;

use crate::{
    Name, Timestamp, Why,
    crossing::{
        Item, Migration, Report,
        report::{Content, Junit},
    },
    judge::{Check, Code, Fact, FactSource, Found, World, last_change::last_change},
    mesh::Decider,
    object::Kind,
};
use std::collections::BTreeSet;

const FAILED: Code = Code::error("regression-failed");
const SKIPPED: Code = Code::error("regression-skipped-anew");
const EMPTY: Code = Code::error("regression-empty");
/// A change is followed by a run, and a run takes its time.
const STALE: Code = Code::error("regression-stale").state();

/// So many tests are named in a sentence.
const NAMED: usize = 5;

pub(super) const CHECK: Check = Check {
    name: "regression",
    item: Item::Regressed,
    codes: &[&FAILED, &SKIPPED, &EMPTY, &STALE, &gateway::ELSEWHERE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let Some(migration) = world.migration(found) else {
        return;
    };
    if let Some(why) = world.objects.gap(Kind::Report) {
        found.unknown(why);
        return;
    }
    let reports = handed_in(world, found);
    let Some(newest) = reports.last() else {
        found.unknown(Why::NoEvidence { of: "junit".into() });
        return;
    };
    let junit = junit(newest);
    facts(newest, junit, found);
    passed(newest, junit, found);
    let before = reports.iter().rev().skip(1).find(|it| it.spec.target == newest.spec.target);
    skipped_anew(newest, before, found);
    if world.running(found) {
        stale(world, migration, newest, found);
        let by = Decider {
            key: newest.key.clone(),
            path: "/spec/started".into(),
        };
        gateway::seen(world, migration, (&newest.spec, junit.ran()), &by, found);
    }
}

/// The reports on this item, the newest last. One that cannot be read may be the newest.
fn handed_in(world: &World<'_>, found: &mut Found) -> Vec<Report> {
    let mut reports = Vec::new();
    let item = Item::Regressed.id();
    let mut unread = Vec::new();
    for object in world.objects.of_kind(Kind::Report).filter(|it| it.text("/spec/item") == item) {
        match Report::read(object) {
            Ok(report) => reports.push(report),
            Err(odd) => unread.push((object, odd)),
        }
    }
    reports.sort_by(Report::later);
    let newest = reports.last().and_then(|it| it.received);
    for (object, odd) in unread {
        let received: Option<Timestamp> = object.text("/metadata/creationTimestamp").parse().ok();
        if received >= newest {
            found.unknown(Why::Said {
                detail: format!("{}: {}", object.key(), odd.detail).into(),
            });
        }
    }
    reports
}

fn junit(report: &Report) -> &Junit {
    match &report.spec.content {
        Content::Junit(junit) => junit,
    }
}

fn facts(report: &Report, junit: &Junit, found: &mut Found) {
    let received = report.received.map_or_else(String::new, |it| it.to_string());
    let seen: [(&'static str, &str, Name); 8] = [
        ("report-tests", "/spec/content/junit/tests", text(junit.tests)),
        ("report-failures", "/spec/content/junit/failures", text(junit.failures)),
        ("report-errors", "/spec/content/junit/errors", text(junit.errors)),
        ("report-skips", "/spec/content/junit/skips", text(junit.skips)),
        ("report-file", "/spec/content/junit/digest", junit.digest.0.clone()),
        ("report-commit", "/spec/commit", report.spec.commit.clone()),
        ("report-target", "/spec/target", report.spec.target.clone()),
        ("report-received", "/metadata/creationTimestamp", received.into()),
    ];
    found.facts.extend(seen.into_iter().map(|(name, path, value)| Fact {
        name,
        source: FactSource::Handed,
        key: Some(report.key.clone()),
        path: path.into(),
        value,
        at: report.received,
        resource_version: report.rv.clone(),
    }));
}

fn passed(report: &Report, junit: &Junit, found: &mut Found) {
    let by = |path: &str| Decider {
        key: report.key.clone(),
        path: path.into(),
    };
    if junit.ran() == 0 {
        let args = [
            ("report", (&*report.key.name).into()),
            ("tests", junit.tests.to_string().into()),
            ("skips", junit.skips.to_string().into()),
        ];
        found.finding(&EMPTY, by("/spec/content/junit/tests"), args);
    }
    if junit.failures > 0 || junit.errors > 0 {
        let args = [
            ("report", (&*report.key.name).into()),
            ("commit", (&*report.spec.commit).into()),
            ("target", (&*report.spec.target).into()),
            ("tests", junit.tests.to_string().into()),
            ("failures", junit.failures.to_string().into()),
            ("errors", junit.errors.to_string().into()),
            ("names", named(junit.failed.iter()).into()),
        ];
        found.finding(&FAILED, by("/spec/content/junit/failed"), args);
    }
}

/// Tests that the report before, of the same target, did not skip.
fn skipped_anew(report: &Report, before: Option<&Report>, found: &mut Found) {
    let now = junit(report);
    let Some(before) = before else {
        if now.skips > 0 {
            found.unknown(Why::NotObserved {
                what: format!("an earlier report on {}: which of its tests are skipped anew", report.spec.target).into(),
            });
        }
        return;
    };
    let then = junit(before);
    for it in [report, before].into_iter().filter(|it| junit(it).names_left_out()) {
        found.unknown(Why::NotObserved {
            what: format!("all skipped tests of Report {}", it.key.name).into(),
        });
    }
    if then.names_left_out() {
        return;
    }
    let skipped: BTreeSet<&Name> = then.skipped.iter().collect();
    let anew: Vec<&Name> = now.skipped.iter().filter(|it| !skipped.contains(it)).collect();
    if !anew.is_empty() {
        let by = Decider {
            key: report.key.clone(),
            path: "/spec/content/junit/skipped".into(),
        };
        let args = [
            ("report", (&*report.key.name).into()),
            ("before", (&*before.key.name).into()),
            ("count", anew.len().to_string().into()),
            ("names", named(anew.into_iter()).into()),
        ];
        found.finding(&SKIPPED, by, args);
    }
}

/// Something was changed after the run began: what runs now was not tried.
fn stale(world: &World<'_>, migration: &Migration, report: &Report, found: &mut Found) {
    let Some(tried) = tried_at(report) else {
        found.unknown(Why::NotObserved {
            what: format!("when Report {} was handed in", report.key.name).into(),
        });
        return;
    };
    let Some((changed, object)) = last_change(world, migration, found) else {
        return;
    };
    // Both are told to the second, and a run takes longer.
    if changed >= tried {
        let by = Decider {
            key: report.key.clone(),
            path: "/metadata/creationTimestamp".into(),
        };
        let args = [
            ("report", (&*report.key.name).into()),
            ("at", tried.to_string().into()),
            ("object", object.to_string().into()),
            ("changed", changed.to_string().into()),
        ];
        found.finding(&STALE, by, args);
    }
}

fn tried_at(report: &Report) -> Option<Timestamp> {
    let received = report.received?;
    Some(report.spec.started.map_or(received, |it| it.min(received)))
}

fn text(count: u32) -> Name {
    count.to_string().into()
}

/// The first few names; a dash where a report names none.
fn named<'a>(names: impl ExactSizeIterator<Item = &'a Name>) -> String {
    let more = names.len() > NAMED;
    let first: Vec<&str> = names.take(NAMED).map(|it| &**it).collect();
    match first.join(", ") {
        first if first.is_empty() => "–".into(),
        first if more => format!("{first} …"),
        first => first,
    }
}

#[cfg(test)]
mod tests;
