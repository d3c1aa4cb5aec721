//! The way back, under load.

use super::{counted, decider, name};
use crate::{
    change::tried::Tried,
    inquiry::Count,
    judge::{Code, FactSource, Found, World},
};
use jiff::SignedDuration;

pub(super) const NEVER: Code = Code::error("canary-not-aborted").state();
pub(super) const FAILED: Code = Code::error("canary-abort-failed").state();

/// The fact that stays known.
pub(super) const SEEN: &str = "canary-abort";

/// What failed is counted from so long before the first move: the last scrape before it.
const BEFORE: SignedDuration = SignedDuration::from_secs(60);

/// And until so long after the last one: pods that were asked too much fail by then.
const AFTER: SignedDuration = SignedDuration::from_secs(120);

/// What the canary fails until so long after the first move is why it was taken back, not what came of it.
const SETTLES: SignedDuration = SignedDuration::from_secs(30);

/// Fewer requests a second than this are no load.
const LOAD: f64 = 1.0;

pub(super) fn of(world: &World<'_>, tried: &Tried, found: &mut Found) {
    let route = name(&tried.route);
    // Where too few pods are ready it goes back in parts, and the first is as much of it as the last.
    let first = tried.stays.last().and_then(|it| it.until);
    let (Some(back), Some(first)) = (tried.back, first) else {
        return found.finding(&NEVER, decider(tried), [("route", route.into())]);
    };
    let span = (first - BEFORE, back + AFTER);
    let Some((stable, canary)) = counted(world, tried, span, BEFORE + SETTLES, found) else {
        return;
    };
    let all = Count::sum([&stable.value, &canary.value]);
    if all.requests < LOAD * span.1.duration_since(span.0).as_secs_f64() {
        return found.finding(&NEVER, decider(tried), [("route", route.into())]);
    }
    let objective = world
        .migration
        .as_ref()
        .map_or(1.0, |(_, it)| it.objectives.success);
    let percent = |it: f64| format!("{:.3}", it * 100.0);
    if all.success() < objective {
        let args = [
            ("route", route.into()),
            ("failed", format!("{:.0}", all.failed).into()),
            ("requests", format!("{:.0}", all.requests).into()),
            ("objective", percent(objective).into()),
        ];
        return found.finding(&FAILED, decider(tried), args);
    }
    let seen = format!("{route}: {back} · {} % · n={:.0}", percent(all.success()), all.requests);
    found.learned(SEEN, FactSource::Metrics, &decider(tried), seen, stable.at.min(canary.at));
}
