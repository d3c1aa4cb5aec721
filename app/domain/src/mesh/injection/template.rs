//! Where pods come from: the templates of Deployments, StatefulSets, DaemonSets, Jobs, CronJobs, ReplicaSets, and pods by themselves.

use crate::{
    Name,
    fact::PodTemplate,
    mesh::Decider,
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use serde_json::Value;
use std::sync::Arc;

/// What pods are made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The object that it is written in.
    pub owner: Key,
    /// JSON pointer of the pod within the owner; empty where the owner is the pod.
    pub at: &'static str,
    /// The pod to be.
    pub pod: Arc<PodTemplate>,
    /// The label `sidecar.istio.io/inject` on the owner itself, where it does nothing. None where the owner is the pod.
    pub owner_inject: Option<Name>,
}

impl Template {
    /// The field at `path` of the pod.
    pub fn field(&self, path: &str) -> Decider {
        Decider {
            key: self.owner.clone(),
            path: format!("{}{path}", self.at).into(),
        }
    }

    /// A label of the pod.
    pub fn label(&self, name: &str) -> Option<(&str, Decider)> {
        let value = self.pod.labels.get(name)?;
        Some((value, self.field(&format!("/metadata/labels/{}", escaped(name)))))
    }

    /// An annotation of the pod.
    pub fn annotation(&self, name: &str) -> Option<(&str, Decider)> {
        let value = self.pod.annotations.get(name)?;
        Some((
            value,
            self.field(&format!("/metadata/annotations/{}", escaped(name))),
        ))
    }
}

/// A name as a segment of a JSON pointer (RFC 6901).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// All templates, by kind and name. What makes pods through another (a Deployment's ReplicaSets, a CronJob's Jobs, controlled pods) is told by
/// that other; Jobs that have ended make no more.
pub fn templates(objects: &Objects) -> Vec<Template> {
    let deployments = objects.deployments.iter().map(|(key, it)| Template {
        owner: key.clone(),
        at: "/spec/template",
        pod: it.pod.clone(),
        owner_inject: it.inject.clone(),
    });
    let sets = objects.replica_sets.iter().filter_map(|(key, it)| {
        Some(Template {
            owner: key.clone(),
            at: "/spec/template",
            pod: it.template.clone()?,
            owner_inject: None,
        })
    });
    let whole = [
        (Kind::StatefulSet, "/spec/template"),
        (Kind::DaemonSet, "/spec/template"),
        (Kind::Job, "/spec/template"),
        (Kind::CronJob, "/spec/jobTemplate/spec/template"),
    ];
    let whole = whole.into_iter().flat_map(|(kind, at)| {
        let open = objects.of_kind(kind).filter(|object| !told_or_ended(object));
        open.map(move |object| of(object, at))
    });
    let pods = objects.pods.iter().filter_map(|(key, it)| {
        Some(Template {
            owner: key.clone(),
            at: "",
            pod: it.template.clone()?,
            owner_inject: None,
        })
    });
    let mut all: Vec<Template> = deployments.chain(sets).chain(whole).chain(pods).collect();
    all.sort_by(|a, b| a.owner.cmp(&b.owner));
    all
}

/// The template that `owner` holds.
pub fn template_of(objects: &Objects, owner: &Key) -> Option<Template> {
    templates(objects)
        .into_iter()
        .find(|template| template.owner == *owner)
}

fn of(object: &Object, at: &'static str) -> Template {
    Template {
        owner: object.key().clone(),
        at,
        pod: Arc::new(PodTemplate::read(object.get(at).unwrap_or(&Value::Null))),
        owner_inject: object.label(super::INJECT).map(Name::from),
    }
}

fn told_or_ended(object: &Object) -> bool {
    let told = object
        .list("/metadata/ownerReferences")
        .iter()
        .any(|owner| owner.get("kind").and_then(Value::as_str) == Some("CronJob"));
    let ended = object.list("/status/conditions").iter().any(|condition| {
        let text = |name: &str| condition.get(name).and_then(Value::as_str);
        matches!(text("type"), Some("Complete" | "Failed")) && text("status") == Some("True")
    });
    object.key().kind == Kind::Job && (told || ended)
}
