//! Keyboard shortcuts: `?` lists them, `/` goes to the search box, `g` and a letter to a page.

use crate::{
    components::icon::{Icon, icon},
    context::lang,
    routes::PAGES,
};
use leptos::{ev, html, prelude::*};
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

/// After `g` the letter must follow within this time (milliseconds); later it is an ordinary key.
const CHORD: f64 = 1_500.0;

/// Listens as long as the application lives.
pub(super) fn listen(help: NodeRef<html::Dialog>) {
    Effect::new(move |_| {
        let navigate = use_navigate();
        let begun = StoredValue::new(f64::NEG_INFINITY);
        let _ = window_event_listener(ev::keydown, move |event| {
            if event.ctrl_key() || event.meta_key() || event.alt_key() || typing(&event) {
                return;
            }
            let key = event.key();
            let chord = event.time_stamp() - begun.get_value() < CHORD;
            begun.set_value(f64::NEG_INFINITY);
            let page = PAGES
                .iter()
                .find(|page| chord && key.len() == 1 && key.starts_with(page.key));
            match (page, &*key) {
                (Some(page), _) => navigate(page.path, Default::default()),
                (None, "g") => begun.set_value(event.time_stamp()),
                (None, "?") => open(help),
                (None, "/") => search(&event),
                _ => {}
            }
        });
    });
}

/// In a field a letter is a letter; in an open dialog the page behind it does not move.
fn typing(event: &ev::KeyboardEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let inside = |selector| {
        target
            .as_ref()
            .is_some_and(|it| it.closest(selector).ok().flatten().is_some())
    };
    inside("input:not([type=range]), textarea, select")
        || document().query_selector("dialog[open]").ok().flatten().is_some()
}

fn search(event: &ev::KeyboardEvent) {
    let field = document().query_selector("input[type=search]").ok().flatten();
    if let Some(field) = field.and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok()) {
        event.prevent_default();
        let _ = field.focus();
    }
}

pub(super) fn open(help: NodeRef<html::Dialog>) {
    if let Some(dialog) = help.get_untracked().filter(|dialog| !dialog.open()) {
        let _ = dialog.show_modal();
    }
}

/// The list of shortcuts.
pub(super) fn help(dialog: NodeRef<html::Dialog>) -> impl IntoView {
    let lang = lang();
    let row = |keys: Vec<String>, what: &'static str| {
        let keys = keys
            .into_iter()
            .map(|key| view! { <kbd>{key}</kbd> })
            .collect_view();
        view! { <div><dt>{keys}</dt><dd>{what}</dd></div> }
    };
    let pages = PAGES.map(|page| row(vec!["g".into(), page.key.into()], (page.name)(lang)));
    view! {
        <dialog node_ref=dialog class="sheet small" aria-labelledby="keys-title">
            <form method="dialog">
                <div class="head">
                    <h2 id="keys-title">{lang.keys_title()}</h2>
                    <button class="ghost" aria-label=lang.sheet_close()>{icon(Icon::Close)}</button>
                </div>
                <dl class="keys">
                    {pages.into_iter().collect_view()}
                    {row(vec!["/".into()], lang.keys_search())}
                    {row(vec!["?".into()], lang.keys_help())}
                    {row(vec!["Esc".into()], lang.keys_escape())}
                    {row(vec!["←".into(), "→".into()], lang.keys_arrows())}
                    {row(vec!["PgUp".into(), "PgDn".into()], lang.keys_page())}
                </dl>
            </form>
        </dialog>
    }
}
