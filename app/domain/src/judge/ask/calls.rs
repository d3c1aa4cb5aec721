//! Declared calls, explained by the model.

use super::relaxed::relaxed;
use crate::{
    Name, Why,
    crossing::migration::{Call, Place},
    judge::{World, settled::settled},
    mesh::{
        Decider, Mesh, Prepared, authz,
        explain::{Explanation, Nowhere, explain},
        mtls,
        protocol::{self, Reads},
        route::{Outcome, Protocol, Request},
    },
    object::Kind,
    snapshot::Objects,
    workload::WorkloadId,
};

/// The system for questions about calls: callers that have no pods just now are there too, and policies refuse only for who asks. Each declared
/// call is explained in it once, for all checks.
pub(in crate::judge) struct Calls {
    objects: Objects,
    prepared: Prepared,
    told: Vec<Result<Explanation, Untold>>,
}

/// Why a call cannot be explained.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::judge) enum Untold {
    /// No workload is called so.
    Caller,
    /// There is no such Service.
    Service,
    /// The Service has no such port.
    Port,
    /// It cannot be known.
    Unknown(Why),
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::judge) enum Trouble {
    /// The caller's proxy sends it nowhere.
    Unrouted(Option<Decider>),
    /// A destination of the rule is no Service, port or subset.
    NoCluster(Option<Decider>, Name),
    /// Nothing is behind a destination.
    Empty(Option<Decider>, Name),
    /// Mutual TLS and plaintext meet.
    Refused(Option<Decider>),
    /// A policy refuses the caller.
    Denied(Decider),
}

impl Calls {
    pub(in crate::judge) fn of(world: &World<'_>) -> Self {
        let objects = world.objects.clone();
        // Files are settled already. The pods of a night's job are there only at night, and what becomes of its calls is known by day.
        let objects = if world.running { settled(objects) } else { objects };
        let objects = relaxed(objects);
        let prepared = Prepared::of(&objects);
        let mesh = Mesh::with(&objects, prepared.clone());
        let declared = world.migration.iter().flat_map(|(_, it)| &it.calls);
        let told = declared.map(|call| told(&mesh, call)).collect();
        Self {
            told,
            prepared,
            objects,
        }
    }

    pub(in crate::judge) fn mesh(&self) -> Mesh<'_> {
        Mesh::with(&self.objects, self.prepared.clone())
    }

    /// What becomes of the Migration's call of this position.
    pub(in crate::judge) fn told(&self, index: usize) -> Result<&Explanation, &Untold> {
        // There is an answer for each declared call.
        self.told.get(index).map_or(Err(&Untold::Caller), Result::as_ref)
    }
}

fn told(mesh: &Mesh<'_>, call: &Call) -> Result<Explanation, Untold> {
    let from = (call.from.namespace.clone(), call.from.name.clone());
    between(mesh, &from, &call.to, call.port, &call.path)
}

/// A call from a workload to a Service's port, or to its only one.
fn between(
    mesh: &Mesh<'_>,
    from: &WorkloadId,
    to: &Place,
    port: Option<u16>,
    path: &str,
) -> Result<Explanation, Untold> {
    let gap = mesh.objects.gap(Kind::Service);
    let Some(service) = mesh.objects.service(&to.namespace, &to.name) else {
        return Err(gap.map_or(Untold::Service, Untold::Unknown));
    };
    let port = match (port, &service.ports[..]) {
        (Some(port), _) => port,
        (None, [only]) => only.port,
        _ => {
            let field = "calls.port".into();
            return Err(Untold::Unknown(Why::NotDeclared { field }));
        }
    };
    let Some((declared, _)) = protocol::of_service(service, port) else {
        return Err(Untold::Port);
    };
    let host = format!("{}.{}.svc.{}", to.name, to.namespace, crate::mesh::DOMAIN);
    let authority = if port == 80 {
        host.clone()
    } else {
        format!("{host}:{port}")
    };
    let mut request = Request::get(&authority, port);
    match declared.protocol {
        protocol::Protocol::Https | protocol::Protocol::Tls => {
            request.protocol = Protocol::Tls;
            request.sni = host.into();
        }
        other if other.reads() == Reads::No => request.protocol = Protocol::Tcp,
        _ => {}
    }
    if !path.is_empty() {
        request.path = path.into();
    }
    match explain(mesh, from, &request) {
        Some(explanation) => Ok(explanation),
        None => Err(mesh
            .objects
            .gap(Kind::Pod)
            .map_or(Untold::Caller, Untold::Unknown)),
    }
}

/// What goes wrong, and what cannot be known. A rule that takes other requests than `GET /` is no trouble unless the call's path is `declared`.
pub(in crate::judge) fn troubles(told: &Explanation, declared: bool) -> (Vec<Trouble>, Vec<Why>) {
    let mut troubles = Vec::new();
    let mut unknown = Vec::new();
    let first = told.choice.as_ref().and_then(|it| it.deciders.first()).cloned();
    match told.choice.as_ref().map(|it| &it.outcome) {
        Some(Outcome::NoRoute) if !declared => unknown.push(Why::NotDeclared {
            field: "calls.path".into(),
        }),
        Some(
            Outcome::NoRoute
            | Outcome::NoVirtualHost
            | Outcome::NoListener
            | Outcome::NoFilterChain
            | Outcome::BlackHole,
        ) => troubles.push(Trouble::Unrouted(first.clone())),
        Some(Outcome::Unknown(whys)) => unknown.extend(whys.iter().cloned()),
        _ => {}
    }
    for leg in told.legs.iter().filter(|leg| leg.share.weight > 0) {
        let to = &leg.share.destination;
        let place: Name = match &*to.subset {
            "" => to.host.clone(),
            subset => format!("{} ({subset})", to.host).into(),
        };
        let ends = match &leg.ends {
            Ok(ends) => ends,
            Err(Nowhere::NoCluster) => {
                troubles.push(Trouble::NoCluster(first.clone(), place));
                continue;
            }
            Err(Nowhere::Unknown(whys)) => {
                unknown.extend(whys.iter().cloned());
                continue;
            }
        };
        if ends.iter().all(|end| end.total == 0) {
            troubles.push(Trouble::Empty(first.clone(), place));
        }
        for end in ends {
            match &end.handshake.outcome {
                mtls::Outcome::Works { .. } => {}
                mtls::Outcome::Refused { decider, .. } => {
                    troubles.push(Trouble::Refused(decider.clone()));
                    // No policy is asked about a connection that was reset.
                    continue;
                }
                mtls::Outcome::Unknown(whys) => unknown.extend(whys.iter().cloned()),
            }
            match end.authorization.as_ref().map(|it| (&it.verdict, &it.decider)) {
                Some((authz::Verdict::Deny, Some(by))) => troubles.push(Trouble::Denied(rules_of(by))),
                Some((authz::Verdict::Unknown(whys), _)) => unknown.extend(whys.iter().cloned()),
                _ => {}
            }
        }
    }
    troubles.dedup();
    (troubles, unknown)
}

/// Where no rule takes a caller, the rules are what is to be changed.
fn rules_of(by: &Decider) -> Decider {
    let path = if by.path.is_empty() {
        "/spec/rules".into()
    } else {
        by.path.clone()
    };
    Decider {
        key: by.key.clone(),
        path,
    }
}
