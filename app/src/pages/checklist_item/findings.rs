//! What is wrong, what of it is accepted, and what is not known.

use super::{
    Asking,
    deed::Ask,
    facts::{field, place},
    pass::{self, button},
};
use crate::{
    components::{
        plan_sheet,
        sign::{Sign, pill},
        states::empty,
    },
    lang::Lang,
};
use leptos::prelude::*;
use naru_view::{
    Name,
    change::Mend,
    checklist::{Finding, ItemPage, Severity},
    ledger::Revocable,
};

pub(super) fn findings(lang: Lang, it: &ItemPage, asking: Asking) -> AnyView {
    let body = if it.findings.is_empty() {
        empty(lang.checklist_no_findings()).into_any()
    } else {
        let list = it.findings.iter().map(|one| {
            let act = asking.map(|asking| {
                let mend = one.fix.then(|| mend(lang, one, asking.plan));
                let accept = act(lang, one, &it.findings, asking.deed);
                view! { <div class="deeds chips">{mend}{accept}</div> }.into_any()
            });
            finding(lang, one, act)
        });
        view! { <ul class="findings">{list.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-labelledby="findings">
            <header><h2 id="findings" tabindex="-1">{lang.checklist_findings_title()}</h2></header>
            {body}
        </section>
    }
    .into_any()
}

/// One finding, with what can be done about it.
pub(in crate::pages) fn finding(lang: Lang, it: &Finding, act: Option<AnyView>) -> impl IntoView + use<> {
    let (sign, word) = match it.severity {
        Severity::Error => (Sign::Bad, lang.severity_error()),
        Severity::Warning => (Sign::Warn, lang.severity_warning()),
        Severity::Info => (Sign::Idle, lang.severity_info()),
    };
    let istio = it
        .istio
        .as_ref()
        .map(|code| view! { " · "<code>{code.to_string()}</code> });
    let accepted = it.accepted.as_ref().map(|it| pass::accepted(lang, it));
    view! {
        <li class="finding">
            {pill(sign, word)}
            <p class="message">{it.message.clone()}</p>
            <p class="by quiet">{field(&it.field)}" · "<code>{it.code.to_string()}</code>{istio}</p>
            {accepted}
            {act}
        </li>
    }
}

/// Plan the edits that mend it.
fn mend(lang: Lang, it: &Finding, ask: RwSignal<Option<plan_sheet::Ask>>) -> impl IntoView + use<> {
    let label = lang.checklist_mend_of(&it.code, &place(&it.field));
    let wish = plan_sheet::Ask::Mend(Mend {
        code: it.code.clone(),
        field: it.field.clone(),
    });
    view! {
        <button type="button" class="button little act scripted" aria-label=label on:click=move |_| ask.set(Some(wish.clone()))>
            {lang.checklist_mend()}
        </button>
    }
}

/// Accept it, or take that back. What has the same code at the same place is accepted with it, and shown with it.
fn act(lang: Lang, it: &Finding, all: &[Finding], ask: RwSignal<Option<Ask>>) -> Option<AnyView> {
    let object = place(&it.field);
    if let Some(pass) = it.accepted.as_ref().filter(|it| it.holds) {
        let label = lang.sign_unaccept_of(&it.code, &object);
        let what = Revocable::Exception;
        let name = pass.name.clone();
        return Some(button(lang.sign_take_back(), label, ask, Ask::Revoke { what, name }).into_any());
    }
    (it.severity != Severity::Info).then(|| {
        let label = lang.sign_accept_of(&it.code, &object);
        let alike = all
            .iter()
            .filter(|one| one.code == it.code && one.field == it.field);
        let wish = Ask::Except(alike.cloned().collect());
        button(lang.sign_accept(), label, ask, wish).into_any()
    })
}

pub(super) fn unknown(lang: Lang, it: &ItemPage, _: Asking) -> AnyView {
    let section = (!it.unknown.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="unknown">
                <header><h2 id="unknown">{lang.checklist_unknown_title()}</h2></header>
                <ul class="plain">{unknowns(&it.unknown)}</ul>
            </section>
        }
    });
    section.into_any()
}

/// Each with the check that would know.
pub(super) fn unknowns(all: &[(Name, String)]) -> impl IntoView + use<> {
    all.iter()
        .map(|(check, why)| view! { <li>{why.clone()}" "<code class="quiet">{check.to_string()}</code></li> })
        .collect_view()
}
