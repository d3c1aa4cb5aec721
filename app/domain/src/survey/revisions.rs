//! The control planes: who answers for a revision or a tag, of which version, and who follows it.

use super::ProxyRow;
use crate::{
    Name,
    judge::{World, control_plane, release},
    mesh::injection::Injectors,
    object::Kind,
    workload::selects,
};
use std::collections::{BTreeMap, BTreeSet};

/// What pods write at `istio.io/rev` to get a proxy, and who gives it to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// The revision, or the tag that stands for one; `default` for one without a name.
    pub name: Name,
    /// The revision that the tag stands for; empty for a revision itself.
    pub tag_of: Name,
    /// Namespace and name of the Service that its webhooks lead to; None for one outside the cluster.
    pub service: Option<(Name, Name)>,
    /// Pods behind that Service, and those of them that are ready; None where they cannot be seen.
    pub istiods: Option<(u32, u32)>,
    /// Versions of istiod, by the tags of the images of these pods' Deployments.
    pub versions: BTreeSet<Name>,
    /// Namespaces whose labels ask for it.
    pub namespaces: Vec<Name>,
    /// Pods with a proxy of it, by version of the proxy. None for a tag, which no pod keeps: its pods name the revision behind it.
    pub proxies: Option<BTreeMap<Name, u32>>,
}

/// The revision of those that name none.
const DEFAULT: &str = "default";

/// All of them, in order of their names.
pub(super) fn of(world: &World<'_>, proxies: &[ProxyRow]) -> Vec<Revision> {
    let mut all: BTreeMap<(Name, Name), Revision> = BTreeMap::new();
    for (by, revision, webhook) in Injectors::of(&world.mesh).webhooks() {
        let object = world.objects.whole.get(&by.key);
        let label =
            |name: &str| object.map_or("", |it| it.text(&format!("/metadata/labels/istio.io~1{name}")));
        let stands_for = match (label("rev"), revision) {
            ("", Some(revision)) => revision.name.clone(),
            ("", None) => DEFAULT.into(),
            (named, _) => named.into(),
        };
        let tag: Name = label("tag").into();
        let name = if tag.is_empty() {
            stands_for.clone()
        } else {
            tag.clone()
        };
        let tag_of = if tag.is_empty() { "".into() } else { stands_for };
        let counted = tag.is_empty().then(|| of_revision(proxies, &name));
        let key = (name.clone(), tag_of.clone());
        all.entry(key).or_insert_with(|| Revision {
            service: service(webhook),
            istiods: None,
            versions: BTreeSet::new(),
            namespaces: asking(world, &name),
            proxies: counted,
            tag_of,
            name,
        });
    }
    for revision in all.values_mut() {
        behind(world, revision);
    }
    all.into_values().collect()
}

fn service(webhook: &serde_json::Value) -> Option<(Name, Name)> {
    let text = |field: &str| {
        let field = webhook.pointer(&format!("/clientConfig/service/{field}"))?;
        Some(Name::from(field.as_str()?))
    };
    Some((text("namespace")?, text("name")?))
}

/// Counts the istiods behind the Service, and reads their versions.
fn behind(world: &World<'_>, revision: &mut Revision) {
    let Some((namespace, name)) = &revision.service else {
        return;
    };
    let Some(service) = world.objects.service(namespace, name) else {
        return;
    };
    let mut counted = (0, 0);
    for pod in control_plane::pods(world) {
        if pod.namespace == service.namespace && selects(&service.selector, &pod.labels) {
            counted.0 += 1;
            counted.1 += u32::from(pod.ready);
        }
    }
    revision.istiods = world.objects.gap(Kind::Pod).is_none().then_some(counted);
    let istiods = control_plane::istiods(world);
    let these = istiods.iter().filter(|it| {
        it.key.namespace == service.namespace && selects(&service.selector, &it.deployment.template)
    });
    revision.versions = these
        .filter_map(|it| release::tag_of(&it.discovery.image).map(Name::from))
        .collect();
}

/// Namespaces whose labels ask for it: `istio.io/rev`, or `istio-injection: enabled` for the default one (Istio documentation, "Canary Upgrades").
fn asking(world: &World<'_>, revision: &str) -> Vec<Name> {
    let asks = |labels: &crate::fact::Labels| match labels.get("istio-injection").map(|it| &**it) {
        Some(word) => word == "enabled" && revision == DEFAULT,
        None => labels.get("istio.io/rev").is_some_and(|it| &**it == revision),
    };
    let namespaces = world.objects.namespaces.values();
    namespaces
        .filter(|it| asks(&it.labels))
        .map(|it| it.name.clone())
        .collect()
}

fn of_revision(proxies: &[ProxyRow], revision: &str) -> BTreeMap<Name, u32> {
    let mut by = BTreeMap::new();
    let named = |it: &&ProxyRow| match &*it.revision {
        "" => revision == DEFAULT,
        name => name == revision,
    };
    for row in proxies.iter().filter(named) {
        *by.entry(row.version.clone()).or_default() += 1;
    }
    by
}
