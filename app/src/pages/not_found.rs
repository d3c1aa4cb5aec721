//! What is not there, said with status 404.

use crate::{components::page::Heading, context::lang};
use leptos::prelude::*;
use leptos_router::components::A;

/// No page at this address.
pub(crate) fn not_found() -> impl IntoView {
    let lang = lang();
    missing(
        lang.missing_title().into(),
        lang.missing_text().into(),
        "/",
        lang.missing_back(),
    )
}

/// A page whose object is not there; `back` leads on.
pub(crate) fn missing(
    answer: String,
    text: String,
    back: &'static str,
    label: &'static str,
) -> impl IntoView {
    let lang = lang();
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <div class="page">
            <Heading title=lang.app_title(&lang.missing_title()) answer=answer/>
            <p>{text}</p>
            <p><A href=back>{label}</A></p>
        </div>
    }
}
