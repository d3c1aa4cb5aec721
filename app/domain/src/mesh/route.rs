//! The rules of routes: where they send requests, and in which proportion.

pub(crate) mod action;
pub(crate) mod bound;
mod choice;
mod delegate;
mod governs;
mod leading;
mod listener;
pub(crate) mod matching;
mod request;
pub(crate) mod scope;
mod table;
#[cfg(test)]
mod tests;
pub mod told_apart;
mod unreachable;
pub(crate) mod virtual_host;

pub use choice::{
    Choice, Destination as ChosenDestination, Effects, Fault, Missing, Outcome, Retries, Rewrite, Share,
};
pub use governs::governs;
pub use leading::{Leading, Led};
pub use request::{Protocol, Request};
pub use table::{Table, choose};
pub use unreachable::{Unreachable, Vain, unreachable};

use super::{
    gateway_api,
    host::{self, Host},
};
use crate::{
    Name, Why,
    object::{Kind, Object},
    snapshot::Objects,
};
use naru_view::canary::RuleList;
use serde_json::Value;

/// One entry of `spec.http`, `spec.tls` or `spec.tcp` of a VirtualService, or of `spec.rules` of an HTTPRoute.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its list.
    pub list: RuleList,
    /// Its position in its list.
    pub index: u32,
    /// Its own name; may be empty.
    pub name: Name,
    /// It applies to some requests only.
    pub matches: bool,
    /// Where it sends requests, in order. Empty for redirects, direct responses and delegates.
    pub destinations: Vec<Destination>,
}

/// One entry of a rule's `route` or `backendRefs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// As written; of a backend, as [`gateway_api::weights`] names it.
    pub host: Name,
    /// As written; empty for none.
    pub subset: Name,
    /// As written.
    pub port: Option<u16>,
    /// As written; None where it is absent. [`Rule::weights`] has what that means.
    pub weight: Option<u32>,
    /// Of a backend that is neither a Service nor a host of Istio's: its kind, which is not judged.
    pub foreign: Option<Name>,
}

impl Destination {
    /// What people call it: subset, or host if it has none.
    pub fn label(&self) -> Name {
        if self.subset.is_empty() {
            self.host.clone()
        } else {
            self.subset.clone()
        }
    }

    /// What it names, in a rule of this namespace.
    pub fn resolve(&self, objects: &Objects, rule_namespace: &str) -> Host {
        match &self.foreign {
            Some(kind) => Host::Unknown(Why::NotJudged { what: kind.clone() }),
            None => host::resolve(objects, &self.host, rule_namespace),
        }
    }
}

/// The HTTP rules of a VirtualService. Entries of the wrong form count as having no destinations: the API server's schema refuses them.
pub fn rules(virtual_service: &Object) -> Vec<Rule> {
    listed(virtual_service, RuleList::Http)
}

/// All rules that split requests or connections between destinations, of a VirtualService or an HTTPRoute.
pub fn weighted(route: &Object) -> Vec<Rule> {
    let mut all = match route.key().kind {
        Kind::VirtualService => [RuleList::Http, RuleList::Tls, RuleList::Tcp]
            .into_iter()
            .flat_map(|list| listed(route, list))
            .collect(),
        Kind::HttpRoute => gateway_api::weights::rules(route),
        _ => Vec::new(),
    };
    all.retain(Rule::weighted);
    all
}

/// The rules of one of a VirtualService's lists.
pub fn listed(virtual_service: &Object, list: RuleList) -> Vec<Rule> {
    let rules = virtual_service
        .list(&format!("/spec/{}", list.field()))
        .iter()
        .enumerate();
    rules
        .map(|(index, rule)| Rule {
            list,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            name: text(rule, "/name"),
            matches: rule
                .get("match")
                .and_then(Value::as_array)
                .is_some_and(|matches| !matches.is_empty()),
            destinations: rule
                .get("route")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
                .iter()
                .map(|route| Destination {
                    host: text(route, "/destination/host"),
                    subset: text(route, "/destination/subset"),
                    port: number(route, "/destination/port/number"),
                    weight: number(route, "/weight"),
                    foreign: None,
                })
                .collect(),
        })
        .collect()
}

impl Rule {
    /// Whether requests are split between destinations.
    pub fn weighted(&self) -> bool {
        self.destinations.len() > 1
    }

    /// The weights in effect. Of a VirtualService an absent one is 0 beside others, and all for one alone (Istio reference,
    /// `HTTPRouteDestination.weight`); of an HTTPRoute it is 1 (Gateway API reference, `BackendRef.weight`).
    pub fn weights(&self) -> Vec<u32> {
        match self.destinations.as_slice() {
            backends if self.list == RuleList::HttpRoute => {
                backends.iter().map(|it| it.weight.unwrap_or(1)).collect()
            }
            [only] => vec![only.weight.unwrap_or(100)],
            several => several
                .iter()
                .map(|destination| destination.weight.unwrap_or(0))
                .collect(),
        }
    }
}

/// Gateways that a VirtualService is bound to; without any it is bound to the mesh itself.
pub fn gateways(virtual_service: &Object) -> Vec<Name> {
    let named = names(virtual_service, "/spec/gateways");
    if named.is_empty() {
        vec!["mesh".into()]
    } else {
        named
    }
}

/// Hosts that a VirtualService is for.
pub fn hosts(virtual_service: &Object) -> Vec<Name> {
    names(virtual_service, "/spec/hosts")
}

fn text(value: &Value, pointer: &str) -> Name {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or("")
        .into()
}

fn number<N: TryFrom<u64>>(value: &Value, pointer: &str) -> Option<N> {
    N::try_from(value.pointer(pointer)?.as_u64()?).ok()
}

fn names(object: &Object, pointer: &str) -> Vec<Name> {
    object
        .list(pointer)
        .iter()
        .filter_map(Value::as_str)
        .map(Name::from)
        .collect()
}

#[cfg(test)]
mod rule_tests {
    use super::{gateways, rules};
    use crate::object::{Kind, Object};
    use serde_json::json;

    fn virtual_service(spec: &serde_json::Value) -> Object {
        Object::new(
            Kind::VirtualService,
            json!({"metadata": {"name": "v", "namespace": "n"}, "spec": spec}),
        )
        .unwrap()
    }

    #[test]
    fn absent_weights_mean_nothing_beside_others_and_all_alone() {
        let object = virtual_service(&json!({"http": [
            {"route": [{"destination": {"host": "a"}}]},
            {"name": "two", "route": [{"destination": {"host": "a", "subset": "v1"}, "weight": 100}, {"destination": {"host": "a"}}]},
            {"redirect": {"uri": "/"}}]}));
        let rules = rules(&object);
        assert_eq!(rules[0].weights(), [100]);
        assert_eq!(rules[1].weights(), [100, 0]);
        assert!(rules[1].weighted() && !rules[0].weighted());
        assert!(rules[2].destinations.is_empty());
    }

    #[test]
    fn nonsense_has_no_rules() {
        for spec in [
            json!({}),
            json!({"http": 3}),
            json!(null),
            json!({"http": [null, 4, {"route": "x"}]}),
        ] {
            assert!(
                rules(&virtual_service(&spec))
                    .iter()
                    .all(|rule| rule.destinations.is_empty())
            );
        }
    }

    #[test]
    fn without_a_gateway_it_is_the_mesh() {
        assert_eq!(gateways(&virtual_service(&json!({}))), ["mesh".into()]);
        assert_eq!(
            gateways(&virtual_service(&json!({"gateways": ["a/b"]}))),
            ["a/b".into()]
        );
    }
}
