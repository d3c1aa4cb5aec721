//! The HTML document around the application.

use crate::{App, context::preferences};
use leptos::{nonce::use_nonce, prelude::*, tachys::html::InertElement};
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

/// What the server brings to each document.
#[derive(Clone, Debug, Default)]
pub struct ShellProps {
    /// The inner HTML of the `<head>` of the index.html that trunk built, with its nonce placeholder already replaced by
    /// [`use_nonce`]'s value.
    pub head: String,
}

/// Hands over to the WebAssembly once trunk's loader has started it.
const HYDRATE: &str = "addEventListener('TrunkApplicationStarted',()=>window.wasmBindings.hydrate())";

/// One document: language and colours are known before the first byte, so nothing flickers; every inline script carries the nonce.
pub fn shell(props: ShellProps) -> impl IntoView {
    let chosen = preferences();
    if let Some(response) = use_context::<ResponseOptions>() {
        for cookie in chosen.cookies() {
            if let Ok(value) = http::HeaderValue::from_str(&cookie) {
                response.append_header(http::header::SET_COOKIE, value);
            }
        }
    }
    view! {
        <!DOCTYPE html>
        <html lang=chosen.lang.tag() data-theme=chosen.theme.tag()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <script nonce=use_nonce()>{HYDRATE}</script>
                {InertElement::new(props.head)}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
