//! Which pods are behind a subset, and what a client does on its way to them.
//!
//! | question | file |
//! |---|---|
//! | which DestinationRule is in effect for a client | [`destination_rule`] |
//! | which connection pools, load balancing, outlier detection and TLS | [`policy`](policy()) |
//! | which endpoints does a client know | [`reach`] |

pub(crate) mod duration;
mod policy;
mod reach;
mod rule;

pub use policy::{Balancing, HashOn, Outliers, Policy, Pool, Setting, Tls, policy};
pub(in crate::mesh) use policy::{Parts, balancing, endpoint_tls, mesh_config, parts, tls_of};
pub use reach::{Endpoint, Reach, reach};
pub(in crate::mesh) use reach::{all, speaks_mutual_tls, tls_mode};
pub use rule::{Defined, Effective, Part, destination_rule};

use super::{Mesh, Proxy, host, unjudged};
use crate::{
    Name, Why,
    fact::{Labels, Pod},
    object::Kind,
    snapshot::Objects,
    traffic::ServiceId,
    workload::workload_of,
};
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

/// The pods behind `subset` (empty: the whole service), as proxies in `client_namespace` see it. Unknown where a DestinationRule there is
/// for some proxies only: [`reach`] asks about one.
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
        let fqdn = host::of_service(service);
        if let Some(rule) = rule::selective(&Mesh::of(objects), client_namespace, &fqdn) {
            return Subset::Unknown(vec![unjudged::named(rule)]);
        }
        match subset_labels(objects, service, subset, client_namespace) {
            Some(labels) => labels,
            None => return Subset::Undefined,
        }
    };
    Subset::Pods(behind(objects, service, &labels))
}

/// The subset's labels by the DestinationRule in effect for a client without labels, as far as the objects are known; see
/// [`destination_rule`].
pub fn subset_labels(
    objects: &Objects,
    service: &ServiceId,
    subset: &str,
    client_namespace: &str,
) -> Option<Labels> {
    let client = Proxy::sidecar(client_namespace, Labels::new());
    let fqdn = host::of_service(service);
    let rule = rule::effective(&Mesh::of(objects), &client, &fqdn, &service.namespace)?;
    rule.subset(subset).map(|defined| defined.labels.clone())
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
    for slice in objects.slices_of(service) {
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
    fn a_rule_for_some_clients_only_makes_the_subset_unknown_in_its_namespace() {
        let mut objects = example::objects();
        let rule = json!({"metadata": {"name": "some", "namespace": "default"},
            "spec": {"host": "*.svc.cluster.local", "workloadSelector": {"matchLabels": {"app": "x"}}}});
        objects.put(Fact::Object(Object::new(Kind::DestinationRule, rule).unwrap()));
        assert!(matches!(
            endpoints(&objects, &service(), "v1", "default"),
            Subset::Unknown(whys) if format!("{whys:?}").contains("DestinationRule default/some")
        ));
        assert_eq!(ready(&objects, "", "default"), Some((3, 3)));
        assert_eq!(ready(&objects, "v1", "other"), Some((2, 2)));
    }

    #[test]
    fn what_mesh_config_exports_by_default_is_heeded() {
        let mut objects = example::objects();
        let config = json!({"metadata": {"name": "istio", "namespace": "istio-system"},
            "data": {"mesh": "defaultDestinationRuleExportTo: ['.']"}});
        objects.put(Fact::read(Kind::ConfigMap, config).unwrap());
        assert_eq!(ready(&objects, "v1", "default"), None);
        assert_eq!(ready(&objects, "v1", "user-service"), Some((2, 2)));
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
