//! Reasons, listed.

use crate::{lang::Lang, say};
use leptos::prelude::*;
use naru_view::why::Why;

/// Nothing if there are none.
pub(crate) fn whys(lang: Lang, reasons: &[Why]) -> impl IntoView + use<> {
    let items: Vec<String> = reasons.iter().map(|why| say::why(lang, why)).collect();
    (!items.is_empty()).then(move || {
        let items = items
            .into_iter()
            .map(|text| view! { <li>{text}</li> })
            .collect_view();
        view! { <ul class="whys">{items}</ul> }
    })
}
