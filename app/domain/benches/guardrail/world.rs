//! A canary beside its stable version, as Prometheus would show them: bursts that all pods share and bursts of one pod, both lasting from
//! scrape to scrape, beta-binomial counts, incidents behind both versions, missed scrapes, series that are born, retries.

use super::chance::Chance;
use jiff::SignedDuration;
use naru_domain::{
    Name, Timestamp,
    judge::guardrail::{Arrivals, Block, Evidence, Facts, Role, Slow, counter::counted},
};
use std::collections::BTreeMap;

pub(crate) const SCRAPE: i64 = 15;
const CALLERS: usize = 2;
/// Pods of each version.
const PODS: usize = 3;
/// Log-normal bursts: the share moves by half its size, for all pods together and for each alone.
const BURST: f64 = 0.5;
/// Of a burst, so much is left at the next scrape.
const LASTS: f64 = 0.7;
/// Requests to one pod within one scrape are correlated so much.
const RELATED: f64 = 0.01;
/// One scrape in so many is missed.
const MISSED: f64 = 0.03;
/// One scrape in so many begins an incident behind both versions: five points more failures for three scrapes.
const INCIDENT: f64 = 1.0 / 400.0;

/// What is wrong with the canary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// So many more requests fail (share).
    Errors(f64),
    /// So many more requests fail from this weight on.
    AtWeight(u32, f64),
    /// So many gRPC requests fail by their own status, under HTTP 200.
    Grpc(f64),
    /// So many requests are slower than the objective; the median does not move.
    Slow(f64),
    /// So many fail in the first minute, and none after it.
    FirstMinute(f64),
    /// It has no pods any more.
    NoPods,
    /// Its container is killed every 40 s.
    OomLoop,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The stable version's share of failures.
    pub(crate) base: f64,
    /// Requests per second of both.
    pub(crate) rps: f64,
    pub(crate) fault: Fault,
    /// The fault begins so many seconds after the first request.
    pub(crate) onset: i64,
}

#[derive(Clone, Copy, Default)]
struct Counters {
    requests: u64,
    failed: u64,
    grpc: u64,
    client: u64,
    slow: u64,
}

/// One caller's counters of one version.
#[derive(Default)]
struct Series {
    now: Counters,
    scraped: Option<(Timestamp, Counters)>,
}

pub(crate) struct World {
    setting: Setting,
    chance: Chance,
    second: i64,
    weight: u32,
    /// The second at which the fault began.
    pub(crate) begun: Option<i64>,
    shared: f64,
    own: [f64; 2 * PODS],
    incident: u32,
    series: BTreeMap<(usize, Role), Series>,
    scraped: [i64; CALLERS],
    pub(crate) evidence: Evidence,
    /// Requests that failed or were slow at the canary because of the fault.
    pub(crate) harmed: u64,
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a small number")
}

