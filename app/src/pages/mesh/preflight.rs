//! Will each workload's pods come up when they get a proxy, as `naru preflight` tells it.

use crate::{
    components::{
        sign::{Sign, pill},
        states::empty,
    },
    lang::Lang,
    pages::checklist_item::finding,
};
use leptos::prelude::*;
use naru_view::mesh::{Outlook, PreflightRow};

pub(super) fn table(lang: Lang, all: &[PreflightRow], more: u32) -> impl IntoView + use<> {
    let none = all.is_empty().then(|| empty(lang.mesh_no_workloads()));
    let rows = all.iter().map(|it| row(lang, it)).collect_view();
    let rows = (!all.is_empty()).then(|| view! { <ul class="outlooks">{rows}</ul> });
    let more = (more > 0).then(|| view! { <p class="body quiet">{lang.mesh_more(u64::from(more))}</p> });
    view! {
        <section class="card" aria-labelledby="preflight">
            <header><h2 id="preflight">{lang.mesh_preflight()}</h2><p class="quiet">{lang.mesh_preflight_means()}</p></header>
            {none}
            {rows}
            {more}
        </section>
    }
}

fn row(lang: Lang, it: &PreflightRow) -> impl IntoView + use<> {
    let (sign, word) = match it.outlook {
        Outlook::Injected => (Sign::Good, lang.cli_preflight_injected()),
        Outlook::ComesUp => (Sign::Good, lang.cli_preflight_comes_up()),
        Outlook::Stops => (Sign::Bad, lang.cli_preflight_stops()),
        Outlook::Unknown => (Sign::Unknown, lang.cli_preflight_unknown()),
    };
    let name = format!("{}/{}", it.namespace, it.name);
    let kind = it.kind.to_string();
    let losses = it.findings.len() + it.unknown.len();
    if losses == 0 {
        return view! {
            <li class="outlook"><span class="named">{name}" "<span class="quiet">{kind}</span></span>{pill(sign, word)}</li>
        }
        .into_any();
    }
    let findings = it
        .findings
        .iter()
        .map(|it| finding(lang, it, None))
        .collect_view();
    let unknown = it
        .unknown
        .iter()
        .map(|it| view! { <li>{it.clone()}</li> })
        .collect_view();
    let findings = (!it.findings.is_empty()).then(|| view! { <ul class="findings">{findings}</ul> });
    let unknown = (!it.unknown.is_empty()).then(|| view! { <ul class="plain">{unknown}</ul> });
    let open = matches!(it.outlook, Outlook::Stops);
    view! {
        <li class="outlook">
            <details open=open>
                <summary>
                    <span class="named">{name}" "<span class="quiet">{kind}</span></span>
                    {pill(sign, word)}
                    <span class="quiet">{lang.mesh_notes(losses as u64)}</span>
                </summary>
                {findings}
                {unknown}
            </details>
        </li>
    }
    .into_any()
}
