//! Whether running pods are what would be admitted now.

use super::{Injectors, Template, WillInject, namespace_of, templates};
use crate::{
    Name, Why,
    fact::{Pod, Proxy},
    mesh::Mesh,
    object::{Key, Kind},
    workload::{WorkloadId, runs, workload_of},
};

/// How one pod differs from what would be admitted now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodDrift {
    /// As it would be admitted now.
    None,
    /// No proxy, and it would get one: it was not restarted since labels said so.
    Missing {
        /// The revision that would inject it.
        revision: Name,
    },
    /// An injected proxy, and it would get none: its next restart takes it out of the mesh.
    Superfluous,
    /// Another revision's proxy than the one it would get.
    OtherRevision {
        /// Its proxy's.
        has: Name,
        /// The one it would get.
        gets: Name,
    },
    /// It cannot be known.
    Unknown(Vec<Why>),
}

/// A workload's running pods, in order of name, each with how it differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drift {
    /// Each pod that runs, and how it differs.
    pub pods: Vec<(Key, PodDrift)>,
    /// What is not known about the pods as a whole.
    pub unknown: Vec<Why>,
}

impl Drift {
    /// The pods that differ, without those that are not known.
    pub fn differing(&self) -> impl Iterator<Item = &(Key, PodDrift)> {
        let same = |it: &PodDrift| matches!(it, PodDrift::None | PodDrift::Unknown(_));
        self.pods.iter().filter(move |(_, it)| !same(it))
    }
}

/// Compares a workload's running pods with what would be admitted now.
pub fn drift(mesh: &Mesh<'_>, workload: &WorkloadId) -> Drift {
    let injectors = Injectors::of(mesh);
    let templates = templates(mesh.objects);
    let pods = mesh.objects.pods.iter().filter(|(_, pod)| {
        pod.namespace == workload.0 && runs(pod) && workload_of(mesh.objects, pod) == *workload
    });
    Drift {
        pods: pods
            .map(|(key, pod)| (key.clone(), differs(mesh, &injectors, &templates, pod)))
            .collect(),
        unknown: mesh.objects.gap(Kind::Pod).into_iter().collect(),
    }
}

fn differs(mesh: &Mesh<'_>, injectors: &Injectors<'_>, templates: &[Template], pod: &Pod) -> PodDrift {
    if pod.proxy == Proxy::Ambient {
        return PodDrift::Unknown(vec![super::not_judged("ambient")]);
    }
    let namespace = match namespace_of(mesh, &pod.namespace) {
        Ok(namespace) => namespace,
        Err(why) => return PodDrift::Unknown(vec![why]),
    };
    let owner = owner_of(mesh, pod);
    let Some(template) = templates.iter().find(|it| it.owner == owner) else {
        return PodDrift::Unknown(vec![mesh.objects.gap(owner.kind).unwrap_or_else(|| {
            super::not_judged(format!(
                "{} {}/{}",
                owner.kind.name(),
                owner.namespace,
                owner.name
            ))
        })]);
    };
    let injected = pod.sidecar.as_ref().filter(|it| it.injected);
    match (injectors.decide(namespace, template), injected) {
        (WillInject::Unknown(whys), _) => PodDrift::Unknown(whys),
        // A gateway's pod may bring a proxy of its own.
        (WillInject::Yes { revision, .. }, None) if pod.sidecar.is_none() => PodDrift::Missing { revision },
        (WillInject::Yes { revision, .. }, Some(has)) if has.revision != revision => {
            PodDrift::OtherRevision {
                has: has.revision.clone(),
                gets: revision,
            }
        }
        (WillInject::No(_), Some(_)) if !brought(template) => PodDrift::Superfluous,
        _ => PodDrift::None,
    }
}

/// The template has the proxy in it, by `istioctl kube-inject`.
fn brought(template: &Template) -> bool {
    let mut containers = template.pod.containers.iter();
    containers.any(|container| &*container.name == "istio-proxy")
}

/// The object whose template the pod is made from.
fn owner_of(mesh: &Mesh<'_>, pod: &Pod) -> Key {
    let own = || Key::new(Kind::Pod, pod.namespace.clone(), pod.name.clone());
    let Some((kind, name)) = &pod.owner else {
        return own();
    };
    let key = |kind| Key::new(kind, pod.namespace.clone(), name.clone());
    match &**kind {
        "ReplicaSet" => {
            let set = mesh.objects.replica_sets.get(&key(Kind::ReplicaSet));
            match set.map(|set| (&set.owner, &set.template)) {
                Some((Some((kind, owner)), None)) if &**kind == "Deployment" => {
                    Key::new(Kind::Deployment, pod.namespace.clone(), owner.clone())
                }
                Some(_) => key(Kind::ReplicaSet),
                // Unknown sets are taken for a Deployment's, as Istio does.
                None => Key::new(
                    Kind::Deployment,
                    pod.namespace.clone(),
                    workload_of(mesh.objects, pod).1,
                ),
            }
        }
        "StatefulSet" => key(Kind::StatefulSet),
        "DaemonSet" => key(Kind::DaemonSet),
        "Job" => {
            let job = mesh.objects.object(Kind::Job, &pod.namespace, name);
            let controller = job
                .into_iter()
                .flat_map(|job| job.list("/metadata/ownerReferences"));
            let cron = controller
                .filter(|it| it.get("kind").and_then(serde_json::Value::as_str) == Some("CronJob"))
                .find_map(|it| it.get("name")?.as_str());
            match cron {
                Some(cron) => Key::new(Kind::CronJob, pod.namespace.clone(), cron),
                None => key(Kind::Job),
            }
        }
        // Another controller's template is not known.
        _ => own(),
    }
}
