//! Services, with what reaches them.

use crate::{
    actor::Scope,
    fact::Proxy,
    mesh::subset::pods_of,
    object::Kind,
    snapshot::{Objects, Snapshot},
    topology::round,
    traffic::{Flow, Protocol, Reporter, ServiceId},
};
use naru_view::overview::ServiceRow;
use std::collections::BTreeMap;

/// Namespaces of Kubernetes and Istio themselves, whose services nobody carries across.
const SYSTEM: [&str; 4] = ["istio-system", "kube-node-lease", "kube-public", "kube-system"];

/// What each side counted. The two are never added.
#[derive(Default)]
struct Counted {
    called: Flow,
    callers: Flow,
}

/// Services with traffic, and all others outside the system's own namespaces. The called side's count stands, since it has all callers in
/// it; where that side has no proxy, the callers' does; where neither has one, nothing is known.
pub(super) fn services(snapshot: &Snapshot, scope: &Scope) -> Vec<ServiceRow> {
    let objects = &*snapshot.objects.value;
    let mut rows: BTreeMap<ServiceId, Counted> = BTreeMap::new();
    for key in objects.services.keys() {
        let api_server = (&*key.namespace, &*key.name) == ("default", "kubernetes");
        if !api_server && !SYSTEM.contains(&&*key.namespace) {
            let id = ServiceId {
                namespace: key.namespace.clone(),
                name: key.name.clone(),
            };
            rows.entry(id).or_default();
        }
    }
    let flows = snapshot
        .traffic
        .value
        .traffic
        .iter()
        .flat_map(|traffic| &traffic.flows);
    for (key, flow) in flows.filter(|(key, _)| key.protocol != Protocol::Tcp) {
        let counted = rows.entry(key.service.clone()).or_default();
        add(
            match key.reporter {
                Reporter::Destination => &mut counted.called,
                Reporter::Source => &mut counted.callers,
            },
            flow,
        );
    }
    let measured = snapshot.traffic.value.traffic.is_some();
    let seen = |(id, _): &(ServiceId, Counted)| !id.name.is_empty() && scope.sees(&id.namespace);
    rows.into_iter()
        .filter(seen)
        .map(|(id, counted)| row(objects, id, counted, measured))
        .collect()
}

fn add(sum: &mut Flow, flow: &Flow) {
    // Means of several flows are weighed by their rates.
    let (ours, theirs) = (
        sum.average_ms.unwrap_or(0.0) * sum.rate,
        flow.average_ms.unwrap_or(0.0) * flow.rate,
    );
    sum.rate += flow.rate;
    sum.failed += flow.failed;
    sum.mtls += flow.mtls;
    sum.average_ms = (sum.rate > 0.0).then(|| (ours + theirs) / sum.rate);
}

fn row(objects: &Objects, id: ServiceId, counted: Counted, measured: bool) -> ServiceRow {
    let pods = pods_of(objects, &id);
    let counts = pods.iter().any(|(pod, _)| pod.proxy == Proxy::Sidecar);
    let by_callers = counted.called.rate == 0.0 && !counts && counted.callers.rate > 0.0;
    let flow = if by_callers {
        counted.callers
    } else {
        counted.called
    };
    let share = |part: f64| round::share(part, flow.rate);
    let known = [Kind::Service, Kind::EndpointSlice, Kind::Pod]
        .iter()
        .all(|&kind| objects.gap(kind).is_none());
    let all = u32::try_from(pods.len()).unwrap_or(u32::MAX);
    let ready = pods.iter().filter(|(_, ready)| *ready).fold(0, |n, _| n + 1);
    ServiceRow {
        rate: (measured && (counts || flow.rate > 0.0)).then(|| round::significant(flow.rate)),
        error_share: share(flow.failed),
        average_ms: flow.average_ms.map(round::significant),
        // Only the called side knows what it was called with.
        mtls_share: if by_callers { None } else { share(flow.mtls) },
        endpoints: known.then_some((ready, all)),
        namespace: id.namespace,
        name: id.name,
    }
}

#[cfg(test)]
mod tests {
    use super::services;
    use crate::{actor::Scope, example, fact::Fact, object::Kind, snapshot::Snapshot};
    use serde_json::json;

    type Seen = (Option<f64>, Option<(u32, u32)>);

    fn with(name: &str, edit: impl FnOnce(&mut Snapshot)) -> Option<Seen> {
        let mut objects = example::objects();
        let other = json!({"metadata": {"name": "keycloak", "namespace": "keycloak"}});
        objects.put(Fact::read(Kind::Service, other).unwrap());
        let mut snapshot = example::snapshot(objects);
        edit(&mut snapshot);
        let rows = services(&snapshot, &Scope::all());
        rows.into_iter()
            .find(|row| &*row.name == name)
            .map(|row| (row.rate, row.endpoints))
    }

    #[test]
    fn the_called_side_counts_and_reporters_are_not_added() {
        assert_eq!(with("user-service", |_| ()), Some((Some(30.0), Some((3, 3)))));
    }

    #[test]
    fn without_a_proxy_on_either_side_nothing_is_known() {
        assert_eq!(with("keycloak", |_| ()), Some((None, Some((0, 0)))));
        assert_eq!(
            with("user-service", |s| s.traffic.value = Default::default()),
            Some((None, Some((3, 3))))
        );
    }

    #[test]
    fn a_service_without_a_proxy_is_counted_by_its_callers() {
        let moved = |snapshot: &mut Snapshot| {
            let observed = &mut *std::sync::Arc::make_mut(&mut snapshot.traffic.value);
            let traffic = std::sync::Arc::make_mut(observed.traffic.as_mut().unwrap());
            let flows = std::mem::take(&mut traffic.flows);
            for (mut key, flow) in flows
                .into_iter()
                .filter(|(key, _)| key.reporter == crate::traffic::Reporter::Source)
            {
                key.service.namespace = "keycloak".into();
                key.service.name = "keycloak".into();
                traffic.flows.insert(key, flow);
            }
        };
        assert_eq!(with("keycloak", moved), Some((Some(30.0), Some((0, 0)))));
    }
}
