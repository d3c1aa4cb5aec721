//! Requests, one by one, along the routes of the moment.

use super::{
    Count, Line, SCRAPE_MS,
    demand::{Arrivals, Call, Caller, Demand, Work},
    ingress,
    route::{Asked, Backend, Table, Target, party},
    samples::Samples,
    toll::{Cause, Toll},
};
use crate::{api::Changed, draw::Draw};
use naru_domain::{
    Name, Timestamp,
    fact::{Fact, Labels, Pod, Proxy},
    object::Kind,
    snapshot::{KindState, Objects},
    traffic::{FlowKey, Party, Protocol, Reporter, ServiceId},
    workload::workload_of,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, mpsc},
};

/// Milliseconds of one step: short beside the delay of a route and the interval of scrapes.
const STEP_MS: i64 = 200;

/// Who was longer away than this gets no more caught up. What is counted by then depends on nothing but time as long as somebody asks
/// within it; beyond, a server that slept for days would count for minutes before it answers.
const CAUGHT_UP_MS: i64 = 6 * 60 * 60 * 1_000;

/// A change of configuration reaches the proxies after 0.1 to 1 second: istiod's debounce, its push, and the slowest proxy.
const DELAY_MS: (f64, f64) = (100.0, 900.0);

/// Calls within calls end here: a demand that calls in circles must not hang.
const DEPTH: u32 = 8;

pub(super) struct Simulation {
    journal: mpsc::Receiver<Changed>,
    /// Changes that have not reached the proxies yet, with the moment when they do.
    coming: VecDeque<(i64, Changed)>,
    objects: Objects,
    tables: BTreeMap<(Name, Asked), Arc<Table>>,
    demand: Demand,
    seed: u64,
    changes: u64,
    /// The last step done, in steps since the epoch.
    step: i64,
    /// The step that the toll is counted from: history is no player's fault.
    begins: i64,
    toll: Toll,
}

/// A caller, as far as its proxy goes.
struct From<'a> {
    party: &'a Party,
    meshed: bool,
    header: Option<(&'a str, &'a str)>,
    depth: u32,
}

/// How a request ended for its caller.
struct Outcome {
    /// Why and where it failed, if it did.
    wrong: Option<(Cause, Name)>,
    ms: f64,
}

impl Outcome {
    fn ok(&self) -> bool {
        self.wrong.is_none()
    }
}

/// One step's tools.
struct Step<'a> {
    draw: Draw,
    samples: &'a mut Samples,
}

impl Simulation {
    pub(super) fn new(
        journal: mpsc::Receiver<Changed>,
        demand: Demand,
        seed: u64,
        now: Timestamp,
        history_s: u32,
    ) -> Self {
        let objects = Objects {
            kinds: Kind::ALL.map(|kind| (kind, KindState::Known)).into(),
            ..Objects::default()
        };
        let step = (now.as_millisecond() - i64::from(history_s) * 1_000).div_euclid(STEP_MS);
        let (coming, tables) = (VecDeque::new(), BTreeMap::new());
        let mut this = Self {
            journal,
            coming,
            objects,
            tables,
            demand,
            seed,
            changes: 0,
            step,
            begins: now.as_millisecond().div_euclid(STEP_MS),
            toll: Toll::default(),
        };
        // What is there at the start has long arrived.
        while let Ok(changed) = this.journal.try_recv() {
            this.apply(changed);
        }
        this
    }

    fn apply(&mut self, changed: Changed) {
        match changed
            .json
            .map(|json| Fact::read(changed.key.kind, (*json).clone()))
        {
            Some(Ok(fact)) => self.objects.put(fact),
            Some(Err(_)) | None => self.objects.remove(&changed.key),
        }
        self.tables.clear();
    }

    /// Lets time pass until `now`.
    pub(super) fn advance(&mut self, now: Timestamp, samples: &mut Samples, missing: &mut u32) {
        while let Ok(changed) = self.journal.try_recv() {
            self.changes += 1;
            let delay = DELAY_MS.0 + DELAY_MS.1 * Draw::new(self.seed, !self.changes).unit();
            #[expect(clippy::cast_possible_truncation, reason = "at most a second")]
            let arrives = changed.at.as_millisecond() + delay as i64;
            let before = self.coming.back().map_or(i64::MIN, |(at, _)| *at);
            self.coming.push_back((arrives.max(before), changed));
        }
        let until = now.as_millisecond().div_euclid(STEP_MS);
        self.step = self.step.max(until - CAUGHT_UP_MS / STEP_MS);
        while self.step < until {
            self.step += 1;
            let at = self.step * STEP_MS;
            while self.coming.front().is_some_and(|(arrives, _)| *arrives <= at) {
                if let Some((_, changed)) = self.coming.pop_front() {
                    self.apply(changed);
                }
            }
            self.happen(at, samples);
            if at % SCRAPE_MS == 0 {
                if *missing > 0 {
                    *missing -= 1;
                } else if let Ok(at) = Timestamp::from_millisecond(at) {
                    samples.scrape(at);
                }
            }
        }
    }

