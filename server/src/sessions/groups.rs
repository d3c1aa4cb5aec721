//! From a provider's groups to Naru's.

use super::session::{GROUP, GROUPS};
use naru_domain::{Name, actor::reserved};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Groups that are looked at. Directories put a person into hundreds.
const CLAIMED: usize = 1_000;

/// What all of Naru's groups begin with.
const OURS: &str = "naru:";

/// Which claim names groups, and which of Naru's groups they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    claim: String,
    prefix: String,
    map: BTreeMap<String, Name>,
}

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not GROUP=naru:NAME, with a name of small letters, digits and hyphens")]
pub struct BadMapping(pub String);

/// Why a person's groups cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadGroups {
    /// The provider names one of Kubernetes' own.
    #[error("the provider names a group of Kubernetes' own (system:…)")]
    Reserved,
    /// More of Naru's groups than a session holds, or more claimed than are looked at.
    #[error("too many groups")]
    TooMany,
    /// The claim is neither a text nor a list of texts.
    #[error("the groups claim is no list of texts")]
    NoList,
}

impl Mapping {
    /// `pairs` are `GROUP=naru:NAME`; a group that none of them names stands for `naru:REST` if it begins with `prefix` (`naru:` itself, for
    /// example), and for nothing otherwise.
    pub fn new(claim: &str, prefix: &str, pairs: &[String]) -> Result<Self, BadMapping> {
        let read = |pair: &String| {
            let bad = || BadMapping(pair.clone());
            // The provider's own name may have `=` in it (an LDAP name), ours may not.
            let (group, ours) = pair.rsplit_once('=').ok_or_else(bad)?;
            if group.is_empty() || reserved(group) || !fits(ours) {
                return Err(bad());
            }
            Ok((group.to_owned(), ours.into()))
        };
        Ok(Self {
            claim: claim.into(),
            prefix: prefix.into(),
            map: pairs.iter().map(read).collect::<Result<_, _>>()?,
        })
    }

    /// Naru's groups out of a token's claims, in order of name. A claim that is absent is no group.
    pub fn of(&self, claims: &Value) -> Result<Vec<Name>, BadGroups> {
        // Some providers nest their claims: `realm_access.roles`. A claim of just that name comes first.
        let nested = || self.claim.split('.').try_fold(claims, |at, name| at.get(name));
        let claimed: Vec<&str> = match claims.get(&self.claim).or_else(nested) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => {
                let texts = many.iter().map(Value::as_str);
                texts.collect::<Option<_>>().ok_or(BadGroups::NoList)?
            }
            Some(_) => return Err(BadGroups::NoList),
        };
        if claimed.len() > CLAIMED {
            return Err(BadGroups::TooMany);
        }
        if claimed.iter().any(|group| reserved(group)) {
            return Err(BadGroups::Reserved);
        }
        let ours: BTreeSet<Name> = claimed.into_iter().filter_map(|group| self.one(group)).collect();
        if ours.len() > GROUPS {
            return Err(BadGroups::TooMany);
        }
        Ok(ours.into_iter().collect())
    }

    fn one(&self, group: &str) -> Option<Name> {
        if let Some(ours) = self.map.get(group) {
            return Some(ours.clone());
        }
        let rest = group.strip_prefix(&self.prefix)?;
        Some(format!("{OURS}{rest}"))
            .filter(|ours| fits(ours))
            .map(Name::from)
    }
}

fn fits(ours: &str) -> bool {
    let name = ours.strip_prefix(OURS).unwrap_or("");
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty() && ours.len() <= GROUP && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{BadGroups, Mapping};
    use serde_json::{Value, json};

    fn mapping() -> Mapping {
        let pairs = [
            "/ops/oncall=naru:operator",
            "cn=sec,dc=example=naru:security-officer",
        ]
        .map(str::to_owned);
        Mapping::new("groups", "naru:", &pairs).unwrap()
    }

    fn of(mapping: &Mapping, claims: &Value) -> Result<Vec<String>, BadGroups> {
        let names = mapping.of(claims)?;
        Ok(names.into_iter().map(|name| name.to_string()).collect())
    }

    #[test]
    fn groups_are_ours_by_prefix_or_by_name() {
        let mapping = mapping();
        let claimed = json!({"groups": ["naru:viewer", "/ops/oncall", "cn=sec,dc=example", "staff", "naru:", "naru:Ops", "naru:a b"]});
        assert_eq!(
            of(&mapping, &claimed).unwrap(),
            ["naru:operator", "naru:security-officer", "naru:viewer"]
        );
        assert_eq!(of(&mapping, &json!({})).unwrap(), [""; 0]);
        assert_eq!(of(&mapping, &json!({"groups": null})).unwrap(), [""; 0]);
        assert_eq!(
            of(&mapping, &json!({"groups": "naru:viewer"})).unwrap(),
            ["naru:viewer"]
        );
        let nested = Mapping::new("realm_access.roles", "console-", &[]).unwrap();
        assert_eq!(
            of(&nested, &json!({"realm_access": {"roles": ["console-viewer"]}})).unwrap(),
            ["naru:viewer"]
        );
    }

    #[test]
    fn what_is_not_ours_to_give_is_refused() {
        let mapping = mapping();
        for (groups, why) in [
            (json!(["naru:viewer", "system:masters"]), BadGroups::Reserved),
            (json!("System:masters"), BadGroups::Reserved),
            (json!(["naru:viewer", 3]), BadGroups::NoList),
            (json!({"naru:viewer": true}), BadGroups::NoList),
            (json!(true), BadGroups::NoList),
            (
                json!((0..17).map(|n| format!("naru:g{n}")).collect::<Vec<_>>()),
                BadGroups::TooMany,
            ),
            (json!(vec!["staff"; 1_001]), BadGroups::TooMany),
        ] {
            assert_eq!(of(&mapping, &json!({"groups": groups})), Err(why), "{groups}");
        }
        // An empty prefix makes every group ours by name, and still none of Kubernetes' own.
        let all = Mapping::new("groups", "", &[]).unwrap();
        assert_eq!(
            of(&all, &json!({"groups": ["system:masters"]})),
            Err(BadGroups::Reserved)
        );
    }

    #[test]
    fn a_mapping_leads_to_groups_of_ours_alone() {
        for pair in [
            "",
            "a",
            "=naru:a",
            "a=system:masters",
            "system:masters=naru:a",
            "a=b",
            "a=naru:",
            "a=naru:A",
            "a=naru:a b",
        ] {
            assert!(Mapping::new("groups", "", &[pair.to_owned()]).is_err(), "{pair}");
        }
    }
}
