//! Where each node stands: layered from left to right, and so stable that a refresh never makes nodes jump.

use super::{
    graph::Graph,
    layers::layers,
    order::{Before, Input, order},
};
use crate::Name;
use naru_view::topology::{BOX_HEIGHT, BOX_WIDTH, GAP_X, GAP_Y, MARGIN, Node, NodeKind};
use std::collections::{BTreeMap, BTreeSet};

/// A layer with more nodes is drawn as several columns: with 40 rows a thousand nodes are about twice as wide as high, as screens are.
const ROWS: usize = 40;

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the left, from 0.
    pub layer: u32,
    /// Within the layer from above, from 0.
    pub slot: u32,
    /// Drawn apart, since no edge touches it.
    pub apart: bool,
}

/// The places of all nodes of a graph. Give it back to [`place`] for the next graph, so that nodes stay where readers look for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    structure: Structure,
    places: BTreeMap<Name, Place>,
}

/// What a layout depends on; rates and health are no part of it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Structure {
    nodes: Vec<(Name, NodeKind)>,
    edges: Vec<(u32, u32)>,
}

/// Places a graph's nodes. While nodes and edges are the same, the previous layout is returned as it was. Else the layers are computed
/// anew from the graph alone, and nodes that stood in one layer before, drawn with edges (or both apart), keep their order wherever
/// they stand in one layer again; unless more than half of the nodes with edges are new: then the picture begins anew.
pub fn place(previous: Option<&Layout>, graph: &Graph) -> Layout {
    let mut edges: Vec<(u32, u32)> = graph
        .edges
        .iter()
        .map(|edge| (edge.source, edge.target))
        .collect();
    edges.dedup();
    let nodes = graph
        .nodes
        .iter()
        .map(|node| (node.id.clone(), node.kind))
        .collect();
    let structure = Structure { nodes, edges };
    if let Some(previous) = previous.filter(|previous| previous.structure == structure) {
        return previous.clone();
    }
    let layers = layers(graph);
    let mut joined: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); graph.nodes.len()];
    for &(from, to) in &structure.edges {
        joined[from as usize].insert(to as usize);
        joined[to as usize].insert(from as usize);
    }
    let input = Input {
        groups: graph.nodes.iter().map(|node| &node.namespace).collect(),
        joined: joined
            .into_iter()
            .map(|others| others.into_iter().collect())
            .collect(),
        before: before(previous, graph, &layers.apart),
        layers: &layers,
    };
    let mut places = BTreeMap::new();
    for layer in order(&input) {
        for (slot, node) in (0..).zip(layer) {
            let place = Place {
                layer: layers.of[node],
                slot,
                apart: layers.apart[node],
            };
            places.insert(graph.nodes[node].id.clone(), place);
        }
    }
    Layout { structure, places }
}

fn before(previous: Option<&Layout>, graph: &Graph, apart: &[bool]) -> Vec<Before> {
    let Some(previous) = previous else {
        return vec![None; graph.nodes.len()];
    };
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    for place in previous.places.values() {
        *counts.entry(place.layer).or_default() += 1;
    }
    let place = |(node, apart): (&Node, &bool)| {
        let place = previous
            .places
            .get(&node.id)
            .filter(|place| place.apart == *apart)?;
        Some((place.layer, place.slot, counts[&place.layer]))
    };
    graph.nodes.iter().zip(apart).map(place).collect()
}

impl Layout {
    /// A node's place by its id.
    pub fn place(&self, id: &str) -> Option<Place> {
        self.places.get(id).copied()
    }

    /// Sets the centres of the boxes, in the layout's order, without gaps for nodes that are not among these. Foreign callers come
    /// first, everything else that the layout does not know last. Returns width and height of the drawing in pixels at scale 1.
    pub(super) fn draw(&self, nodes: &mut [Node]) -> (f32, f32) {
        let mut layers: BTreeMap<(u8, u32), Vec<(u32, usize)>> = BTreeMap::new();
        for (i, node) in nodes.iter().enumerate() {
            let (layer, slot) = match self.places.get(&node.id) {
                Some(place) => ((1, place.layer), place.slot),
                None if &*node.id == "elsewhere///callers" => ((0, 0), 0),
                None => ((2, 0), 0),
            };
            layers.entry(layer).or_default().push((slot, i));
        }
        let (mut columns, mut rows) = (0_u16, 0_u16);
        for layer in layers.values_mut() {
            layer.sort_unstable();
            for column in layer.chunks(ROWS) {
                for (row, (_, i)) in (0_u16..).zip(column) {
                    nodes[*i].x = MARGIN + BOX_WIDTH / 2.0 + f32::from(columns) * (BOX_WIDTH + GAP_X);
                    nodes[*i].y = MARGIN + BOX_HEIGHT / 2.0 + f32::from(row) * (BOX_HEIGHT + GAP_Y);
                    rows = rows.max(row + 1);
                }
                columns = columns.saturating_add(1);
            }
        }
        let extent = |count: u16, size: f32, gap: f32| {
            2.0 * MARGIN + f32::from(count) * size + f32::from(count.saturating_sub(1)) * gap
        };
        (extent(columns, BOX_WIDTH, GAP_X), extent(rows, BOX_HEIGHT, GAP_Y))
    }
}

#[cfg(test)]
mod tests;
