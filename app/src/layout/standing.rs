//! What stands in the way of this viewer: writes that are not possible now, and what they may not see.

use crate::{
    context::{Sight, frame},
    say,
};
use leptos::prelude::*;
use naru_view::session::ReadOnly;

/// Nothing, or one notice for each. That the server may only read is said in the top bar.
pub(super) fn notices() -> impl IntoView {
    let frame = frame();
    let lang = frame.lang;
    let read_only = frame.read_only.filter(|why| *why != ReadOnly::Server);
    let sight = match &frame.sight {
        Sight::Sees => None,
        Sight::Nothing => Some(lang.session_sees_nothing().to_owned()),
        Sight::Unknown(why) => Some(lang.session_sight_unknown(&say::why(lang, why))),
    };
    let told = [read_only.map(|why| say::read_only(lang, why).to_owned()), sight];
    told.into_iter()
        .flatten()
        .map(|text| view! { <p class="notice warn standing" role="status">{text}</p> })
        .collect_view()
}
