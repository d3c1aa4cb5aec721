//! What several checks ask about the system that the Migration names.

mod calls;
mod counted;
mod pods;
mod relaxed;
mod scrape;

pub(super) use calls::{Calls, Trouble, Untold, troubles};
pub(super) use counted::counted;
pub(super) use pods::{Bare, Pods, awaits_injection, pods, workloads_behind};
pub(super) use scrape::scraped;
pub(crate) use scrape::scraped_proxies;

use super::{Found, World};
use crate::{
    Why,
    crossing::{
        Item, Migration,
        migration::{Call, Place},
    },
    fact::Pod,
    mesh::{Decider, explain::Explanation, host, injection::Template, route::ChosenDestination, unjudged},
    object::{Kind, Object},
    traffic::ServiceId,
    workload::{WorkloadId, selects},
};
use std::collections::BTreeSet;

/// A field of the Migration.
pub(super) fn declared_at(world: &World<'_>, path: &str) -> Option<Decider> {
    let (key, _) = world.migration.as_ref().ok()?;
    Some(Decider {
        key: key.clone(),
        path: path.into(),
    })
}

/// The Service at a place is not there, although Services are known. Files that hold no Service at all are not the system's.
pub(super) fn absent(world: &World<'_>, place: &Place) -> bool {
    let known = world.objects.gap(Kind::Service).is_none();
    known
        && (world.running || !world.objects.services.is_empty())
        && world.objects.service(&place.namespace, &place.name).is_none()
}

/// The pod templates behind a Service; noted where there is no such Service, or nothing behind it.
pub(super) fn behind<'w>(world: &'w World<'_>, place: &Place, found: &mut Found) -> Vec<&'w Template> {
    let service = world.objects.service(&place.namespace, &place.name);
    let behind: Vec<&Template> = service.map_or_else(Vec::new, |service| {
        let here = world
            .templates()
            .iter()
            .filter(|it| it.owner.namespace == service.namespace);
        here.filter(|it| selects(&service.selector, &it.pod.labels))
            .collect()
    });
    if behind.is_empty() {
        let named = || Why::NotObserved {
            what: format!("Service {place}").into(),
        };
        found.unknown(world.objects.gap(Kind::Service).unwrap_or_else(named));
    }
    behind
}

/// The workload that a template's pods are.
pub(super) fn workload(template: &Template) -> WorkloadId {
    (template.owner.namespace.clone(), template.owner.name.clone())
}

/// The namespaces of the Migration's services.
pub(super) fn namespaces(migration: &Migration) -> BTreeSet<&str> {
    migration.all_services().map(|it| &*it.namespace).collect()
}

/// Pointers of all traffic policies of a DestinationRule: the host's, each subset's, and of each the ports'.
pub(super) fn traffic_policies(rule: &Object) -> Vec<String> {
    let subsets = 0..rule.list("/spec/subsets").len();
    let subsets = subsets.map(|index| format!("/spec/subsets/{index}/trafficPolicy"));
    let mut all = Vec::new();
    for level in std::iter::once("/spec/trafficPolicy".to_owned()).chain(subsets) {
        let ports = format!("{level}/portLevelSettings");
        let count = rule.list(&ports).len();
        all.extend((0..count).map(|index| format!("{ports}/{index}")));
        all.push(level);
    }
    all.retain(|pointer| rule.get(pointer).is_some());
    all
}

/// The pod's proxy is a gateway's: some Gateway selects it, or it says so itself.
pub(super) fn gateway(world: &World<'_>, pod: &Pod) -> bool {
    let mut gateways = world.objects.of_kind(Kind::Gateway);
    pod.labels.contains_key("gateway.networking.k8s.io/gateway-name")
        || gateways.any(|it| selects(&unjudged::labels(it, "/spec/selector"), &pod.labels))
}

/// Those of the declared calls of which a check wants to know, each with where it is declared and what becomes of it. What another item's fault
/// keeps from being known is noted, and so is what cannot be explained: that is 2.3's to tell.
pub(super) fn explained<'w>(
    world: &'w World<'_>,
    migration: &'w Migration,
    found: &mut Found,
    wanted: impl Fn(&Call) -> bool,
) -> Vec<(&'w Call, Decider, &'w Explanation)> {
    let calls = world.calls();
    let mut all = Vec::new();
    for (index, call) in migration.calls.iter().enumerate().filter(|(_, it)| wanted(it)) {
        let Some(here) = declared_at(world, &format!("/spec/calls/{index}")) else {
            continue;
        };
        match (awaits_injection(world, call), calls.told(index)) {
            (Some(item), _) => found.unknown(follows_from(item)),
            (None, Ok(told)) => all.push((call, here, told)),
            (None, Err(_)) => found.unknown(Why::NotObserved {
                what: format!("{} → {}", call.from, call.to).into(),
            }),
        }
    }
    all
}

/// What is not known because another item is not met.
pub(super) fn follows_from(item: Item) -> Why {
    Why::FollowsFrom {
        item: item.id().into(),
    }
}

/// The Service's host and each of its ports as a destination.
pub(super) fn destinations(world: &World<'_>, place: &Place) -> Vec<ChosenDestination> {
    let service = world.objects.service(&place.namespace, &place.name);
    let id = ServiceId {
        namespace: place.namespace.clone(),
        name: place.name.clone(),
    };
    let ports = service.into_iter().flat_map(|it| &it.ports);
    ports
        .map(|port| ChosenDestination {
            host: host::of_service(&id),
            subset: "".into(),
            port: port.port,
        })
        .collect()
}

/// A pod's identity under mutual TLS, without `spiffe://`.
pub(super) fn principal(world: &World<'_>, pod: &Pod) -> String {
    let account = if pod.service_account.is_empty() {
        "default"
    } else {
        &*pod.service_account
    };
    format!(
        "{}/ns/{}/sa/{account}",
        world.mesh.config.trust_domain, pod.namespace
    )
}

/// A PeerAuthentication that selects workloads has set it, rather than one for a namespace or the whole mesh.
pub(super) fn selects_workloads(world: &World<'_>, by: &Decider) -> bool {
    let policy = world.objects.whole.get(&by.key);
    policy.is_some_and(|it| !unjudged::labels(it, "/spec/selector/matchLabels").is_empty())
}
