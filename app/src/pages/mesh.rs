//! The mesh and the sources: proxies, control planes, what each source shows, what is not known and which items that leaves open, and what
//! injection would do to each workload.

mod preflight;
mod proxies;
mod revisions;
mod sections;

use crate::{
    AppError,
    components::{age::age, page::Heading},
    context::lang,
    live::{self, Told},
    serverfns,
};
use leptos::prelude::*;
use naru_view::{mesh::Mesh, source::SourceState};

impl Told for Mesh {
    fn sources(&self) -> &[SourceState] {
        &self.sources
    }
}

/// The page.
pub(crate) fn mesh() -> impl IntoView {
    live::told(lang, ask, draw)
}

async fn ask(lang: crate::lang::Lang) -> Result<Mesh, AppError> {
    serverfns::read_mesh(lang).await
}

fn draw(data: Signal<Mesh>) -> AnyView {
    let lang = lang();
    let answer = Memo::new(move |_| data.with(|it| it.answer.clone()));
    let seen = move || {
        let at = data.with(|it| it.seen);
        at.map(|at| view! { <p class="quiet">{lang.mesh_seen()}" "{age(lang, at)}</p> })
    };
    let hidden = Memo::new(move |_| data.with(|it| it.hidden));
    let hidden = move || {
        let hidden = hidden.get();
        (hidden > 0).then(|| view! { <p class="notice">{lang.mesh_hidden(u64::from(hidden))}</p> })
    };
    // What reads as before is left alone, with whatever somebody has selected or opened in it.
    let sources = Memo::new(move |_| data.with(|it| it.sections.clone()));
    let planes = Memo::new(move |_| data.with(|it| (it.revisions.clone(), it.no_revisions.clone())));
    let meshed = Memo::new(move |_| data.with(|it| it.proxies.clone()));
    let outlook = Memo::new(move |_| data.with(|it| (it.preflight.clone(), it.preflight_more)));
    let known = Memo::new(move |_| data.with(|it| it.seen.is_some()));
    view! {
        <div class="page">
            <div class="lead"><Heading title=lang.app_title(&lang.nav_mesh()) answer/>{seen}</div>
            {hidden}
            <Show when=move || known.get()>
                {move || planes.with(|(all, none)| revisions::table(lang, all, none))}
                {move || meshed.with(|it| proxies::table(lang, it))}
                {move || sources.with(|it| sections::cards(lang, it))}
                {move || outlook.with(|(rows, more)| preflight::table(lang, rows, *more))}
            </Show>
        </div>
    }
    .into_any()
}
