//! What an installation of Istio leaves beside its workloads.

use super::Manifests;
use naru_domain::object::Kind;
use serde_json::{Value, json};

/// ConfigMap `istio` with the defaults, and the default revision's injector (Istio's chart `istio-discovery`, `configmap.yaml` and
/// `mutatingwebhook.yaml`).
pub fn installed() -> Manifests {
    let mesh = "accessLogFile: /dev/stdout\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n\
        enablePrometheusMerge: true\nrootNamespace: istio-system\ntrustDomain: cluster.local\n";
    vec![
        (
            Kind::ConfigMap,
            json!({"metadata": {"name": "istio", "namespace": "istio-system", "labels": {"istio.io/rev": "default"}},
                "data": {"mesh": mesh, "meshNetworks": "networks: {}"}}),
        ),
        (
            Kind::MutatingWebhookConfiguration,
            json!({"metadata": {"name": "istio-sidecar-injector", "labels": {"istio.io/rev": "default", "app": "sidecar-injector"}},
                "webhooks": webhooks()}),
        ),
    ]
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
