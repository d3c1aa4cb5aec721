//! Where Istio's control plane is told of: its Deployments, and the IstioOperators that it is installed from.

use super::World;
use crate::{
    Name,
    fact::{Container, Deployment, Pod},
    object::{Key, Kind, Object},
    workload::runs,
};
use serde_json::Value;
use std::sync::Arc;

/// A Deployment of istiod, as Istio's chart makes it (`istio-control/istio-discovery` in istio/istio): labelled `app: istiod`, with a container called
/// `discovery`.
pub(super) struct Istiod<'a> {
    /// Its key.
    pub(super) key: &'a Key,
    /// Itself.
    pub(super) deployment: &'a Arc<Deployment>,
    /// The container.
    pub(super) discovery: &'a Container,
}

/// All of them.
pub(super) fn istiods<'a>(world: &World<'a>) -> Vec<Istiod<'a>> {
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

/// The pods of istiod that run and have an address, in order of namespace and name.
pub(super) fn pods<'a>(world: &World<'a>) -> Vec<&'a Arc<Pod>> {
    let namespaces: Vec<&Key> = istiods(world).iter().map(|it| it.key).collect();
    let pods = world.objects.pods.values().filter(|pod| {
        pod.labels.get("app").is_some_and(|it| &**it == "istiod")
            && namespaces.iter().any(|key| key.namespace == pod.namespace)
    });
    pods.filter(|pod| runs(pod) && !pod.leaving && !pod.ip.is_empty())
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
