//! 3.2: a canary was tried: enough requests to the new version at each weight, for long enough and split as was meant; and once all requests were
//! taken back under load, within the objective. The journal tells when the weights were moved, the callers' proxies what came of it.

mod back;
mod steps;

use super::Check;
use crate::{
    Timestamp, Why,
    canary::{self, spec::Target},
    change::{
        record::Record,
        tried::{Tried, tried},
    },
    crossing::Item,
    inquiry::{Count, Counts, CountsOf},
    judge::{Found, World, ask},
    mesh::Decider,
    object::{Key, Kind},
    traffic::{Dated, Reporter},
};
use jiff::SignedDuration;

pub(super) const CHECK: Check = Check {
    name: "canary_evidence",
    item: Item::Canaried,
    codes: &[&steps::AT_ONCE, &steps::SHORT, &steps::FEW, &back::NEVER, &back::FAILED],
    run,
};

/// So many canaries are looked at, the latest ones.
const MOST: usize = 5;

fn run(world: &World<'_>, found: &mut Found) {
    if !world.running(found) {
        return;
    }
    let Some(migration) = world.migration(found) else {
        return;
    };
    let namespaces = ask::namespaces(migration);
    // What was signed once needs no canary again, and Prometheus may not know it any more.
    let mut kept = |name| {
        let fact = world.kept_within(Item::Canaried, name, &namespaces);
        let is = fact.is_some();
        found.facts.extend(fact);
        is
    };
    let (steps_kept, back_kept) = (kept(steps::SEEN), kept(back::SEEN));
    if steps_kept && back_kept {
        return;
    }
    if let Some(why) = world.objects.gap(Kind::Change) {
        return found.unknown(why);
    }
    let journal = world.objects.of_kind(Kind::Change);
    let here = journal.filter(|it| namespaces.contains(&*it.key().namespace));
    let records: Vec<Record> = here.filter_map(Record::read).collect();
    let all = tried(&records);
    let latest: Vec<&Tried> = all.iter().rev().take(MOST).collect();
    if latest.is_empty() {
        return found.unknown(Why::NotObserved {
            what: "canary".into(),
        });
    }
    if !steps_kept {
        best(&latest, found, |it, found| steps::of(world, it, found));
    }
    if !back_kept {
        best(&latest, found, |it, found| back::of(world, it, found));
    }
}

/// One canary that did well is enough. If none did, but it is not known of one, then it is not known; else the latest tells what is missing, of
/// those of which more can be said than that they were never taken back.
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
    let unknown = || seen.iter().position(|it| !it.unknown.is_empty());
    let never = |it: &Found| it.findings.iter().any(|(code, ..)| code.name == back::NEVER.name);
    let more = || seen.iter().position(|it| !never(it));
    let told = well.or_else(unknown).or_else(more).unwrap_or(0);
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
        path: tried.path.clone(),
    }
}

/// An object, for people.
fn name(key: &Key) -> String {
    format!("{}/{}", key.namespace, key.name)
}

/// What callers counted of both versions over a time; None, and noted, where it is not known. Whether Prometheus reaches back so far is told by
/// the version that served before: a new one had no requests then, and no series. `settles` is how much later the canary's are counted from.
fn counted(
    world: &World<'_>,
    tried: &Tried,
    (from, until): (Timestamp, Timestamp),
    settles: SignedDuration,
    found: &mut Found,
) -> Option<(Dated<Count>, Dated<Count>)> {
    // The last scrape, and whoever writes it down late.
    let known = until + SignedDuration::from_secs(60);
    if world.now < known {
        found.unknown(Why::NotOver {
            of: name(&tried.route).into(),
            until: known.to_string().into(),
        });
        return None;
    }
    let stable = of_version(world, tried, &tried.stable, (from, until), found, ask::counted);
    let canary = of_version(world, tried, &tried.canary, (from + settles, until), found, |world, question, found| {
        world.ask(question, found)
    });
    stable.zip(canary)
}

fn of_version<'w>(
    world: &'w World<'_>,
    tried: &Tried,
    to: &Target,
    (from, until): (Timestamp, Timestamp),
    found: &mut Found,
    ask: impl Fn(&'w World<'_>, &CountsOf, &mut Found) -> Option<Dated<&'w Counts>>,
) -> Option<Dated<Count>> {
    let absent = Why::NotObserved {
        what: format!("{} {}", to.host, to.subset).trim().into(),
    };
    let workloads = canary::workloads(world.objects, to, &tried.route.namespace);
    let workloads = workloads.and_then(|it| if it.is_empty() { Err(absent) } else { Ok(it) });
    let workloads = workloads.map_err(|why| found.unknown(why)).ok()?;
    let questions = workloads.into_iter().map(|to| CountsOf {
        to,
        by: Reporter::Source,
        from,
        until,
    });
    // All are asked before one is missed.
    let replies: Vec<Option<Dated<&Counts>>> = questions.map(|it| ask(world, &it, found)).collect();
    let replies: Vec<Dated<&Counts>> = replies.into_iter().collect::<Option<_>>()?;
    Some(Dated {
        value: Count::sum(replies.iter().flat_map(|it| it.value.by_caller.values())),
        at: replies.iter().map(|it| it.at).min()?,
        gaps: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
