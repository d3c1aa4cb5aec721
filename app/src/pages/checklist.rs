//! How far the crossing is: phases, items, verdicts, signatures, what keeps the next phase closed.

mod ledger;
pub(super) mod mark;
mod phase;

use crate::{
    AppError,
    components::{age::age, page::Heading},
    context::lang,
    lang::Lang,
    live::{self, Told},
    serverfns,
};
use leptos::prelude::*;
use naru_view::{
    checklist::{Checklist, ItemRow, Verdict},
    ledger::SignatureState,
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
        data.with(|it| it.judged).map(|at| {
            view! { <p class="quiet">{lang.sign_done_means()}" "{lang.checklist_judged()}" "{age(lang, at)}</p> }
        })
    };
    let ledger = Memo::new(move |_| data.with(|it| it.ledger.clone()));
    let alarms = move || ledger.with(|it| ledger::alarms(lang, it));
    let kept = move || ledger.with(|it| ledger::ledger(lang, it));
    let phases = (1..=4_u8)
        .map(|phase| phase::section(lang, data, phase))
        .collect_view();
    view! {
        <div class="page">
            <div class="lead">
                <Heading title=lang.app_title(&lang.nav_checklist()) answer/>
                {judged}
            </div>
            {alarms}
            {phases}
            {kept}
        </div>
    }
    .into_any()
}

/// The answer first: the phase under way, how many items are done, how many are met, how many are open again.
fn said(lang: Lang, it: &Checklist) -> String {
    if it.judged.is_none() {
        return lang.checklist_not_yet().into();
    }
    let count = |which: fn(&ItemRow) -> bool| it.items.iter().filter(|it| which(it)).count();
    let all = it.items.len();
    let done = count(|it| it.done);
    let met = count(|it| it.verdict == Verdict::Met);
    let again = count(|it| it.signature == SignatureState::Reopened);
    match it.items.iter().find(|it| !it.done) {
        Some(open) if again > 0 => lang.sign_answer_open_again(&all, &done, &met, &again, &open.phase),
        Some(open) => lang.sign_answer(&all, &done, &met, &open.phase),
        None => lang.sign_answer_all(&all, &met),
    }
}
