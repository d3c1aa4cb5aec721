//! Structural schemas, as the API server holds custom objects to them: unknown fields are pruned, known ones are checked.
//!
//! Naru's own definitions are read from the very files that are installed in clusters, so that what would be pruned or refused there is
//! pruned or refused here. (Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions": structural schemas,
//! field pruning, validation rules.)

mod rules;

use naru_domain::object::Kind;
use rules::holds;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::LazyLock};

static SCHEMAS: LazyLock<BTreeMap<Kind, Value>> = LazyLock::new(|| {
    let definitions = [
        (Kind::Change, include_str!("../../../../k8s/crds/changes.yaml")),
        (
            Kind::Proposal,
            include_str!("../../../../k8s/crds/proposals.yaml"),
        ),
        (Kind::Canary, include_str!("../../../../k8s/crds/canaries.yaml")),
        (Kind::Freeze, include_str!("../../../../k8s/crds/freezes.yaml")),
        (Kind::SignOff, include_str!("../../../../k8s/crds/signoffs.yaml")),
        (
            Kind::Evidence,
            include_str!("../../../../k8s/crds/evidences.yaml"),
        ),
        (Kind::Waiver, include_str!("../../../../k8s/crds/waivers.yaml")),
        (
            Kind::Exception,
            include_str!("../../../../k8s/crds/exceptions.yaml"),
        ),
        (Kind::Report, include_str!("../../../../k8s/crds/reports.yaml")),
    ];
    // The texts are part of the program: they read, or no test passes.
    let schema = |definition: &str| {
        let definition: Value = serde_saphyr::from_str(definition).unwrap_or_default();
        definition
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .cloned()
            .unwrap_or_default()
    };
    definitions.map(|(kind, text)| (kind, schema(text))).into()
});

/// The schema of a custom kind, where it is known. Istio's are Istio's.
pub(super) fn of(kind: Kind) -> Option<&'static Value> {
    SCHEMAS.get(&kind)
}

/// Prunes `new` to its schema and says what is wrong with it, in the API server's manner; `old` is what was there.
pub(super) fn fit(schema: &Value, old: Option<&Value>, new: &mut Value) -> Result<(), String> {
    // What every object has is no part of the schema.
    let mut whole = Map::new();
    if let Some(root) = new.as_object_mut() {
        for field in ["apiVersion", "kind", "metadata"] {
            if let Some(value) = root.shift_remove(field) {
                whole.insert(field.into(), value);
            }
        }
    }
    let mut wrong = Vec::new();
    node(schema, old, new, "", &mut wrong);
    if let Some(root) = new.as_object_mut() {
        whole.append(root);
        *root = whole;
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join(", "))
    }
}

fn node(schema: &Value, old: Option<&Value>, new: &mut Value, path: &str, wrong: &mut Vec<String>) {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    let fits = match text("type") {
        Some("object") => new.is_object(),
        Some("array") => new.is_array(),
        Some("string") => new.is_string(),
        Some("integer") => new.is_i64() || new.is_u64(),
        Some("number") => new.is_number(),
        Some("boolean") => new.is_boolean(),
        _ => true,
    };
    if !fits {
        return wrong.push(format!(
            "{path}: Invalid value: must be of type {}",
            text("type").unwrap_or("")
        ));
    }
    match new {
        Value::Object(map) => object(schema, old, map, path, wrong),
        Value::Array(items) => {
            over(schema, "maxItems", items.len(), path, wrong);
            if schema
                .get("minItems")
                .and_then(Value::as_u64)
                .is_some_and(|least| (items.len() as u64) < least)
            {
                wrong.push(format!("{path}: Invalid value: it has too few items"));
            }
            if let Some(schema) = schema.get("items") {
                for (n, item) in items.iter_mut().enumerate() {
                    node(schema, None, item, &format!("{path}[{n}]"), wrong);
                }
            }
        }
        Value::String(value) => string(schema, value, path, wrong),
        Value::Number(value) => number(schema, value.as_f64(), path, wrong),
        _ => {}
    }
    for rule in schema
        .get("x-kubernetes-validations")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let rule = rule.get("rule").and_then(Value::as_str).unwrap_or("");
        if !holds(rule, old, new) {
            wrong.push(format!("{path}: Invalid value: failed rule: {rule}"));
        }
    }
}

