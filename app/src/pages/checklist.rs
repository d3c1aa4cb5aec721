//! How far the crossing is: phases, items, verdicts, what keeps the next phase closed.

use crate::{
    AppError,
    components::{
        age::age,
        page::Heading,
        sign::{Sign, pill},
    },
    context::lang,
    lang::Lang,
    live::{self, Told},
    routes, serverfns,
};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::{
    checklist::{Checklist, ItemRow, Verdict},
    source::SourceState,
};

impl Told for Checklist {
    fn sources(&self) -> &[SourceState] {
        &self.sources
    }
}

/// The page.
pub(crate) fn checklist() -> impl IntoView {
    live::told(lang, ask, draw)
}

async fn ask(lang: Lang) -> Result<Checklist, AppError> {
    serverfns::read_checklist(lang).await
}

fn draw(data: Signal<Checklist>) -> AnyView {
    let lang = lang();
    let answer = Memo::new(move |_| data.with(|it| said(lang, it)));
    let judged = move || {
        data.with(|it| it.judged)
            .map(|at| view! { <p class="quiet">{lang.checklist_judged()}" "{age(lang, at)}</p> })
    };
    let phases = (1..=4_u8).map(|phase| section(lang, data, phase)).collect_view();
    view! {
        <div class="page">
            <div class="lead">
                <Heading title=lang.app_title(&lang.nav_checklist()) answer/>
                {judged}
            </div>
            {phases}
        </div>
    }
    .into_any()
}

/// The answer first: the earliest phase that is not done, and how many items are met.
fn said(lang: Lang, it: &Checklist) -> String {
    if it.judged.is_none() {
        return lang.checklist_not_yet().into();
    }
    let met = it.items.iter().filter(|it| it.verdict == Verdict::Met).count();
    let open = it.items.iter().find(|it| it.verdict != Verdict::Met);
    match open {
        Some(open) => lang.checklist_answer(&it.items.len(), &met, &open.phase),
        None => lang.checklist_all_met(&it.items.len()),
    }
}

/// The sign and word of a verdict.
pub(super) fn verdict(lang: Lang, verdict: Verdict) -> (Sign, &'static str) {
    match verdict {
        Verdict::Met => (Sign::Good, lang.verdict_met()),
        Verdict::NotMet => (Sign::Bad, lang.verdict_not_met()),
        Verdict::Unknown => (Sign::Unknown, lang.verdict_unknown()),
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

fn section(lang: Lang, data: Signal<Checklist>, phase: u8) -> impl IntoView {
    let rows = Memo::new(move |_| {
        data.with(|it| {
            it.items
                .iter()
                .filter(|it| it.phase == phase)
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let blocked = Memo::new(move |_| rows.with(|rows| blocking(lang, phase, rows)));
    let id = format!("phase-{phase}");
    let of = id.clone();
    view! {
        <section class="card" aria-labelledby=of>
            <header>
                <h2 id=id>{lang.checklist_phase(&phase, &phase_name(lang, phase))}</h2>
                <p class="end quiet">{move || blocked.get()}</p>
            </header>
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

/// What keeps the next phase closed, by name.
fn blocking(lang: Lang, phase: u8, rows: &[ItemRow]) -> String {
    let open = |verdict| {
        let rows = rows.iter().filter(move |it| it.verdict == verdict);
        rows.map(|it| it.id.to_string()).collect::<Vec<_>>().join(", ")
    };
    let (wrong, unknown) = (open(Verdict::NotMet), open(Verdict::Unknown));
    match (wrong.is_empty(), unknown.is_empty()) {
        (true, true) if phase == 4 => lang.checklist_done().into(),
        (true, true) => lang.checklist_open(&(phase + 1)),
        (false, true) => lang.checklist_not_met(&wrong),
        (true, false) => lang.checklist_unknown(&unknown),
        (false, false) => lang.checklist_both(&unknown, &wrong),
    }
}

fn item(lang: Lang, it: &ItemRow) -> impl IntoView + use<> {
    let (sign, word) = verdict(lang, it.verdict);
    let counts = [
        (it.errors > 0).then(|| lang.checklist_errors(u64::from(it.errors))),
        (it.warnings > 0).then(|| lang.checklist_warnings(u64::from(it.warnings))),
        (it.unknown > 0).then(|| lang.checklist_unknowns(&it.unknown)),
    ];
    let counts = counts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let href = routes::item(&it.id);
    let (id, title, first) = (it.id.to_string(), it.title.clone(), it.first.clone());
    view! {
        <A href attr:class="item">
            <span class="id num">{id}</span>
            <span class="title">{title}</span>
            {pill(sign, word)}
            <span class="why">{first}</span>
            <span class="counts quiet">{counts}</span>
        </A>
    }
}
