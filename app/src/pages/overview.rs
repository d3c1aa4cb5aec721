//! The front page: what is broken first, then what is under way, then what it rests on.

use crate::{
    components::{
        age::{age_of, ago},
        page::Heading,
        sign::{self, Sign, pill},
        split::split,
        states::empty,
        whys::whys,
    },
    context::lang,
    format,
    lang::Lang,
    live::{self, Live},
    pages::canary::order,
    routes, say,
};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::{
    overview::{FailingEdge, Overview, ServiceRow},
    source::{Freshness, SourceState},
    why::SourceName,
};
use std::sync::Arc;

/// The page.
pub(crate) fn overview() -> impl IntoView {
    live::part::<Overview>(draw)
}

fn draw(data: RwSignal<Arc<Overview>>) -> AnyView {
    let lang = lang();
    let now = Live::here().now;
    let answer = Memo::new(move |_| data.with(|it| answer(lang, it)));
    let known = Memo::new(move |_| data.with(|it| metrics(it).is_ok()));
    let pills = Memo::new(move |_| {
        data.with(|it| {
            (
                it.failing.len(),
                it.in_flight.len(),
                it.services.len(),
                it.meshed,
                it.window_s,
            )
        })
    });
    // Old figures are said to be old right under the answer, not only in the top bar.
    let stale = move || {
        data.with(|it| match source(it, SourceName::Prometheus) {
            Some(SourceState {
                state: Freshness::Stale | Freshness::Unreachable,
                at: Some(at),
                ..
            }) => Some(*at),
            _ => None,
        })
        .map(
            |at| view! { <p class="notice warn">{lang.overview_stale_suffix(&ago(lang, now.get(), at))}</p> },
        )
    };
    let open = Memo::new(move |_| data.with(|it| it.open_changes));
    let open_changes = move || {
        (open.get() > 0).then(|| view! {
            <p class="notice bad">
                {lang.overview_open_changes(u64::from(open.get()))}" "<A href="/changes">{lang.overview_open_changes_link()}</A>
            </p>
        })
    };
    let lead = move || {
        let (_, flight, services, (meshed, all), window) = pills.get();
        [
            lang.count_canaries(flight as u64),
            lang.count_services(services as u64),
            lang.unit_meshed(&all, &meshed),
            lang.unit_window(&window),
        ]
        .join(" · ")
    };
    let failing_badly = Memo::new(move |_| {
        data.with(|it| {
            it.failing
                .iter()
                .any(|edge| Sign::of_errors(Some(edge.error_share)) == Sign::Bad)
        })
    });
    let verdict = move || {
        let (failing, ..) = pills.get();
        match (known.get(), failing) {
            (false, _) => pill(Sign::Unknown, lang.source_stale()).into_any(),
            (true, 0) => pill(Sign::Good, lang.health_good()).into_any(),
            (true, _) if failing_badly.get() => pill(Sign::Bad, lang.health_failing()).into_any(),
            (true, _) => pill(Sign::Warn, lang.health_degraded()).into_any(),
        }
    };
    view! {
        <div class="page">
            <div class="lead">
                <Heading title=lang.app_title(&lang.nav_overview()) answer/>
                {verdict}
                <p>{lead}</p>
            </div>
            {open_changes}
            {stale}
            <div class="columns">
                <section class="card" aria-labelledby="failing">
                    <header><h2 id="failing">{lang.overview_failing_title()}</h2></header>
                    {move || data.with(|it| failing(lang, &it.failing, metrics(it).is_ok()))}
                </section>
                <section class="card" aria-labelledby="flight">
                    <header><h2 id="flight">{lang.overview_canaries_title()}</h2></header>
                    {move || flight(lang, data)}
                </section>
            </div>
            <section class="card" aria-labelledby="services">
                <header><h2 id="services">{lang.overview_services_title()}</h2></header>
                {services(lang, data)}
            </section>
            <section class="card" aria-labelledby="sources">
                <header><h2 id="sources">{lang.overview_sources_title()}</h2></header>
                {sources(lang, data)}
            </section>
        </div>
    }
    .into_any()
}

fn source(it: &Overview, name: SourceName) -> Option<&SourceState> {
    it.sources.iter().find(|state| state.source == name)
}

/// Whether the figures may be relied on; else the source that is missing. Without a current answer "nothing fails" is not known.
fn metrics(it: &Overview) -> Result<(), SourceName> {
    match source(it, SourceName::Prometheus).map(|state| state.state) {
        Some(Freshness::Fresh | Freshness::Partial) => Ok(()),
        Some(Freshness::Stale | Freshness::Unreachable) | None => Err(SourceName::Prometheus),
    }
}

fn answer(lang: Lang, it: &Overview) -> String {
    match (metrics(it), it.failing.len()) {
        (Err(name), _) => lang.overview_unknown(&say::source(name)),
        (Ok(()), 0) if it.services.iter().all(|row| row.rate.is_none()) => lang.overview_no_traffic().into(),
        (Ok(()), 0) => lang.overview_all_good().into(),
        (Ok(()), n) => lang.overview_failing(n as u64),
    }
}

