//! 3.1: nobody who speaks plaintext to a workload of the mesh is left when that takes mutual TLS alone: declared callers, the old ingress controller, jobs,
//! and Prometheus where it scrapes the application's own port.

use crate::{
    Name,
    crossing::{Item, Migration, migration::Place},
    fact::{Ingress, Proxy as Meshed},
    judge::{
        Check, Code, Found, World,
        ask,
    },
    mesh::{
        Decider, Proxy,
        injection::{Template, WillInject, will_inject},
        mtls::{self, Mode, Outcome, Sends, Server, Takes, server_mode},
        subset::{self, Reach},
    },
    object::{Key, Kind},
};
use std::collections::BTreeSet;

const CALLER: Code = Code::error("strict-refuses-caller");
const CALLER_THEN: Code = Code::warning("strict-would-refuse-caller");
const INGRESS: Code = Code::error("strict-refuses-ingress");
const INGRESS_THEN: Code = Code::warning("strict-would-refuse-ingress");
const INGRESS_UNSEEN: Code = Code::info("strict-ingress-unseen");
const JOB: Code = Code::info("strict-job-without-proxy");
const SCRAPE: Code = Code::error("strict-refuses-scrape");

pub(super) const CHECK: Check = Check {
    name: "strict_callers",
    item: Item::Secured,
    codes: &[
        &CALLER,
        &CALLER_THEN,
        &INGRESS,
        &INGRESS_THEN,
        &INGRESS_UNSEEN,
        &JOB,
        &SCRAPE,
    ],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let Some(migration) = world.migration(found) else { return };
    let templates = world.templates();
    declared(world, migration, templates, found);
    for ingress in world.objects.ingresses.values() {
        old_ingress(world, migration, ingress, found);
    }
    jobs(world, migration, templates, found);
    scrapes(world, migration, found);
}

fn declared(world: &World<'_>, migration: &Migration, templates: &[Template], found: &mut Found) {
    if migration.calls.is_empty() {
        return found.unknown(crate::Why::NotDeclared {
            field: "calls".into(),
        });
    }
    for (call, here, told) in ask::explained(world, migration, found, |_| true) {
        let (from, to) = (call.from.to_string(), call.to.to_string());
        let own = templates
            .iter()
            .find(|it| it.owner.namespace == call.from.namespace && it.owner.name == call.from.name);
        let own = own.map_or_else(|| here.clone(), |it| it.field("/metadata/labels"));
        let mut plain = false;
        for end in told.legs.iter().flat_map(|leg| leg.ends.iter().flatten()) {
            let sent = end.handshake.sent.as_ref();
            let takes = end.handshake.takes.as_ref().map(|it| it.value);
            let args = || [("from", from.as_str().into()), ("to", to.as_str().into())];
            match (sent.map(|it| it.sends), takes, &end.handshake.outcome) {
                (Some(Sends::Plaintext), Some(Takes::Sidecar(Mode::Strict)), _) => {
                    found.finding(&CALLER, own.clone(), args());
                }
                (Some(Sends::Plaintext), Some(Takes::Sidecar(Mode::Permissive)), _) => {
                    let by = sent.and_then(|it| it.decider.clone());
                    found.finding(&CALLER_THEN, by.unwrap_or_else(|| own.clone()), args());
                }
                (_, _, Outcome::Unknown(whys)) => {
                    found.unknowns(whys.iter().cloned());
                    continue;
                }
                _ => continue,
            }
            plain = true;
        }
        if !plain {
            found.saw_at("caller-not-plaintext", &here, format!("{from} → {to}"));
        }
    }
}

/// What the old ingress controller sends, it sends in plaintext, unless it has a proxy itself.
fn old_ingress(world: &World<'_>, migration: &Migration, ingress: &Ingress, found: &mut Found) {
    let edge = migration.edge.as_ref();
    let controller = edge.and_then(|it| it.ingress.as_ref());
    let pods = controller.map_or_else(Vec::new, |it| {
        ask::pods(world, &(it.namespace.clone(), it.name.clone()))
    });
    let seen = !pods.is_empty();
    if seen && pods.iter().all(|pod| pod.proxy == Meshed::Sidecar) {
        return;
    }
    let key = Key::new(Kind::Ingress, ingress.namespace.clone(), ingress.name.clone());
    let services: BTreeSet<&Name> = ingress.routes.iter().map(|it| &it.service).collect();
    for service in services {
        let place = Place {
            namespace: ingress.namespace.clone(),
            name: service.clone(),
        };
        // Gateways have a proxy of their own, and listen for the outside.
        if edge.and_then(|it| it.gateway.as_ref()) == Some(&place) {
            continue;
        }
        let by = || Decider {
            key: key.clone(),
            path: "/spec/rules".into(),
        };
        let args = || {
            [
                ("ingress", format!("{}/{}", key.namespace, key.name).into()),
                ("to", place.to_string().into()),
            ]
        };
        match (plaintext(world, &place), seen) {
            (Some(Mode::Strict), true) => found.finding(&INGRESS, by(), args()),
            (Some(Mode::Strict), false) => found.finding(&INGRESS_UNSEEN, by(), args()),
            (Some(Mode::Permissive), true) => found.finding(&INGRESS_THEN, by(), args()),
            _ => {}
        }
    }
}

