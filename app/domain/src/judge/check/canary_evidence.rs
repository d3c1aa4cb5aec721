//! 3.2: a canary was tried: enough requests to the new version at each weight, for long enough and split as was meant; and once all requests were
//! taken back under load, within the objective. The journal tells when the weights were moved, the callers' proxies what came of it.

mod back;
mod steps;

use super::Check;
use crate::{
    Timestamp, Why,
    canary::{self, spec::Target},
    change::{
        record::records,
        tried::{Tried, tried},
    },
    crossing::Item,
    inquiry::{Count, CountsOf},
    judge::{Found, World, ask},
    mesh::Decider,
    object::{Key, Kind, Object},
    traffic::{Dated, Reporter},
};
use std::collections::BTreeSet;

pub(super) const CHECK: Check = Check {
    name: "canary_evidence",
    item: Item::Canaried,
    codes: &[&steps::SHORT, &steps::FEW, &steps::OFF, &back::NEVER, &back::FAILED],
    run,
};

/// So many canaries are looked at, the latest ones.
const MOST: usize = 5;

fn run(world: &World<'_>, found: &mut Found) {
    let none = Why::NoEvidence { of: "canary".into() };
    let Some(migration) = world.migration.as_ref().ok().filter(|_| world.running) else {
        return found.unknown(none);
    };
    let namespaces = ask::namespaces(&migration.1);
    if kept(world, &namespaces, found) {
        return;
    }
    if let Some(why) = world.objects.gap(Kind::Change) {
        return found.unknown(why);
    }
    let mut all = tried(&records(world.objects));
    all.retain(|it| namespaces.contains(&*it.route.namespace));
    let latest: Vec<&Tried> = all.iter().rev().take(MOST).collect();
    if latest.is_empty() {
        return found.unknown(none);
    }
    best(&latest, found, |it, found| steps::of(world, it, found));
    best(&latest, found, |it, found| back::of(world, it, found));
}

/// What was signed once needs no canary again, and Prometheus may not know it any more.
fn kept(world: &World<'_>, namespaces: &BTreeSet<&str>, found: &mut Found) -> bool {
    let routes = [Kind::VirtualService, Kind::HttpRoute]
        .into_iter()
        .flat_map(|kind| world.objects.of_kind(kind));
    let keys: Vec<&Key> = routes
        .map(Object::key)
        .filter(|it| namespaces.contains(&*it.namespace))
        .collect();
    let fact = |name| keys.iter().find_map(|key| world.kept(Item::Canaried, name, key));
    let (Some(steps), Some(back)) = (fact(steps::SEEN), fact(back::SEEN)) else {
        return false;
    };
    found.facts.extend([steps, back]);
    true
}

/// One canary that did well is enough. If none did, but it is not known of one, then it is not known; else the latest tells what is missing.
fn best(latest: &[&Tried], found: &mut Found, look: impl Fn(&Tried, &mut Found)) {
    let mut seen: Vec<Found> = Vec::new();
    for it in latest {
        let mut own = Found::default();
        look(it, &mut own);
        let well = own.findings.is_empty() && own.unknown.is_empty();
        seen.push(own);
        if well {
            break;
        }
    }
    let well = seen.iter().rposition(|it| it.findings.is_empty() && it.unknown.is_empty());
    let told = well.or_else(|| seen.iter().position(|it| !it.unknown.is_empty())).unwrap_or(0);
    let told = seen.swap_remove(told);
    found.facts.extend(told.facts);
    if told.unknown.is_empty() {
        found.findings.extend(told.findings);
    }
    found.unknowns(told.unknown);
}

fn decider(tried: &Tried) -> Decider {
    Decider {
        key: tried.route.clone(),
        path: tried.place.clone(),
    }
}

/// An object, for people.
fn name(key: &Key) -> String {
    format!("{}/{}", key.namespace, key.name)
}

/// What the callers of a version counted over a time; None, and noted, where it is not known.
fn counted(
    world: &World<'_>,
    tried: &Tried,
    to: &Target,
    (from, until): (Timestamp, Timestamp),
    found: &mut Found,
) -> Option<Dated<Count>> {
    let workloads = match canary::workloads(world.objects, to, &tried.route.namespace) {
        Ok(workloads) if !workloads.is_empty() => workloads,
        Ok(_) => {
            let what = format!("{} {}", to.host, to.subset).trim().into();
            return unknown(found, Why::NotObserved { what });
        }
        Err(why) => return unknown(found, why),
    };
    let mut sum: Option<Dated<Count>> = None;
    for id in workloads {
        let by = Reporter::Source;
        let question = CountsOf { to: id, by, from, until };
        let counts = ask::counted(world, &question, found)?;
        let count = Count::sum(counts.value.by_caller.values());
        let before = sum.map_or_else(Count::default, |it| it.value);
        sum = Some(Dated {
            value: Count::sum([&before, &count]),
            at: counts.at,
            gaps: Vec::new(),
        });
    }
    sum
}

fn unknown<T>(found: &mut Found, why: Why) -> Option<T> {
    found.unknown(why);
    None
}

#[cfg(test)]
mod tests;
