//! One request explained, for one viewer: the model's answer as wire types, beside what was measured between the same workloads.

mod ends;
mod seen;

use crate::{
    Name, Refused,
    actor::Scope,
    fact,
    mesh::{
        Mesh,
        explain::{self as model, ask},
        route,
    },
    object::Kind,
    snapshot::{Objects, Snapshot},
    workload::WorkloadId,
};
use ends::Ends;
use naru_view::{
    explanation::{Ask, Behind, Caller, Effects, Explanation, Leg, Outcome, Retries},
    topology::{Meshed, NodeKind, Topology},
};
use seen::Eyes;

/// Explains one request. `topology` is this scope's own, of the same snapshot: what was measured is joined from it.
///
/// A scope that does not see a namespace learns nothing of it here: its workloads are nobody, what decided or lies behind is *elsewhere*,
/// and a request to a name of such a namespace is answered only as far as objects decide that the scope sees.
///
/// # Errors
/// Which part of the question cannot be used; that there is no such caller, or it has no running pods; or that it cannot be known.
pub fn explanation(
    snapshot: &Snapshot,
    scope: &Scope,
    topology: &Topology,
    ask: &Ask,
) -> Result<Explanation, Refused> {
    let objects = &*snapshot.objects.value;
    let eyes = Eyes { objects, scope };
    let from = ask::place(&ask.from).ok_or_else(|| bad(ask::Part::From))?;
    let gateway = topology
        .nodes
        .iter()
        .any(|it| it.kind == NodeKind::Gateway && (&it.namespace, &it.workload) == (&from.0, &from.1));
    let ask = complete(objects, scope, ask, gateway)?;
    let headers = ask.headers.iter().map(|(name, value)| (&**name, &**value));
    let request = ask::request(&ask.method, &ask.url, headers).map_err(|odd| bad(odd.part))?;
    let nobody = || nobody(objects, &from);
    if !scope.sees(&from.0) {
        return Err(nobody());
    }
    let told = model::explain(&Mesh::of(objects), &from, &request).ok_or_else(nobody)?;
    let ends = Ends {
        eyes,
        topology,
        from: &from,
        protocol: request.protocol,
    };
    let choice = told.choice.as_ref();
    let deciders = eyes.deciders(choice.map_or(&[][..], |it| &it.deciders));
    // What is let through to an address is not told to be anybody's there.
    let let_through = choice.is_some_and(|it| it.outcome == route::Outcome::Passthrough);
    let legs: Vec<Leg> = told
        .legs
        .iter()
        .filter(|it| !let_through || !unseen(eyes, it))
        .map(|it| leg(ends, it))
        .collect();
    let hidden = eyes.hides(&request.host, &from.0)
        && !deciders.iter().any(seen::shown)
        && legs.iter().all(|it| matches!(it.behind, Behind::Elsewhere));
    Ok(Explanation {
        version: snapshot.version,
        sources: topology.sources.clone(),
        measured: topology.at,
        window_s: topology.window_s,
        caller: caller(&told.caller),
        outcome: if hidden {
            Outcome::Elsewhere
        } else {
            outcome(eyes, choice)
        },
        deciders: if hidden { Vec::new() } else { deciders },
        effects: choice
            .filter(|it| by_seen_rule(eyes, it))
            .map_or_else(Effects::default, |it| effects(eyes, &it.effects)),
        legs: if hidden { Vec::new() } else { legs },
        ask,
    })
}

fn bad(part: ask::Part) -> Refused {
    Refused::BadInput {
        field: part.name().into(),
    }
}

fn nobody(objects: &Objects, (namespace, name): &WorkloadId) -> Refused {
    match objects.gap(Kind::Pod) {
        Some(why) => Refused::Unknown { whys: vec![why] },
        None => Refused::NotFound {
            kind: "workload".into(),
            namespace: namespace.clone(),
            name: name.clone(),
        },
    }
}

/// With a URL, and a method in capitals. A gateway is asked by the names that it serves, all others by those of Services.
fn complete(objects: &Objects, scope: &Scope, asked: &Ask, gateway: bool) -> Result<Ask, Refused> {
    let url = if asked.url.trim().is_empty() && !asked.to.is_empty() {
        ask::place(&asked.to)
            .filter(|to| scope.sees(&to.0))
            .and_then(|to| {
                if gateway {
                    ask::url_at_gateway(objects, &to, |namespace| scope.sees(namespace))
                } else {
                    ask::url_of(objects, &to)
                }
            })
            .ok_or_else(|| bad(ask::Part::To))?
            .into()
    } else {
        asked.url.clone()
    };
    Ok(Ask {
        url,
        from: asked.from.trim().into(),
        method: asked.method.to_uppercase().into(),
        to: "".into(),
        headers: asked.headers.clone(),
    })
}

