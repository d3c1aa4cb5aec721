//! The draft as rows: rounded, sorted, with what is not known said beside each number.

use super::{
    Known,
    draft::{Draft, EdgeDraft, draft},
    node::NodeKey,
    sum::Sum,
};
use crate::{
    Name, Timestamp, Why,
    actor::Scope,
    traffic::{Protocol, ServiceId},
};
use naru_view::topology::{Edge, EdgeHealth, Meshed, Node, NodeKind, Origin};
use std::collections::{BTreeMap, BTreeSet};

/// From this share of failures on an edge counts as degraded; as failing.
const DEGRADED: f64 = 0.001;
const FAILING: f64 = 0.05;

/// How far the called side's share under mutual TLS may lie below the caller's: the two windows never cover quite the same requests.
const SECURITY_TOLERANCE: f64 = 0.05;

/// Nodes and edges, not yet placed: every `x` and `y` is 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Sorted by id.
    pub nodes: Vec<Node>,
    /// Sorted by (source, target, protocol); ends are positions in `nodes`.
    pub edges: Vec<Edge>,
    /// Quiet workloads that were left out (see [`naru_view::topology::Topology`]).
    pub quiet_left_out: u32,
}

/// Who calls whom, as `scope` may see it: an edge is shown if either end's namespace is visible, and the other end becomes nameless.
pub fn graph(known: &Known<'_>, scope: &Scope) -> Graph {
    let draft = draft(known, scope);
    let nodes = nodes(&draft, scope);
    let index: BTreeMap<&NodeKey, u32> = (0..).zip(&nodes).map(|(i, (key, _))| (*key, i)).collect();
    let window_s = known.traffic.map_or(0, |traffic| traffic.window_s);
    let mut edges: Vec<Edge> = draft
        .edges
        .iter()
        .filter_map(|((source, target, protocol), it)| {
            let (from, to) = (*index.get(source)?, *index.get(target)?);
            let mut edge = edge(from, to, *protocol, it);
            edge.whys = whys(&draft, source, target, it, window_s);
            Some(edge)
        })
        .collect();
    edges.sort_by(|a, b| (a.source, a.target, &a.protocol).cmp(&(b.source, b.target, &b.protocol)));
    Graph {
        nodes: nodes.into_iter().map(|(_, node)| node).collect(),
        edges,
        quiet_left_out: draft.quiet_left_out,
    }
}

/// All nodes, sorted by id.
pub(super) fn nodes<'d>(draft: &'d Draft<'_>, scope: &Scope) -> Vec<(&'d NodeKey, Node)> {
    let mut nodes: Vec<(&NodeKey, Node)> = draft
        .nodes
        .keys()
        .map(|key| (key, node(draft, key, scope)))
        .collect();
    nodes.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    nodes
}

fn node(draft: &Draft<'_>, key: &NodeKey, scope: &Scope) -> Node {
    let stock = draft.stock(key);
    let heard = &draft.nodes[key];
    let namespace = key.namespace();
    let or = |known: Option<Name>, heard: Name| known.filter(|name| !name.is_empty()).unwrap_or(heard);
    let selecting = stock.into_iter().flat_map(|stock| &stock.services).cloned();
    let asked = heard
        .services
        .iter()
        .filter(|service| scope.sees(&service.namespace));
    let services: BTreeSet<Name> = selecting
        .chain(asked.map(|service| called(service, &namespace)))
        .collect();
    let pods = match (key, stock) {
        (_, Some(stock)) => Some(stock.pods()).filter(|(_, all)| *all > 0 || draft.inventory.complete),
        (NodeKey::Workload { cluster, .. }, None) if cluster.is_empty() && draft.inventory.complete => {
            Some((0, 0))
        }
        _ => None,
    };
    let home = matches!(key, NodeKey::Workload { .. } | NodeKey::Service { .. }) && key.cluster().is_empty();
    Node {
        id: key.id(),
        kind: kind(draft, key),
        cluster: if home {
            draft.home.clone()
        } else {
            key.cluster().into()
        },
        workload: key.name(),
        app: or(stock.map(super::inventory::Stock::app), heard.app.get()),
        // Where pods are known, an absent label is a fact: Istio would call such a version `latest`.
        version: stock
            .filter(|stock| stock.pods().1 > 0)
            .map_or_else(|| heard.version.get(), |stock| stock.version()),
        services: services.into_iter().collect(),
        meshed: draft.meshed(key),
        pods,
        candidates: heard.candidates.clone(),
        x: 0.0,
        y: 0.0,
        namespace,
    }
}

