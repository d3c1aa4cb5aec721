//! What is typed: a statement, a reason, who sees to it and how long.

use super::{Sheet, ask::Wants};
use crate::{format, live::Live};
use leptos::prelude::*;
use naru_view::ledger::{DAYS, OWNER};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

pub(super) fn fields(sheet: Sheet, wants: Wants) -> AnyView {
    let lang = sheet.lang;
    match wants {
        Wants::Nothing => ().into_any(),
        Wants::Statement => text(sheet, wants, lang.sign_statement(), lang.sign_statement_hint()).into_any(),
        Wants::Reason => text(sheet, wants, lang.sign_reason(), lang.plan_reason_hint()).into_any(),
        Wants::Terms => {
            let reason = text(sheet, wants, lang.sign_reason(), lang.plan_reason_hint());
            view! { {reason}{terms(sheet)} }.into_any()
        }
    }
}

/// What is missing yet.
pub(super) fn needed(sheet: Sheet, wants: Wants) -> &'static str {
    match wants {
        Wants::Nothing => "",
        Wants::Statement => sheet.lang.sign_statement_needed(),
        Wants::Reason => sheet.lang.plan_reason_needed(),
        Wants::Terms => sheet.lang.sign_terms_needed(),
    }
}

fn text(sheet: Sheet, wants: Wants, label: &'static str, hint: &'static str) -> impl IntoView {
    view! {
        <label class="asked-for">
            <span>{label}</span>
            <textarea
                class="field"
                name="text"
                rows="3"
                required
                maxlength=wants.limit()
                placeholder=hint
                prop:value=sheet.text
                on:input=move |event| sheet.text.set(event_target_value(&event))
            ></textarea>
        </label>
    }
}

fn terms(sheet: Sheet) -> impl IntoView {
    let lang = sheet.lang;
    let now = Live::here().now;
    let ends = move || {
        let days = sheet.days()?;
        Some(lang.sign_ends(&format::day(now.get() + i64::from(days) * DAY)))
    };
    view! {
        <label class="asked-for">
            <span>{lang.sign_owner_of()}</span>
            <input
                class="field"
                name="owner"
                autocomplete="off"
                required
                maxlength=OWNER
                prop:value=sheet.owner
                on:input=move |event| sheet.owner.set(event_target_value(&event))
            />
        </label>
        <div class="asked-for days">
            <label>
                <span>{lang.sign_days()}</span>
                <input
                    class="field"
                    type="number"
                    name="days"
                    inputmode="numeric"
                    required
                    min="1"
                    max=DAYS
                    prop:value=sheet.days
                    on:input=move |event| sheet.days.set(event_target_value(&event))
                />
            </label>
            <p>{ends}</p>
        </div>
    }
}
