//! Namespaces and the search box: links and a form, so they work before any script runs.

use super::Stage;
use crate::{
    components::icon::{Icon, icon},
    graph::{Find, link},
};
use leptos::prelude::*;
use leptos_router::components::{A, Form};

pub(super) fn filters(stage: Stage) -> impl IntoView {
    let lang = stage.lang;
    let known = Memo::new(move |_| {
        stage
            .data
            .with(|it| it.namespaces.iter().map(ToString::to_string).collect::<Vec<_>>())
    });
    let all = move || link(&[("find", &stage.find.get())]);
    let chip = move |name: String| {
        let chosen = {
            let name = name.clone();
            Memo::new(move |_| stage.namespaces.with(|names| names.contains(&name)))
        };
        let href = {
            let name = name.clone();
            move || {
                let mut names = stage.namespaces.get();
                if chosen.get() {
                    names.retain(|it| *it != name);
                } else {
                    names.push(name.clone());
                }
                link(&[("ns", &names.join(",")), ("find", &stage.find.get())])
            }
        };
        view! { <a class="chip" href=href aria-current=move || chosen.get().then_some("true")>{name}</a> }
    };
    let bad = move || {
        stage.find.with(|text| Find::parse(text).err()).map(|term| {
            view! { <p class="notice warn" role="status">{lang.topology_find_bad(&term)}</p> }
        })
    };
    let clear = move || {
        stage.find.with(|text| !text.is_empty()).then(|| {
            let href = link(&[("ns", &stage.namespaces.with(|it| it.join(",")))]);
            view! { <A href attr:class="chip">{lang.topology_find_clear()}</A> }
        })
    };
    view! {
        <div class="filters">
            <div class="chips" role="group" aria-label=lang.topology_namespaces()>
                <a class="chip" href=all aria-current=move || stage.namespaces.with(Vec::is_empty).then_some("true")>
                    {lang.topology_all_namespaces()}
                </a>
                <For each=move || known.get() key=Clone::clone children=chip/>
            </div>
            <Form method="GET" action="/topology" attr:class="find" attr:role="search">
                <input type="hidden" name="ns" value=move || stage.namespaces.with(|it| it.join(","))/>
                <input
                    class="field"
                    type="search"
                    name="find"
                    maxlength="200"
                    autocomplete="off"
                    spellcheck="false"
                    placeholder=lang.topology_find_hint()
                    aria-label=lang.topology_find()
                    value=stage.find.get_untracked()
                    prop:value=move || stage.find.get()
                />
                <button class="button">{icon(Icon::Search)}{lang.topology_find_go()}</button>
                {clear}
            </Form>
        </div>
        {bad}
    }
}
