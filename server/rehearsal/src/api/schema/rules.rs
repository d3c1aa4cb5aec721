//! The rules of Naru's own definitions (`x-kubernetes-validations`), by their text. One that is not known here does not hold: better to
//! refuse than to let pass what a cluster would not.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Whether a rule holds. One with `oldSelf` is for updates alone.
pub(super) fn holds(rule: &str, old: Option<&Value>, new: &Value) -> bool {
    match (rule.contains("oldSelf"), old) {
        (true, None) => true,
        (true, Some(old)) => of_update(rule, old, new),
        (false, _) => of_object(rule, new),
    }
}

fn of_object(rule: &str, new: &Value) -> bool {
    let has = |field: &str| new.get(field).is_some();
    let time = |field: &str| -> Option<Timestamp> { new.get(field)?.as_str()?.parse().ok() };
    match rule {
        "!(has(self.accepted) && has(self.refused))" => !(has("accepted") && has("refused")),
        "!(has(self.started) && has(self.ended)) || timestamp(self.started) <= timestamp(self.ended)" => {
            let both = time("started").zip(time("ended"));
            both.is_none_or(|(started, ended)| started <= ended)
        }
        "timestamp(self.until) > timestamp(self.at) && timestamp(self.until) - timestamp(self.at) <= duration('4320h')" => {
            time("until").zip(time("at")).is_some_and(|(until, at)| {
                until > at && until.duration_since(at) <= SignedDuration::from_hours(4320)
            })
        }
        // Metadata is no part of what is looked at here; the store asks for the number where it admits.
        "self.metadata.name.matches('^[0-9]{6}$') && self.metadata.name != '000000'" => true,
        _ => false,
    }
}

fn of_update(rule: &str, old: &Value, new: &Value) -> bool {
    let had = |field: &str| old.get(field).is_some();
    let has = |field: &str| new.get(field).is_some();
    if let Some(field) = set_once(rule) {
        return !had(field) || new.get(field) == old.get(field);
    }
    match rule {
        "self == oldSelf" => new == old,
        "!has(oldSelf.status) || has(self.status)" => !had("status") || has("status"),
        "!has(oldSelf.refused) || self == oldSelf" => !had("refused") || new == old,
        "!has(oldSelf.accepted) || has(oldSelf.countersignature) == has(self.countersignature)" => {
            !had("accepted") || had("countersignature") == has("countersignature")
        }
        "self.phase == oldSelf.phase || !(oldSelf.phase in ['Landed', 'NotCarriedOut'])" => {
            let ended = matches!(
                old.get("phase").and_then(Value::as_str),
                Some("Landed" | "NotCarriedOut")
            );
            new.get("phase") == old.get("phase") || !ended
        }
        _ => false,
    }
}

/// The field of `!has(oldSelf.F) || (has(self.F) && self.F == oldSelf.F)`.
fn set_once(rule: &str) -> Option<&str> {
    let (field, _) = rule.strip_prefix("!has(oldSelf.")?.split_once(')')?;
    let whole = format!("!has(oldSelf.{field}) || (has(self.{field}) && self.{field} == oldSelf.{field})");
    (rule == whole).then_some(field)
}
