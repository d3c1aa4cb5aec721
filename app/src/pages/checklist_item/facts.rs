//! What was seen: with its place, so that it can be looked up.

use super::Asking;
use crate::{components::states::empty, format, lang::Lang};
use leptos::prelude::*;
use naru_view::checklist::{Fact, Field, ItemPage, Learned};

pub(super) fn facts(lang: Lang, it: &ItemPage, _: Asking) -> AnyView {
    let rows = it.facts.iter().map(|it| row(lang, it)).collect_view();
    let table = (!it.facts.is_empty()).then(|| {
        view! {
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
        }
    });
    let none = it.facts.is_empty().then(|| empty(lang.checklist_no_facts()));
    view! {
        <section class="card">
            <header><h2 id="facts">{lang.checklist_facts_title()}</h2></header>
            {none}
            {table}
        </section>
    }
    .into_any()
}

fn row(lang: Lang, it: &Fact) -> impl IntoView + use<> {
    view! {
        <tr>
            <th scope="row">{it.label.clone()}</th>
            <td class="value">{it.value.to_string()}</td>
            <td class="wide quiet">{from(lang, it)}</td>
        </tr>
    }
}

/// One fact with all that belongs to it under each other, for a place where nothing may be left out on a narrow screen.
pub(super) fn whole(lang: Lang, it: &Fact) -> impl IntoView + use<> {
    view! {
        <li>
            <span>{it.label.clone()}": "<b>{it.value.to_string()}</b></span>
            <span class="quiet">{from(lang, it)}</span>
        </li>
    }
}

fn from(lang: Lang, it: &Fact) -> impl IntoView + use<> {
    let place = it.field.as_ref().map(field);
    let query = (!it.query.is_empty()).then(|| view! { <code>{it.query.to_string()}</code> });
    let version = (!it.resource_version.is_empty())
        .then(|| view! { <span>" "{lang.checklist_version(&it.resource_version)}</span> });
    let learned = it.learned.map(|(how, at)| {
        let at = format::utc(at);
        let said = match how {
            Learned::Tried => lang.checklist_tried(&at),
            Learned::Counted => lang.checklist_counted(&at),
            Learned::Handed => lang.checklist_handed(&at),
        };
        view! { <span>" "{said}</span> }
    });
    view! { {place}{query}{version}{learned} }
}

/// An object and a field in it.
pub(super) fn field(it: &Field) -> impl IntoView + use<> {
    let path = (!it.path.is_empty()).then(|| view! { " "<code>{it.path.to_string()}</code> });
    view! { <span class="field-of">{place(it)}{path}</span> }
}

/// The object alone: `VirtualService shop/shop`.
pub(super) fn place(it: &Field) -> String {
    if it.namespace.is_empty() {
        format!("{} {}", it.kind, it.name)
    } else {
        format!("{} {}/{}", it.kind, it.namespace, it.name)
    }
}
