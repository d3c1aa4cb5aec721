//! The injector that an installation without options leaves.

use serde_json::{Value, json};

/// The default revision's MutatingWebhookConfiguration under a name, as Istio's chart `istio-discovery` makes it (`mutatingwebhook.yaml` there).
pub fn installed(name: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"istio.io/rev": "default", "app": "sidecar-injector"}}, "webhooks": webhooks()})
}

fn webhooks() -> Vec<Value> {
    let (inject, injection, revision) = ("sidecar.istio.io/inject", "istio-injection", "istio.io/rev");
    let is =
        |key: &str, operator: &str, value: &str| json!({"key": key, "operator": operator, "values": [value]});
    let absent = |key: &str| json!({"key": key, "operator": "DoesNotExist"});
    let willing = is(inject, "NotIn", "false");
    let hooks = [
        (
            "rev.namespace",
            json!([is(revision, "In", "default"), absent(injection)]),
            json!([willing]),
        ),
        (
            "rev.object",
            json!([absent(revision), absent(injection)]),
            json!([willing, is(revision, "In", "default")]),
        ),
        (
            "namespace",
            json!([is(injection, "In", "enabled")]),
            json!([willing]),
        ),
        (
            "object",
            json!([absent(injection), absent(revision)]),
            json!([is(inject, "In", "true"), absent(revision)]),
        ),
    ];
    let hook = |(name, namespaces, objects): (&str, Value, Value)| {
        json!({"name": format!("{name}.sidecar-injector.istio.io"), "sideEffects": "None", "failurePolicy": "Fail",
            "reinvocationPolicy": "Never", "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"name": "istiod", "namespace": "istio-system", "path": "/inject", "port": 443}},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "*"}],
            "namespaceSelector": {"matchExpressions": namespaces}, "objectSelector": {"matchExpressions": objects}})
    };
    hooks.map(hook).into()
}
