//! HTTPRoutes of services (GAMMA) as VirtualServices.

use super::SEMANTICS;
use crate::{
    Name, Why,
    mesh::{DOMAIN, unjudged},
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the Gateway API's objects come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translation {
    /// VirtualServices that exist nowhere: names and rules are istiod's. Bound to `mesh`.
    pub virtual_services: Vec<Object>,
    /// HTTPRoutes of which something is not turned, with the service that they are for: it may decide what is asked.
    pub unjudged: Vec<(Name, Why)>,
}

/// The routes' namespace, the parent's port, the service: what is merged into one.
type Place = (Name, Option<u64>, Name);

/// 1 without a match; then kind and length of the path, whether there is a method, and how many headers and parameters.
type Rank = (u8, std::cmp::Reverse<(u8, usize, bool, usize, usize)>);

/// Where a rule of a translated VirtualService was written: the HTTPRoute, and the position in its `spec.rules`.
pub fn origin(virtual_service: &Object, index: usize) -> Option<(Key, u32)> {
    let rule = virtual_service.list("/spec/http").get(index)?;
    let text = |name: &str| rule.get("origin")?.get(name)?.as_str();
    let key = Key::new(Kind::HttpRoute, text("namespace")?, text("name")?);
    Some((key, u32::try_from(rule.pointer("/origin/rule")?.as_u64()?).ok()?))
}

/// The HTTPRoutes whose parents are Services, as VirtualServices of the mesh: one for each namespace of routes, port and service, their rules in
/// the order that the Gateway API demands (`mergeHTTPRoutes` and `sortHTTPRoutes` there).
pub fn virtual_services(objects: &Objects) -> Translation {
    let mut translation = Translation::default();
    let mut merged: BTreeMap<Place, (Value, Vec<Value>)> = BTreeMap::new();
    let mut routes: Vec<&Object> = objects.of_kind(Kind::HttpRoute).collect();
    routes.sort_by_key(|it| {
        (
            it.text("/metadata/creationTimestamp").to_owned(),
            it.key().clone(),
        )
    });
    for object in routes {
        let namespace = &object.key().namespace;
        for parent in object.list("/spec/parentRefs") {
            let text = |name: &str| parent.get(name).and_then(Value::as_str);
            if (text("group"), text("kind")) != (Some(""), Some("Service"))
                && (text("group"), text("kind")) != (Some("core"), Some("Service"))
            {
                continue;
            }
            let (Some(name), place) = (text("name"), text("namespace").unwrap_or(namespace)) else {
                continue;
            };
            if objects.service(place, name).is_none() {
                continue;
            }
            let host: Name = format!("{name}.{place}.svc.{DOMAIN}").into();
            let port = parent.get("port").and_then(Value::as_u64);
            let Some(rules) = rules(object, port) else {
                translation.unjudged.push((host, unjudged::named(object)));
                continue;
            };
            let created = object
                .get("/metadata/creationTimestamp")
                .cloned()
                .unwrap_or(Value::Null);
            let entry = merged
                .entry((namespace.clone(), port, host))
                .or_insert((created, Vec::new()));
            entry.1.extend(rules);
        }
    }
    for ((namespace, port, host), (created, mut rules)) in merged {
        rules.sort_by_key(rank);
        let name = port.map_or_else(
            || format!("{namespace}~{host}"),
            |port| format!("{namespace}~{port}~{host}"),
        );
        let http: Vec<Value> = rules.into_iter().flat_map(plain).collect();
        let json = json!({"metadata": {"name": name, "namespace": namespace, "creationTimestamp": created, "annotations": {SEMANTICS: "gateway"}},
            "spec": {"hosts": [host], "gateways": ["mesh"], "http": http}});
        translation
            .virtual_services
            .extend(Object::new(Kind::VirtualService, json));
    }
    translation
}

/// Longest path first, exact before prefix before expression, then method, headers, query; rules without a match last. (`sortHTTPRoutes`.)
fn rank(rule: &Value) -> Rank {
    let Some(entry) = rule.pointer("/match/0") else {
        return (1, std::cmp::Reverse((0, 0, false, 0, 0)));
    };
    let path = |kind: &str| {
        entry
            .pointer(&format!("/uri/{kind}"))
            .and_then(Value::as_str)
            .map(str::len)
    };
    let (kind, length) = [("exact", 3), ("prefix", 2), ("regex", 1)]
        .into_iter()
        .find_map(|(kind, rank)| Some((rank, path(kind)?)))
        .unwrap_or((0, 0));
    let count = |name: &str| entry.get(name).and_then(Value::as_object).map_or(0, Map::len);
    (
        0,
        std::cmp::Reverse((
            kind,
            length,
            entry.get("method").is_some(),
            count("headers"),
            count("queryParams"),
        )),
    )
}

