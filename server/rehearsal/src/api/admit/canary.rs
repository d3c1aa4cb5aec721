//! Naru's admission policies on canaries and the freeze (`k8s/base/canaries.yaml`).

use super::ledger::{Refusal, Writing};
use naru_domain::{
    Name,
    actor::{CLUSTER, NARU},
    freeze,
    object::Kind,
};
use naru_ports::As;
use serde_json::Value;

/// Asks the policies. `may_move` says whether who asks may patch the VirtualService of a namespace and name.
pub(in crate::api) fn ask(it: &Writing<'_>, may_move: impl Fn(&str, &str) -> bool) -> Result<(), Refusal> {
    match it.key.kind {
        Kind::Canary if it.status => match it.who {
            As::Controller(_) => Ok(()),
            As::Person(_) | As::Oneself(_) => Err(Refusal::Invalid(
                "a Canary's status is written by Naru, and by nobody else",
            )),
        },
        Kind::Canary => canary(it, may_move),
        Kind::Freeze if !it.status => frozen(it),
        _ => Ok(()),
    }
}

/// Who asks, as issuer, subject and groups; those of a user of the cluster are the API server's business.
fn who<'a>(it: &Writing<'a>) -> (&'a str, &'a str, &'a [Name]) {
    match it.who {
        As::Person(person) => (&person.issuer, &person.sub, &person.groups),
        As::Oneself(user) => (CLUSTER, user, &[]),
        As::Controller(_) => (CLUSTER, NARU, &[]),
    }
}

fn canary(it: &Writing<'_>, may_move: impl Fn(&str, &str) -> bool) -> Result<(), Refusal> {
    let spec = |json: Option<&Value>| json.and_then(|it| it.get("spec").cloned()).unwrap_or_default();
    let (old, new) = (it.old.map(|old| spec(Some(old))), spec(it.new));
    // Deleting is a way to stop it; labels are nobody's order.
    if it.new.is_none() || old.as_ref() == Some(&new) {
        return Ok(());
    }
    if matches!(it.who, As::Controller(_)) {
        return Err(Refusal::Invalid(
            "a Canary is begun and steered by people, not by Naru",
        ));
    }
    let text = |pointer: &str| new.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    if old.is_none() {
        let (issuer, subject, _) = who(it);
        if (text("/approvedBy/issuer"), text("/approvedBy/subject")) != (issuer, subject) {
            return Err(Refusal::Invalid("spec.approvedBy is not who asks"));
        }
        if matches!(it.who, As::Oneself(user) if !["", user].contains(&text("/approvedBy/name"))) {
            return Err(Refusal::Invalid("spec.approvedBy.name is not who asks"));
        }
        let at_home = |host: &str| {
            let mut parts = host.split('.').skip(1);
            !host.contains('.') || (parts.next() == Some(&*it.key.namespace) && parts.next() == Some("svc"))
        };
        if !at_home(text("/stable/host")) || !at_home(text("/canary/host")) {
            return Err(Refusal::Invalid(
                "spec.stable.host and spec.canary.host are services of the Canary's own namespace",
            ));
        }
    }
    if may_move(&it.key.namespace, text("/route/name")) {
        Ok(())
    } else {
        Err(Refusal::Forbidden(
            "who asks may not patch the VirtualService that this Canary moves",
        ))
    }
}