fn caller(caller: &model::Caller) -> Caller {
    Caller {
        workload: place(&caller.workload),
        meshed: match caller.meshed {
            fact::Proxy::Sidecar => Meshed::Sidecar,
            fact::Proxy::Ambient => Meshed::Ambient,
            fact::Proxy::None => Meshed::No,
        },
        gateway: caller.gateway,
        principal: caller.principal.clone(),
    }
}

fn place((namespace, name): &WorkloadId) -> Name {
    format!("{namespace}/{name}").into()
}

fn outcome(eyes: Eyes<'_>, choice: Option<&route::Choice>) -> Outcome {
    let Some(choice) = choice else {
        return Outcome::ByDns;
    };
    let ours = by_seen_rule(eyes, choice);
    match &choice.outcome {
        route::Outcome::Sent(_) => Outcome::Sent,
        route::Outcome::NoVirtualHost => Outcome::NoVirtualHost,
        route::Outcome::NoRoute => Outcome::NoRoute,
        route::Outcome::NoListener => Outcome::NoListener,
        route::Outcome::NoFilterChain => Outcome::NoFilterChain,
        route::Outcome::Passthrough => Outcome::Passthrough,
        route::Outcome::BlackHole => Outcome::BlackHole,
        route::Outcome::Redirect {
            code,
            authority,
            path,
        } => Outcome::Redirect {
            code: *code,
            authority: if ours { authority.clone() } else { "".into() },
            path: if ours { path.clone() } else { "".into() },
        },
        route::Outcome::Direct { status } => Outcome::Direct { status: *status },
        route::Outcome::Unknown(whys) => Outcome::Unknown {
            whys: eyes.whys(whys),
        },
    }
}

/// Whether the rule that took the request, if one did, is the viewer's to see.
fn by_seen_rule(eyes: Eyes<'_>, choice: &route::Choice) -> bool {
    choice
        .rule
        .as_ref()
        .is_none_or(|(key, _)| eyes.scope.sees(&key.namespace))
}

fn effects(eyes: Eyes<'_>, effects: &route::Effects) -> Effects {
    let rewrite = effects.rewrite.clone().unwrap_or_default();
    let fault = effects.fault.clone().unwrap_or_default();
    Effects {
        timeout_ms: effects.timeout_ms,
        retries: effects.retries.as_ref().map(|it| Retries {
            attempts: it.attempts,
            on: it.on.clone(),
            per_try_ms: it.per_try_timeout_ms,
        }),
        delay: fault.delay,
        abort: fault.abort,
        authority: rewrite.authority,
        path: rewrite.path,
        mirrors: effects
            .mirrors
            .iter()
            .filter(|it| eyes.sees_host(&it.destination.host))
            .map(|it| (called(&it.destination), it.weight))
            .collect(),
    }
}

fn called(to: &route::ChosenDestination) -> Name {
    if to.subset.is_empty() {
        to.host.clone()
    } else {
        format!("{} ({})", to.host, to.subset).into()
    }
}

fn leg(ends: Ends<'_>, leg: &model::Leg) -> Leg {
    let to = &leg.share.destination;
    if unseen(ends.eyes, leg) {
        return Leg {
            host: "".into(),
            subset: "".into(),
            port: 0,
            weight: leg.share.weight,
            behind: Behind::Elsewhere,
        };
    }
    Leg {
        host: to.host.clone(),
        subset: to.subset.clone(),
        port: to.port,
        weight: leg.share.weight,
        behind: match &leg.ends {
            Ok(all) => Behind::Ends {
                ends: all.iter().map(|it| ends.end(it)).collect(),
            },
            Err(model::Nowhere::NoCluster) => Behind::NoCluster,
            Err(model::Nowhere::Unknown(whys)) => Behind::Unknown {
                whys: ends.eyes.whys(whys),
            },
        },
    }
}

/// Whether a destination, or what is behind it, is of a namespace that the scope does not see: an address does not say whose it is.
fn unseen(eyes: Eyes<'_>, leg: &model::Leg) -> bool {
    let mut workloads = leg.ends.iter().flatten().filter_map(|it| it.workload.as_ref());
    !eyes.sees_host(&leg.share.destination.host)
        || workloads.any(|(namespace, _)| !eyes.scope.sees(namespace))
}

#[cfg(test)]
mod tests;
