//! The band of a rehearsal: what is to be done, its clock and speed, what may be done beside the console, what it has cost.

mod choices;
mod clock;
mod story;

use crate::{
    AppError,
    bar::Bar,
    context::{frame, lang},
    live::Live,
    say, serverfns,
};
use leptos::{prelude::*, task::spawn_local};
use naru_view::rehearsal::Action;
use std::time::Duration;

/// How often the band asks how the rehearsal stands, by the wall clock.
const PACE: Duration = Duration::from_secs(1);

/// The state that its parts share.
#[derive(Clone, Copy)]
struct Band {
    bar: RwSignal<Bar>,
    live: Live,
    /// Something was asked for and is not answered yet.
    busy: RwSignal<bool>,
    failed: RwSignal<Option<AppError>>,
}

impl Band {
    fn act(self, action: Action) {
        let anew = matches!(action, Action::Restart(..));
        self.busy.set(true);
        spawn_local(async move {
            let answer = serverfns::rehearse(action).await;
            let _ = self.busy.try_set(false);
            match answer {
                // Another system, at another time: nothing that stands on the page is of it.
                Ok(_) if anew => drop(window().location().set_href("/")),
                Ok(bar) => {
                    self.failed.try_set(None);
                    self.arrive(bar);
                }
                Err(error) => drop(self.failed.try_set(Some(error))),
            }
        });
    }

    fn arrive(self, bar: Bar) {
        self.live.pass(bar.rehearsal.now, bar.rehearsal.pace);
        let _ = self.bar.try_set(bar);
    }

    /// Asks again and again, one question at a time; a lost line is told elsewhere.
    fn follow(self) {
        set_timeout(
            move || {
                let visible = document().visibility_state() == web_sys::VisibilityState::Visible;
                if !visible || self.busy.try_get_untracked() != Some(false) {
                    return self.follow();
                }
                spawn_local(async move {
                    let answer = serverfns::rehearsal().await;
                    // An action's own answer is younger than that of a question before it.
                    if let (Ok(bar), Some(false)) = (answer, self.busy.try_get_untracked()) {
                        self.arrive(bar);
                    }
                    self.follow();
                });
            },
            PACE,
        );
    }
}

/// The band, where there is a rehearsal.
pub(super) fn band() -> Option<impl IntoView> {
    let bar = frame().bar?;
    let lang = lang();
    let band = Band {
        bar: RwSignal::new(bar),
        live: Live::here(),
        busy: RwSignal::new(false),
        failed: RwSignal::new(None),
    };
    Effect::new(move |_| {
        band.arrive(band.bar.get_untracked());
        band.follow();
    });
    let failed = move || {
        let error = band.failed.get()?;
        Some(view! { <p class="notice bad">{say::app_error(lang, &error)}</p> })
    };
    Some(view! {
        <section class="band" aria-label=lang.rehearsal_title()>
            <div class="row">
                <h2>{move || band.bar.with(|bar| bar.title.clone())}</h2>
                {clock::clock(band)}
                {story::toll(band)}
                {choices::choices(band)}
            </div>
            {story::story(band)}
            <div role="status">{failed}</div>
        </section>
    })
}
