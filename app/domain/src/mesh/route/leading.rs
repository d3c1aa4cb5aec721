//! Which HTTP rules send requests to a service, whoever wrote them: looked up once for all questions about the same objects.

use super::{Rule, rules, told_apart};
use crate::{
    Name,
    mesh::{gateway_api, host::Host},
    object::{Key, Kind, Object},
    snapshot::Objects,
    traffic::ServiceId,
};
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

/// A rule that sends requests to services.
#[derive(Debug)]
pub struct Led<'a> {
    /// The object that it is in.
    pub object: &'a Object,
    /// The rule.
    pub rule: Rule,
    /// Each service, with the subset; empty for all of it.
    to: Vec<(ServiceId, Name)>,
}

/// The HTTP rules of all VirtualServices and HTTPRoutes that send requests to services.
#[derive(Debug)]
pub struct Leading<'a> {
    rules: Vec<Led<'a>>,
    by_service: BTreeMap<ServiceId, Vec<usize>>,
    nameless: OnceCell<BTreeMap<Key, BTreeMap<u32, Name>>>,
}

impl<'a> Leading<'a> {
    /// Of all objects.
    pub fn of(objects: &'a Objects) -> Self {
        let virtual_services = objects.of_kind(Kind::VirtualService).map(|it| (it, rules(it)));
        let http_routes = objects.of_kind(Kind::HttpRoute);
        let http_routes = http_routes.map(|it| (it, gateway_api::weights::rules(it)));
        let mut all = Self {
            rules: Vec::new(),
            by_service: BTreeMap::new(),
            nameless: OnceCell::new(),
        };
        for (object, rules) in virtual_services.chain(http_routes) {
            for rule in rules {
                let to = rule.destinations.iter().filter_map(|it| {
                    match it.resolve(objects, &object.key().namespace) {
                        Host::Service(service) => Some((service, it.subset.clone())),
                        Host::Absent { .. } | Host::Unknown(_) => None,
                    }
                });
                let to: Vec<_> = to.collect();
                let at = all.rules.len();
                for service in to.iter().map(|(service, _)| service).collect::<BTreeSet<_>>() {
                    all.by_service.entry(service.clone()).or_default().push(at);
                }
                all.rules.push(Led { object, rule, to });
            }
        }
        all
    }

    /// Names for rules that have none and [want one](told_apart::wanting): by object, and by position in `spec.http`.
    pub fn nameless(&self) -> &BTreeMap<Key, BTreeMap<u32, Name>> {
        self.nameless.get_or_init(|| told_apart::wanting(self))
    }

    /// Each of them, and those that lead nowhere.
    pub fn all(&self) -> impl Iterator<Item = &Led<'a>> {
        self.rules.iter()
    }

    /// Those that lead to any of these services, each once.
    pub fn to<'s>(&'s self, services: &BTreeSet<ServiceId>) -> impl Iterator<Item = &'s Led<'a>> {
        let at = services.iter().filter_map(|it| self.by_service.get(it)).flatten();
        let at: BTreeSet<usize> = at.copied().collect();
        at.into_iter().filter_map(|at| self.rules.get(at))
    }

    /// Whether any rule *other than* this one sends requests to this subset of the service: then requests that arrive there cannot be told
    /// apart by their arrival, since Istio's metrics do not name the rule. Who names no subset reaches, and is, all of them.
    pub fn others_reach(&self, rule: (&Object, &Rule), service: &ServiceId, subset: &str) -> bool {
        let reaches = |it: &Led<'_>| {
            let mut to = it.to.iter();
            to.any(|(its, part)| {
                its == service && (part.is_empty() || subset.is_empty() || **part == *subset)
            })
        };
        let at = self.by_service.get(service).into_iter().flatten();
        at.filter_map(|at| self.rules.get(*at))
            .any(|it| !it.is(rule) && reaches(it))
    }
}

impl Led<'_> {
    /// Whether it is this rule of this object.
    pub fn is(&self, rule: (&Object, &Rule)) -> bool {
        let place = |it: &Rule| (it.list, it.index);
        self.object.key() == rule.0.key() && place(&self.rule) == place(rule.1)
    }

    /// The services that it leads to.
    pub fn services(&self) -> BTreeSet<ServiceId> {
        self.to.iter().map(|(service, _)| service.clone()).collect()
    }

    /// Whether another rule leads to the same pods as one of its destinations.
    pub fn shares_pods(&self, leading: &Leading<'_>) -> bool {
        let rule = (self.object, &self.rule);
        let mut to = self.to.iter();
        to.any(|(service, subset)| leading.others_reach(rule, service, subset))
    }
}

#[cfg(test)]
mod tests {
    use super::Leading;
    use crate::{example, object::Kind, traffic::ServiceId};

    #[test]
    fn a_header_rule_to_the_same_subset_is_noticed_and_the_rule_itself_is_not() {
        let service = ServiceId {
            namespace: "user-service".into(),
            name: "user-service".into(),
        };
        let plain = example::objects();
        let route = |objects| {
            let object: Option<&crate::object::Object> = crate::snapshot::Objects::object(
                objects,
                Kind::VirtualService,
                "user-service",
                "user-service",
            );
            object.unwrap()
        };
        let leading = Leading::of(&plain);
        let rules = super::rules(route(&plain));
        assert!(!leading.others_reach((route(&plain), &rules[0]), &service, "v2"));
        let with_header = example::objects_with_header_rule();
        let leading = Leading::of(&with_header);
        let rules = super::rules(route(&with_header));
        let weighted = (route(&with_header), &rules[1]);
        assert!(leading.others_reach(weighted, &service, "v2"));
        assert!(!leading.others_reach(weighted, &service, "v1"));
        assert_eq!(leading.to(&[service].into()).count(), 2);
    }
}
