//! What is written to steer injection, and does not do what it seems to say.

use super::{INJECT, NAMESPACE, REVISION, Template, template::escaped};
use crate::{
    Name,
    fact::Namespace,
    mesh::Decider,
    object::{Key, Kind},
};

/// Something that does not do what it seems to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trap {
    /// The annotation asks for a proxy. Webhooks do not see annotations, so that it calls none; only the label does.
    AnnotationAsks(Decider),
    /// Label and annotation disagree: the label stands.
    AnnotationHidden(Decider),
    /// The label is on the Deployment (or the like) instead of its pod template: nobody reads it.
    LabelOnOwner(Decider),
    /// A value that is neither `true` nor `false`: webhooks and injector take it differently.
    NeitherTrueNorFalse {
        /// What is written.
        value: Name,
        /// Where.
        by: Decider,
    },
    /// The namespace has `istio-injection` and `istio.io/rev`: the second is not read.
    RevisionHidden(Decider),
    /// The pod names a revision while its namespace decides: the pod's label is not read.
    PodRevisionHidden(Decider),
}

/// The traps in a template and its namespace, whatever is installed.
pub fn traps(namespace: &Namespace, template: &Template) -> Vec<Trap> {
    let mut traps = Vec::new();
    let label = template.label(INJECT);
    let annotation = template.annotation(INJECT);
    for (value, by) in [&label, &annotation].into_iter().flatten() {
        if !matches!(*value, "true" | "false") {
            traps.push(Trap::NeitherTrueNorFalse {
                value: (*value).into(),
                by: by.clone(),
            });
        }
    }
    match (&label, &annotation) {
        (None, Some(("true", by))) => traps.push(Trap::AnnotationAsks(by.clone())),
        (Some((label, _)), Some((annotation, by))) if label != annotation => {
            traps.push(Trap::AnnotationHidden(by.clone()));
        }
        _ => {}
    }
    if template.owner_inject.is_some() && label.is_none() {
        traps.push(Trap::LabelOnOwner(Decider {
            key: template.owner.clone(),
            path: format!("/metadata/labels/{}", escaped(INJECT)).into(),
        }));
    }
    let labelled = |name: &str| namespace.labels.contains_key(name);
    if labelled(NAMESPACE) && labelled(REVISION) {
        traps.push(Trap::RevisionHidden(Decider {
            key: Key::new(Kind::Namespace, "", namespace.name.clone()),
            path: format!("/metadata/labels/{}", escaped(REVISION)).into(),
        }));
    }
    if (labelled(NAMESPACE) || labelled(REVISION))
        && let Some((value, by)) = template.label(REVISION)
        && namespace
            .labels
            .get(REVISION)
            .is_none_or(|of_namespace| **of_namespace != *value)
    {
        traps.push(Trap::PodRevisionHidden(by));
    }
    traps
}
