//! Requests, one by one, along the routes of the moment.

use super::{
    SCRAPE_MS,
    changes::{Changes, Concern},
    demand::{Arrivals, Caller, Demand, Shape, Turn, Work},
    ingress,
    journey::{From, Planned, Standing, Step, place},
    observer::Eyes,
    peers::{Peer, Peers, Proxied, narrow},
    routes::{Routes, Tables, Target},
    samples::Samples,
    tally::Tally,
    toll::{Cause, Toll},
};
use crate::{api::Changed, draw::Draw};
use naru_domain::{
    Name, Timestamp,
    fact::Fact,
    mesh::{Mesh, MeshConfig},
    object::Kind,
    snapshot::{KindState, Objects},
    traffic::{Protocol, ServiceId},
    workload::WorkloadId,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::mpsc,
};

/// Milliseconds of one step: short beside the delay of a route and the interval of scrapes.
const STEP_MS: i64 = 200;

/// Who was longer away than this gets no more caught up. What is counted by then depends on nothing but time as long as somebody asks
/// within it; beyond, a server that slept for days would count for minutes before it answers.
const CAUGHT_UP_MS: i64 = 6 * 60 * 60 * 1_000;

/// A change of configuration reaches the proxies after 0.1 to 1 second: istiod's debounce, its push, and the slowest proxy.
const DELAY_MS: (f64, f64) = (100.0, 900.0);

/// How often a workload's proxies do not answer a scrape.
const MISSED: f64 = 0.001;

pub(super) struct Simulation {
    journal: mpsc::Receiver<Changed>,
    /// Changes that have not reached the proxies yet, with the moment when they do.
    coming: VecDeque<(i64, Changed)>,
    objects: Objects,
    config: MeshConfig,
    /// What of the objects has changed since the last step.
    changes: Changes,
    peers: Peers,
    routes: Routes,
    standing: Standing,
    tally: Tally,
    demand: Vec<Coming>,
    works: BTreeMap<WorkloadId, Planned>,
    turns: Vec<(Turn, Planned)>,
    seed: u64,
    changed: u64,
    /// The last step done, in steps since the epoch.
    step: i64,
    /// The step that the toll is counted from: history is no player's fault.
    begins: i64,
    toll: Toll,
    unjudged: u64,
}

/// Arrivals, made ready.
struct Coming {
    arrivals: Arrivals,
    /// With their numbers.
    shapes: Vec<(u32, Shape)>,
    total: f64,
    /// Who calls where no pod does.
    stranger: Peer,
    target: u32,
}

