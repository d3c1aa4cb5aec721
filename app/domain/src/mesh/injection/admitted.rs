//! What stops or hurts a workload's pods when they are injected.
//!
//! `automountServiceAccountToken: false` is no concern: the proxy's token is projected by the injected template itself.

mod lifecycle;
mod network;
mod resources;
mod rollout;
mod security;

use super::{Injector, Injectors, Template, WillInject, namespace_of, not_judged, template_of};
use crate::{
    Name, Why,
    fact::Namespace,
    mesh::{Decider, Mesh},
    object::{Key, Kind},
};
use serde_json::Value;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Pods do not come up, or get no proxy.
    Stops,
    /// They come up, and requests, connections or figures suffer.
    Hurts,
    /// Worth knowing.
    Notes,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// PodSecurity refuses what the proxy's init container asks for (NET_ADMIN, NET_RAW, and root at `restricted`).
    PodSecurity {
        /// The namespace's enforced level.
        level: Name,
    },
    /// PodSecurity's restricted level wants a seccomp profile, and the proxy's container gets none.
    Seccomp,
    /// A container runs as the proxy's own user or group: its requests are not redirected into the proxy.
    ProxyUser {
        /// The container; empty for the pod as a whole.
        container: Name,
    },
    /// A container names a port that the proxy listens on.
    Port {
        /// The container.
        container: Name,
        /// The port.
        port: u16,
    },
    /// Pods on the host's network get no proxy.
    HostNetwork,
    /// The pod does not ask the cluster's DNS, by which the proxy finds istiod.
    DnsPolicy {
        /// `dnsPolicy` as written.
        policy: Name,
    },
    /// No istiod of the revision is ready: pods cannot be created at all (webhooks fail closed).
    InjectorNotReady {
        /// The istiod's Deployment.
        deployment: Key,
    },
    /// A quota has less left than the proxies of all the workload's pods need. In thousandths of the resource's unit.
    Quota {
        /// `requests.cpu` and the like.
        resource: Name,
        /// What is left.
        left: i128,
        /// What is needed.
        needed: i128,
    },
    /// A quota demands a value that the proxy's container does not have.
    QuotaDemands {
        /// `limits.cpu` and the like.
        resource: Name,
    },
    /// A LimitRange refuses the proxy's container.
    LimitRange {
        /// `max`, `min` or `maxLimitRequestRatio`.
        bound: &'static str,
        /// `cpu` or `memory`.
        resource: &'static str,
    },
    /// NetworkPolicies let nothing from the pod to istiod.
    EgressBlocked {
        /// istiod's port.
        port: u16,
    },
    /// NetworkPolicies let nothing in on a port of the proxy, or of istiod.
    IngressBlocked {
        /// The port.
        port: u16,
    },
    /// There is one pod: its restart is an outage, unless the new one is ready first.
    SingleReplica,
    /// All pods end before new ones start.
    Recreate,
    /// No new pod starts before an old one ends.
    NoSurge,
    /// So many pods may be missing at once that none is left.
    AllUnavailable,
    /// No PodDisruptionBudget covers the pods.
    NoBudget,
    /// Stateful peers are restarted one by one and speak to each other by address.
    Stateful,
    /// Pods are replaced only when somebody deletes them.
    OnDelete,
    /// An autoscaler measures the pod as a whole, the proxy included.
    AutoscalerCountsProxy {
        /// `cpu` or `memory`.
        resource: Name,
    },
    /// The application may start, and call out, before its proxy is ready.
    StartsBeforeProxy,
    /// Containers that serve do not wait (`preStop`) until nobody sends to them any more.
    NoDrain {
        /// The first of them.
        container: Name,
    },
    /// An ordinary sidecar keeps a Job's pod from ending.
    JobNeverEnds,
    /// Probes are not rewritten: under mutual TLS the kubelet's are refused.
    ProbesNotRewritten,
}

/// One concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// What is wrong.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is written.
    pub by: Decider,
}

/// What was asked, where it could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is called as what it is about")]
pub enum Topic {
    Injector,
    PodSecurity,
    Quota,
    LimitRange,
    NetworkPolicy,
    Budget,
    Autoscaler,
    StartOrder,
    JobEnd,
    Probes,
}

/// What stops or hurts, and what could not be judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admitted {
    /// The worst first, then in order of their place.
    pub concerns: Vec<Concern>,
    /// What could not be judged, and why.
    pub unknown: Vec<(Topic, Vec<Why>)>,
}

