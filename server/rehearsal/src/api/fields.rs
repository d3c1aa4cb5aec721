//! managedFields: which manager owns which fields.
//!
//! As the API server does it for updates (Kubernetes documentation, "Server-Side Apply", field management): whoever changes a field owns
//! it from then on, alone. Lists are owned whole, as those of custom resources are.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

type Paths = BTreeSet<Vec<String>>;

/// Under what a change of fields is entered.
pub(super) struct Stamp<'a> {
    pub(super) manager: &'a str,
    pub(super) api_version: &'a str,
    /// RFC 3339, whole seconds.
    pub(super) time: &'a str,
    /// `status`, or none.
    pub(super) subresource: Option<&'a str>,
}

/// What the API server keeps by itself belongs to nobody.
const KEPT: [&str; 7] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
];

fn collect(value: &Value, path: &mut Vec<String>, into: &mut Vec<(Vec<String>, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                let own = match path.as_slice() {
                    [] => name != "apiVersion" && name != "kind",
                    [top] => top != "metadata" || !KEPT.contains(&name.as_str()),
                    _ => true,
                };
                if own {
                    path.push(name.clone());
                    collect(value, path, into);
                    path.pop();
                }
            }
        }
        _ if path.as_slice() == ["metadata"] => {}
        leaf => into.push((path.clone(), leaf.clone())),
    }
}

fn leaves(value: &Value) -> Vec<(Vec<String>, Value)> {
    let mut into = Vec::new();
    collect(value, &mut Vec::new(), &mut into);
    into
}

fn render(paths: &Paths) -> Value {
    let mut root = Map::new();
    for path in paths {
        let mut node = &mut root;
        for step in path {
            let child = node.entry(format!("f:{step}")).or_insert_with(|| json!({}));
            let Some(map) = child.as_object_mut() else { break };
            node = map;
        }
    }
    Value::Object(root)
}

fn parse(value: &Value, path: &mut Vec<String>, into: &mut Paths) {
    match value.as_object() {
        Some(map) if !map.is_empty() => {
            for (name, value) in map {
                path.push(name.strip_prefix("f:").unwrap_or(name).into());
                parse(value, path, into);
                path.pop();
            }
        }
        _ if path.is_empty() => {}
        _ => drop(into.insert(path.clone())),
    }
}

/// Enters into `new` who changed what, compared with `old` (None for a new object). Without a change nothing is entered.
pub(super) fn record(old: Option<&Value>, new: &mut Value, stamp: &Stamp<'_>) {
    let before: std::collections::BTreeMap<_, _> = old.map(leaves).unwrap_or_default().into_iter().collect();
    let after: std::collections::BTreeMap<_, _> = leaves(new).into_iter().collect();
    let changed: Paths = after
        .iter()
        .filter(|(path, value)| before.get(*path) != Some(value))
        .map(|(path, _)| path.clone())
        .collect();
    let removed: Paths = before
        .keys()
        .filter(|path| !after.contains_key(*path))
        .cloned()
        .collect();
    let entries = old
        .and_then(|it| it.pointer("/metadata/managedFields"))
        .and_then(Value::as_array);
    let mut entries: Vec<Value> = entries.cloned().unwrap_or_default();
    if !(changed.is_empty() && removed.is_empty()) {
        let text = |entry: &Value, name| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_mine = |entry: &Value| {
            text(entry, "manager").as_deref() == Some(stamp.manager)
                && text(entry, "operation").as_deref() == Some("Update")
                && text(entry, "subresource").as_deref() == stamp.subresource
        };
        let mut mine = changed.clone();
        let mut kept = Vec::with_capacity(entries.len() + 1);
        for mut entry in entries {
            let mut owned = Paths::new();
            parse(&entry["fieldsV1"], &mut Vec::new(), &mut owned);
            if is_mine(&entry) {
                mine.extend(owned.difference(&removed).cloned());
                continue;
            }
            let left: Paths = owned
                .into_iter()
                .filter(|path| !changed.contains(path) && !removed.contains(path))
                .collect();
            if !left.is_empty() {
                entry["fieldsV1"] = render(&left);
                kept.push(entry);
            }
        }
        if !mine.is_empty() {
            let mut entry = json!({"manager": stamp.manager, "operation": "Update", "apiVersion": stamp.api_version,
                "time": stamp.time, "fieldsType": "FieldsV1", "fieldsV1": render(&mine)});
            if let Some(subresource) = stamp.subresource {
                entry["subresource"] = subresource.into();
            }
            kept.push(entry);
        }
        kept.sort_by_key(|entry| {
            (
                text(entry, "operation"),
                text(entry, "time"),
                text(entry, "manager"),
            )
        });
        entries = kept;
    }
    if let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("managedFields".into(), entries.into());
    }
}

#[cfg(test)]
mod tests {
    use super::{Stamp, record};
    use serde_json::{Value, json};

    fn stamp<'a>(manager: &'a str, time: &'a str) -> Stamp<'a> {
        Stamp {
            manager,
            api_version: "networking.istio.io/v1",
            time,
            subresource: None,
        }
    }

    #[test]
    fn who_changes_a_list_owns_it_alone() {
        let mut first = json!({"metadata": {"name": "a", "labels": {"x": "y"}}, "spec": {"hosts": ["h"], "http": [{"weight": 1}]}});
        record(None, &mut first, &stamp("kubectl", "2026-01-01T00:00:00Z"));
        let mut second = first.clone();
        second["spec"]["http"][0]["weight"] = json!(2);
        record(
            Some(&first),
            &mut second,
            &stamp("naru-7", "2026-01-02T00:00:00Z"),
        );
        let entries = second["metadata"]["managedFields"].as_array().unwrap();
        let owned: Vec<(&str, &Value)> = entries
            .iter()
            .map(|entry| (entry["manager"].as_str().unwrap(), &entry["fieldsV1"]))
            .collect();
        assert_eq!(
            owned,
            [
                (
                    "kubectl",
                    &json!({"f:metadata": {"f:labels": {"f:x": {}}}, "f:spec": {"f:hosts": {}}})
                ),
                ("naru-7", &json!({"f:spec": {"f:http": {}}})),
            ]
        );
    }

    #[test]
    fn a_manager_that_owns_nothing_any_more_is_gone_and_no_change_leaves_no_trace() {
        let mut first = json!({"metadata": {"name": "a"}, "spec": {"x": 1}});
        record(None, &mut first, &stamp("one", "2026-01-01T00:00:00Z"));
        let mut same = first.clone();
        record(Some(&first), &mut same, &stamp("two", "2026-01-02T00:00:00Z"));
        assert_eq!(first, same);
        let mut other = first.clone();
        other["spec"]["x"] = json!(2);
        record(Some(&first), &mut other, &stamp("two", "2026-01-02T00:00:00Z"));
        assert_eq!(other["metadata"]["managedFields"].as_array().unwrap().len(), 1);
        assert_eq!(other["metadata"]["managedFields"][0]["manager"], "two");
    }
}
