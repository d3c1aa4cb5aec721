//! What a change of weights would run into before the destinations' own pods do: an autoscaler's upper bound, and a caller's connection pool.

use crate::{
    Name, Risk, canary,
    judge::World,
    mesh::{
        host::{self, Host},
        mtls,
        route::{self, ChosenDestination, Destination, Rule},
        subset::{self, Pool, Setting, Subset},
    },
    object::{Key, Kind, Object},
    snapshot::{Objects, Snapshot},
    traffic::{FlowKey, Protocol, Reporter, ServiceId, Traffic},
    workload::{WorkloadId, runs, workload_of},
};
use naru_view::canary::{Prediction, SetWeights};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// So many standard deviations above the mean a burst of requests that come independently is once in a thousand moments.
const BURST: f64 = 3.0;

/// What binds first, for each destination that would get more.
pub(super) fn risks(
    snapshot: &Snapshot,
    object: &Object,
    rule: &Rule,
    wish: &SetWeights,
    prediction: &Prediction,
) -> Vec<Risk> {
    let mut risks = Vec::new();
    let grows = prediction
        .destinations
        .iter()
        .map(|it| it.rate.filter(|(now, then)| then > now));
    let growing: Vec<(usize, f64)> = grows
        .enumerate()
        .filter_map(|(at, it)| Some((at, it?.1)))
        .collect();
    risks.extend(autoscalers(
        &snapshot.objects.value,
        object,
        rule,
        prediction,
        &growing,
    ));
    if !rule.list.connections() {
        risks.extend(pools(snapshot, object, rule, wish, &growing));
    }
    risks
}

/// Where as many pods as it takes, if each carried what the route's busiest pod carries now, are more than the autoscaler makes.
fn autoscalers(
    objects: &Objects,
    object: &Object,
    rule: &Rule,
    prediction: &Prediction,
    growing: &[(usize, f64)],
) -> Vec<Risk> {
    let each = prediction.destinations.iter().filter_map(|it| {
        let ready = it.ready.filter(|ready| *ready > 0)?;
        Some(it.rate?.0 / f64::from(ready))
    });
    let busiest = each.fold(0.0, f64::max);
    if busiest <= 0.0 {
        return Vec::new();
    }
    let bound = |(at, rate): &(usize, f64)| {
        let is = rule.destinations.get(*at)?;
        let (autoscaler, most) = autoscaler(objects, &deployment(objects, object, is)?)?;
        // A thousandth less than a whole pod is rounding.
        let pods = (rate / busiest - 1e-3).ceil();
        (pods > f64::from(most)).then(|| Risk::Autoscaler {
            subset: is.label(),
            autoscaler,
            most,
            // Pods are counted in hundreds at most.
            pods: pods.min(f64::from(u32::MAX)) as u32,
        })
    };
    growing.iter().filter_map(bound).collect()
}

fn deployment(objects: &Objects, object: &Object, is: &Destination) -> Option<Key> {
    let to = canary::spec::Target {
        host: is.host.clone(),
        subset: is.subset.clone(),
    };
    canary::deployment(objects, &to, &object.key().namespace)
}

/// Who scales a Deployment, and to how many pods at most (`autoscaling/v2`).
fn autoscaler(objects: &Objects, of: &Key) -> Option<(Name, u32)> {
    let mut all = objects.of_kind(Kind::HorizontalPodAutoscaler);
    let of_it = |it: &&Object| {
        it.key().namespace == of.namespace
            && it.text("/spec/scaleTargetRef/kind") == of.kind.name()
            && it.text("/spec/scaleTargetRef/name") == &*of.name
    };
    let it = all.find(of_it)?;
    let most = it.get("/spec/maxReplicas").and_then(Value::as_u64)?;
    Some((it.key().name.clone(), u32::try_from(most).unwrap_or(u32::MAX)))
}

/// What one workload asks of the rule's services.
#[derive(Default)]
struct Caller {
    rate: f64,
    /// Some of it is not gRPC, and may have a connection for each request.
    http: bool,
    /// Milliseconds spent in a second, by the workload that answered.
    busy: BTreeMap<WorkloadId, (f64, f64)>,
}

