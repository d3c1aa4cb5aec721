//! What 2.1 asks of the entry and 2.2 of the other services: will their pods get a proxy, does what is written do what it seems to say, were they
//! restarted since, and what would stop or hurt them. One question, one function; each check gives it its own [`Codes`].

mod preflight;

pub(super) use preflight::{Concerns, concerns, of_template, preflight};

use super::{Code, Found, World, ask, settled, steady};
use crate::{
    Name, Why,
    crossing::{Migration, migration::Place},
    fact::{Namespace, Proxy},
    mesh::{
        Decider,
        injection::{self, Injectors, PodDrift, Reason, Template, Trap, WillInject},
    },
    object::{Key, Kind},
};
use std::sync::Arc;

/// Which of the Migration's services are asked about.
#[derive(Clone, Copy)]
pub(super) enum Which {
    /// 2.1.
    Entry,
    /// 2.2.
    Services,
}

/// Services with the fields that they are declared in; noted where the Migration says none.
pub(super) fn places<'w>(world: &'w World<'_>, which: Which, found: &mut Found) -> Vec<(String, &'w Place)> {
    let part = |migration: &'w Migration| match which {
        Which::Entry => migration
            .entry
            .as_ref()
            .map(|it| vec![("/spec/entry".into(), it)]),
        Which::Services if migration.services.is_empty() => None,
        Which::Services => {
            let all = migration.services.iter().enumerate();
            Some(
                all.map(|(index, it)| (format!("/spec/services/{index}"), it))
                    .collect(),
            )
        }
    };
    let field = match which {
        Which::Entry => "entry",
        Which::Services => "services",
    };
    world.declared(found, field, part).unwrap_or_default()
}

/// A code for each reason why pods get no proxy.
pub(super) struct Reasons {
    pub(super) absent: Code,
    pub(super) no_injector: Code,
    pub(super) unlabelled: Code,
    pub(super) namespace_refuses: Code,
    pub(super) pod_refuses: Code,
    pub(super) no_such_revision: Code,
    pub(super) host_network: Code,
    pub(super) system_namespace: Code,
    pub(super) annotation_refuses: Code,
    pub(super) never_selected: Code,
    pub(super) policy: Code,
}

/// The codes under one item's prefix.
macro_rules! reasons {
    ($item:literal) => {
        &$crate::judge::injected::Reasons {
            absent: $crate::judge::Code::error(concat!($item, "-absent")),
            no_injector: $crate::judge::Code::error(concat!($item, "-no-injector")),
            unlabelled: $crate::judge::Code::error(concat!($item, "-unlabelled")),
            namespace_refuses: $crate::judge::Code::error(concat!($item, "-namespace-refuses")),
            pod_refuses: $crate::judge::Code::error(concat!($item, "-pod-refuses")),
            no_such_revision: $crate::judge::Code::error(concat!($item, "-no-such-revision")),
            host_network: $crate::judge::Code::error(concat!($item, "-host-network")),
            system_namespace: $crate::judge::Code::error(concat!($item, "-system-namespace")),
            annotation_refuses: $crate::judge::Code::error(concat!($item, "-annotation-refuses")),
            never_selected: $crate::judge::Code::error(concat!($item, "-never-selected")),
            policy: $crate::judge::Code::error(concat!($item, "-injector-policy")),
        }
    };
}
pub(super) use reasons;

impl Reasons {
    pub(super) const fn all(&'static self) -> [&'static Code; 11] {
        [
            &self.absent,
            &self.no_injector,
            &self.unlabelled,
            &self.namespace_refuses,
            &self.pod_refuses,
            &self.no_such_revision,
            &self.host_network,
            &self.system_namespace,
            &self.annotation_refuses,
            &self.never_selected,
            &self.policy,
        ]
    }
}

