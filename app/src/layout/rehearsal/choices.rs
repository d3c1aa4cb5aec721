//! Whom to be, what to play, and from the beginning.

use super::Band;
use crate::context::lang;
use leptos::{ev, html, prelude::*};
use naru_view::rehearsal::{Action, Persona};

pub(super) fn choices(band: Band) -> impl IntoView {
    let lang = lang();
    let (persona, scenario, seed) = band
        .bar
        .with_untracked(|bar| (bar.persona, bar.rehearsal.scenario.clone(), bar.rehearsal.seed));
    let personas = Persona::ALL.map(|it| {
        let name = match it {
            Persona::PlatformEngineer => lang.rehearsal_platform_engineer(),
            Persona::ServiceTeam => lang.rehearsal_service_team(),
            Persona::SecurityOfficer => lang.rehearsal_security_officer(),
            Persona::Viewer => lang.rehearsal_viewer(),
        };
        view! { <option value=it.tag() selected=it == persona>{name}</option> }
    });
    let scenarios = band.bar.with_untracked(|bar| bar.scenarios.clone());
    let scenarios = scenarios.into_iter().map(|(name, title)| {
        let chosen = name == scenario;
        view! { <option value=name.to_string() selected=chosen>{title}</option> }
    });
    let (chosen, drawn) = (NodeRef::<html::Select>::new(), NodeRef::<html::Input>::new());
    let restart = move |_| {
        if let (Some(chosen), Some(drawn)) = (chosen.get_untracked(), drawn.get_untracked()) {
            let seed = drawn.value().trim().parse().unwrap_or(seed);
            band.act(Action::Restart(chosen.value().into(), seed));
        }
    };
    // A form, so that the choice works before any script does.
    view! {
        <form class="persona" method="get">
            <label>
                {lang.rehearsal_persona()}" "
                <select name="persona" on:change=move |event| submit(&event)>{personas.into_iter().collect_view()}</select>
            </label>
            <noscript><button type="submit">{lang.rehearsal_choose()}</button></noscript>
        </form>
        <details class="anew">
            <summary>{lang.rehearsal_anew()}</summary>
            <div class="sheetlet">
                <label>{lang.rehearsal_scenario()}" "<select node_ref=chosen>{scenarios.collect_view()}</select></label>
                <label>
                    {lang.rehearsal_seed()}" "
                    <input node_ref=drawn type="number" min="0" max="9007199254740991" value=seed.to_string()/>
                </label>
                <button type="button" class="button" disabled=move || band.busy.get() on:click=restart>{lang.rehearsal_restart()}</button>
                <p class="dim">{lang.rehearsal_restart_means()}</p>
            </div>
        </details>
    }
}

fn submit(event: &ev::Event) {
    let select: web_sys::HtmlSelectElement = event_target(event);
    if let Some(form) = select.form() {
        let _ = form.request_submit();
    }
}
