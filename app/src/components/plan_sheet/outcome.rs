//! How it went, and the way back.

use super::{Ask, Sheet};
use crate::{
    AppError,
    components::{
        icon::{Icon, icon},
        in_force::in_force,
        sign::{Sign, pill},
    },
    context::lang,
    format, say,
};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::{
    canary::Applied,
    why::{ApplyError, Refused},
};

pub(super) fn done(sheet: Sheet, applied: &Applied) -> impl IntoView + use<> {
    let lang = lang();
    let undo = Ask::Undo {
        namespace: applied.namespace.clone(),
        change: applied.change.clone(),
    };
    view! {
        <div class="body" role="status">
            <p>{pill(Sign::Good, lang.plan_done())}</p>
            <p>{lang.plan_done_text(&format::clock(applied.at))}</p>
            <p class="quiet">{lang.plan_done_change(&applied.change)}</p>
        </div>
        <div class="body">{in_force(applied.namespace.clone(), applied.change.clone())}</div>
        <footer>
            <button type="button" class="button" on:click=move |_| sheet.ask.set(Some(undo.clone()))>
                {icon(Icon::Undo)}{lang.plan_undo()}
            </button>
            <A href="/changes">{lang.plan_journal()}</A>
        </footer>
    }
}

pub(super) fn failed(sheet: Sheet, error: &AppError) -> impl IntoView + use<> {
    let lang = lang();
    let (sign, word) = match error {
        // It may have landed: that is not "failed".
        AppError::Lost
        | AppError::Apply {
            error: ApplyError::Unsure { .. } | ApplyError::Lost { .. },
        } => (Sign::Unknown, lang.plan_unsure()),
        AppError::Apply {
            error: ApplyError::Refused { .. },
        } => (Sign::Bad, lang.plan_refused()),
        _ => (Sign::Bad, lang.plan_failed()),
    };
    let pointless = matches!(
        error,
        AppError::Apply {
            error: ApplyError::Refused {
                refused: Refused::NothingToDo
            }
        }
    );
    let again = move |_| {
        if let Some(ask) = sheet.ask.get_untracked() {
            sheet.plan(ask, None);
        }
    };
    view! {
        <div class="body" role="alert">
            <p>{pill(sign, word)}</p>
            <p>{say::app_error(lang, error)}</p>
        </div>
        <footer>
            {(!pointless).then(|| view! { <button type="button" class="button" on:click=again>{lang.plan_again()}</button> })}
            <A href="/changes">{lang.plan_journal()}</A>
        </footer>
    }
}
