//! What Canary objects order of weighted rules, as people are shown it.

use super::{
    spec::{self, Spec, Target},
    status::{self, Status},
};
use crate::{
    Name, Timestamp,
    crossing::migration::Unreadable,
    judge::guardrail,
    mesh::route,
    object::{Kind, Object},
    snapshot::Objects,
};
use naru_view::{
    canary::{Destination, RouteRef},
    order::{Arg, Astray, Course, Lost, Measured, Metric, Order, Phase, Said, Span, Step, Verdict},
};
use std::cmp::Reverse;

/// One Canary object that can be read.
struct Read<'a> {
    object: &'a Object,
    spec: Spec,
    status: Status,
}

/// Every Canary object that can be read.
pub(super) struct Ordered<'a>(Vec<Read<'a>>);

impl<'a> Ordered<'a> {
    pub(super) fn of(objects: &'a Objects) -> Self {
        let canaries = objects.of_kind(Kind::Canary);
        Self(canaries.filter_map(|object| read(object).ok()).collect())
    }

    /// What is ordered of one rule; see [`naru_view::canary::Canary::orders`].
    pub(super) fn on(&self, route: &RouteRef, destinations: &[Destination]) -> Vec<Order> {
        let ours = |it: &&Read<'_>| names(it, route);
        let all = || self.0.iter().filter(ours);
        let mut running: Vec<&Read<'_>> = all().filter(|it| !it.status.over()).collect();
        running.sort_by_key(|it| (created(it.object), it.object.key().name.clone()));
        if running.is_empty() {
            running.extend(all().max_by_key(|it| (it.status.since, Reverse(it.object.key().name.clone()))));
        }
        running.into_iter().map(|it| order(it, destinations)).collect()
    }

    /// The oldest canary of a rule that is not over, which is the one that moves it.
    fn running(&self, route: &RouteRef) -> Option<&Read<'a>> {
        let running = self.0.iter().filter(|it| names(it, route) && !it.status.over());
        running.min_by_key(|it| (created(it.object), it.object.key().name.clone()))
    }

    /// The position of the stable version in a rule: as the canary that moves it says, else the first.
    pub(super) fn stable(&self, route: &RouteRef, rule: &route::Rule) -> usize {
        let Some(Read { spec, .. }) = self.running(route) else {
            return 0;
        };
        let is_it = |it: &route::Destination| it.host == spec.stable.host && it.subset == spec.stable.subset;
        rule.destinations.iter().position(is_it).unwrap_or(0)
    }
}

/// Canary objects that move no weighted rule that there is, by namespace and name.
pub fn astray(objects: &Objects) -> Vec<Astray> {
    objects
        .of_kind(Kind::Canary)
        .filter_map(|object| {
            let why = match read(object) {
                Err(unreadable) => Lost::Unreadable {
                    detail: unreadable.detail,
                },
                // What is over is history: the rule may have gone since.
                Ok(it) if it.status.over() || has_rule(objects, &it) => return None,
                Ok(it) => Lost::NoRule {
                    rule: it.spec.route.rule,
                },
            };
            Some(Astray {
                namespace: object.key().namespace.clone(),
                name: object.key().name.clone(),
                route: object.text("/spec/route/name").into(),
                why,
            })
        })
        .collect()
}

/// The oldest canary of a rule that is not over, which is the one that moves it.
pub fn running(objects: &Objects, route: &RouteRef) -> Option<Name> {
    let all = Ordered::of(objects);
    Some(all.running(route)?.object.key().name.clone())
}

/// The position of the stable version in a rule: as the canary that moves it says, else the first.
pub fn stable(objects: &Objects, route: &RouteRef, rule: &route::Rule) -> usize {
    Ordered::of(objects).stable(route, rule)
}

fn read(object: &Object) -> Result<Read<'_>, Unreadable> {
    Ok(Read {
        object,
        spec: Spec::read(object)?,
        status: Status::read(object)?,
    })
}

fn names(it: &Read<'_>, route: &RouteRef) -> bool {
    let named = &it.spec.route;
    // A Canary names rules of this list alone.
    route.list.steps()
        && it.object.key().namespace == route.namespace
        && named.name == route.name
        && named.rule == route.rule
}

fn has_rule(objects: &Objects, it: &Read<'_>) -> bool {
    let (namespace, route) = (&it.object.key().namespace, &it.spec.route);
    let object = objects.object(Kind::VirtualService, namespace, &route.name);
    object.is_some_and(|object| {
        let rules = route::rules(object);
        rules.iter().any(|it| it.index == route.rule && it.weighted())
    })
}

fn created(object: &Object) -> Option<Timestamp> {
    object.text("/metadata/creationTimestamp").parse().ok()
}

