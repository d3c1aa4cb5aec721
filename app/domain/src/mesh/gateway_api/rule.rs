//! A rule of an HTTPRoute as rules of a VirtualService. (`convertHTTPRoute` in istio's `pilot/pkg/config/kube/gateway`.)

use super::{backend, filter};
use crate::{mesh::route::action::milliseconds, object::Object, snapshot::Objects};
use serde_json::{Value, json};

/// Why a route comes to no rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Not {
    /// istiod refuses something of it, and takes the whole route for absent.
    Refused,
    /// Something of it is not judged.
    Judged,
}

/// A route that is turned.
#[derive(Clone, Copy)]
pub(super) struct Turning<'a> {
    pub(super) objects: &'a Objects,
    pub(super) route: &'a Object,
    /// For a Gateway: what another namespace has needs a ReferenceGrant there. In the mesh it needs none.
    pub(super) at_gateway: bool,
}

/// A list of a rule, a filter or a match; empty if there is none.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// The rules of a route, one for each match, bound to a port if there is one.
pub(super) fn rules(it: Turning<'_>, port: Option<u64>) -> Result<Vec<Value>, Not> {
    let mut rules = Vec::new();
    for (index, rule) in it.route.list("/spec/rules").iter().enumerate() {
        let base = base(it, index, rule)?;
        let matches: Vec<Option<Value>> = match list(rule, "matches") {
            [] => vec![None],
            all => all
                .iter()
                .map(|entry| condition(entry).map(Some))
                .collect::<Option<_>>()
                .ok_or(Not::Judged)?,
        };
        for entry in matches {
            let mut rule = base.clone();
            let entry = match (entry, port) {
                (None, None) => None,
                (entry, None) => entry,
                (entry, Some(port)) => {
                    let mut entry = entry.unwrap_or_else(|| json!({}));
                    entry["port"] = json!(port);
                    Some(entry)
                }
            };
            if let Some(entry) = entry {
                rule["match"] = json!([entry]);
            }
            rules.push(rule);
        }
    }
    Ok(rules)
}

fn base(it: Turning<'_>, index: usize, rule: &Value) -> Result<Value, Not> {
    let key = it.route.key();
    let mut out = json!({"origin": {"namespace": key.namespace, "name": key.name, "rule": index}});
    filter::apply(&mut out, it, list(rule, "filters"))?;
    // A session that is to persist is read by nobody.
    if let Some(retry) = rule.get("retry").filter(|it| !it.is_null()) {
        out["retries"] = retries(retry);
    }
    timeouts(&mut out, rule);
    backend::apply(&mut out, it, list(rule, "backendRefs"))?;
    Ok(out)
}

/// Two attempts unless said otherwise, after connection errors and the statuses that are named.
fn retries(retry: &Value) -> Value {
    let attempts = retry.get("attempts").and_then(Value::as_u64).unwrap_or(2);
    if attempts == 0 {
        return json!({"attempts": 0});
    }
    let mut on = "connect-failure,refused-stream,unavailable,cancelled".to_owned();
    for code in list(retry, "codes").iter().filter_map(Value::as_u64) {
        on.push_str(&format!(",{code}"));
    }
    json!({"attempts": attempts, "retryOn": on})
}

/// Zero is no limit. What each backend may take is an attempt's limit where there are attempts, else the whole's.
fn timeouts(out: &mut Value, rule: &Value) {
    let limit = |name: &str| {
        let written = rule.pointer(&format!("/timeouts/{name}"));
        written.filter(|it| milliseconds(Some(it)).is_some_and(|it| it > 0))
    };
    if let Some(limit) = limit("request") {
        out["timeout"] = limit.clone();
    }
    if let Some(limit) = limit("backendRequest") {
        if out.get("retries").is_some() {
            out["retries"]["perTryTimeout"] = limit.clone();
        } else {
            out["timeout"] = limit.clone();
        }
    }
}

/// A match. An absent path is the prefix `/`.
fn condition(entry: &Value) -> Option<Value> {
    let path = text(entry, "/path/value").unwrap_or("/");
    let mut out = match text(entry, "/path/type").unwrap_or("PathPrefix") {
        "PathPrefix" if path == "/" => json!({"uri": {"prefix": "/"}}),
        "PathPrefix" => json!({"uri": {"prefix": path.strip_suffix('/').unwrap_or(path)}}),
        "Exact" => json!({"uri": {"exact": path}}),
        "RegularExpression" => json!({"uri": {"regex": path}}),
        _ => return None,
    };
    if let Some(method) = text(entry, "/method") {
        out["method"] = json!({"exact": method});
    }
    for name in ["headers", "queryParams"] {
        for it in list(entry, name) {
            let value = it.get("value")?.as_str()?;
            let kind = match text(it, "/type").unwrap_or("Exact") {
                "Exact" => "exact",
                "RegularExpression" => "regex",
                _ => return None,
            };
            out[name][it.get("name")?.as_str()?] = json!({kind: value});
        }
    }
    Some(out)
}

/// A prefix of the Gateway API ends at a segment; Istio's does not, so that it takes two rules: the path itself, and what is below. What
/// stands in the prefix's place stands there in both. (`TranslateRouteMatch` and `applyHTTPRouteDestination` in istio's
/// `pilot/pkg/networking/core/route`; Envoy's `path_separated_prefix`.)
pub(super) fn plain(rule: Value) -> Vec<Value> {
    let prefix = text(&rule, "/match/0/uri/prefix").map(str::to_owned);
    let Some(prefix) = prefix.filter(|it| it != "/") else {
        return vec![rule];
    };
    let prefix = prefix.strip_suffix('/').unwrap_or(&prefix);
    let (mut itself, mut below) = (rule.clone(), rule);
    itself["match"][0]["uri"] = json!({"exact": prefix});
    below["match"][0]["uri"] = json!({"prefix": format!("{prefix}/")});
    // `/` takes a rewritten prefix away; a redirect puts it in its place as any other text.
    for (pointer, root) in [("/rewrite/uri", "/"), ("/redirect/prefixRewrite", "//")] {
        if let Some(new) = below.pointer_mut(pointer)
            && let Some(text) = new.as_str()
        {
            *new = Value::from(if text == "/" {
                root.to_owned()
            } else {
                format!("{text}/")
            });
        }
    }
    vec![itself, below]
}
