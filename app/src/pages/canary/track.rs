//! The marks behind a slider: solid where it is set, a ghost with its width where it is observed, filled to the draft.

use crate::lang::Lang;
use leptos::prelude::*;
use naru_view::canary::Share;

/// Positions are percentages of the drawing, which is as wide as the way of the slider's thumb: no style attribute is needed.
pub(super) fn track(
    set: Memo<u32>,
    draft: impl Fn() -> u32 + Send + Sync + 'static,
    share: Memo<Option<Share>>,
) -> impl IntoView {
    let low = move || share.get().map(|it| format!("{:.2}%", it.low));
    // An interval that is thinner than a line would not be seen.
    let width = move || {
        share
            .get()
            .map(|it| format!("{:.2}%", (it.high - it.low).max(0.6)))
    };
    let shown = move || share.with(Option::is_none).then_some("none");
    view! {
        <svg class="marks" aria-hidden="true" focusable="false">
            <rect class="way" x="0" y="16" width="100%" height="4" rx="2"/>
            <rect class="fill" x="0" y="16" width=move || format!("{}%", draft()) height="4" rx="2"/>
            <rect class="ghost-tick" x=low y="5" width=width height="26" rx="1" display=shown/>
            <circle class="set" cx=move || format!("{}%", set.get()) cy="18" r="6"/>
        </svg>
    }
}

/// What the marks mean.
pub(super) fn legend(lang: Lang) -> impl IntoView {
    view! {
        <p class="legend quiet">
            <span><svg class="sample" viewBox="0 0 12 12" aria-hidden="true"><circle class="set" cx="6" cy="6" r="4"/></svg>{lang.canary_legend_set()}</span>
            <span><svg class="sample" viewBox="0 0 12 12" aria-hidden="true"><circle class="drafted" cx="6" cy="6" r="4"/></svg>{lang.canary_legend_draft()}</span>
            <span><svg class="sample" viewBox="0 0 12 12" aria-hidden="true"><rect class="ghost-tick" x="4" y="0" width="4" height="12"/></svg>{lang.canary_legend_observed()}</span>
        </p>
    }
}