impl World {
    pub(crate) fn new(setting: Setting, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let facts = |ready| Facts {
            ready: Some(ready),
            ..Facts::default()
        };
        Self {
            setting,
            second: 0,
            weight: 0,
            begun: None,
            shared: chance.normal(),
            own: std::array::from_fn(|_| chance.normal()),
            chance,
            incident: 0,
            series: BTreeMap::new(),
            scraped: [0; CALLERS],
            evidence: Evidence {
                scrape: SignedDuration::from_secs(SCRAPE),
                newest: None,
                blocks: Vec::new(),
                arrivals: Vec::new(),
                unrouted: Vec::new(),
                slow: Slow::Told,
                left_out: None,
                stable: facts(3),
                canary: facts(3),
            },
            harmed: 0,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        at(self.second)
    }

    /// One scrape interval at this weight.
    pub(crate) fn tick(&mut self, weight: u32) {
        self.second += SCRAPE;
        self.weight = weight;
        if self.fault(Role::Canary) != Fault::None {
            self.begun.get_or_insert(self.second - SCRAPE);
        }
        let next = |it: f64, chance: &mut Chance| LASTS * it + (1.0 - LASTS * LASTS).sqrt() * chance.normal();
        self.shared = next(self.shared, &mut self.chance);
        for pod in &mut self.own {
            *pod = next(*pod, &mut self.chance);
        }
        self.incident = self.incident.saturating_sub(1);
        if self.chance.is(INCIDENT) {
            self.incident = 3;
        }
        let share = f64::from(weight) / 100.0;
        let all = self.setting.rps * 15.0;
        for pod in 0..PODS {
            self.answer(Role::Stable, pod, all * (1.0 - share) / 3.0);
            self.answer(Role::Canary, PODS + pod, all * share / 3.0);
        }
        self.facts();
        for caller in 0..CALLERS {
            if !self.chance.is(MISSED) {
                self.scrape(caller);
            }
        }
    }

    /// One pod answers for one scrape interval.
    fn answer(&mut self, role: Role, pod: usize, mean: f64) {
        let fault = self.fault(role);
        let burst = (BURST * (self.shared + self.own[pod]) - BURST * BURST).exp();
        let incident = if self.incident > 0 { 0.05 } else { 0.0 };
        let p = self.chance.beta(self.setting.base * burst + incident, RELATED);
        let slow = self.chance.beta(0.005 * burst, RELATED);
        let client = self.chance.beta(0.03 * burst, RELATED);
        let (failing, grpc, slowing) = match fault {
            Fault::Errors(more) | Fault::FirstMinute(more) | Fault::AtWeight(_, more) => (more, 0.0, 0.0),
            Fault::Grpc(more) => (0.0, more, 0.0),
            Fault::Slow(more) => (0.0, 0.0, more),
            // No pod answers; the caller's proxy says 503 without a destination, which the facts outrun.
            Fault::NoPods => (1.0, 0.0, 0.0),
            // Two seconds of every forty.
            Fault::OomLoop => (0.05, 0.0, 0.0),
            Fault::None => (0.0, 0.0, 0.0),
        };
        let mut attempts = 0;
        for caller in 0..CALLERS {
            let chance = &mut self.chance;
            let n = chance.poisson(mean / 2.0);
            let (usual, more) = (chance.binomial(n, p), chance.binomial(n, failing));
            let (by_grpc, late) = (chance.binomial(n, grpc), chance.binomial(n, slowing));
            attempts += n + chance.binomial(n, (0.03 * burst).min(1.0));
            let one = &mut self.series.entry((caller, role)).or_default().now;
            one.requests += n;
            one.failed += (usual + more).min(n);
            one.grpc += by_grpc.min(n - (usual + more).min(n));
            one.client += chance.binomial(n, client);
            one.slow += (chance.binomial(n, slow) + late).min(n);
            self.harmed += more + by_grpc + late;
        }
        let to = self.now();
        let minute = |at: Timestamp| at.as_second().div_euclid(60);
        let same = |it: &&mut Arrivals| it.role == role && minute(it.to) == minute(to);
        match self.evidence.arrivals.iter_mut().rev().take(4).find(same) {
            Some(into) => into.attempts += attempts,
            None => self.evidence.arrivals.push(Arrivals {
                to,
                role,
                pod: None,
                attempts,
            }),
        }
    }

    fn fault(&self, role: Role) -> Fault {
        let begun = self.second - SCRAPE >= self.setting.onset;
        match self.setting.fault {
            _ if role == Role::Stable || !begun => Fault::None,
            Fault::FirstMinute(_) if self.second - self.setting.onset > 60 => Fault::None,
            Fault::AtWeight(from, _) if self.weight < from => Fault::None,
            fault => fault,
        }
    }

    fn facts(&mut self) {
        let canary = &mut self.evidence.canary;
        let since = u32::try_from(self.second - self.setting.onset).unwrap_or(0);
        match self.setting.fault {
            Fault::NoPods if since > 0 => canary.ready = Some(0),
            Fault::OomLoop => canary.restarts = since / 40,
            _ => {}
        }
    }

    /// The caller's proxy is scraped: raw samples become blocks.
    fn scrape(&mut self, caller: usize) {
        let to = self.now();
        let before = at(self.scraped[caller]);
        self.scraped[caller] = self.second;
        self.evidence.newest = Some(to);
        for role in [Role::Stable, Role::Canary] {
            let Some(series) = self.series.get_mut(&(caller, role)) else {
                continue;
            };
            let now = series.now;
            let of = |pick: fn(&Counters) -> u64| {
                let here = (to, pick(&now));
                let pairs = match &series.scraped {
                    Some((then, was)) => counted(&[(*then, pick(was)), here], None),
                    None => counted(&[here], Some(before)),
                };
                pairs.first().map_or(0, |it| it.n)
            };
            let block = Block {
                from: before,
                to,
                role,
                caller: Name::from(["one", "other"][caller]),
                destination: role.name().into(),
                requests: of(|it| it.requests),
                failed: of(|it| it.failed),
                grpc_failed: of(|it| it.grpc),
                client_errors: of(|it| it.client),
                slow: of(|it| it.slow),
            };
            series.scraped = Some((to, now));
            self.keep(block);
        }
    }

    /// Blocks of one minute are given as one, as a reader with long windows would give them.
    fn keep(&mut self, block: Block) {
        let minute = |it: &Block| it.to.as_second().div_euclid(60);
        let same = |it: &&mut Block| {
            it.role == block.role && it.caller == block.caller && minute(it) == minute(&block)
        };
        let last = self.evidence.blocks.iter_mut().rev().take(2 * CALLERS);
        let Some(into) = last.into_iter().find(same) else {
            self.evidence.blocks.push(block);
            return;
        };
        into.to = block.to;
        into.requests += block.requests;
        into.failed += block.failed;
        into.grpc_failed += block.grpc_failed;
        into.client_errors += block.client_errors;
        into.slow += block.slow;
    }
}
