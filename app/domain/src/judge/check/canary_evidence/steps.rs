//! The weights on the way up.

use super::{counted, decider, name};
use crate::{
    Timestamp, Why,
    change::tried::{Stay, Tried},
    judge::{Code, FactSource, Found, World},
};
use jiff::SignedDuration;

pub(super) const AT_ONCE: Code = Code::error("canary-at-once").state();
pub(super) const SHORT: Code = Code::error("canary-step-short").state();
pub(super) const FEW: Code = Code::error("canary-step-few").state();

/// The fact that stays known.
pub(super) const SEEN: &str = "canary-steps";

/// A weight is to stay for so long: less than that shows no slow leak, and few of the callers.
const STAYS: SignedDuration = SignedDuration::from_mins(30);

/// Of a weight that stays longer, its first day is counted: more costs Prometheus dearly.
const COUNTED: SignedDuration = SignedDuration::from_hours(24);

/// For so many requests of the new version's.
const REQUESTS: f64 = 1_000.0;

/// The observed share may be off by so much, beside what chance explains.
const OFF_BY: f64 = 0.02;

/// What is looked at of a canary: each weight that was left for the next one or is still so, and the last one too, where requests were taken back
/// from it, if it is the only one or was long enough.
fn judged(tried: &Tried) -> Vec<&Stay> {
    let mut split: Vec<&Stay> = tried.stays.iter().filter(|it| it.weight < 100).collect();
    let short = |it: &&Stay| it.until.is_some_and(|until| until.duration_since(it.from) < STAYS);
    let cut = tried.back.is_some() && split.len() == tried.stays.len();
    if cut && split.len() > 1 && split.last().is_some_and(short) {
        split.pop();
    }
    split
}

pub(super) fn of(world: &World<'_>, tried: &Tried, found: &mut Found) {
    let mut told = Vec::new();
    let mut at = world.now;
    let stays = judged(tried);
    if stays.is_empty() {
        let args = [("route", name(&tried.route).into())];
        return found.finding(&AT_ONCE, decider(tried), args);
    }
    for stay in stays {
        let Some((n, observed, seen)) = one(world, tried, stay, found) else {
            continue;
        };
        at = at.min(seen);
        told.push(format!("{} % · n={n:.0} · {:.1} %", stay.weight, observed * 100.0));
    }
    if found.findings.is_empty() && found.unknown.is_empty() {
        let seen = format!("{}: {}", name(&tried.route), told.join(", "));
        found.learned(SEEN, FactSource::Metrics, &decider(tried), seen, at);
    }
}

/// Requests of the new version, its share, and when that was counted; None where it is not as it should be, or not known.
fn one(
    world: &World<'_>,
    tried: &Tried,
    stay: &Stay,
    found: &mut Found,
) -> Option<(f64, f64, Timestamp)> {
    let (route, weight) = (name(&tried.route), stay.weight.to_string());
    let enough = stay.from + STAYS;
    let until = stay.until.unwrap_or(enough);
    if until < enough {
        let args = [
            ("route", route.into()),
            ("weight", weight.into()),
            ("minutes", until.duration_since(stay.from).as_mins().to_string().into()),
            ("wanted", STAYS.as_mins().to_string().into()),
        ];
        found.finding(&SHORT, decider(tried), args);
        return None;
    }
    let span = (stay.from, until.min(stay.from + COUNTED));
    let (stable, canary) = counted(world, tried, span, SignedDuration::ZERO, found)?;
    let n = canary.value.requests;
    if n < REQUESTS {
        let args = [
            ("route", route.into()),
            ("weight", weight.into()),
            ("requests", format!("{n:.0}").into()),
            ("wanted", format!("{REQUESTS:.0}").into()),
        ];
        found.finding(&FEW, decider(tried), args);
        return None;
    }
    let (all, meant) = (n + stable.value.requests, f64::from(stay.weight) / 100.0);
    let observed = n / all;
    let chance = 3.0 * (meant * (1.0 - meant) / all).sqrt();
    if (observed - meant).abs() > OFF_BY + chance {
        // Requests of other rules and of callers that this route does not lead arrive at the same pods: whose share is off is not told.
        found.unknown(Why::NotObserved {
            what: format!("{route}: {weight} % ({:.1} %, n={all:.0})", observed * 100.0).into(),
        });
        return None;
    }
    Some((n, observed, canary.at.min(stable.at)))
}