impl Admitted {
    fn concern(&mut self, severity: Severity, code: Code, by: Decider) {
        self.concerns.push(Concern { code, severity, by });
    }

    fn unknown(&mut self, topic: Topic, why: Why) {
        match self.unknown.iter_mut().find(|(it, _)| *it == topic) {
            Some((_, whys)) if whys.contains(&why) => {}
            Some((_, whys)) => whys.push(why),
            None => self.unknown.push((topic, vec![why])),
        }
    }
}

/// What each question reads.
struct Case<'a> {
    mesh: &'a Mesh<'a>,
    injectors: Injectors<'a>,
    namespace: Option<&'a Namespace>,
    template: Template,
    /// The injector that takes, or would take, the pods.
    injector: Result<Injector, Why>,
    revision: Option<Name>,
}

/// What would stop or hurt the pods of `owner` (a Deployment, StatefulSet, DaemonSet, Job, CronJob, ReplicaSet or pod) when they are injected.
/// Asked before a label is set: the injector is then the one that takes the pods of a namespace labelled for the default revision, or the only one.
pub fn admitted(mesh: &Mesh<'_>, owner: &Key) -> Admitted {
    let mut found = Admitted::default();
    let Some(template) = template_of(mesh.objects, owner) else {
        let why = mesh.objects.gap(owner.kind);
        let named = || {
            not_judged(format!(
                "{} {}/{}",
                owner.kind.name(),
                owner.namespace,
                owner.name
            ))
        };
        found.unknown(Topic::Injector, why.unwrap_or_else(named));
        return found;
    };
    let injectors = Injectors::of(mesh);
    let namespace = namespace_of(mesh, &owner.namespace);
    let takes = namespace.as_ref().ok().map(|it| injectors.decide(it, &template));
    let revision = match takes {
        Some(WillInject::Yes { revision, .. }) => Some(revision),
        _ => injectors.likely(),
    };
    let gap = || mesh.objects.gap(Kind::MutatingWebhookConfiguration);
    let injector = match revision.as_ref().and_then(|it| injectors.injector(it)) {
        Some(injector) => injector.clone(),
        None => Err(gap().unwrap_or_else(|| not_judged("MutatingWebhookConfiguration"))),
    };
    if let Err(why) = &injector {
        found.unknown(Topic::Injector, why.clone());
    }
    if let Err(why) = &namespace {
        found.unknown(Topic::PodSecurity, why.clone());
    }
    let case = Case {
        namespace: namespace.ok(),
        mesh,
        injectors,
        template,
        injector,
        revision,
    };
    security::judge(&case, &mut found);
    resources::judge(&case, &mut found);
    network::judge(&case, &mut found);
    rollout::judge(&case, &mut found);
    lifecycle::judge(&case, &mut found);
    found
        .concerns
        .sort_by(|a, b| (a.severity, &a.by).cmp(&(b.severity, &b.by)));
    found.unknown.sort();
    found
}

impl Case<'_> {
    /// A value of the injector's chart; None where the chart's default holds.
    fn value(&self, pointer: &str) -> Result<Option<&Value>, Why> {
        match &self.injector {
            Ok(injector) => Ok(injector.values.pointer(pointer).filter(|it| !it.is_null())),
            Err(why) => Err(why.clone()),
        }
    }

    fn flag(&self, pointer: &str, default: bool) -> Result<bool, Why> {
        let value = self.value(pointer)?;
        Ok(value.and_then(Value::as_bool).unwrap_or(default))
    }

    /// Whether the proxy will be a native sidecar: the pod's annotation, else `ENABLE_NATIVE_SIDECARS`. Istiod's own default, `auto`, goes by the
    /// nodes' versions (`DetectNativeSidecar` in istio's `pkg/kube/inject`), which are not read.
    fn native(&self) -> Result<bool, Why> {
        if let Some((value, _)) = self.template.annotation("sidecar.istio.io/nativeSidecar")
            && !value.is_empty()
        {
            return Ok(value != "false");
        }
        let set = self.value("/pilot/env/ENABLE_NATIVE_SIDECARS")?;
        match set
            .map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
            .as_deref()
        {
            Some("true") => Ok(true),
            Some("auto") | None => Err(not_judged("ENABLE_NATIVE_SIDECARS")),
            Some(_) => Ok(false),
        }
    }

    fn objects_in<'o>(
        &'o self,
        kind: Kind,
        namespace: &'o str,
    ) -> impl Iterator<Item = &'o crate::object::Object> + 'o {
        self.mesh
            .objects
            .of_kind(kind)
            .filter(move |it| &*it.key().namespace == namespace)
    }
}
