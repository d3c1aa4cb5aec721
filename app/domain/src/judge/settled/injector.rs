//! The default revision's injector, as Istio's chart installs it (`manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml`
//! in istio/istio).

use crate::{
    fact::Fact,
    object::{Kind, Object},
};
use serde_json::{Value, json};

/// A webhook configuration like the one that an installation without options leaves.
pub(super) fn assumed() -> Fact {
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
        json!({"name": format!("{name}.sidecar-injector.istio.io"), "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"name": "istiod", "namespace": "istio-system", "path": "/inject", "port": 443}},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "namespaceSelector": {"matchExpressions": namespaces}, "objectSelector": {"matchExpressions": objects}})
    };
    let json = json!({"metadata": {"name": NAME, "labels": {"istio.io/rev": "default", "app": "sidecar-injector"}},
        "webhooks": hooks.map(hook)});
    #[expect(clippy::unwrap_used, reason = "the JSON above has a name")]
    let object = Object::new(Kind::MutatingWebhookConfiguration, json).unwrap();
    Fact::Object(object)
}

/// Its name, by which checks tell that it was only taken for granted: no installation calls one so.
pub(crate) const NAME: &str = "assumed-sidecar-injector";
