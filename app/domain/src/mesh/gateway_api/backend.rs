//! What a rule's `backendRefs` come to. (`buildHTTPDestination` and `buildDestination` in istio's `pilot/pkg/config/kube/gateway`.)

use super::{
    filter, grant,
    rule::{Not, Turning, list, text},
};
use crate::mesh::DOMAIN;
use serde_json::{Value, json};

/// Marks a destination that istiod does not let a route lead to: it has a cluster that is nowhere, and requests get 500.
pub(crate) const REFUSED: &str = "refused";

/// Where it goes: weights are 1 unless said, those of 0 are dropped, and without any left it is a 500, unless the rule redirects.
pub(super) fn apply(out: &mut Value, it: Turning<'_>, backends: &[Value]) -> Result<(), Not> {
    let weight = |it: &Value| it.get("weight").and_then(Value::as_u64).unwrap_or(1);
    let taken: Vec<&Value> = backends.iter().filter(|it| weight(it) > 0).collect();
    if taken.is_empty() {
        if out.get("redirect").is_none() {
            out["directResponse"] = json!({"status": 500});
        }
        return Ok(());
    }
    let mut route = Vec::new();
    for backend in &taken {
        let destination = destination(it, backend)?;
        let mut to = json!({ "destination": destination });
        for it in list(backend, "filters") {
            filter::headers(&mut to, it)?;
        }
        if taken.len() > 1 {
            to["weight"] = json!(weight(backend));
        }
        route.push(to);
    }
    out["route"] = json!(route);
    Ok(())
}

/// The destination of a backend, or of a mirror. A Service that is not there stays: its cluster is not there either.
pub(super) fn destination(it: Turning<'_>, backend: &Value) -> Result<Value, Not> {
    let own = &*it.route.key().namespace;
    let name = text(backend, "/name").unwrap_or("");
    let written = text(backend, "/namespace");
    let namespace = written.unwrap_or(own);
    let group = text(backend, "/group").unwrap_or("");
    let kind = text(backend, "/kind").unwrap_or("Service");
    let to = (group, kind);
    let port = backend.get("port").and_then(Value::as_u64);
    let host = format!("{name}.{namespace}.svc.{DOMAIN}");
    let refused = || json!({"host": host, "port": {"number": port.unwrap_or(0)}, REFUSED: true});
    if it.at_gateway && namespace != own {
        let from = (grant::HTTP_ROUTE, own);
        if !grant::allows(it.objects, from, (to.0, to.1, namespace), name) {
            return Ok(refused());
        }
    }
    let host = match to {
        ("", "Service") if name.contains('.') => return Err(Not::Refused),
        ("", "Service") => host,
        ("networking.istio.io", "Hostname") if written.is_some() => return Err(Not::Refused),
        ("networking.istio.io", "Hostname") => name.to_owned(),
        // Whether istiod takes these is said in its environment.
        (_, "ServiceImport" | "InferencePool" | "XBackend") => return Err(Not::Judged),
        _ => return Ok(refused()),
    };
    let port = port.ok_or(Not::Refused)?;
    Ok(json!({"host": host, "port": {"number": port}}))
}