fn failing(lang: Lang, edges: &[FailingEdge], known: bool) -> AnyView {
    if edges.is_empty() {
        return empty(if known {
            lang.overview_failing_empty()
        } else {
            lang.overview_failing_unknown()
        })
        .into_any();
    }
    let rows = edges.iter().map(|edge| {
        view! {
            <tr>
                <th scope="row" class="stack">{name(lang, &edge.source)}</th>
                <td class="stack">{name(lang, &edge.target)}</td>
                <td class="r">{format::number(edge.rate)}</td>
                <td class="r">{sign::errors(Some(edge.error_share))}</td>
                <td><code>{edge.code.trim_end_matches(" -").to_owned()}</code></td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label=lang.overview_failing_title()>
            <table class="rows">
                <thead>
                    <tr>
                        <th scope="col">{lang.table_caller()}</th>
                        <th scope="col">{lang.table_called()}</th>
                        <th scope="col" class="r">{lang.table_rate()}</th>
                        <th scope="col" class="r">{lang.table_errors()}</th>
                        <th scope="col">{lang.table_code()}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// `namespace/workload` with the namespace in the background. Who calls without a sidecar has neither, and is said to be unknown.
fn name(lang: Lang, text: &str) -> impl IntoView + use<> {
    let (namespace, workload) = match text.split_once('/') {
        Some((_, "")) => (String::new(), lang.topology_unknown_caller().to_owned()),
        Some((namespace, workload)) if !namespace.is_empty() => {
            (format!("{namespace}/"), workload.to_owned())
        }
        Some((_, workload)) => (String::new(), workload.to_owned()),
        None => (String::new(), text.to_owned()),
    };
    view! { <span class="ns">{namespace}</span>{workload} }
}

fn flight(lang: Lang, data: RwSignal<Arc<Overview>>) -> AnyView {
    let canaries = data.with(|it| it.in_flight.clone());
    if canaries.is_empty() {
        return empty(lang.overview_canaries_empty()).into_any();
    }
    let items = canaries.into_iter().map(|canary| {
        let route = &canary.route;
        let (href, namespace, name) = (
            routes::canary(route),
            format!("{}/", route.namespace),
            route.name.to_string(),
        );
        view! {
            <li class="flight">
                <A href><span class="ns">{namespace}</span>{name}</A>
                {split(lang, &canary)}
                {order::in_short(lang, &canary)}
            </li>
        }
    });
    view! { <ul>{items.collect_view()}</ul> }.into_any()
}

fn services(lang: Lang, data: RwSignal<Arc<Overview>>) -> impl IntoView {
    let keys = Memo::new(move |_| {
        data.with(|it| {
            it.services
                .iter()
                .map(|row| (row.namespace.clone(), row.name.clone()))
                .collect::<Vec<_>>()
        })
    });
    let row = move |key: (naru_view::Name, naru_view::Name)| {
        let (namespace, name) = key.clone();
        let row = Memo::new(move |_| {
            data.with(|it| {
                it.services
                    .iter()
                    .find(|row| (&row.namespace, &row.name) == (&key.0, &key.1))
                    .cloned()
            })
        });
        view! {
            <tr>
                <th scope="row">{name.to_string()}</th>
                <td class="wide">{namespace.to_string()}</td>
                {move || row.get().map(|row| cells(lang, &row))}
            </tr>
        }
    };
    let none = Memo::new(move |_| keys.with(Vec::is_empty));
    view! {
        <Show when=move || !none.get() fallback=move || empty(lang.overview_services_empty())>
            <div class="scroll" tabindex="0" role="group" aria-label=lang.overview_services_title()>
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">{lang.table_service()}</th>
                            <th scope="col" class="wide">{lang.table_namespace()}</th>
                            <th scope="col" class="r">{lang.table_rate()}</th>
                            <th scope="col" class="r">{lang.table_errors()}</th>
                            <th scope="col" class="r">{lang.table_average()}</th>
                            <th scope="col" class="r">{lang.table_mtls()}</th>
                            <th scope="col" class="r">{lang.table_endpoints()}</th>
                        </tr>
                    </thead>
                    <tbody><For each=move || keys.get() key=Clone::clone children=row/></tbody>
                </table>
            </div>
        </Show>
    }
}

fn cells(lang: Lang, row: &ServiceRow) -> impl IntoView + use<> {
    let endpoints = match row.endpoints {
        Some((0, all)) if all > 0 => pill(Sign::Bad, format!("0/{all}")).into_any(),
        Some((ready, all)) => format!("{ready}/{all}").into_any(),
        None => format::UNKNOWN.into_any(),
    };
    let mtls = match row.mtls_share {
        Some(share) if share <= 0.0 => lang.topology_plaintext().to_owned(),
        share => format::percent_of(share),
    };
    view! {
        <td class="r">{format::maybe(row.rate)}</td>
        <td class="r">{sign::errors(row.error_share)}</td>
        <td class="r">{format::duration_of(row.average_ms)}</td>
        <td class="r">{mtls}</td>
        <td class="r">{endpoints}</td>
    }
}

fn sources(lang: Lang, data: RwSignal<Arc<Overview>>) -> impl IntoView {
    let names = Memo::new(move |_| data.with(|it| it.sources.iter().map(|it| it.source).collect::<Vec<_>>()));
    let row = move |name: SourceName| {
        let state = Memo::new(move |_| data.with(|it| source(it, name).cloned()));
        let at = Signal::derive(move || state.get().and_then(|it| it.at));
        view! {
            <tr>
                <th scope="row">{say::source(name)}</th>
                <td>{move || state.get().map(|it| pill(Sign::of_freshness(it.state), sign::freshness(lang, it.state)))}</td>
                <td class="num">{age_of(lang, at)}</td>
                <td>{move || state.get().map(|it| whys(lang, &it.whys))}</td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label=lang.overview_sources_title()>
            <table class="rows">
                <thead>
                    <tr>
                        <th scope="col">{lang.source_name()}</th>
                        <th scope="col">{lang.source_state()}</th>
                        <th scope="col">{lang.source_last()}</th>
                        <th scope="col">{lang.source_detail()}</th>
                    </tr>
                </thead>
                <tbody><For each=move || names.get() key=|name| *name children=row/></tbody>
            </table>
        </div>
    }
}
