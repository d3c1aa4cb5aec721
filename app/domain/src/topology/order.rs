//! The order within a layer: namespaces together, near to what they are joined with, and as it was before.

use super::layers::Layers;
use crate::Name;
use std::collections::BTreeMap;

/// How often the layers are swept, there and back. More changed nothing visible on graphs of some hundred nodes.
const SWEEPS: usize = 4;

/// Where a node stood before: layer, slot, how many stood in that layer.
pub(super) type Before = Option<(u32, u32, u32)>;

/// What the order is made from, by node.
pub(super) struct Input<'a> {
    pub(super) layers: &'a Layers,
    pub(super) groups: Vec<&'a Name>,
    /// Nodes on the other ends of its edges.
    pub(super) joined: Vec<Vec<usize>>,
    pub(super) before: Vec<Before>,
}

/// The nodes of each layer, from above.
pub(super) fn order(input: &Input<'_>) -> Vec<Vec<usize>> {
    let depth = input.layers.of.iter().max().map_or(0, |max| *max as usize + 1);
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); depth];
    for (node, layer) in input.layers.of.iter().enumerate() {
        layers[*layer as usize].push(node);
    }
    // A first picture, or one of which most was never drawn with edges: nothing that a reader has learned by heart is lost.
    let joined = |i: &usize| !input.layers.apart[*i];
    let all = (0..input.before.len()).filter(joined).count();
    let kept = (0..input.before.len())
        .filter(joined)
        .filter(|&i| input.before[i].is_some())
        .count();
    if kept * 2 < all || input.before.iter().all(Option::is_none) {
        sweep(input, layers)
    } else {
        keep(input, layers)
    }
}

fn place(positions: &mut [f64], layer: &[usize]) {
    for (slot, &node) in layer.iter().enumerate() {
        positions[node] = middle(slot, layer.len());
    }
}

fn middle(slot: usize, of: usize) -> f64 {
    (slot as f64 + 0.5) / of.max(1) as f64
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Barycentres, there and back, each namespace as one block.
fn sweep(input: &Input<'_>, mut layers: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let mut positions = vec![0.5; input.groups.len()];
    for layer in &mut layers {
        layer.sort_by_key(|&node| (input.groups[node], node));
        place(&mut positions, layer);
    }
    for round in 0..SWEEPS {
        let forward = round % 2 == 0;
        for step in 0..layers.len() {
            let at = if forward { step } else { layers.len() - 1 - step };
            let before = |node: usize| (input.layers.of[node] as usize).cmp(&at).is_lt() == forward;
            let wish: Vec<f64> = layers[at]
                .iter()
                .map(|&node| {
                    let others = input.joined[node].iter().copied();
                    let others =
                        others.filter(|&other| input.layers.of[other] as usize != at && before(other));
                    mean(others.map(|other| positions[other])).unwrap_or(positions[node])
                })
                .collect();
            let mut blocks: BTreeMap<&Name, Vec<(f64, usize)>> = BTreeMap::new();
            for (&node, &wish) in layers[at].iter().zip(&wish) {
                blocks.entry(input.groups[node]).or_default().push((wish, node));
            }
            let mut blocks: Vec<(f64, Vec<(f64, usize)>)> = blocks
                .into_values()
                .map(|mut block| {
                    block.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                    (mean(block.iter().map(|(wish, _)| *wish)).unwrap_or(0.5), block)
                })
                .collect();
            // The sort is stable: blocks of equal wish stay in order of their names.
            blocks.sort_by(|a, b| a.0.total_cmp(&b.0));
            layers[at] = blocks
                .into_iter()
                .flat_map(|(_, block)| block)
                .map(|(_, node)| node)
                .collect();
            place(&mut positions, &layers[at]);
        }
    }
    layers
}

/// Those that stood in one layer before keep their order in whichever layer they meet again; the others are put between them.
fn keep(input: &Input<'_>, mut layers: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let mut positions: Vec<Option<f64>> = input
        .before
        .iter()
        .map(|before| before.map(|(_, slot, of)| middle(slot as usize, of as usize)))
        .collect();
    for layer in &mut layers {
        let mut from: BTreeMap<u32, Vec<(u32, usize)>> = BTreeMap::new();
        let mut new = Vec::new();
        for &node in layer.iter() {
            match input.before[node] {
                Some((layer, slot, _)) => from.entry(layer).or_default().push((slot, node)),
                None => new.push(node),
            }
        }
        let mut from: Vec<Vec<(u32, usize)>> = from.into_values().collect();
        from.iter_mut().for_each(|group| group.sort_unstable());
        from.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let mut line: Vec<usize> = Vec::with_capacity(layer.len());
        for group in from {
            let mut floor = 0;
            for (_, node) in group {
                floor = insert(input, &positions, &mut line, node, floor) + 1;
            }
        }
        for node in new {
            insert(input, &positions, &mut line, node, 0);
        }
        for (slot, &node) in line.iter().enumerate() {
            positions[node] = Some(middle(slot, line.len()));
        }
        *layer = line;
    }
    layers
}

/// Puts a node at or after `floor`, beside its own namespace if that is there, else between two others, nearest to what it is joined
/// with. Returns where. The first group of a layer is put into an empty line one after the other: its floor is always the end.
fn insert(
    input: &Input<'_>,
    positions: &[Option<f64>],
    line: &mut Vec<usize>,
    node: usize,
    floor: usize,
) -> usize {
    let group = input.groups[node];
    let wish = mean(input.joined[node].iter().filter_map(|&other| positions[other])).unwrap_or(1.0);
    let at = |i: usize| line.get(i).map(|&other| input.groups[other]);
    let above = |slot: usize| slot.checked_sub(1).and_then(at);
    let beside = |slot: &usize| above(*slot) == Some(group) || at(*slot) == Some(group);
    let between = |slot: &usize| above(*slot).is_none() || above(*slot) != at(*slot);
    let free = floor..=line.len();
    let nearest = |slots: &mut dyn Iterator<Item = usize>| {
        slots.min_by(|&a, &b| {
            let far = |slot: usize| (middle(slot, line.len() + 1) - wish).abs();
            far(a).total_cmp(&far(b)).then(b.cmp(&a))
        })
    };
    let slot = nearest(&mut free.clone().filter(beside))
        .or_else(|| nearest(&mut free.clone().filter(between)))
        .unwrap_or(line.len());
    line.insert(slot, node);
    slot
}