/// Whether pods made now get a proxy.
pub(super) fn injected(world: &World<'_>, which: Which, codes: &'static Reasons, found: &mut Found) {
    let injectors = Injectors::of(&world.mesh);
    for (path, place) in places(world, which, found) {
        if ask::absent(world, place) {
            if let Some(by) = ask::declared_at(world, &path) {
                let service = place.to_string().into();
                found.finding(&codes.absent, by, [("service", service)]);
            }
            continue;
        }
        for template in ask::behind(world, place, found) {
            let Some(namespace) = namespace(world, template) else {
                found.unknown(
                    world
                        .objects
                        .gap(Kind::Namespace)
                        .unwrap_or_else(|| not_seen(template)),
                );
                continue;
            };
            match injectors.decide(namespace, template) {
                WillInject::Yes {
                    revision,
                    by,
                    webhook,
                } => {
                    let by = by.unwrap_or(webhook);
                    let value = format!("{}: {revision}", template.owner.name);
                    found.saw_at("will-be-injected", &by, value);
                }
                WillInject::Unknown(whys) => found.unknowns(whys),
                WillInject::No(_) if brought(template) => {
                    let by = template.field("/spec/containers");
                    found.saw_at("brings-proxy", &by, template.owner.name.clone());
                }
                // Files seldom hold the injector: which revisions there are is the cluster's to tell.
                WillInject::No(Reason::NoSuchRevision { .. }) if settled::assumed(world.objects) => {
                    found.unknown(Why::NeedsCluster);
                }
                WillInject::No(reason) => refused(template, reason, codes, found),
            }
        }
    }
}

/// The template has a proxy in it: by `istioctl kube-inject`, or a gateway's own.
fn brought(template: &Template) -> bool {
    let mut containers = template.pod.containers.iter();
    containers.any(|it| &*it.name == "istio-proxy" && !it.image.is_empty() && &*it.image != "auto")
}

fn namespace<'w>(world: &'w World<'_>, template: &Template) -> Option<&'w Arc<Namespace>> {
    let key = Key::new(Kind::Namespace, "", template.owner.namespace.clone());
    world.objects.namespaces.get(&key)
}

fn not_seen(template: &Template) -> Why {
    Why::NotObserved {
        what: format!("Namespace {}", template.owner.namespace).into(),
    }
}

fn of_namespace(name: &Name) -> Decider {
    Decider {
        key: Key::new(Kind::Namespace, "", name.clone()),
        path: "/metadata/labels".into(),
    }
}

fn refused(template: &Template, reason: Reason, codes: &'static Reasons, found: &mut Found) {
    let mut named = "".into();
    let (code, by) = match reason {
        Reason::NoInjector => (&codes.no_injector, of_namespace(&template.owner.namespace)),
        Reason::Unlabelled { namespace } => (&codes.unlabelled, of_namespace(&namespace)),
        Reason::NamespaceRefuses(by) => (&codes.namespace_refuses, by),
        Reason::PodRefuses(by) => (&codes.pod_refuses, by),
        Reason::NoSuchRevision { revision, by } => {
            named = revision;
            (&codes.no_such_revision, by)
        }
        Reason::HostNetwork(by) => (&codes.host_network, by),
        Reason::SystemNamespace { namespace } => (&codes.system_namespace, of_namespace(&namespace)),
        Reason::AnnotationRefuses(by) => (&codes.annotation_refuses, by),
        Reason::NeverSelected(by) => (&codes.never_selected, by),
        Reason::PolicyDisabled(by) | Reason::PolicyIllegal(by) => (&codes.policy, by),
    };
    let args = [
        ("workload", place(template).into()),
        ("namespace", (&*template.owner.namespace).into()),
        ("revision", (&*named).into()),
    ];
    found.finding(code, by, args);
}

fn place(template: &Template) -> String {
    format!("{}/{}", template.owner.namespace, template.owner.name)
}

/// A code for each trap.
pub(super) struct Traps {
    pub(super) annotation_asks: Code,
    pub(super) annotation_hidden: Code,
    pub(super) label_on_owner: Code,
    pub(super) odd_value: Code,
    pub(super) revision_hidden: Code,
    pub(super) pod_revision_hidden: Code,
}

/// The codes under one item's prefix.
macro_rules! traps {
    ($item:literal) => {
        &$crate::judge::injected::Traps {
            annotation_asks: $crate::judge::Code::warning(concat!($item, "-annotation-asks"))
                .istio("IST0135"),
            annotation_hidden: $crate::judge::Code::warning(concat!($item, "-annotation-hidden")),
            label_on_owner: $crate::judge::Code::warning(concat!($item, "-label-on-owner")),
            odd_value: $crate::judge::Code::warning(concat!($item, "-odd-inject-value")),
            revision_hidden: $crate::judge::Code::warning(concat!($item, "-revision-hidden"))
                .istio("IST0123"),
            pod_revision_hidden: $crate::judge::Code::warning(concat!($item, "-pod-revision-hidden")),
        }
    };
}
pub(super) use traps;

