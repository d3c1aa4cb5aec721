//! The sources in the top bar: shape, name, age.

use crate::{
    components::{
        age::ago,
        sign::{Sign, freshness},
    },
    context::lang,
    live::Live,
    say,
};
use leptos::prelude::*;
use naru_view::source::{Freshness, SourceState};

/// One entry per source; details are on the overview.
pub(super) fn sources() -> impl IntoView {
    let lang = lang();
    let live = Live::here();
    let names = Memo::new(move |_| {
        live.sources
            .with(|all| all.iter().map(|it| it.source).collect::<Vec<_>>())
    });
    let entry = move |name| {
        let state = Memo::new(move |_| {
            live.sources
                .with(|all| all.iter().find(|it| it.source == name).cloned())
        });
        let sign = move || {
            state
                .get()
                .map_or(Sign::Unknown, |it| Sign::of_freshness(it.state))
        };
        let class = move || match sign().class() {
            "ok" => "source ok",
            "warn" => "source warn",
            "bad" => "source bad",
            _ => "source idle",
        };
        let title = move || {
            state
                .get()
                .map(|it| say::whys(lang, &it.whys))
                .filter(|text| !text.is_empty())
        };
        let text = move || state.get().map(|it| told(lang, &it, live.now.get()));
        view! {
            <li class=class title=title>
                <span class="shape" aria-hidden="true">{move || sign().shape()}</span>
                <span class="name">{say::source(name)}</span>" "
                <span class="num">{text}</span>
            </li>
        }
    };
    view! {
        <ul class="sources" aria-label=lang.top_sources()>
            <For each=move || names.get() key=|name| *name children=entry/>
        </ul>
    }
}

/// A source that answers is told by its age alone; any other also by its state.
fn told(lang: crate::Lang, it: &SourceState, now: i64) -> String {
    match (it.state, it.at) {
        (Freshness::Fresh, Some(at)) => ago(lang, now, at),
        (state, Some(at)) => lang.source_state_and_age(&ago(lang, now, at), &freshness(lang, state)),
        (state, None) => freshness(lang, state).into(),
    }
}
