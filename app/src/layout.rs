//! The frame around every page: skip link, top bar, the band of a rehearsal, rail, main; keyboard shortcuts and the moving of focus.

mod freshness;
mod rail;
mod rehearsal;
mod shortcuts;
mod standing;
mod standstill;
mod top_bar;

use crate::{
    context::frame,
    lang::Lang,
    live::{Link, Live},
};
use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

/// Says to the heading of the next page that it was reached by a link, so that focus goes there.
#[derive(Clone, Copy)]
pub(crate) struct Arrival(StoredValue<bool>);

impl Arrival {
    /// Whether a page was just reached; asked once.
    pub(crate) fn take(self) -> bool {
        self.0.try_update_value(std::mem::take).unwrap_or(false)
    }
}

/// The frame.
#[component]
pub(crate) fn Layout(children: Children) -> impl IntoView {
    let lang = frame().lang;
    let known = frame().known();
    let narrow = RwSignal::new(false);
    let arrival = Arrival(StoredValue::new(false));
    provide_context(arrival);
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            arrival.0.set_value(true);
        }
        now
    });
    let help = NodeRef::<html::Dialog>::new();
    shortcuts::listen(help);
    let switch = standstill::Switch::here();
    view! {
        <a class="skip" href="#main">{lang.nav_skip()}</a>
        <div class="frame" class:narrow=narrow class:alone=!known>
            {top_bar::top_bar(help, switch)}
            {rehearsal::band()}
            {known.then(|| rail::rail(narrow))}
            <main id="main" tabindex="-1">
                {lost(lang)}
                {switch.map(standstill::banner)}
                {standing::notices()}
                {children()}
            </main>
        </div>
        {shortcuts::help(help)}
        {switch.map(standstill::dialog)}
    }
}

/// Says plainly that nothing new arrives.
fn lost(lang: Lang) -> impl IntoView {
    let live = Live::here();
    let since = Memo::new(move |_| match live.link.get() {
        Link::Lost(since) => Some(since),
        Link::Still | Link::Open => None,
    });
    view! {
        <div role="status" class="lost">
            {move || since.get().map(|since| {
                view! { <p class="notice warn">{lang.live_lost(&crate::format::clock(since))}</p> }
            })}
        </div>
    }
}
