//! The rail: every page, the one we are on marked.

use crate::{
    components::icon::{Icon, icon},
    context::lang,
    routes::PAGES,
};
use leptos::prelude::*;
use leptos_router::components::A;

/// `narrow` shows the pictures alone; the words stay for assistive technology.
pub(super) fn rail(narrow: RwSignal<bool>) -> impl IntoView {
    let lang = lang();
    let links = PAGES.map(|page| {
        let name = (page.name)(lang);
        view! {
            <li>
                <A href=page.path exact=page.path == "/" attr:title=name>{icon(page.icon)}<span class="word">{name}</span></A>
            </li>
        }
    });
    let label = move || {
        if narrow.get() {
            lang.nav_expand()
        } else {
            lang.nav_collapse()
        }
    };
    view! {
        <nav class="rail" aria-label=lang.nav_main()>
            <ul>{links.into_iter().collect_view()}</ul>
            <button
                type="button"
                class="ghost fold"
                aria-expanded=move || if narrow.get() { "false" } else { "true" }
                on:click=move |_| narrow.update(|narrow| *narrow = !*narrow)
            >
                {icon(Icon::Rail)}
                <span class="word">{label}</span>
            </button>
        </nav>
    }
}
