//! 3.1: policies let in whom they should: declared callers, the gateway at the entry, whoever asks the identity provider for a token, and Prometheus where it
//! scrapes the application's own port.

use crate::{
    crossing::{
        Item, Migration,
        migration::{Identity, Place},
    },
    fact::{Pod, Proxy as Meshed},
    judge::{
        Check, Code, Found, World,
        ask::{self, Trouble},
    },
    mesh::{
        Decider, Mesh, Proxy,
        authz::{self, Verdict},
        mtls::{self, Server},
        subset::{self, Reach},
    },
};

const CALLER: Code = Code::error("policy-shuts-out-caller");
const GATEWAY: Code = Code::error("policy-shuts-out-gateway");
const IDENTITY: Code = Code::error("policy-shuts-out-identity");
const SCRAPE: Code = Code::error("policy-shuts-out-scrape");

pub(super) const CHECK: Check = Check {
    name: "authorization_shuts_out",
    item: Item::Secured,
    codes: &[&CALLER, &GATEWAY, &IDENTITY, &SCRAPE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let Some(migration) = world.migration(found) else { return };
    let relaxed = world.calls().mesh();
    callers(world, migration, found);
    let gateway = migration.edge.as_ref().and_then(|it| it.gateway.as_ref());
    if let Some(gateway) = gateway {
        let pods = pods_behind(world, gateway);
        if let (Some(pod), Some(entry)) = (pods.first(), &migration.entry) {
            through(world, &relaxed, pod, entry, found);
        }
        if let Some(identity) = &migration.identity {
            at_identity(world, &pods, identity, found);
        }
    }
    scrapes(world, migration, found);
}

fn callers(world: &World<'_>, migration: &Migration, found: &mut Found) {
    for (call, here, told) in ask::explained(world, migration, found, |_| true) {
        let (from, to) = (call.from.to_string(), call.to.to_string());
        let (troubles, unknown) = ask::troubles(told, !call.path.is_empty());
        found.unknowns(unknown);
        let mut denied = false;
        for trouble in troubles {
            if let Trouble::Denied(by) = trouble {
                denied = true;
                found.finding(&CALLER, by, [("from", from.as_str().into()), ("to", to.as_str().into())]);
            }
        }
        if !denied {
            found.saw_at("caller-let-in", &here, format!("{from} → {to}"));
        }
    }
}

fn pods_behind<'w>(world: &'w World<'_>, place: &Place) -> Vec<&'w Pod> {
    let workloads = ask::workloads_behind(world, place);
    let first = |id| ask::pods(world, &id).first().map(|pod| &***pod);
    workloads.into_iter().filter_map(first).collect()
}

/// The gateway's own requests, whatever they ask, at each workload behind the entry.
fn through(world: &World<'_>, relaxed: &Mesh<'_>, gateway: &Pod, entry: &Place, found: &mut Found) {
    for (server, mutual) in ends(world, gateway, entry) {
        let Some(port) = server.port else { continue };
        let asked = asked(world, gateway, port, mutual, "", "/");
        let decision = authz::decide(relaxed, &server.pod, &asked);
        if let (Verdict::Deny, Some(by)) = (&decision.verdict, decision.decider) {
            let args = [
                ("gateway", format!("{}/{}", gateway.namespace, gateway.name).into()),
                ("to", entry.to_string().into()),
                ("principal", ask::principal(world, gateway).into()),
            ];
            found.finding(&GATEWAY, rules_of(by), args);
        }
    }
}

/// Sidecars behind a Service, and whether the gateway comes to them by mutual TLS. Connections that are refused ask no policy.
fn ends(world: &World<'_>, gateway: &Pod, place: &Place) -> Vec<(Server, bool)> {
    let proxy = Proxy::gateway(gateway.namespace.clone(), gateway.labels.clone());
    let mut all: Vec<(Server, bool)> = Vec::new();
    for to in ask::destinations(world, place) {
        let Reach::Endpoints(endpoints) = subset::reach(&world.mesh, &proxy, &to) else {
            continue;
        };
        for endpoint in endpoints {
            let server = Server::at(&endpoint, &place.namespace);
            if server.meshed != Meshed::Sidecar {
                continue;
            }
            let client = (gateway.proxy == Meshed::Sidecar).then_some(&proxy);
            let handshake = mtls::mode(&world.mesh, client, &to, &server);
            if let mtls::Outcome::Works { mutual } = handshake.outcome {
                all.push((server, mutual));
            }
        }
    }
    all.dedup();
    all
}

fn asked(world: &World<'_>, from: &Pod, port: u16, mutual: bool, host: &str, path: &str) -> authz::Request {
    let request = authz::Request {
        path: path.into(),
        namespace: from.namespace.clone(),
        ..authz::Request::get(host, port)
    };
    if mutual {
        request.from(&ask::principal(world, from))
    } else {
        request
    }
}

/// Nobody has a token before the identity provider has given him one.
fn at_identity(world: &World<'_>, gateways: &[&Pod], identity: &Identity, found: &mut Found) {
    for prefix in &identity.paths {
        let path = format!("{}/x", prefix.trim_end_matches('/'));
        let mut decisions = Vec::new();
        for pod in gateways {
            let proxy = Proxy::gateway(pod.namespace.clone(), pod.labels.clone());
            let outside = authz::Request {
                path: path.as_str().into(),
                ..authz::Request::get(&identity.host, 0)
            };
            decisions.push(authz::decide(&world.mesh, &proxy, &outside));
            for (server, mutual) in identity.service.iter().flat_map(|it| ends(world, pod, it)) {
                let Some(port) = server.port else { continue };
                let inside = asked(world, pod, port, mutual, &identity.host, &path);
                decisions.push(authz::decide(&world.mesh, &server.pod, &inside));
            }
        }
        for decision in decisions {
            if let (Verdict::Deny, Some(by)) = (&decision.verdict, decision.decider) {
                let args = [
                    ("host", (&*identity.host).into()),
                    ("path", (&**prefix).into()),
                ];
                found.finding(&IDENTITY, rules_of(by), args);
            }
        }
    }
}

/// Prometheus has no proxy mostly, so that it is nobody to a policy.
fn scrapes(world: &World<'_>, migration: &Migration, found: &mut Found) {
    for place in migration.all_services() {
        for template in ask::behind(world, place, found) {
            let pods = ask::pods(world, &ask::workload(template));
            let meshed = pods.iter().any(|pod| pod.proxy == Meshed::Sidecar);
            let Ok(Some(scraped)) = ask::scraped(world, template) else {
                continue;
            };
            if scraped.merged || !meshed {
                continue;
            }
            let proxy = Proxy::sidecar(template.owner.namespace.clone(), template.pod.labels.clone());
            let asked = authz::Request {
                path: scraped.path.as_str().into(),
                ..authz::Request::get("", scraped.port)
            };
            let decision = authz::decide(&world.mesh, &proxy, &asked);
            if let (Verdict::Deny, Some(by)) = (&decision.verdict, decision.decider) {
                let args = [
                    ("workload", format!("{}/{}", template.owner.namespace, template.owner.name).into()),
                    ("port", scraped.port.to_string().into()),
                ];
                found.finding(&SCRAPE, rules_of(by), args);
            }
        }
    }
}

fn rules_of(by: Decider) -> Decider {
    if by.path.is_empty() {
        Decider {
            path: "/spec/rules".into(),
            ..by
        }
    } else {
        by
    }
}

#[cfg(test)]
mod tests;
