//! The objects with policies that refuse only whom they refuse whatever he asks: nobody has said which paths, methods, headers and tokens a call has, so that a
//! refusal by those would be a guess.

use crate::{
    object::{Kind, Object},
    snapshot::Objects,
};
use serde_json::{Value, json};

/// The same system; what its policies let in is at least what they let in there.
pub(super) fn relaxed(mut objects: Objects) -> Objects {
    let kinds = [Kind::AuthorizationPolicy, Kind::RequestAuthentication];
    let policies: Vec<Object> = kinds
        .iter()
        .flat_map(|&kind| objects.of_kind(kind))
        .cloned()
        .collect();
    for policy in policies {
        match without_requests(&policy) {
            Some(object) => drop(objects.whole.insert(policy.key().clone(), object)),
            None => drop(objects.whole.remove(policy.key())),
        }
    }
    objects
}

fn without_requests(policy: &Object) -> Option<Object> {
    if policy.key().kind == Kind::RequestAuthentication {
        return None;
    }
    let action = policy.text("/spec/action");
    if action == "CUSTOM" {
        return None;
    }
    let mut json = policy.json().clone();
    let rules = json.pointer_mut("/spec/rules").and_then(Value::as_array_mut);
    if let Some(rules) = rules {
        if action == "DENY" {
            let some = !rules.is_empty();
            rules.retain(|rule| {
                let mut plain = rule.clone();
                widen(&mut plain);
                plain == *rule
            });
            if some && rules.is_empty() {
                return None;
            }
        } else {
            rules.iter_mut().for_each(widen);
        }
    }
    Object::new(policy.key().kind, json).ok()
}

/// Takes out what is about the request rather than about who asks, and at which port.
fn widen(rule: &mut Value) {
    let Some(rule) = rule.as_object_mut() else { return };
    if let Some(operations) = rule.get_mut("to").and_then(Value::as_array_mut) {
        for entry in operations.iter_mut() {
            if let Some(operation) = entry.get_mut("operation").and_then(Value::as_object_mut) {
                operation.retain(|name, _| matches!(name.as_str(), "ports" | "notPorts"));
            }
        }
    }
    if let Some(sources) = rule.get_mut("from").and_then(Value::as_array_mut) {
        const TOKEN: [&str; 4] = [
            "requestPrincipals",
            "notRequestPrincipals",
            "remoteIpBlocks",
            "notRemoteIpBlocks",
        ];
        for entry in sources.iter_mut() {
            if let Some(source) = entry.get_mut("source").and_then(Value::as_object_mut) {
                source.retain(|name, _| !TOKEN.contains(&name.as_str()));
            }
        }
    }
    if let Some(conditions) = rule.get_mut("when") {
        let about_the_peer = |it: &Value| {
            let key = it.get("key").and_then(Value::as_str).unwrap_or("");
            key.starts_with("source.") || key.starts_with("destination.")
        };
        match conditions.as_array_mut() {
            Some(list) => list.retain(about_the_peer),
            None => *conditions = json!([]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_requests;
    use crate::object::{Kind, Object};
    use serde_json::{Value, json};

    fn spec(spec: &Value) -> Option<Value> {
        let json = json!({"metadata": {"name": "p", "namespace": "n"}, "spec": spec});
        let object = Object::new(Kind::AuthorizationPolicy, json).unwrap();
        Some(without_requests(&object)?.get("/spec").unwrap().clone())
    }

    #[test]
    fn who_asks_stays_and_what_is_asked_goes() {
        let from = json!([{"source": {"principals": ["a"], "requestPrincipals": ["*"]}}]);
        let to = json!([{"operation": {"paths": ["/a"], "ports": ["80"]}}]);
        let when = json!([{"key": "request.auth.claims[x]", "values": ["y"]}, {"key": "source.namespace", "values": ["z"]}]);
        let relaxed = spec(&json!({"rules": [{"from": from, "to": to, "when": when}]})).unwrap();
        let wanted = json!({"rules": [{"from": [{"source": {"principals": ["a"]}}], "to": [{"operation": {"ports": ["80"]}}],
            "when": [{"key": "source.namespace", "values": ["z"]}]}]});
        assert_eq!(relaxed, wanted);
    }

    #[test]
    fn a_refusal_stays_only_where_it_hits_whatever_is_asked() {
        let who = json!({"from": [{"source": {"namespaces": ["a"]}}]});
        let path = json!({"to": [{"operation": {"paths": ["/admin"]}}]});
        let relaxed = spec(&json!({"action": "DENY", "rules": [who, path]})).unwrap();
        assert_eq!(relaxed, json!({"action": "DENY", "rules": [who]}));
        assert_eq!(spec(&json!({"action": "DENY", "rules": [path]})), None);
        assert_eq!(spec(&json!({"action": "CUSTOM", "rules": [who]})), None);
    }

    #[test]
    fn a_policy_that_allows_nothing_goes_on_doing_so() {
        assert_eq!(spec(&json!({})), Some(json!({})));
    }
}
