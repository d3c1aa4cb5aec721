//! What is to be done, what may be done, and how it goes.

use super::Band;
use crate::{components::age, context::lang, format};
use leptos::prelude::*;
use naru_view::rehearsal::Action;

/// What the run has cost so far, with its causes behind it.
pub(super) fn toll(band: Band) -> impl IntoView {
    let lang = lang();
    let sum = Memo::new(move |_| {
        band.bar.with(|bar| {
            bar.rehearsal
                .story
                .as_ref()
                .map(|it| (it.toll.harmed, it.toll.asked))
        })
    });
    let rows = move || {
        band.bar.with(|bar| {
            let rows = bar.rehearsal.story.iter().flat_map(|it| &it.toll.rows);
            rows.zip(&bar.causes)
                .map(|(row, cause)| {
                    view! {
                        <tr>
                            <td class="number">{format::count(row.requests)}</td>
                            <td>{row.caller.to_string()}</td>
                            <td>{cause.clone()}</td>
                            <td>{row.place.to_string()}</td>
                        </tr>
                    }
                })
                .collect_view()
        })
    };
    move || {
        let (harmed, asked) = sum.get()?;
        let told = lang.rehearsal_toll(&format::count(asked), &format::count(harmed));
        Some(if harmed == 0 {
            view! { <span class="toll">{told}</span> }.into_any()
        } else {
            view! {
                <details class="toll bad">
                    <summary>{told}</summary>
                    <div class="sheetlet">
                        <table>
                            <thead>
                                <tr>
                                    <th class="number">{lang.rehearsal_requests()}</th>
                                    <th>{lang.rehearsal_whose()}</th>
                                    <th>{lang.rehearsal_cause()}</th>
                                    <th>{lang.rehearsal_where()}</th>
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                </details>
            }
            .into_any()
        })
    }
}

/// Brief, goals, moves, hint, ending.
pub(super) fn story(band: Band) -> impl IntoView {
    let lang = lang();
    let has_story = Memo::new(move |_| band.bar.with(|bar| bar.rehearsal.story.is_some()));
    let ended = Memo::new(move |_| {
        band.bar
            .with(|bar| bar.rehearsal.story.as_ref().is_some_and(|it| it.ending.is_some()))
    });
    view! {
        <div role="status">{ending(band)}</div>
        <details class="plot" open=true>
            <summary>{lang.rehearsal_task()}</summary>
            <div class="columns">
                <div>
                    <p class="brief">{move || band.bar.with(|bar| bar.brief.clone())}</p>
                    {move || has_story.get().then(|| goals(band))}
                    {move || (has_story.get() && !ended.get()).then(|| hint(band))}
                </div>
                {move || has_story.get().then(|| moves(band))}
            </div>
        </details>
    }
}

fn ending(band: Band) -> impl IntoView {
    let lang = lang();
    let told = Memo::new(move |_| {
        band.bar.with(|bar| {
            let story = bar.rehearsal.story.as_ref()?;
            story.ending.as_ref()?;
            Some((bar.harm.clone(), story.toll.harmed))
        })
    });
    move || {
        let (harm, harmed) = told.get()?;
        let harmed = format::count(harmed);
        let (class, text) = match harm {
            None => ("notice ok ending", lang.rehearsal_won(&harmed)),
            Some(harm) => ("notice bad ending", lang.rehearsal_lost(&harm, &harmed)),
        };
        Some(view! {
            <p class=class>
                {text}" "
                <a href="/rehearsal/records" rel="external" download="naru-rehearsal.json">{lang.rehearsal_record()}</a>
            </p>
        })
    }
}

fn goals(band: Band) -> impl IntoView {
    let lang = lang();
    let each = move || {
        band.bar.with(|bar| {
            let goals = bar.rehearsal.story.iter().flat_map(|it| &it.goals);
            goals
                .zip(&bar.goals)
                .map(|(goal, text)| {
                    let met = goal.met.is_some();
                    let (shape, state) = if met {
                        ("✓", lang.rehearsal_met())
                    } else {
                        ("○", lang.rehearsal_open())
                    };
                    view! {
                        <li class:met=met>
                            <span aria-hidden="true">{shape}</span>
                            <span class="visually-hidden">{state}</span>
                            <span>{text.clone()}</span>
                        </li>
                    }
                })
                .collect_view()
        })
    };
    view! {
        <h3>{lang.rehearsal_goals()}</h3>
        <ul class="goals">{each}</ul>
    }
}

fn hint(band: Band) -> impl IntoView {
    let lang = lang();
    let text = move || {
        let hint = band.bar.with(|bar| bar.hint.clone());
        hint.unwrap_or_else(|| lang.rehearsal_no_hint().to_owned())
    };
    view! {
        <details class="hint">
            <summary>{lang.rehearsal_hint()}</summary>
            <p>{text}</p>
        </details>
    }
}

/// What a person would do with kubectl, and what would be typed for it.
fn moves(band: Band) -> impl IntoView {
    let lang = lang();
    let now = crate::live::Live::here().now;
    let count = Memo::new(move |_| {
        band.bar
            .with(|bar| bar.rehearsal.story.as_ref().map_or(0, |it| it.moves.len()))
    });
    let one = move |n: usize| {
        let of = move |bar: &crate::bar::Bar| Some(bar.rehearsal.story.as_ref()?.moves.get(n)?.clone());
        let it = Memo::new(move |_| band.bar.with(of));
        let text = move || band.bar.with(|bar| bar.moves.get(n).cloned());
        let able = move || it.with(|it| it.as_ref().is_some_and(|it| it.offered)) && !band.busy.get();
        let done = move || it.with(|it| it.as_ref().and_then(|it| it.done));
        let act = move |_| {
            if let Some(it) = it.get_untracked() {
                band.act(Action::Move(it.name));
            }
        };
        view! {
            <li>
                <button type="button" disabled=move || !able() on:click=act>{text}</button>
                <code>{move || it.with(|it| it.as_ref().map(|it| it.command.to_string()))}</code>
                <span class="dim">{move || done().map(|at| lang.rehearsal_done(&age::ago(lang, now.get(), at)))}</span>
            </li>
        }
    };
    view! {
        <details class="moves">
            <summary>{move || lang.rehearsal_moves(&count.get())}</summary>
            <p class="dim">{lang.rehearsal_moves_mean()}</p>
            // All may be disabled; it is scrolled by keyboard all the same.
            <div class="scroll" tabindex="0" role="group" aria-label=lang.rehearsal_moves_mean()>
                <ul>{move || (0..count.get()).map(one).collect_view()}</ul>
            </div>
        </details>
    }
}
