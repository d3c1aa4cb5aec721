//! What a part shows when it has nothing to show: loading, empty, failed.

use crate::{AppError, context::lang, say};
use leptos::prelude::*;

/// The shape of a page that is on its way.
pub(crate) fn skeleton() -> impl IntoView {
    let lang = lang();
    view! {
        <div class="skeleton" role="status">
            <p class="visually-hidden">{lang.state_loading()}</p>
            <div class="bone title"></div>
            <div class="bone card"></div>
            <div class="bone card"></div>
        </div>
    }
}

/// Why there is nothing, and what to do.
pub(crate) fn empty(text: impl Into<String>) -> impl IntoView {
    let text: String = text.into();
    view! { <p class="empty">{text}</p> }
}

/// What went wrong, with another try.
pub(crate) fn failed(error: &AppError, again: impl Fn() + 'static) -> impl IntoView {
    let lang = lang();
    view! {
        <div class="page">
            <h1 tabindex="-1">{lang.error_title()}</h1>
            <p class="notice bad" role="alert">{say::app_error(lang, error)}</p>
            <p><button type="button" class="button" on:click=move |_| again()>{lang.error_retry()}</button></p>
        </div>
    }
}
