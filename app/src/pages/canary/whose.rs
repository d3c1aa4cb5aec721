//! Who else writes a rule, what is wrong with it, and what was handed over.

use crate::{
    components::{
        plan_sheet::{Ask, Handed},
        split::names,
    },
    lang::Lang,
    say,
};
use leptos::prelude::*;
use naru_view::canary::{Canary, SetWeights};

/// What keeps the weights from being set, or from doing what they say.
pub(super) fn stands_in_the_way(lang: Lang, canary: &Canary) -> impl IntoView + use<> {
    let owner = canary
        .owner
        .as_ref()
        .map(|owner| view! { <p class="notice inset">{say::owner(lang, owner)}</p> });
    let items = canary
        .findings
        .iter()
        .map(|finding| view! { <li>{say::refused(lang, finding)}</li> })
        .collect_view();
    let findings = (!items.is_empty()).then(
        || view! { <div class="notice warn inset"><h3>{lang.canary_findings()}</h3><ul>{items}</ul></div> },
    );
    view! { {owner}{findings} }
}

/// Weights that wait for a second person, each with the way to its plan.
pub(super) fn proposals(lang: Lang, canary: Memo<Canary>, ask: RwSignal<Option<Ask>>) -> impl IntoView {
    let all = Memo::new(move |_| canary.with(|it| it.proposals.clone()));
    move || {
        let each = all.get().into_iter().map(|(first, wish)| {
            let named = wish.weights.iter().map(|it| {
                let name = if it.subset.is_empty() {
                    &it.host
                } else {
                    &it.subset
                };
                format!("{name} {} %", it.weight)
            });
            let weights = named.collect::<Vec<_>>().join(", ");
            let told = say::proposed(lang, &first);
            let open = move |_| ask.set(Some(Ask::Weights(wish.clone())));
            view! {
                <div class="notice inset">
                    <p><strong>{weights}</strong>" · "{told}</p>
                    <button type="button" class="button scripted" on:click=open>{lang.quorum_see()}</button>
                </div>
            }
        });
        each.collect_view()
    }
}

/// What was handed over to whoever writes the object, and whether it is there yet.
pub(super) fn handed(lang: Lang, canary: Memo<Canary>) -> impl IntoView {
    let Handed(all) = expect_context();
    let wanted = Memo::new(move |_| {
        let route = canary.with(|it| it.route.clone());
        let mine = |it: &SetWeights| it.route == route;
        all.with(|it| it.iter().rev().find(|it| mine(it)).cloned())
    });
    let split = |parts: &mut dyn Iterator<Item = (String, u32)>| {
        let each = parts.map(|(name, weight)| format!("{name} {weight} %"));
        each.collect::<Vec<_>>().join(", ")
    };
    move || {
        let wanted = wanted.get()?;
        let weights: Vec<u32> = wanted.weights.iter().map(|it| it.weight).collect();
        let (names, now) = canary.with(|it| (names(it), it.points()));
        let told = split(&mut names.iter().cloned().zip(weights.iter().copied()));
        let there = now == weights;
        let text = if there {
            lang.canary_handed_there(&told)
        } else {
            lang.canary_handed(&split(&mut names.into_iter().zip(now)), &told)
        };
        let forget = move |_| all.update(|it| it.retain(|it| it.route != wanted.route));
        let class = if there { "notice ok inset" } else { "notice inset" };
        Some(view! {
            <div class=class role="status">
                <p>{text}</p>
                <button type="button" class="button" on:click=forget>{lang.canary_handed_forget()}</button>
            </div>
        })
    }
}
