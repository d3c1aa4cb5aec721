//! Whether Istio's injector takes a pod.

use crate::api::ObjectStore;
use naru_domain::object::{Key, Kind};
use serde_json::Value;

/// Whether a pod of this template gets a sidecar in this namespace, as the four webhooks of the default revision select (Istio's chart
/// `istio-discovery`, `mutatingwebhook.yaml`).
pub fn injected(store: &ObjectStore, namespace: &str, template: &Value) -> bool {
    let label = |name: &str| template.pointer("/metadata/labels")?.get(name)?.as_str();
    let home = store.object(&Key::new(Kind::Namespace, "", namespace));
    let home = |name: &str| home.as_ref().and_then(|it| it.label(name));
    if label("sidecar.istio.io/inject") == Some("false") {
        return false;
    }
    match (home("istio-injection"), home("istio.io/rev")) {
        (Some(word), _) => word == "enabled",
        (None, Some(revision)) => revision == "default",
        (None, None) => match label("istio.io/rev") {
            Some(revision) => revision == "default",
            None => label("sidecar.istio.io/inject") == Some("true"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::injected;
    use crate::{ManualClock, api::ObjectStore};
    use jiff::Timestamp;
    use naru_domain::object::Kind;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn labels_of_namespace_and_pod_decide_as_the_webhooks_select() {
        let store = ObjectStore::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)), 8);
        let (enabled, revision) = ("istio-injection", "istio.io/rev");
        let inject = "sidecar.istio.io/inject";
        for (n, (home, pod, expected)) in [
            (json!({}), json!({}), false),
            (json!({enabled: "enabled"}), json!({}), true),
            (json!({enabled: "enabled"}), json!({inject: "false"}), false),
            (json!({enabled: "disabled"}), json!({inject: "true"}), false),
            (json!({}), json!({inject: "true"}), true),
            (json!({revision: "default"}), json!({}), true),
            (json!({revision: "canary"}), json!({inject: "true"}), false),
            (json!({}), json!({revision: "default"}), true),
            (json!({}), json!({revision: "canary", inject: "true"}), false),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("n{n}");
            let namespace = json!({"metadata": {"name": name, "labels": home}});
            store.load(Kind::Namespace, namespace, "test").unwrap();
            let template = json!({"metadata": {"labels": pod}});
            assert_eq!(injected(&store, &name, &template), expected, "{home} {pod}");
        }
        // An annotation is none of it.
        let annotated = json!({"metadata": {"annotations": {inject: "true"}}});
        assert!(!injected(&store, "n0", &annotated));
    }
}
