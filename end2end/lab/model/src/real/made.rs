//! Objects that a question brings with it, so that cases need not write them.

use crate::{Asks, By, Case, Document, standing::text};
use serde_json::{Value, json};

/// The host by which a question about a name or a subset comes to the rule that holds it; each question of a document has its own, so that
/// all their rules are put in at once.
pub(super) fn host_of(document: &Document, case: &Case) -> String {
    let place = document.cases.iter().position(|it| it.name == case.name);
    format!("names-{}.case.test", place.unwrap_or(0))
}

/// A path that only a proxy that reads HTTP answers, and its answer.
pub(super) const READ: &str = "/case-reads";
/// See [`READ`].
pub(super) const READS: u16 = 418;

/// The objects that the cases of a document bring with them; none for most.
pub fn objects(document: &Document) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for case in &document.cases {
        // Ports of one service share a rule.
        all.extend(object(document, case).filter(|it| !all.contains(it)));
    }
    for (n, it) in all.iter_mut().enumerate() {
        it["metadata"]["name"] = json!(format!("case-made-{n}"));
    }
    all
}

fn object(document: &Document, case: &Case) -> Option<Value> {
    let names = || host_of(document, case);
    if document.asks == Asks::Host {
        let to = json!([{"route": [{"destination": {"host": case.written, "port": {"number": 80}}}]}]);
        return Some(route(&case.namespace, &names(), &to));
    }
    let (path, port) = document.to(case).rsplit_once(':')?;
    let (namespace, name) = path.split_once('/')?;
    let host = format!("{name}.{namespace}.svc.cluster.local");
    match (document.asks, document.by) {
        (Asks::Subset, By::Request) => {
            let mut destination = json!({"host": host, "port": {"number": port.parse::<u16>().ok()?}});
            if !case.subset.is_empty() {
                destination["subset"] = json!(case.subset);
            }
            Some(route(
                "case-a",
                &names(),
                &json!([{"route": [{"destination": destination}]}]),
            ))
        }
        (Asks::Protocol, _) => Some(route(
            "case-b",
            &host,
            &json!([{"match": [{"uri": {"exact": READ}}], "directResponse": {"status": READS}},
                {"route": [{"destination": {"host": host}}]}]),
        )),
        _ => None,
    }
}

fn route(namespace: &str, host: &str, http: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"namespace": namespace}, "spec": {"hosts": [host], "http": http}})
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