fn kind(draft: &Draft<'_>, key: &NodeKey) -> NodeKind {
    match key {
        NodeKey::Workload { namespace, name, .. } => match draft.stock(key) {
            Some(stock) if stock.gateway => NodeKind::Gateway,
            Some(_) if draft.controllers.contains(&(namespace.clone(), name.clone())) => NodeKind::Ingress,
            Some(_) => NodeKind::Workload,
            // Without pods to look at, the names that Istio's charts give their gateways.
            None if matches!(&**name, "istio-ingressgateway" | "istio-egressgateway") => NodeKind::Gateway,
            None => NodeKind::Workload,
        },
        NodeKey::Service { .. } => NodeKind::Service,
        NodeKey::Unknown { .. } => NodeKind::Unknown,
        NodeKey::Outside { .. } => NodeKind::Outside,
        NodeKey::Ingress { .. } => NodeKind::Ingress,
        NodeKey::Elsewhere(_) => NodeKind::Elsewhere,
    }
}

fn called(service: &ServiceId, from: &Name) -> Name {
    if service.namespace == *from || service.namespace.is_empty() {
        service.name.clone()
    } else {
        format!("{}.{}", service.name, service.namespace).into()
    }
}

/// What the user sees comes from the caller's proxy, where it counted; what a version did itself from the called side's.
fn edge(source: u32, target: u32, protocol: Protocol, it: &EdgeDraft) -> Edge {
    let seen: &Sum = if it.source.active() {
        &it.source
    } else {
        &it.destination
    };
    let active = seen.active();
    let error_share = seen.error_share();
    Edge {
        source,
        target,
        protocol: protocol.name().into(),
        origin: if it.inferred {
            Origin::IngressObject
        } else {
            Origin::Metrics
        },
        rate: (!it.inferred).then(|| seen.rate()),
        error_share,
        attempt_error_share: it.destination.error_share(),
        average_ms: seen.average_ms(),
        bytes_rate: (protocol == Protocol::Tcp).then(|| seen.bytes_rate()),
        mtls_share: it.destination.mtls_share(),
        by_source: it.source.active(),
        by_destination: it.destination.active(),
        health: match error_share.unwrap_or(0.0) {
            _ if !active => EdgeHealth::Idle,
            share if share >= FAILING => EdgeHealth::Failing,
            share if share >= DEGRADED => EdgeHealth::Degraded,
            _ => EdgeHealth::Good,
        },
        codes: seen.codes(),
        last_seen: it.last_seen.filter(|_| !active).map(Timestamp::as_millisecond),
        whys: Vec::new(),
    }
}

fn whys(draft: &Draft<'_>, source: &NodeKey, target: &NodeKey, it: &EdgeDraft, window_s: u32) -> Vec<Why> {
    let mut whys = BTreeSet::new();
    let meshed = [draft.meshed(source), draft.meshed(target)];
    if meshed.contains(&Meshed::Ambient) {
        whys.insert(Why::NotJudged {
            what: "ambient".into(),
        });
    }
    let (by_source, by_destination) = (it.source.active(), it.destination.active());
    if !it.inferred && !by_source && !by_destination {
        whys.insert(Why::NoTraffic { window_s });
    }
    // A gateway counts as caller only; and of what never arrived the called side cannot know.
    let arrives = kind(draft, target) != NodeKind::Gateway && it.source.error_share() != Some(1.0);
    if meshed == [Meshed::Sidecar; 2] && by_source != by_destination && (arrives || by_destination) {
        let missing = if by_source { "destination" } else { "source" };
        whys.insert(Why::OneReporter {
            missing: missing.into(),
        });
    }
    if let (Some(sent), Some(arrived)) = (it.source.mtls_share(), it.destination.mtls_share())
        && sent - arrived > SECURITY_TOLERANCE
    {
        whys.insert(Why::SecurityDisagrees);
    }
    whys.into_iter().collect()
}
