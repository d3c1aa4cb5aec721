//! What the API server refuses by schema and admission: the part that Naru's own writes can meet.
//!
//! What only the real one knows (CEL cost, every field of every schema, other webhooks) is not here: the contract suite runs there too.

use naru_domain::object::Kind;
use serde_json::Value;

/// The longest reason, in characters.
const REASON_MAX: usize = 500;

/// Refuses `new` in the API server's manner; `old` is what was there.
pub(super) fn validate(kind: Kind, old: Option<&Value>, new: &Value) -> Result<(), String> {
    metadata(new)?;
    match kind {
        Kind::Change => change(old, new),
        Kind::VirtualService => virtual_service(new),
        _ => Ok(()),
    }
}

fn metadata(new: &Value) -> Result<(), String> {
    let name = new
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or("");
    // RFC 1123 subdomain, as most kinds demand.
    let part_fits = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(part_fits) {
        return Err(format!(
            "metadata.name: Invalid value: \"{name}\": a lowercase RFC 1123 subdomain is wanted"
        ));
    }
    for field in ["labels", "annotations"] {
        let fits = match new.pointer("/metadata").and_then(|it| it.get(field)) {
            None | Some(Value::Null) => true,
            Some(Value::Object(map)) => map.values().all(Value::is_string),
            Some(_) => false,
        };
        if !fits {
            return Err(format!(
                "metadata.{field}: Invalid value: a map of strings is wanted"
            ));
        }
    }
    Ok(())
}

/// Naru's CRD: `self == oldSelf` on spec, a reason of bounded length, and no reaching into another namespace.
fn change(old: Option<&Value>, new: &Value) -> Result<(), String> {
    let null = Value::Null;
    let spec = |it: &Value| it.get("spec").cloned().unwrap_or(Value::Null);
    if old.is_some_and(|old| spec(old) != spec(new)) {
        return Err("spec: Invalid value: \"object\": spec is immutable".into());
    }
    if !new.get("spec").unwrap_or(&null).is_object() {
        return Err("spec: Required value".into());
    }
    if let Some(reason) = new.pointer("/spec/reason") {
        let length = reason.as_str().map_or(0, |it| it.chars().count());
        if length == 0 || length > REASON_MAX {
            return Err(format!(
                "spec.reason: Invalid value: 1 to {REASON_MAX} characters are wanted, there are {length}"
            ));
        }
    }
    let home = new
        .pointer("/metadata/namespace")
        .and_then(Value::as_str)
        .unwrap_or("");
    if let Some(target) = new.pointer("/spec/target/namespace").and_then(Value::as_str)
        && target != home
    {
        return Err(format!(
            "spec.target.namespace: Invalid value: \"{target}\": a change targets its own namespace"
        ));
    }
    Ok(())
}

/// Istio's schema and webhook, as far as weights go (istio.io/istio, `pkg/config/validation`, `validateWeights`).
fn virtual_service(new: &Value) -> Result<(), String> {
    for (r, rule) in new
        .pointer("/spec/http")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let routes = rule
            .get("route")
            .and_then(Value::as_array)
            .map_or(&[] as &[Value], Vec::as_slice);
        let mut sum = 0;
        for (d, route) in routes.iter().enumerate() {
            sum += match route.get("weight") {
                None => 0,
                Some(weight) => match weight.as_i64() {
                    Some(weight @ 0..=2_147_483_647) => weight,
                    Some(weight) => return Err(format!("spec.http[{r}].route[{d}].weight {weight} < 0")),
                    None => {
                        return Err(format!(
                            "spec.http[{r}].route[{d}].weight: Invalid value: must be of type integer"
                        ));
                    }
                },
            };
        }
        if routes.len() > 1 && sum == 0 {
            return Err(format!("spec.http[{r}]: total destination weight = 0"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::validate;
    use naru_domain::object::Kind;
    use serde_json::{Value, json};

    fn virtual_service(weights: Value) -> Result<(), String> {
        let routes: Vec<Value> = weights
            .as_array()
            .unwrap()
            .iter()
            .map(|weight| json!({"weight": weight}))
            .collect();
        validate(
            Kind::VirtualService,
            None,
            &json!({"metadata": {"name": "a"}, "spec": {"http": [{"route": routes}]}}),
        )
    }

    #[test]
    fn weights_are_whole_numbers_from_zero_and_not_all_zero() {
        for good in [json!([90, 10]), json!([100, 0]), json!([1, 3]), json!([0])] {
            assert_eq!(virtual_service(good.clone()), Ok(()), "{good}");
        }
        for bad in [
            json!([110, -10]),
            json!([0, 0]),
            json!(["90", 10]),
            json!([90.5, 9.5]),
        ] {
            assert!(virtual_service(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_and_labels_have_a_form() {
        let named = |name: &str| validate(Kind::Service, None, &json!({"metadata": {"name": name}}));
        assert!(named("a.b-1").is_ok());
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", "나루"] {
            assert!(named(bad).is_err(), "{bad}");
        }
        assert!(
            validate(
                Kind::Service,
                None,
                &json!({"metadata": {"name": "a", "labels": {"x": 1}}})
            )
            .is_err()
        );
    }

    #[test]
    fn a_change_stays_at_home_and_as_it_was_written() {
        let change = |target: &str, reason: &str| json!({"metadata": {"name": "c", "namespace": "n"}, "spec": {"target": {"namespace": target}, "reason": reason}});
        let check = |old: Option<&Value>, new: &Value| validate(Kind::Change, old, new);
        assert_eq!(check(None, &change("n", "why")), Ok(()));
        assert!(check(None, &change("m", "why")).is_err());
        assert!(check(None, &change("n", "")).is_err());
        assert_eq!(check(None, &change("n", &"가".repeat(500))), Ok(()));
        assert!(check(None, &change("n", &"가".repeat(501))).is_err());
        assert!(check(Some(&change("n", "why")), &change("n", "other")).is_err());
        assert_eq!(check(Some(&change("n", "why")), &change("n", "why")), Ok(()));
    }
}
