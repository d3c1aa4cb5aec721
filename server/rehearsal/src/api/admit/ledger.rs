//! Naru's admission policies on what people put their names to (`k8s/base/ledger.yaml`), each as long as it and its binding are there.

use naru_domain::{
    actor::{Actor, NARU},
    crossing::{import::IMPORTED_BY, signoff::number_of},
    object::{Key, Kind},
};
use naru_ports::As;
use serde_json::Value;

/// A write to one of these kinds.
pub(in crate::api) struct Writing<'a> {
    /// Who asks.
    pub(in crate::api) who: As<'a>,
    /// What it is.
    pub(in crate::api) key: &'a Key,
    /// What was there.
    pub(in crate::api) old: Option<&'a Value>,
    /// What is to be there; None for a deletion.
    pub(in crate::api) new: Option<&'a Value>,
    /// Only the status is written.
    pub(in crate::api) status: bool,
}

/// Refused in the API server's manner.
#[derive(Debug, PartialEq)]
pub(in crate::api) enum Refusal {
    /// 422.
    Invalid(&'static str),
    /// 403.
    Forbidden(&'static str),
}

/// Asks the policies. `in_force` says whether the one of a name is, `may` whether somebody has a right on a kind by a name.
pub(in crate::api) fn ask(
    it: &Writing<'_>,
    in_force: impl Fn(&str) -> bool,
    may: impl Fn(As<'_>, &'static str, Kind, &str) -> bool,
) -> Result<(), Refusal> {
    let asks = |verb, kind, name: &str| may(it.who, verb, kind, name);
    if imported(it) && asks("import", it.key.kind, "") {
        return Ok(());
    }
    match it.key.kind {
        Kind::Evidence if in_force("naru-evidence") => evidence(it),
        Kind::SignOff if it.status => match in_force("naru-signoffs-status") {
            true => status(it, asks),
            false => Ok(()),
        },
        Kind::SignOff => {
            // The definition's own rule, which is there without any policy.
            if number_of(&it.key.name).is_none() {
                return invalid("a SignOff is called by its number");
            }
            match in_force("naru-signoffs") {
                true => written(it, |spec| asks("sign", Kind::SignOff, text(spec, "/item"))),
                false => Ok(()),
            }
        }
        Kind::Waiver if in_force("naru-passed-over") => {
            written(it, |spec| asks("waive", Kind::Waiver, text(spec, "/item")))
        }
        Kind::Exception if in_force("naru-passed-over") => {
            written(it, |spec| asks("except", Kind::Exception, text(spec, "/code")))
        }
        Kind::Report if in_force("naru-reports") => report(it, asks),
        _ => Ok(()),
    }
}

/// Brought in from a file by who says so, or about to become what it was there.
fn imported(it: &Writing<'_>) -> bool {
    let by = |json: &Value| {
        let said = json
            .pointer("/metadata/annotations")
            .and_then(|it| it.get(IMPORTED_BY));
        matches!(it.who, As::Oneself(user) if said.and_then(Value::as_str) == Some(user))
    };
    match (it.old, it.new) {
        (None, Some(new)) => by(new),
        (Some(old), Some(_)) => it.status && old.get("status").is_none() && by(old),
        (_, None) => false,
    }
}

fn evidence(it: &Writing<'_>) -> Result<(), Refusal> {
    match (it.new, it.who) {
        (None, _) => invalid("Evidence is never deleted"),
        (_, As::Person(_) | As::Oneself(_)) => invalid("Evidence is written by Naru, and by nobody else"),
        (Some(_), As::Controller(_)) => Ok(()),
    }
}

/// What is handed in, by whoever asks: a pipeline as itself, a person through Naru.
fn report(it: &Writing<'_>, may: impl Fn(&'static str, Kind, &str) -> bool) -> Result<(), Refusal> {
    let Some(new) = it.new else {
        return invalid("a Report is never deleted");
    };
    if it.old.is_some() {
        return Ok(());
    }
    let spec = new.get("spec").unwrap_or(&Value::Null);
    let said = ["user", "sub", "issuer"].map(|field| text(spec, &format!("/by/{field}")));
    let asks = match it.who {
        As::Person(person) => ["naru:person", &*person.sub, &*person.issuer],
        As::Controller(_) => [NARU, "", ""],
        As::Oneself(user) => [user, "", ""],
    };
    if said != asks {
        return invalid("spec.by is not who asks");
    }
    if may("submit", Kind::Report, text(spec, "/item")) {
        Ok(())
    } else {
        Err(Refusal::Forbidden(
            "who asks may not hand anything in for this item",
        ))
    }
}

/// What a person creates, and what they take back.
fn written(it: &Writing<'_>, right: impl Fn(&Value) -> bool) -> Result<(), Refusal> {
    let Some(new) = it.new else {
        return invalid("what people put their names to is never deleted");
    };
    let spec = new.get("spec").unwrap_or(&Value::Null);
    let set = set_now(it, "revoked");
    let actor = match (it.old, set) {
        (None, _) => spec.get("actor"),
        (Some(_), Some(revoked)) => revoked.get("actor"),
        (Some(_), None) => return Ok(()),
    };
    let As::Person(person) = it.who else {
        return invalid("it is written by Naru for a person, and by nobody else");
    };
    is_who_asks(actor, person)?;
    if right(spec) {
        Ok(())
    } else {
        Err(Refusal::Forbidden("who asks has no right to this"))
    }
}

/// What becomes of a signature.
fn status(it: &Writing<'_>, may: impl Fn(&'static str, Kind, &str) -> bool) -> Result<(), Refusal> {
    let decided = ["accepted", "refused", "reopened"]
        .into_iter()
        .any(|field| set_now(it, field).is_some());
    let person = match it.who {
        As::Person(person) => Some(person),
        As::Controller(_) | As::Oneself(_) => None,
    };
    if decided && !matches!(it.who, As::Controller(_)) {
        return invalid("a SignOff is accepted, refused and reopened by Naru, and by nobody else");
    }
    let spec = it.new.and_then(|it| it.get("spec")).unwrap_or(&Value::Null);
    for field in ["countersignature", "revoked"] {
        let Some(act) = set_now(it, field) else {
            continue;
        };
        let Some(person) = person else {
            return invalid("status.actor is not who asks");
        };
        is_who_asks(act.get("actor"), person)?;
        let same =
            |pointer: &str| text(act, &format!("/actor{pointer}")) == text(spec, &format!("/actor{pointer}"));
        if field == "countersignature" && same("/sub") && same("/issuer") {
            return invalid("who has signed cannot counter-sign");
        }
        if !may("sign", Kind::SignOff, text(spec, "/item")) {
            return Err(Refusal::Forbidden("who asks may not sign this item"));
        }
    }
    Ok(())
}

/// A field of the status that this write sets.
fn set_now<'a>(it: &Writing<'a>, field: &str) -> Option<&'a Value> {
    let of = |it: &'a Value| it.get("status").and_then(|status| status.get(field));
    if it.old.and_then(of).is_some() {
        return None;
    }
    it.new.and_then(of)
}

fn is_who_asks(actor: Option<&Value>, person: &Actor) -> Result<(), Refusal> {
    let actor = actor.unwrap_or(&Value::Null);
    let groups = actor.get("groups").and_then(Value::as_array);
    let known = |group: &Value| person.groups.iter().any(|it| group.as_str() == Some(&**it));
    let theirs = groups.is_none_or(|groups| groups.iter().all(known));
    if text(actor, "/sub") == &*person.sub && text(actor, "/issuer") == &*person.issuer && theirs {
        Ok(())
    } else {
        invalid("the actor is not who asks")
    }
}

fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn invalid(said: &'static str) -> Result<(), Refusal> {
    Err(Refusal::Invalid(said))
}