/// What the sidecars behind a Service take from somebody without a proxy, the strictest of its ports; None where no sidecar is behind it, which is so
/// where it leads to a gateway.
fn plaintext(world: &World<'_>, place: &Place) -> Option<Mode> {
    let nobody = Proxy::sidecar(place.namespace.clone(), std::collections::BTreeMap::new());
    let ends = ask::destinations(world, place).into_iter().flat_map(|to| {
        let endpoints = match subset::reach(&world.mesh, &nobody, &to) {
            Reach::Endpoints(endpoints) => endpoints,
            _ => Vec::new(),
        };
        let sidecars = endpoints
            .into_iter()
            .filter(|it| it.pod.as_ref().is_some_and(|pod| !ask::gateway(world, pod)));
        sidecars
            .filter_map(move |endpoint| {
                let server = Server::at(&endpoint, &place.namespace);
                let takes = mtls::mode(&world.mesh, None, &to, &server).takes?;
                match takes.value {
                    // Who has excepted this workload knows that somebody speaks plaintext to it.
                    Takes::Sidecar(Mode::Permissive) if takes.decider.as_ref().is_some_and(|by| ask::selects_workloads(world, by)) => None,
                    Takes::Sidecar(mode) => Some(mode),
                    Takes::Workload => None,
                }
            })
            .collect::<Vec<_>>()
    });
    ends.min()
}

/// A job that nobody has declared as a caller calls somebody all the same, perhaps.
fn jobs(world: &World<'_>, migration: &Migration, templates: &[Template], found: &mut Found) {
    let spaces = ask::namespaces(migration);
    let strict = |space: &str| {
        let anybody = Proxy::sidecar(space, std::collections::BTreeMap::new());
        matches!(server_mode(&world.mesh, &anybody, 0), Ok((Mode::Strict, _)))
    };
    for template in templates {
        let owner = &template.owner;
        let of_ours = matches!(owner.kind, Kind::Job | Kind::CronJob) && spaces.contains(&*owner.namespace);
        let mut calls = migration.calls.iter();
        let declared = calls.any(|it| it.from.namespace == owner.namespace && it.from.name == owner.name);
        if !of_ours || declared || !strict(&owner.namespace) {
            continue;
        }
        let space = Key::new(Kind::Namespace, "", owner.namespace.clone());
        let Some(space) = world.objects.namespaces.get(&space) else {
            continue;
        };
        if matches!(will_inject(&world.mesh, space, template), WillInject::No(_)) {
            let name = format!("{}/{}", owner.namespace, owner.name);
            found.finding(&JOB, template.field("/metadata/labels"), [("job", name.into())]);
        }
    }
}

fn scrapes(world: &World<'_>, migration: &Migration, found: &mut Found) {
    for template in migration
        .all_services()
        .flat_map(|place| ask::behind(world, place, found))
        .collect::<Vec<_>>()
    {
        match ask::scraped(world, template) {
            Err(why) => found.unknown(why),
            Ok(Some(it)) if !it.merged => {
                let proxy = Proxy::sidecar(template.owner.namespace.clone(), template.pod.labels.clone());
                let pods = ask::pods(world, &ask::workload(template));
                let meshed = pods.iter().any(|pod| pod.proxy == Meshed::Sidecar);
                match server_mode(&world.mesh, &proxy, it.port) {
                    Err(whys) => found.unknowns(whys),
                    Ok((Mode::Strict, _)) if meshed => {
                        let name = format!("{}/{}", template.owner.namespace, template.owner.name);
                        let args = [("workload", name.into()), ("port", it.port.to_string().into())];
                        found.finding(&SCRAPE, it.by, args);
                    }
                    Ok(_) => {}
                }
            }
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