fn object(
    schema: &Value,
    old: Option<&Value>,
    map: &mut Map<String, Value>,
    path: &str,
    wrong: &mut Vec<String>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    // A null is dropped where a type is wanted: no field of these definitions is nullable.
    let typed = |name: &str| {
        properties.is_some_and(|known| known.get(name).is_some_and(|it| it.get("type").is_some()))
    };
    map.retain(|name, value| !value.is_null() || !typed(name));
    for name in schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !map.contains_key(name) {
            wrong.push(format!("{path}.{name}: Required value"));
        }
    }
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        return;
    }
    if let Some(each) = schema.get("additionalProperties") {
        for (name, value) in map.iter_mut() {
            let old = old.and_then(|it| it.get(name));
            node(each, old, value, &format!("{path}.{name}"), wrong);
        }
        return;
    }
    map.retain(|name, _| properties.is_some_and(|known| known.contains_key(name)));
    for (name, value) in map.iter_mut() {
        if let Some(schema) = properties.and_then(|known| known.get(name)) {
            node(
                schema,
                old.and_then(|it| it.get(name)),
                value,
                &format!("{path}.{name}"),
                wrong,
            );
        }
    }
}

fn over(schema: &Value, limit: &str, length: usize, path: &str, wrong: &mut Vec<String>) {
    let most = schema
        .get(limit)
        .and_then(Value::as_u64)
        .and_then(|it| usize::try_from(it).ok());
    if most.is_some_and(|most| length > most) {
        wrong.push(format!(
            "{path}: Too long: {length}, {limit} is {}",
            most.unwrap_or(0)
        ));
    }
}

fn number(schema: &Value, value: Option<f64>, path: &str, wrong: &mut Vec<String>) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let above = schema.get("exclusiveMinimum") == Some(&Value::Bool(true));
    let fits = value.is_some_and(|value| {
        bound("minimum").is_none_or(|least| value > least || (value == least && !above))
            && bound("maximum").is_none_or(|most| value <= most)
    });
    if !fits {
        wrong.push(format!("{path}: Invalid value: it is out of bounds"));
    }
}

/// Hours, minutes and seconds such as `1h 30m`, in this order, each at most once and one at least.
fn duration(value: &str) -> bool {
    let mut units = "hms".chars();
    !value.is_empty()
        && value.split(' ').all(|part| {
            let digits = part.trim_end_matches(['h', 'm', 's']);
            let unit = part.strip_prefix(digits).unwrap_or("");
            let known = unit.len() == 1 && unit.chars().all(|it| units.by_ref().any(|next| next == it));
            known && (1..=5).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit())
        })
}

fn hexadecimal(value: &str) -> bool {
    let digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    !value.is_empty() && value.bytes().all(digit)
}

fn digest(value: &str) -> bool {
    value.len() == 64 && hexadecimal(value)
}

