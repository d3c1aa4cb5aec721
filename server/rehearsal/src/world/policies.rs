//! Naru's admission policies, as an administrator applies them.

use super::Manifests;
use naru_domain::manifests::objects_of;
use serde_json::Value;

/// Those that signatures rest on, with their bindings (`k8s/base/ledger.yaml`).
pub fn policies() -> Manifests {
    // The text is part of the program: it reads, or no test passes.
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(include_str!("../../../../k8s/base/ledger.yaml")).unwrap_or_default();
    let objects = documents.into_iter().map(objects_of);
    objects.filter_map(Result::ok).flatten().collect()
}
