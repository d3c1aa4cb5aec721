//! Whether the run's requests came by the gateway.

use crate::{
    Why,
    crossing::{Item, Migration, report::ReportSpec},
    inquiry::{Count, CountsOf},
    judge::{Code, FactSource, Found, World, ask, edge},
    mesh::Decider,
    traffic::Reporter,
};
use jiff::SignedDuration;

/// Fewer came than tests ran.
pub(super) const ELSEWHERE: Code = Code::error("regression-elsewhere");

/// The fact that stays known.
const SEEN: &str = "report-requests";

/// A run that is said to have taken longer could be anything that came meanwhile.
const LONGEST_HOURS: i64 = 6;

/// So many seconds after a request every usual scrape has seen it.
const SCRAPED_S: i64 = 60;

/// Whether the run's requests came through the gateway, so that it was this system that was tried: while it ran the entry's callers at the gateway have
/// sent at least as many as tests ran. That others came meanwhile makes it weaker, and a report without times says nothing.
pub(super) fn seen(
    world: &World<'_>,
    migration: &Migration,
    (report, ran): (&ReportSpec, u32),
    by: &Decider,
    found: &mut Found,
) {
    if let Some(fact) = world.kept(Item::Regressed, SEEN, &by.key) {
        return found.facts.push(fact);
    }
    let (Some(started), Some(ended)) = (report.started, report.ended) else {
        return found.unknown(Why::NotObserved {
            what: format!("Report {}: started, ended", by.key.name).into(),
        });
    };
    if ended.duration_since(started) > SignedDuration::from_hours(LONGEST_HOURS) || ended < started {
        return found.unknown(Why::NotJudged {
            what: format!("Report {}: {started} – {ended}", by.key.name).into(),
        });
    }
    let Some(entry) = world.declared(found, "entry", |_| migration.entry.as_ref()) else {
        return;
    };
    // Proxies are scraped a while after they have counted.
    let until = ended + SignedDuration::from_secs(SCRAPED_S);
    if world.now < until {
        return found.unknown(Why::NotOver {
            of: format!("Report {}", by.key.name).into(),
            until: until.to_string().into(),
        });
    }
    let gateways = edge::gateway_workloads(world);
    let (mut requests, mut at) = (0.0, None);
    for to in ask::workloads_behind(world, entry) {
        let question = CountsOf {
            to,
            by: Reporter::Source,
            from: started,
            until,
        };
        let Some(counts) = ask::counted(world, &question, found) else {
            return;
        };
        at = Some(counts.at);
        let by_caller = counts.value.by_caller.iter();
        requests += Count::sum(by_caller.filter(|(caller, _)| gateways.contains(caller)).map(|(_, it)| it)).requests;
    }
    let Some(at) = at else {
        return found.unknown(Why::NotObserved {
            what: format!("{entry}: pods").into(),
        });
    };
    if requests < f64::from(ran) {
        let args = [
            ("report", (&*by.key.name).into()),
            ("tests", ran.to_string().into()),
            ("requests", format!("{requests:.0}").into()),
        ];
        return found.finding(&ELSEWHERE, by.clone(), args);
    }
    let seen = format!("{requests:.0} / {ran}");
    found.learned(SEEN, FactSource::Metrics, by, seen, at);
}
