//! What is asked of a system of any size.

use super::System;
use crate::{
    draw::Draw,
    traffic::{Arrivals, Call, Caller, Demand, Work},
    world::sized::{GATEWAY, Member, OUTSIDE, host, importer, sized as world},
};
use naru_domain::{Name, traffic::Protocol};

/// Decides who calls whom; a world of a size is always the same.
const SHAPE: u64 = 7;

/// Pods of a service.
const PODS: u32 = 2;

/// Requests per second along an edge between services.
const RATE: f64 = 1.0;

/// `namespaces` namespaces of `services` services of two pods. See [`demand`] for what is asked of them.
pub fn sized(namespaces: u32, services: u32) -> System {
    System {
        objects: world(namespaces, services, PODS),
        demand: demand(namespaces, services),
    }
}

/// Each service but databases calls one to four of those behind it, in its own namespace or another. People reach the first of each
/// namespace through the gateway, importers without a proxy the second, and what nobody calls has reasons of its own to call others. About
/// one request a second passes along each edge; one service in twenty fails sometimes.
pub(super) fn demand(namespaces: u32, services: u32) -> Demand {
    let shape = Shape {
        namespaces: namespaces.max(1),
        services: services.max(1),
    };
    let mut demand = Demand::default();
    let mut inflow = vec![0.0; shape.index(0, shape.services)];
    for n in 0..shape.namespaces {
        let (first, called) = (shape.index(n, 0), shape.member(n, 1.min(shape.services - 1)));
        demand.arrivals.push(people(n, &shape.member(n, 0)));
        inflow[first] += RATE;
        if let Some(name) = importer(n) {
            inflow[shape.index(n, 1.min(shape.services - 1))] += RATE;
            demand
                .arrivals
                .push(by_itself(OUTSIDE, &name, false, call(&called)));
        }
    }
    // Calls lead to higher `s` only, so what comes in is known before what goes out.
    for s in 0..shape.services {
        for n in 0..shape.namespaces {
            let (index, member) = (shape.index(n, s), shape.member(n, s));
            let mut draw = Draw::new(SHAPE, u64::try_from(index).unwrap_or(0));
            let called = shape.called(n, s, &mut draw);
            let here = inflow[index];
            let share = if here > RATE { RATE / here } else { 1.0 };
            let mut calls = Vec::new();
            for (order, &(n, s)) in called.iter().enumerate() {
                inflow[shape.index(n, s)] += if here > 0.0 { here * share } else { RATE };
                calls.push(Call {
                    essential: order == 0,
                    ..call(&shape.member(n, s)).share(share)
                });
            }
            let failing = if draw.happens(0.05) { 0.02 } else { 0.0 };
            let ms = 1.0 + 19.0 * draw.unit();
            let own = if here > 0.0 { calls.clone() } else { Vec::new() };
            for workload in member.workloads() {
                let work = Work {
                    ms,
                    failing,
                    calls: own.clone(),
                    ..Work::default()
                };
                demand.works.insert((member.namespace.clone(), workload), work);
            }
            if here == 0.0 {
                let workload = member.workloads().next().unwrap_or_default();
                let arrivals = calls
                    .into_iter()
                    .map(|call| by_itself(&member.namespace, &workload, true, call));
                demand.arrivals.extend(arrivals);
            }
        }
    }
    demand
}

struct Shape {
    namespaces: u32,
    services: u32,
}

impl Shape {
    fn member(&self, n: u32, s: u32) -> Member {
        Member::of(n, s, self.services)
    }

    /// By `s`, then `n`. Of an `s` that is one too high: how many there are.
    fn index(&self, n: u32, s: u32) -> usize {
        usize::try_from(s * self.namespaces + n).unwrap_or(usize::MAX)
    }

    /// Whom a service calls.
    fn called(&self, n: u32, s: u32, draw: &mut Draw) -> Vec<(u32, u32)> {
        let behind = self.services - s - 1;
        if behind == 0 || self.member(n, s).protocol == Protocol::Tcp {
            return Vec::new();
        }
        let mut below = |limit: u32| {
            let drawn = draw.below(usize::try_from(limit).unwrap_or(1));
            u32::try_from(drawn).unwrap_or(0)
        };
        let mut called = Vec::new();
        for _ in 0..=below(4) {
            let elsewhere = self.namespaces > 1 && below(10) < 3;
            let to = (
                if elsewhere { below(self.namespaces) } else { n },
                s + 1 + below(behind),
            );
            if !called.contains(&to) {
                called.push(to);
            }
        }
        called
    }
}

fn call(to: &Member) -> Call {
    Call {
        protocol: to.protocol,
        ..Call::http(&to.namespace, &to.name)
    }
}

fn people(n: u32, to: &Member) -> Arrivals {
    let caller = Caller::Gateway {
        namespace: GATEWAY.0.into(),
        workload: GATEWAY.1.into(),
        host: host(n).into(),
    };
    arrivals("people".into(), caller, call(to))
}

fn by_itself(namespace: &str, workload: &str, meshed: bool, call: Call) -> Arrivals {
    let caller = Caller::Workload {
        namespace: namespace.into(),
        workload: workload.into(),
        meshed,
    };
    arrivals(format!("{namespace}/{workload}").into(), caller, call)
}

fn arrivals(name: Name, caller: Caller, call: Call) -> Arrivals {
    Arrivals {
        name,
        caller,
        call,
        rate: RATE,
        ..Arrivals::default()
    }
}
