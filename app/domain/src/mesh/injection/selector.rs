//! Kubernetes' label selectors, `matchLabels` with `matchExpressions` (Kubernetes API reference, `LabelSelector`).

use serde_json::Value;

/// Whether labels, told by `get`, answer the selector. An absent or empty one matches all; None for one that the API server would refuse.
pub(crate) fn matches<'l>(selector: Option<&Value>, get: impl Fn(&str) -> Option<&'l str>) -> Option<bool> {
    let selector = match selector {
        None | Some(Value::Null) => return Some(true),
        Some(selector) => selector.as_object()?,
    };
    let mut all = true;
    match selector.get("matchLabels") {
        None | Some(Value::Null) => {}
        Some(labels) => {
            for (name, value) in labels.as_object()? {
                all &= get(name) == Some(value.as_str()?);
            }
        }
    }
    match selector.get("matchExpressions") {
        None | Some(Value::Null) => {}
        Some(expressions) => {
            for expression in expressions.as_array()? {
                all &= answers(expression, &get)?;
            }
        }
    }
    Some(all)
}

/// Whether the selector says nothing, and so matches all.
pub(super) fn is_empty(selector: &Value) -> bool {
    ["matchLabels", "matchExpressions"].iter().all(|part| {
        selector.get(part).is_none_or(|part| match part {
            Value::Object(map) => map.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => true,
        })
    })
}

/// `NotIn` is answered by a label that is not there, `In` is not.
fn answers<'l>(expression: &Value, get: &impl Fn(&str) -> Option<&'l str>) -> Option<bool> {
    let value = get(expression.get("key")?.as_str()?);
    let values = match expression.get("values") {
        None | Some(Value::Null) => Vec::new(),
        Some(values) => {
            let values = values.as_array()?.iter().map(Value::as_str);
            values.collect::<Option<Vec<&str>>>()?
        }
    };
    let named = value.is_some_and(|value| values.contains(&value));
    match (expression.get("operator")?.as_str()?, values.is_empty()) {
        ("In", false) => Some(named),
        ("NotIn", false) => Some(!named),
        ("Exists", true) => Some(value.is_some()),
        ("DoesNotExist", true) => Some(value.is_none()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_empty, matches};
    use serde_json::{Value, json};

    #[test]
    fn selectors_are_read_as_kubernetes_reads_them() {
        let expression = |key: &str, operator: &str, values: Value| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        let table = [
            (json!(null), Some(true)),
            (json!({}), Some(true)),
            (json!({"matchLabels": {}}), Some(true)),
            (json!({"matchLabels": {"a": "1"}}), Some(true)),
            (json!({"matchLabels": {"a": "2"}}), Some(false)),
            (json!({"matchLabels": {"a": "1", "b": "1"}}), Some(false)),
            (expression("a", "In", json!(["0", "1"])), Some(true)),
            (expression("a", "In", json!(["0"])), Some(false)),
            (expression("b", "In", json!(["0"])), Some(false)),
            (expression("a", "NotIn", json!(["1"])), Some(false)),
            (expression("a", "NotIn", json!(["0"])), Some(true)),
            (expression("b", "NotIn", json!(["1"])), Some(true)),
            (expression("a", "Exists", json!(null)), Some(true)),
            (expression("b", "Exists", json!([])), Some(false)),
            (expression("a", "DoesNotExist", json!([])), Some(false)),
            (expression("b", "DoesNotExist", json!([])), Some(true)),
            (
                json!({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}),
                Some(false),
            ),
            (
                json!({"matchLabels": {"a": "2"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}),
                Some(false),
            ),
            (expression("a", "In", json!([])), None),
            (expression("a", "NotIn", json!([])), None),
            (expression("a", "Exists", json!(["1"])), None),
            (expression("a", "DoesNotExist", json!(["1"])), None),
            (expression("a", "Gt", json!(["1"])), None),
            (expression("a", "In", json!([1])), None),
            (json!([]), None),
            (json!({"matchLabels": {"a": 1}}), None),
            (json!({"matchLabels": []}), None),
            (json!({"matchExpressions": {}}), None),
        ];
        for (selector, expected) in table {
            let told = matches(Some(&selector), |name| (name == "a").then_some("1"));
            assert_eq!(told, expected, "{selector}");
        }
        assert_eq!(matches(None, |_| None), Some(true));
    }

    #[test]
    fn a_selector_that_says_nothing_is_empty() {
        assert!(is_empty(&json!({})) && is_empty(&json!({"matchLabels": {}, "matchExpressions": []})));
        assert!(!is_empty(&json!({"matchLabels": {"a": "b"}})));
        assert!(!is_empty(
            &json!({"matchExpressions": [{"key": "a", "operator": "Exists"}]})
        ));
    }
}
