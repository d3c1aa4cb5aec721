//! One phase: whether the next may begin, and its items, a line each.

use super::mark;
use crate::{
    components::{age::age, sign::pill},
    lang::Lang,
    routes,
};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::{
    checklist::{Checklist, ItemRow},
    ledger::SignatureState,
};

pub(super) fn section(lang: Lang, data: Signal<Checklist>, phase: u8) -> impl IntoView {
    let rows = Memo::new(move |_| {
        data.with(|it| {
            it.items
                .iter()
                .filter(|it| it.phase == phase)
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let gate = Memo::new(move |_| data.with(|it| Gate::of(it, phase)));
    let id = format!("phase-{phase}");
    let of = id.clone();
    view! {
        <section class="card" aria-labelledby=of>
            <header>
                <h2 id=id>{lang.checklist_phase(&phase, &phase_name(lang, phase))}</h2>
                {move || gate.with(|it| it.begins(lang, phase))}
            </header>
            {move || gate.with(|it| it.holdups(lang, phase))}
            <ol class="items">
                <For each=move || rows.get() key=|it| it.id.clone() children=move |it| {
                    let id = it.id.clone();
                    let now = Memo::new(move |_| rows.with(|rows| rows.iter().find(|row| row.id == id).cloned()));
                    view! { <li>{move || now.get().map(|it| item(lang, &it))}</li> }
                }/>
            </ol>
        </section>
    }
}

fn phase_name(lang: Lang, phase: u8) -> &'static str {
    match phase {
        1 => lang.phase_one(),
        2 => lang.phase_two(),
        3 => lang.phase_three(),
        _ => lang.phase_four(),
    }
}

/// What stands between a phase and the next.
#[derive(Clone, Debug, PartialEq)]
enum Gate {
    /// Nothing was judged yet.
    Unknown,
    Open,
    /// So many items of earlier phases, and these of this one.
    Closed(usize, Vec<String>),
}

impl Gate {
    fn of(it: &Checklist, phase: u8) -> Self {
        let before = |phase: u8| it.holdups.get(usize::from(phase).wrapping_sub(1));
        let Some(all) = before(phase).filter(|_| it.judged.is_some()) else {
            return Self::Unknown;
        };
        // What is open in an earlier phase holds up all later ones, and comes first.
        let earlier = before(phase - 1).map_or(0, Vec::len);
        match all.get(earlier..) {
            _ if all.is_empty() => Self::Open,
            Some(own) => Self::Closed(earlier, own.to_vec()),
            None => Self::Closed(0, all.clone()),
        }
    }

    fn begins(&self, lang: Lang, phase: u8) -> Option<AnyView> {
        (*self == Self::Open).then(|| {
            let text = if phase == 4 {
                lang.sign_over().to_owned()
            } else {
                lang.checklist_open(&(phase + 1))
            };
            view! { <p class="end gate">{mark::mark("pill ok", "✓", text)}</p> }.into_any()
        })
    }

    fn holdups(&self, lang: Lang, phase: u8) -> Option<AnyView> {
        let Self::Closed(earlier, own) = self else {
            return None;
        };
        let title = if phase == 4 {
            lang.sign_not_over().to_owned()
        } else {
            lang.sign_may_not_begin(&(phase + 1))
        };
        let id = format!("holdups-{phase}");
        let of = id.clone();
        let earlier = (*earlier > 0).then(|| view! { <li>{lang.sign_earlier(*earlier as u64)}</li> });
        let own = own
            .iter()
            .map(|it| view! { <li>{it.clone()}</li> })
            .collect_view();
        Some(
            view! {
                <div class="holdups">
                    <p id=id>{title}</p>
                    <ul aria-labelledby=of>{earlier}{own}</ul>
                </div>
            }
            .into_any(),
        )
    }
}

fn item(lang: Lang, it: &ItemRow) -> impl IntoView + use<> {
    let (sign, word) = mark::verdict(lang, it.verdict);
    let counts = [
        (it.errors > 0).then(|| lang.checklist_errors(u64::from(it.errors))),
        (it.warnings > 0).then(|| lang.checklist_warnings(u64::from(it.warnings))),
        (it.unknown > 0).then(|| lang.checklist_unknowns(&it.unknown)),
        (it.accepted > 0).then(|| lang.sign_findings_accepted(u64::from(it.accepted))),
    ];
    let counts = counts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let href = routes::item(&it.id);
    let class = match it.signature {
        SignatureState::Reopened | SignatureState::Untrusted => "item alarm",
        _ => "item",
    };
    let (title, first) = (it.title.clone(), it.first.clone());
    // The name of a team's own item is longer than the column of numbers is wide: it stands under the title.
    let (number, name) = match it.id.split_once('.') {
        Some((phase, name)) if !name.starts_with(|it: char| it.is_ascii_digit()) => {
            (format!("{phase}."), Some(it.id.to_string()))
        }
        _ => (it.id.to_string(), None),
    };
    let name = name.map(|it| view! { <span class="name quiet">{it}</span> });
    let signed = signed(lang, it);
    view! {
        <A href attr:class=class>
            <span class="id num">{number}</span>
            <span class="title">{title}{name}</span>
            {pill(sign, word)}
            {signed}
            <span class="why">{first}<span class="counts quiet">{counts}</span></span>
        </A>
    }
}

/// What became of the signature, whose it is, how old; that the item is passed over.
fn signed(lang: Lang, it: &ItemRow) -> impl IntoView + use<> {
    let who = (!it.signed_by.is_empty()).then(|| {
        let at = it.signed_at.map(|at| view! { " · "{age(lang, at)} });
        view! { <span class="who quiet"><bdi>{it.signed_by.to_string()}</bdi>{at}</span> }
    });
    let waived = it.waived_until.map(|until| mark::waived(lang, until));
    // Passed over and never signed: one mark says it.
    let state = (it.signature != SignatureState::None || waived.is_none())
        .then(|| mark::signature(lang, it.signature));
    view! { <span class="signed">{state}{who}{waived}</span> }
}
