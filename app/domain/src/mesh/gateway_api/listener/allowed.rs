//! Which routes a listener takes: `allowedRoutes`.

use super::is_http_route;
use crate::{
    Name,
    mesh::{gateway_api::rule::text, injection::selector},
    snapshot::Objects,
};
use serde_json::Value;

/// A listener's host with each namespace before it whose routes it takes. (`buildHostnameMatch` and `namespacesFromSelector` in istio's
/// `pilot/pkg/config/kube/gateway`.)
pub(super) fn hosts(objects: &Objects, own: &str, listener: &Value) -> Vec<Name> {
    let host = text(listener, "/hostname")
        .filter(|it| !it.is_empty())
        .unwrap_or("*");
    let with = |namespace: &str| -> Name { format!("{namespace}/{host}").into() };
    match text(listener, "/allowedRoutes/namespaces/from") {
        None | Some("Same") => vec![with(own)],
        Some("All") => vec![with("*")],
        Some(_) => {
            let selector = listener.pointer("/allowedRoutes/namespaces/selector");
            let Some(selector) = selector.filter(|it| !it.is_null()) else {
                return vec![with("*")];
            };
            let picked = objects.namespaces.values().filter(|it| {
                // Every namespace has its name as a label, whether it is seen or not.
                let mut labels = it.labels.clone();
                labels.insert("kubernetes.io/metadata.name".into(), it.name.clone());
                selector::matches(Some(selector), |name| labels.get(name).map(|it| &**it)) == Some(true)
            });
            let all: Vec<Name> = picked.map(|it| with(&it.name)).collect();
            if all.is_empty() { vec![with("~")] } else { all }
        }
    }
}

/// Whether HTTPRoutes are among a listener's kinds: where HTTP is read, unless its own list leaves them out.
/// (`GenerateGatewaySupportedKinds` in istio's `pilot/pkg/config/kube/gatewaycommon`.)
pub(super) fn http_routes(protocol: &str, listener: &Value) -> bool {
    let kinds = listener.pointer("/allowedRoutes/kinds").and_then(Value::as_array);
    let kinds = kinds.map_or(&[][..], Vec::as_slice);
    matches!(protocol, "HTTP" | "HTTPS") && (kinds.is_empty() || kinds.iter().any(is_http_route))
}
