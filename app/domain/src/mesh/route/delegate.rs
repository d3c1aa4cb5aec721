//! Rules that a VirtualService leaves to another: what comes of the two. (`mergeVirtualServices` and `mergeHTTPRoute` in istio's
//! `pilot/pkg/model`.)

use serde_json::{Map, Value};

/// The root's rule with each of the delegate's; a rule none of whose blocks lies within the root's is left out. Positions are the delegate's.
pub(crate) fn merge(root: &Value, delegate: &[Value]) -> Vec<(u32, Value)> {
    let rules = delegate.iter().enumerate();
    rules
        .filter_map(|(index, rule)| Some((u32::try_from(index).ok()?, merged(root, rule)?)))
        .collect()
}

/// Fields that the delegate takes from the root where it has none of its own.
const INHERITED: [&str; 11] = [
    "rewrite",
    "directResponse",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirrorPercent",
    "mirrorPercentage",
    "corsPolicy",
    "mirrors",
    "headers",
];

fn merged(root: &Value, rule: &Value) -> Option<Value> {
    let mut out = rule.as_object()?.clone();
    let blocks = blocks(list(root), list(rule))?;
    if blocks.is_empty() {
        out.shift_remove("match");
    } else {
        out.insert("match".into(), Value::Array(blocks));
    }
    inherit(&mut out, root, &INHERITED);
    Some(Value::Object(out))
}

fn list(rule: &Value) -> &[Value] {
    rule.get("match")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn inherit(out: &mut Map<String, Value>, root: &Value, names: &[&str]) {
    for name in names {
        let absent = out.get(*name).is_none_or(Value::is_null);
        if let Some(value) = root.get(*name).filter(|_| absent) {
            out.insert((*name).into(), value.clone());
        }
    }
}

fn blocks(root: &[Value], leaf: &[Value]) -> Option<Vec<Value>> {
    if root.is_empty() {
        return Some(leaf.to_vec());
    }
    if leaf.is_empty() {
        return Some(root.to_vec());
    }
    let mut out = Vec::new();
    for leaf in leaf {
        let within: Vec<Value> = root
            .iter()
            .filter(|root| !conflict(root, leaf))
            .map(|root| both(root, leaf))
            .collect();
        if within.is_empty() {
            return None;
        }
        out.extend(within);
    }
    Some(out)
}

const MAPS: [&str; 4] = ["headers", "withoutHeaders", "queryParams", "sourceLabels"];

fn both(root: &Value, leaf: &Value) -> Value {
    let mut out = leaf.as_object().cloned().unwrap_or_default();
    inherit(
        &mut out,
        root,
        &["uri", "scheme", "method", "authority", "statPrefix"],
    );
    for name in MAPS {
        let mut map = object(root, name);
        map.extend(object(leaf, name));
        if !map.is_empty() {
            out.insert(name.into(), Value::Object(map));
        }
    }
    let zero = |it: Option<&Value>| match it {
        Some(Value::Number(number)) => number.as_u64() == Some(0),
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        it => it.is_none_or(Value::is_null),
    };
    for name in ["port", "sourceNamespace", "gateways"] {
        if let Some(value) = root.get(name).filter(|_| zero(out.get(name))) {
            out.insert(name.into(), value.clone());
        }
    }
    Value::Object(out)
}

fn object(block: &Value, name: &str) -> Map<String, Value> {
    block
        .get(name)
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

fn conflict(root: &Value, leaf: &Value) -> bool {
    let texts = ["uri", "scheme", "method", "authority"]
        .iter()
        .any(|name| apart(root.get(name), leaf.get(name)));
    let maps = MAPS[..3].iter().any(|name| {
        let (root, leaf) = (object(root, name), object(leaf, name));
        leaf.iter().any(|(key, value)| apart(root.get(key), Some(value)))
    });
    let case = |it: &Value| it.get("ignoreUriCase").and_then(Value::as_bool) == Some(true);
    let port = |it: &Value| it.get("port").and_then(Value::as_u64).unwrap_or(0);
    let space = |it: &Value| {
        it.get("sourceNamespace")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let labels = object(root, "sourceLabels");
    let other_label = object(leaf, "sourceLabels")
        .iter()
        .any(|(key, value)| labels.get(key).is_some_and(|it| it != value));
    let gateways = |it: &Value| {
        it.get("gateways")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let (of_root, of_leaf) = (gateways(root), gateways(leaf));
    let outside = !of_root.is_empty()
        && !of_leaf.is_empty()
        && (of_root.len() < of_leaf.len() || of_leaf.iter().any(|it| !of_root.contains(it)));
    texts
        || maps
        || case(root) != case(leaf)
        || port(root) > 0 && port(leaf) > 0 && port(root) != port(leaf)
        || !space(root).is_empty() && space(root) != space(leaf)
        || other_label
        || outside
}

/// Whether the leaf's condition is not within the root's, as istiod judges it. (`stringMatchConflict`.)
fn apart(root: Option<&Value>, leaf: Option<&Value>) -> bool {
    let (Some(root), Some(leaf)) = (root.filter(|it| !it.is_null()), leaf.filter(|it| !it.is_null())) else {
        return false;
    };
    fn get<'a>(it: &'a Value, name: &str) -> &'a str {
        it.get(name).and_then(Value::as_str).unwrap_or("")
    }
    let any = |it: &Value| {
        ["regex", "prefix", "exact"]
            .iter()
            .any(|name| !get(it, name).is_empty())
    };
    if !get(root, "regex").is_empty() && any(leaf) || !get(leaf, "regex").is_empty() && any(root) {
        return true;
    }
    let (exact, prefix) = (get(root, "exact"), get(root, "prefix"));
    if !exact.is_empty() {
        return !get(leaf, "prefix").is_empty() || get(leaf, "exact") != exact;
    }
    if !prefix.is_empty() {
        for name in ["prefix", "exact"] {
            let own = get(leaf, name);
            if !own.is_empty() {
                return !own.starts_with(prefix);
            }
        }
    }
    true
}
