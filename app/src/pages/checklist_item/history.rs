//! What happened to the item, the latest first.

use super::{super::checklist::mark::person, Asking};
use crate::{
    components::{age::age, states::empty},
    format,
    lang::Lang,
};
use leptos::prelude::*;
use naru_view::{checklist::ItemPage, ledger::Event};

pub(super) fn history(lang: Lang, it: &ItemPage, _: Asking) -> AnyView {
    let body = if it.history.is_empty() {
        empty(lang.sign_no_history()).into_any()
    } else {
        let events = it.history.iter().map(|it| event(lang, it));
        view! { <ol class="timeline">{events.collect_view()}</ol> }.into_any()
    };
    view! {
        <section class="card" aria-labelledby="history">
            <header><h2 id="history">{lang.sign_history()}</h2></header>
            {body}
        </section>
    }
    .into_any()
}

fn event(lang: Lang, it: &Event) -> impl IntoView + use<> {
    let who = match &it.by {
        Some(by) => person(by).into_any(),
        None => lang.sign_naru().into_any(),
    };
    let text = (!it.text.is_empty()).then(|| view! { <p class="text">{it.text.clone()}</p> });
    view! {
        <li>
            <p class="what"><b>{it.what.clone()}</b>" "<span class="quiet">{age(lang, it.at)}" · "{format::utc(it.at)}</span></p>
            <p>{who}" · "<code class="quiet">{it.object.to_string()}</code></p>
            {text}
        </li>
    }
}
