//! Who calls whom: the graph, its table twin, and the details of what is selected. Namespaces, search and selection are in the URL.

mod canvas;
mod details;
mod filters;
mod table;

use crate::{
    components::{
        age::ago,
        page::Heading,
        sign::{Sign, pill},
        states::empty,
    },
    context::lang,
    graph::{Find, Selection, Shown, query, shown},
    lang::Lang,
    live::{self, Live},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use naru_view::{
    source::Freshness,
    topology::{EdgeHealth, Meshed, NodeKind, Origin, Topology},
    why::SourceName,
};
use std::sync::Arc;

/// The page.
pub(crate) fn topology() -> impl IntoView {
    live::part::<Topology>(draw)
}

/// What the parts of the page share: the picture, and what the URL says.
#[derive(Clone, Copy)]
struct Stage {
    lang: Lang,
    data: RwSignal<Arc<Topology>>,
    namespaces: Memo<Vec<String>>,
    find: Memo<String>,
    selected: Memo<String>,
    shown: Memo<Shown>,
}

impl Stage {
    fn new(data: RwSignal<Arc<Topology>>) -> Self {
        let url = use_query_map();
        let get =
            move |name: &'static str| Memo::new(move |_| url.with(|url| url.get(name).unwrap_or_default()));
        let (ns, find) = (get("ns"), get("find"));
        let namespaces = Memo::new(move |_| {
            ns.with(|ns| {
                ns.split(',')
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
        });
        let shown = Memo::new(move |_| {
            let find = find.with(|text| Find::parse(text).unwrap_or_default());
            namespaces.with(|names| {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                data.with(|it| shown(it, &names, &find))
            })
        });
        Self {
            lang: lang(),
            data,
            namespaces,
            find,
            selected: get("sel"),
            shown,
        }
    }

    /// The query without the selection, for links that select.
    fn query(self) -> String {
        query(&[
            ("ns", &self.namespaces.with(|it| it.join(","))),
            ("find", &self.find.get()),
        ])
    }

    fn selection(self) -> Option<Selection> {
        self.selected
            .with(|key| self.data.with(|it| Selection::of(it, key)))
    }
}

fn draw(data: RwSignal<Arc<Topology>>) -> AnyView {
    let stage = Stage::new(data);
    let lang = stage.lang;
    let now = Live::here().now;
    let standing = Memo::new(move |_| data.with(|it| Standing::of(it)));
    let answer = Signal::derive(move || standing.get().answer(lang));
    let lead = move || {
        let standing = standing.get();
        let measured = data
            .with(|it| it.at)
            .map(|at| lang.topology_measured(&ago(lang, now.get(), at)));
        let mtls = (standing.judged > 0).then(|| lang.topology_mtls(&standing.judged, &standing.mtls));
        let unmeshed = (standing.unmeshed > 0).then(|| lang.topology_unmeshed(standing.unmeshed));
        let window = Some(lang.unit_window(&data.with(|it| it.window_s)));
        [mtls, unmeshed, window, measured]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · ")
    };
    let sign = move || {
        let standing = standing.get();
        match (standing.known, standing.measured, standing.bad) {
            (false, ..) => pill(Sign::Unknown, lang.source_stale()),
            (true, 0, _) => pill(Sign::Idle, lang.health_idle()),
            (true, _, 0) => pill(Sign::Good, lang.health_good()),
            (true, ..) if standing.failing => pill(Sign::Bad, lang.health_failing()),
            (true, ..) => pill(Sign::Warn, lang.health_degraded()),
        }
    };
    let none = Memo::new(move |_| data.with(|it| it.nodes.is_empty()));
    view! {
        <div class="page">
            <div class="lead">
                <Heading title=lang.app_title(&lang.topology_title()) answer/>
                {sign}
                <p>{lead}</p>
            </div>
            <Show
                when=move || !none.get()
                fallback=move || view! { <section class="card">{empty(lang.topology_empty())}</section> }
            >
                {filters::filters(stage)}
                <div class="stage">
                    {canvas::canvas(stage)}
                    {details::details(stage)}
                </div>
                {table::table(stage)}
            </Show>
        </div>
    }
    .into_any()
}

/// The answer in numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Standing {
    /// Whether the figures are current.
    known: bool,
    /// Edges with requests in the window.
    measured: u64,
    bad: u64,
    failing: bool,
    /// Edges of which mTLS is known, and those that are all under it.
    judged: u64,
    mtls: u64,
    unmeshed: u64,
}

impl Standing {
    fn of(it: &Topology) -> Self {
        let source = it
            .sources
            .iter()
            .find(|state| state.source == SourceName::Prometheus);
        let count = |n: usize| n as u64;
        let edges = || {
            it.edges
                .iter()
                .filter(|edge| edge.origin == Origin::Metrics && edge.health != EdgeHealth::Idle)
        };
        let bad = || edges().filter(|edge| matches!(edge.health, EdgeHealth::Degraded | EdgeHealth::Failing));
        let outside = |node: &&naru_view::topology::Node| {
            node.kind == NodeKind::Unknown || (node.kind == NodeKind::Workload && node.meshed == Meshed::No)
        };
        Self {
            known: source.is_some_and(|state| matches!(state.state, Freshness::Fresh | Freshness::Partial)),
            measured: count(edges().count()),
            bad: count(bad().count()),
            failing: bad().any(|edge| edge.health == EdgeHealth::Failing),
            judged: count(edges().filter(|edge| edge.mtls_share.is_some()).count()),
            mtls: count(
                edges()
                    .filter(|edge| edge.mtls_share.is_some_and(|share| share >= 1.0))
                    .count(),
            ),
            unmeshed: count(it.nodes.iter().filter(outside).count()),
        }
    }

    fn answer(self, lang: Lang) -> String {
        match (self.known, self.measured, self.bad) {
            (false, ..) => lang.topology_answer_unknown().into(),
            (true, 0, _) => lang.topology_answer_empty().into(),
            (true, n, 0) => lang.topology_answer_good(n),
            (true, all, n) => lang.topology_answer_bad(&all, n),
        }
    }
}
