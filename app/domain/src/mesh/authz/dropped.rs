//! What Istio leaves out of the policies that apply.

pub use super::condition::Problem;
use super::{Action, Policy, Protocol, Request, policies};
use crate::{
    Name,
    mesh::{Decider, Mesh, Proxy},
};

/// A rule that Istio leaves out, or takes without some of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The rule.
    pub decider: Decider,
    /// The policy's action: a rule of ALLOW goes whole, so that less is allowed; of the others only the value goes, so that more is taken.
    pub action: Action,
    /// The whole rule is left out.
    pub whole: bool,
    /// The fields as they are called in the policy without `not` (`paths`, `request.headers[x]`), and why.
    pub fields: Vec<(Name, Problem)>,
}

/// What Istio leaves out of the policies that apply to a proxy, on a port of this protocol.
pub fn dropped(mesh: &Mesh<'_>, destination: &Proxy, protocol: Protocol) -> Vec<Dropped> {
    let applied = policies(mesh, destination);
    let lists = [applied.custom, applied.deny, applied.allow, applied.audit];
    lists
        .iter()
        .flatten()
        .flat_map(|policy| of(policy, protocol))
        .collect()
}

fn of(policy: &Policy<'_>, protocol: Protocol) -> Vec<Dropped> {
    let asked = match protocol {
        Protocol::Http => Request::get("", 0),
        Protocol::Tcp => Request::tcp(0),
    };
    let mut all = Vec::new();
    for (index, rule) in policy.rules.iter().flatten().enumerate() {
        let Some(rule) = rule else { continue };
        let unknown = rule
            .unknown_key
            .iter()
            .map(|key| (key.clone(), Problem::UnknownKey));
        let tests = rule.tests().flat_map(|test| {
            let problems = test.problems(&asked);
            problems.into_iter().map(|problem| (test.name.clone(), problem))
        });
        let mut fields: Vec<_> = unknown.chain(tests).collect();
        fields.sort();
        fields.dedup();
        if !fields.is_empty() {
            all.push(Dropped {
                decider: Decider::of(policy.object, format!("/spec/rules/{index}")),
                action: policy.action,
                whole: policy.action == Action::Allow || rule.unknown_key.is_some(),
                fields,
            });
        }
    }
    all
}