/// Where a caller's pods would have more requests under way at once than their pool takes. By Little's law that is their rate times their duration; how
/// many there are at a moment is taken to be drawn around it as requests come that know nothing of each other. A pool is one proxy's, for one destination
/// (Istio reference, `ConnectionPoolSettings`; Envoy documentation, "Circuit breaking").
fn pools(
    snapshot: &Snapshot,
    object: &Object,
    rule: &Rule,
    wish: &SetWeights,
    growing: &[(usize, f64)],
) -> Vec<Risk> {
    let objects = &*snapshot.objects.value;
    let mut risks = Vec::new();
    let Some(traffic) = &snapshot.traffic.value.traffic else {
        return risks;
    };
    let world = World::of(objects, crate::mesh::Prepared::of(objects), None, snapshot.taken);
    let services = canary::services(objects, object, rule).unwrap_or_default();
    let callers = callers(traffic, &services);
    for (at, _) in growing {
        let (Some(is), Some(wanted)) = (rule.destinations.get(*at), wish.weights.get(*at)) else {
            continue;
        };
        let Host::Service(service) = is.resolve(objects, &object.key().namespace) else {
            continue;
        };
        let behind = match subset::endpoints(objects, &service, &is.subset, &object.key().namespace) {
            Subset::Pods(behind) => behind.workloads,
            Subset::Undefined | Subset::Unknown(_) => continue,
        };
        let Some(to) = chosen(objects, is, &service) else {
            continue;
        };
        let share = f64::from(wanted.weight) / 100.0;
        let full = callers.iter().filter_map(|(from, caller)| {
            let ms = caller
                .average(|it| behind.contains(it))
                .or_else(|| caller.average(|_| true))?;
            let (pool, pods) = pool(&world, object, from, &to)?;
            let under_way = caller.rate * share / f64::from(pods) * ms / 1_000.0;
            let most = under_way + BURST * under_way.sqrt();
            let (field, limit) = tightest(&pool, caller.http)?;
            (most > f64::from(limit.value)).then(|| {
                let rule = limit
                    .decider
                    .as_ref()
                    .map(|it| it.key.name.clone())
                    .unwrap_or_default();
                (most, from, field, limit.value, rule)
            })
        });
        if let Some((most, from, field, limit, rule)) = full.max_by(|a, b| a.0.total_cmp(&b.0)) {
            risks.push(Risk::Pool {
                subset: is.label(),
                caller: format!("{}/{}", from.0, from.1).into(),
                rule,
                field: field.into(),
                limit,
                // Far below 2^32.
                most: most.ceil() as u32,
            });
        }
    }
    risks
}

/// Who asks these services for something, by what the callers' own proxies count.
fn callers(traffic: &Traffic, services: &BTreeSet<ServiceId>) -> BTreeMap<WorkloadId, Caller> {
    let mut callers: BTreeMap<WorkloadId, Caller> = BTreeMap::new();
    let counts = |key: &FlowKey| {
        key.reporter == Reporter::Source
            && key.protocol != Protocol::Tcp
            && services.contains(&key.service)
            && !key.source.workload.is_empty()
    };
    for (key, flow) in traffic.flows.iter().filter(|(key, _)| counts(key)) {
        let from = (key.source.namespace.clone(), key.source.workload.clone());
        let caller = callers.entry(from).or_default();
        caller.rate += flow.rate;
        caller.http |= key.protocol == Protocol::Http;
        if let Some(ms) = flow.average_ms {
            let target = (key.target.namespace.clone(), key.target.workload.clone());
            let (rate, busy) = caller.busy.entry(target).or_default();
            (*rate, *busy) = (*rate + flow.rate, *busy + flow.rate * ms);
        }
    }
    callers
}

impl Caller {
    /// How long one takes on average of those that these workloads answered, in milliseconds.
    fn average(&self, answered: impl Fn(&WorkloadId) -> bool) -> Option<f64> {
        let of = self.busy.iter().filter(|(it, _)| answered(it));
        let (rate, busy) = of.fold((0.0, 0.0), |sum, (_, it)| (sum.0 + it.0, sum.1 + it.1));
        (rate > 0.0).then(|| busy / rate)
    }
}

/// As the caller's proxy knows it, at the port that the rule names or the service's first.
fn chosen(objects: &Objects, is: &Destination, service: &ServiceId) -> Option<ChosenDestination> {
    let first = || {
        objects
            .service(&service.namespace, &service.name)?
            .ports
            .first()
            .map(|it| it.port)
    };
    Some(ChosenDestination {
        host: host::of_service(service),
        subset: is.subset.clone(),
        port: is.port.or_else(first)?,
    })
}

/// A workload's pool for a destination, and how many of its pods have one each; None of who does not route by the object.
fn pool(
    world: &World<'_>,
    object: &Object,
    from: &WorkloadId,
    to: &ChosenDestination,
) -> Option<(Pool, u32)> {
    let objects = world.objects;
    let first = Key::new(Kind::Pod, from.0.clone(), "");
    let here = objects
        .pods
        .range(first..)
        .take_while(|(key, _)| key.namespace == from.0);
    let mut pods = here
        .map(|(_, pod)| pod)
        .filter(|it| runs(it) && !it.leaving && workload_of(objects, it) == *from);
    let one = pods.next()?;
    let proxy = mtls::proxy(&world.mesh, one).ok()?;
    if object.key().kind == Kind::VirtualService && !route::governs(&world.mesh, &proxy, object) {
        return None;
    }
    let policy = subset::policy(&world.mesh, &proxy, to).ok()??;
    Some((policy.pool, u32::try_from(pods.count() + 1).unwrap_or(u32::MAX)))
}

/// The limit that is met first: requests at once, or connections and those that may wait for one, where requests have one each.
fn tightest(pool: &Pool, http: bool) -> Option<(&'static str, Setting<u32>)> {
    let (connections, waiting) = (&pool.max_connections, &pool.max_pending_requests);
    let both = Setting {
        value: connections.value.saturating_add(waiting.value),
        decider: connections.decider.clone().or_else(|| waiting.decider.clone()),
    };
    let limits = [
        Some(("http2MaxRequests", pool.max_requests.clone())),
        http.then_some(("maxConnections + http1MaxPendingRequests, HTTP/1.1", both)),
    ];
    let bounded = limits
        .into_iter()
        .flatten()
        .filter(|(_, limit)| limit.value < u32::MAX);
    bounded.min_by_key(|(_, limit)| limit.value)
}

#[cfg(test)]
mod tests;
