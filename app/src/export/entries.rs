//! One signature, and one thing that is passed over, as the exported page shows them.

use crate::{format, lang::Lang};
use leptos::prelude::*;
use naru_domain::{
    Name, Timestamp,
    actor::Actor,
    crossing::{Evidence, SignOff, act::Revocable},
    judge::Verdict,
};

/// A signature, with what it was given for.
pub(super) fn signature(lang: Lang, it: &SignOff, evidence: Option<&Evidence>) -> impl IntoView + use<> {
    let (spec, status) = (&it.spec, &it.status);
    let line = |what: &str, who: String, at: Timestamp, said: String| {
        view! { <tr><th scope="row">{what.to_owned()}</th><td>{when(at)}</td><td>{who}</td><td>{said}</td></tr> }
    };
    let second = status.countersignature.as_ref().map(|act| {
        line(
            lang.history_countersigned(),
            by(&act.actor),
            act.at,
            String::new(),
        )
    });
    let accepted = status.accepted.as_ref().map(|act| {
        let digest = act.digest.to_string();
        line(lang.history_accepted(), String::new(), act.at, digest)
    });
    let refused = status.refused.as_ref().map(|act| {
        let why = act.why.to_string();
        line(lang.history_refused(), String::new(), act.at, why)
    });
    let revoked = status.revoked.as_ref().map(|act| {
        let why = act.reason.to_string();
        line(lang.history_revoked(), by(&act.actor), act.at, why)
    });
    let reopened = status.reopened.as_ref().map(|act| {
        let codes: Vec<String> = act
            .findings
            .iter()
            .map(|it| format!("{} ({})", it.code, it.object))
            .collect();
        line(lang.history_reopened(), String::new(), act.at, codes.join(", "))
    });
    view! {
        <li>
            <strong>{it.name.to_string()}</strong>
            <table>
                {line(lang.history_signed(), by(&spec.actor), spec.signed_at, spec.statement.to_string())}
                {second}{accepted}{refused}{revoked}{reopened}
            </table>
            {evidence.map(|it| seen(lang, it))}
        </li>
    }
}

fn seen(lang: Lang, it: &Evidence) -> impl IntoView + use<> {
    let verdict = match it.spec.verdict {
        Verdict::Met => lang.verdict_met(),
        Verdict::NotMet => lang.verdict_not_met(),
        Verdict::Unknown => lang.verdict_unknown(),
    };
    let rows = it
        .spec
        .facts
        .iter()
        .map(|fact| {
            let label = lang.fact(&fact.name).unwrap_or(&fact.name).to_owned();
            let object = fact.object.as_ref().map_or_else(String::new, ToString::to_string);
            let place = format!("{object} {}", fact.path);
            view! { <tr><td>{label}</td><td>{fact.value.to_string()}</td><td>{place}</td></tr> }
        })
        .collect_view();
    let findings = it
        .spec
        .findings
        .iter()
        .map(|it| view! { <li>{format!("{} · {} {}", it.code, it.object, it.path)}</li> })
        .collect_view();
    let unknown: Vec<&str> = it.spec.unknown.iter().map(|it| &*it.check).collect();
    let unknown = (!unknown.is_empty()).then(|| {
        let checks = unknown.join(", ");
        view! { <p>{lang.export_unknown(&checks)}</p> }
    });
    let title = format!("{} · {verdict} · {}", it.name, when(it.spec.at));
    view! {
        <details>
            <summary>{title}</summary>
            {unknown}
            <ul>{findings}</ul>
            <table>{rows}</table>
        </details>
    }
}

/// An item that is passed over, or a finding that is accepted.
pub(super) fn over(
    lang: Lang,
    name: &Name,
    about: &str,
    actor: &Actor,
    (reason, owner): (&Name, &Name),
    until: Timestamp,
    status: &Revocable,
) -> impl IntoView + use<> {
    let said = lang.history_until(&format::day(until.as_millisecond()), owner, reason);
    let revoked = status.revoked.as_ref().map(|it| {
        let said = lang.ledger_revoked_by(&by(&it.actor), &it.reason);
        view! { <br/>{said} }
    });
    let head = format!("{name} · {about} · {}", by(actor));
    view! { <li><strong>{head}</strong><br/>{said}{revoked}</li> }
}

/// A person by all that tells them apart.
pub(super) fn by(actor: &Actor) -> String {
    format!("{} ({} {})", actor.name, actor.issuer, actor.sub)
}

fn when(at: Timestamp) -> String {
    format::utc(at.as_millisecond())
}