fn string(schema: &Value, value: &str, path: &str, wrong: &mut Vec<String>) {
    let length = value.chars().count();
    over(schema, "maxLength", length, path, wrong);
    if schema
        .get("minLength")
        .and_then(Value::as_u64)
        .is_some_and(|least| (length as u64) < least)
    {
        wrong.push(format!("{path}: Invalid value: \"{value}\" is too short"));
    }
    if let Some(known) = schema.get("enum").and_then(Value::as_array)
        && !known.iter().any(|it| it == value)
    {
        wrong.push(format!("{path}: Unsupported value: \"{value}\""));
    }
    let form = match (
        schema.get("pattern").and_then(Value::as_str),
        schema.get("format").and_then(Value::as_str),
    ) {
        (Some("^[0-9a-f]{64}$"), _) => digest(value),
        (Some("^[0-9a-f]+$"), _) => hexadecimal(value),
        (Some("^([0-9a-f]{64})?$"), _) => value.is_empty() || digest(value),
        (Some("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"), _) => {
            let ends = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
            value.starts_with(ends)
                && value.ends_with(ends)
                && value.chars().all(|it| ends(it) || ".-".contains(it))
        }
        (Some("^([0-9]{1,5}h( [0-9]{1,5}m)?( [0-9]{1,5}s)?|[0-9]{1,5}m( [0-9]{1,5}s)?|[0-9]{1,5}s)$"), _) => {
            duration(value)
        }
        // Another pattern must be taught first: better to refuse than to let pass what a cluster would not.
        (Some(_), _) => false,
        (None, Some("date-time")) => value.parse::<jiff::Timestamp>().is_ok(),
        (None, _) => true,
    };
    if !form {
        wrong.push(format!(
            "{path}: Invalid value: \"{value}\" has not the form that is wanted"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::{fit, of};
    use naru_domain::object::Kind;
    use serde_json::{Value, json};

    fn change() -> Value {
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Change", "metadata": {"name": "c", "namespace": "n", "labels": {"a": "b"}},
            "spec": {"intent": {"anything": [1]}, "target": {"kind": "VirtualService", "namespace": "n", "name": "a", "uid": "u"},
                "resourceVersion": "1", "ops": [{"op": "replace", "path": "/x", "value": {"y": 1}}], "undo": [],
                "before": digest, "after": digest, "digest": digest, "diff": [{"path": "/x", "label": "a", "after": "1"}],
                "actor": {"issuer": "i", "sub": "s", "name": "n", "groups": ["g"]},
                "reason": "이유", "approvedAt": "2026-01-01T00:00:00Z"},
            "status": {"phase": "Intended"}})
    }

    fn fitted(old: Option<&Value>, edit: impl FnOnce(&mut Value)) -> Result<Value, String> {
        let mut new = change();
        edit(&mut new);
        fit(of(Kind::Change).unwrap(), old, &mut new).map(|()| new)
    }

    #[test]
    fn what_fits_stays_as_it_is_and_what_is_unknown_goes() {
        assert_eq!(fitted(None, |_| {}), Ok(change()));
        let pruned = fitted(None, |it| {
            it["spec"]["unknown"] = json!(1);
            it["spec"]["target"]["unknown"] = json!(1);
            it["unknown"] = json!({});
        });
        assert_eq!(pruned, Ok(change()));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let edits: [(&str, Value); 8] = [
            ("/spec/reason", json!("")),
            ("/spec/reason", json!("가".repeat(501))),
            ("/spec/before", json!("abc")),
            ("/spec/approvedAt", json!("yesterday")),
            ("/spec/ops/0/op", json!("sudo")),
            ("/spec/target", json!({"kind": "VirtualService"})),
            ("/spec/actor/groups", json!("g")),
            ("/status/phase", json!("Lost")),
        ];
        for (pointer, value) in edits {
            let answer = fitted(None, |it| *it.pointer_mut(pointer).unwrap() = value.clone());
            assert!(answer.is_err(), "{pointer} {value}");
        }
    }

    fn canary(edit: impl FnOnce(&mut Value)) -> Value {
        let mut canary = json!({"metadata": {"name": "c", "namespace": "n"}, "spec": {
            "route": {"name": "shop", "rule": 0}, "stable": {"host": "shop", "subset": "v1"}, "canary": {"host": "shop", "subset": "v2"},
            "steps": [{"weight": 5, "dwell": "10m", "requests": 1000}, {"weight": 50, "dwell": "1h 30m", "requests": 5000}],
            "guardrail": {"errors": 0.01}, "approvedBy": {"issuer": "i", "subject": "s", "name": ""}}});
        edit(&mut canary);
        canary
    }

    #[test]
    fn a_canary_has_bounds_and_only_its_course_changes() {
        let fitted =
            |old: Option<&Value>, mut new: Value| fit(of(Kind::Canary).unwrap(), old, &mut new).map(|()| new);
        let whole = canary(|_| {});
        assert_eq!(fitted(None, whole.clone()), Ok(whole.clone()));
        let silent = canary(|it| it["spec"]["guardrail"]["latency"] = Value::Null);
        assert_eq!(fitted(None, silent), Ok(whole.clone()));
        let steered = canary(|it| it["spec"]["course"] = json!("pause"));
        assert_eq!(fitted(Some(&whole), steered.clone()), Ok(steered));
        for (pointer, value) in [
            ("/steps", json!([])),
            ("/steps/0/weight", json!(50)),
            ("/steps/0/weight", json!(51)),
            ("/steps/1/weight", json!(101)),
            ("/steps/0/requests", json!(-1)),
            ("/steps/0/dwell", json!("10 minutes")),
            ("/steps/0/dwell", json!("30m 1h")),
            ("/steps/0/dwell", json!("24h 1s")),
            ("/canary/subset", json!("v1")),
            ("/guardrail/errors", json!(0)),
            ("/guardrail/errors", json!(1.5)),
            ("/route/name", Value::Null),
        ] {
            let edit = |it: &mut Value| *it["spec"].pointer_mut(pointer).unwrap() = value.clone();
            assert!(fitted(None, canary(edit)).is_err(), "{pointer} {value}");
        }
        for (field, value) in [
            ("route", json!({"name": "shop", "rule": 1})),
            ("steps", json!([{"weight": 5, "dwell": "10m", "requests": 1000}])),
            ("guardrail", json!({"errors": 0.02})),
            ("guardrail", Value::Null),
            ("warmUp", json!("1m")),
            ("onFailure", json!("hold")),
            (
                "approvedBy",
                json!({"issuer": "i", "subject": "other", "name": ""}),
            ),
        ] {
            let new = canary(|it| it["spec"][field] = value.clone());
            assert!(fitted(Some(&whole), new).is_err(), "{field} {value}");
        }
    }

    #[test]
    fn the_spec_never_changes_and_an_end_stays_an_end() {
        let old = change();
        assert!(fitted(Some(&old), |it| it["spec"]["reason"] = json!("other")).is_err());
        assert!(fitted(Some(&old), |it| it["status"]["phase"] = json!("Landed")).is_ok());
        let mut ended = change();
        ended["status"]["phase"] = json!("Landed");
        assert!(fitted(Some(&ended), |_| {}).is_err());
        assert!(fitted(Some(&ended), |it| it["status"]["phase"] = json!("Landed")).is_ok());
    }
}
