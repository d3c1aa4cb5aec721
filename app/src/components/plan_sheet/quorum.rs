//! Two people for one plan: who is first proposes, and who is second applies.

use crate::{
    components::sign::{Sign, pill},
    context::lang,
    lang::Lang,
    say,
};
use leptos::prelude::*;
use naru_view::canary::Quorum;

/// What is wanted, and whether there has been a first.
pub(super) fn told(lang: Lang, quorum: &Quorum) -> impl IntoView + use<> {
    let text = match &quorum.proposed {
        Some(first) => say::proposed(lang, first),
        None => lang.quorum_wanted(&quorum.above),
    };
    view! { <p class="notice">{text}</p> }
}

/// It waits for somebody else.
pub(super) fn proposed(name: &str) -> impl IntoView + use<> {
    let lang = lang();
    view! {
        <div class="body" role="status">
            <p>{pill(Sign::Good, lang.quorum_done())}</p>
            <p>{lang.quorum_done_text()}</p>
            <p class="quiet">{lang.quorum_done_name(&name)}</p>
        </div>
    }
}
