//! A sheet over the page in which something is asked and answered. It opens when something is asked for; answers to what was given up
//! meanwhile are thrown away.

use crate::{
    components::icon::{Icon, icon},
    context::lang,
};
use leptos::{ev, html, prelude::*};

/// One sheet, and what it is open for.
pub(crate) struct Dialog<T: 'static> {
    ask: RwSignal<Option<T>>,
    node: NodeRef<html::Dialog>,
    turn: StoredValue<u32>,
}

impl<T: 'static> Clone for Dialog<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for Dialog<T> {}

impl<T: Clone + Send + Sync + 'static> Dialog<T> {
    /// Is open while something is asked for, and unsets it when closed.
    pub(crate) fn new(ask: RwSignal<Option<T>>) -> Self {
        Self {
            ask,
            node: NodeRef::new(),
            turn: StoredValue::new(0),
        }
    }

    /// Opens whenever something is asked for, and has `fresh` begin with it.
    pub(crate) fn opens(self, fresh: impl Fn(T) + 'static) {
        Effect::new(move |_| {
            if let (Some(dialog), Some(ask)) = (self.node.get(), self.ask.get()) {
                if !dialog.open() {
                    let _ = dialog.show_modal();
                }
                self.next();
                untrack(|| fresh(ask));
            }
        });
    }

    pub(crate) fn close(self) {
        if let Some(dialog) = self.node.get_untracked() {
            dialog.close();
        }
    }

    /// The number of what is begun now.
    pub(crate) fn next(self) -> u32 {
        self.turn.update_value(|turn| *turn = turn.wrapping_add(1));
        self.turn.get_value()
    }

    /// Whether what has this number is still waited for. The page may be gone: then there is nobody to tell.
    pub(crate) fn waits(self, turn: u32) -> bool {
        self.turn.try_get_value() == Some(turn)
    }

    /// The sheet. `id` is its heading's and of the page's own; `closed` is called before what was asked for is forgotten.
    pub(crate) fn view(
        self,
        id: &'static str,
        title: impl Fn() -> Option<String> + Send + 'static,
        closed: impl Fn() + 'static,
        body: impl Fn() -> AnyView + Clone + Send + 'static,
    ) -> impl IntoView {
        let lang = lang();
        let over = move |_: ev::Event| {
            self.next();
            closed();
            self.ask.set(None);
        };
        view! {
            <dialog node_ref=self.node class="sheet" aria-labelledby=id on:close=over>
                <header>
                    <h2 id=id>{title}</h2>
                    <button type="button" class="ghost" aria-label=lang.sheet_close() on:click=move |_| self.close()>{icon(Icon::Close)}</button>
                </header>
                {move || self.ask.with(Option::is_some).then(|| body.clone())}
            </dialog>
        }
    }
}
