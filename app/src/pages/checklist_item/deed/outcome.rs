//! How it went.

use super::{Ask, Sheet, Stage, ready::focused};
use crate::{
    AppError,
    components::sign::{Sign, pill},
    say,
};
use leptos::{html, prelude::*};
use naru_view::{Name, why::ApplyError};

pub(super) fn done(sheet: Sheet, name: &Name) -> impl IntoView + use<> {
    let lang = sheet.lang;
    let signed = sheet
        .ask
        .with_untracked(|it| matches!(it, Some(Ask::Sign(..) | Ask::Countersign(_))));
    let text = if signed {
        lang.sign_done_sign(name)
    } else {
        lang.sign_done_other(name)
    };
    view! {
        <div class="body" role="status">
            <p>{pill(Sign::Good, lang.sign_done())}</p>
            <p>{text}</p>
        </div>
        <footer>{close(sheet)}</footer>
    }
}

pub(super) fn failed(sheet: Sheet, error: &AppError) -> impl IntoView + use<> {
    let lang = sheet.lang;
    let (sign, word) = match error {
        // It may be there: that is not "failed".
        AppError::Lost
        | AppError::Apply {
            error: ApplyError::Unsure { .. },
        } => (Sign::Unknown, lang.sign_unsure()),
        _ => (Sign::Bad, lang.sign_failed()),
    };
    view! {
        <div class="body" role="alert">
            <p>{pill(sign, word)}</p>
            <p>{say::app_error(lang, error)}</p>
        </div>
        <footer>
            <button type="button" class="button" on:click=move |_| sheet.load(Stage::Fresh)>{lang.sign_again()}</button>
            {close(sheet)}
        </footer>
    }
}

/// The way back to the page. Focus goes there, since what had it is gone.
fn close(sheet: Sheet) -> impl IntoView {
    let button = NodeRef::<html::Button>::new();
    focused(move || button.get().map(Into::into));
    view! { <button node_ref=button type="button" class="button" on:click=move |_| sheet.dialog.close()>{sheet.lang.sign_close()}</button> }
}
