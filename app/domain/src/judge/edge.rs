//! How the outside comes in: the Ingresses of the old controller, and what they lead to.

use super::World;
use crate::{
    Name, Why,
    crossing::Migration,
    fact::{Ingress, IngressRoute},
    mesh::{Decider, gateway::serves, host, subset::pods_of},
    object::{Key, Kind},
    traffic::ServiceId,
    workload::{WorkloadId, workload_of},
};
use std::{collections::BTreeSet, sync::Arc};

/// Ingresses for a host, each with the paths that are for it: those that name it, else those that a wildcard or no host makes for it. Ingresses
/// that istiod itself reads (class `istio`) are no old way in.
pub(super) fn ingresses<'a>(world: &World<'a>, host: &str) -> Vec<(&'a Arc<Ingress>, Vec<&'a IngressRoute>)> {
    let old = world
        .objects
        .ingresses
        .values()
        .filter(|it| &*it.class != "istio");
    let all: Vec<&Arc<Ingress>> = old.collect();
    let fitting = |fits: &dyn Fn(&str) -> bool| -> Vec<(&'a Arc<Ingress>, Vec<&'a IngressRoute>)> {
        all.iter()
            .map(|it| (*it, it.routes.iter().filter(|route| fits(&route.host)).collect()))
            .filter(|(_, routes): &(_, Vec<_>)| !routes.is_empty())
            .collect()
    };
    let exact = fitting(&|it| it == host);
    if !exact.is_empty() {
        return exact;
    }
    // An Ingress's wildcard stands for one label (Kubernetes API reference, `IngressRule.host`).
    let parent = host.split_once('.').map_or("", |(_, parent)| parent);
    let wild = fitting(&|it| it.strip_prefix("*.").is_some_and(|it| it == parent));
    if wild.is_empty() {
        fitting(&str::is_empty)
    } else {
        wild
    }
}

/// An Ingress's field as a place.
pub(super) fn at(ingress: &Ingress, path: impl Into<Name>) -> Decider {
    Decider {
        key: Key::new(Kind::Ingress, ingress.namespace.clone(), ingress.name.clone()),
        path: path.into(),
    }
}

const NGINX: &str = "nginx.ingress.kubernetes.io/";

/// An annotation of ingress-nginx (its documentation, "Annotations").
pub(super) fn nginx<'a>(ingress: &'a Ingress, name: &str) -> Option<&'a str> {
    let mut all = ingress.annotations.iter();
    let (_, value) = all.find(|(it, _)| it.strip_prefix(NGINX) == Some(name))?;
    Some(value)
}

/// The place of an annotation of ingress-nginx.
pub(super) fn nginx_at(ingress: &Ingress, name: &str) -> Decider {
    at(
        ingress,
        format!("/metadata/annotations/nginx.ingress.kubernetes.io~1{name}"),
    )
}

/// Whether the Ingress is for ingress-nginx, as its class or annotations tell.
pub(super) fn is_nginx(ingress: &Ingress) -> bool {
    ingress.class.contains("nginx") || ingress.annotations.keys().any(|it| it.starts_with(NGINX))
}

/// Where a backend of an Ingress leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// To the gateway of the mesh.
    Gateway,
    /// To this Service.
    Service(ServiceId),
    /// To this name, outside the cluster.
    Outside(Name),
    /// To a Service that is not there.
    Nowhere,
    /// It cannot be known.
    Unknown(Why),
}

/// The Services in front of gateway pods, with the one that the Migration names.
pub(super) fn gateways(world: &World<'_>) -> BTreeSet<ServiceId> {
    let named = world.migration.as_ref().ok().and_then(|(_, it)| gateway(it));
    let all = world.objects.of_kind(Kind::Gateway);
    let serving = all.filter_map(|it| serves(&world.mesh, it).ok());
    let reach = serving.flat_map(|it| it.servers).flat_map(|it| it.reach);
    reach.map(|it| it.service).chain(named).collect()
}

/// The workloads of these gateways.
pub(super) fn gateway_workloads(world: &World<'_>) -> BTreeSet<WorkloadId> {
    gateways(world)
        .iter()
        .flat_map(|it| workloads(world, it))
        .collect()
}

/// The workloads of a Service's endpoints.
pub(super) fn workloads(world: &World<'_>, service: &ServiceId) -> BTreeSet<WorkloadId> {
    let pods = pods_of(world.objects, service);
    pods.iter()
        .map(|(pod, _)| workload_of(world.objects, pod))
        .collect()
}

/// The gateway's Service, as the Migration names it.
pub(super) fn gateway(migration: &Migration) -> Option<ServiceId> {
    let place = migration.edge.as_ref()?.gateway.as_ref()?;
    Some(ServiceId {
        namespace: place.namespace.clone(),
        name: place.name.clone(),
    })
}

/// Follows a backend: an ExternalName that points into the cluster is how an Ingress reaches another namespace.
pub(super) fn lead(
    world: &World<'_>,
    gateways: &BTreeSet<ServiceId>,
    ingress: &Ingress,
    service: &Name,
) -> Lead {
    let mut id = ServiceId {
        namespace: ingress.namespace.clone(),
        name: service.clone(),
    };
    // A chain of ExternalNames ends here at the latest.
    for _ in 0..4 {
        if gateways.contains(&id) {
            return Lead::Gateway;
        }
        let Some(service) = world.objects.service(&id.namespace, &id.name) else {
            return match world.objects.gap(Kind::Service) {
                Some(why) => Lead::Unknown(why),
                None => Lead::Nowhere,
            };
        };
        if service.external_name.is_empty() {
            if service.selector.is_empty() {
                let what = format!("Service {}/{}: endpoints", id.namespace, id.name).into();
                return Lead::Unknown(Why::NotJudged { what });
            }
            return Lead::Service(id);
        }
        match host::service_of(service.external_name.trim_end_matches('.')) {
            Some(next) => id = next,
            None => return Lead::Outside(service.external_name.clone()),
        }
    }
    let what = format!("Service {}/{}: externalName", id.namespace, id.name).into();
    Lead::Unknown(Why::NotJudged { what })
}
