//! One request on its way: through the caller's proxy, to an endpoint, and through what that calls in turn.

mod attempts;
mod counted;
mod work;

use super::{
    demand::{Shape, Work},
    load::Loads,
    peers::{Peer, Peers, Proxied},
    pools::{Admission, Pools},
    routes::{Answer, Behind, Leg, Routed, Routes, Tables, To, addressed},
    rules::{self, Arriving, Rules, Verdict},
    samples::Samples,
    tally::{Flags, NOBODY, Tally},
    toll::Cause,
};
use crate::draw::Draw;
use naru_domain::{
    Name,
    mesh::Mesh,
    traffic::{Protocol, ServiceId},
    workload::WorkloadId,
};
use std::{collections::BTreeMap, sync::Arc};

/// A proxy's own answer takes this long, in milliseconds.
const AT_ONCE: f64 = 0.2;

/// A connection that fails takes this long.
const FAILING: f64 = 1.0;

/// How a request ended for its caller.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Why and where it failed, if it did.
    pub(super) wrong: Option<(Cause, Name)>,
    pub(super) ms: f64,
}

/// Who calls, and with what in hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct From<'a> {
    pub(super) peer: Peer,
    pub(super) shape: &'a Shape,
    pub(super) shape_number: u32,
    pub(super) depth: u32,
}

/// What a workload does, with its calls' targets by number.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) work: Work,
    pub(super) targets: Vec<u32>,
}

/// Connections and rules as they came to be.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) rules: Rules,
    /// As they were before policies changed last.
    pub(super) old: Rules,
    /// Counts changes of policies.
    pub(super) era: u64,
    /// Connections that proxies keep open, between two pods, with the era of their last request.
    pub(super) pooled: BTreeMap<(u32, u32), u64>,
    pub(super) pools: Pools,
    pub(super) loads: Loads,
}

impl Standing {
    /// Policies have changed: each open connection carries one more request under the old ones.
    pub(super) fn turn(&mut self) {
        self.old = std::mem::take(&mut self.rules);
        self.era += 1;
    }

    /// These pods have gone, and their connections with them.
    pub(super) fn part(&mut self, gone: &[u32]) {
        if !gone.is_empty() {
            self.pooled
                .retain(|(from, to), _| !gone.contains(from) && !gone.contains(to));
        }
    }
}

/// One step's tools.
pub(super) struct Step<'m, 's> {
    pub(super) mesh: &'m Mesh<'m>,
    pub(super) peers: &'m Peers,
    pub(super) works: &'m BTreeMap<WorkloadId, Planned>,
    pub(super) tables: &'s mut Tables<'m>,
    pub(super) routes: &'s mut Routes,
    pub(super) standing: &'s mut Standing,
    pub(super) tally: &'s mut Tally,
    pub(super) samples: &'s mut Samples,
    pub(super) unjudged: &'s mut u64,
    pub(super) draw: Draw,
}

/// A request between two ends.
#[derive(Clone, Copy)]
struct Way<'a> {
    from: From<'a>,
    routed: &'a Routed,
    leg: &'a Leg,
    target: u32,
    protocol: Protocol,
    service: u32,
}

/// What came of one attempt.
struct Attempt {
    end: Peer,
    code: u16,
    flags: Flags,
    wrong: Option<(Cause, Name)>,
    ms: f64,
    /// There was an answer, or a request that could be answered: the caller's proxy counts it.
    counted: bool,
}

pub(super) fn place((namespace, name): (&str, &str)) -> Name {
    format!("{namespace}/{name}").into()
}

fn of_service(service: &ServiceId) -> Name {
    place((&service.namespace, &service.name))
}

impl Step<'_, '_> {
    /// A request of a pod's, as far as its caller is concerned.
    pub(super) fn request(&mut self, from: From<'_>, target: u32) -> Outcome {
        let peers = self.peers;
        let proxied = peers.classes[from.peer.class as usize].proxied;
        let side = peers.side_of[from.peer.class as usize];
        let known = (side, target, from.shape_number);
        let routed = self
            .routes
            .chosen(self.mesh, self.tables, &peers.sides, known, from.shape);
        *self.unjudged += u64::from(!routed.judged || proxied == Proxied::Ambient);
        let it = &self.routes.targets[target as usize];
        let (protocol, meant) = (it.protocol, it.service.clone());
        if proxied == Proxied::Gateway
            && from.depth == 0
            && let Some(refused) = self.at_the_door(from, target, &routed)
        {
            return refused;
        }
        match &routed.to {
            To::Legs(legs) => self.sent(from, &routed, legs, target, protocol),
            To::Answer(answer) => self.answered(from, &routed, *answer, &meant, protocol),
            To::Refused => Outcome {
                wrong: Some((Cause::NoRoute, named(&meant))),
                ms: FAILING,
            },
            To::Outside => self.outside(from, target, protocol),
        }
    }

