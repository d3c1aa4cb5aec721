//! Objects that a question brings with it, so that cases need not write them.

use crate::{Asks, By, Case, Document, standing::text};
use serde_json::{Value, json};

/// The host by which questions about names and subsets come to the rule that holds them.
pub(super) const NAMES: &str = "names.case.test";

/// A path that only a proxy that reads HTTP answers, and its answer.
pub(super) const READ: &str = "/case-reads";
/// See [`READ`].
pub(super) const READS: u16 = 418;

/// The objects for a case; none for most.
pub fn objects(document: &Document, case: &Case) -> Vec<Value> {
    let to = document.to(case);
    let service = to.rsplit_once(':').and_then(|(path, port)| {
        let (namespace, name) = path.split_once('/')?;
        Some((
            format!("{name}.{namespace}.svc.cluster.local"),
            port.parse::<u16>().ok()?,
        ))
    });
    match (document.asks, document.by, service) {
        (Asks::Host, ..) => vec![route(
            &case.namespace,
            NAMES,
            &json!([{"route": [{"destination": {"host": case.written, "port": {"number": 80}}}]}]),
        )],
        (Asks::Subset, By::Request, Some((host, port))) => {
            let mut destination = json!({"host": host, "port": {"number": port}});
            if !case.subset.is_empty() {
                destination["subset"] = json!(case.subset);
            }
            vec![route(
                "case-a",
                NAMES,
                &json!([{"route": [{"destination": destination}]}]),
            )]
        }
        (Asks::Protocol, _, Some((host, _))) => vec![route(
            "case-b",
            &host,
            &json!([{"match": [{"uri": {"exact": READ}}], "directResponse": {"status": READS}},
                {"route": [{"destination": {"host": host}}]}]),
        )],
        _ => Vec::new(),
    }
}

fn route(namespace: &str, host: &str, http: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "case-made", "namespace": namespace}, "spec": {"hosts": [host], "http": http}})
}

/// A pod of a case: `in` (its namespace), `labels`, `annotations` and more of `spec`.
pub fn pod_to_be(it: &Value) -> Value {
    let mut spec = json!({"containers": [{"name": "app", "image": "naru.lab/peer:1"}]});
    if let (Some(spec), Some(more)) = (spec.as_object_mut(), it["spec"].as_object()) {
        spec.extend(more.clone());
    }
    let or_none = |name: &str| it.get(name).cloned().unwrap_or_else(|| json!({}));
    json!({"apiVersion": "v1", "kind": "Pod", "spec": spec,
        "metadata": {"name": "case", "namespace": text(it, "/in"), "labels": or_none("labels"), "annotations": or_none("annotations")}})
}
