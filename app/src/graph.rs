//! The drawing of a topology: pure functions from the view to pieces of SVG, the same on both sides.
//!
//! A piece is drawn as text, one for each node, edge and namespace box. The page keys them by what they show, so a refresh replaces
//! only the pieces that look different, and a thousand nodes need no thousand reactive scopes. Everything that comes from the
//! cluster passes [`svg::escape`].

mod edge;
mod find;
mod node;
mod select;
mod svg;

pub(crate) use edge::{key as edge_key, mtls};
pub(crate) use find::{Find, shown};
pub(crate) use node::{kind, name};
pub(crate) use select::{Selection, href, link, query};
pub(crate) use svg::escape;

use crate::lang::Lang;
use naru_view::{
    Millis,
    topology::{BOX_HEIGHT, BOX_WIDTH, MARGIN, Topology},
};

/// One part of the drawing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    /// What it is, stable over snapshots.
    pub(crate) key: String,
    /// What it looks like.
    pub(crate) svg: String,
}

/// What a drawing is made for.
#[derive(Clone, Copy)]
pub(crate) struct Pen<'a> {
    pub(crate) lang: Lang,
    /// The query that links carry along, without the selection.
    pub(crate) query: &'a str,
    pub(crate) now: Millis,
}

/// Which nodes and edges are drawn, by position in the topology.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shown {
    pub(crate) nodes: Vec<usize>,
    pub(crate) edges: Vec<usize>,
}

/// All pieces in drawing order: namespaces below edges below nodes.
pub(crate) fn draw(topology: &Topology, shown: &Shown, pen: Pen<'_>) -> Vec<Piece> {
    let mut pieces = node::namespaces(topology, shown);
    pieces.extend(edge::edges(topology, shown, pen));
    pieces.extend(node::nodes(topology, shown, pen));
    pieces
}

/// The part of the plane that the shown nodes need: x, y, width, height.
pub(crate) fn frame(topology: &Topology, shown: &Shown) -> (f32, f32, f32, f32) {
    let mut nodes = shown.nodes.iter().filter_map(|&i| topology.nodes.get(i));
    let Some(first) = nodes.next() else {
        return (0.0, 0.0, topology.width.max(1.0), topology.height.max(1.0));
    };
    let start = (first.x, first.y, first.x, first.y);
    let (left, top, right, bottom) = nodes.fold(start, |(l, t, r, b), it| {
        (l.min(it.x), t.min(it.y), r.max(it.x), b.max(it.y))
    });
    let (dx, dy) = (BOX_WIDTH / 2.0 + MARGIN, BOX_HEIGHT / 2.0 + MARGIN);
    (
        left - dx,
        top - dy,
        right - left + 2.0 * dx,
        bottom - top + 2.0 * dy,
    )
}