    fn happen(&mut self, at: i64, samples: &mut Samples) {
        let arrivals = self.demand.arrivals.clone();
        for (n, arrival) in arrivals.iter().enumerate() {
            if arrival
                .seconds
                .is_some_and(|seconds| at.rem_euclid(60_000) >= i64::from(seconds) * 1_000)
            {
                continue;
            }
            // Two seconds are busy or quiet together: counts that are more uneven than independent arrivals, as real ones are.
            let stream = u64::try_from(n).unwrap_or(0) << 48;
            let mood = Draw::new(self.seed, stream ^ at.div_euclid(2_000).unsigned_abs()).unit();
            let rate = arrival.rate * (1.0 + arrival.unrest * (2.0 * mood - 1.0));
            let moment = stream ^ (1 << 47) ^ at.unsigned_abs();
            let mut step = Step {
                draw: Draw::new(self.seed, moment),
                samples: &mut *samples,
            };
            #[expect(clippy::cast_precision_loss, reason = "a small constant")]
            let mean = rate * STEP_MS as f64 / 1_000.0;
            for _ in 0..step.draw.arrivals(mean) {
                self.arrive(arrival, &mut step);
            }
        }
    }

    fn arrive(&mut self, arrival: &Arrivals, step: &mut Step<'_>) {
        let header = arrival
            .header
            .as_ref()
            .filter(|(_, _, share)| step.draw.happens(*share));
        let header = header.map(|(name, value, _)| (&**name, &**value));
        let Some((namespace, workload, meshed, asked)) = self.enters(arrival) else {
            // No Ingress for the host: Nginx answers 404 itself, which no proxy of the mesh sees. Or no job is running.
            if !matches!(arrival.caller, Caller::CronJob { .. }) {
                self.bear(&arrival.name, Some((Cause::NoRoute, "".into())));
            }
            return;
        };
        let party = party(&namespace, &workload, &Labels::new());
        let from = From {
            party: &party,
            meshed,
            header,
            depth: 0,
        };
        let outcome = self.request(&from, &asked, arrival.call.protocol, step);
        self.bear(&arrival.name, outcome.wrong);
    }

    fn bear(&mut self, caller: &Name, wrong: Option<(Cause, Name)>) {
        if self.step > self.begins {
            self.toll.count(caller, wrong);
        }
    }

    pub(super) fn toll(&self) -> &Toll {
        &self.toll
    }

    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Which workload a request enters the system through, whether that has a proxy, and what it asks for.
    fn enters(&self, arrival: &Arrivals) -> Option<(Name, Name, bool, Asked)> {
        let service = || Asked::Service(arrival.call.service.clone());
        Some(match &arrival.caller {
            Caller::Gateway {
                namespace,
                workload,
                host,
            } => (
                namespace.clone(),
                workload.clone(),
                true,
                Asked::Host(host.clone()),
            ),
            Caller::Workload {
                namespace,
                workload,
                meshed,
            } => (namespace.clone(), workload.clone(), *meshed, service()),
            Caller::CronJob { namespace, name } => {
                let of_job = |pod: &&Arc<Pod>| {
                    pod.namespace == *namespace && pod.ready && workload_of(&self.objects, pod).1 == *name
                };
                let pod = self.objects.pods.values().find(of_job)?;
                let meshed = pod.proxy == Proxy::Sidecar;
                (namespace.clone(), name.clone(), meshed, service())
            }
            Caller::Nginx {
                namespace,
                workload,
                host,
            } => {
                let to = ingress::backend(&self.objects, host)?;
                match ingress::gateway(&self.objects, &to) {
                    Some((namespace, workload)) => (namespace, workload, true, Asked::Host(host.clone())),
                    None => (namespace.clone(), workload.clone(), false, Asked::Service(to)),
                }
            }
        })
    }

