//! The journal: who changed what, why, how it ended; each with its way back.

use crate::{
    components::{
        age::age,
        icon::{Icon, icon},
        page::Heading,
        plan_sheet::{Ask, diff, plan_sheet},
        sign::{Sign, pill},
        states::empty,
    },
    context::{frame, lang},
    format,
    lang::Lang,
    live, say,
};
use leptos::prelude::*;
use naru_view::change::{Change, Changes, Phase};
use std::sync::Arc;

/// The page.
pub(crate) fn changes() -> impl IntoView {
    live::part::<Changes>(draw)
}

fn draw(data: RwSignal<Arc<Changes>>) -> AnyView {
    let lang = lang();
    let ask = RwSignal::new(None);
    let answer = Memo::new(move |_| {
        data.with(|it| {
            let open = it
                .changes
                .iter()
                .filter(|it| matches!(it.phase, Phase::Intended | Phase::Stopped { .. }))
                .count();
            match (open, it.changes.len()) {
                (_, 0) => lang.changes_empty_answer().to_owned(),
                (0, n) => lang.changes_answer(n as u64),
                (open, _) => lang.changes_answer_open(open as u64),
            }
        })
    });
    let keys =
        Memo::new(move |_| data.with(|it| it.changes.iter().map(|it| it.name.clone()).collect::<Vec<_>>()));
    let row = move |name: naru_view::Name| {
        let change =
            Memo::new(move |_| data.with(|it| it.changes.iter().find(|it| it.name == name).cloned()));
        view! { <li class="card change">{move || change.get().map(|change| entry(lang, &change, ask))}</li> }
    };
    let none = Memo::new(move |_| keys.with(Vec::is_empty));
    view! {
        <div class="page">
            <div class="lead"><Heading title=lang.app_title(&lang.changes_title()) answer/></div>
            <Show when=move || !none.get() fallback=move || view! { <section class="card">{empty(lang.changes_empty())}</section> }>
                <ol class="journal"><For each=move || keys.get() key=Clone::clone children=row/></ol>
            </Show>
            {plan_sheet(ask)}
        </div>
    }
    .into_any()
}

fn phase(lang: Lang, change: &Change) -> (Sign, &'static str, Option<String>) {
    if let Some(by) = &change.undone_by {
        return (
            Sign::Idle,
            lang.changes_undone(),
            Some(lang.changes_undone_by(by)),
        );
    }
    match &change.phase {
        Phase::Intended => (
            Sign::Unknown,
            lang.changes_intended(),
            Some(lang.changes_intended_text().into()),
        ),
        Phase::Landed { at } => (
            Sign::Good,
            lang.changes_landed(),
            Some(lang.changes_at(&format::clock(*at))),
        ),
        Phase::NotCarriedOut { why } => (
            Sign::Idle,
            lang.changes_not_carried_out(),
            Some(say::why(lang, why)),
        ),
        Phase::Stopped { why } => (
            Sign::Bad,
            lang.changes_stopped(),
            Some(format!("{} {}", lang.changes_stopped_text(), say::why(lang, why))),
        ),
    }
}

fn entry(lang: Lang, change: &Change, ask: RwSignal<Option<Ask>>) -> impl IntoView + use<> {
    let (sign, word, detail) = phase(lang, change);
    let (kind, namespace, name) = &change.target;
    let undoable = matches!(change.phase, Phase::Landed { .. }) && change.undone_by.is_none();
    let wish = Ask::Undo {
        namespace: namespace.clone(),
        change: change.name.clone(),
    };
    let read_only = frame().read_only.is_some();
    let label = lang.changes_undo_of(&change.name);
    let undo = undoable.then(|| {
        view! {
            <button
                type="button"
                class="button little end scripted"
                aria-label=label
                disabled=read_only
                title=read_only.then(|| lang.plan_read_only())
                on:click=move |_| ask.set(Some(wish.clone()))
            >
                {icon(Icon::Undo)}{lang.changes_undo()}
            </button>
        }
    });
    let undoes = change
        .undoes
        .as_ref()
        .map(|name| view! { <p class="quiet">{lang.changes_undoes(name)}</p> });
    view! {
        <header>
            {pill(sign, word)}
            <h2>{lang.plan_target(kind, name, namespace)}</h2>
            {undo}
        </header>
        <div class="body">
            <p class="reason">{change.reason.to_string()}</p>
            <p class="quiet">
                {change.by.to_string()}" · "{age(lang, change.at)}" · "{format::utc(change.at)}" · "<code>{change.name.to_string()}</code>
            </p>
            {undoes}
            {detail.map(|text| view! { <p>{text}</p> })}
            {diff(lang, &change.diff)}
        </div>
    }
}