/// Who makes a request, and of what; or why there is none.
enum Entry {
    By(Peer, u32),
    /// It fails before any proxy sees it.
    Lost(Cause, Name),
    Nobody,
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
        let (mut peers, mut routes) = (Peers::default(), Routes::default());
        let works = planned(demand.works, &mut routes);
        let turns = demand.turns.into_iter().map(|turn| {
            let planned = plan(turn.work.clone(), &mut routes);
            (turn, planned)
        });
        let turns = turns.collect();
        let mut number = 0;
        let coming = demand.arrivals.into_iter();
        let mut this = Self {
            journal,
            coming: VecDeque::new(),
            objects,
            config: MeshConfig::default(),
            changes: Changes::default(),
            demand: coming
                .map(|it| ready(it, &mut number, &mut peers, &mut routes))
                .collect(),
            peers,
            routes,
            standing: Standing::default(),
            tally: Tally::default(),
            works,
            turns,
            seed,
            changed: 0,
            step: (now.as_millisecond() - i64::from(history_s) * 1_000).div_euclid(STEP_MS),
            begins: now.as_millisecond().div_euclid(STEP_MS),
            toll: Toll::default(),
            unjudged: 0,
        };
        // What is there at the start has long arrived.
        while let Ok(changed) = this.journal.try_recv() {
            this.apply(changed);
        }
        this.changes.everything();
        this.take_in();
        this
    }

    fn apply(&mut self, changed: Changed) {
        let before = self.objects.endpoint_slices.get(&changed.key).cloned();
        match changed
            .json
            .map(|json| Fact::read(changed.key.kind, (*json).clone()))
        {
            Some(Ok(fact)) => self.objects.put(fact),
            Some(Err(_)) | None => self.objects.remove(&changed.key),
        }
        let after = self.objects.endpoint_slices.get(&changed.key);
        let of_slice = before.as_ref().or(after).map(|it| ServiceId {
            namespace: it.namespace.clone(),
            name: it.service.clone(),
        });
        self.changes.note(&changed.key, of_slice);
    }

    /// Lets what has changed reach the proxies.
    fn take_in(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        let mut pods = changes.pods(&self.objects);
        match changes.concern {
            Concern::Nothing => {}
            Concern::Policies => {
                self.standing.turn();
                if self.peers.address(&self.objects) {
                    pods.extend(self.objects.pods.keys().cloned());
                }
            }
            Concern::Everything { policies } => {
                if policies {
                    self.standing.turn();
                }
                self.config = MeshConfig::of(&self.objects);
                self.peers.configure(&self.objects, &self.config);
                self.routes.forget();
                self.standing.rules = Default::default();
                pods.extend(self.objects.pods.keys().cloned());
            }
        }
        if !pods.is_empty() {
            let gone = self.peers.take_in(&self.objects, &pods);
            self.standing.part(&gone);
        }
        self.routes.forget_ends(&changes.services, &changes.namespaces);
    }

    /// Lets time pass until `now`.
    pub(super) fn advance(&mut self, now: Timestamp, samples: &mut Samples, missing: &mut u32, eyes: &Eyes) {
        while let Ok(changed) = self.journal.try_recv() {
            self.changed += 1;
            let delay = DELAY_MS.0 + DELAY_MS.1 * Draw::new(self.seed, !self.changed).unit();
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
            if self.changes.any() {
                self.take_in();
            }
            if at % 1_000 == 0 {
                self.turn();
            }
            self.happen(at, samples);
            eyes.second(at, &self.objects, &self.toll, samples);
            if at % SCRAPE_MS == 0 && !eyes.away(at) {
                if *missing > 0 {
                    *missing -= 1;
                } else if let Ok(now) = Timestamp::from_millisecond(at) {
                    self.scrape(now, samples);
                }
            }
        }
    }

    /// Workloads do what their turns say of this second.
    fn turn(&mut self) {
        let second = (self.step - self.begins) * STEP_MS / 1_000;
        for (turn, planned) in &self.turns {
            if (turn.when)(&self.objects, second) {
                let (namespace, workload) = turn.workload;
                self.works
                    .insert((namespace.into(), workload.into()), planned.clone());
            }
        }
    }

    /// All proxies are scraped, except for some now and then that do not answer in time.
    fn scrape(&self, now: Timestamp, samples: &mut Samples) {
        let mut draw = Draw::new(self.seed ^ 0x7363_7261_7065, now.as_millisecond().unsigned_abs());
        let silent: Vec<WorkloadId> = self
            .peers
            .ready
            .keys()
            .filter(|_| draw.happens(MISSED))
            .cloned()
            .collect();
        samples.scrape_without(now, &silent);
    }

    fn happen(&mut self, at: i64, samples: &mut Samples) {
        let mesh = Mesh {
            objects: &self.objects,
            config: self.config.clone(),
        };
        let mut tables = Tables::new();
        let counted = self.step > self.begins;
        for (n, coming) in self.demand.iter().enumerate() {
            let arrivals = &coming.arrivals;
            if arrivals
                .seconds
                .is_some_and(|seconds| at.rem_euclid(60_000) >= i64::from(seconds) * 1_000)
            {
                continue;
            }
            // Two seconds are busy or quiet together: counts that are more uneven than independent arrivals, as real ones are.
            let stream = u64::try_from(n).unwrap_or(0) << 48;
            let mood = Draw::new(self.seed, stream ^ at.div_euclid(2_000).unsigned_abs()).unit();
            let rate = arrivals.rate * (1.0 + arrivals.unrest * (2.0 * mood - 1.0));
            let moment = stream ^ (1 << 47) ^ at.unsigned_abs();
            let mut draw = Draw::new(self.seed, moment);
            #[expect(clippy::cast_precision_loss, reason = "a small constant")]
            let mean = rate * STEP_MS as f64 / 1_000.0;
            let requests = draw.arrivals(mean);
            let mut step = Step {
                mesh: &mesh,
                peers: &self.peers,
                works: &self.works,
                tables: &mut tables,
                routes: &mut self.routes,
                standing: &mut self.standing,
                tally: &mut self.tally,
                samples: &mut *samples,
                unjudged: &mut self.unjudged,
                draw,
            };
            for _ in 0..requests {
                let wrong = match enters(coming, &mut step) {
                    Entry::Nobody => continue,
                    Entry::Lost(cause, place) => Some((cause, place)),
                    Entry::By(peer, target) => arrive(coming, peer, target, &mut step),
                };
                if counted {
                    self.toll.count(&arrivals.name, wrong);
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a small constant")]
        let ms = STEP_MS as f64;
        self.standing.pools.step(ms);
        self.standing.loads.step(ms);
    }

    pub(super) fn toll(&self) -> &Toll {
        &self.toll
    }

    pub(super) fn unjudged(&self) -> u64 {
        self.unjudged
    }

    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }
}

fn planned(works: BTreeMap<WorkloadId, Work>, routes: &mut Routes) -> BTreeMap<WorkloadId, Planned> {
    works
        .into_iter()
        .map(|(who, work)| (who, plan(work, routes)))
        .collect()
}

fn plan(work: Work, routes: &mut Routes) -> Planned {
    let targets = work
        .calls
        .iter()
        .map(|call| routes.target(target(call)))
        .collect();
    Planned { work, targets }
}

/// What a call is for, as the application has it in its URL.
fn target(call: &super::Call) -> Target {
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

fn ready(arrivals: Arrivals, number: &mut u32, peers: &mut Peers, routes: &mut Routes) -> Coming {
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

fn enters(coming: &Coming, step: &mut Step<'_, '_>) -> Entry {
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
            let call = super::Call::http(&to.namespace, &to.name);
            Entry::By(peer, step.routes.target(target(&call)))
        }
    }
}

fn arrive(coming: &Coming, peer: Peer, target: u32, step: &mut Step<'_, '_>) -> Option<(Cause, Name)> {
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
