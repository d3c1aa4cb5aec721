//! Which column a node stands in: longest paths from left to right.

use super::graph::Graph;
use naru_view::topology::NodeKind;

/// By node: its layer from the left, and whether it stands apart because no edge touches it.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub(super) of: Vec<u32>,
    pub(super) apart: Vec<bool>,
}

/// Ways in stand leftmost: an edge that leads back to one of them from within is not followed. Other cycles are cut where a depth-first
/// walk in order of ids meets its own path. Who is called by nobody (a job, unknown callers) stands right before what it calls first, so that
/// its line does not run behind others' boxes. What no edge touches
/// stands in a column of its own at the right. Depends on the graph alone, not on what was drawn before.
pub(super) fn layers(graph: &Graph) -> Layers {
    let count = graph.nodes.len();
    let entrance = entrances(graph);
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut apart = vec![true; count];
    let mut called = vec![false; count];
    for edge in &graph.edges {
        let (from, to) = (edge.source as usize, edge.target as usize);
        (apart[from], apart[to]) = (false, false);
        if from != to && entrance[to] <= entrance[from] {
            next[from].push(to);
            called[to] = true;
        }
    }
    for targets in &mut next {
        targets.dedup();
    }
    let walk = walk(&next, &called, &entrance);
    let mut of = vec![0_u32; count];
    for &from in walk.order.iter().rev() {
        for &to in &next[from] {
            if walk.finished[to] < walk.finished[from] {
                of[to] = of[to].max(of[from] + 1);
            }
        }
    }
    for from in 0..count {
        let unknown = graph.nodes[from].kind == NodeKind::Unknown;
        if !called[from] && (entrance[from] == 0 || unknown) {
            let first = next[from].iter().map(|&to| of[to]).min();
            of[from] = first.map_or(of[from], |first| first.saturating_sub(1));
        }
    }
    let last = (0..count)
        .filter(|&i| !apart[i] || is_way_in(graph, i))
        .map(|i| of[i] + 1)
        .max()
        .unwrap_or(0);
    for i in (0..count).filter(|&i| apart[i]) {
        of[i] = if is_way_in(graph, i) { 0 } else { last };
    }
    Layers { of, apart }
}

fn is_way_in(graph: &Graph, node: usize) -> bool {
    matches!(
        graph.nodes[node].kind,
        NodeKind::Ingress | NodeKind::Gateway | NodeKind::Unknown
    )
}

/// 2 for ingress controllers and unknown callers, 1 for gateways that lead inwards, 0 for all else (an egress gateway too: it leads to no
/// workload).
fn entrances(graph: &Graph) -> Vec<u8> {
    let mut leads_in = vec![false; graph.nodes.len()];
    for edge in &graph.edges {
        leads_in[edge.source as usize] |=
            edge.source != edge.target && graph.nodes[edge.target as usize].kind == NodeKind::Workload;
    }
    let rank = |(node, leads_in): (&naru_view::topology::Node, &bool)| match node.kind {
        NodeKind::Ingress | NodeKind::Unknown => 2,
        NodeKind::Gateway if *leads_in => 1,
        _ => 0,
    };
    graph.nodes.iter().zip(&leads_in).map(rank).collect()
}

struct Walk {
    /// Nodes as the walk left them: each after all that it reaches, cycles aside.
    order: Vec<usize>,
    /// Position in `order`. An edge to a node that was left later closes a cycle.
    finished: Vec<usize>,
}

/// Depth first, without recursion: a chain may be as long as the graph.
fn walk(next: &[Vec<usize>], called: &[bool], entrance: &[u8]) -> Walk {
    let count = next.len();
    let mut starts: Vec<usize> = (0..count).collect();
    starts.sort_by_key(|&i| (called[i], std::cmp::Reverse(entrance[i]), i));
    let mut walk = Walk {
        order: Vec::with_capacity(count),
        finished: vec![usize::MAX; count],
    };
    let mut entered = vec![false; count];
    for start in starts {
        if entered[start] {
            continue;
        }
        entered[start] = true;
        let mut path = vec![(start, 0_usize)];
        while let Some((node, tried)) = path.last_mut() {
            if let Some(&to) = next[*node].get(*tried) {
                *tried += 1;
                if !entered[to] {
                    entered[to] = true;
                    path.push((to, 0));
                }
            } else {
                walk.finished[*node] = walk.order.len();
                walk.order.push(*node);
                path.pop();
            }
        }
    }
    walk
}
