//! Flows merged into nodes and edges, as one scope may see them.

use super::{
    Known,
    ingress::{self, Routes},
    inventory::Inventory,
    node::{NodeKey, Side},
    sum::Sum,
};
use crate::{
    Name, Timestamp,
    actor::Scope,
    traffic::{FlowKey, Party, Protocol, Reporter, ServiceId},
    workload::WorkloadId,
};
use naru_view::topology::Meshed;
use std::collections::{BTreeMap, BTreeSet};

/// How many quiet workloads are drawn: a graph of all that a large cluster has, without traffic, would bury what moves.
const QUIET: usize = 500;

/// How many workloads are named as possible unknown callers.
const CANDIDATES: usize = 20;

/// What the flows say about a node.
#[derive(Debug, Default)]
pub(super) struct NodeDraft {
    pub(super) app: First,
    pub(super) version: First,
    pub(super) services: BTreeSet<ServiceId>,
    pub(super) candidates: Vec<Name>,
}

/// The first value that is not empty, in the order of the flows' keys.
#[derive(Debug, Default)]
pub(super) struct First(Option<Name>);

impl First {
    fn hear(&mut self, name: &Name) {
        if self.0.is_none() && !name.is_empty() {
            self.0 = Some(name.clone());
        }
    }

    pub(super) fn get(&self) -> Name {
        self.0.clone().unwrap_or_else(|| "".into())
    }
}

/// What is known about an edge.
#[derive(Debug, Default)]
pub(super) struct EdgeDraft {
    pub(super) source: Sum,
    pub(super) destination: Sum,
    /// When requests were last seen; None if never while we looked.
    pub(super) last_seen: Option<Timestamp>,
    /// Read from an Ingress, not measured.
    pub(super) inferred: bool,
}

/// Ends and protocol.
pub(super) type EdgeKey = (NodeKey, NodeKey, Protocol);

/// The graph before it is rounded.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) inventory: Inventory<'a>,
    pub(super) controllers: BTreeSet<WorkloadId>,
    /// Istio's name of the cluster that the inventory is from; empty if the metrics do not say.
    pub(super) home: Name,
    pub(super) nodes: BTreeMap<NodeKey, NodeDraft>,
    pub(super) edges: BTreeMap<EdgeKey, EdgeDraft>,
    pub(super) quiet_left_out: u32,
}

pub(super) fn draft<'a>(known: &Known<'a>, scope: &Scope) -> Draft<'a> {
    let inventory = Inventory::of(known.objects);
    let Routes {
        edges: inferred,
        controllers,
    } = ingress::routes(known.objects, &inventory);
    let home = home(known, &inventory);
    let mut draft = Draft {
        inventory,
        controllers,
        home,
        nodes: BTreeMap::new(),
        edges: BTreeMap::new(),
        quiet_left_out: 0,
    };
    draft.measured(known, scope);
    draft.inferred(&inferred, scope);
    draft.quiet(scope);
    draft.candidates(scope);
    draft
}

