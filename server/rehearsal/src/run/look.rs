//! What a judge sees of a moment.

use super::past::Past;
use crate::traffic::{Cause, Harm, Toll};
use naru_domain::{
    Timestamp,
    fact::{Pod, Proxy},
    mesh::{ROOT_NAMESPACE, route},
    object::{Kind, Object},
    snapshot::Objects,
    traffic::ServiceId,
    workload::workload_of,
};
use std::{collections::BTreeMap, sync::Arc};

/// The system at a moment, and how it came there.
pub struct Look<'a> {
    /// The objects: as the proxies have them where goals and harms are judged, as the API server has them where moves are.
    pub objects: &'a Objects,
    /// What callers have borne since the beginning.
    pub toll: &'a Toll,
    pub(super) at: Timestamp,
    pub(super) begun: Timestamp,
    pub(super) past: &'a Past,
    pub(super) done: &'a [(&'static str, Timestamp)],
    /// The goals that are met, and what had been borne when each began to be.
    pub(super) reached: &'a BTreeMap<&'static str, (Timestamp, Toll)>,
}

/// A workload's pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pods {
    /// All that are there.
    pub all: usize,
    /// Of these, those that are ready.
    pub ready: usize,
    /// Of these, those with a sidecar, ready or not.
    pub meshed: usize,
}

impl Pods {
    /// There are some, all of them are ready and have a sidecar.
    pub fn in_mesh(self) -> bool {
        self.all > 0 && self.all == self.ready && self.all == self.meshed
    }
}

