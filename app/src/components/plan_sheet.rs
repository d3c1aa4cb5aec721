//! The one sheet through which every change goes: plan, read, confirm, see how it went, take back.

mod hand_over;
mod outcome;
mod planned;
mod quorum;

pub(crate) use planned::diff;

use crate::{
    AppError,
    components::dialog::Dialog,
    context::{frame, lang},
    serverfns,
};
use leptos::{prelude::*, task::spawn_local};
use naru_view::{
    Name,
    canary::{Applied, PlanSheet, SetWeights},
    change::{Mend, Wish},
    why::ApplyError,
};

/// What a person asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    Weights(SetWeights),
    Undo { namespace: Name, change: Name },
    Mend(Mend),
}

/// Plans that were handed over to whoever writes the object, and are watched for by the page that has the sheet.
#[derive(Clone, Copy)]
pub(crate) struct Handed(pub(crate) RwSignal<Vec<SetWeights>>);

/// How far it is.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Planning,
    /// With why an earlier plan was not carried out, if this one follows it.
    Planned(Box<PlanSheet>, Option<AppError>),
    Applying(Box<PlanSheet>),
    Done(Applied),
    /// It waits for a second person, under this name.
    Proposed(Name),
    Failed(AppError),
}

/// The state of the sheet, shared by its parts.
#[derive(Clone, Copy)]
struct Sheet {
    ask: RwSignal<Option<Ask>>,
    step: RwSignal<Step>,
    reason: RwSignal<String>,
    dialog: Dialog<Ask>,
}

/// Opens whenever `ask` is set, and unsets it when closed.
pub(crate) fn plan_sheet(ask: RwSignal<Option<Ask>>) -> impl IntoView {
    let lang = lang();
    let dialog = Dialog::new(ask);
    let sheet = Sheet {
        ask,
        step: RwSignal::new(Step::Planning),
        reason: RwSignal::new(String::new()),
        dialog,
    };
    dialog.opens(move |ask| {
        sheet.reason.set(String::new());
        sheet.plan(ask, None);
    });
    let title = move || {
        Some(match ask.get() {
            Some(Ask::Undo { change, .. }) => lang.plan_undo_title(&change),
            _ => match sheet.step.get() {
                Step::Planned(plan, _) if plan.hand_over.is_some() => {
                    let owner = plan.hand_over.map(|it| it.owner).unwrap_or_default();
                    lang.plan_over_title(&owner)
                }
                _ => lang.plan_title().to_owned(),
            },
        })
    };
    let body = move || match sheet.step.get() {
        Step::Planning => {
            view! { <div class="body"><p role="status">{lang.plan_waiting()}</p></div> }.into_any()
        }
        Step::Planned(plan, before) => planned::planned(sheet, &plan, before.as_ref(), false).into_any(),
        Step::Applying(plan) => planned::planned(sheet, &plan, None, true).into_any(),
        Step::Proposed(name) => quorum::proposed(&name).into_any(),
        Step::Done(applied) => outcome::done(sheet, &applied).into_any(),
        Step::Failed(error) => outcome::failed(sheet, &error).into_any(),
    };
    dialog.view("plan-title", title, || {}, body)
}

impl Sheet {
    fn plan(self, ask: Ask, before: Option<AppError>) {
        let turn = self.dialog.next();
        self.step.set(Step::Planning);
        spawn_local(async move {
            let answer = match ask {
                Ask::Weights(intent) => serverfns::plan_weights(intent).await,
                Ask::Undo { namespace, change } => serverfns::plan_undo(namespace, change).await,
                Ask::Mend(finding) => serverfns::plan_mend(finding).await,
            };
            self.arrive(
                turn,
                match answer {
                    Ok(plan) => Step::Planned(Box::new(plan), before),
                    Err(error) => Step::Failed(error),
                },
            );
        });
    }

    fn apply(self, plan: PlanSheet) {
        let Some(ask) = self.ask.get_untracked() else {
            return;
        };
        let (turn, reason, digest) = (
            self.dialog.next(),
            self.reason.get_untracked(),
            plan.digest.to_string(),
        );
        self.step.set(Step::Applying(Box::new(plan)));
        spawn_local(async move {
            let answer = match ask.clone() {
                Ask::Weights(intent) => serverfns::apply_weights(intent, digest, reason).await,
                Ask::Undo { namespace, change } => {
                    serverfns::undo_change(namespace, change, digest, reason).await
                }
                Ask::Mend(finding) => serverfns::mend_finding(finding, digest, reason).await,
            };
            match answer {
                Ok(applied) => self.arrive(turn, Step::Done(applied)),
                // What was confirmed is no longer what would happen: show what would, and ask again.
                Err(
                    error @ AppError::Apply {
                        error: ApplyError::DigestChanged { .. },
                    },
                ) => {
                    if self.dialog.waits(turn) {
                        self.plan(ask, Some(error));
                    }
                }
                Err(error) => self.arrive(turn, Step::Failed(error)),
            }
        });
    }

    fn propose(self, plan: PlanSheet) {
        let wish = match self.ask.get_untracked() {
            Some(Ask::Weights(wish)) => Wish::Weights(wish),
            Some(Ask::Undo { namespace, change }) => Wish::Undo { namespace, change },
            Some(Ask::Mend(_)) | None => return,
        };
        let (turn, reason) = (self.dialog.next(), self.reason.get_untracked());
        let digest = plan.digest.to_string();
        self.step.set(Step::Applying(Box::new(plan)));
        spawn_local(async move {
            let step = match serverfns::propose_change(wish, digest, reason).await {
                Ok(name) => Step::Proposed(name),
                Err(error) => Step::Failed(error),
            };
            self.arrive(turn, step);
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

    fn writable(self) -> bool {
        frame().read_only.is_none()
    }
}
