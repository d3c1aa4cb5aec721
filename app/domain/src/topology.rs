//! Who calls whom: the graph, its memory of edges that went quiet, its layout.
//!
//! ```text
//! Objects ─► inventory ─┐
//! Traffic ──────────────┼─► draft (merged flows, scope applied) ─► graph ─► placed by layout ─► Topology (page, stream)
//! Memory ───────────────┘                                      └► report (script)
//! ```
//!
//! Two reporters count most requests: the caller's proxy and the called side's. They stand side by side and are never added. The scope
//! is applied while flows are merged, so that what a viewer may not see is already one foreign end when rates are summed.

mod draft;
mod graph;
mod ingress;
mod inventory;
mod layers;
mod layout;
mod memory;
mod node;
mod order;
pub mod report;
pub(crate) mod round;
mod sum;
#[cfg(test)]
mod system;
#[cfg(test)]
mod tests;

pub use graph::{Graph, graph};
pub use layout::{Layout, Place, place};
pub use memory::{KEEP, Memory, remember};

use crate::{Timestamp, actor::Scope, snapshot::Objects, snapshot::Snapshot, traffic::Traffic};
use naru_view::{Name, source::SourceState, topology::Topology, version::Version};
use std::collections::BTreeSet;

/// What a graph is made from.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The inventory.
    pub objects: &'a Objects,
    /// What the proxies counted; None before the first answer.
    pub traffic: Option<&'a Traffic>,
    /// When that was.
    pub at: Option<Timestamp>,
    /// When each flow was last seen with requests.
    pub memory: &'a Memory,
}

impl<'a> Known<'a> {
    /// The parts of a snapshot that the graph reads.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let observed = &snapshot.traffic.value;
        Self {
            objects: &snapshot.objects.value,
            traffic: observed.traffic.as_deref(),
            at: snapshot.traffic.at,
            memory: &observed.last_seen,
        }
    }
}

/// The picture for one scope. `layout` is that of the whole graph (see [`place`]): it is computed once, and what a scope does not show is
/// left out and the rest drawn closer, so that nobody can tell from a gap how much there is elsewhere.
pub fn topology(
    known: &Known<'_>,
    layout: &Layout,
    scope: &Scope,
    sources: Vec<SourceState>,
    version: Version,
) -> Topology {
    let Graph {
        mut nodes,
        edges,
        quiet_left_out,
    } = graph(known, scope);
    let (width, height) = layout.draw(&mut nodes);
    let namespaces: BTreeSet<Name> = nodes
        .iter()
        .map(|node| node.namespace.clone())
        .filter(|name| !name.is_empty())
        .collect();
    Topology {
        version,
        at: known.at.map(Timestamp::as_millisecond),
        window_s: known.traffic.map_or(0, |traffic| traffic.window_s),
        sources,
        namespaces: namespaces.into_iter().collect(),
        nodes,
        edges,
        quiet_left_out,
        width,
        height,
    }
}
