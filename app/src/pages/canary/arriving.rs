//! What arrives at a destination's pods now, whatever rule led it there.

use crate::{format, lang::Lang};
use leptos::prelude::*;
use naru_view::canary::Arriving;

/// A proxy's own tries are told from this on: below it rounding and the ends of windows would be.
const MORE: f64 = 0.02;

/// Requests per second, and for each ready pod.
pub(super) fn rate(lang: Lang, it: &Arriving, ready: Option<u32>) -> String {
    let all = lang.canary_per_second(&format::number(it.requests));
    match ready.filter(|ready| *ready > 1 && it.requests > 0.0) {
        Some(ready) => {
            let each = format::number(it.requests / f64::from(ready));
            format!(" · {all} · {}", lang.canary_each_pod(&each))
        }
        None => format!(" · {all}"),
    }
}

/// That requests are tried more than once, which whoever asks does not see.
pub(super) fn attempts(lang: Lang, it: &Arriving) -> Option<impl IntoView + use<>> {
    let each = it.tries?;
    (each > 1.0 + MORE).then(|| {
        let each = format::number((each * 100.0).round() / 100.0);
        view! { <p class="text-warn">{lang.canary_attempts(&each)}</p> }
    })
}

/// That others come round the weights.
pub(super) fn around(lang: Lang, it: &Arriving) -> Option<impl IntoView + use<>> {
    (it.around > 0.0)
        .then(|| view! { <p class="text-warn">{lang.canary_around(&format::number(it.around))}</p> })
}