fn order(it: &Read<'_>, destinations: &[Destination]) -> Order {
    let (spec, status) = (&it.spec, &it.status);
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    let stays = matches!(
        status.phase,
        status::Phase::Dwelling | status::Phase::Held | status::Phase::Paused
    );
    let step = status.step.filter(|_| stays);
    let dwell = step
        .and_then(|step| spec.steps.get(step as usize))
        .map(|it| it.dwell);
    let until = status
        .since
        .zip(dwell)
        .and_then(|(since, dwell)| since.checked_add(dwell).ok());
    let tried = |to: &&Destination| to.host == spec.canary.host && to.subset == spec.canary.subset;
    let written = status.written.as_ref();
    Order {
        name: it.object.key().name.clone(),
        phase: phase(status.phase),
        course: course(spec.course),
        approved_by: approved_by(&spec.approved_by),
        stable: label(&spec.stable),
        canary: label(&spec.canary),
        weight: destinations.iter().find(tried).map(|it| it.weight),
        moving_to: written
            .filter(|_| status.phase == status::Phase::Moving)
            .map(|it| it.after.canary),
        steps: spec.steps.iter().map(shown).collect(),
        step: status.step,
        since: millis(status.since),
        until: millis(until),
        few: few(&status.why),
        verdict: status.verdict.as_ref().and_then(verdict),
        why: status.why.iter().map(said).collect(),
        alarm: status.alarm.as_ref().map(said),
        metrics: status
            .metrics
            .iter()
            .filter_map(|it| measured(spec, it))
            .collect(),
        left_out: millis(status.left_out),
        blind_since: millis(status.blind_since),
        old_needed_until: millis(status.old_needed_until),
        change: written.map(|it| it.change.clone()),
    }
}

fn shown(step: &spec::Step) -> Step {
    Step {
        weight: step.weight,
        dwell_s: step.dwell.as_secs().unsigned_abs(),
        requests: step.requests,
    }
}

/// As in destinations: the subset, or the host if it has none.
fn label(target: &Target) -> Name {
    if target.subset.is_empty() {
        target.host.clone()
    } else {
        target.subset.clone()
    }
}

fn approved_by(person: &spec::Person) -> Name {
    if person.name.is_empty() {
        person.subject.clone()
    } else {
        person.name.clone()
    }
}

fn phase(phase: status::Phase) -> Phase {
    match phase {
        status::Phase::Waiting => Phase::Waiting,
        status::Phase::Moving => Phase::Moving,
        status::Phase::Dwelling => Phase::Dwelling,
        status::Phase::Held => Phase::Held,
        status::Phase::Paused => Phase::Paused,
        status::Phase::RollingBack => Phase::RollingBack,
        status::Phase::RolledBack => Phase::RolledBack,
        status::Phase::Promoted => Phase::Promoted,
        status::Phase::Finished => Phase::Finished,
        status::Phase::Stopped => Phase::Stopped,
    }
}

fn course(course: spec::Course) -> Course {
    match course {
        spec::Course::Run => Course::Run,
        spec::Course::Pause => Course::Pause,
        spec::Course::Promote => Course::Promote,
        spec::Course::Abort => Course::Abort,
    }
}

impl From<Course> for spec::Course {
    fn from(course: Course) -> Self {
        match course {
            Course::Run => Self::Run,
            Course::Pause => Self::Pause,
            Course::Promote => Self::Promote,
            Course::Abort => Self::Abort,
        }
    }
}

/// As [`Status::note`] writes it.
fn verdict(said: &guardrail::Said) -> Option<Verdict> {
    Some(match &*said.code {
        "advance" => Verdict::Advance,
        "hold" => Verdict::Hold,
        "roll-back" => Verdict::RollBack,
        _ => return None,
    })
}

/// Moments and refusals are told as every page tells them; what is neither stays as it is.
fn said(said: &guardrail::Said) -> Said {
    let arg = |value: &Name| match (value.parse::<Timestamp>(), serde_json::from_str(value)) {
        (Ok(at), _) => Arg::Time(at.as_millisecond()),
        (_, Ok(refused)) => Arg::Refused(refused),
        _ => Arg::Text(value.clone()),
    };
    Said {
        code: said.code.clone(),
        args: said
            .args
            .iter()
            .map(|(name, value)| (name.clone(), arg(value)))
            .collect(),
    }
}

/// Requests at this weight, and those wanted.
fn few(why: &[guardrail::Said]) -> Option<(u64, u64)> {
    let few = why.iter().find(|it| &*it.code == "few-requests")?;
    let number = |name: &str| few.args.get(name)?.parse().ok();
    number("n").zip(number("wanted"))
}

/// None where the objective has gone from the spec since: without it the figure means nothing.
fn measured(spec: &Spec, it: &guardrail::Measured) -> Option<Measured> {
    Some(Measured {
        metric: match it.metric {
            guardrail::Metric::Errors => Metric::Errors,
            guardrail::Metric::Latency => Metric::Latency(spec.guardrail.latency?.above_ms),
            guardrail::Metric::ClientErrors => Metric::ClientErrors,
            guardrail::Metric::Amplification => Metric::Amplification,
        },
        span: match it.span {
            guardrail::Span::Began => Span::Began,
            guardrail::Span::Weight => Span::Weight,
            guardrail::Span::Recent => Span::Recent,
        },
        stable: it.stable,
        canary: it.canary,
        difference: it.difference,
        low: it.low,
        high: it.high,
        threshold: it.threshold,
        n: it.n,
    })
}

#[cfg(test)]
mod tests;
