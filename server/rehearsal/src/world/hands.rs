//! What people do with kubectl.

use crate::api::ObjectStore;
use naru_domain::object::{Key, Kind};
use serde_json::{Value, json};

/// `kubectl label namespace … istio-injection=enabled`
pub fn inject(store: &ObjectStore, namespace: &str) {
    store.edit(
        &Key::new(Kind::Namespace, "", namespace),
        "kubectl-label",
        |json| {
            json["metadata"]["labels"]["istio-injection"] = "enabled".into();
        },
    );
}

/// `kubectl rollout restart deployment …`
pub fn restart(store: &ObjectStore, namespace: &str, name: &str) {
    let now = store.now().to_string();
    template(store, namespace, name, "kubectl-rollout", |it| {
        it["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = now.as_str().into();
    });
}

/// Rolls another release out: another image, and a label that says so.
pub fn release(store: &ObjectStore, namespace: &str, name: &str, image: &str, release: &str) {
    template(store, namespace, name, "kubectl-client-side-apply", |it| {
        it["metadata"]["labels"]["release"] = release.into();
        it["spec"]["containers"][0]["image"] = image.into();
    });
}

/// Edits a Deployment's pod template.
pub fn template(
    store: &ObjectStore,
    namespace: &str,
    name: &str,
    manager: &str,
    edit: impl FnOnce(&mut Value),
) {
    let key = Key::new(Kind::Deployment, namespace, name);
    store.edit(&key, manager, |json| edit(&mut json["spec"]["template"]));
}

/// `kubectl scale deployment … --replicas=…`
pub fn scale(store: &ObjectStore, namespace: &str, name: &str, replicas: u32) {
    let key = Key::new(Kind::Deployment, namespace, name);
    store.edit(&key, "kubectl", |json| json["spec"]["replicas"] = replicas.into());
}

/// `kubectl delete pods -l app=…`: all at once.
pub fn delete_pods(store: &ObjectStore, namespace: &str, app: &str) {
    for (key, json) in store.list(Kind::Pod, Some(namespace)) {
        if json.pointer("/metadata/labels/app").and_then(Value::as_str) == Some(app) {
            store.delete(&key);
        }
    }
}

/// `kubectl apply -f …`
pub fn apply(store: &ObjectStore, (kind, json): (Kind, Value)) {
    let loaded = store.load(kind, json, "kubectl-client-side-apply");
    debug_assert!(loaded.is_ok(), "{loaded:?}");
}

/// `kubectl delete …`
pub fn delete(store: &ObjectStore, kind: Kind, namespace: &str, name: &str) {
    store.delete(&Key::new(kind, namespace, name));
}

/// A PeerAuthentication named `default` for a namespace; in istio-system for the whole mesh.
pub fn peer_authentication(store: &ObjectStore, namespace: &str, mode: &str) {
    let json =
        json!({"metadata": {"name": "default", "namespace": namespace}, "spec": {"mtls": {"mode": mode}}});
    apply(store, (Kind::PeerAuthentication, json));
}
