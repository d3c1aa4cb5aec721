//! What people put their names to, in the viewer's language.

mod history;
mod state;

pub(crate) use history::{accepted, history, waivers};
pub(crate) use state::{holdup, ledger, signature, signed, state_of, unsignable};

use crate::{
    lang::Lang,
    serverfns::checklist::{told_finding, told_unknown, told_verdict},
};
use naru_domain::{
    Timestamp,
    actor::Actor,
    crossing::{Exception, OwnItems, act::Revocable},
};
use naru_ports::Sheet;
use naru_view::{
    Name,
    ledger::{Pass, Person, SignSheet},
};

/// What somebody would sign.
pub(crate) fn sheet(lang: Lang, sheet: &Sheet, own: &OwnItems, who: &Actor) -> SignSheet {
    let (judgement, standing) = (&sheet.seen.judgement, &sheet.seen.standing);
    let findings = judgement.findings.iter();
    SignSheet {
        item: judgement.item.id().into(),
        title: super::super::title(lang, judgement.item, own),
        digest: sheet.digest.0.clone(),
        verdict: told_verdict(standing.judged.verdict),
        findings: findings.map(|it| told_finding(lang, it, None)).collect(),
        unknown: told_unknown(lang, judgement),
        facts: judgement
            .facts
            .iter()
            .map(|it| super::super::fact(lang, it))
            .collect(),
        hidden: sheet.seen.hidden,
        number: sheet.number.clone(),
        previous: sheet.previous.0.clone(),
        second: sheet.second,
        who: person(who),
        may: sheet.may,
    }
}

/// A person, as pages show them.
pub(crate) fn person(actor: &Actor) -> Person {
    Person {
        name: actor.name.clone(),
        issuer: actor.issuer.clone(),
        sub: actor.sub.clone(),
    }
}

fn pass_of(it: &Exception, now: Timestamp) -> Pass {
    let spec = &it.spec;
    pass(
        &it.name,
        (&spec.actor, &spec.reason, &spec.owner),
        spec.until,
        it.holds(now),
        &it.status,
    )
}

fn pass(
    name: &Name,
    (by, reason, owner): (&Actor, &Name, &Name),
    until: Timestamp,
    holds: bool,
    status: &Revocable,
) -> Pass {
    // What was taken back ended then.
    let end = status.revoked.as_ref().map_or(until, |it| it.at.min(until));
    Pass {
        name: name.clone(),
        by: person(by),
        reason: reason.to_string(),
        owner: owner.to_string(),
        until: end.as_millisecond(),
        holds,
    }
}
