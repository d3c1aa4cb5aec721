mod admitted;
mod drift;
mod will;

use crate::{manifests, snapshot::Objects};
use serde_json::{Value, json};

/// A configuration as istio's chart writes it (`templates/mutatingwebhook.yaml`); `tag` for one by `istioctl tag`.
fn webhooks(revision: &str, tag: Option<&str>) -> Value {
    let answers = tag.unwrap_or(revision);
    let service = match revision {
        "default" => "istiod".to_owned(),
        revision => format!("istiod-{revision}"),
    };
    let expression = |key: &str, operator: &str, values: &[&str]| match values {
        [] => json!({"key": key, "operator": operator}),
        values => json!({"key": key, "operator": operator, "values": values}),
    };
    let webhook = |prefix: &str, near: Value, here: Value| {
        json!({"name": format!("{prefix}sidecar-injector.istio.io"),
            "clientConfig": {"service": {"name": service, "namespace": "istio-system", "path": "/inject"}},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "namespaceSelector": {"matchExpressions": near}, "objectSelector": {"matchExpressions": here}})
    };
    let not_false = expression("sidecar.istio.io/inject", "NotIn", &["false"]);
    let no = |key: &str| expression(key, "DoesNotExist", &[]);
    let mut all = vec![
        webhook(
            "rev.namespace.",
            json!([
                expression("istio.io/rev", "In", &[answers]),
                no("istio-injection")
            ]),
            json!([not_false]),
        ),
        webhook(
            "rev.object.",
            json!([no("istio.io/rev"), no("istio-injection")]),
            json!([not_false, expression("istio.io/rev", "In", &[answers])]),
        ),
    ];
    if answers == "default" {
        all.push(webhook(
            "namespace.",
            json!([expression("istio-injection", "In", &["enabled"])]),
            json!([not_false]),
        ));
        all.push(webhook(
            "object.",
            json!([no("istio-injection"), no("istio.io/rev")]),
            json!([
                expression("sidecar.istio.io/inject", "In", &["true"]),
                no("istio.io/rev")
            ]),
        ));
    }
    let name = match tag {
        Some(tag) => format!("istio-revision-tag-{tag}"),
        None => format!("istio-sidecar-injector-{revision}"),
    };
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name, "labels": {"istio.io/rev": revision}}, "webhooks": all})
}

fn namespace(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

fn workload(kind: &str, spec: Value) -> Value {
    let version = if kind.ends_with("Job") {
        "batch/v1"
    } else {
        "apps/v1"
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "app", "namespace": "shop"}, "spec": spec})
}

/// The injector's ConfigMap.
fn injector(config: &str, values: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio-sidecar-injector", "namespace": "istio-system"},
        "data": {"config": config, "values": values.to_string()}})
}

fn objects(documents: impl IntoIterator<Item = Value>) -> Objects {
    manifests::objects(documents).unwrap()
}
