//! What the API server refuses by schema and admission: the part that Naru's own writes can meet.
//!
//! What only the real one knows (CEL cost, every field of every schema, other webhooks) is not here: the contract suite runs there too.

pub(super) mod canary;
pub(super) mod ledger;

use super::schema;
use naru_domain::{
    Name,
    actor::{CLUSTER, NARU},
    change::plan::KINDS,
    object::Kind,
};
use naru_ports::As;
use serde_json::Value;

/// Refuses `new` in the API server's manner, or prunes it to its schema; `old` is what was there.
pub(super) fn validate(kind: Kind, old: Option<&Value>, new: &mut Value) -> Result<(), String> {
    metadata(new)?;
    if let Some(schema) = schema::of(kind) {
        schema::fit(schema, old, new)?;
    }
    match kind {
        Kind::Change | Kind::Proposal => at_home(new),
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

/// Naru's admission policies: a change targets its own namespace, and so does a proposal.
fn at_home(new: &Value) -> Result<(), String> {
    if new.pointer("/spec/target/namespace") == new.pointer("/metadata/namespace") {
        Ok(())
    } else {
        Err("spec.target.namespace is not the object's own".into())
    }
}

/// Naru's admission policies on new entries of the journal and on proposals: each is that of who asks, of a person for whom Naru asks or of a user with
/// credentials of their own. (Its last question, whether they may patch the target, is only asked in a cluster. There Naru itself has the right
/// to write one only in namespaces whose canaries it may move.)
pub(super) fn journal(who: As<'_>, new: &Value) -> Result<(), String> {
    let (sub, issuer, theirs) = match who {
        As::Person(person) => (&*person.sub, &*person.issuer, &*person.groups),
        As::Oneself(user) => (user, CLUSTER, &[] as &[Name]),
        As::Controller(_) => (NARU, CLUSTER, &[] as &[Name]),
    };
    let actor = |field: &str| new.pointer("/spec/actor").and_then(|it| it.get(field));
    let is = |field, wanted: &str| actor(field).and_then(Value::as_str) == Some(wanted);
    if sub.is_empty() || !is("sub", sub) || !is("issuer", issuer) {
        return Err("spec.actor is not who asks".into());
    }
    let kind = new.pointer("/spec/target/kind").and_then(Value::as_str);
    if !KINDS.iter().any(|it| Some(it.name()) == kind) {
        return Err("spec.target.kind is none of VirtualService, DestinationRule and HTTPRoute".into());
    }
    let groups = actor("groups")
        .and_then(Value::as_array)
        .map_or(&[] as &[Value], Vec::as_slice);
    if !groups
        .iter()
        .all(|it| theirs.iter().any(|group| it.as_str() == Some(&**group)))
    {
        return Err("spec.actor.groups has a group that who asks is not in".into());
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
    use super::{journal, validate};
    use naru_domain::{actor::Actor, object::Kind};
    use naru_ports::As;
    use serde_json::{Value, json};

    fn virtual_service(weights: &Value) -> Result<(), String> {
        let weights = weights.as_array().unwrap().iter();
        let routes: Vec<Value> = weights.map(|weight| json!({"weight": weight})).collect();
        let mut json = json!({"metadata": {"name": "a"}, "spec": {"http": [{"route": routes}]}});
        validate(Kind::VirtualService, None, &mut json)
    }

    #[test]
    fn weights_are_whole_numbers_from_zero_and_not_all_zero() {
        for good in [json!([90, 10]), json!([100, 0]), json!([1, 3]), json!([0])] {
            assert_eq!(virtual_service(&good), Ok(()), "{good}");
        }
        for bad in [
            json!([110, -10]),
            json!([0, 0]),
            json!(["90", 10]),
            json!([90.5, 9.5]),
        ] {
            assert!(virtual_service(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_and_labels_have_a_form() {
        let named = |name: &str| validate(Kind::Service, None, &mut json!({"metadata": {"name": name}}));
        assert!(named("a.b-1").is_ok());
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", "나루"] {
            assert!(named(bad).is_err(), "{bad}");
        }
        let mut labelled = json!({"metadata": {"name": "a", "labels": {"x": 1}}});
        assert!(validate(Kind::Service, None, &mut labelled).is_err());
    }

    fn entry(issuer: &str, sub: &str, group: &str, kind: &str) -> Value {
        json!({"metadata": {"namespace": "n"}, "spec": {"target": {"kind": kind},
            "actor": {"issuer": issuer, "sub": sub, "groups": [group]}}})
    }

    #[test]
    fn an_entry_is_written_by_who_it_names() {
        let person = Actor::loopback();
        let written = |who, sub, group| journal(who, &entry("naru:loopback", sub, group, "VirtualService"));
        assert_eq!(written(As::Person(&person), "operator", "naru:operator"), Ok(()));
        assert!(written(As::Controller("c"), "operator", "naru:operator").is_err());
        let mut moved = entry(
            "kubernetes",
            "system:serviceaccount:naru:naru",
            "",
            "VirtualService",
        );
        moved["spec"]["actor"]["groups"] = json!([]);
        assert_eq!(journal(As::Controller("c"), &moved), Ok(()));
        assert!(journal(As::Person(&person), &moved).is_err());
        assert!(written(As::Person(&person), "other", "naru:operator").is_err());
        assert!(written(As::Person(&person), "operator", "naru:admin").is_err());
        let other = entry(
            "naru:loopback",
            "operator",
            "naru:operator",
            "AuthorizationPolicy",
        );
        assert!(journal(As::Person(&person), &other).is_err());
    }

    #[test]
    fn a_user_of_the_cluster_writes_as_themselves_and_as_nobody_else() {
        let written = |user, issuer, sub, groups: &[&str]| {
            let mut entry = entry(issuer, sub, "", "VirtualService");
            entry["spec"]["actor"]["groups"] = json!(groups);
            journal(As::Oneself(user), &entry)
        };
        assert_eq!(written("alice", "kubernetes", "alice", &[]), Ok(()));
        for (user, issuer, sub, groups) in [
            ("alice", "kubernetes", "bob", &[] as &[&str]),
            ("alice", "https://id.example", "alice", &[]),
            ("alice", "kubernetes", "alice", &["system:masters"]),
            ("", "kubernetes", "", &[]),
        ] {
            assert!(
                written(user, issuer, sub, groups).is_err(),
                "{user} {issuer} {sub} {groups:?}"
            );
        }
    }
}