    /// Whether a gateway's own policies refuse who comes from outside.
    fn at_the_door(&mut self, from: From<'_>, target: u32, routed: &Routed) -> Option<Outcome> {
        let class = from.peer.class;
        let it = &self.routes.targets[target as usize];
        let key = (NOBODY, class, routed.port, target, from.shape_number, false);
        let (mesh, peers) = (self.mesh, self.peers);
        let arriving = Arriving {
            protocol: it.protocol,
            host: &it.host,
            path: &from.shape.path,
            shape: from.shape,
        };
        let (verdict, judged) = *self.standing.rules.verdicts.entry(key).or_insert_with(|| {
            let at = &peers.classes[class as usize];
            rules::verdict(mesh, None, at, routed.port, false, arriving, None)
        });
        *self.unjudged += u64::from(!judged);
        let (code, cause) = refusal(verdict)?;
        let workload = &peers.classes[class as usize].workload;
        let service = match &routed.to {
            To::Legs(legs) => legs.first().map(|(_, leg)| leg.service.clone()),
            To::Answer(_) | To::Refused | To::Outside => None,
        };
        let service = self.tally.service(&service.unwrap_or_default());
        self.at_source(
            from,
            &routed.route,
            NOBODY,
            service,
            Protocol::Http,
            code,
            Flags::NONE,
            AT_ONCE,
        );
        Some(Outcome {
            wrong: Some((cause, place((&workload.0, &workload.1)))),
            ms: AT_ONCE,
        })
    }

    fn answered(
        &mut self,
        from: From<'_>,
        routed: &Routed,
        answer: Answer,
        meant: &ServiceId,
        protocol: Protocol,
    ) -> Outcome {
        let (mut ms, mut flags, abort) = self.faults(routed);
        ms += AT_ONCE;
        let bytes = protocol == Protocol::Tcp;
        let (code, own, cause, service) = match (abort, answer) {
            (Some(status), _) => (status, Flags::FI, Some(Cause::Injected), meant.clone()),
            (None, Answer::NoRoute) => (404, Flags::NR, Some(Cause::NoRoute), meant.clone()),
            (None, Answer::BlackHole) => {
                let service = ServiceId {
                    namespace: "".into(),
                    name: "BlackHoleCluster".into(),
                };
                let flags = if bytes { Flags::UH } else { Flags::NONE };
                (502, flags, Some(Cause::BlackHole), service)
            }
            (None, Answer::Status(status)) => {
                let cause = (status >= 400).then_some(Cause::Injected);
                (status, Flags::NONE, cause, meant.clone())
            }
        };
        flags = flags.and(own);
        let number = self.tally.service(&service);
        self.at_source(from, &routed.route, NOBODY, number, protocol, code, flags, ms);
        Outcome {
            wrong: cause.map(|cause| (cause, named(meant))),
            ms,
        }
    }

    /// Out of the mesh, where everything answers. A Service of the cluster that the proxy does not know is not followed there.
    fn outside(&mut self, from: From<'_>, target: u32, protocol: Protocol) -> Outcome {
        let caller = &self.peers.classes[from.peer.class as usize].workload.0;
        let host = &self.routes.targets[target as usize].host;
        *self.unjudged += u64::from(addressed(self.mesh, caller, host).is_some());
        let ms = self.draw.duration(20.0);
        let service = self.tally.service(&ServiceId {
            namespace: "".into(),
            name: "PassthroughCluster".into(),
        });
        self.at_source(
            from,
            &Name::default(),
            NOBODY,
            service,
            protocol,
            200,
            Flags::NONE,
            ms,
        );
        Outcome { wrong: None, ms }
    }

    /// Delay in milliseconds with its flag, and the status of an abort.
    fn faults(&mut self, routed: &Routed) -> (f64, Flags, Option<u16>) {
        let Some(fault) = &routed.effects.fault else {
            return (0.0, Flags::NONE, None);
        };
        let mut delayed = (0.0, Flags::NONE);
        if let Some((percent, ms)) = fault.delay
            && self.draw.happens(percent / 100.0)
        {
            #[expect(clippy::cast_precision_loss, reason = "delays are short")]
            let ms = ms as f64;
            delayed = (ms, Flags::DI);
        }
        let abort = fault
            .abort
            .filter(|(percent, _)| self.draw.happens(percent / 100.0));
        (delayed.0, delayed.1, abort.map(|(_, status)| status))
    }

