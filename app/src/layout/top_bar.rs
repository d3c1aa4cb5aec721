//! The top bar: which system, in which mode, how fresh, in which language and colours, as whom.

use super::{
    freshness,
    standstill::{self, Switch},
};
use crate::{
    components::icon::{Icon, icon},
    context::{Frame, Mode, frame},
    lang::Lang,
    live::{self, Link, Live},
    theme::Theme,
};
use leptos::{ev, html, prelude::*};
use leptos_router::{components::A, hooks::use_location};
use naru_view::session::SignIn;
use wasm_bindgen::JsCast;

pub(super) fn top_bar(help: NodeRef<html::Dialog>, switch: Option<Switch>) -> impl IntoView {
    let frame = frame();
    let lang = frame.lang;
    let who = frame.who.clone();
    view! {
        <header class="top">
            <A href="/" attr:class="logo">{icon(Icon::Logo)}<span>{lang.app_name()}</span></A>
            <span class="system">{frame.system.clone()}</span>
            {frame.known().then(|| mode(&frame))}
            <span class="spring"></span>
            {frame.known().then(freshness::sources)}
            {frame.known().then(|| link(lang))}
            {switch.map(standstill::button)}
            <div class="choices">
                {languages(lang)}
                {themes(&frame)}
                <button
                    type="button"
                    class="ghost keys"
                    title=lang.keys_title()
                    aria-label=lang.keys_title()
                    on:click=move |_| super::shortcuts::open(help)
                >
                    {icon(Icon::Keyboard)}
                </button>
            </div>
            {frame.known().then(|| view! {
                <span class="who" title=lang.top_who()><span class="visually-hidden">{lang.top_who()}</span>" "{who}</span>
            })}
            {(frame.known() && frame.sign_in != SignIn::None).then(|| sign_out(lang))}
        </header>
    }
}

/// A form: signing out changes something, and a page of somebody else's must not be able to do it by a link.
fn sign_out(lang: Lang) -> impl IntoView {
    view! {
        <form class="sign-out" method="post" action="/logout" on:submit=|_| live::leave()>
            <button type="submit" class="button little">{lang.top_sign_out()}</button>
        </form>
    }
}

/// Rehearsal cannot be mistaken for the real thing; the real thing is called by its name.
fn mode(frame: &Frame) -> impl IntoView + use<> {
    let lang = frame.lang;
    let which = match &frame.mode {
        Mode::Rehearsal => {
            view! { <strong class="mode rehearsal">{lang.mode_rehearsal()}</strong> }.into_any()
        }
        Mode::Cluster(name) => {
            view! { <strong class="mode cluster">{lang.mode_cluster(name)}</strong> }.into_any()
        }
    };
    let read_only = frame
        .read_only
        .map(|_| view! { <strong class="mode read-only">{lang.mode_read_only()}</strong> });
    view! { {which}{read_only} }
}

fn link(lang: Lang) -> impl IntoView {
    let live = Live::here();
    let told = move || match live.link.get() {
        Link::Still => None,
        Link::Open => Some(("line ok", lang.live_open())),
        Link::Lost(_) => Some(("line warn", lang.live_broken())),
    };
    view! { <span class=move || told().map_or("line", |it| it.0)>{move || told().map(|it| it.1)}</span> }
}

/// Plain links: the page comes anew in the other language, from the server, with everything else in the URL kept.
fn languages(lang: Lang) -> impl IntoView {
    let here = use_location();
    let links = Lang::ALL.map(|other| {
        let href = move || with(&here.search.get(), "lang", other.tag());
        let current = (other == lang).then_some("true");
        view! {
            <a href=href rel="external" lang=other.tag() hreflang=other.tag() aria-current=current>
                {match other { Lang::En => "EN", Lang::Ko => "KO" }}
                <span class="visually-hidden">{other.top_this_language()}</span>
            </a>
        }
    });
    view! { <div class="choice" role="group" aria-label=lang.top_language()>{links.into_iter().collect_view()}</div> }
}

/// Links as well; a browser that runs scripts changes the colours at once instead of following them.
fn themes(frame: &Frame) -> impl IntoView + use<> {
    let lang = frame.lang;
    let here = use_location();
    let chosen = RwSignal::new(frame.theme);
    let links = Theme::ALL.map(|theme| {
        let href = move || with(&here.search.get(), "theme", theme.tag());
        let (shape, name) = match theme {
            Theme::Auto => ("◐", lang.top_theme_auto()),
            Theme::Light => ("○", lang.top_theme_light()),
            Theme::Dark => ("●", lang.top_theme_dark()),
        };
        let choose = move |event: ev::MouseEvent| {
            event.prevent_default();
            chosen.set(theme);
            remember(theme);
        };
        view! {
            <a
                href=href
                rel="external"
                title=name
                aria-current=move || (chosen.get() == theme).then_some("true")
                on:click=choose
            >
                <span aria-hidden="true">{shape}</span><span class="visually-hidden">{name}</span>
            </a>
        }
    });
    view! { <div class="choice" role="group" aria-label=lang.top_theme()>{links.into_iter().collect_view()}</div> }
}

fn remember(theme: Theme) {
    let document = document();
    if let Some(root) = document.document_element() {
        let _ = root.set_attribute("data-theme", theme.tag());
    }
    if let Ok(document) = document.dyn_into::<web_sys::HtmlDocument>() {
        let _ = document.set_cookie(&format!(
            "theme={}; Path=/; Max-Age=31536000; SameSite=Lax",
            theme.tag()
        ));
    }
}

/// The query with one pair set, everything else kept.
fn with(search: &str, name: &str, value: &str) -> String {
    let search = search.trim_start_matches('?');
    let kept = search
        .split('&')
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    let mut query: String = kept.map(|pair| format!("{pair}&")).collect();
    query.push_str(&format!("{name}={value}"));
    format!("?{query}")
}

#[cfg(test)]
mod tests {
    use super::with;

    #[test]
    fn one_pair_is_set_and_the_rest_kept() {
        assert_eq!(with("", "lang", "ko"), "?lang=ko");
        assert_eq!(
            with("?ns=a,b&lang=en&find=x", "lang", "ko"),
            "?ns=a,b&find=x&lang=ko"
        );
        assert_eq!(with("language=x", "lang", "ko"), "?language=x&lang=ko");
    }
}
