//! What Kubernetes has behind one of a canary's two destinations.

use super::spec::Target;
use crate::{
    Why,
    fact::{Deployment, Labels, Pod},
    mesh::{
        host::{self, Host},
        subset::{self, Subset},
    },
    object::{Key, Kind},
    snapshot::Objects,
    traffic::ServiceId,
    workload::{WorkloadId, runs, selects, workload_of},
};
use std::{collections::BTreeSet, sync::Arc};

/// A version, as far as its destination names something.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Version<'a> {
    /// The service; None where the host names none.
    pub(super) service: Option<ServiceId>,
    /// Endpoints that take new requests.
    pub(super) ready: u32,
    /// Its pods that run or are to, ready or not, in order of name.
    pub(super) pods: Vec<&'a Arc<Pod>>,
    /// The Deployments whose pods it has, or would have: one may be scaled to nothing.
    pub(super) deployments: Vec<&'a Arc<Deployment>>,
    /// All that its pods belong to.
    pub(super) workloads: BTreeSet<WorkloadId>,
}

/// What is behind a destination that is written in a rule of `namespace`. Nothing is behind a host or a subset that is not defined.
///
/// # Errors
/// It cannot be known.
pub(super) fn version<'a>(
    objects: &'a Objects,
    target: &Target,
    namespace: &str,
) -> Result<Version<'a>, Why> {
    let id = match host::resolve(objects, &target.host, namespace) {
        Host::Service(id) => id,
        Host::Absent { .. } => return Ok(Version::default()),
        Host::Unknown(why) => return Err(why),
    };
    let mut version = Version {
        service: Some(id.clone()),
        ..Version::default()
    };
    let behind = match subset::endpoints(objects, &id, &target.subset, namespace) {
        Subset::Pods(behind) => behind,
        Subset::Undefined => return Ok(version),
        Subset::Unknown(whys) => {
            return Err(whys.into_iter().next().unwrap_or(Why::NotJudged {
                what: target.subset.clone(),
            }));
        }
    };
    let labels = match &*target.subset {
        "" => Labels::new(),
        subset => subset::subset_labels(objects, &id, subset, namespace).unwrap_or_default(),
    };
    version.ready = behind.ready;
    version.workloads = behind.workloads;
    let Some(service) = objects.service(&id.namespace, &id.name) else {
        return Ok(version);
    };
    // Without a selector the service's endpoints are written by hand, and its pods are known by these only.
    let is_its = |of: &Labels| {
        selects(&service.selector, of) && labels.iter().all(|(name, value)| of.get(name) == Some(value))
    };
    let first = |kind| Key::new(kind, id.namespace.clone(), "");
    let pods = objects.pods.range(first(Kind::Pod)..);
    let pods = pods.take_while(|(key, _)| key.namespace == id.namespace);
    for (_, pod) in pods.filter(|(_, pod)| runs(pod)) {
        let workload = workload_of(objects, pod);
        if is_its(&pod.labels) || (service.selector.is_empty() && version.workloads.contains(&workload)) {
            version.pods.push(pod);
            version.workloads.insert(workload);
        }
    }
    let deployments = objects.deployments.range(first(Kind::Deployment)..);
    let deployments = deployments.take_while(|(key, _)| key.namespace == id.namespace);
    for (_, deployment) in deployments {
        let workload = workload_of_template(deployment);
        if is_its(&deployment.template) || version.workloads.contains(&workload) {
            version.deployments.push(deployment);
            version.workloads.insert(workload);
        }
    }
    Ok(version)
}

/// The workloads behind a destination that is written in a rule of `namespace`; none where nothing is behind it any more.
///
/// # Errors
/// It cannot be known.
pub fn workloads(objects: &Objects, target: &Target, namespace: &str) -> Result<BTreeSet<WorkloadId>, Why> {
    Ok(version(objects, target, namespace)?.workloads)
}

/// The one Deployment behind a destination that is written in a rule of `namespace`, also where it has no pods now; None if there is none, or are
/// several, or nobody knows.
pub fn deployment(objects: &Objects, target: &Target, namespace: &str) -> Option<Key> {
    let version = version(objects, target, namespace).ok()?;
    match version.deployments.as_slice() {
        [one] => Some(Key::new(
            Kind::Deployment,
            one.namespace.clone(),
            one.name.clone(),
        )),
        _ => None,
    }
}

/// What [`workload_of`] its pods says.
pub(super) fn workload_of_template(deployment: &Deployment) -> WorkloadId {
    let named = deployment.template.get("service.istio.io/workload-name");
    let name = named.filter(|name| !name.is_empty());
    (
        deployment.namespace.clone(),
        name.unwrap_or(&deployment.name).clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::version;
    use crate::{
        canary::spec::Target,
        example,
        fact::Fact,
        object::Kind,
        snapshot::{KindState, Objects},
    };
    use serde_json::json;

    fn target(host: &str, subset: &str) -> Target {
        Target {
            host: host.into(),
            subset: subset.into(),
        }
    }

    fn shown(objects: &Objects, host: &str, subset: &str) -> Option<(u32, Vec<String>, Vec<String>)> {
        let version = version(objects, &target(host, subset), "user-service").ok()?;
        let pods = version.pods.iter().map(|pod| pod.name.to_string()).collect();
        let workloads = version.workloads.iter().map(|(_, name)| name.to_string());
        Some((version.ready, pods, workloads.collect()))
    }

    fn told(ready: u32, pods: &[&str], workloads: &[&str]) -> Option<(u32, Vec<String>, Vec<String>)> {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Some((ready, all(pods), all(workloads)))
    }

    #[test]
    fn a_destination_has_its_pods_and_the_deployments_that_would_have_some() {
        let mut objects = example::objects();
        assert_eq!(
            shown(&objects, "user-service", "v1"),
            told(2, &["a", "b"], &["user-service-v1"])
        );
        assert_eq!(
            shown(&objects, "user-service", "v2"),
            told(1, &["c"], &["user-service-v2"])
        );
        let labels = json!({"app": "user-service", "version": "v1"});
        let idle = json!({"metadata": {"name": "user-service-old", "namespace": "user-service"},
            "spec": {"replicas": 0, "template": {"metadata": {"labels": labels}}}});
        let other = json!({"metadata": {"name": "other", "namespace": "user-service"},
            "spec": {"template": {"metadata": {"labels": {"app": "other", "version": "v1"}}}}});
        for json in [idle, other] {
            objects.put(Fact::read(Kind::Deployment, json).unwrap());
        }
        // Not in any slice yet: it has no address.
        let young = json!({"metadata": {"name": "d", "namespace": "user-service", "labels": labels}, "status": {"phase": "Pending"}});
        objects.put(Fact::read(Kind::Pod, young).unwrap());
        assert_eq!(
            shown(&objects, "user-service", "v1"),
            told(2, &["a", "b", "d"], &["d", "user-service-old", "user-service-v1"])
        );
    }

    #[test]
    fn nothing_is_behind_what_is_not_defined_and_what_is_not_known_is_an_error() {
        let mut objects = example::objects();
        assert_eq!(shown(&objects, "nobody", ""), told(0, &[], &[]));
        assert_eq!(shown(&objects, "user-service", "v3"), told(0, &[], &[]));
        objects.kinds.insert(Kind::EndpointSlice, KindState::NotYet);
        assert_eq!(shown(&objects, "user-service", "v1"), None);
    }
}
