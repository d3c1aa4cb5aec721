//! A rule's filters. (`createHeadersFilter`, `createRedirectFilter`, `createRewriteFilter` and `createMirrorFilter` in istio's
//! `pilot/pkg/config/kube/gateway`.)

use super::{
    backend,
    rule::{Not, Turning, list, text},
};
use crate::mesh::host;
use serde_json::{Map, Value, json};

/// Puts a rule's filters into the VirtualService's rule; one that istiod does not know makes it refuse the route.
pub(super) fn apply(out: &mut Value, it: Turning<'_>, filters: &[Value]) -> Result<(), Not> {
    for filter in filters {
        let of = |name: &str| filter.get(name).filter(|it| !it.is_null());
        match text(filter, "/type").unwrap_or("") {
            "RequestRedirect" => {
                if let Some(redirect) = of("requestRedirect") {
                    out["redirect"] = redirected(redirect);
                }
            }
            "URLRewrite" => {
                if let Some(rewrite) = of("urlRewrite").and_then(rewritten) {
                    out["rewrite"] = rewrite;
                }
            }
            "RequestMirror" => {
                if let Some(mirror) = of("requestMirror").and_then(|filter| mirror(it, filter)) {
                    if out.get("mirrors").is_none() {
                        out["mirrors"] = json!([]);
                    }
                    if let Some(all) = out["mirrors"].as_array_mut() {
                        all.push(mirror);
                    }
                }
            }
            "CORS" => {
                if let Some(cors) = of("cors") {
                    out["corsPolicy"] = cors.clone();
                }
            }
            _ => headers(out, filter)?,
        }
    }
    Ok(())
}

/// Changes of headers, which are all that a single backend's filters may be: of the request's, one names the authority.
pub(super) fn headers(out: &mut Value, filter: &Value) -> Result<(), Not> {
    let (name, side) = match text(filter, "/type") {
        Some("RequestHeaderModifier") => ("requestHeaderModifier", "request"),
        Some("ResponseHeaderModifier") => ("responseHeaderModifier", "response"),
        _ => return Err(Not::Refused),
    };
    let Some(changes) = filter.get(name).filter(|it| !it.is_null()) else {
        return Ok(());
    };
    let mut turned = Map::new();
    for name in ["set", "add"] {
        let mut map = Map::new();
        for it in list(changes, name) {
            let value = text(it, "/value").unwrap_or("");
            if value.bytes().any(|it| it < 0x20 && it != 0x09 || it == 0x7f) {
                return Err(Not::Refused);
            }
            // Of several for one header the first counts.
            let header = text(it, "/name").unwrap_or("").to_ascii_lowercase();
            map.entry(header).or_insert_with(|| json!(value));
        }
        turned.insert(name.into(), Value::Object(map));
    }
    out["headers"][side] = Value::Object(turned);
    Ok(())
}

/// A redirect. The API server puts 302 where no status is written; without a port it is the listener's, and with a scheme that scheme's own.
fn redirected(filter: &Value) -> Value {
    let code = filter.get("statusCode").and_then(Value::as_u64).unwrap_or(302);
    let mut out = json!({"redirectCode": code});
    if let Some(host) = text(filter, "/hostname") {
        out["authority"] = json!(host);
    }
    let scheme = text(filter, "/scheme");
    if let Some(scheme) = scheme {
        out["scheme"] = json!(scheme);
    }
    match filter.get("port").and_then(Value::as_u64) {
        Some(port) => out["port"] = json!(port),
        None if scheme.is_none() => out["derivePort"] = json!("FROM_REQUEST_PORT"),
        None => {}
    }
    match text(filter, "/path/type") {
        Some("ReplaceFullPath") => out["uri"] = json!(text(filter, "/path/replaceFullPath").unwrap_or("")),
        Some("ReplacePrefixMatch") => {
            out["prefixRewrite"] = json!(text(filter, "/path/replacePrefixMatch").unwrap_or(""));
        }
        _ => {}
    }
    out
}

/// A rewrite; None if it changes nothing.
fn rewritten(filter: &Value) -> Option<Value> {
    let mut out = json!({});
    match text(filter, "/path/type") {
        Some("ReplacePrefixMatch") => {
            let new = text(filter, "/path/replacePrefixMatch").unwrap_or("");
            let new = new.strip_suffix('/').unwrap_or(new);
            out["uri"] = json!(if new.is_empty() { "/" } else { new });
        }
        Some("ReplaceFullPath") => {
            let new = text(filter, "/path/replaceFullPath").unwrap_or("");
            out["uriRegexRewrite"] = json!({"match": "/.*", "rewrite": new});
        }
        _ => {}
    }
    if let Some(host) = text(filter, "/hostname") {
        out["authority"] = json!(host);
    }
    (out != json!({})).then_some(out)
}

/// A mirror; one that leads nowhere or is not permitted is left out, and the route stays.
fn mirror(it: Turning<'_>, filter: &Value) -> Option<Value> {
    let to = filter.get("backendRef")?;
    let destination = backend::destination(it, to)
        .ok()
        .filter(|to| to.get(backend::REFUSED).is_none())?;
    let service = text(&destination, "/host").and_then(host::service_of);
    if service.is_some_and(|of| it.objects.service(&of.namespace, &of.name).is_none()) {
        return None;
    }
    let mut out = json!({"destination": destination});
    let number = |pointer: &str| filter.pointer(pointer).and_then(Value::as_f64);
    let percent = match number("/fraction/numerator") {
        Some(part) => Some(100.0 * part / number("/fraction/denominator").unwrap_or(100.0)),
        None => number("/percent"),
    };
    if let Some(percent) = percent {
        out["percentage"] = json!({"value": percent});
    }
    Some(out)
}
