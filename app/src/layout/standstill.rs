//! That everything stands still, on every page; and the way to stop it, and to let it go on.

use crate::{
    AppError,
    components::icon::{Icon, icon},
    context::{frame, lang},
    format,
    lang::Lang,
    live, say, serverfns,
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use naru_view::{
    freeze::{Frozen, Standstill, Stay},
    ledger::REASON,
};
use std::sync::Arc;

/// What the banner and the button share.
#[derive(Clone, Copy)]
pub(super) struct Switch {
    /// Follows what is known, and changes only when it says something else: what is announced once is not announced again each second.
    frozen: Memo<Option<Frozen>>,
    dialog: NodeRef<html::Dialog>,
    /// What the open dialog asks: to lift, and else to freeze. It stays so whatever others do meanwhile.
    lifts: RwSignal<bool>,
    reason: RwSignal<String>,
    busy: RwSignal<bool>,
    failed: RwSignal<Option<AppError>>,
}

impl Switch {
    /// Nobody's has none.
    pub(super) fn here() -> Option<Self> {
        let standstill = frame().standstill?;
        let data: RwSignal<Arc<Standstill>> = RwSignal::new(Arc::new(standstill));
        live::follow(data);
        Some(Self {
            frozen: Memo::new(move |_| data.with(|it| it.frozen.clone())),
            dialog: NodeRef::new(),
            lifts: RwSignal::new(false),
            reason: RwSignal::new(String::new()),
            busy: RwSignal::new(false),
            failed: RwSignal::new(None),
        })
    }

    fn frozen(self) -> bool {
        self.frozen.with(Option::is_some)
    }

    fn open(self) {
        self.failed.set(None);
        self.lifts.set(self.frozen.with_untracked(Option::is_some));
        self.reason.set(String::new());
        if let Some(dialog) = self.dialog.get_untracked().filter(|dialog| !dialog.open()) {
            let _ = dialog.show_modal();
        }
    }

    fn close(self) {
        if let Some(dialog) = self.dialog.try_get_untracked().flatten() {
            dialog.close();
        }
    }

    /// The page hears of what came of it as of every other change.
    fn send(self) {
        let (lift, reason) = (self.lifts.get_untracked(), self.reason.get_untracked());
        self.busy.set(true);
        self.failed.set(None);
        spawn_local(async move {
            let answer = if lift {
                serverfns::lift_freeze().await
            } else {
                serverfns::freeze(reason).await
            };
            let _ = self.busy.try_set(false);
            match answer {
                Ok(()) => self.close(),
                Err(AppError::SignedOut) => live::sign_in(),
                Err(error) => drop(self.failed.try_set(Some(error))),
            }
        });
    }
}

/// The banner, while everything stands still.
pub(super) fn banner(switch: Switch) -> impl IntoView {
    let lang = lang();
    let told = move || {
        let frozen = switch.frozen.get()?;
        Some(view! {
            <section class="notice bad standing standstill" aria-label=lang.freeze_title()>
                <p><strong>{lang.freeze_title()}</strong>" "{said(lang, &frozen)}</p>
                {stays(lang, &frozen.stays)}
                {writable().then(|| view! {
                    <button type="button" class="button little" on:click=move |_| switch.open()>{lang.freeze_lift_open()}</button>
                })}
            </section>
        })
    };
    view! { <div role="status">{told}</div> }
}

/// The way to stop everything, from every page; none for who may write nothing.
pub(super) fn button(switch: Switch) -> impl IntoView {
    let lang = lang();
    let shown = move || {
        (!switch.frozen() && writable()).then(|| {
            view! {
                <button type="button" class="button little freeze" title=lang.freeze_hint() on:click=move |_| switch.open()>
                    {lang.freeze_open()}
                </button>
            }
        })
    };
    view! { {shown} }
}

/// Asks for the reason, or whether everything is really to go on.
pub(super) fn dialog(switch: Switch) -> impl IntoView {
    let lang = lang();
    let send = move |event: ev::SubmitEvent| {
        event.prevent_default();
        switch.send();
    };
    let title = move || match switch.lifts.get() {
        true => lang.freeze_lift_title(),
        false => lang.freeze_ask_title(),
    };
    let means = move || match switch.lifts.get() {
        true => lang.freeze_lift_means(),
        false => lang.freeze_means(),
    };
    let fits = move || {
        let given = switch.reason.with(|it| it.trim().chars().count());
        switch.lifts.get() || (1..=REASON as usize).contains(&given)
    };
    let word = move || match (switch.busy.get(), switch.lifts.get()) {
        (true, _) => lang.freeze_sending(),
        (false, true) => lang.freeze_lift(),
        (false, false) => lang.freeze_do(),
    };
    let failed = move || {
        let error = switch.failed.get()?;
        Some(view! { <p class="notice bad">{say::app_error(lang, &error)}</p> })
    };
    let reason = move || {
        (!switch.lifts.get()).then(|| {
            view! {
                <label class="reason">
                    <span class="quiet">{lang.freeze_reason()}</span>
                    <input
                        class="field"
                        name="reason"
                        autocomplete="off"
                        required
                        maxlength=REASON
                        placeholder=lang.freeze_reason_hint()
                        prop:value=switch.reason
                        on:input:target=move |event| switch.reason.set(event.target().value())
                    />
                </label>
            }
        })
    };
    view! {
        <dialog node_ref=switch.dialog class="sheet small" aria-labelledby="freeze-title">
            <form on:submit=send>
                <div class="head">
                    <h2 id="freeze-title">{title}</h2>
                    <button type="button" class="ghost" aria-label=lang.sheet_close() on:click=move |_| switch.close()>{icon(Icon::Close)}</button>
                </div>
                <div class="body">
                    <p>{means}</p>
                    <div aria-live="assertive">{failed}</div>
                </div>
                <footer>
                    {reason}
                    <button class="button go" disabled=move || switch.busy.get() || !fits()>{word}</button>
                </footer>
            </form>
        </dialog>
    }
}

fn writable() -> bool {
    frame().read_only.is_none()
}

/// By whom, since when and why; what the Freeze does not say is left out.
fn said(lang: Lang, frozen: &Frozen) -> String {
    let by = if frozen.by.is_empty() {
        lang.freeze_somebody()
    } else {
        &frozen.by
    };
    let reason = if frozen.reason.is_empty() {
        lang.freeze_no_reason()
    } else {
        &frozen.reason
    };
    match frozen.since {
        Some(since) => lang.freeze_since(&by, &reason, &format::utc(since)),
        None => lang.freeze_by(&by, &reason),
    }
}

fn stays(lang: Lang, all: &[Stay]) -> impl IntoView + use<> {
    let rows = all.iter().map(|it| {
        let by_hand = it.by_hand.as_ref().map(|command| {
            view! { <span class="by-hand">{lang.freeze_by_hand()}" "<code>{command.to_string()}</code></span> }
        });
        view! { <li>{say::stay(lang, it)}" "{by_hand}</li> }
    });
    match all.is_empty() {
        true => view! { <p>{lang.freeze_nothing_under_way()}</p> }.into_any(),
        false => view! { <ul>{rows.collect_view()}</ul> }.into_any(),
    }
}
