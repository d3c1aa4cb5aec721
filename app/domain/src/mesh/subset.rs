//! Which pods are behind a subset.

use super::{ROOT_NAMESPACE, host};
use crate::{
    Name, Why,
    fact::{Labels, Pod},
    object::{Kind, Object},
    snapshot::Objects,
    traffic::ServiceId,
    workload::workload_of,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is behind a subset of a service.
#[derive(Clone, Debug, PartialEq)]
pub enum Subset {
    /// These pods.
    Pods(Behind),
    /// No DestinationRule that the caller's proxy uses defines the subset: requests fail with 503 (NC).
    Undefined,
    /// It cannot be known.
    Unknown(Vec<Why>),
}

/// Pods behind a subset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behind {
    /// Pods that take new requests.
    pub ready: u32,
    /// All pods that it selects, without those that are leaving.
    pub total: u32,
    /// Their workloads, as (namespace, name).
    pub workloads: BTreeSet<(Name, Name)>,
}

/// The pods behind `subset` (empty: the whole service), as a proxy in `client_namespace` sees it.
pub fn endpoints(objects: &Objects, service: &ServiceId, subset: &str, client_namespace: &str) -> Subset {
    let needed = [
        Kind::Service,
        Kind::Pod,
        Kind::EndpointSlice,
        Kind::DestinationRule,
    ];
    let gaps: Vec<Why> = needed.iter().filter_map(|&kind| objects.gap(kind)).collect();
    if !gaps.is_empty() {
        return Subset::Unknown(gaps);
    }
    let labels = if subset.is_empty() {
        Labels::new()
    } else {
        match subset_labels(objects, service, subset, client_namespace) {
            Some(labels) => labels,
            None => return Subset::Undefined,
        }
    };
    Subset::Pods(behind(objects, service, &labels))
}

/// The subset's labels, by the DestinationRule in effect for a client: the client's own namespace first, then the service's, then the
/// root namespace; the first that has any rule for the host decides *alone*, so that a rule in the client's namespace hides the owner's
/// subsets. Within a namespace the oldest rule's definition of a subset stands; younger ones may add subsets. (Istio reference,
/// DestinationRule; "Cross namespace configuration sharing" in Istio's traffic-management documentation.)
pub fn subset_labels(
    objects: &Objects,
    service: &ServiceId,
    subset: &str,
    client_namespace: &str,
) -> Option<Labels> {
    let places = [client_namespace, &service.namespace, ROOT_NAMESPACE];
    let rules = places.iter().find_map(|namespace| {
        let rules = rules_in(objects, service, namespace, client_namespace);
        (!rules.is_empty()).then_some(rules)
    })?;
    let defined = rules
        .iter()
        .flat_map(|rule| rule.list("/spec/subsets"))
        .find(|it| it.get("name").and_then(Value::as_str) == Some(subset))?;
    let labels = defined.get("labels").and_then(Value::as_object);
    Some(
        labels
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.as_str().into(), v.as_str().unwrap_or("").into()))
            .collect(),
    )
}

/// DestinationRules of a namespace that are for the service and visible to the client, oldest first; a rule for exactly this host goes
/// before (and hides) wildcards.
fn rules_in<'a>(
    objects: &'a Objects,
    service: &ServiceId,
    namespace: &str,
    client_namespace: &str,
) -> Vec<&'a Object> {
    let wanted = host::of_service(service);
    let here = objects.of_kind(Kind::DestinationRule).filter(|rule| {
        &*rule.key().namespace == namespace
            && exported(rule, client_namespace)
            // A rule with a workloadSelector is for some clients only, which is not judged here.
            && rule.get("/spec/workloadSelector").is_none()
    });
    let mut exact = Vec::new();
    let mut wild: BTreeMap<std::cmp::Reverse<usize>, Vec<&Object>> = BTreeMap::new();
    for rule in here {
        let host = host::fqdn(rule.text("/spec/host"), namespace);
        if host == wanted {
            exact.push(rule);
        } else if host
            .strip_prefix('*')
            .is_some_and(|suffix| wanted.ends_with(suffix))
        {
            wild.entry(std::cmp::Reverse(host.len())).or_default().push(rule);
        }
    }
    let mut rules = if exact.is_empty() {
        wild.into_values().next().unwrap_or_default()
    } else {
        exact
    };
    rules.sort_by_key(|rule| {
        (
            rule.text("/metadata/creationTimestamp").to_owned(),
            rule.key().clone(),
        )
    });
    rules
}

/// `exportTo` of an object: `.` its own namespace, `*` all, else by name; absent means all (meshConfig may say otherwise).
fn exported(object: &Object, client_namespace: &str) -> bool {
    let list = object.list("/spec/exportTo");
    list.is_empty()
        || list.iter().filter_map(Value::as_str).any(|to| match to {
            "*" => true,
            "." => *object.key().namespace == *client_namespace,
            name => name == client_namespace,
        })
}

