//! ReferenceGrants: what a namespace lets others name. (`ReferenceGrantsCollection` in istio's `pilot/pkg/config/kube/gatewaycommon`.)

use super::rule::{list, text};
use crate::{object::Kind, snapshot::Objects};
use serde_json::Value;

/// The group of all that may name something.
const GROUP: &str = "gateway.networking.k8s.io";
/// A route's kind.
pub(super) const HTTP_ROUTE: &str = "HTTPRoute";
/// A Gateway's kind.
pub(super) const GATEWAY: &str = "Gateway";

/// Whether an object of kind and namespace `from` may name one of group, kind and namespace `to`.
pub(super) fn allows(
    objects: &Objects,
    (from, own): (&str, &str),
    (group, kind, namespace): (&str, &str, &str),
    name: &str,
) -> bool {
    // Of other kinds istiod reads no grants.
    if !matches!(
        (group, kind),
        ("", "ConfigMap" | "Secret" | "Service") | ("inference.networking.k8s.io", "InferencePool")
    ) {
        return false;
    }
    let grants = objects.of_kind(Kind::ReferenceGrant);
    grants.filter(|it| *it.key().namespace == *namespace).any(|it| {
        let spec = it.get("/spec").unwrap_or(&Value::Null);
        let named = list(spec, "from").iter().any(|it| {
            (text(it, "/group"), text(it, "/kind"), text(it, "/namespace"))
                == (Some(GROUP), Some(from), Some(own))
        });
        named
            && list(spec, "to").iter().any(|it| {
                text(it, "/group") == Some(group)
                    && text(it, "/kind") == Some(kind)
                    && text(it, "/name").is_none_or(|it| it == name)
            })
    })
}
