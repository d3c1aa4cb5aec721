//! Which pods get a proxy when they are admitted, and by which revision; whether the running ones are what would be admitted now; and what
//! stops or hurts a workload that is injected.
//!
//! Two decide one after the other. The API server asks an injector only where a webhook's `namespaceSelector` and `objectSelector` match, and
//! those see labels alone. The injector then decides for itself (`injectRequired` in istio's `pkg/kube/inject`), and reads the annotation
//! `sidecar.istio.io/inject` too. So the annotation can keep a proxy away, and cannot call one.

mod admitted;
mod drift;
mod injector;
mod installed;
mod quantity;
pub(crate) mod selector;
mod template;
mod trap;

pub use admitted::{Admitted, Code, Concern, Severity, Topic, admitted};
pub use drift::{Drift, PodDrift, drift};
pub use injector::{Injector, Injectors, Revision};
pub use installed::installed;
pub use template::{Template, template_of, templates};
pub use trap::{Trap, traps};

use super::{Decider, Mesh};
use crate::{Name, Why, fact::Namespace, object::Kind};

/// The label, and the older annotation of the same name.
pub const INJECT: &str = "sidecar.istio.io/inject";

/// Names a revision or tag, on a namespace or a pod.
pub const REVISION: &str = "istio.io/rev";

/// The namespace's label for the default revision.
pub const NAMESPACE: &str = "istio-injection";

/// Whether a template's pods get a proxy when they are admitted.
#[derive(Clone, Debug, PartialEq)]
pub enum WillInject {
    /// They do.
    Yes {
        /// The injecting istiod's revision, as it will be noted on the pod.
        revision: Name,
        /// The webhook that takes the pod.
        webhook: Decider,
        /// What was decisive within the injector, if it was not its default.
        by: Option<Decider>,
    },
    /// They do not.
    No(Reason),
    /// It cannot be known.
    Unknown(Vec<Why>),
}

/// Why pods get no proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no injector's webhook in the cluster.
    NoInjector,
    /// The namespace carries no label that a webhook selects, and neither does the pod.
    Unlabelled {
        /// The namespace.
        namespace: Name,
    },
    /// The namespace's `istio-injection` is there, and is not `enabled`.
    NamespaceRefuses(Decider),
    /// The pod's label says `false`.
    PodRefuses(Decider),
    /// No installed revision or tag answers to what a label names.
    NoSuchRevision {
        /// What it names; `default` for `istio-injection: enabled`.
        revision: Name,
        /// The label.
        by: Decider,
    },
    /// Pods on the host's network are never injected.
    HostNetwork(Decider),
    /// Injectors pass over the system's namespaces.
    SystemNamespace {
        /// The namespace.
        namespace: Name,
    },
    /// The pod's annotation says `false`, and there is no label.
    AnnotationRefuses(Decider),
    /// The injector's `neverInjectSelector` matches.
    NeverSelected(Decider),
    /// The injector's policy is `disabled`, and the pod does not ask.
    PolicyDisabled(Decider),
    /// The injector's policy is neither `enabled` nor `disabled`: it injects nothing, whatever the pod asks.
    PolicyIllegal(Decider),
}

/// Whether pods of `template` get a proxy when they are admitted into `namespace`. For many questions make [`Injectors`] once.
pub fn will_inject(mesh: &Mesh<'_>, namespace: &Namespace, template: &Template) -> WillInject {
    Injectors::of(mesh).decide(namespace, template)
}

/// The reason that names what is not judged.
fn not_judged(what: impl Into<Name>) -> Why {
    Why::NotJudged { what: what.into() }
}

/// The namespace by its name, or why it is not known.
fn namespace_of<'a>(mesh: &Mesh<'a>, name: &str) -> Result<&'a Namespace, Why> {
    let key = crate::object::Key::new(Kind::Namespace, "", name);
    match mesh.objects.namespaces.get(&key) {
        Some(namespace) => Ok(namespace),
        None => Err(mesh
            .objects
            .gap(Kind::Namespace)
            .unwrap_or_else(|| not_judged(format!("Namespace {name}")))),
    }
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tables of JSON read better without references"
)]
mod tests;
