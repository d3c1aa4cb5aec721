//! Where nobody is led: what this is, why one is here, and the way in.

use super::not_found;
use crate::{components::page::Heading, context::frame, graph::link, lang::Lang, say};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use naru_view::session::{NotIn, SignIn};

/// The page.
pub(crate) fn login() -> impl IntoView {
    let frame = frame();
    let lang = frame.lang;
    if frame.sign_in == SignIn::None {
        return not_found().into_any();
    }
    let query = use_query_map().get_untracked();
    let why = query.get("why").and_then(|tag| NotIn::from_tag(&tag));
    // Whether it leads to a page of ours is judged by the server, each time anew.
    let to = query.get("to").unwrap_or_default();
    let class = match why {
        Some(NotIn::SignedOut) => "notice ok",
        Some(NotIn::Lapsed) => "notice",
        _ => "notice warn",
    };
    let way = match frame.sign_in {
        SignIn::Oidc => provider(lang, &to).into_any(),
        SignIn::Kubernetes | SignIn::None => token(lang, to).into_any(),
    };
    view! {
        <div class="page login">
            <Heading title=lang.app_title(&lang.login_title()) answer=lang.login_answer()/>
            {why.map(|why| view! { <p class=class role="status">{say::not_in(lang, why)}</p> })}
            {way}
        </div>
    }
    .into_any()
}

/// A link: the way to the provider is a navigation, and needs no script.
fn provider(lang: Lang, to: &str) -> impl IntoView + use<> {
    let pairs: &[(&str, &str)] = if to.is_empty() { &[] } else { &[("to", to)] };
    let href = format!("/login/start{}", link(pairs));
    view! {
        <p>{lang.login_provider()}</p>
        <p><a class="button go" href=href rel="external">{lang.login_start()}</a></p>
    }
}

fn token(lang: Lang, to: String) -> impl IntoView {
    view! {
        <p>{lang.login_kubernetes()}</p>
        <p><code class="command">{lang.login_command()}</code></p>
        <form class="token" method="post" action="/login/token">
            <input type="hidden" name="to" value=to/>
            <label for="token">{lang.login_token_label()}</label>
            <input
                id="token"
                class="field"
                type="password"
                name="token"
                required
                maxlength="16384"
                autocomplete="off"
                spellcheck="false"
            />
            <button type="submit" class="button go">{lang.login_start()}</button>
        </form>
    }
}
