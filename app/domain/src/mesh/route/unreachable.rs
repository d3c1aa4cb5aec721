//! Rules that no request reaches, and matches that say again what an earlier one said. (`analyzeUnreachableHTTPRules` and its likes in
//! istio's `pkg/config/validation`; messages IST0130 and IST0131.)

use crate::{mesh::Decider, object::Object};
use serde_json::Value;
use std::collections::BTreeMap;

/// Why a rule or a match is in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vain {
    /// A rule without matches comes before it, and takes everything.
    AfterCatchAll,
    /// All its matches are those of earlier rules.
    AllTaken,
    /// This match says the same as an earlier one.
    Duplicate,
}

/// A rule or match in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// The rule (`/spec/http/2`) or its match (`/spec/http/2/match/0`).
    pub at: Decider,
    /// Why.
    pub vain: Vain,
    /// What takes its requests.
    pub by: Decider,
}

/// Rules and matches of a VirtualService that are in vain, in order, of `http`, `tls` and `tcp`.
pub fn unreachable(virtual_service: &Object) -> Vec<Unreachable> {
    let kinds = ["http", "tls", "tcp"];
    kinds.iter().flat_map(|kind| of(virtual_service, kind)).collect()
}

fn of(object: &Object, kind: &str) -> Vec<Unreachable> {
    let at = |path: String| Decider::of(object, format!("/spec/{kind}/{path}"));
    let mut found = Vec::new();
    let mut taken: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut catch_all: Option<usize> = None;
    for (index, rule) in object.list(&format!("/spec/{kind}")).iter().enumerate() {
        let matches = rule
            .get("match")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let mut put = |path: String, vain, by: String| {
            found.push(Unreachable {
                at: at(path),
                vain,
                by: at(by),
            })
        };
        if let Some(by) = catch_all {
            put(index.to_string(), Vain::AfterCatchAll, by.to_string());
            continue;
        }
        if matches.is_empty() {
            catch_all = Some(index);
            continue;
        }
        let mut duplicates = Vec::new();
        for (position, block) in matches.iter().enumerate() {
            match taken.get(&said(block)) {
                Some((rule, earlier)) => duplicates.push((position, format!("{rule}/match/{earlier}"))),
                None => drop(taken.insert(said(block), (index, position))),
            }
        }
        let all = duplicates.len() == matches.len();
        for (position, by) in duplicates {
            if all && position == 0 {
                put(index.to_string(), Vain::AllTaken, by.clone());
            }
            put(format!("{index}/match/{position}"), Vain::Duplicate, by);
        }
    }
    found
}

/// What a match asks, without its name; the order of fields does not count.
fn said(block: &Value) -> String {
    let mut block = block.clone();
    if let Some(map) = block.as_object_mut() {
        map.shift_remove("name");
    }
    block.sort_all_objects();
    block.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Vain, unreachable};
    use crate::object::{Kind, Object};
    use serde_json::{Value, json};

    fn found(spec: &Value) -> Vec<(String, Vain, String)> {
        let json = json!({"metadata": {"name": "v", "namespace": "n"}, "spec": spec});
        let all = unreachable(&Object::new(Kind::VirtualService, json).unwrap());
        all.into_iter()
            .map(|it| (it.at.path.to_string(), it.vain, it.by.path.to_string()))
            .collect()
    }

    #[test]
    fn after_a_rule_without_matches_nothing_is_reached() {
        let spec = json!({"http": [{"match": [{"uri": {"prefix": "/a"}}]}, {}, {"match": [{"uri": {"prefix": "/b"}}]}, {}]});
        assert_eq!(
            found(&spec),
            [
                ("/spec/http/2".into(), Vain::AfterCatchAll, "/spec/http/1".into()),
                ("/spec/http/3".into(), Vain::AfterCatchAll, "/spec/http/1".into())
            ]
        );
    }

    #[test]
    fn a_match_said_again_is_in_vain_whatever_its_name_and_order() {
        let spec = json!({"http": [
            {"match": [{"uri": {"prefix": "/a"}, "port": 80}]},
            {"match": [{"name": "again", "port": 80, "uri": {"prefix": "/a"}}, {"uri": {"exact": "/b"}}]},
            {"match": [{"uri": {"exact": "/b"}}]}]});
        assert_eq!(
            found(&spec),
            [
                (
                    "/spec/http/1/match/0".into(),
                    Vain::Duplicate,
                    "/spec/http/0/match/0".into()
                ),
                (
                    "/spec/http/2".into(),
                    Vain::AllTaken,
                    "/spec/http/1/match/1".into()
                ),
                (
                    "/spec/http/2/match/0".into(),
                    Vain::Duplicate,
                    "/spec/http/1/match/1".into()
                )
            ]
        );
    }

    #[test]
    fn kinds_of_rules_are_apart_and_nonsense_is_nothing() {
        assert!(found(&json!({"http": [{}], "tcp": [{}], "tls": [{}]})).is_empty());
        assert!(found(&json!({"http": 3, "tls": [null]})).is_empty());
        assert_eq!(found(&json!({"tcp": [{}, {}]})).len(), 1);
    }
}
