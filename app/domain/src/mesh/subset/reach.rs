//! The endpoints that a client's proxy knows behind a destination.

use super::rule::destination_rule;
use crate::{
    Why,
    fact::{self, EndpointSlice, Labels, Pod, Service, ServicePort},
    mesh::{Mesh, Proxy, host, route::ChosenDestination, unjudged},
    object::{Key, Kind},
    traffic::ServiceId,
    workload::{WorkloadId, selects, workload_of},
};
use std::{collections::BTreeMap, sync::Arc};

/// What is behind a destination.
#[derive(Clone, Debug, PartialEq)]
pub enum Reach {
    /// These endpoints; may be none: 503 with the flag UH.
    Endpoints(Vec<Endpoint>),
    /// No such Service: 503 with the flag NC where a route leads here.
    NoService,
    /// The Service has no such port: NC too.
    NoPort,
    /// No DestinationRule that the client's proxy uses defines the subset: NC too.
    NoSubset,
    /// It cannot be known.
    Unknown(Vec<Why>),
}

/// One endpoint of a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The pod behind it; None for an address that is no pod's.
    pub pod: Option<Arc<Pod>>,
    /// The pod's workload.
    pub workload: Option<WorkloadId>,
    /// It takes new requests: its slice calls it ready (as it does all pods of a Service with `publishNotReadyAddresses`), and the pod
    /// has no label `istio.io/draining`. Envoy's panic, in which it sends to others too, is not modelled: Istio turns it off unless a
    /// DestinationRule has `minHealthPercent`.
    pub ready: bool,
    /// The pod's own port; None where the objects do not say it.
    pub port: Option<u16>,
}

impl Endpoint {
    /// Callers' proxies take it for able to speak mutual TLS: the pod has the label that the injector puts there
    /// (`security.istio.io/tlsMode: istio`), whether its sidecar is an ordinary or a native one.
    pub fn mutual_tls(&self) -> bool {
        self.pod
            .as_ref()
            .is_some_and(|pod| speaks_mutual_tls(&pod.labels))
    }

    /// How the pod is in the mesh; an address that is no pod's is not.
    pub fn proxy(&self) -> fact::Proxy {
        self.pod.as_ref().map_or(fact::Proxy::None, |pod| pod.proxy)
    }
}

/// See [`Endpoint::mutual_tls`].
pub(in crate::mesh) fn speaks_mutual_tls(labels: &Labels) -> bool {
    tls_mode(labels) == "istio"
}

/// What a pod's labels say about its TLS. (`GetTLSModeFromEndpointLabels` in istio's `pilot/pkg/model`.)
pub(in crate::mesh) fn tls_mode(labels: &Labels) -> &str {
    labels
        .get("security.istio.io/tlsMode")
        .map_or("disabled", |mode| mode)
}

