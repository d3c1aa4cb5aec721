//! What is passed over: the item itself, or one finding; by whom, why, until when, and whether it still holds.

use super::{
    super::checklist::mark::{mark, person},
    Asking,
    deed::Ask,
};
use crate::{format, lang::Lang};
use leptos::prelude::*;
use naru_view::{
    checklist::ItemPage,
    ledger::{Pass, Revocable},
};

/// The times that the item was passed over, the latest first.
pub(super) fn waivers(lang: Lang, it: &ItemPage, asking: Asking) -> AnyView {
    let rows = it.waivers.iter().map(|it| {
        let state = if it.holds {
            mark("pill idle", "◌", lang.sign_holds_until(&format::day(it.until)))
        } else {
            mark("pill idle", "–", lang.sign_ended(&format::day(it.until)))
        };
        let back = asking.map(|it| it.deed).filter(|_| it.holds).map(|ask| {
            let what = Revocable::Waiver;
            let name = it.name.clone();
            button(
                lang.sign_take_back(),
                lang.sign_unwaive_of(&it.name),
                ask,
                Ask::Revoke { what, name },
            )
        });
        view! { <li class="finding">{state}{said(lang, it)}{back}</li> }
    });
    let section = (!it.waivers.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="waivers">
                <header><h2 id="waivers">{lang.sign_waivers()}</h2></header>
                <ul class="findings">{rows.collect_view()}</ul>
            </section>
        }
    });
    section.into_any()
}

/// That a finding is accepted, or was.
pub(super) fn accepted(lang: Lang, it: &Pass) -> impl IntoView + use<> {
    let day = format::day(it.until);
    let state = if it.holds {
        mark("pill idle", "◌", lang.sign_accepted_until(&day))
    } else {
        mark("pill warn", "▲", lang.sign_accepted_ended(&day))
    };
    view! { <div class="accepted">{state}{said(lang, it)}</div> }
}

fn said(lang: Lang, it: &Pass) -> impl IntoView + use<> {
    view! {
        <dl class="pairs said">
            <div><dt>{lang.sign_reason()}</dt><dd>{it.reason.clone()}</dd></div>
            <div><dt>{lang.sign_owner_of()}</dt><dd>{it.owner.clone()}</dd></div>
            <div><dt>{lang.sign_decided_by()}</dt><dd>{person(&it.by)}</dd></div>
            <div><dt>{lang.sign_object()}</dt><dd><code>{it.name.to_string()}</code></dd></div>
        </dl>
    }
}

/// A verb that opens the sheet. `label` says what it acts upon, for whoever does not see what it stands beside; it holds the verb itself.
pub(super) fn button(
    verb: &'static str,
    label: String,
    ask: RwSignal<Option<Ask>>,
    wish: Ask,
) -> impl IntoView {
    view! {
        <button type="button" class="button little act scripted" aria-label=label on:click=move |_| ask.set(Some(wish.clone()))>
            {verb}
        </button>
    }
}