impl Look<'_> {
    /// Seconds since the beginning.
    pub fn seconds(&self) -> i64 {
        self.at.duration_since(self.begun).as_secs()
    }

    /// Whether a move was done.
    pub fn did(&self, name: &str) -> bool {
        self.done.iter().any(|(it, _)| *it == name)
    }

    /// Which of these moves was done last.
    pub fn latest(&self, of: &[&str]) -> Option<&'static str> {
        let mut done = self.done.iter().rev();
        done.find(|(it, _)| of.contains(it)).map(|(it, _)| *it)
    }

    /// Whether a goal is met.
    pub fn met(&self, goal: &str) -> bool {
        self.reached.contains_key(goal)
    }

    /// Requests of a caller.
    pub fn asked(&self, caller: &str) -> u64 {
        self.toll.asked.get(caller).copied().unwrap_or(0)
    }

    /// Requests of a caller since a goal began to be met; 0 while it is not.
    pub fn asked_since(&self, goal: &str, caller: &str) -> u64 {
        let before = self.reached.get(goal);
        before.map_or(0, |(_, toll)| {
            self.asked(caller) - toll.asked.get(caller).copied().unwrap_or(0)
        })
    }

    /// Requests that failed.
    pub fn harmed(&self, fits: impl Fn(&Harm) -> bool) -> u64 {
        self.toll.harmed(fits)
    }

    /// Requests that failed for another reason than that a workload fails now and then.
    pub fn wronged(&self) -> u64 {
        self.toll.harmed(|it| it.cause != Cause::OwnFault)
    }

    /// Requests that failed by the fault of this workload.
    pub fn faulty(&self, place: &str) -> u64 {
        self.toll
            .harmed(|it| it.cause == Cause::OwnFault && &*it.place == place)
    }

    /// Whether of a caller's requests in the last `seconds` at least this share was answered well; not if there were none.
    pub fn well(&self, caller: &str, seconds: i64, share: f64) -> bool {
        self.past.lately(self.at, seconds).is_some_and(|before| {
            let asked = self.asked(caller) - before.toll.asked.get(caller).copied().unwrap_or(0);
            let of = |toll: &Toll| toll.harmed(|it| &*it.caller == caller);
            at_least(asked - (of(self.toll) - of(&before.toll)), asked, share)
        })
    }

    /// Whether of a caller's requests in the last `seconds` at least this share went from one workload to the other and was answered.
    pub fn led(&self, caller: &str, from: &str, to: &str, seconds: i64, share: f64) -> bool {
        self.past.lately(self.at, seconds).is_some_and(|before| {
            let asked = self.asked(caller) - before.toll.asked.get(caller).copied().unwrap_or(0);
            at_least(self.answered(from, to, seconds), asked, share)
        })
    }

    /// Requests from one workload that another answered in the last `seconds`, as the caller's proxy counts them.
    pub fn answered(&self, from: &str, to: &str, seconds: i64) -> u64 {
        let key = (from.into(), to.into());
        let before = self.past.lately(self.at, seconds);
        let (Some(before), Some(now)) = (before, self.past.last()) else {
            return 0;
        };
        let of = |it: &BTreeMap<_, u64>| it.get(&key).copied().unwrap_or(0);
        of(&now.answered) - of(&before.answered)
    }

    /// An object that is kept whole.
    pub fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        self.objects.object(kind, namespace, name)
    }

    /// Percent of requests that the weights give to a subset, by the last rule of a VirtualService; None without either.
    pub fn weight(&self, namespace: &str, name: &str, subset: &str) -> Option<u32> {
        let rules = route::rules(self.object(Kind::VirtualService, namespace, name)?);
        let rule = rules.last()?;
        let weights = rule.weights();
        let total: u32 = weights.iter().sum();
        let to = weights.iter().zip(&rule.destinations);
        let wanted: u32 = to
            .filter(|(_, to)| &*to.subset == subset)
            .map(|(weight, _)| weight)
            .sum();
        (wanted * 100).checked_div(total)
    }

    /// A workload's pods.
    pub fn pods(&self, namespace: &str, workload: &str) -> Pods {
        let mut pods = Pods::default();
        for pod in self.of(namespace, workload) {
            pods.all += 1;
            pods.ready += usize::from(pod.ready);
            pods.meshed += usize::from(pod.proxy == Proxy::Sidecar);
        }
        pods
    }

    /// Whether a workload's pods are being replaced: not all of them are ready.
    pub fn rolling(&self, namespace: &str, workload: &str) -> bool {
        let pods = self.pods(namespace, workload);
        pods.ready < pods.all
    }

    /// Whether a workload's pods are all ready and carry this label.
    pub fn labelled(&self, namespace: &str, workload: &str, label: (&str, &str)) -> bool {
        let mut pods = self.of(namespace, workload).peekable();
        let has = |pod: &Arc<Pod>| pod.labels.get(label.0).is_some_and(|it| &**it == label.1);
        pods.peek().is_some() && pods.all(|pod| pod.ready && has(pod))
    }

    fn of(&self, namespace: &str, workload: &str) -> impl Iterator<Item = &Arc<Pod>> {
        self.objects
            .pods
            .values()
            .filter(move |pod| &*pod.namespace == namespace && &*workload_of(self.objects, pod).1 == workload)
    }

    /// Whether pods that are made in a namespace get a sidecar.
    pub fn injecting(&self, namespace: &str) -> bool {
        let mut all = self.objects.namespaces.values();
        all.any(|it| {
            &*it.name == namespace
                && it
                    .labels
                    .get("istio-injection")
                    .is_some_and(|it| &**it == "enabled")
        })
    }

    /// Whether the whole mesh refuses plaintext, single workloads aside.
    pub fn strict(&self) -> bool {
        let mut here = self.objects.of_kind(Kind::PeerAuthentication);
        here.any(|it| {
            &*it.key().namespace == ROOT_NAMESPACE
                && it.get("/spec/selector").is_none()
                && it.text("/spec/mtls/mode") == "STRICT"
        })
    }

    /// The service that an Ingress sends a host's requests to.
    pub fn ingress(&self, host: &str) -> Option<ServiceId> {
        self.objects.ingresses.values().find_map(|it| {
            let route = it.routes.iter().find(|route| &*route.host == host)?;
            Some(ServiceId {
                namespace: it.namespace.clone(),
                name: route.service.clone(),
            })
        })
    }
}

fn at_least(part: u64, of: u64, share: f64) -> bool {
    let number = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    of > 0 && number(part) >= share * number(of)
}
