//! What is selected, in full.

use super::{
    Stage,
    table::{end_view, told},
};
use crate::{
    components::{
        age::age,
        icon::{Icon, icon},
        sign::{self, Sign, pill},
        whys::whys,
    },
    format,
    graph::{Selection, edge_key, href, kind, mtls},
    routes,
};
use leptos::prelude::*;
use leptos_router::components::A;
use naru_view::topology::{Edge, Meshed, Node, NodeKind, Origin, Topology};

pub(super) fn details(stage: Stage) -> impl IntoView {
    let lang = stage.lang;
    let chosen = Memo::new(move |_| stage.selection());
    let body = move || {
        stage.data.with(|it| match chosen.get() {
            Some(Selection::Node(i)) => it.nodes.get(i).map(|node| of_node(stage, it, i, node)),
            Some(Selection::Edge(i)) => it.edges.get(i).map(|edge| of_edge(stage, it, edge)),
            None => None,
        })
    };
    let close = move || stage.query().trim_end_matches('&').to_owned();
    view! {
        <aside class="card details" class:none=move || chosen.get().is_none() aria-labelledby="details-title">
            <header>
                <h2 id="details-title">{lang.topology_selected()}</h2>
                {move || chosen.get().map(|_| view! {
                    <A href=close scroll=false attr:class="ghost end" attr:aria-label=lang.topology_close()>{icon(Icon::Close)}</A>
                })}
            </header>
            {move || match body() {
                Some(body) => body,
                None => view! { <p class="empty">{lang.topology_select_none()}</p> }.into_any(),
            }}
        </aside>
    }
}

fn fact(name: &'static str, value: impl IntoView + 'static) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any()
}

fn of_node(stage: Stage, it: &Topology, i: usize, node: &Node) -> AnyView {
    let lang = stage.lang;
    let calls = |incoming: bool| {
        let other = move |edge: &Edge| {
            if incoming {
                (edge.target, edge.source)
            } else {
                (edge.source, edge.target)
            }
        };
        let items: Vec<AnyView> = it
            .edges
            .iter()
            .filter(|edge| other(edge).0 as usize == i)
            .filter_map(|edge| {
                let end = it.nodes.get(other(edge).1 as usize)?;
                let link = href(&stage.query(), &edge_key(it, edge));
                let end = told(stage, end);
                let rate = edge.rate.map(|rate| lang.unit_per_second(&format::number(rate)));
                Some(view! {
                    <li>
                        <A href=link scroll=false>{end_view(end.clone())}</A>" "
                        <span class="quiet num">{rate}</span>" "
                        {sign::errors(edge.error_share.filter(|_| edge.rate.is_some_and(|rate| rate > 0.0)))}
                    </li>
                }
                .into_any())
            })
            .collect();
        if items.is_empty() {
            lang.topology_none().into_any()
        } else {
            view! { <ul>{items}</ul> }.into_any()
        }
    };
    let mesh = match node.meshed {
        Meshed::Sidecar => lang.topology_sidecar(),
        Meshed::Partly => lang.topology_partly(),
        Meshed::Ambient => lang.topology_ambient(),
        Meshed::No => lang.topology_no_sidecar(),
        Meshed::Unknown => lang.topology_pods_unknown(),
    };
    let unknown = (node.kind == NodeKind::Unknown).then(|| {
        let items = node.candidates.iter().map(|name| view! { <li>{name.to_string()}</li> }).collect_view();
        let text = if items.is_empty() { lang.topology_no_candidates() } else { lang.topology_why_unknown_text() };
        view! { <div class="inset"><h3>{lang.topology_why_unknown()}</h3><p>{text}</p><ul class="bullets">{items}</ul></div> }
    });
    let mut facts = Vec::new();
    if let Some((ready, all)) = node.pods {
        facts.push(fact(lang.table_endpoints(), lang.topology_pods(&all, &ready)));
    }
    if matches!(node.kind, NodeKind::Workload | NodeKind::Gateway) {
        facts.push(fact(lang.table_state(), mesh));
    }
    if !node.services.is_empty() {
        facts.push(fact(
            lang.table_service(),
            node.services
                .iter()
                .map(|it| &**it)
                .collect::<Vec<_>>()
                .join(", "),
        ));
    }
    facts.push(fact(lang.topology_calls_in(), calls(true)));
    facts.push(fact(lang.topology_calls_out(), calls(false)));
    let (namespace, name) = told(stage, node);
    view! {
        <div class="subject"><strong>{end_view((namespace, name))}</strong><p class="quiet">{kind(lang, node)}</p></div>
        {unknown}
        <dl class="facts">{facts}</dl>
    }
    .into_any()
}