    fn request(
        &mut self,
        from: &From<'_>,
        asked: &Asked,
        protocol: Protocol,
        step: &mut Step<'_>,
    ) -> Outcome {
        // Who has no proxy knows no rules: any pod of the service may answer.
        let asked = match asked {
            Asked::Service(service) if !from.meshed => &Asked::Plain(service.clone()),
            asked => asked,
        };
        let key = (from.party.namespace.clone(), asked.clone());
        let (objects, tables) = (&self.objects, &mut self.tables);
        let table = tables
            .entry(key)
            .or_insert_with(|| Arc::new(Table::of(objects, &from.party.namespace, asked)));
        let table = table.clone();
        match table.choose(from.header, step.draw.unit()) {
            Target::Nowhere(service, code, flags) => {
                let cause = match *flags {
                    "NC" => Cause::NoCluster,
                    "UH" => Cause::NoEndpoint,
                    _ => Cause::NoRoute,
                };
                let place = service
                    .as_ref()
                    .map_or_else(|| "".into(), |it| place(&it.namespace, &it.name));
                let outcome = Outcome {
                    wrong: Some((cause, place)),
                    ms: 0.2,
                };
                if from.meshed {
                    let service = service.clone().unwrap_or_default();
                    let flow = FlowKey {
                        source: from.party.clone(),
                        target: Party::default(),
                        service,
                        reporter: Reporter::Source,
                        protocol,
                    };
                    let line = Line {
                        flow,
                        mtls: false,
                        code: (*code).into(),
                        flags: (*flags).into(),
                    };
                    step.samples
                        .count(&line, count(protocol, outcome.ms, &mut step.draw));
                }
                outcome
            }
            Target::Pods(service, backends) => {
                let backend = &backends[step.draw.below(backends.len())];
                self.served(from, backend, service, protocol, step)
            }
        }
    }

    fn served(
        &mut self,
        from: &From<'_>,
        backend: &Backend,
        service: &ServiceId,
        protocol: Protocol,
        step: &mut Step<'_>,
    ) -> Outcome {
        if backend.strict && !from.meshed {
            // The connection is reset before there is a request: nothing is counted anywhere.
            let at = place(&backend.party.namespace, &backend.party.workload);
            return Outcome {
                wrong: Some((Cause::Plaintext, at)),
                ms: 1.0,
            };
        }
        let who = (backend.party.namespace.clone(), backend.party.workload.clone());
        let work = self.demand.works.get(&who).cloned().unwrap_or_default();
        let outcome = if from.depth < DEPTH {
            self.work(from, backend, &work, step)
        } else {
            Outcome {
                wrong: None,
                ms: work.ms,
            }
        };
        let (ok, ms) = (outcome.ok(), outcome.ms);
        let grown = count(protocol, ms, &mut step.draw);
        let code = match (protocol, ok) {
            (Protocol::Tcp, _) => "0",
            (_, true) => "200",
            (_, false) => "500",
        };
        let mut enter = |reporter, source: Party, mtls| {
            let (target, service) = (backend.party.clone(), service.clone());
            let flow = FlowKey {
                source,
                target,
                service,
                reporter,
                protocol,
            };
            step.samples.count(
                &Line {
                    flow,
                    mtls,
                    code: code.into(),
                    flags: "-".into(),
                },
                grown,
            );
        };
        if from.meshed {
            enter(Reporter::Source, from.party.clone(), false);
        }
        if backend.meshed {
            let source = if from.meshed {
                from.party.clone()
            } else {
                Party::default()
            };
            enter(Reporter::Destination, source, from.meshed);
        }
        outcome
    }

    fn work(&mut self, from: &From<'_>, backend: &Backend, work: &Work, step: &mut Step<'_>) -> Outcome {
        let here = place(&backend.party.namespace, &backend.party.workload);
        let mut wrong = step.draw.happens(work.failing).then_some((Cause::OwnFault, here));
        let mut ms = step.draw.duration(work.ms);
        let caller = From {
            party: &backend.party,
            meshed: backend.meshed,
            header: from.header,
            depth: from.depth + 1,
        };
        for Call {
            service,
            protocol,
            share,
            essential,
        } in &work.calls
        {
            if step.draw.happens(*share) {
                let outcome = self.request(&caller, &Asked::Service(service.clone()), *protocol, step);
                if *essential {
                    wrong = wrong.or(outcome.wrong);
                }
                ms += outcome.ms;
            }
        }
        Outcome { wrong, ms }
    }
}

fn place(namespace: &str, name: &str) -> Name {
    format!("{namespace}/{name}").into()
}

fn count(protocol: Protocol, ms: f64, draw: &mut Draw) -> Count {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "durations are positive and short"
    )]
    let duration_us = (ms * 1_000.0) as u64;
    let bytes = |from: u64, to: u64, draw: &mut Draw| from + draw.bits() % (to - from);
    match protocol {
        Protocol::Tcp => Count {
            requests: 1,
            duration_us: 0,
            sent: bytes(200, 2_000, draw),
            received: bytes(500, 20_000, draw),
        },
        Protocol::Http | Protocol::Grpc => Count {
            requests: 1,
            duration_us,
            sent: bytes(300, 900, draw),
            received: bytes(400, 6_000, draw),
        },
    }
}
