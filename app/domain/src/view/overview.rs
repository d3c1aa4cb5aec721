//! The front page's facts.

use crate::{
    actor::Scope,
    object::Kind,
    snapshot::Snapshot,
    topology::round,
    traffic::{Flow, Protocol, Reporter, ServiceId},
};
use naru_view::{
    Name,
    canary::Canary,
    change::{Change, Phase},
    overview::{FailingEdge, Overview, ServiceRow},
    topology::{EdgeHealth, Meshed, Node, NodeKind, Topology},
};
use std::{cmp::Ordering, collections::BTreeMap};

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
        services: services(snapshot, scope),
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

/// Services with traffic, and services with endpoints outside the system's own namespaces.
fn services(snapshot: &Snapshot, scope: &Scope) -> Vec<ServiceRow> {
    let objects = &*snapshot.objects.value;
    let mut endpoints: BTreeMap<ServiceId, (u32, u32)> = BTreeMap::new();
    for slice in objects.endpoint_slices.values() {
        let id = ServiceId {
            namespace: slice.namespace.clone(),
            name: slice.service.clone(),
        };
        let (ready, all) = endpoints.entry(id).or_default();
        for endpoint in &slice.endpoints {
            *ready += u32::from(endpoint.ready);
            *all += 1;
        }
    }
    let known = [Kind::Service, Kind::EndpointSlice]
        .iter()
        .all(|&kind| objects.gap(kind).is_none());
    let mut rows: BTreeMap<ServiceId, Flow> = BTreeMap::new();
    for id in objects.services.keys().map(|key| ServiceId {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }) {
        let system = matches!(
            &*id.namespace,
            "kube-system" | "kube-public" | "kube-node-lease" | "istio-system"
        );
        let api_server = &*id.namespace == "default" && &*id.name == "kubernetes";
        if !system && !api_server {
            rows.entry(id).or_default();
        }
    }
    let flows = snapshot
        .traffic
        .value
        .traffic
        .iter()
        .flat_map(|traffic| &traffic.flows);
    let measured = snapshot.traffic.value.traffic.is_some();
    for (key, flow) in
        flows.filter(|(key, _)| key.reporter == Reporter::Destination && key.protocol != Protocol::Tcp)
    {
        let row = rows.entry(key.service.clone()).or_default();
        // Means of several flows are weighed by their rates.
        let (ours, theirs) = (
            row.average_ms.unwrap_or(0.0) * row.rate,
            flow.average_ms.unwrap_or(0.0) * flow.rate,
        );
        row.rate += flow.rate;
        row.failed += flow.failed;
        row.mtls += flow.mtls;
        row.average_ms = (row.rate > 0.0).then(|| (ours + theirs) / row.rate);
    }
    rows.into_iter()
        .filter(|(id, _)| !id.name.is_empty() && scope.sees(&id.namespace))
        .map(|(id, flow)| {
            let share = |part: f64| round::share(part, flow.rate);
            ServiceRow {
                endpoints: known.then(|| endpoints.get(&id).copied().unwrap_or_default()),
                namespace: id.namespace,
                name: id.name,
                rate: measured.then(|| round::significant(flow.rate)),
                error_share: share(flow.failed),
                average_ms: flow.average_ms.map(round::significant),
                mtls_share: share(flow.mtls),
            }
        })
        .collect()
}
