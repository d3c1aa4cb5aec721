//! The graph for scripts: what `naru graph --output json` prints. The same data give the same bytes: fields in the order below, rows
//! sorted, numbers rounded to three significant digits (shares to four decimals).

use super::{Known, draft::draft, graph::nodes, node::NodeKey, sum::Sum};
use crate::{Name, actor::Scope};
use naru_view::topology::{CodeRate, Meshed, NodeKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole graph. `{"window_s", "at", "nodes": [...], "edges": [...]}`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Over how many seconds rates are taken; 0 if there never was an answer.
    pub window_s: u32,
    /// When the traffic was measured: milliseconds since the Unix epoch, `null` if never.
    pub at: Option<i64>,
    /// Sorted by id.
    pub nodes: Vec<NodeRow>,
    /// Sorted by source, target, protocol, reporter.
    pub edges: Vec<EdgeRow>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeRow {
    /// Stable name of the node; edges refer to it.
    pub id: Name,
    /// `ingress`, `gateway`, `workload`, `service`, `unknown`, `outside` or `elsewhere`.
    pub kind: NodeKind,
    /// Istio's cluster id; empty if the metrics do not say.
    pub cluster: Name,
    /// Kubernetes namespace; empty for what has none.
    pub namespace: Name,
    /// Workload, or the name of what stands in its place; empty for an unknown caller.
    pub workload: Name,
    /// Canonical service or app label; may be empty.
    pub app: Name,
    /// Version label; may be empty.
    pub version: Name,
    /// Services that select it or through which it was called, sorted.
    pub services: Vec<Name>,
    /// `sidecar`, `partly`, `ambient`, `no` or `unknown`.
    pub meshed: Meshed,
}

/// What one reporter says about one edge. Rows of the two reporters describe the same requests: never add them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EdgeRow {
    /// Id of the calling node.
    pub source: Name,
    /// Id of the called node.
    pub target: Name,
    /// `source` (the caller's proxy), `destination` (the called side's), `ingress` (read from an Ingress object: nothing is measured)
    /// or `none` (seen earlier, silent in this window).
    pub reporter: &'static str,
    /// `http`, `grpc` or `tcp`.
    pub protocol: &'static str,
    /// Requests (TCP: connections opened) per second; `null` where nothing is measured.
    pub rate: Option<f64>,
    /// Failed share, 0 to 1; `null` without requests.
    pub error_share: Option<f64>,
    /// Mean duration in milliseconds; `null` without requests.
    pub average_ms: Option<f64>,
    /// Bytes per second both ways; `null` but for TCP.
    pub bytes_rate: Option<f64>,
    /// Share under mutual TLS, 0 to 1; `null` where this reporter cannot know: only the called side can.
    pub mtls_share: Option<f64>,
    /// Response codes with Envoy's response flags and their rate per second, most first.
    pub codes: Vec<CodeRate>,
}

/// The graph as `scope` may see it.
pub fn report(known: &Known<'_>, scope: &Scope) -> Report {
    let draft = draft(known, scope);
    let nodes = nodes(&draft, scope);
    let ids: BTreeMap<&NodeKey, Name> = nodes.iter().map(|(key, node)| (*key, node.id.clone())).collect();
    let mut edges = Vec::with_capacity(draft.edges.len() * 2);
    for ((source, target, protocol), it) in &draft.edges {
        let (Some(source), Some(target)) = (ids.get(source), ids.get(target)) else {
            continue;
        };
        let tcp = *protocol == crate::traffic::Protocol::Tcp;
        let mut row = |reporter, sum: &Sum| {
            let measured = reporter != "ingress";
            edges.push(EdgeRow {
                source: source.clone(),
                target: target.clone(),
                reporter,
                protocol: protocol.name(),
                rate: measured.then(|| sum.rate()),
                error_share: sum.error_share(),
                average_ms: sum.average_ms(),
                bytes_rate: (measured && tcp).then(|| sum.bytes_rate()),
                mtls_share: sum.mtls_share().filter(|_| reporter == "destination"),
                codes: sum.codes(),
            });
        };
        match (it.source.active(), it.destination.active()) {
            _ if it.inferred => row("ingress", &Sum::default()),
            (false, false) => row("none", &Sum::default()),
            (by_source, by_destination) => {
                if by_source {
                    row("source", &it.source);
                }
                if by_destination {
                    row("destination", &it.destination);
                }
            }
        }
    }
    edges.sort_by(|a, b| {
        (&a.source, &a.target, a.protocol, a.reporter).cmp(&(&b.source, &b.target, b.protocol, b.reporter))
    });
    let rows = nodes.into_iter().map(|(_, node)| NodeRow {
        id: node.id,
        kind: node.kind,
        cluster: node.cluster,
        namespace: node.namespace,
        workload: node.workload,
        app: node.app,
        version: node.version,
        services: node.services,
        meshed: node.meshed,
    });
    Report {
        window_s: known.traffic.map_or(0, |traffic| traffic.window_s),
        at: known.at.map(crate::Timestamp::as_millisecond),
        nodes: rows.collect(),
        edges,
    }
}
