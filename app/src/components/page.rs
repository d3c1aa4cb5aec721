//! The head of a page: its title, its one heading, the answer first.

use crate::layout::Arrival;
use leptos::{html, prelude::*};
use leptos_meta::Title;

/// Heading with title. When the page was reached by a link, focus goes to the heading, so that it is read out and the keyboard goes
/// on from there.
#[component]
pub(crate) fn Heading(
    /// The name of the page, for the window's title. A plain text: the server writes the head when the page's signals are gone already.
    title: String,
    /// The answer.
    #[prop(into)]
    answer: Signal<String>,
) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    let arrival = use_context::<Arrival>();
    Effect::new(move |_| {
        if let (Some(heading), Some(arrival)) = (heading.get(), arrival)
            && arrival.take()
        {
            // The heading exists before it is in the document: focus waits for the next frame.
            request_animation_frame(move || {
                let _ = heading.focus();
            });
        }
    });
    view! {
        <Title text=title/>
        <h1 node_ref=heading tabindex="-1">{answer}</h1>
    }
}
