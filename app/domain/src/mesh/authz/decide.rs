//! The decision.

use super::{
    Policy, Protocol, Request, custom, jwt,
    policy::{is_waypoint, policies},
    seen::Seen,
    tri::Tri,
};
use crate::{
    Name, Why,
    mesh::{Decider, Mesh, Proxy, unjudged},
    object::{self, Key, Object},
};
use std::collections::BTreeSet;

/// Whether a request is let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Whether.
    pub verdict: Verdict,
    /// The policy and rule that decided, or for Unknown might. None where nothing had to.
    pub decider: Option<Decider>,
    /// How.
    pub kind: Kind,
}

/// Whether a request is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reaches the workload.
    Allow,
    /// It does not: 403, for a token 401 or 403, and on TCP the connection is closed.
    Deny,
    /// It cannot be known; never empty.
    Unknown(Vec<Why>),
}

/// How a decision was made.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// No policy applies.
    NoPolicies,
    /// Policies apply; none refuses, and none has to allow.
    NotDenied,
    /// A rule of an ALLOW policy takes the request.
    AllowedByRule,
    /// A rule of a DENY policy takes it.
    DeniedByRule,
    /// These ALLOW policies enforce, and no rule of them takes it.
    NoRuleMatched(Vec<Key>),
    /// An external authorizer is asked.
    Custom {
        /// Its name in `meshConfig.extensionProviders`.
        provider: Name,
    },
    /// A CUSTOM policy takes it whose provider meshConfig does not have.
    MissingProvider {
        /// The name that is missing; empty if the policy names none.
        provider: Name,
    },
    /// A CUSTOM policy takes it, and the workload has policies of several providers, which Istio refuses.
    ManyProviders(Vec<Name>),
    /// No `RequestAuthentication` takes tokens of this issuer.
    TokenIssuer {
        /// `iss`; empty for none.
        issuer: Name,
    },
    /// None takes the token's audience.
    TokenAudience {
        /// `iss`.
        issuer: Name,
    },
    /// Something decides that is not judged.
    NotJudged,
}

/// What one of the filters does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    Pass,
    Deny(Decider, Kind),
    Unknown(BTreeSet<Why>, Option<Decider>, Kind),
}

impl Stage {
    /// Both filters' outcome: a refusal stands, the first of equals names its decider, and all reasons of not knowing are kept.
    pub(super) fn and(self, next: Self) -> Self {
        match (self, next) {
            (deny @ Self::Deny(..), _) | (_, deny @ Self::Deny(..)) => deny,
            (Self::Pass, next) => next,
            (first, Self::Pass) => first,
            (Self::Unknown(mut whys, decider, kind), Self::Unknown(more, ..)) => {
                whys.extend(more);
                Self::Unknown(whys, decider, kind)
            }
        }
    }
}

/// Whether the destination's proxy lets a request in.
pub fn decide(mesh: &Mesh<'_>, destination: &Proxy, request: &Request) -> Decision {
    let unjudged = unjudged(mesh, destination, request);
    if !unjudged.is_empty() {
        return Decision {
            verdict: Verdict::Unknown(unjudged),
            decider: None,
            kind: Kind::NotJudged,
        };
    }
    let applied = policies(mesh, destination);
    let arrived = Seen::of(&mesh.config, request);
    let checked = jwt::check(mesh, destination, request);
    let seen = Seen {
        token: checked.token,
        touched: checked.touched,
        ..arrived.clone()
    };
    let unread = applied
        .unread
        .iter()
        .fold(Stage::Pass, |stage, &object| stage.and(unread(object)));
    let before = custom::stage(mesh, &applied.custom, &arrived)
        .and(checked.stage)
        .and(deny(&applied.deny, &seen))
        .and(unread);
    let (allow, allowed) = allow(&applied.allow, &seen, applied.unread.first().copied());
    let (verdict, decider, kind) = match before.and(allow) {
        Stage::Deny(decider, kind) => (Verdict::Deny, Some(decider), kind),
        Stage::Unknown(whys, decider, kind) => (Verdict::Unknown(whys.into_iter().collect()), decider, kind),
        Stage::Pass => match allowed {
            Some(decider) => (Verdict::Allow, Some(decider), Kind::AllowedByRule),
            None if applied == super::Applied::default() => (Verdict::Allow, None, Kind::NoPolicies),
            None => (Verdict::Allow, None, Kind::NotDenied),
        },
    };
    Decision {
        verdict,
        decider,
        kind,
    }
}

/// What makes every answer about this proxy unsure.
fn unjudged(mesh: &Mesh<'_>, destination: &Proxy, request: &Request) -> Vec<Why> {
    let mut whys = unjudged::touching(mesh, destination, unjudged::Side::Inbound);
    let policies = object::Kind::AuthorizationPolicy;
    let tokens = object::Kind::RequestAuthentication;
    whys.extend(mesh.objects.gap(policies));
    if request.protocol == Protocol::Http {
        whys.extend(mesh.objects.gap(tokens));
    }
    // Where there is no policy at all it does not matter which namespace is the root, or how the mesh calls itself.
    let any = [policies, tokens]
        .iter()
        .any(|&kind| mesh.objects.of_kind(kind).next().is_some());
    whys.extend(mesh.config.gap.clone().filter(|_| any));
    if is_waypoint(destination) {
        whys.push(Why::NotJudged {
            what: "waypoint".into(),
        });
    }
    whys.sort();
    whys.dedup();
    whys
}

/// A policy whose action is none of Istio's may refuse.
fn unread(object: &Object) -> Stage {
    let decider = Decider::of(object, "/spec/action");
    Stage::Unknown([unjudged::named(object)].into(), Some(decider), Kind::NotJudged)
}

fn enforced<'a, 'b>(policies: &'b [Policy<'a>]) -> impl Iterator<Item = &'b Policy<'a>> {
    policies.iter().filter(|it| !it.dry_run)
}

fn deny(policies: &[Policy<'_>], seen: &Seen<'_>) -> Stage {
    enforced(policies).fold(Stage::Pass, |stage, policy| {
        let next = match policy.takes(seen) {
            (Tri::Yes, Some(decider)) => Stage::Deny(decider, Kind::DeniedByRule),
            (Tri::Unknown(whys), decider) => Stage::Unknown(whys, decider, Kind::NotJudged),
            _ => Stage::Pass,
        };
        stage.and(next)
    })
}

/// What the ALLOW policies do, and the rule that takes the request if that is sure. `unread` may be an ALLOW policy too.
fn allow(policies: &[Policy<'_>], seen: &Seen<'_>, unread: Option<&Object>) -> (Stage, Option<Decider>) {
    let mut unsure: Option<Stage> = unread.map(self::unread);
    let mut first = None;
    for policy in enforced(policies) {
        first.get_or_insert(policy);
        match policy.takes(seen) {
            (Tri::Yes, decider) => return (Stage::Pass, decider),
            (Tri::Unknown(whys), decider) => {
                let next = Stage::Unknown(whys, decider, Kind::NotJudged);
                unsure = Some(unsure.map_or(next.clone(), |stage| stage.and(next)));
            }
            (Tri::No, _) => {}
        }
    }
    let Some(first) = first else {
        return (Stage::Pass, None);
    };
    let stage = unsure.unwrap_or_else(|| {
        let names = enforced(policies).map(|it| it.object.key().clone()).collect();
        Stage::Deny(Decider::of(first.object, ""), Kind::NoRuleMatched(names))
    });
    (stage, None)
}