/// The question what becomes of a request along this edge, where both ends have names and it carries requests.
fn why(it: &Topology, edge: &Edge) -> Option<String> {
    let place = |i: u32| {
        let node = it.nodes.get(i as usize)?;
        let named = matches!(
            node.kind,
            NodeKind::Workload | NodeKind::Gateway | NodeKind::Ingress
        ) && !node.namespace.is_empty();
        named.then(|| format!("{}/{}", node.namespace, node.workload))
    };
    let requests = &*edge.protocol != "tcp";
    requests.then(|| Some(routes::why(&place(edge.source)?, &place(edge.target)?)))?
}

fn of_edge(stage: Stage, it: &Topology, edge: &Edge) -> AnyView {
    let lang = stage.lang;
    let end = |i: u32| {
        it.nodes
            .get(i as usize)
            .map(|node| told(stage, node))
            .unwrap_or_default()
    };
    let (from, to) = (end(edge.source), end(edge.target));
    let why = why(it, edge).map(|href| view! { <p class="inset"><A href>{lang.request_open()}</A></p> });
    let codes = edge.codes.iter().map(|it| {
        let flags = if &*it.flags == "-" { String::new() } else { format!(" {}", it.flags) };
        view! { <li><code>{format!("{}{flags}", it.code)}</code>" "<span class="num">{lang.unit_per_second(&format::number(it.rate))}</span></li> }
    });
    let codes = codes.collect_view();
    let hidden = match (edge.error_share, edge.attempt_error_share) {
        // A difference that the figures as shown do not show is none.
        (Some(seen), Some(attempts)) if attempts > seen + 0.000_05 => Some(
            view! { <p class="inset text-warn">{lang.topology_hidden_by_retries(&format::percent_of(Some(attempts)))}</p> },
        ),
        _ => None,
    };
    let mut facts = Vec::new();
    if edge.origin == Origin::IngressObject {
        facts.push(fact(lang.table_state(), lang.topology_inferred()));
    } else {
        facts.push(fact(lang.table_rate(), format::maybe(edge.rate)));
        facts.push(fact(lang.table_errors(), sign::errors(edge.error_share)));
        if edge.attempt_error_share.is_some() {
            facts.push(fact(
                lang.topology_attempts(),
                format::percent_of(edge.attempt_error_share),
            ));
        }
        facts.push(fact(lang.table_average(), format::duration_of(edge.average_ms)));
        if let Some(bytes) = edge.bytes_rate {
            facts.push(fact("TCP", lang.topology_throughput(&format::bytes(bytes))));
        }
        facts.push(fact(lang.table_mtls(), mtls(lang, edge.mtls_share)));
        if !codes.is_empty() {
            facts.push(fact(lang.topology_codes(), view! { <ul>{codes}</ul> }));
        }
    }
    let seen = edge
        .last_seen
        .map(|at| view! { <p class="inset quiet">{age(lang, at)}</p> });
    view! {
        <div class="subject">
            <strong>{end_view(from)}" → "{end_view(to)}</strong>
            <p class="quiet"><code>{edge.protocol.to_string()}</code></p>
            {pill(Sign::of_health(edge.health), sign::health(lang, edge.health))}
        </div>
        {seen}
        <dl class="facts">{facts}</dl>
        {why}
        {hidden}
        <div class="inset">{whys(lang, &edge.whys)}</div>
    }
    .into_any()
}
