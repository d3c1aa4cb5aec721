//! The injectors of a cluster: their webhooks, and what each decides for itself.

use super::{
    INJECT, NAMESPACE, REVISION, Reason, Template, WillInject, not_judged, selector, template::escaped,
};
use crate::{
    Name, Why,
    fact::{Labels, Namespace},
    mesh::{Decider, Mesh, ROOT_NAMESPACE, unjudged::named},
    object::{Key, Kind, Object},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Namespaces that injectors pass over (`IgnoredNamespaces` in istio's `pkg/kube/inject`).
const SYSTEM: [&str; 4] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

/// An istiod's revision and where it is installed; `default` for one without a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision {
    /// Its name.
    pub name: Name,
    /// The namespace of its ConfigMaps.
    pub namespace: Name,
}

/// What an injector was configured with (ConfigMap `istio-sidecar-injector`, or `istio-sidecar-injector-REVISION`).
#[derive(Clone, Debug, PartialEq)]
pub struct Injector {
    /// `data.config`: policy and selectors; Null for Istio's defaults.
    pub config: Value,
    /// `data.values`: what the chart was installed with; Null for the chart's defaults.
    pub values: Value,
    /// The ConfigMap.
    pub key: Key,
}

/// All injectors; made once for many questions.
#[derive(Clone, Debug)]
pub struct Injectors<'a> {
    webhooks: Vec<Webhook<'a>>,
    gap: Option<Why>,
    configured: BTreeMap<Revision, Result<Injector, Why>>,
}

#[derive(Clone, Debug)]
struct Webhook<'a> {
    object: &'a Object,
    index: usize,
    json: &'a Value,
    revision: Option<Revision>,
}

impl<'a> Injectors<'a> {
    /// Reads the webhooks and their injectors' ConfigMaps.
    pub fn of(mesh: &Mesh<'a>) -> Self {
        let objects = mesh.objects;
        let configurations = objects.of_kind(Kind::MutatingWebhookConfiguration);
        let webhooks: Vec<Webhook<'a>> = configurations
            .flat_map(|object| {
                let all = object.list("/webhooks").iter().enumerate();
                all.filter(|(_, json)| injects(json))
                    .map(move |(index, json)| Webhook {
                        object,
                        index,
                        json,
                        revision: revision(object, json),
                    })
            })
            .collect();
        let revisions = webhooks.iter().filter_map(|it| it.revision.clone());
        let configured = revisions.map(|revision| {
            let injector = configuration(mesh, &revision);
            (revision, injector)
        });
        Self {
            configured: configured.collect(),
            gap: objects.gap(Kind::MutatingWebhookConfiguration),
            webhooks,
        }
    }

    /// Whether pods of the template get a proxy when they are admitted into the namespace.
    pub fn decide(&self, namespace: &Namespace, template: &Template) -> WillInject {
        if let Some(why) = &self.gap {
            return WillInject::Unknown(vec![why.clone()]);
        }
        if self.webhooks.is_empty() {
            return WillInject::No(Reason::NoInjector);
        }
        let pod = &template.pod.labels;
        match self.taken(namespace, pod) {
            Err(whys) => WillInject::Unknown(whys),
            Ok(None) => match self.not_selected(namespace, template) {
                Ok(reason) => WillInject::No(reason),
                Err(whys) => WillInject::Unknown(whys),
            },
            Ok(Some(webhook)) => self.required(webhook, namespace, template),
        }
    }

    /// The injecting webhooks, each with its place and the revision that it is of, as far as it tells one.
    pub fn webhooks(&self) -> impl Iterator<Item = (Decider, Option<&Revision>, &'a Value)> {
        self.webhooks.iter().map(|it| {
            let by = Decider::of(it.object, format!("/webhooks/{}", it.index));
            (by, it.revision.as_ref(), it.json)
        })
    }

    /// The injector of a revision, as far as its ConfigMap tells; None for a revision without a webhook.
    pub fn injector(&self, revision: &str) -> Option<&Result<Injector, Why>> {
        self.configured
            .iter()
            .find(|(it, _)| &*it.name == revision)
            .map(|(_, injector)| injector)
    }

    /// The revision that would most likely take pods that none takes yet: `default`, or the only one.
    pub(super) fn likely(&self) -> Option<Name> {
        let mut names: Vec<&Name> = self.configured.keys().map(|it| &it.name).collect();
        names.dedup();
        match &names[..] {
            [one] => Some((*one).clone()),
            names => names
                .iter()
                .find(|it| &****it == "default")
                .map(|it| (*it).clone()),
        }
    }

