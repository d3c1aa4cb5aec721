//! Requests, one by one, along the routes of the moment.

use super::{
    SCRAPE_MS,
    arrivals::{Coming, Entry, arrive, enters, plan, planned, ready},
    changes::{Changes, Concern},
    demand::{Demand, Turn},
    journey::{Planned, Standing, Step},
    observer::Eyes,
    peers::Peers,
    routes::{Routes, Tables},
    samples::Samples,
    tally::Tally,
    toll::Toll,
};
use crate::{api::Changed, draw::Draw};
use jiff::SignedDuration;
use naru_domain::{
    Timestamp,
    fact::Fact,
    mesh::{Mesh, Prepared},
    snapshot::Objects,
    traffic::ServiceId,
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
    /// What of the objects was read as configuration.
    prepared: Prepared,
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
    /// When the configuration that the proxies have was sent to them.
    sent: Timestamp,
}

/// Istiod gathers changes for so long before it sends them.
const GATHERED: SignedDuration = SignedDuration::from_millis(100);

impl Simulation {
    pub(super) fn new(
        journal: mpsc::Receiver<Changed>,
        demand: Demand,
        seed: u64,
        now: Timestamp,
        history_s: u32,
    ) -> Self {
        let objects = Objects::all_known();
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
            prepared: Prepared::default(),
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
            sent: now,
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
        if self.changes.concern != Concern::Nothing {
            self.sent = changed.at + GATHERED;
        }
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
                self.prepared = Prepared::of(&self.objects);
                self.peers.configure(&self.objects, self.prepared.config());
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
        let mesh = Mesh::with(&self.objects, self.prepared.clone());
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

    pub(super) fn sent(&self) -> Timestamp {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use crate::traffic::{Count, KEPT, Line, samples::Samples};
    use naru_domain::{
        Timestamp,
        traffic::{FlowKey, Party, Protocol, Reporter, ServiceId},
    };

    #[test]
    fn a_workload_that_misses_a_scrape_stays_at_what_was_last_seen_of_it() {
        let party = |name: &str| Party {
            namespace: "n".into(),
            workload: name.into(),
            ..Party::default()
        };
        let line = |source: &str, reporter| Line {
            flow: FlowKey {
                source: party(source),
                target: party("b"),
                service: ServiceId::default(),
                reporter,
                protocol: Protocol::Http,
            },
            mtls: false,
            code: "200".into(),
            flags: "-".into(),
            route: "".into(),
        };
        let (by_a, by_b) = (line("a", Reporter::Source), line("a", Reporter::Destination));
        let mut samples = Samples::new(KEPT);
        let mut end = Timestamp::UNIX_EPOCH;
        for n in 0..4 {
            for line in [&by_a, &by_b] {
                let requests = if n == 0 { 0 } else { 10 };
                samples.count(
                    line,
                    Count {
                        requests,
                        ..Count::default()
                    },
                );
            }
            end = Timestamp::from_second(n * 5).unwrap_or_default();
            let silent = [("n".into(), "a".into())];
            samples.scrape_without(end, if n == 3 { &silent } else { &[] });
        }
        let Ok(told) = samples.traffic(end, 60) else {
            panic!("four samples are enough")
        };
        let rate = |line: &Line| told.value.flows.get(&line.flow).map(|it| it.rate * 15.0);
        assert_eq!((rate(&by_a), rate(&by_b)), (Some(20.0), Some(30.0)));
    }
}
