//! What it takes to tell a rule's requests from those that other rules send to the same pods: two steps, each done or with the way to it.

use crate::{components::plan_sheet::Ask, format, lang::Lang};
use leptos::prelude::*;
use naru_view::canary::{Apart, Tag};

pub(super) fn steps(lang: Lang, apart: &Apart, ask: RwSignal<Option<Ask>>) -> impl IntoView + use<> {
    let counted = lang.apart_counted(&format::count(apart.told), &format::count(apart.untold));
    view! {
        <section class="apart">
            <h3>{lang.apart_title()}</h3>
            <ol>
                <li>{tag(lang, apart.tag.as_ref())}</li>
                <li>{names(lang, apart, ask)}</li>
            </ol>
            <p class="quiet">{counted}</p>
        </section>
    }
}

/// The Telemetry: it is the mesh's, so it is handed over.
fn tag(lang: Lang, tag: Option<&Tag>) -> AnyView {
    let Some(tag) = tag else {
        return view! { <p>{lang.apart_tag_done()}</p> }.into_any();
    };
    let what = match &tag.there {
        Some(name) => lang.apart_tag_patch(name),
        None => lang.apart_tag_new().to_owned(),
    };
    view! {
        <p>{what}</p>
        <details>
            <summary>{lang.apart_tag_show()}</summary>
            <pre class="command" tabindex="0">{tag.text.to_string()}</pre>
        </details>
        <p class="quiet">{lang.apart_tag_price()}</p>
    }
    .into_any()
}

/// Names for rules, one plan for each object.
fn names(lang: Lang, apart: &Apart, ask: RwSignal<Option<Ask>>) -> AnyView {
    let elsewhere = apart
        .elsewhere
        .then(|| view! { <p>{lang.apart_names_elsewhere()}</p> });
    if apart.names.is_empty() && !apart.elsewhere {
        return view! { <p>{lang.apart_names_done()}</p> }.into_any();
    }
    let each = apart.names.iter().map(|wish| {
        let object = format!("{}/{}", wish.field.namespace, wish.field.name);
        let told = lang.apart_names(&object);
        let label = lang.apart_names_plan_of(&object);
        let wish = wish.clone();
        let press = move |_| ask.set(Some(Ask::Mend(wish.clone())));
        view! {
            <p>
                {told}" "
                <button type="button" class="button little scripted" aria-label=label on:click=press>{lang.apart_names_plan()}</button>
            </p>
        }
    });
    view! { {each.collect_view()}{elsewhere} }.into_any()
}
