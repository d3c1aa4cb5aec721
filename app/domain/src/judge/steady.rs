//! State that has lasted: an auditor that flaps is not read.

use super::World;
use crate::{
    Timestamp, Why,
    fact::Pod,
    object::{Key, Kind},
    workload::{WorkloadId, workload_of},
};

/// What is not ready for so many seconds is not ready; what is so for less may be a rollout.
pub(super) const SECONDS: i64 = 600;

/// Whether a moment is too near to judge by.
pub(super) fn recent(now: Timestamp, moment: Timestamp) -> bool {
    now.duration_since(moment).as_secs() < SECONDS
}

/// After how many seconds a rollout of a workload's is over: its Deployment may say sooner than most when one that is not has failed.
pub(super) fn deadline(world: &World<'_>, (namespace, name): &WorkloadId) -> i64 {
    let key = Key::new(Kind::Deployment, namespace.clone(), name.clone());
    let deployment = world.objects.deployments.get(&key);
    deployment.map_or(SECONDS, |it| i64::from(it.rollout.deadline_s).min(SECONDS))
}

/// Whether the pod has not been there long enough to be judged.
pub(super) fn young(world: &World<'_>, pod: &Pod) -> bool {
    let seconds = deadline(world, &workload_of(world.objects, pod));
    pod.created
        .is_some_and(|created| world.now.duration_since(created).as_secs() < seconds)
}

/// It is not known yet whether this will last.
pub(super) fn not_yet() -> Why {
    Why::NotObserved {
        what: "readiness for 10 min".into(),
    }
}