/// The endpoints that `proxy` knows behind a destination. Not judged, and so Unknown: ExternalName Services, ServiceEntries,
/// WorkloadEntries that a Service selects, `internalTrafficPolicy: Local`. (`BuildClusterLoadAssignment` and `filterIstioEndpoint` in
/// istio's `pilot/pkg/xds/endpoints`.)
pub fn reach(mesh: &Mesh<'_>, proxy: &Proxy, to: &ChosenDestination) -> Reach {
    let kinds = [
        Kind::Service,
        Kind::Pod,
        Kind::EndpointSlice,
        Kind::WorkloadEntry,
        Kind::ServiceEntry,
    ];
    let gaps: Vec<Why> = kinds.iter().filter_map(|&kind| mesh.objects.gap(kind)).collect();
    if !gaps.is_empty() {
        return Reach::Unknown(gaps);
    }
    let entry = mesh.objects.of_kind(Kind::ServiceEntry).find(|entry| {
        let hosts = entry.list("/spec/hosts").iter();
        hosts
            .filter_map(|host| host.as_str())
            .any(|host| *host == *to.host)
    });
    if let Some(entry) = entry {
        return Reach::Unknown(vec![unjudged::named(entry)]);
    }
    let id = host::service_of(&to.host);
    let service = id
        .as_ref()
        .and_then(|id| mesh.objects.service(&id.namespace, &id.name));
    let (Some(id), Some(service)) = (&id, service) else {
        return Reach::NoService;
    };
    let whys = unjudged_of(mesh, service);
    if !whys.is_empty() {
        return Reach::Unknown(whys);
    }
    let rule = match destination_rule(mesh, proxy, &to.host) {
        Ok(rule) => rule,
        Err(whys) => return Reach::Unknown(whys),
    };
    let Some(port) = service.ports.iter().find(|it| it.port == to.port) else {
        return Reach::NoPort;
    };
    let defined = rule.as_ref().and_then(|rule| rule.subset(&to.subset));
    if defined.is_none() && !to.subset.is_empty() {
        return Reach::NoSubset;
    }
    let mut endpoints = all(mesh, id, port);
    if let Some(defined) = defined.filter(|_| !to.subset.is_empty()) {
        endpoints.retain(|endpoint| {
            let labels = endpoint.pod.as_ref().map(|pod| &pod.labels);
            defined
                .labels
                .iter()
                .all(|(name, value)| labels.and_then(|labels| labels.get(name)) == Some(value))
        });
    }
    Reach::Endpoints(endpoints)
}

fn unjudged_of(mesh: &Mesh<'_>, service: &Service) -> Vec<Why> {
    let named = |field: &str| Why::NotJudged {
        what: format!("Service {}/{}: {field}", service.namespace, service.name).into(),
    };
    let external = (!service.external_name.is_empty()).then(|| named("externalName"));
    let local = service.node_local.then(|| named("internalTrafficPolicy"));
    let machines = mesh
        .objects
        .of_kind_in(Kind::WorkloadEntry, &service.namespace)
        .filter(|entry| selects(&service.selector, &unjudged::labels(entry, "/spec/labels")));
    external
        .into_iter()
        .chain(local)
        .chain(machines.map(unjudged::named))
        .collect()
}

/// All endpoints of a service's port, ready or not, in order of name. A pod that several slices name is ready if one says so.
pub(in crate::mesh) fn all(mesh: &Mesh<'_>, service: &ServiceId, port: &ServicePort) -> Vec<Endpoint> {
    let mut pods: BTreeMap<Key, Endpoint> = BTreeMap::new();
    let mut others = Vec::new();
    for slice in mesh.objects.slices_of(service) {
        let Some(number) = number(slice, port) else {
            continue;
        };
        for endpoint in &slice.endpoints {
            if endpoint.pod.is_empty() {
                others.push(Endpoint {
                    pod: None,
                    workload: None,
                    ready: endpoint.ready,
                    port: number,
                });
                continue;
            }
            let key = Key::new(Kind::Pod, service.namespace.clone(), endpoint.pod.clone());
            // Istio leaves out an endpoint whose pod it does not know yet.
            let Some(pod) = mesh.objects.pods.get(&key) else {
                continue;
            };
            let draining = pod
                .labels
                .get("istio.io/draining")
                .is_some_and(|value| !value.is_empty());
            let known = pods.entry(key).or_insert_with(|| Endpoint {
                pod: Some(Arc::clone(pod)),
                workload: Some(workload_of(mesh.objects, pod)),
                ready: false,
                port: number,
            });
            known.ready |= endpoint.ready && !draining;
        }
    }
    pods.into_values().chain(others).collect()
}

/// The pods' port in a slice, by the service port's name; None where the slice is for other ports. A slice that says no ports at all
/// leaves what the Service itself says, if it says a number.
fn number(slice: &EndpointSlice, port: &ServicePort) -> Option<Option<u16>> {
    if slice.ports.is_empty() {
        return Some(match &*port.target {
            "" | "0" => Some(port.port),
            target => target.parse().ok(),
        });
    }
    let found = slice.ports.iter().find(|it| it.name == port.name)?;
    Some(Some(found.port))
}

#[cfg(test)]
mod tests;
