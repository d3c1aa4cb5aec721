//! The HTTP rules of a VirtualService: where they send requests, and in which proportion.

pub(crate) mod action;
pub(crate) mod bound;
mod choice;
mod delegate;
mod listener;
pub(crate) mod matching;
mod request;
pub(crate) mod scope;
mod table;
#[cfg(test)]
mod tests;
mod unreachable;
pub(crate) mod virtual_host;

pub use choice::{
    Choice, Destination as ChosenDestination, Effects, Fault, Missing, Outcome, Retries, Rewrite, Share,
};
pub use request::{Protocol, Request};
pub use table::{Table, choose};
pub use unreachable::{Unreachable, Vain, unreachable};

use super::host::{self, Host};
use crate::{
    Name,
    object::{Kind, Object},
    snapshot::Objects,
    traffic::ServiceId,
};
use serde_json::Value;

/// One entry of `spec.http`, `spec.tls` or `spec.tcp`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its position in its list.
    pub index: u32,
    /// Its own name; may be empty.
    pub name: Name,
    /// It applies to some requests only.
    pub matches: bool,
    /// Where it sends requests, in order. Empty for redirects, direct responses and delegates.
    pub destinations: Vec<Destination>,
}

/// One entry of a rule's `route`.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// As written.
    pub host: Name,
    /// As written; empty for none.
    pub subset: Name,
    /// As written.
    pub port: Option<u16>,
    /// As written; None where it is absent, which means 0 beside others and all for one alone.
    pub weight: Option<u32>,
}

/// The HTTP rules of a VirtualService. Entries of the wrong form count as having no destinations: the API server's schema refuses them.
pub fn rules(virtual_service: &Object) -> Vec<Rule> {
    listed(virtual_service, "http")
}

/// The rules of one of a VirtualService's lists: `http`, `tls` or `tcp`.
pub fn listed(virtual_service: &Object, list: &str) -> Vec<Rule> {
    let rules = virtual_service.list(&format!("/spec/{list}")).iter().enumerate();
    rules
        .map(|(index, rule)| Rule {
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

    /// The weights in effect: an absent one is 0 beside others, and all for one alone (Istio reference, `HTTPRouteDestination.weight`).
    pub fn weights(&self) -> Vec<u32> {
        match self.destinations.as_slice() {
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

/// Whether any rule *other than* this one sends requests to this subset of the service: then requests that arrive there cannot be told
/// apart by their arrival, since Istio's metrics do not name the rule. A rule that names no subset reaches all of them.
pub fn others_reach(objects: &Objects, rule: (&Object, u32), service: &ServiceId, subset: &str) -> bool {
    objects.of_kind(Kind::VirtualService).any(|other| {
        rules(other).iter().any(|r| {
            let same = other.key() == rule.0.key() && r.index == rule.1;
            !same
                && r.destinations.iter().any(|destination| {
                    let reaches = destination.subset.is_empty() || &*destination.subset == subset;
                    let namespace = &other.key().namespace;
                    reaches && matches!(host::resolve(objects, &destination.host, namespace), Host::Service(s) if s == *service)
                })
        })
    })
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
    use super::{gateways, others_reach, rules};
    use crate::{
        example,
        object::{Kind, Object},
        traffic::ServiceId,
    };
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

    #[test]
    fn a_header_rule_to_the_same_subset_is_noticed_and_the_rule_itself_is_not() {
        let service = ServiceId {
            namespace: "user-service".into(),
            name: "user-service".into(),
        };
        let plain = example::objects();
        let route = plain
            .object(Kind::VirtualService, "user-service", "user-service")
            .unwrap();
        assert!(!others_reach(&plain, (route, 0), &service, "v2"));
        let with_header = example::objects_with_header_rule();
        let route = with_header
            .object(Kind::VirtualService, "user-service", "user-service")
            .unwrap();
        assert!(others_reach(&with_header, (route, 1), &service, "v2"));
        assert!(!others_reach(&with_header, (route, 1), &service, "v1"));
    }
}
