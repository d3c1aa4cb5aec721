//! A plan for somebody else: what to put into the files that they apply, and a page that watches for it.

use super::{Ask, Handed, Sheet};
use crate::lang::Lang;
use leptos::prelude::*;
use naru_view::canary::HandOver;

/// The edits, to be copied.
pub(super) fn patch(lang: Lang, over: &HandOver) -> impl IntoView + use<> {
    view! {
        <section>
            <h3>{lang.plan_over_patch()}</h3>
            <pre class="command" tabindex="0">{over.patch.to_string()}</pre>
        </section>
    }
}

/// Instead of a reason and a button that applies: nothing is written here.
pub(super) fn watch(sheet: Sheet, lang: Lang) -> impl IntoView {
    let press = move |_| {
        if let (Some(Ask::Weights(wish)), Some(Handed(all))) = (sheet.ask.get_untracked(), use_context()) {
            all.update(|all| {
                all.retain(|it| it.route != wish.route);
                all.push(wish);
            });
        }
        sheet.dialog.close();
    };
    view! {
        <footer>
            <button type="button" class="button go" aria-describedby="watch-hint" on:click=press>{lang.plan_over_watch()}</button>
            <p id="watch-hint" class="quiet">{lang.plan_over_then()}</p>
        </footer>
    }
}
