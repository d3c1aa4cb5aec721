//! What Kubernetes says of a version: that half of a guardrail's evidence which needs no counting.

use super::{
    spec::Target,
    version::{Version, version, workload_of_template},
};
use crate::{
    Timestamp,
    fact::{Deployment, EndedContainer, Pod, ReplicaSet},
    judge::guardrail::Facts,
    object::{Key, Kind},
    snapshot::Objects,
    workload::workload_of,
};
use std::sync::Arc;

/// The facts about a destination that is written in a rule of `namespace`; what restarted and was rolled out later than `since` is told.
///
/// `ready` is None where the objects do not tell it, and then nothing else is told either.
pub fn facts(objects: &Objects, target: &Target, namespace: &str, since: Timestamp) -> Facts {
    let Ok(version) = version(objects, target, namespace) else {
        return Facts::default();
    };
    let pods = &version.pods;
    let looping = pods.iter().filter(|pod| crash_looping(pod, since));
    Facts {
        ready: Some(version.ready),
        crash_looping: u32::try_from(looping.count()).unwrap_or(u32::MAX),
        restarts: pods.iter().map(|pod| restarts(pod, since)).sum(),
        started: pods.iter().filter_map(|pod| pod.started).max(),
        deployed: deployed(objects, &version, since),
    }
}

/// Kubelet says so; or one of its containers was killed for want of memory and had been started again before, all in the window. Kubelet
/// forgets its back-off after ten minutes of running, so that who dies every quarter of an hour never is in `CrashLoopBackOff`.
fn crash_looping(pod: &Pod, since: Timestamp) -> bool {
    let killed = |it: &EndedContainer| it.out_of_memory && later(it.finished, since);
    pod.ended
        .iter()
        .any(|it| it.looping || (killed(it) && restarts_of(pod, it, since) > 1))
}

fn later(at: Option<Timestamp>, since: Timestamp) -> bool {
    at.is_some_and(|at| at > since)
}

fn restarts(pod: &Pod, since: Timestamp) -> u32 {
    pod.ended.iter().map(|it| restarts_of(pod, it, since)).sum()
}

/// Restarts of a container that were in the window for certain. All of them if its pod started in it. Else kubelet has the times of the
/// last run that ended only: its end is one, and its start another if it was not the first run.
fn restarts_of(pod: &Pod, ended: &EndedContainer, since: Timestamp) -> u32 {
    if later(pod.started, since) {
        return ended.restarts;
    }
    let end = u32::from(later(ended.finished, since));
    let start = u32::from(ended.restarts > 1 && later(ended.started, since));
    (end + start).min(ended.restarts)
}

/// The latest rollout of the version that began in the window.
fn deployed(objects: &Objects, version: &Version<'_>, since: Timestamp) -> Option<Timestamp> {
    let rollouts = version
        .deployments
        .iter()
        .filter_map(|it| rolled_out(objects, version, it));
    rollouts.filter(|at| *at > since).max()
}

/// When the template in force was rolled out: when its ReplicaSet was made. Going back to an older template makes none, but begins with new
/// pods all the same.
fn rolled_out(objects: &Objects, version: &Version<'_>, deployment: &Deployment) -> Option<Timestamp> {
    let first = Key::new(Kind::ReplicaSet, deployment.namespace.clone(), "");
    let sets = objects.replica_sets.range(first..);
    let sets = sets.take_while(|(key, _)| key.namespace == deployment.namespace);
    let owned = |set: &Arc<ReplicaSet>| {
        let owner = set.owner.as_ref();
        owner.is_some_and(|(kind, name)| &**kind == "Deployment" && *name == deployment.name)
    };
    let sets: Vec<&Arc<ReplicaSet>> = sets.map(|(_, set)| set).filter(|set| owned(set)).collect();
    let current = *sets.iter().max_by_key(|set| (set.revision, set.created))?;
    let went_back = sets.iter().any(|set| set.created > current.created);
    if !went_back {
        return current.created;
    }
    let workload = workload_of_template(deployment);
    let its = |pod: &&&Arc<Pod>| {
        let owner = pod.owner.as_ref();
        owner.is_some_and(|(_, name)| *name == current.name) && workload_of(objects, pod) == workload
    };
    version
        .pods
        .iter()
        .filter(its)
        .filter_map(|pod| pod.created)
        .min()
}

#[cfg(test)]
mod tests;
