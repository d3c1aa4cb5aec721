//! The one sheet through which people put their names to something: read what it is, say why, see that it is written.

mod ask;
mod fields;
mod outcome;
mod ready;
mod shown;

pub(super) use ask::Ask;

use crate::{AppError, components::dialog::Dialog, context::lang, lang::Lang, serverfns};
use leptos::{prelude::*, task::spawn_local};
use naru_view::{
    Name,
    ledger::{Deed, SignSheet, Signature},
    why::ApplyError,
};
use wasm_bindgen::JsCast;

/// What somebody reads before they sign: of a second person also the signature that is there.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    sheet: SignSheet,
    beside: Option<Signature>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Loading,
    /// With what is signed, if it is a signature.
    Ready(Option<Box<Shown>>, Stage),
    Done(Name),
    Failed(AppError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Fresh,
    /// What was shown before this is no longer so; nothing was written.
    Anew,
    /// On its way.
    Putting,
}

/// The state of the sheet, shared by its parts. What was typed outlives everything but another wish.
#[derive(Clone, Copy)]
struct Sheet {
    ask: RwSignal<Option<Ask>>,
    step: RwSignal<Step>,
    /// The statement, or the reason.
    text: RwSignal<String>,
    owner: RwSignal<String>,
    days: RwSignal<String>,
    dialog: Dialog<Ask>,
    lang: Lang,
}

/// How long something is passed over, unless somebody says otherwise.
const DAYS: &str = "30";

/// Opens whenever `ask` is set, and unsets it when closed.
pub(super) fn sheet(ask: RwSignal<Option<Ask>>) -> impl IntoView {
    let lang = lang();
    let sheet = Sheet {
        ask,
        step: RwSignal::new(Step::Loading),
        text: RwSignal::new(String::new()),
        owner: RwSignal::new(String::new()),
        days: RwSignal::new(DAYS.into()),
        dialog: Dialog::new(ask),
        lang,
    };
    sheet.dialog.opens(move |_| {
        sheet.text.set(String::new());
        sheet.owner.set(String::new());
        sheet.days.set(DAYS.into());
        sheet.load(Stage::Fresh);
    });
    let closed = move || {
        // What was asked for is written: the button that asked for it is about to go, and with it the place of who uses the keyboard.
        if let (Step::Done(_), Some(ask)) = (sheet.step.get_untracked(), ask.get_untracked()) {
            focus(ask.part());
        }
    };
    let title = move || ask.with(|it| it.as_ref().map(|it| it.title(lang)));
    let body = move || match sheet.step.get() {
        Step::Loading => {
            view! { <div class="body"><p role="status">{lang.sign_loading()}</p></div> }.into_any()
        }
        Step::Ready(shown, stage) => ready::ready(sheet, shown.as_deref(), stage).into_any(),
        Step::Done(name) => outcome::done(sheet, &name).into_any(),
        Step::Failed(error) => outcome::failed(sheet, &error).into_any(),
    };
    sheet.dialog.view("deed-title", title, closed, body)
}

impl Sheet {
    /// Reads what would be signed; of anything else there is nothing to read.
    fn load(self, stage: Stage) {
        let item = self.ask.with_untracked(|it| it.as_ref().and_then(Ask::item));
        let Some((item, beside)) = item else {
            self.dialog.next();
            self.step.set(Step::Ready(None, stage));
            return;
        };
        let (turn, lang) = (self.dialog.next(), self.lang);
        self.step.set(Step::Loading);
        spawn_local(async move {
            let step = match read(lang, &item, beside).await {
                Ok(shown) => Step::Ready(Some(Box::new(shown)), stage),
                Err(error) => Step::Failed(error),
            };
            self.arrive(turn, step);
        });
    }

    fn put(self, deed: Deed, shown: Option<Box<Shown>>) {
        let turn = self.dialog.next();
        self.step.set(Step::Ready(shown, Stage::Putting));
        spawn_local(async move {
            match serverfns::put_name(deed).await {
                Ok(name) => self.arrive(turn, Step::Done(name)),
                // What was read is no longer what would be signed: show what would, and ask again.
                Err(AppError::Apply {
                    error: ApplyError::DigestChanged { .. },
                }) => {
                    if self.dialog.waits(turn) {
                        self.load(Stage::Anew);
                    }
                }
                Err(error) => self.arrive(turn, Step::Failed(error)),
            }
        });
    }

    fn arrive(self, turn: u32, step: Step) {
        if let Step::Failed(AppError::SignedOut) = step {
            crate::live::sign_in();
        }
        if self.dialog.waits(turn) {
            self.step.set(step);
        }
    }
}

/// Moves focus to the heading of a part of the page.
fn focus(part: &str) {
    let heading = document().get_element_by_id(part);
    if let Some(heading) = heading.and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = heading.focus();
    }
}

async fn read(lang: Lang, item: &str, beside: bool) -> Result<Shown, AppError> {
    let sheet = serverfns::read_sign_sheet(lang, item.to_owned()).await?;
    // Asked for anew rather than taken from the page: what stands there may be some seconds old.
    let beside = if beside {
        Some(serverfns::read_item(lang, item.to_owned()).await?.signature)
    } else {
        None
    };
    Ok(Shown { sheet, beside })
}
