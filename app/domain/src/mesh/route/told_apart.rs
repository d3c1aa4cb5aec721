//! Whether what came by one rule can be told from what came by another to the same pods: by the name that Envoy's route has, where proxies tell it.

use super::{Leading, Led, Rule, hosts};
use crate::{
    Name,
    object::{Key, Kind, Object},
    traffic::ServiceId,
};
use naru_view::canary::RuleList;
use std::collections::{BTreeMap, BTreeSet};

/// What Istio calls the route that it makes of a Service without a VirtualService (`pilot/pkg/networking/core/httproute.go`).
pub const DEFAULT: &str = "default";

/// The names that Envoy's route of a rule may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Vec<Name>);

impl Names {
    /// A VirtualService's rule has its own, which its matches' names follow behind a dot (Istio reference, `HTTPRoute.name`). An HTTPRoute's rule has
    /// its own or that of its place, as istiod's version has it (`pilot/pkg/config/kube/gateway`). None for a rule without a name, and for one of a delegate:
    /// istiod puts the name of whoever delegates before it (`mergeHTTPRoute` in `pilot/pkg/model`).
    pub fn of(route: &Object, rule: &Rule) -> Self {
        let key = route.key();
        let own = Some(rule.name.clone()).filter(|it| !it.is_empty());
        Self(match key.kind {
            Kind::HttpRoute => {
                let place = format!("{}.{}.{}", key.namespace, key.name, rule.index).into();
                own.into_iter().chain([place]).collect()
            }
            _ if delegate(route) => Vec::new(),
            _ => own.into_iter().collect(),
        })
    }

    /// Whether a request whose proxy told this route's name came by the rule.
    pub fn told(&self, route: &str) -> bool {
        self.0.iter().any(|it| came_by(it, route))
    }

    /// The one that is most likely.
    pub fn first(&self) -> Option<&Name> {
        self.0.first()
    }

    /// Whether one name could be told of both.
    fn clash(&self, other: &Self) -> bool {
        self.0.iter().any(|it| other.told(it)) || other.0.iter().any(|it| self.told(it))
    }
}

/// Whether it acts through the routes of others alone (Istio reference, `Delegate`).
fn delegate(route: &Object) -> bool {
    route.key().kind == Kind::VirtualService && hosts(route).is_empty()
}

fn came_by(rule: &str, route: &str) -> bool {
    route
        .strip_prefix(rule)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The names by which a rule's requests are told from those of all others to the same services; None where it has none, where they could be another's,
/// and where it is not known what another's are called.
pub fn own_names(
    leading: &Leading<'_>,
    rule: (&Object, &Rule),
    services: &BTreeSet<ServiceId>,
) -> Option<Names> {
    let own = Names::of(rule.0, rule.1);
    let alike = |it: &Led<'_>| delegate(it.object) || own.clash(&Names::of(it.object, &it.rule));
    let mut others = leading.to(services).filter(|it| !it.is(rule));
    (!own.0.is_empty() && !own.told(DEFAULT) && !others.any(alike)).then_some(own)
}

/// Names for the rules of VirtualServices that have none: those that send requests to a service whose versions another rule weighs. By object, and by
/// position in `spec.http`; a name stays with its rule wherever that is moved. A name that is there stays: others may go by it.
pub(super) fn wanting(leading: &Leading<'_>) -> BTreeMap<Key, BTreeMap<u32, Name>> {
    let weighted = leading
        .all()
        .filter(|it| it.rule.weighted() && it.shares_pods(leading));
    let mixed: BTreeSet<ServiceId> = weighted.flat_map(Led::services).collect();
    let mut all: BTreeMap<Key, BTreeMap<u32, Name>> = BTreeMap::new();
    let nameless =
        |it: &&Led<'_>| it.rule.list == RuleList::Http && it.rule.name.is_empty() && !delegate(it.object);
    for it in leading.to(&mixed).filter(nameless) {
        let rules = all.entry(it.object.key().clone()).or_default();
        rules.insert(it.rule.index, "".into());
    }
    for (key, rules) in &mut all {
        let written = leading.all().filter(|it| it.object.key() == key);
        let mut taken: BTreeSet<Name> = written.map(|it| it.rule.name.clone()).collect();
        for (index, name) in rules {
            let free = (*index + 1..).map(|n| Name::from(format!("{}/{}/{n}", key.namespace, key.name)));
            if let Some(free) = free.into_iter().find(|it| !taken.contains(it)) {
                taken.insert(free.clone());
                *name = free;
            }
        }
    }
    all
}

/// Where a VirtualService's rule has its name, as a JSON pointer (RFC 6901).
pub fn path(rule: u32) -> String {
    format!("/spec/http/{rule}/name")
}

#[cfg(test)]
mod tests;
