//! Who asks what of whom, how often.

use naru_domain::{
    Name,
    snapshot::Objects,
    traffic::{Protocol, ServiceId},
};
use std::collections::BTreeMap;

/// All that is asked of a system.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// What comes in.
    pub arrivals: Vec<Arrivals>,
    /// What workloads do with a request, by namespace and name. One that is not named here answers in 5 ms and never fails.
    pub works: BTreeMap<(Name, Name), Work>,
    /// When workloads do something else: looked at each second, the last that fits counts. What they do then they go on doing.
    pub turns: Vec<Turn>,
}

/// A workload does something else.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Which, by namespace and name.
    pub workload: (&'static str, &'static str),
    /// When, by the objects as the proxies have them and the seconds since the start.
    pub when: fn(&Objects, i64) -> bool,
    /// What it does then.
    pub work: Work,
}

impl Demand {
    pub(super) fn turn(&mut self, objects: &Objects, second: i64) {
        for turn in self.turns.iter().filter(|it| (it.when)(objects, second)) {
            let (namespace, workload) = turn.workload;
            self.works
                .insert((namespace.into(), workload.into()), turn.work.clone());
        }
    }
}

/// Requests that come in.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// Whose they are, for what they had to bear: `people`, a job's name.
    pub name: Name,
    /// From whom.
    pub caller: Caller,
    /// To what; ignored for a gateway, whose routes decide by host.
    pub call: Call,
    /// Requests per second on average.
    pub rate: f64,
    /// How much the rate itself wanders from moment to moment: 0 not at all, 1 between nothing and twice as much.
    pub unrest: f64,
    /// Seconds of each minute in which it asks; None always.
    pub seconds: Option<u32>,
    /// A header, and the share of requests that carry it.
    pub header: Option<(Name, Name, f64)>,
}

/// Where requests begin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// An ingress gateway, asked for a host.
    Gateway {
        /// Namespace of its workload.
        namespace: Name,
        /// Its workload.
        workload: Name,
        /// The host asked for.
        host: Name,
    },
    /// An Ingress controller without a proxy, asked for a host: the Ingresses of the moment say which service gets it. One that leads to
    /// an ingress gateway goes on as the gateway's.
    Nginx {
        /// Namespace of its workload.
        namespace: Name,
        /// Its workload.
        workload: Name,
        /// The host asked for.
        host: Name,
    },
    /// A CronJob's pods: they call while one of them is ready, through a proxy if it has one.
    CronJob {
        /// Its namespace.
        namespace: Name,
        /// Its name.
        name: Name,
    },
    /// A workload that calls by itself.
    Workload {
        /// Its namespace.
        namespace: Name,
        /// Its name.
        workload: Name,
        /// Whether it has a proxy.
        meshed: bool,
    },
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service called.
    pub service: ServiceId,
    /// What is spoken.
    pub protocol: Protocol,
    /// How many of the caller's requests lead to it.
    pub share: f64,
    /// Whether the caller fails when it does.
    pub essential: bool,
}

impl Call {
    /// An HTTP call that every request leads to, and that the caller needs.
    pub fn http(namespace: &str, service: &str) -> Self {
        Self {
            service: ServiceId {
                namespace: namespace.into(),
                name: service.into(),
            },
            protocol: Protocol::Http,
            share: 1.0,
            essential: true,
        }
    }

    /// Only this share of requests leads to it.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self { share, ..self }
    }
}

/// What a workload does with a request.
#[derive(Clone, Debug)]
pub struct Work {
    /// Mean time of its own, in milliseconds.
    pub ms: f64,
    /// Share of requests that fail by its own fault, with 500.
    pub failing: f64,
    /// Whom it calls for each.
    pub calls: Vec<Call>,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            ms: 5.0,
            failing: 0.0,
            calls: Vec::new(),
        }
    }
}
