//! What the stable version can carry, for a rollback gives it all requests.

use super::{
    rate,
    spec::Spec,
    steps::Capacity,
    version::{version, workload_of_template},
};
use crate::{
    Name, Timestamp,
    judge::guardrail::{Block, Counts, Role},
    mesh::route,
    object::Kind,
    snapshot::Snapshot,
    workload::{WorkloadId, workload_of},
};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// A minute counts as carried well if less than this share of its requests failed.
const WELL: f64 = 0.01;

/// For so many minutes the pods of now, or those before the canary if they were more, are taken to have been the ones that answered, where
/// nobody tells which did.
const SAME_PODS: SignedDuration = SignedDuration::from_mins(5);

/// What `spec.stable` can carry, whatever its role is by now. `namespace` is the Canary's; it had `pods` before it began, if that is known;
/// without `counts` no peak is known.
pub fn capacity(
    snapshot: &Snapshot,
    spec: &Spec,
    namespace: &str,
    pods: Option<u32>,
    counts: Option<&Counts>,
) -> Capacity {
    let objects = &*snapshot.objects.value;
    let object = objects.object(Kind::VirtualService, namespace, &spec.route.name);
    let rate = object.and_then(|object| {
        let rules = route::rules(object);
        let rule = rules.iter().find(|rule| rule.index == spec.route.rule)?;
        rate(snapshot, object, rule).ok()
    });
    let Ok(stable) = version(objects, &spec.stable, namespace) else {
        return Capacity {
            rate,
            ..Capacity::default()
        };
    };
    // Who is no Deployment's is wanted as long as it runs.
    let deployed: BTreeSet<WorkloadId> = stable
        .deployments
        .iter()
        .map(|it| workload_of_template(it))
        .collect();
    let others = stable
        .pods
        .iter()
        .filter(|pod| !deployed.contains(&workload_of(objects, pod)));
    let wanted: u32 = stable.deployments.iter().map(|it| it.replicas).sum();
    let ready = Some(stable.ready);
    Capacity {
        ready,
        wanted: wanted.saturating_add(u32::try_from(others.count()).unwrap_or(u32::MAX)),
        peak: counts.and_then(|counts| {
            // Whoever has promoted saves pods, and what answered then were more.
            let pods = stable.ready.max(pods.unwrap_or(0));
            peak(counts, pods, snapshot.taken)
        }),
        rate,
    }
}

/// The most requests per second that a pod of the stable version carried well over a minute. How many pods there were in a minute is told
/// by who counted arrivals then; where none of them is told by name, only the last minutes count, and `all` pods are taken to have answered.
fn peak(counts: &Counts, all: u32, now: Timestamp) -> Option<f64> {
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    let mut pods: BTreeMap<i64, BTreeSet<&Name>> = BTreeMap::new();
    for it in counts.arrivals.iter().filter(|it| it.role == Role::Stable) {
        if let Some(pod) = &it.pod {
            pods.entry(minute(it.to)).or_default().insert(pod);
        }
    }
    let mut minutes: BTreeMap<i64, Vec<&Block>> = BTreeMap::new();
    for block in counts.blocks.iter().filter(|it| it.role == Role::Stable) {
        minutes.entry(minute(block.to)).or_default().push(block);
    }
    let recent = now.checked_sub(SAME_PODS).map_or(i64::MAX, minute);
    let per_pod = minutes.iter().filter_map(|(at, blocks)| {
        let n = match pods.get(at) {
            Some(named) => u32::try_from(named.len()).ok()?,
            None if pods.is_empty() && *at > recent => all,
            None => 0,
        };
        (n > 0 && well(blocks)).then(|| carried(blocks) / f64::from(n))
    });
    per_pod.max_by(f64::total_cmp)
}

fn well(blocks: &[&Block]) -> bool {
    let requests: u64 = blocks.iter().map(|it| it.requests).sum();
    let failed: u64 = blocks.iter().map(|it| it.failed + it.grpc_failed).sum();
    requests > 0 && float(failed) < WELL * float(requests)
}

/// Requests per second over a minute. What was counted over longer than that, since a scrape was missed, is spread over its time.
fn carried(blocks: &[&Block]) -> f64 {
    let mut of: BTreeMap<(&str, &str), (u64, f64)> = BTreeMap::new();
    for block in blocks {
        let (requests, seconds) = of.entry((&block.caller, &block.destination)).or_default();
        *requests += block.requests;
        *seconds += block.to.duration_since(block.from).as_secs_f64();
    }
    of.values()
        .map(|(requests, seconds)| float(*requests) / seconds.max(60.0))
        .sum()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay far below 2^53"
)]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
