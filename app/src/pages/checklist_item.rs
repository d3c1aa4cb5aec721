//! One item: when it counts as met, what is wrong and where, what was seen, what is not known.

use super::checklist::verdict;
use crate::{
    AppError,
    components::{
        age::age,
        page::Heading,
        sign::{Sign, pill},
        states::empty,
    },
    context::lang,
    lang::Lang,
    live::{self, Told},
    routes, serverfns,
};
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_params_map};
use naru_view::{
    checklist::{Fact, Field, Finding, ItemPage, Severity},
    source::SourceState,
};

impl Told for ItemPage {
    fn sources(&self) -> &[SourceState] {
        &self.sources
    }
}

/// The page.
pub(crate) fn checklist_item() -> impl IntoView {
    let params = use_params_map();
    let item = move || (lang(), params.with(|it| it.get("item").unwrap_or_default()));
    live::told(item, ask, draw)
}

async fn ask((lang, item): (Lang, String)) -> Result<ItemPage, AppError> {
    serverfns::read_item(lang, item).await
}

fn draw(data: Signal<ItemPage>) -> AnyView {
    let lang = lang();
    let title = data.with_untracked(|it| lang.app_title(&format!("{} {}", it.row.id, it.row.title)));
    let answer = Memo::new(move |_| {
        data.with(|it| {
            lang.checklist_item_answer(&it.row.id, &it.row.title, &verdict(lang, it.row.verdict).1)
        })
    });
    let lead = move || {
        data.with(|it| {
            let (sign, word) = verdict(lang, it.row.verdict);
            let judged = it
                .judged
                .map(|at| view! { <span class="quiet">{lang.checklist_judged()}" "{age(lang, at)}</span> });
            view! { <p class="chips">{pill(sign, word)}{judged}</p> }
        })
    };
    let findings = move || data.with(|it| self::findings(lang, it));
    let unknown = move || data.with(|it| self::unknown(lang, &it.unknown));
    let facts = move || data.with(|it| self::facts(lang, &it.facts));
    let hidden = move || {
        let hidden = data.with(|it| it.hidden);
        (hidden > 0).then(|| view! { <p class="notice">{lang.checklist_hidden(u64::from(hidden))}</p> })
    };
    let around = move || data.with(|it| self::around(lang, it));
    view! {
        <div class="page">
            <div class="lead"><Heading title answer/>{lead}</div>
            {around}
            <section class="card">
                <header><h2>{lang.checklist_condition_title()}</h2></header>
                <p class="body">{move || data.with(|it| it.condition.clone())}</p>
            </section>
            {hidden}
            {findings}
            {unknown}
            {facts}
        </div>
    }
    .into_any()
}

fn around(lang: Lang, it: &ItemPage) -> impl IntoView + use<> {
    let link = |id: &Option<naru_view::Name>, text: fn(Lang, &dyn std::fmt::Display) -> String| {
        id.as_ref().map(|id| {
            let (href, text) = (routes::item(id), text(lang, id));
            view! { <A href attr:class="chip">{text}</A> }
        })
    };
    view! {
        <nav class="chips" aria-label=lang.checklist_around()>
            <A href="/checklist" attr:class="chip">{lang.checklist_all()}</A>
            {link(&it.neighbours.0, |lang, id| lang.checklist_before(id))}
            {link(&it.neighbours.1, |lang, id| lang.checklist_after(id))}
        </nav>
    }
}

fn findings(lang: Lang, it: &ItemPage) -> impl IntoView + use<> {
    let list = it.findings.iter().map(|it| finding(lang, it)).collect_view();
    let none = it
        .findings
        .is_empty()
        .then(|| empty(lang.checklist_no_findings()));
    view! {
        <section class="card" aria-labelledby="findings">
            <header><h2 id="findings">{lang.checklist_findings_title()}</h2></header>
            {none}
            <ul class="findings">{list}</ul>
        </section>
    }
}

fn finding(lang: Lang, it: &Finding) -> impl IntoView + use<> {
    let (sign, word) = match it.severity {
        Severity::Error => (Sign::Bad, lang.severity_error()),
        Severity::Warning => (Sign::Warn, lang.severity_warning()),
        Severity::Info => (Sign::Idle, lang.severity_info()),
    };
    let istio = it
        .istio
        .as_ref()
        .map(|code| view! { " · "<code>{code.to_string()}</code> });
    view! {
        <li class="finding">
            {pill(sign, word)}
            <p class="message">{it.message.clone()}</p>
            <p class="by quiet">{field(&it.field)}" · "<code>{it.code.to_string()}</code>{istio}</p>
        </li>
    }
}

fn field(it: &Field) -> impl IntoView + use<> {
    let place = if it.namespace.is_empty() {
        it.name.to_string()
    } else {
        format!("{}/{}", it.namespace, it.name)
    };
    let path = (!it.path.is_empty()).then(|| view! { " "<code>{it.path.to_string()}</code> });
    view! { <span class="field-of">{it.kind.to_string()}" "{place}{path}</span> }
}

fn unknown(lang: Lang, all: &[(naru_view::Name, String)]) -> impl IntoView + use<> {
    let rows = all
        .iter()
        .map(|(check, why)| view! { <li>{why.clone()}" "<code class="quiet">{check.to_string()}</code></li> })
        .collect_view();
    (!all.is_empty()).then(move || {
        view! {
            <section class="card" aria-labelledby="unknown">
                <header><h2 id="unknown">{lang.checklist_unknown_title()}</h2></header>
                <ul class="plain">{rows}</ul>
            </section>
        }
    })
}

fn facts(lang: Lang, all: &[Fact]) -> impl IntoView + use<> {
    let rows = all
        .iter()
        .map(|it| {
            let place = it.field.as_ref().map(field);
            let query = (!it.query.is_empty()).then(|| view! { <code>{it.query.to_string()}</code> });
            let version = (!it.resource_version.is_empty()).then(
                || view! { <span class="quiet">" "{lang.checklist_version(&it.resource_version)}</span> },
            );
            view! {
                <tr>
                    <th scope="row">{it.label.clone()}</th>
                    <td class="value">{it.value.to_string()}</td>
                    <td class="wide quiet">{place}{query}{version}</td>
                </tr>
            }
        })
        .collect_view();
    let none = all.is_empty().then(|| empty(lang.checklist_no_facts()));
    view! {
        <section class="card">
            <header><h2 id="facts">{lang.checklist_facts_title()}</h2></header>
            {none}
            <div class="scroll" tabindex="0" role="region" aria-labelledby="facts">
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">{lang.checklist_fact()}</th>
                            <th scope="col">{lang.checklist_value()}</th>
                            <th scope="col" class="wide">{lang.checklist_from()}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