    /// The Services behind the webhooks of a revision, as (namespace, name).
    pub(super) fn services(&self, revision: &str) -> Vec<(Name, Name)> {
        let of = |it: &&Webhook<'_>| it.revision.as_ref().is_some_and(|it| &*it.name == revision);
        let mut all: Vec<(Name, Name)> = self
            .webhooks
            .iter()
            .filter(of)
            .filter_map(|it| {
                Some((
                    text(it.json, "/clientConfig/service/namespace")?,
                    text(it.json, "/clientConfig/service/name")?,
                ))
            })
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// The webhook that the API server asks about such a pod. Two of different revisions would both write, which is not judged.
    fn taken(&self, namespace: &Namespace, pod: &Labels) -> Result<Option<&Webhook<'a>>, Vec<Why>> {
        let mut whys = Vec::new();
        let mut taken: Option<&Webhook<'_>> = None;
        for webhook in &self.webhooks {
            match webhook.selects(namespace, pod) {
                Some(false) => continue,
                Some(true) => {}
                None => {
                    whys.push(named(webhook.object));
                    continue;
                }
            }
            if webhook.revision.is_none()
                || webhook
                    .json
                    .get("matchConditions")
                    .is_some_and(|it| it.as_array().is_none_or(|it| !it.is_empty()))
            {
                whys.push(named(webhook.object));
            }
            match taken {
                Some(first) if first.revision != webhook.revision => whys.push(named(webhook.object)),
                Some(_) => {}
                None => taken = Some(webhook),
            }
        }
        whys.sort();
        whys.dedup();
        if whys.is_empty() { Ok(taken) } else { Err(whys) }
    }

    /// Why no webhook takes the pod, by what would be so without the label that refuses.
    fn not_selected(&self, namespace: &Namespace, template: &Template) -> Result<Reason, Vec<Why>> {
        let by_pod = template.label(INJECT);
        if let Some(("false", by)) = &by_pod {
            let mut without = template.pod.labels.clone();
            without.remove(INJECT);
            if self.taken(namespace, &without)?.is_some() {
                return Ok(Reason::PodRefuses(by.clone()));
            }
        }
        let of_namespace = |label: &str| {
            let by = Decider {
                key: Key::new(Kind::Namespace, "", namespace.name.clone()),
                path: format!("/metadata/labels/{}", escaped(label)).into(),
            };
            namespace.labels.get(label).map(|value| (value.clone(), by))
        };
        if let Some((value, by)) = of_namespace(NAMESPACE) {
            return Ok(if &*value == "enabled" {
                let revision = "default".into();
                Reason::NoSuchRevision { revision, by }
            } else {
                Reason::NamespaceRefuses(by)
            });
        }
        if let Some((revision, by)) = of_namespace(REVISION) {
            return Ok(Reason::NoSuchRevision { revision, by });
        }
        if let Some((revision, by)) = template.label(REVISION) {
            let revision = revision.into();
            return Ok(Reason::NoSuchRevision { revision, by });
        }
        match by_pod {
            Some(("true", by)) => Ok(Reason::NoSuchRevision {
                revision: "default".into(),
                by,
            }),
            Some(("false", by)) => Ok(Reason::PodRefuses(by)),
            _ => Ok(Reason::Unlabelled {
                namespace: namespace.name.clone(),
            }),
        }
    }

    /// What the injector decides once it is asked (`injectRequired` in istio's `pkg/kube/inject`).
    fn required(&self, webhook: &Webhook<'_>, namespace: &Namespace, template: &Template) -> WillInject {
        if template.pod.host_network {
            return WillInject::No(Reason::HostNetwork(template.field("/spec/hostNetwork")));
        }
        if SYSTEM.contains(&&*namespace.name) {
            let namespace = namespace.name.clone();
            return WillInject::No(Reason::SystemNamespace { namespace });
        }
        let Some(revision) = &webhook.revision else {
            return WillInject::Unknown(vec![named(webhook.object)]);
        };
        let yes = |by| WillInject::Yes {
            revision: revision.name.clone(),
            webhook: Decider::of(webhook.object, format!("/webhooks/{}", webhook.index)),
            by,
        };
        // Under an illegal policy nothing is injected, whatever the pod asks.
        if let Some(Ok(injector)) = self.configured.get(revision)
            && policy(injector).is_empty()
        {
            return WillInject::No(Reason::PolicyIllegal(Decider {
                key: injector.key.clone(),
                path: "/data/config".into(),
            }));
        }
        // A label, whatever it says, hides the annotation.
        let label = template.label(INJECT);
        let by_label = label.is_some();
        match label.or_else(|| template.annotation(INJECT)) {
            Some(("true", by)) => return yes(Some(by)),
            Some(("false", by)) if by_label => return WillInject::No(Reason::PodRefuses(by)),
            Some(("false", by)) => return WillInject::No(Reason::AnnotationRefuses(by)),
            _ => {}
        }
        match self.configured.get(revision) {
            Some(Ok(injector)) => match by_default(injector, template) {
                Ok(by) => yes(by),
                Err(reason) => WillInject::No(reason),
            },
            Some(Err(why)) => WillInject::Unknown(vec![why.clone()]),
            None => yes(None),
        }
    }
}

