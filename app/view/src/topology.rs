//! The graph of who calls whom, placed and ready to draw; the same rows serve the table.

use crate::{Millis, Name, source::SourceState, version::Version, why::Why};
use serde::{Deserialize, Serialize};

/// Width of a node's box, in pixels at scale 1.
pub const BOX_WIDTH: f32 = 176.0;
/// Height of a node's box, in pixels at scale 1.
pub const BOX_HEIGHT: f32 = 56.0;
/// Room between two columns of boxes, in pixels at scale 1: edges and their labels run here.
pub const GAP_X: f32 = 168.0;
/// Room between two boxes of one column, in pixels at scale 1.
pub const GAP_Y: f32 = 24.0;
/// Room around the whole drawing, in pixels at scale 1.
pub const MARGIN: f32 = 32.0;

/// The whole picture for one viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    /// Of the snapshot that it was made from.
    pub version: Version,
    /// When the traffic was measured.
    pub at: Option<Millis>,
    /// Over how many seconds rates are taken.
    pub window_s: u32,
    /// The sources behind it.
    pub sources: Vec<SourceState>,
    /// All namespaces that have a node here, sorted.
    pub namespaces: Vec<Name>,
    /// Sorted by id; an edge names its ends by position in this list.
    pub nodes: Vec<Node>,
    /// Sorted by (source, target, protocol).
    pub edges: Vec<Edge>,
    /// Workloads without any traffic that were left out, because there are too many to draw them all.
    pub quiet_left_out: u32,
    /// Size of the drawing, in pixels at scale 1.
    pub width: f32,
    /// Size of the drawing, in pixels at scale 1.
    pub height: f32,
}

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// An ingress controller outside the mesh, known from Ingress objects.
    Ingress,
    /// A gateway of the mesh.
    Gateway,
    /// Pods of one workload.
    Workload,
    /// A service that was asked for when no workload answered (UH, NR, NC …).
    Service,
    /// Callers without a sidecar: Istio's metrics do not say who.
    Unknown,
    /// Istio's PassthroughCluster or BlackHoleCluster: a destination the mesh does not know, let through or refused.
    Outside,
    /// In a namespace that this viewer may not see.
    Elsewhere,
}

/// Whether the pods of a workload have a proxy of the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meshed {
    /// Every running pod has a sidecar (or is itself a gateway proxy).
    Sidecar,
    /// Some running pods have one.
    Partly,
    /// Handled by ztunnel: recognised, not judged.
    Ambient,
    /// No pod has one.
    No,
    /// No pod is known.
    Unknown,
}

/// A workload, or what stands in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Stable over snapshots: kind, cluster, namespace, name.
    pub id: Name,
    /// What it stands for.
    pub kind: NodeKind,
    /// Istio's cluster id; empty if the metrics do not say.
    pub cluster: Name,
    /// Kubernetes namespace; empty for what has none.
    pub namespace: Name,
    /// Workload name (Deployment, mostly), or the name of what stands in its place.
    pub workload: Name,
    /// Canonical service or app label; may be empty.
    pub app: Name,
    /// Version label; may be empty.
    pub version: Name,
    /// Services that select it or through which it was called, sorted; `name.namespace` where the namespace is not its own.
    pub services: Vec<Name>,
    /// Whether its pods are in the mesh.
    pub meshed: Meshed,
    /// Ready pods and all pods, where pods are known.
    pub pods: Option<(u32, u32)>,
    /// For an unknown caller: workloads without a sidecar that could be it, by inventory (`namespace/workload`), sorted.
    pub candidates: Vec<Name>,
    /// Centre of the box.
    pub x: f32,
    /// Centre of the box.
    pub y: f32,
}

/// How good an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeHealth {
    /// Failures below 0.1 %.
    Good,
    /// From 0.1 % to 5 %.
    Degraded,
    /// From 5 % on.
    Failing,
    /// No request in the window, or no way to know.
    Idle,
}

/// Where the knowledge of an edge comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Measured by proxies.
    Metrics,
    /// Read from an Ingress object; how much goes there is not known.
    IngressObject,
}

/// Requests and bytes from one node to another by one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Position in [`Topology::nodes`].
    pub source: u32,
    /// Position in [`Topology::nodes`].
    pub target: u32,
    /// `http`, `grpc` or `tcp`.
    pub protocol: Name,
    /// Where the knowledge comes from.
    pub origin: Origin,
    /// Requests (for TCP: connections opened) per second; None where it is not known, 0 when the edge has gone quiet.
    pub rate: Option<f64>,
    /// Failed share of the requests as the caller saw them, 0 to 1 (5xx and no answer; gRPC by its status).
    pub error_share: Option<f64>,
    /// Failed share as the called side counted attempts. Differs where retries hide failures.
    pub attempt_error_share: Option<f64>,
    /// Mean duration in milliseconds, as the caller saw it.
    pub average_ms: Option<f64>,
    /// Bytes per second both ways, for TCP.
    pub bytes_rate: Option<f64>,
    /// Share of the requests (or connections) under mutual TLS as the called side saw it, 0 to 1.
    pub mtls_share: Option<f64>,
    /// Which reporters spoke: the caller's proxy.
    pub by_source: bool,
    /// Which reporters spoke: the called side's proxy.
    pub by_destination: bool,
    /// How good it is.
    pub health: EdgeHealth,
    /// Response code and Envoy's flags with their rate per second, most first, at most eight.
    pub codes: Vec<CodeRate>,
    /// When requests were last seen, for an edge that is ageing out. None while there are requests in the window: what does not
    /// change from one snapshot to the next shall not look changed.
    pub last_seen: Option<Millis>,
    /// What is not known about it.
    pub whys: Vec<Why>,
}

/// One response code with Envoy's response flags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeRate {
    /// HTTP status as text; `0` where there was no answer.
    pub code: Name,
    /// Envoy's response flags, `-` for none (`UH` no healthy upstream, `UO` overflow, `NR` no route …).
    pub flags: Name,
    /// Per second.
    pub rate: f64,
}
