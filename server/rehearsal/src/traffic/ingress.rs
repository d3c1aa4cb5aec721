//! Where an Ingress controller sends a host.

use naru_domain::{
    mesh::subset,
    snapshot::Objects,
    traffic::ServiceId,
    workload::{WorkloadId, workload_of},
};

/// The service that gets `/` of a host: the first Ingress in order of name that has a rule for it (one without a host is for all). Of
/// ingress-nginx's annotations none is read.
pub(super) fn backend(objects: &Objects, host: &str) -> Option<ServiceId> {
    let all = || objects.ingresses.values().filter(|it| &*it.class == "nginx");
    let route = |wanted: &str| {
        all().find_map(|it| {
            let route = it
                .routes
                .iter()
                .find(|route| &*route.host == wanted && matches!(&*route.path, "/" | ""))?;
            Some(ServiceId {
                namespace: it.namespace.clone(),
                name: route.service.clone(),
            })
        })
    };
    route(host).or_else(|| route(""))
}

/// The ingress gateway's workload behind a service, if it is one.
pub(super) fn gateway(objects: &Objects, service: &ServiceId) -> Option<WorkloadId> {
    let (pod, _) = subset::pods_of(objects, service)
        .into_iter()
        .find(|(pod, ready)| {
            *ready
                && pod
                    .labels
                    .get("istio")
                    .is_some_and(|it| &**it == "ingressgateway")
        })?;
    Some(workload_of(objects, pod))
}