/// The rules of a route, one for each match; None if something of it is not turned.
fn rules(object: &Object, port: Option<u64>) -> Option<Vec<Value>> {
    let mut rules = Vec::new();
    for (index, rule) in object.list("/spec/rules").iter().enumerate() {
        let list = |name: &str| {
            rule.get(name)
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        // Filters other than header changes, sessions and retries decide too much to be left half done.
        if !list("filters").iter().all(only_headers)
            || rule.get("retry").is_some()
            || rule.get("sessionPersistence").is_some()
        {
            return None;
        }
        let mut base = json!({"origin": {"namespace": object.key().namespace, "name": object.key().name, "rule": index}});
        act(&mut base, object, rule)?;
        let matches = list("matches");
        if matches.is_empty() && port.is_none() {
            rules.push(base.clone());
        }
        let whole = [json!({})];
        let matches = if matches.is_empty() {
            if port.is_some() { &whole[..] } else { &[] }
        } else {
            matches
        };
        for entry in matches {
            let mut rule = base.clone();
            let mut turned = if *entry == json!({}) && list("matches").is_empty() {
                json!({})
            } else {
                condition(entry)?
            };
            if let Some(port) = port {
                turned["port"] = json!(port);
            }
            rule["match"] = json!([turned]);
            rules.push(rule);
        }
    }
    Some(rules)
}

fn only_headers(filter: &Value) -> bool {
    let kind = filter.get("type").and_then(Value::as_str);
    matches!(kind, Some("RequestHeaderModifier" | "ResponseHeaderModifier"))
}

/// Where it goes: weights are 1 unless said, those of 0 are dropped, and without any left it is a 500. A route of
/// the mesh needs no ReferenceGrant. (`convertHTTPRoute`, `buildDestination`.)
fn act(out: &mut Value, object: &Object, rule: &Value) -> Option<()> {
    let backends = rule
        .get("backendRefs")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let weight = |it: &Value| it.get("weight").and_then(Value::as_u64).unwrap_or(1);
    let taken: Vec<&Value> = backends.iter().filter(|it| weight(it) > 0).collect();
    if let Some(timeouts) = rule.get("timeouts") {
        // Durations of the Gateway API that are Istio's as well; zero means none.
        let text = |name: &str| timeouts.get(name)?.as_str().filter(|it| !it.starts_with('0'));
        if let Some(limit) = text("backendRequest").or(text("request")) {
            out["timeout"] = json!(limit);
        }
    }
    if taken.is_empty() {
        out["directResponse"] = json!({"status": 500});
        return Some(());
    }
    let mut route = Vec::new();
    for backend in &taken {
        let text = |name: &str| backend.get(name).and_then(Value::as_str);
        if !matches!(text("kind"), None | Some("Service")) || text("group").is_some_and(|it| !it.is_empty()) {
            return None;
        }
        let namespace = text("namespace").unwrap_or(&object.key().namespace);
        let port = backend.get("port")?.as_u64()?;
        let mut to = json!({"destination": {"host": format!("{}.{namespace}.svc.{DOMAIN}", text("name")?), "port": {"number": port}}});
        if taken.len() > 1 {
            to["weight"] = json!(weight(backend));
        }
        route.push(to);
    }
    out["route"] = json!(route);
    Some(())
}

/// A match. An absent path is the prefix `/`.
fn condition(entry: &Value) -> Option<Value> {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    let path = text("/path/value").unwrap_or("/");
    let mut out = match text("/path/type").unwrap_or("PathPrefix") {
        "PathPrefix" if path == "/" => json!({"uri": {"prefix": "/"}}),
        "PathPrefix" => json!({"uri": {"prefix": path.strip_suffix('/').unwrap_or(path)}}),
        "Exact" => json!({"uri": {"exact": path}}),
        "RegularExpression" => json!({"uri": {"regex": path}}),
        _ => return None,
    };
    if let Some(method) = text("/method") {
        out["method"] = json!({"exact": method});
    }
    for name in ["headers", "queryParams"] {
        for it in entry.get(name).and_then(Value::as_array).into_iter().flatten() {
            let value = it.get("value")?.as_str()?;
            let kind = match it.get("type").and_then(Value::as_str).unwrap_or("Exact") {
                "Exact" => "exact",
                "RegularExpression" => "regex",
                _ => return None,
            };
            out[name][it.get("name")?.as_str()?] = json!({kind: value});
        }
    }
    Some(out)
}

/// A prefix of the Gateway API ends at a segment; Istio's does not, so that it takes two rules: the path itself, and what is below.
fn plain(rule: Value) -> Vec<Value> {
    let prefix = rule
        .pointer("/match/0/uri/prefix")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let Some(prefix) = prefix.filter(|it| it != "/") else {
        return vec![rule];
    };
    let with = |uri: Value| {
        let mut rule = rule.clone();
        rule["match"][0]["uri"] = uri;
        rule
    };
    vec![
        with(json!({"exact": prefix})),
        with(json!({"prefix": format!("{prefix}/")})),
    ]
}

#[cfg(test)]
mod tests;