impl Draft<'_> {
    /// The facts about a node's pods, if it is a workload of the home cluster.
    pub(super) fn stock(&self, key: &NodeKey) -> Option<&super::inventory::Stock<'_>> {
        match key {
            NodeKey::Workload {
                cluster,
                namespace,
                name,
            } if cluster.is_empty() => self.inventory.get(namespace, name),
            _ => None,
        }
    }

    pub(super) fn meshed(&self, key: &NodeKey) -> Meshed {
        self.stock(key)
            .map_or(Meshed::Unknown, super::inventory::Stock::meshed)
    }

    fn measured(&mut self, known: &Known<'_>, scope: &Scope) {
        let flows = known.traffic.into_iter().flat_map(|traffic| &traffic.flows);
        for (key, flow) in flows {
            if !super::memory::active(flow) {
                continue;
            }
            let Some((source, target)) = self.ends(key, scope) else {
                continue;
            };
            let edge = self
                .edges
                .entry((source.clone(), target.clone(), key.protocol))
                .or_default();
            match key.reporter {
                Reporter::Source => edge.source.add(flow),
                Reporter::Destination => edge.destination.add(flow),
            }
            self.hear(key, &source, &target, scope);
        }
        for (key, seen) in silent(known) {
            let Some((source, target)) = self.ends(key, scope) else {
                continue;
            };
            let edge = self
                .edges
                .entry((source.clone(), target.clone(), key.protocol))
                .or_default();
            edge.last_seen = edge.last_seen.max(Some(*seen));
            self.hear(key, &source, &target, scope);
        }
    }

    /// The nodes at a flow's ends; None where the viewer may see neither.
    fn ends(&self, key: &FlowKey, scope: &Scope) -> Option<(NodeKey, NodeKey)> {
        let (source, target) = (self.caller(key), self.called(key));
        (source.within(scope) || target.within(scope)).then(|| {
            (
                source.hidden_from(scope, Side::Callers),
                target.hidden_from(scope, Side::Called),
            )
        })
    }

    fn cluster(&self, party: &Party) -> Name {
        if party.cluster == self.home {
            "".into()
        } else {
            party.cluster.clone()
        }
    }

    fn caller(&self, FlowKey { source, target, .. }: &FlowKey) -> NodeKey {
        if source.workload.is_empty() {
            return NodeKey::Unknown {
                cluster: self.cluster(target),
            };
        }
        NodeKey::Workload {
            cluster: self.cluster(source),
            namespace: source.namespace.clone(),
            name: source.workload.clone(),
        }
    }

    fn called(
        &self,
        FlowKey {
            source,
            target,
            service,
            ..
        }: &FlowKey,
    ) -> NodeKey {
        if !target.workload.is_empty() {
            return NodeKey::Workload {
                cluster: self.cluster(target),
                namespace: target.namespace.clone(),
                name: target.workload.clone(),
            };
        }
        let cluster = self.cluster(source);
        if outside(&service.name) {
            return NodeKey::Outside {
                cluster,
                name: service.name.clone(),
            };
        }
        NodeKey::Service {
            cluster,
            namespace: service.namespace.clone(),
            name: service.name.clone(),
        }
    }

    fn hear(&mut self, key: &FlowKey, source: &NodeKey, target: &NodeKey, scope: &Scope) {
        for (node, party) in [(source, &key.source), (target, &key.target)] {
            let workload = matches!(node, NodeKey::Workload { .. });
            if !self.nodes.contains_key(node) {
                self.nodes.insert(node.clone(), NodeDraft::default());
            }
            let Some(draft) = self.nodes.get_mut(node) else {
                continue;
            };
            if workload {
                draft.app.hear(&party.app);
                draft.version.hear(&party.version);
            }
        }
        let named =
            !key.service.name.is_empty() && !outside(&key.service.name) && scope.sees(&key.service.namespace);
        if let Some(draft) = self.nodes.get_mut(target)
            && named
            && matches!(target, NodeKey::Workload { .. } | NodeKey::Service { .. })
        {
            draft.services.insert(key.service.clone());
        }
    }

    /// Where proxies have measured what an Ingress says (the controller is in the mesh), the measured edge stands for it.
    fn inferred(&mut self, inferred: &BTreeSet<(NodeKey, NodeKey)>, scope: &Scope) {
        for (source, target) in inferred {
            if !source.within(scope) && !target.within(scope) {
                continue;
            }
            let source = source.clone().hidden_from(scope, Side::Callers);
            let target = target.clone().hidden_from(scope, Side::Called);
            let measured = [Protocol::Http, Protocol::Grpc, Protocol::Tcp]
                .iter()
                .any(|protocol| {
                    self.edges
                        .contains_key(&(source.clone(), target.clone(), *protocol))
                });
            if measured {
                continue;
            }
            self.nodes.entry(source.clone()).or_default();
            self.nodes.entry(target.clone()).or_default();
            let edge = EdgeDraft {
                inferred: true,
                ..EdgeDraft::default()
            };
            self.edges.insert((source, target, Protocol::Http), edge);
        }
    }

    /// Workloads that a Service selects, and gateways, are drawn without traffic too: what is silent shall not be invisible. Those in
    /// namespaces that take part in the mesh or the traffic come first, in case there are too many.
    fn quiet(&mut self, scope: &Scope) {
        let taking_part: BTreeSet<Name> = self
            .inventory
            .workloads
            .iter()
            .filter(|(_, stock)| !matches!(stock.meshed(), Meshed::No | Meshed::Unknown))
            .map(|((namespace, _), _)| namespace.clone())
            .chain(self.nodes.keys().map(NodeKey::namespace))
            .collect();
        let mut quiet: Vec<(bool, NodeKey)> = self
            .inventory
            .workloads
            .iter()
            .filter(|((namespace, _), stock)| {
                scope.sees(namespace) && (stock.gateway || (!stock.system && !stock.services.is_empty()))
            })
            .map(|(id, _)| (!taking_part.contains(&id.0), NodeKey::home(id)))
            .filter(|(_, key)| !self.nodes.contains_key(key))
            .collect();
        quiet.sort();
        self.quiet_left_out = u32::try_from(quiet.len().saturating_sub(QUIET)).unwrap_or(u32::MAX);
        for (_, key) in quiet.into_iter().take(QUIET) {
            self.nodes.entry(key).or_default();
        }
    }

    /// Names who an unknown caller of the home cluster could be: workloads with a pod without a proxy, but not what it calls, not the
    /// system's own, and an ingress controller only if an Ingress leads it to what is called. Those in the called namespaces come first
    /// if there are too many.
    fn candidates(&mut self, scope: &Scope) {
        let unknown = NodeKey::Unknown { cluster: "".into() };
        if !self.nodes.contains_key(&unknown) {
            return;
        }
        let called: BTreeSet<NodeKey> = self
            .edges
            .keys()
            .filter(|(source, _, _)| *source == unknown)
            .map(|(_, target, _)| target.clone())
            .collect();
        let near: BTreeSet<Name> = called.iter().map(NodeKey::namespace).collect();
        let leads = |controller: &NodeKey| {
            called.iter().any(|target| {
                self.edges
                    .contains_key(&(controller.clone(), target.clone(), Protocol::Http))
            })
        };
        let mut could_be: Vec<(bool, &WorkloadId)> = self
            .inventory
            .workloads
            .iter()
            .filter(|(id, stock)| stock.plain && !stock.system && !stock.gateway && scope.sees(&id.0))
            .filter(|(id, _)| {
                let key = NodeKey::home(id);
                !called.contains(&key) && (!self.controllers.contains(*id) || leads(&key))
            })
            .map(|(id, _)| (!near.contains(&id.0), id))
            .collect();
        could_be.sort();
        could_be.truncate(CANDIDATES);
        let mut names: Vec<Name> = could_be
            .iter()
            .map(|(_, (namespace, name))| format!("{namespace}/{name}").into())
            .collect();
        names.sort();
        self.nodes.entry(unknown).or_default().candidates = names;
    }
}