impl Traps {
    pub(super) const fn all(&'static self) -> [&'static Code; 6] {
        [
            &self.annotation_asks,
            &self.annotation_hidden,
            &self.label_on_owner,
            &self.odd_value,
            &self.revision_hidden,
            &self.pod_revision_hidden,
        ]
    }
}

/// What is written to steer injection, and does not do what it seems to say.
pub(super) fn trapped(world: &World<'_>, which: Which, codes: &'static Traps, found: &mut Found) {
    for (_, service) in places(world, which, found) {
        for template in ask::behind(world, service, found) {
            let Some(namespace) = namespace(world, template) else {
                continue;
            };
            for trap in injection::traps(namespace, template) {
                let mut written = "".into();
                let (code, by) = match trap {
                    Trap::AnnotationAsks(by) => (&codes.annotation_asks, by),
                    Trap::AnnotationHidden(by) => (&codes.annotation_hidden, by),
                    Trap::LabelOnOwner(by) => (&codes.label_on_owner, by),
                    Trap::NeitherTrueNorFalse { value, by } => {
                        written = value;
                        (&codes.odd_value, by)
                    }
                    Trap::RevisionHidden(by) => (&codes.revision_hidden, by),
                    Trap::PodRevisionHidden(by) => (&codes.pod_revision_hidden, by),
                };
                let args = [
                    ("workload", place(template).into()),
                    ("namespace", (&*template.owner.namespace).into()),
                    ("value", (&*written).into()),
                ];
                found.finding(code, by, args);
            }
        }
    }
}

/// A code for each way in which pods differ from what would be admitted now.
pub(super) struct Restarts {
    pub(super) missing: Code,
    pub(super) superfluous: Code,
    pub(super) other_revision: Code,
}

/// The codes under one item's prefix.
macro_rules! restarts {
    ($item:literal) => {
        &$crate::judge::injected::Restarts {
            missing: $crate::judge::Code::error(concat!($item, "-not-restarted")).state(),
            superfluous: $crate::judge::Code::error(concat!($item, "-loses-proxy")).state(),
            other_revision: $crate::judge::Code::warning(concat!($item, "-other-revision")).state(),
        }
    };
}
pub(super) use restarts;

impl Restarts {
    pub(super) const fn all(&'static self) -> [&'static Code; 3] {
        [&self.missing, &self.superfluous, &self.other_revision]
    }
}

/// Whether the pods that run are what would be admitted now. Pods of a rollout in progress do not count.
pub(super) fn restarted(world: &World<'_>, which: Which, codes: &'static Restarts, found: &mut Found) {
    if !world.running(found) {
        return;
    }
    for (_, service) in places(world, which, found) {
        for template in ask::behind(world, service, found) {
            one(world, template, codes, found);
        }
    }
}

fn one(world: &World<'_>, template: &Template, codes: &'static Restarts, found: &mut Found) {
    let id = ask::workload(template);
    let pods = ask::pods(world, &id);
    if pods.is_empty() || pods.iter().any(|pod| steady::young(world, pod)) {
        return found.unknown(Why::NotObserved {
            what: format!("{}: pods older than 10 min", place(template)).into(),
        });
    }
    let drift = injection::drift(&world.mesh, &id);
    found.unknowns(drift.unknown.iter().cloned());
    let mut injected = 0_u32;
    for (key, differs) in &drift.pods {
        let by = || Decider {
            key: key.clone(),
            path: "".into(),
        };
        let args = |has: &Name, gets: &Name| {
            [
                ("pod", (*key.name).to_owned().into()),
                ("workload", place(template).into()),
                ("has", (**has).to_owned().into()),
                ("gets", (**gets).to_owned().into()),
            ]
        };
        let none = Name::from("");
        match differs {
            PodDrift::Missing { revision } => found.finding(&codes.missing, by(), args(&none, revision)),
            PodDrift::Superfluous => found.finding(&codes.superfluous, by(), args(&none, &none)),
            PodDrift::OtherRevision { has, gets } => {
                found.finding(&codes.other_revision, by(), args(has, gets));
            }
            PodDrift::Unknown(whys) => found.unknowns(whys.iter().cloned()),
            PodDrift::None => {
                let pod = world.objects.pods.get(key);
                injected += u32::from(pod.is_some_and(|pod| pod.proxy == Proxy::Sidecar));
            }
        }
    }
    let by = template.field("");
    found.saw_at("injected-pods", &by, format!("{injected}/{}", drift.pods.len()));
}

#[cfg(test)]
mod tests;