fn frozen(it: &Writing<'_>) -> Result<(), Refusal> {
    if matches!(it.who, As::Controller(_)) {
        return Err(Refusal::Invalid(
            "a Freeze is made and lifted by people, not by Naru",
        ));
    }
    let (Some(new), None) = (it.new, it.old) else {
        return Ok(());
    };
    if &*it.key.name != freeze::NAME {
        return Err(Refusal::Invalid("there is one freeze, and it is called naru"));
    }
    let (issuer, sub, groups) = who(it);
    let actor = new.pointer("/spec/actor").unwrap_or(&Value::Null);
    let text = |field: &str| actor.get(field).and_then(Value::as_str).unwrap_or("");
    if (text("issuer"), text("sub")) != (issuer, sub) {
        return Err(Refusal::Invalid("spec.actor is not who asks"));
    }
    if matches!(it.who, As::Oneself(user) if !["", user].contains(&text("name"))) {
        return Err(Refusal::Invalid("spec.actor.name is not who asks"));
    }
    let said = actor.get("groups").and_then(Value::as_array);
    let theirs = |group: &Value| groups.iter().any(|it| group.as_str() == Some(&**it));
    if said.is_none_or(|said| said.iter().all(theirs)) {
        Ok(())
    } else {
        Err(Refusal::Invalid(
            "spec.actor.groups has a group that who asks is not in",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::ask;
    use crate::api::admit::ledger::{Refusal, Writing};
    use naru_domain::{
        actor::Actor,
        object::{Key, Kind},
    };
    use naru_ports::As;
    use serde_json::{Value, json};

    fn canary(issuer: &str, subject: &str, host: &str) -> Value {
        json!({"spec": {"approvedBy": {"issuer": issuer, "subject": subject, "name": subject}, "route": {"name": "shop", "rule": 0},
            "stable": {"host": "shop", "subset": "v1"}, "canary": {"host": host, "subset": "v2"}}})
    }

    fn asked(
        who: As<'_>,
        kind: Kind,
        old: Option<&Value>,
        new: Option<&Value>,
        status: bool,
        may: bool,
    ) -> Result<(), Refusal> {
        let key = match kind {
            Kind::Freeze => naru_domain::freeze::key(),
            _ => Key::new(kind, "n", "c"),
        };
        let writing = Writing {
            who,
            key: &key,
            old,
            new,
            status,
        };
        ask(&writing, |namespace, name| {
            may && (namespace, name) == ("n", "shop")
        })
    }

    #[test]
    fn a_canary_is_that_of_who_asks_and_steered_by_who_may_move_it() {
        let person = Actor::loopback();
        let mine = canary("naru:loopback", "operator", "shop");
        let alices = canary("kubernetes", "alice", "shop");
        let (person, alice, naru) = (
            As::Person(&person),
            As::Oneself("alice"),
            As::Controller("canary"),
        );
        let created = |who, new: &Value| asked(who, Kind::Canary, None, Some(new), false, true);
        assert_eq!(created(person, &mine), Ok(()));
        assert_eq!(created(alice, &alices), Ok(()));
        assert_eq!(
            created(
                person,
                &canary("naru:loopback", "operator", "shop.n.svc.cluster.local")
            ),
            Ok(())
        );
        for (who, new) in [
            (person, &alices),
            (alice, &mine),
            (alice, &canary("kubernetes", "bob", "shop")),
            (
                naru,
                &canary("kubernetes", "system:serviceaccount:naru:naru", "shop"),
            ),
            (
                person,
                &canary("naru:loopback", "operator", "shop.other.svc.cluster.local"),
            ),
            (person, &canary("naru:loopback", "operator", "shop.other")),
            (person, &canary("naru:loopback", "operator", "shop.n")),
        ] {
            assert!(created(who, new).is_err(), "{new}");
        }
        let mut steered = mine.clone();
        steered["spec"]["course"] = json!("abort");
        let steer = |who, may| asked(who, Kind::Canary, Some(&mine), Some(&steered), false, may);
        assert_eq!((steer(person, true), steer(alice, true)), (Ok(()), Ok(())));
        assert!(matches!(steer(person, false), Err(Refusal::Forbidden(_))));
        assert!(matches!(steer(naru, true), Err(Refusal::Invalid(_))));
        assert_eq!(
            asked(person, Kind::Canary, Some(&mine), None, false, false),
            Ok(())
        );
        assert_eq!(
            asked(naru, Kind::Canary, Some(&mine), Some(&mine), true, false),
            Ok(())
        );
        assert!(asked(person, Kind::Canary, Some(&mine), Some(&mine), true, true).is_err());
    }

    #[test]
    fn a_freeze_is_that_of_who_asks_and_nothing_of_narus() {
        let person = Actor::loopback();
        let actor = |issuer: &str, sub: &str, groups: &[&str]| json!({"spec": {"actor": {"issuer": issuer, "sub": sub, "name": sub, "groups": groups}}});
        let mine = actor("naru:loopback", "operator", &["naru:operator"]);
        let created = |who, new: &Value| asked(who, Kind::Freeze, None, Some(new), false, false);
        assert_eq!(created(As::Person(&person), &mine), Ok(()));
        assert_eq!(
            created(As::Oneself("alice"), &actor("kubernetes", "alice", &[])),
            Ok(())
        );
        let naru = actor("kubernetes", "system:serviceaccount:naru:naru", &[]);
        for (who, new) in [
            (
                As::Person(&person),
                &actor("naru:loopback", "operator", &["naru:platform-admin"]),
            ),
            (As::Person(&person), &actor("naru:loopback", "other", &[])),
            (As::Oneself("alice"), &mine),
            (As::Controller("canary"), &naru),
        ] {
            assert!(created(who, new).is_err(), "{new}");
        }
        let lifted = |who| asked(who, Kind::Freeze, Some(&mine), None, false, false);
        assert_eq!(lifted(As::Oneself("alice")), Ok(()));
        assert!(lifted(As::Controller("canary")).is_err());
    }
}
