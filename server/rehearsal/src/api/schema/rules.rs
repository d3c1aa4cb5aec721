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
        "self.stable.host != self.canary.host || (has(self.stable.subset) ? self.stable.subset : '') != (has(self.canary.subset) ? self.canary.subset : '')" =>
        {
            let part = |role: &str, field: &str| {
                let text = new.get(role)?.get(field)?.as_str();
                text.filter(|it| !it.is_empty()).map(str::to_owned)
            };
            ["host", "subset"]
                .iter()
                .any(|field| part("stable", field) != part("canary", field))
        }
        "self.map(it, it.weight).isSorted() && self.all(it, self.exists_one(other, other.weight == it.weight))" =>
        {
            let steps = new.as_array().map_or(&[] as &[Value], Vec::as_slice);
            steps
                .iter()
                .map(|it| it.get("weight").and_then(Value::as_i64))
                .is_sorted_by(|one, next| one < next)
        }
        "duration(self.replace(' ', '')) <= duration('24h')" => {
            let said = new.as_str().and_then(|it| it.parse::<SignedDuration>().ok());
            said.is_some_and(|it| it <= SignedDuration::from_hours(24))
        }
        // Of a Freeze: the store asks for the name where it admits.
        "self.metadata.name == 'naru'" => true,
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
    if let Some(kept) = kept(rule) {
        return kept.iter().all(|field| new.get(*field) == old.get(*field));
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

/// The fields that a rule keeps as they were: `self.F == oldSelf.F` of one that must be there, and of one that may be left out
/// `has(self.F) == has(oldSelf.F) && (!has(self.F) || self.F == oldSelf.F)`, any number of them joined by `&&`.
fn kept(rule: &str) -> Option<Vec<&str>> {
    let mut fields = Vec::new();
    let mut rest = rule;
    loop {
        let named = rest
            .strip_prefix("has(self.")
            .or_else(|| rest.strip_prefix("self."))?;
        let field = named.split(|it: char| !it.is_alphanumeric()).next()?;
        let there = format!("self.{field} == oldSelf.{field}");
        let either = format!("has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || {there})");
        rest = rest.strip_prefix(&either).or_else(|| rest.strip_prefix(&there))?;
        fields.push(field);
        if rest.is_empty() {
            return Some(fields);
        }
        rest = rest.strip_prefix(" && ")?;
    }
}
