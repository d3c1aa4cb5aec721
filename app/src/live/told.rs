//! A page whose sentences the server tells: asked for again when the server knows something newer, at most every few seconds.

use super::{Live, states};
use crate::AppError;
use leptos::prelude::*;
use naru_view::source::SourceState;
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, time::Duration};

/// Judgements change with the configuration; nobody reads them anew each second.
const PACE: Duration = Duration::from_secs(3);

/// What such a page holds.
pub(crate) trait Told:
    Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The sources and their age.
    fn sources(&self) -> &[SourceState];
}

/// Draws what `ask` answers to a question, and follows it. What is the same as before is not drawn again.
pub(crate) fn told<Q, T, F>(
    question: impl Fn() -> Q + Copy + Send + Sync + 'static,
    ask: fn(Q) -> F,
    draw: fn(Signal<T>) -> AnyView,
) -> impl IntoView
where
    Q: Clone + PartialEq + Send + Sync + 'static,
    T: Told,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let first = Resource::new(question, ask);
    let shown = move || {
        Suspend::new(async move {
            match first.await {
                Ok(value) => {
                    let data = RwSignal::new(value);
                    follow(question, ask, data);
                    draw(data.into())
                }
                Err(error) => states::failed(&error, move || first.refetch()).into_any(),
            }
        })
    };
    view! { <Suspense fallback=states::skeleton>{shown}</Suspense> }
}

fn follow<Q, T, F>(
    question: impl Fn() -> Q + Copy + Send + Sync + 'static,
    ask: fn(Q) -> F,
    data: RwSignal<T>,
) where
    Q: Clone + PartialEq + Send + Sync + 'static,
    T: Told,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let live = Live::here();
    // A page that is reached by a link brings newer sources than the document did.
    Effect::new(move |_| data.with(|data| live.sources.set(data.sources().to_vec())));
    let waiting = StoredValue::new(false);
    Effect::new(move |before: Option<()>| {
        live.wanted.track();
        // The first run is the page as it came.
        if before.is_none() || waiting.get_value() {
            return;
        }
        waiting.set_value(true);
        let again = move || {
            leptos::task::spawn_local(async move {
                let answer = ask(untrack(question)).await;
                // The page may be gone by now, and its signals with it.
                if waiting.try_set_value(false).is_none()
                    && let Ok(new) = answer
                    && data.try_with_untracked(|old| *old != new) == Some(true)
                {
                    let _ = data.try_set(new);
                }
            });
        };
        set_timeout(again, PACE);
    });
}
