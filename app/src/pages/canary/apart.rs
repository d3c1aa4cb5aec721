//! What it takes to tell a rule's requests from those that other rules send to the same pods: two steps, each done or with the way to it.

use crate::{
    components::{plan_sheet::Ask, whys::whys},
    format,
    lang::Lang,
};
use leptos::prelude::*;
use naru_view::canary::{Apart, Tag};

pub(super) fn steps(lang: Lang, apart: &Apart, ask: RwSignal<Option<Ask>>) -> impl IntoView + use<> {
    let counted = lang.apart_counted(&format::count(apart.told), &format::count(apart.untold));
    view! {
        <section class="apart">
            <h3>{lang.apart_title()}</h3>
            <ol>
                <li>{tag(lang, apart)}</li>
                <li>{names(lang, apart, ask)}</li>
            </ol>
            <p class="quiet">{counted}</p>
        </section>
    }
}

/// The Telemetry: it is the mesh's, so it is handed over.
fn tag(lang: Lang, apart: &Apart) -> AnyView {
    let done = |told: &'static str| view! { <p>{told}</p> }.into_any();
    let (what, text) = match &apart.tag {
        Tag::There if apart.told == 0 && apart.untold > 0 => return done(lang.apart_tag_silent()),
        Tag::There => return done(lang.apart_tag_done()),
        Tag::Elsewhere => return done(lang.apart_tag_elsewhere()),
        Tag::NoProvider => return done(lang.apart_tag_no_provider()),
        Tag::Unknown { why } => {
            return view! { <p>{lang.apart_tag_unknown()}</p>{whys(lang, std::slice::from_ref(why))} }
                .into_any();
        }
        Tag::Patch { of, text } => (lang.apart_tag_patch(of), text),
        Tag::Object { text } => (lang.apart_tag_new().to_owned(), text),
    };
    view! {
        <p>{what}</p>
        <details>
            <summary>{lang.apart_tag_show()}</summary>
            <pre class="command" tabindex="0">{text.to_string()}</pre>
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
        let told = match apart.named {
            true => lang.apart_names_done(),
            false => lang.apart_names_unclear(),
        };
        return view! { <p>{told}</p> }.into_any();
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
