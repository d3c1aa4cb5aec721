//! Nodes and the boxes of their namespaces.

use super::{
    Pen, Piece, Shown, select,
    svg::{cut, escape},
};
use crate::lang::Lang;
use naru_view::topology::{BOX_HEIGHT, BOX_WIDTH, EdgeHealth, Meshed, Node, NodeKind, Topology};
use std::fmt::Write as _;

/// Characters that fit into a box: of the name in 13 px bold, of the line below in 12 px.
const NAME: usize = 21;
const LINE: usize = 27;
/// Room of a namespace's box around its nodes: its name above them, a little on the other sides. Less than the gap between rows.
const ABOVE: f32 = 16.0;
const AROUND: f32 = 6.0;

/// The word for what a node stands for.
pub(crate) fn kind(lang: Lang, node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Ingress => lang.topology_ingress(),
        NodeKind::Gateway => lang.topology_gateway(),
        NodeKind::Workload => lang.topology_workload(),
        NodeKind::Service => lang.topology_service(),
        NodeKind::Unknown => lang.topology_unknown_caller(),
        NodeKind::Outside => lang.topology_outside(),
        NodeKind::Elsewhere => lang.topology_elsewhere(),
    }
}

/// What a node is called.
pub(crate) fn name(lang: Lang, node: &Node) -> String {
    match node.kind {
        NodeKind::Unknown => lang.topology_unknown_caller().into(),
        NodeKind::Elsewhere => lang.topology_elsewhere().into(),
        _ => node.workload.to_string(),
    }
}

/// The line below the name: what matters most about its pods.
fn subtitle(lang: Lang, node: &Node) -> String {
    let mut parts: Vec<String> = Vec::new();
    match node.kind {
        NodeKind::Unknown => return lang.topology_why_unknown().into(),
        NodeKind::Outside => return lang.topology_outside().into(),
        NodeKind::Elsewhere => return String::new(),
        NodeKind::Ingress => parts.push(lang.topology_ingress().into()),
        NodeKind::Gateway => parts.push(lang.topology_gateway().into()),
        NodeKind::Service => return lang.topology_service().into(),
        NodeKind::Workload => {
            if !node.version.is_empty() {
                parts.push(node.version.to_string());
            }
        }
    }
    if let Some((ready, all)) = node.pods {
        parts.push(lang.topology_pods(&all, &ready));
    }
    if let Some(mesh) = meshed(lang, node.meshed).filter(|_| node.kind != NodeKind::Ingress) {
        parts.push(mesh.into());
    }
    parts.join(" · ")
}

fn meshed(lang: Lang, meshed: Meshed) -> Option<&'static str> {
    match meshed {
        Meshed::Sidecar | Meshed::Unknown => None,
        Meshed::Partly => Some(lang.topology_partly()),
        Meshed::Ambient => Some(lang.topology_ambient()),
        Meshed::No => Some(lang.topology_no_sidecar()),
    }
}

/// The worst of what reaches each node.
fn healths(topology: &Topology, shown: &Shown) -> Vec<EdgeHealth> {
    let mut worst = vec![EdgeHealth::Good; topology.nodes.len()];
    for edge in shown.edges.iter().filter_map(|&i| topology.edges.get(i)) {
        if let Some(it) = worst.get_mut(edge.target as usize)
            && matches!(edge.health, EdgeHealth::Degraded | EdgeHealth::Failing)
        {
            *it = (*it).max(edge.health);
        }
    }
    worst
}

pub(super) fn nodes(topology: &Topology, shown: &Shown, pen: Pen<'_>) -> Vec<Piece> {
    let healths = healths(topology, shown);
    let draw = |&i: &usize| {
        let node = topology.nodes.get(i)?;
        Some(Piece {
            key: format!("n{}", node.id),
            svg: one(node, healths.get(i).copied(), pen),
        })
    };
    shown.nodes.iter().filter_map(draw).collect()
}

fn one(node: &Node, health: Option<EdgeHealth>, pen: Pen<'_>) -> String {
    let lang = pen.lang;
    let (name, line) = (name(lang, node), subtitle(lang, node));
    let mut class = String::from("node");
    if node.meshed == Meshed::No
        || matches!(
            node.kind,
            NodeKind::Unknown | NodeKind::Outside | NodeKind::Elsewhere
        )
    {
        class.push_str(" outside");
    }
    match health {
        Some(EdgeHealth::Failing) => class.push_str(" bad"),
        Some(EdgeHealth::Degraded) => class.push_str(" warn"),
        _ => {}
    }
    if node.pods.is_some_and(|(ready, all)| ready == 0 && all > 0) {
        class.push_str(" bad");
    }
    let (x, y) = (node.x - BOX_WIDTH / 2.0, node.y - BOX_HEIGHT / 2.0);
    let label = if node.namespace.is_empty() {
        format!("{name}, {line}")
    } else {
        format!("{name}, {}, {line}", node.namespace)
    };
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        svg,
        r#"<a class="{class}" href="{}" data-k="{}" aria-label="{}"><title>{}</title><rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/><text class="name" x="{}" y="{}">{}</text><text class="line" x="{}" y="{}">{}</text></a>"#,
        escape(&select::href(pen.query, &node.id)),
        escape(&node.id),
        escape(&label),
        escape(&label),
        x + 12.0,
        node.y - 4.0,
        escape(&cut(&name, NAME)),
        x + 12.0,
        node.y + 14.0,
        escape(&cut(&line, LINE)),
    );
    svg
}

/// A box for each run of neighbours of one namespace in one column. Runs, not hulls: a hull would also enclose strangers.
pub(super) fn namespaces(topology: &Topology, shown: &Shown) -> Vec<Piece> {
    let mut nodes: Vec<&Node> = shown
        .nodes
        .iter()
        .filter_map(|&i| topology.nodes.get(i))
        .collect();
    nodes.sort_by(|a, b| {
        (a.x, a.y)
            .partial_cmp(&(b.x, b.y))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut runs: Vec<(&Node, f32)> = Vec::new();
    for node in nodes {
        match runs.last_mut() {
            Some((first, bottom)) if first.x == node.x && first.namespace == node.namespace => {
                *bottom = node.y
            }
            _ => runs.push((node, node.y)),
        }
    }
    let boxed = runs.into_iter().filter(|(first, _)| !first.namespace.is_empty());
    boxed
        .map(|(first, bottom)| {
            let (x, y) = (first.x - BOX_WIDTH / 2.0 - AROUND, first.y - BOX_HEIGHT / 2.0 - ABOVE);
            let height = bottom - first.y + BOX_HEIGHT + ABOVE + AROUND;
            let svg = format!(
                r#"<g class="namespace" aria-hidden="true"><rect x="{x}" y="{y}" width="{}" height="{height}" rx="10"/><text x="{}" y="{}">{}</text></g>"#,
                BOX_WIDTH + 2.0 * AROUND,
                x + AROUND + 2.0,
                y + 12.0,
                escape(&cut(&first.namespace, 28)),
            );
            Piece { key: format!("b{}/{}", first.x, first.y), svg }
        })
        .collect()
}
