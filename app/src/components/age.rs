//! How long ago, ticking, with the exact time on hover and focus.

use crate::{format, lang::Lang, live::Live};
use leptos::prelude::*;
use naru_view::Millis;

/// `12 s ago`, in words. A time in the future (two clocks differ) counts as now.
pub(crate) fn ago(lang: Lang, now: Millis, at: Millis) -> String {
    let seconds = u64::try_from((now - at).max(0) / 1000).unwrap_or(0);
    match seconds {
        0..=99 => lang.age_seconds(&seconds),
        100..=5_999 => lang.age_minutes(&(seconds / 60)),
        6_000..=172_799 => lang.age_hours(&(seconds / 3600)),
        _ => lang.age_days(seconds / 86_400),
    }
}

/// A time as its age.
pub(crate) fn age(lang: Lang, at: Millis) -> impl IntoView {
    let now = Live::here().now;
    view! { <time datetime=format::iso(at) title=format::utc(at)>{move || ago(lang, now.get(), at)}</time> }
}

/// The same where the time itself changes.
pub(crate) fn age_of(lang: Lang, at: Signal<Option<Millis>>) -> impl IntoView {
    let now = Live::here().now;
    let iso = move || at.get().map(format::iso);
    let title = move || at.get().map(format::utc);
    view! {
        <time datetime=iso title=title>
            {move || at.get().map_or_else(|| lang.age_never().to_owned(), |at| ago(lang, now.get(), at))}
        </time>
    }
}

#[cfg(test)]
mod tests {
    use super::{Lang, ago};

    #[test]
    fn ages_grow_through_their_units() {
        for (seconds, text) in [
            (-5, "0 s ago"),
            (0, "0 s ago"),
            (99, "99 s ago"),
            (100, "1 min ago"),
            (5_999, "99 min ago"),
            (6_000, "1 h ago"),
            (172_799, "47 h ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(Lang::En, seconds * 1000, 0), text);
        }
        assert_eq!(ago(Lang::Ko, 180_000, 0), "3분 전");
    }
}