    fn sent(
        &mut self,
        from: From<'_>,
        routed: &Routed,
        legs: &[(u32, Leg)],
        target: u32,
        protocol: Protocol,
    ) -> Outcome {
        let Some(leg) = pick(legs, &mut self.draw) else {
            return Outcome { wrong: None, ms: 0.0 };
        };
        let service = self.tally.service(&leg.service);
        let way = Way {
            from,
            routed,
            leg,
            target,
            protocol,
            service,
        };
        let (delay, flags, abort) = self.faults(routed);
        let own = |this: &mut Self, code, more: Flags, cause| {
            let ms = delay + AT_ONCE;
            this.at_source(
                from,
                &routed.route,
                NOBODY,
                service,
                protocol,
                code,
                flags.and(more),
                ms,
            );
            Outcome {
                wrong: Some((cause, of_service(&leg.service))),
                ms,
            }
        };
        if let Some(status) = abort {
            return own(self, status, Flags::FI, Cause::Injected);
        }
        self.mirror(&way);
        let behind = self.behind(from, leg);
        *self.unjudged += u64::from(!behind.judged);
        if leg.missing || behind.missing {
            return own(self, 503, Flags::NC, Cause::NoCluster);
        }
        if behind.ends.is_empty() {
            return own(self, 503, Flags::UH, Cause::NoEndpoint);
        }
        let mut waits = 0.0;
        if let Some(limits) = behind.limits {
            let pools = &self.standing.pools;
            match pools.admit(from.peer.pod, leg.destination, limits, &mut self.draw) {
                Admission::Overflow => return own(self, 503, Flags::UO, Cause::Overflow),
                Admission::After(parts) => waits = parts * self.usual_ms(behind.ends[0].0),
            }
        }
        let (attempt, ms) = self.attempts(&way, &behind, waits);
        if behind.limits.is_some() {
            self.standing.pools.took(from.peer.pod, leg.destination, ms);
        }
        if attempt.counted {
            let (class, flags) = (attempt.end.class, flags.and(attempt.flags));
            self.at_source(
                from,
                &routed.route,
                class,
                service,
                protocol,
                attempt.code,
                flags,
                delay + ms,
            );
        }
        Outcome {
            wrong: attempt.wrong,
            ms: delay + ms,
        }
    }

    fn behind(&mut self, from: From<'_>, leg: &Leg) -> Arc<Behind> {
        let side = self.peers.side_of[from.peer.class as usize];
        self.routes.behind(self.mesh, self.peers, side, leg.destination)
    }

    fn usual_ms(&self, end: Peer) -> f64 {
        let workload = &self.peers.classes[end.class as usize].workload;
        self.works
            .get(workload)
            .map_or_else(|| Work::default().ms, |it| it.work.ms)
    }

    /// Copies go their own way: nobody waits for them, and the caller's proxy does not count them.
    fn mirror(&mut self, way: &Way<'_>) {
        for (percent, leg) in &way.routed.mirrors {
            if !self.draw.happens(f64::from(*percent) / 100.0) || leg.missing {
                continue;
            }
            let behind = self.behind(way.from, leg);
            if behind.ends.is_empty() {
                continue;
            }
            let copy = Way {
                leg,
                service: self.tally.service(&leg.service),
                ..*way
            };
            let end = behind.ends[self.draw.below(behind.ends.len())];
            self.attempt(&copy, end, None);
        }
    }
}

fn named(service: &ServiceId) -> Name {
    if service.name.is_empty() {
        "".into()
    } else {
        of_service(service)
    }
}

fn refusal(verdict: Verdict) -> Option<(u16, Cause)> {
    match verdict {
        Verdict::Allowed => None,
        Verdict::Unauthenticated => Some((401, Cause::Unauthenticated)),
        Verdict::Denied => Some((403, Cause::Denied)),
    }
}

/// One of the legs, by weight.
fn pick<'a>(legs: &'a [(u32, Leg)], draw: &mut Draw) -> Option<&'a Leg> {
    if let [(_, only)] = legs {
        return Some(only);
    }
    let total: f64 = legs.iter().map(|(weight, _)| f64::from(*weight)).sum();
    let mut left = draw.unit() * total;
    let found = legs.iter().find(|(weight, _)| {
        left -= f64::from(*weight);
        left < 0.0
    });
    found.or(legs.last()).map(|(_, leg)| leg)
}
