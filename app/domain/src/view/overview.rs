//! The front page's facts.

use super::services;
use crate::{actor::Scope, snapshot::Snapshot};
use naru_view::{
    Name,
    canary::Canary,
    change::{Change, Phase},
    overview::{FailingEdge, Overview},
    topology::{EdgeHealth, Meshed, Node, NodeKind, Topology},
};
use std::cmp::Ordering;

/// How many failing edges the front page names.
const FAILING: usize = 12;

/// Put together from what the other parts have already let through for this scope.
pub(super) fn overview(
    snapshot: &Snapshot,
    scope: &Scope,
    topology: &Topology,
    canaries: &[Canary],
    changes: &[Change],
) -> Overview {
    let workloads = topology
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::Workload | NodeKind::Gateway));
    let (meshed, all) = workloads.fold((0, 0), |(meshed, all), node| {
        (
            meshed + u32::from(matches!(node.meshed, Meshed::Sidecar | Meshed::Ambient)),
            all + 1,
        )
    });
    Overview {
        version: snapshot.version,
        window_s: topology.window_s,
        sources: topology.sources.clone(),
        services: services::services(snapshot, scope),
        failing: failing(topology),
        in_flight: canaries
            .iter()
            .filter(|canary| in_flight(canary))
            .cloned()
            .collect(),
        meshed: (meshed, all),
        open_changes: count(changes, |phase| {
            matches!(phase, Phase::Intended | Phase::Stopped { .. })
        }),
    }
}

fn count(changes: &[Change], of: impl Fn(&Phase) -> bool) -> u32 {
    changes
        .iter()
        .filter(|change| of(&change.phase))
        .fold(0, |n, _| n + 1)
}

/// More than one destination gets requests.
fn in_flight(canary: &Canary) -> bool {
    canary
        .destinations
        .iter()
        .filter(|destination| destination.weight > 0)
        .count()
        > 1
}

fn failing(topology: &Topology) -> Vec<FailingEdge> {
    let node = |position: u32| topology.nodes.get(position as usize);
    let place = |node: &Node| Name::from(format!("{}/{}", node.namespace, node.workload));
    let mut failing: Vec<FailingEdge> = topology
        .edges
        .iter()
        .filter(|edge| matches!(edge.health, EdgeHealth::Failing | EdgeHealth::Degraded))
        .filter_map(|edge| {
            Some(FailingEdge {
                source: place(node(edge.source)?),
                target: place(node(edge.target)?),
                rate: edge.rate?,
                error_share: edge.error_share?,
                code: edge
                    .codes
                    .iter()
                    .find(|it| failed(&it.code))
                    .map_or_else(|| "".into(), |it| format!("{} {}", it.code, it.flags).into()),
            })
        })
        .collect();
    let worst = |edge: &FailingEdge| edge.rate * edge.error_share;
    failing.sort_by(|a, b| {
        worst(b)
            .partial_cmp(&worst(a))
            .unwrap_or(Ordering::Equal)
            .then_with(|| a.target.cmp(&b.target))
    });
    failing.truncate(FAILING);
    failing
}

fn failed(code: &str) -> bool {
    code == "0" || code.starts_with('5')
}
