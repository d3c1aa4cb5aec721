//! Exactly what is signed: how it is judged, what is wrong, what is not known, what was seen; who signs, after whom, and whether they may.

use super::{
    super::{
        super::checklist::mark::{person, verdict},
        facts::whole,
        findings::{finding, unknowns},
        signature::{digest, told},
    },
    Shown,
};
use crate::{components::sign::pill, lang::Lang};
use leptos::prelude::*;
use naru_view::{checklist::Verdict, ledger::SignSheet};

pub(super) fn shown(lang: Lang, it: &Shown) -> impl IntoView + use<> {
    let sheet = &it.sheet;
    let beside = it.beside.as_ref().map(|it| told(lang, it));
    let intro = if it.beside.is_some() {
        lang.sign_they_signed()
    } else {
        lang.sign_you_sign()
    };
    let (sign, word) = verdict(lang, sheet.verdict);
    let unsure = sheet.verdict == Verdict::Unknown || !sheet.unknown.is_empty();
    let own = unsure.then(|| view! { <p class="notice warn">{lang.sign_own_word()}</p> });
    let hidden = (sheet.hidden > 0)
        .then(|| view! { <p class="notice warn">{lang.sign_hidden(u64::from(sheet.hidden))}</p> });
    let second = (sheet.second && it.beside.is_none())
        .then(|| view! { <p class="notice">{lang.sign_needs_second()}</p> });
    let may = match sheet.may {
        Some(true) => None,
        Some(false) => Some(view! { <p class="notice bad">{lang.sign_may_not(&sheet.item)}</p> }.into_any()),
        None => Some(view! { <p class="notice">{lang.sign_may_unknown()}</p> }.into_any()),
    };
    view! {
        <p>{intro}</p>
        {beside}
        <p class="chips">{pill(sign, word)}<b>{sheet.item.to_string()}" "{sheet.title.clone()}</b></p>
        {own}
        {evidence(lang, sheet)}
        {hidden}
        {chain(lang, sheet, it.beside.is_none())}
        {second}
        {may}
    }
}

fn evidence(lang: Lang, it: &SignSheet) -> impl IntoView + use<> {
    let findings = it
        .findings
        .iter()
        .map(|it| finding(lang, it, None))
        .collect_view();
    let findings = if it.findings.is_empty() {
        view! { <p>{lang.checklist_no_findings()}</p> }.into_any()
    } else {
        view! { <ul class="findings boxed">{findings}</ul> }.into_any()
    };
    let unknown = (!it.unknown.is_empty()).then(|| {
        view! {
            <section>
                <h3>{lang.checklist_unknown_title()}</h3>
                <ul class="plain boxed">{unknowns(&it.unknown)}</ul>
            </section>
        }
    });
    let facts = if it.facts.is_empty() {
        view! { <p>{lang.checklist_no_facts()}</p> }.into_any()
    } else {
        let facts = it.facts.iter().map(|it| whole(lang, it)).collect_view();
        view! {
            <div class="seen" tabindex="0" role="region" aria-labelledby="deed-facts"><ul>{facts}</ul></div>
        }
        .into_any()
    };
    view! {
        <section>
            <h3>{lang.checklist_findings_title()}</h3>
            {findings}
        </section>
        {unknown}
        <section>
            <h3 id="deed-facts">{lang.checklist_facts_title()}</h3>
            {facts}
        </section>
    }
}

/// Whose name it is, and where in the chain a new signature stands.
fn chain(lang: Lang, it: &SignSheet, new: bool) -> impl IntoView + use<> {
    let place = new.then(|| {
        let previous = if it.previous.is_empty() {
            view! { <div><dt>{lang.sign_previous()}</dt><dd>{lang.sign_first()}</dd></div> }.into_any()
        } else {
            view! { <div><dt>{lang.sign_previous()}</dt><dd>{digest(&it.previous)}</dd></div> }.into_any()
        };
        view! {
            <div><dt>{lang.sign_number()}</dt><dd><code>{it.number.to_string()}</code></dd></div>
            {previous}
        }
    });
    view! {
        <dl class="pairs">
            <div><dt>{lang.sign_as()}</dt><dd>{person(&it.who)}</dd></div>
            {place}
        </dl>
    }
}
