//! The way back, under load.

use super::{counted, decider, name};
use crate::{
    Why,
    change::tried::Tried,
    inquiry::Count,
    judge::{Code, FactSource, Found, World},
};
use jiff::SignedDuration;

pub(super) const NEVER: Code = Code::error("canary-not-aborted").state();
pub(super) const FAILED: Code = Code::error("canary-abort-failed").state();

/// The fact that stays known.
pub(super) const SEEN: &str = "canary-abort";

/// What failed is counted from so long before the move: the last scrape before it.
const BEFORE: SignedDuration = SignedDuration::from_secs(60);

/// And until so long after it: pods that were asked too much fail by then.
const AFTER: SignedDuration = SignedDuration::from_secs(120);

/// Fewer requests over these minutes are no load.
const LOAD: f64 = 180.0;

pub(super) fn of(world: &World<'_>, tried: &Tried, found: &mut Found) {
    let route = name(&tried.route);
    let Some(back) = tried.back else {
        return found.finding(&NEVER, decider(tried), [("route", route.into())]);
    };
    let (from, until) = (back - BEFORE, back + AFTER);
    if world.now < until {
        return found.unknown(Why::NotOver {
            of: route.into(),
            until: until.to_string().into(),
        });
    }
    let stable = counted(world, tried, &tried.stable, (from, until), found);
    let canary = counted(world, tried, &tried.canary, (from, until), found);
    let (Some(stable), Some(canary)) = (stable, canary) else {
        return;
    };
    let all = Count::sum([&stable.value, &canary.value]);
    if all.requests < LOAD {
        return found.finding(&NEVER, decider(tried), [("route", route.into())]);
    }
    let objective = world.migration.as_ref().map_or(1.0, |(_, it)| it.objectives.success);
    let percent = |it: f64| format!("{:.2}", it * 100.0);
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
