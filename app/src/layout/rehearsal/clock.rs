//! The rehearsal's time, and the hand on it.

use super::Band;
use crate::{context::lang, format, live::Live};
use leptos::prelude::*;
use naru_view::rehearsal::Action;

/// Factors of speed, with how they are written.
const PACES: [(u32, &str); 4] = [(0, "❚❚"), (1, "×1"), (10, "×10"), (60, "×60")];

/// Seconds of one step.
const STEP: u32 = 60;

pub(super) fn clock(band: Band) -> impl IntoView {
    let lang = lang();
    let now = Live::here().now;
    let pace = Memo::new(move |_| band.bar.with(|bar| bar.rehearsal.pace));
    let buttons = PACES.map(|(factor, written)| {
        let name = match factor {
            0 => lang.rehearsal_pause().to_owned(),
            _ => lang.rehearsal_speed(&factor),
        };
        view! {
            <button
                type="button"
                title=name.clone()
                aria-label=name
                aria-pressed=move || (pace.get() == factor).to_string()
                on:click=move |_| band.act(Action::Pace(factor))
            >
                {written}
            </button>
        }
    });
    view! {
        <span class="clock">
            <span class="visually-hidden">{lang.rehearsal_clock()}</span>
            <time>{move || format::clock(now.get())}</time>
        </span>
        <span class="choice" role="group" aria-label=lang.rehearsal_speeds()>{buttons.into_iter().collect_view()}</span>
        <button type="button" class="small" on:click=move |_| band.act(Action::Step(STEP))>{lang.rehearsal_step()}</button>
    }
}
