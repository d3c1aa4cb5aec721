//! The same as a table: every shown call, worst first; the row selects as the drawing does.

use super::Stage;
use crate::{
    components::{
        age::age,
        sign::{self, Sign, pill},
    },
    format,
    graph::{edge_key, href, mtls, name},
    say,
};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::topology::{Edge, Node, Origin, Topology};
use std::collections::HashMap;

pub(super) fn table(stage: Stage) -> impl IntoView {
    let lang = stage.lang;
    // Worst first; among equals the order of the view, which does not change.
    let rows = Memo::new(move |_| {
        stage.data.with(|it| {
            let mut rows: Vec<(String, usize)> = stage.shown.with(|shown| {
                let key = |&i: &usize| it.edges.get(i).map(|edge| (edge_key(it, edge), i));
                shown.edges.iter().filter_map(key).collect()
            });
            rows.sort_by_key(|&(_, i)| std::cmp::Reverse(it.edges.get(i).map(rank)));
            rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        })
    });
    // Each row finds its call here: looking through all of them for each would cost the square of their number, at every refresh.
    let places = Memo::new(move |_| {
        stage.data.with(|it| {
            let places = it.edges.iter().enumerate();
            places
                .map(|(i, edge)| (edge_key(it, edge), i))
                .collect::<HashMap<String, usize>>()
        })
    });
    let row = move |key: String| {
        let found = {
            let key = key.clone();
            Memo::new(move |_| {
                stage.data.with(|it| {
                    let place = places.with(|places| places.get(&key).copied())?;
                    let edge = it.edges.get(place)?;
                    Some((
                        edge.clone(),
                        end(stage, it, edge.source)?,
                        end(stage, it, edge.target)?,
                    ))
                })
            })
        };
        let link = {
            let key = key.clone();
            move || href(&stage.query(), &key)
        };
        let class = move || match stage.selected.with(|selected| *selected == key) {
            true => "chosen",
            false => match found.with(|it| it.as_ref().is_some_and(|(edge, ..)| edge.last_seen.is_some())) {
                true => "stale",
                false => "",
            },
        };
        view! {
            <tr class=class>
                <th scope="row">
                    <A href=link scroll=false>{move || found.get().map(|(_, from, _)| end_view(from))}</A>
                </th>
                <td class="name">{move || found.get().map(|(.., to)| end_view(to))}</td>
                {move || found.get().map(|(edge, ..)| cells(stage, &edge))}
            </tr>
        }
    };
    let count = move || {
        stage
            .lang
            .count_shown(&stage.data.with(|it| it.edges.len()), &rows.with(Vec::len))
    };
    view! {
        <section class="card" aria-labelledby="table-title">
            <header>
                <h2 id="table-title">{lang.topology_table()}</h2>
                <p class="quiet end">{count}</p>
            </header>
            <div class="scroll" tabindex="0" role="group" aria-label=lang.topology_table()>
                <table class="rows named">
                    <thead>
                        <tr>
                            <th scope="col">{lang.table_caller()}</th>
                            <th scope="col">{lang.table_called()}</th>
                            <th scope="col" class="wide">{lang.table_protocol()}</th>
                            <th scope="col" class="r">{lang.table_rate()}</th>
                            <th scope="col" class="r">{lang.table_errors()}</th>
                            <th scope="col" class="r">{lang.table_average()}</th>
                            <th scope="col">{lang.table_mtls()}</th>
                            <th scope="col">{lang.table_state()}</th>
                        </tr>
                    </thead>
                    <tbody><For each=move || rows.get() key=Clone::clone children=row/></tbody>
                </table>
            </div>
        </section>
    }
}

/// Failing before degraded before the rest.
fn rank(edge: &Edge) -> u8 {
    match Sign::of_health(edge.health) {
        Sign::Bad => 3,
        Sign::Warn => 2,
        Sign::Good => 1,
        Sign::Idle | Sign::Unknown => 0,
    }
}

/// Namespace and name, with the version where there is one.
fn end(stage: Stage, it: &Topology, i: u32) -> Option<(String, String)> {
    it.nodes.get(i as usize).map(|node| told(stage, node))
}

pub(super) fn told(stage: Stage, node: &Node) -> (String, String) {
    let namespace = if node.namespace.is_empty() {
        String::new()
    } else {
        format!("{}/", node.namespace)
    };
    let name = name(stage.lang, node);
    let name = if node.version.is_empty() || name.ends_with(&*node.version) {
        name
    } else {
        format!("{name} {}", node.version)
    };
    (namespace, name)
}

pub(super) fn end_view((namespace, name): (String, String)) -> impl IntoView {
    view! { <span class="ns">{namespace}</span>{name} }
}

fn cells(stage: Stage, edge: &Edge) -> impl IntoView + use<> {
    let lang = stage.lang;
    let rate = match (edge.rate, edge.bytes_rate) {
        (_, Some(bytes)) if &*edge.protocol == "tcp" => lang.topology_throughput(&format::bytes(bytes)),
        (rate, _) => format::maybe(rate),
    };
    let share = edge.mtls_share.map(|_| mtls(lang, edge.mtls_share));
    let plain = edge.mtls_share.is_some_and(|share| share < 1.0);
    view! {
        <td class="wide"><code>{edge.protocol.to_string()}</code></td>
        <td class="r">{rate}</td>
        <td class="r">{sign::errors(edge.error_share.filter(|_| edge.rate.is_some_and(|rate| rate > 0.0)))}</td>
        <td class="r">{format::duration_of(edge.average_ms)}</td>
        <td class:text-warn=plain>{share.unwrap_or_else(|| format::UNKNOWN.into())}</td>
        <td>{pill(Sign::of_health(edge.health), sign::health(lang, edge.health))}" "{reason(stage, edge)}</td>
    }
}

/// The one thing that most explains the state.
fn reason(stage: Stage, edge: &Edge) -> AnyView {
    let lang = stage.lang;
    if edge.origin == Origin::IngressObject {
        return view! { <span class="quiet">{lang.topology_inferred()}</span> }.into_any();
    }
    if let Some(at) = edge.last_seen {
        return view! { <span class="quiet">{age(lang, at)}</span> }.into_any();
    }
    let worst = edge
        .codes
        .iter()
        .find(|it| it.code.starts_with('5') || &*it.code == "0");
    let bad = matches!(Sign::of_health(edge.health), Sign::Bad | Sign::Warn);
    match (bad.then_some(worst).flatten(), edge.whys.first()) {
        (Some(code), _) => {
            let flags = if &*code.flags == "-" {
                String::new()
            } else {
                format!(" {}", code.flags)
            };
            view! { <code>{format!("{}{flags}", code.code)}</code> }.into_any()
        }
        (None, Some(why)) => view! { <span class="quiet">{say::why(lang, why)}</span> }.into_any(),
        (None, None) => ().into_any(),
    }
}
