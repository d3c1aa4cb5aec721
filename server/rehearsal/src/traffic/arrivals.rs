//! Requests as they come in: by whom, for what, and what they look like.

use super::{
    demand::{Arrivals, Call, Caller, Shape, Work},
    ingress,
    journey::{From, Planned, Step, place},
    peers::{Peer, Peers, Proxied, narrow},
    routes::{Routes, Target},
    toll::Cause,
};
use crate::draw::Draw;
use naru_domain::{
    Name,
    traffic::{Protocol, ServiceId},
    workload::WorkloadId,
};
use std::collections::BTreeMap;

/// Arrivals, made ready.
pub(super) struct Coming {
    pub(super) arrivals: Arrivals,
    /// With their numbers.
    shapes: Vec<(u32, Shape)>,
    total: f64,
    /// Who calls where no pod does.
    stranger: Peer,
    target: u32,
}

/// Who makes a request, and of what; or why there is none.
pub(super) enum Entry {
    By(Peer, u32),
    /// It fails before any proxy sees it.
    Lost(Cause, Name),
    Nobody,
}

pub(super) fn planned(
    works: BTreeMap<WorkloadId, Work>,
    routes: &mut Routes,
) -> BTreeMap<WorkloadId, Planned> {
    works
        .into_iter()
        .map(|(who, work)| (who, plan(work, routes)))
        .collect()
}

/// What a workload does, its calls' targets numbered.
pub(super) fn plan(work: Work, routes: &mut Routes) -> Planned {
    let targets = work
        .calls
        .iter()
        .map(|call| routes.target(target(call)))
        .collect();
    Planned { work, targets }
}

/// What a call is for, as the application has it in its URL.
fn target(call: &Call) -> Target {
    let usual = || format!("{}.{}", call.service.name, call.service.namespace).into();
    Target {
        host: call.host.clone().unwrap_or_else(usual),
        service: call.service.clone(),
        port: call.port,
        protocol: call.protocol,
    }
}

/// A host as a gateway is asked for it.
fn at_gateway(host: &Name, port: Option<u16>) -> Target {
    Target {
        service: ServiceId::default(),
        host: host.clone(),
        port: Some(port.unwrap_or(80)),
        protocol: Protocol::Http,
    }
}

pub(super) fn ready(arrivals: Arrivals, number: &mut u32, peers: &mut Peers, routes: &mut Routes) -> Coming {
    let mut shapes = arrivals.shapes.clone();
    if shapes.is_empty() {
        shapes.push(Shape::default());
    }
    let shapes: Vec<(u32, Shape)> = (*number..).zip(shapes).collect();
    *number += narrow(shapes.len());
    let (namespace, workload, proxied) = match &arrivals.caller {
        Caller::Gateway {
            namespace, workload, ..
        } => (namespace, workload, Proxied::Gateway),
        Caller::Workload {
            namespace,
            workload,
            meshed: true,
        } => (namespace, workload, Proxied::Sidecar),
        Caller::Workload {
            namespace, workload, ..
        }
        | Caller::Nginx {
            namespace, workload, ..
        } => (namespace, workload, Proxied::None),
        Caller::CronJob { namespace, name } => (namespace, name, Proxied::None),
    };
    let target = match &arrivals.caller {
        Caller::Gateway { host, .. } => at_gateway(host, arrivals.call.port),
        _ => target(&arrivals.call),
    };
    Coming {
        stranger: peers.stranger(&(namespace.clone(), workload.clone()), proxied),
        target: routes.target(target),
        total: shapes.iter().map(|(_, it)| it.share).sum(),
        shapes,
        arrivals,
    }
}

/// One of a workload's ready pods.
fn any(peers: &Peers, namespace: &Name, workload: &Name, draw: &mut Draw) -> Option<Peer> {
    let pods = peers.ready.get(&(namespace.clone(), workload.clone()))?;
    pods.get(draw.below(pods.len())).copied()
}

pub(super) fn enters(coming: &Coming, step: &mut Step<'_, '_>) -> Entry {
    let peers = step.peers;
    match &coming.arrivals.caller {
        Caller::Gateway {
            namespace, workload, ..
        } => match any(peers, namespace, workload, &mut step.draw) {
            Some(peer) => Entry::By(peer, coming.target),
            None => Entry::Lost(Cause::NoEndpoint, place((namespace, workload))),
        },
        Caller::Workload {
            namespace, workload, ..
        } => match any(peers, namespace, workload, &mut step.draw) {
            Some(peer) => Entry::By(peer, coming.target),
            None if peers.known.contains(&(namespace.clone(), workload.clone())) => Entry::Nobody,
            None => Entry::By(coming.stranger, coming.target),
        },
        Caller::CronJob { namespace, name } => match any(peers, namespace, name, &mut step.draw) {
            Some(peer) => Entry::By(peer, coming.target),
            None => Entry::Nobody,
        },
        Caller::Nginx {
            namespace,
            workload,
            host,
        } => {
            // No Ingress for the host: Nginx answers 404 itself, which no proxy of the mesh sees.
            let Some(to) = ingress::backend(step.mesh.objects, host) else {
                return Entry::Lost(Cause::NoRoute, "".into());
            };
            if let Some((namespace, workload)) = ingress::gateway(step.mesh.objects, &to) {
                let Some(peer) = any(peers, &namespace, &workload, &mut step.draw) else {
                    return Entry::Lost(Cause::NoEndpoint, place((&namespace, &workload)));
                };
                return Entry::By(peer, step.routes.target(at_gateway(host, None)));
            }
            let peer = any(peers, namespace, workload, &mut step.draw).unwrap_or(coming.stranger);
            let call = Call::http(&to.namespace, &to.name);
            Entry::By(peer, step.routes.target(target(&call)))
        }
    }
}

pub(super) fn arrive(
    coming: &Coming,
    peer: Peer,
    target: u32,
    step: &mut Step<'_, '_>,
) -> Option<(Cause, Name)> {
    let mut left = step.draw.unit() * coming.total;
    let mut drawn = coming.shapes.iter();
    let drawn = drawn.find(|(_, shape)| {
        left -= shape.share;
        left < 0.0
    });
    let (shape_number, shape) = drawn.or(coming.shapes.last())?;
    let from = From {
        peer,
        shape,
        shape_number: *shape_number,
        depth: 0,
    };
    step.request(from, target).wrong
}
