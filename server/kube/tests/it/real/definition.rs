//! Definitions of other people's kinds, for an API server that has none.

use naru_domain::object::Kind;
use serde_json::{Value, json};

/// A definition that takes anything, where the kind's own is not at hand; its label tells that it is a test's.
pub(crate) fn definition(kind: Kind) -> Value {
    let names = json!({"kind": kind.name(), "listKind": format!("{}List", kind.name()), "plural": kind.plural(),
        "singular": kind.name().to_lowercase()});
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{}", kind.plural(), kind.group()), "labels": {"naru.dev/suite": "yes"}},
        "spec": {"group": kind.group(), "scope": "Namespaced", "names": names, "versions": [{
            "name": kind.version(), "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}},
        }]},
    })
}

/// Where a kind's definition is.
pub(crate) fn definition_url(kind: Kind) -> String {
    let name = format!("{}.{}", kind.plural(), kind.group());
    format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
}
