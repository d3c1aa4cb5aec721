//! One item: when it counts as met, who has signed it, what is wrong and where, what was seen, what is not known, what happened to it.

mod deed;
mod facts;
mod findings;
mod history;
mod pass;
mod signature;

use super::checklist::mark;
use crate::{
    AppError,
    components::{age::age, page::Heading, plan_sheet, sign::pill},
    context::{frame, lang},
    lang::Lang,
    live::{self, Told},
    routes, serverfns,
};
use deed::Ask;
pub(in crate::pages) use findings::finding;
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_params_map};
use naru_view::{checklist::ItemPage, ledger::SignatureState, source::SourceState};

impl Told for ItemPage {
    fn sources(&self) -> &[SourceState] {
        &self.sources
    }
}

/// The page.
pub(crate) fn checklist_item() -> impl IntoView {
    let params = use_params_map();
    let item = move || (lang(), params.with(|it| it.get("item").unwrap_or_default()));
    live::told(item, ask, draw)
}

async fn ask((lang, item): (Lang, String)) -> Result<ItemPage, AppError> {
    serverfns::read_item(lang, item).await
}

/// Where a page asks for a sheet.
#[derive(Clone, Copy)]
struct Sheets {
    /// To put a name to something.
    deed: RwSignal<Option<Ask>>,
    /// To change an object.
    plan: RwSignal<Option<plan_sheet::Ask>>,
}

/// Nowhere, where nothing may be written.
type Asking = Option<Sheets>;

fn draw(data: Signal<ItemPage>) -> AnyView {
    let lang = lang();
    let sheets = Sheets {
        deed: RwSignal::new(None),
        plan: RwSignal::new(None),
    };
    let asking: Asking = frame().read_only.is_none().then_some(sheets);
    let title = data.with_untracked(|it| lang.app_title(&format!("{} {}", it.row.id, it.row.title)));
    let answer = Memo::new(move |_| {
        data.with(|it| {
            lang.checklist_item_answer(&it.row.id, &it.row.title, &mark::verdict(lang, it.row.verdict).1)
        })
    });
    // Judged anew every few seconds: what reads as before is left alone, with whatever somebody has selected or opened in it.
    let still = Memo::new(move |_| data.with(timeless));
    let part =
        move |draw: fn(Lang, &ItemPage, Asking) -> AnyView| move || still.with(|it| draw(lang, it, asking));
    let around = move || data.with(|it| self::around(lang, it));
    let hidden = Memo::new(move |_| data.with(|it| it.hidden));
    let hidden = move || {
        let hidden = hidden.get();
        (hidden > 0).then(|| view! { <p class="notice">{lang.checklist_hidden(u64::from(hidden))}</p> })
    };
    view! {
        <div class="page">
            <div class="lead"><Heading title answer/>{move || data.with(|it| lead(lang, it))}</div>
            {around}
            <section class="card">
                <header><h2>{lang.checklist_condition_title()}</h2></header>
                <p class="body">{move || data.with(|it| it.condition.clone())}</p>
            </section>
            {part(signature::signature)}
            {part(pass::waivers)}
            {hidden}
            {part(findings::findings)}
            {part(findings::unknown)}
            {part(facts::facts)}
            {part(history::history)}
            {deed::sheet(sheets.deed)}
            {plan_sheet::plan_sheet(sheets.plan)}
        </div>
    }
    .into_any()
}

/// The page without when it was judged and how old its sources are.
fn timeless(it: &ItemPage) -> ItemPage {
    ItemPage {
        sources: Vec::new(),
        judged: it.judged.map(|_| 0),
        ..it.clone()
    }
}

fn lead(lang: Lang, it: &ItemPage) -> impl IntoView + use<> {
    let (sign, word) = mark::verdict(lang, it.row.verdict);
    let state = it.row.signature;
    let waived = it.row.waived_until.map(|until| mark::waived(lang, until));
    let signed = (state != SignatureState::None || waived.is_none()).then(|| mark::signature(lang, state));
    let judged = it
        .judged
        .map(|at| view! { <span class="quiet">{lang.checklist_judged()}" "{age(lang, at)}</span> });
    view! { <p class="chips">{pill(sign, word)}{signed}{waived}{judged}</p> }
}

fn around(lang: Lang, it: &ItemPage) -> impl IntoView + use<> {
    let link = |id: &Option<naru_view::Name>, text: fn(Lang, &dyn std::fmt::Display) -> String| {
        id.as_ref().map(|id| {
            let (href, text) = (routes::item(id), text(lang, id));
            view! { <A href attr:class="chip">{text}</A> }
        })
    };
    view! {
        <nav class="chips" aria-label=lang.checklist_around()>
            <A href="/checklist" attr:class="chip">{lang.checklist_all()}</A>
            {link(&it.neighbours.0, |lang, id| lang.checklist_before(id))}
            {link(&it.neighbours.1, |lang, id| lang.checklist_after(id))}
        </nav>
    }
}