/// Where the pod does not say: selectors, the refusing first, then the policy. Selectors that cannot be read are passed over, as are empty ones.
fn by_default(injector: &Injector, template: &Template) -> Result<Option<Decider>, Reason> {
    let decider = || Decider {
        key: injector.key.clone(),
        path: "/data/config".into(),
    };
    let any = |list: &str| {
        let selectors = injector.config.get(list).and_then(Value::as_array);
        selectors.into_iter().flatten().any(|it| {
            let labels = &template.pod.labels;
            !selector::is_empty(it)
                && selector::matches(Some(it), |name| labels.get(name).map(|value| &**value)) == Some(true)
        })
    };
    if any("neverInjectSelector") {
        return Err(Reason::NeverSelected(decider()));
    }
    let always = any("alwaysInjectSelector");
    match (policy(injector), always) {
        ("enabled", false) => Ok(None),
        (_, true) => Ok(Some(decider())),
        _ => Err(Reason::PolicyDisabled(decider())),
    }
}

/// `enabled` where no configuration is visible; empty for what istiod takes for illegal, an absent one included.
fn policy(injector: &Injector) -> &str {
    match &injector.config {
        Value::Null => "enabled",
        config => {
            let policy = config.get("policy").and_then(Value::as_str);
            let legal = policy.filter(|it| matches!(*it, "enabled" | "disabled"));
            legal.unwrap_or("")
        }
    }
}

impl Webhook<'_> {
    /// None where a selector is not what the API server would take.
    fn selects(&self, namespace: &Namespace, pod: &Labels) -> Option<bool> {
        let of_namespace = |name: &str| match name {
            // The API server labels every namespace with its name.
            "kubernetes.io/metadata.name" => Some(&*namespace.name),
            name => namespace.labels.get(name).map(|value| &**value),
        };
        let of_pod = |name: &str| pod.get(name).map(|value| &**value);
        let near = selector::matches(self.json.get("namespaceSelector"), of_namespace)?;
        let here = selector::matches(self.json.get("objectSelector"), of_pod)?;
        Some(near && here && creates_pods(self.json))
    }
}

/// Istio's charts and `istioctl tag` call them `rev.namespace.sidecar-injector.istio.io` and the like.
fn injects(webhook: &Value) -> bool {
    let name = webhook.get("name").and_then(Value::as_str).unwrap_or("");
    name.strip_suffix("sidecar-injector.istio.io")
        .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
}

fn creates_pods(webhook: &Value) -> bool {
    let rules = webhook.get("rules").and_then(Value::as_array);
    rules.into_iter().flatten().any(|rule| {
        let names = |field: &str, one: &str| {
            let list = rule.get(field).and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .any(|it| it.as_str().is_some_and(|it| it == one || it == "*"))
        };
        names("operations", "CREATE")
            && names("apiGroups", "")
            && names("apiVersions", "v1")
            && names("resources", "pods")
    })
}

/// A tag's configuration names the revision that it stands for in the label `istio.io/rev`, as a revision's own does. Without it the
/// Service tells: `istiod` or `istiod-REVISION`.
fn revision(object: &Object, webhook: &Value) -> Option<Revision> {
    let service = text(webhook, "/clientConfig/service/name");
    let by_service = || match service.as_deref()?.strip_prefix("istiod")? {
        "" => Some("default"),
        rest => rest.strip_prefix('-').filter(|name| !name.is_empty()),
    };
    let label = object.label(REVISION).filter(|name| !name.is_empty());
    Some(Revision {
        name: label.or_else(by_service)?.into(),
        namespace: text(webhook, "/clientConfig/service/namespace").unwrap_or_else(|| ROOT_NAMESPACE.into()),
    })
}

/// A ConfigMap that is not there means the defaults, as the mesh's own does: an injector outside the cluster has it elsewhere.
fn configuration(mesh: &Mesh<'_>, revision: &Revision) -> Result<Injector, Why> {
    let name = match &*revision.name {
        "default" => "istio-sidecar-injector".to_owned(),
        name => format!("istio-sidecar-injector-{name}"),
    };
    let key = Key::new(Kind::ConfigMap, revision.namespace.clone(), name);
    let Some(map) = mesh.objects.whole.get(&key) else {
        return match mesh.objects.gap(Kind::ConfigMap) {
            Some(why) => Err(why),
            None => Ok(Injector {
                config: Value::Null,
                values: Value::Null,
                key,
            }),
        };
    };
    let read = |field: &str| match map.text(&format!("/data/{field}")) {
        "" => Ok(Value::Null),
        text => serde_saphyr::from_str::<Value>(text)
            .ok()
            .filter(|json| json.is_object() || json.is_null())
            .ok_or_else(|| not_judged(format!("ConfigMap {}/{}: data.{field}", key.namespace, key.name))),
    };
    Ok(Injector {
        config: read("config")?,
        values: read("values")?,
        key: key.clone(),
    })
}

fn text(json: &Value, pointer: &str) -> Option<Name> {
    let text = json.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| text.into())
}
