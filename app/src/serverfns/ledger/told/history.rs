//! What happened to an item: who signed, who took back, what Naru found.

use super::{pass, pass_of, person, state::reopened_by};
use crate::{format, lang::Lang};
use naru_domain::{
    Name, Timestamp,
    actor::{Actor, Scope},
    crossing::{Audited, Exception, Item, SignOff, Waiver},
    view::{SeenJudgement, seen_reopened},
};
use naru_view::ledger::{Event, Pass};

/// The waivers of an item, the latest first.
pub(crate) fn waivers(audited: &Audited, item: Item, now: Timestamp) -> Vec<Pass> {
    let of_item = audited.ledger.waivers.iter().rev();
    of_item
        .filter(|it| *it.spec.item == *item.id())
        .map(|it| {
            let said = (&it.spec.actor, &it.spec.reason, &it.spec.owner);
            pass(&it.name, said, it.spec.until, it.holds(now), &it.status)
        })
        .collect()
}

/// The exception of this name.
pub(crate) fn accepted(audited: &Audited, name: &str, now: Timestamp) -> Option<Pass> {
    let mut all = audited.ledger.exceptions.iter();
    all.find(|it| *it.name == *name).map(|it| pass_of(it, now))
}

/// Everything, the latest first. Of exceptions those that are about what this viewer sees of the item now.
pub(crate) fn history(lang: Lang, audited: &Audited, seen: &SeenJudgement, scope: &Scope) -> Vec<Event> {
    let item = seen.judgement.item.id();
    let ledger = &audited.ledger;
    let signed = ledger.sign_offs.iter().filter(|it| *it.spec.item == *item);
    let waived = ledger.waivers.iter().filter(|it| *it.spec.item == *item);
    let covers = |it: &&Exception| seen.judgement.findings.iter().any(|finding| it.covers(finding));
    let excepted = ledger.exceptions.iter().filter(covers);
    let mut events: Vec<Event> = signed
        .flat_map(|it| of_sign_off(lang, it, scope))
        .chain(waived.flat_map(|it| of_waiver(lang, it)))
        .chain(excepted.flat_map(|it| of_exception(lang, it)))
        .collect();
    events.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.object.cmp(&a.object)));
    events
}

fn of_waiver(lang: Lang, it: &Waiver) -> Vec<Event> {
    let spec = &it.spec;
    let text = lang.history_until(&day(spec.until), &spec.owner, &spec.reason);
    let mut events = vec![event(
        spec.at,
        lang.history_waived(),
        Some(&spec.actor),
        text,
        &it.name,
    )];
    events.extend(it.status.revoked.as_ref().map(|act| {
        let what = lang.history_waiver_revoked();
        event(act.at, what, Some(&act.actor), act.reason.to_string(), &it.name)
    }));
    events
}

fn of_exception(lang: Lang, it: &Exception) -> Vec<Event> {
    let spec = &it.spec;
    let until = lang.history_until(&day(spec.until), &spec.owner, &spec.reason);
    let text = format!("{} · {} · {until}", spec.code, spec.object);
    let mut events = vec![event(
        spec.at,
        lang.history_excepted(),
        Some(&spec.actor),
        text,
        &it.name,
    )];
    events.extend(it.status.revoked.as_ref().map(|act| {
        let what = lang.history_exception_revoked();
        event(act.at, what, Some(&act.actor), act.reason.to_string(), &it.name)
    }));
    events
}

fn of_sign_off(lang: Lang, it: &SignOff, scope: &Scope) -> Vec<Event> {
    let (spec, status, name) = (&it.spec, &it.status, &it.name);
    let said = spec.statement.to_string();
    let signed = event(
        spec.signed_at,
        lang.history_signed(),
        Some(&spec.actor),
        said,
        name,
    );
    let second = status.countersignature.as_ref().map(|act| {
        let what = lang.history_countersigned();
        event(act.at, what, Some(&act.actor), String::new(), name)
    });
    let accepted = status.accepted.as_ref().map(|act| {
        let what = lang.history_accepted();
        event(act.at, what, None, act.digest.short().to_owned(), name)
    });
    let refused = status.refused.as_ref().map(|act| {
        // What the sentence's place stands for is not kept.
        let why = lang.broken(&act.why).unwrap_or(&act.why).replace("{with}", "…");
        event(act.at, lang.history_refused(), None, why, name)
    });
    let revoked = status.revoked.as_ref().map(|act| {
        let what = lang.history_revoked();
        event(act.at, what, Some(&act.actor), act.reason.to_string(), name)
    });
    let reopened = status.reopened.as_ref().map(|act| {
        let why = reopened_by(lang, &seen_reopened(act, scope)).join(" ");
        event(act.at, lang.history_reopened(), None, why, name)
    });
    let imported = it.imported.as_ref().map(|it| {
        let (what, from) = (lang.history_imported(&it.by), it.from.short());
        let at = it.at.unwrap_or(spec.signed_at);
        event(at, &what, None, lang.history_imported_from(&from), name)
    });
    let all = [
        Some(signed),
        second,
        accepted,
        refused,
        revoked,
        reopened,
        imported,
    ];
    all.into_iter().flatten().collect()
}

fn event(at: Timestamp, what: &str, by: Option<&Actor>, text: String, object: &Name) -> Event {
    Event {
        at: at.as_millisecond(),
        what: what.to_owned(),
        by: by.map(person),
        text,
        object: object.clone(),
    }
}

/// The day of an end, in UTC.
fn day(at: Timestamp) -> String {
    format::day(at.as_millisecond())
}
