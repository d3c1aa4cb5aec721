//! Every weighted route.

use crate::{
    components::{
        page::Heading,
        sign::{Sign, pill},
        split::split,
        states::empty,
    },
    context::lang,
    format,
    lang::Lang,
    live,
    pages::canary::order,
    routes, say,
};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::canary::{Canaries, Canary, RuleList};
use std::sync::Arc;

/// The page.
pub(crate) fn canary_list() -> impl IntoView {
    live::part::<Canaries>(draw)
}

fn draw(data: RwSignal<Arc<Canaries>>) -> AnyView {
    let lang = lang();
    let answer = Memo::new(move |_| {
        data.with(|it| match it.routes.len() {
            0 => lang.canary_list_empty_answer().to_owned(),
            n => {
                let flight = it.routes.iter().filter(|it| in_flight(it)).count();
                lang.canary_list_answer(&flight, n as u64)
            }
        })
    });
    let keys =
        Memo::new(move |_| data.with(|it| it.routes.iter().map(|it| it.route.clone()).collect::<Vec<_>>()));
    let row = move |route: naru_view::canary::RouteRef| {
        let canary =
            Memo::new(move |_| data.with(|it| it.routes.iter().find(|it| it.route == route).cloned()));
        view! { <tr>{move || canary.get().map(|canary| cells(lang, &canary))}</tr> }
    };
    let none = Memo::new(move |_| keys.with(Vec::is_empty));
    let astray = Memo::new(move |_| data.with(|it| it.astray.clone()));
    view! {
        <div class="page">
            <div class="lead"><Heading title=lang.app_title(&lang.canary_title()) answer/></div>
            {move || astray.with(|it| order::astray(lang, it))}
            <section class="card">
                <Show when=move || !none.get() fallback=move || empty(lang.canary_list_empty())>
                    <div class="scroll" tabindex="0" role="group" aria-label=lang.canary_title()>
                        <table class="rows">
                            <thead>
                                <tr>
                                    <th scope="col">{lang.table_route()}</th>
                                    <th scope="col">{lang.table_weight()}</th>
                                    <th scope="col" class="r">{lang.table_rate()}</th>
                                    <th scope="col">{lang.table_state()}</th>
                                </tr>
                            </thead>
                            <tbody><For each=move || keys.get() key=Clone::clone children=row/></tbody>
                        </table>
                    </div>
                </Show>
            </section>
        </div>
    }
    .into_any()
}

/// Whether more than one destination gets requests.
pub(super) fn in_flight(canary: &Canary) -> bool {
    canary.destinations.iter().filter(|it| it.weight > 0).count() > 1
}

/// `Rule 2, canary`; rules count from 1 for people, in each list. Most are of the usual list, which is not said.
pub(super) fn rule(lang: Lang, canary: &Canary) -> String {
    let n = canary.route.rule + 1;
    let rule = if canary.rule_name.is_empty() {
        lang.canary_rule(&n)
    } else {
        lang.canary_rule_named(&n, &canary.rule_name)
    };
    match canary.route.list {
        RuleList::Http => rule,
        RuleList::Tls => format!("TLS · {rule}"),
        RuleList::Tcp => format!("TCP · {rule}"),
        RuleList::HttpRoute => format!("HTTPRoute · {rule}"),
    }
}

fn cells(lang: Lang, canary: &Canary) -> impl IntoView + use<> {
    let route = &canary.route;
    let (href, namespace, name) = (
        routes::canary(route),
        format!("{}/", route.namespace),
        route.name.to_string(),
    );
    let hosts = canary
        .hosts
        .iter()
        .map(|host| &**host)
        .collect::<Vec<_>>()
        .join(", ");
    let moved = order::in_short(lang, canary);
    let plain = moved.is_none();
    let state = match (&canary.owner, canary.findings.first()) {
        (Some(owner), _) if owner.bars() => view! {
            {pill(Sign::Idle, owner.name.to_string())}<p class="quiet">{say::owner(lang, owner)}</p>
        }
        .into_any(),
        (_, Some(finding)) => {
            let word = if in_flight(canary) {
                lang.canary_in_flight()
            } else {
                lang.canary_settled()
            };
            view! { {pill(Sign::Warn, word)}<p class="quiet">{say::refused(lang, finding)}</p> }.into_any()
        }
        // What Naru does with it says more than that it is split.
        (_, None) if !plain => ().into_any(),
        (_, None) if in_flight(canary) => pill(Sign::Good, lang.canary_in_flight()).into_any(),
        (_, None) => pill(Sign::Idle, lang.canary_settled()).into_any(),
    };
    view! {
        <th scope="row">
            <A href><span class="ns">{namespace}</span>{name}</A>
            <p class="quiet">{rule(lang, canary)}" · "{hosts}</p>
        </th>
        <td>{split(lang, canary)}</td>
        <td class="r">{format::maybe(canary.rate)}</td>
        <td>{moved}{state}</td>
    }
}