fn behind(objects: &Objects, service: &ServiceId, labels: &Labels) -> Behind {
    let mut behind = Behind::default();
    for (pod, ready) in pods_of(objects, service) {
        if pod.leaving
            || !labels
                .iter()
                .all(|(name, value)| pod.labels.get(name) == Some(value))
        {
            continue;
        }
        behind.total += 1;
        behind.ready += u32::from(ready);
        behind.workloads.insert(workload_of(objects, pod));
    }
    behind
}

/// A service's pods by its EndpointSlices, each with whether any slice calls it ready.
pub fn pods_of<'a>(objects: &'a Objects, service: &ServiceId) -> Vec<(&'a Arc<Pod>, bool)> {
    let mut ready: BTreeMap<&Name, bool> = BTreeMap::new();
    let slices = objects.endpoint_slices.values();
    for slice in slices.filter(|slice| slice.namespace == service.namespace && slice.service == service.name)
    {
        for endpoint in slice.endpoints.iter().filter(|endpoint| !endpoint.pod.is_empty()) {
            *ready.entry(&endpoint.pod).or_default() |= endpoint.ready;
        }
    }
    let place = |name: &Name| crate::object::Key::new(Kind::Pod, service.namespace.clone(), name.clone());
    ready
        .into_iter()
        .filter_map(|(name, ready)| Some((objects.pods.get(&place(name))?, ready)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Subset, endpoints};
    use crate::{
        example,
        fact::Fact,
        object::{Kind, Object},
        snapshot::KindState,
        traffic::ServiceId,
    };
    use serde_json::json;

    fn service() -> ServiceId {
        ServiceId {
            namespace: "user-service".into(),
            name: "user-service".into(),
        }
    }

    fn ready(objects: &crate::snapshot::Objects, subset: &str, client: &str) -> Option<(u32, u32)> {
        match endpoints(objects, &service(), subset, client) {
            Subset::Pods(behind) => Some((behind.ready, behind.total)),
            Subset::Undefined => None,
            Subset::Unknown(whys) => panic!("{whys:?}"),
        }
    }

    #[test]
    fn labels_pick_the_pods() {
        let objects = example::objects();
        assert_eq!(ready(&objects, "v1", "default"), Some((2, 2)));
        assert_eq!(ready(&objects, "v2", "default"), Some((1, 1)));
        assert_eq!(ready(&objects, "", "default"), Some((3, 3)));
        assert_eq!(ready(&objects, "v3", "default"), None);
    }

    #[test]
    fn a_rule_in_the_clients_namespace_hides_the_owners_subsets() {
        let mut objects = example::objects();
        let rule = json!({"metadata": {"name": "mine", "namespace": "default"},
            "spec": {"host": "user-service.user-service.svc.cluster.local"}});
        objects.put(Fact::Object(Object::new(Kind::DestinationRule, rule).unwrap()));
        assert_eq!(ready(&objects, "v2", "default"), None);
        assert_eq!(ready(&objects, "v2", "product-service"), Some((1, 1)));
    }

    #[test]
    fn a_rule_that_is_not_exported_does_not_count_elsewhere() {
        let mut objects = example::objects();
        let rule = json!({"metadata": {"name": "user-service", "namespace": "user-service"},
            "spec": {"host": "user-service", "exportTo": ["."], "subsets": [{"name": "v1", "labels": {"version": "v1"}}]}});
        objects.put(Fact::Object(Object::new(Kind::DestinationRule, rule).unwrap()));
        assert_eq!(ready(&objects, "v1", "default"), None);
        assert_eq!(ready(&objects, "v1", "user-service"), Some((2, 2)));
    }

    #[test]
    fn a_wildcard_rule_counts_unless_an_exact_one_is_there() {
        let mut objects = example::objects();
        let wild = json!({"metadata": {"name": "wild", "namespace": "user-service"},
            "spec": {"host": "*.user-service.svc.cluster.local", "subsets": [{"name": "wild", "labels": {"version": "v2"}}]}});
        objects.put(Fact::Object(Object::new(Kind::DestinationRule, wild).unwrap()));
        assert_eq!(ready(&objects, "wild", "default"), None);
        objects.remove(&crate::object::Key::new(
            Kind::DestinationRule,
            "user-service",
            "user-service",
        ));
        assert_eq!(ready(&objects, "wild", "default"), Some((1, 1)));
    }

    #[test]
    fn without_the_slices_nothing_is_known() {
        let mut objects = example::objects();
        objects.kinds.insert(Kind::EndpointSlice, KindState::NotYet);
        assert!(
            matches!(endpoints(&objects, &service(), "v1", "default"), Subset::Unknown(whys) if whys.len() == 1)
        );
    }

    #[test]
    fn absent_destination_rules_are_a_fact() {
        let mut objects = example::objects();
        objects.clear(Kind::DestinationRule);
        objects.kinds.insert(Kind::DestinationRule, KindState::Absent);
        assert_eq!(ready(&objects, "v1", "default"), None);
        assert_eq!(ready(&objects, "", "default"), Some((3, 3)));
    }
}