/// Istio's names for destinations that the mesh does not know.
fn outside(service: &str) -> bool {
    matches!(service, "PassthroughCluster" | "BlackHoleCluster")
        || service.starts_with("InboundPassthroughCluster")
}

/// What is remembered of flows without requests now. Both maps are in key order, so they are read side by side.
fn silent<'a>(known: &Known<'a>) -> impl Iterator<Item = (&'a FlowKey, &'a Timestamp)> {
    let flows = known.traffic.into_iter().flat_map(|traffic| &traffic.flows);
    let mut active = flows
        .filter(|(_, flow)| super::memory::active(flow))
        .map(|(key, _)| key)
        .peekable();
    known.memory.iter().filter(move |(key, _)| {
        while active.peek().is_some_and(|active| active < key) {
            active.next();
        }
        active.peek() != Some(key)
    })
}

/// Which of the metrics' clusters the inventory is from. Of several, the one that most of its workloads are found in, the first by name
/// of equals; none if it has none of them.
fn home(known: &Known<'_>, inventory: &Inventory<'_>) -> Name {
    let parties = || {
        let flows = known.traffic.into_iter().flat_map(|traffic| traffic.flows.keys());
        let both = flows
            .chain(known.memory.keys())
            .flat_map(|key| [&key.source, &key.target]);
        both.filter(|party| !party.cluster.is_empty())
    };
    let clusters: BTreeSet<&Name> = parties().map(|party| &party.cluster).collect();
    if let (Some(only), 1) = (clusters.first(), clusters.len()) {
        return (*only).clone();
    }
    let mut found: BTreeMap<&Name, BTreeSet<(&Name, &Name)>> = BTreeMap::new();
    for party in parties() {
        if inventory.get(&party.namespace, &party.workload).is_some() {
            found
                .entry(&party.cluster)
                .or_default()
                .insert((&party.namespace, &party.workload));
        }
    }
    let most = found.into_iter().rev().max_by_key(|(_, ours)| ours.len());
    most.map_or_else(|| "".into(), |(cluster, _)| cluster.clone())
}
