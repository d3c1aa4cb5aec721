//! When what a request meets was last changed: what configures the mesh around the Migration's services, and what their pods are made from.
//!
//! Objects tell by their `managedFields`; a pod template is as old as the ReplicaSet that was made for it. That finds what was forgotten, not
//! what somebody hides who may write the object: they can date it back. Deliberately not here: what was deleted (it leaves no trace), Services
//! and Ingresses (of which no time is kept), and scaling.

use super::{Found, World, ask};
use crate::{
    Name, Timestamp, Why,
    crossing::Migration,
    fact::ReplicaSet,
    mesh::injection::Template,
    object::{Key, Kind},
};
use std::{collections::BTreeSet, sync::Arc};

/// The kinds that configure the mesh. WorkloadEntries come and go as pods do.
const CONFIGURING: [Kind; 15] = [
    Kind::ConfigMap,
    Kind::Gateway,
    Kind::VirtualService,
    Kind::DestinationRule,
    Kind::ServiceEntry,
    Kind::Sidecar,
    Kind::EnvoyFilter,
    Kind::WasmPlugin,
    Kind::PeerAuthentication,
    Kind::RequestAuthentication,
    Kind::AuthorizationPolicy,
    Kind::Telemetry,
    Kind::GatewayApiGateway,
    Kind::HttpRoute,
    Kind::ReferenceGrant,
];

/// The last change that can be dated, and what it was of. What cannot be dated is noted: it may have been later.
pub(super) fn last_change(
    world: &World<'_>,
    migration: &Migration,
    found: &mut Found,
) -> Option<(Timestamp, Key)> {
    let configured = configuration(world, migration, found);
    let made = templates(world, migration, found);
    configured.into_iter().chain(made).max()
}

fn configuration(world: &World<'_>, migration: &Migration, found: &mut Found) -> Vec<(Timestamp, Key)> {
    let mut namespaces: BTreeSet<&str> = ask::namespaces(migration);
    namespaces.extend(
        migration
            .edge
            .iter()
            .flat_map(|it| &it.gateway)
            .map(|it| &*it.namespace),
    );
    namespaces.insert(&world.mesh.config.root_namespace);
    let mut dated = Vec::new();
    for kind in CONFIGURING {
        found.unknowns(world.objects.gap(kind));
        let objects = namespaces
            .iter()
            .flat_map(|it| world.objects.of_kind_in(kind, it));
        for object in objects {
            match object.written_at() {
                Some(at) => dated.push((at, object.key().clone())),
                None => found.unknown(undated(object.key())),
            }
        }
    }
    dated
}

fn templates(world: &World<'_>, migration: &Migration, found: &mut Found) -> Vec<(Timestamp, Key)> {
    found.unknowns(
        [Kind::Deployment, Kind::ReplicaSet]
            .iter()
            .filter_map(|&it| world.objects.gap(it)),
    );
    let gateway = migration.edge.iter().flat_map(|it| &it.gateway);
    let mut dated = Vec::new();
    for place in migration.all_services().chain(gateway) {
        for template in ask::behind(world, place, found) {
            match made(world, template) {
                Some(at) => dated.push((at, template.owner.clone())),
                None => found.unknown(undated(&template.owner)),
            }
        }
    }
    dated
}

/// When the pods of a template became what they are.
fn made(world: &World<'_>, template: &Template) -> Option<Timestamp> {
    let owner = &template.owner;
    match owner.kind {
        Kind::Deployment => of_sets(world, owner, &("Deployment".into(), owner.name.clone())),
        Kind::ReplicaSet => {
            let set = world.objects.replica_sets.get(owner)?;
            match &set.owner {
                Some(by) => of_sets(world, owner, by),
                None => set.created,
            }
        }
        Kind::Pod => world.objects.pods.get(owner)?.created,
        _ => world.objects.whole.get(owner)?.written_at(),
    }
}

/// When the newest ReplicaSet of an owner was made. None if none is known, or if another is in force: then somebody went back to an old
/// template, and when is written nowhere.
fn of_sets(world: &World<'_>, near: &Key, owner: &(Name, Name)) -> Option<Timestamp> {
    let sets = world.objects.replica_sets.values();
    let sets = sets.filter(|it| it.namespace == near.namespace && it.owner.as_ref() == Some(owner));
    let sets: Vec<&Arc<ReplicaSet>> = sets.collect();
    let made: Option<Vec<Timestamp>> = sets.iter().map(|it| it.created).collect();
    let newest = made?.into_iter().max()?;
    let counted = sets.iter().filter(|it| it.revision.is_some());
    let in_force = match counted.max_by_key(|it| it.revision) {
        Some(set) => set.created,
        None => {
            let wanted = sets.iter().filter(|it| it.replicas > 0);
            wanted.filter_map(|it| it.created).max()
        }
    };
    in_force.is_none_or(|it| it == newest).then_some(newest)
}

fn undated(key: &Key) -> Why {
    Why::NotObserved {
        what: format!("when {key} was last changed").into(),
    }
}
