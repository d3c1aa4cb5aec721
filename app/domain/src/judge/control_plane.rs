//! Where Istio's control plane is told of: its Deployments, and the IstioOperators that it is installed from.

use super::World;
use crate::{
    Name,
    fact::{Container, Deployment, Pod},
    mesh::injection::Injectors,
    object::{Key, Kind, Object},
    workload::{runs, selects},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A Deployment of istiod, as Istio's chart makes it (`istio-control/istio-discovery` in istio/istio): labelled `app: istiod`, with a container called
/// `discovery`.
pub(crate) struct Istiod<'a> {
    /// Its key.
    pub(crate) key: &'a Key,
    /// Itself.
    pub(crate) deployment: &'a Arc<Deployment>,
    /// The container.
    pub(crate) discovery: &'a Container,
}

/// All of them.
pub(crate) fn istiods<'a>(world: &World<'a>) -> Vec<Istiod<'a>> {
    let objects = world.objects;
    let all = objects.deployments.iter().filter_map(|(key, deployment)| {
        let labelled = deployment.template.get("app").is_some_and(|it| &**it == "istiod");
        let mut containers = deployment.pod.containers.iter();
        let discovery = containers
            .find(|it| &*it.name == "discovery")
            .filter(|_| labelled)?;
        Some(Istiod {
            key,
            deployment,
            discovery,
        })
    });
    all.collect()
}

/// The pods of istiod that run and have an address, in order of namespace and name: those that the Services select which the injectors' webhooks lead
/// to. Webhooks are cluster-scoped, so that nobody with rights in a namespace alone can pass for an istiod.
pub(crate) fn pods<'a>(world: &World<'a>) -> Vec<&'a Arc<Pod>> {
    let injectors = Injectors::of(&world.mesh);
    let services: BTreeSet<(&str, &str)> = injectors
        .webhooks()
        .filter_map(|(_, _, webhook)| {
            let text = |field: &str| {
                webhook
                    .pointer(&format!("/clientConfig/service/{field}"))?
                    .as_str()
            };
            Some((text("namespace")?, text("name")?))
        })
        .collect();
    let services: Vec<_> = services
        .into_iter()
        .filter_map(|(namespace, name)| world.objects.service(namespace, name))
        .collect();
    let pods = world.objects.pods.values().filter(|pod| {
        services
            .iter()
            .any(|it| it.namespace == pod.namespace && selects(&it.selector, &pod.labels))
    });
    pods.filter(|pod| runs(pod) && !pod.leaving && !pod.ip.is_empty())
        .collect()
}

/// What a pod writes at `istio.io/rev` to be injected by each of the injectors, with the injector's configuration: its tag or revision, nothing for the
/// default one.
pub(super) fn revisions(world: &World<'_>) -> BTreeMap<Name, Key> {
    let label = |key: Key| {
        let object = world.objects.whole.get(&key)?;
        let of = |name: &str| object.text(&format!("/metadata/labels/istio.io~1{name}"));
        let label = [of("tag"), of("rev")].into_iter().find(|it| !it.is_empty())?;
        Some((
            if label == "default" {
                "".into()
            } else {
                label.into()
            },
            key,
        ))
    };
    let injectors = Injectors::of(&world.mesh);
    injectors
        .webhooks()
        .filter_map(|(by, ..)| label(by.key))
        .collect()
}

/// The IstioOperators.
pub(super) fn operators<'a>(world: &World<'a>) -> impl Iterator<Item = &'a Object> {
    world.objects.of_kind(Kind::IstioOperator)
}

/// The profile that an IstioOperator is laid over; `default` unless it says another.
pub(super) fn profile(operator: &Object) -> &str {
    match operator.text("/spec/profile") {
        "" => "default",
        profile => profile,
    }
}

/// Whether an IstioOperator installs an istiod, as far as its profile and its own word tell.
pub(super) fn installs_istiod(operator: &Object) -> bool {
    const WITH: [&str; 7] = [
        "default",
        "demo",
        "minimal",
        "preview",
        "ambient",
        "openshift",
        "stable",
    ];
    let enabled = operator
        .get("/spec/components/pilot/enabled")
        .and_then(Value::as_bool);
    enabled.unwrap_or_else(|| WITH.contains(&profile(operator)))
}

/// Text at the first of several pointers; numbers, which a tag such as `1.20` is read as, count as text.
pub(super) fn first_text(object: &Object, pointers: &[&'static str]) -> Option<(&'static str, Name)> {
    pointers.iter().find_map(|&pointer| {
        let text: Name = match object.get(pointer)? {
            Value::String(text) if !text.is_empty() => text.as_str().into(),
            Value::Number(number) => number.to_string().into(),
            _ => return None,
        };
        Some((pointer, text))
    })
}

/// A whole number at the first of several pointers.
pub(super) fn first_number(object: &Object, pointers: &[&'static str]) -> Option<(&'static str, u64)> {
    let mut all = pointers.iter();
    all.find_map(|&pointer| Some((pointer, object.get(pointer)?.as_u64()?)))
}
