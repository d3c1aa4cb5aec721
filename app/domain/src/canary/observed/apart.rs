//! What of a split came by one rule, where others send requests to the same pods; or what it takes to know.

use crate::{
    Name,
    judge::INSEPARABLE,
    mesh::{
        MeshConfig,
        route::{Leading, Rule, told_apart},
        route_tag::{self, Wanted},
    },
    object::{Key, Kind, Object},
    snapshot::Objects,
    traffic::{Before, ServiceId, Split, SplitRow},
};
use naru_view::{
    canary::{Apart, Tag},
    change::Mend,
    checklist::Field,
};
use std::collections::{BTreeMap, BTreeSet};

/// The rule's part of a split, and how many requests came by others. Where the rule is alone with its pods, nothing else can have come, and all of it is
/// its part unless proxies tell better.
pub(super) fn of_rule(
    objects: &Objects,
    leading: &Leading<'_>,
    rule: (&Object, &Rule),
    services: &BTreeSet<ServiceId>,
    (split, alone): (&Split, bool),
) -> Result<(Split, u64), Apart> {
    let lost = |told: bool| -> u64 {
        let of = split.unrouted.iter();
        let of = of.filter(|(route, _)| route.is_empty() != told);
        of.map(|(_, n)| n).sum()
    };
    let (told, untold) = (
        requests(&split.rows, true) + lost(true),
        requests(&split.rows, false) + lost(false),
    );
    let own = told_apart::own_names(leading, rule, services);
    let known = own.as_ref().filter(|_| untold == 0);
    let some = known.filter(|own| split.rows.iter().any(|it| own.told(&it.route)));
    let own = match (alone, known, some) {
        (_, _, Some(own)) | (false, Some(own), None) => own,
        (true, _, None) => return Ok((split.clone(), 0)),
        (false, None, None) => {
            return Err(Apart {
                tag: tag(objects),
                names: names(leading, services),
                elsewhere: false,
                named: own.is_some(),
                told,
                untold,
            });
        }
    };
    let mine = |rows: &[SplitRow]| -> Vec<SplitRow> {
        let by_it = |it: &&SplitRow| own.told(&it.route);
        rows.iter().filter(by_it).cloned().collect()
    };
    let mut unrouted = split.unrouted.clone();
    unrouted.retain(|route, _| own.told(route));
    let rows = mine(&split.rows);
    let counted: u64 = rows.iter().map(|it| it.requests).sum::<u64>() + unrouted.values().sum::<u64>();
    // What was before the proxies told it cannot be compared.
    let before = split.before.as_ref().filter(|it| requests(&it.rows, false) == 0);
    let before = before.map(|it| Before {
        rows: mine(&it.rows),
        ..*it
    });
    let split = Split {
        from: split.from,
        to: split.to,
        before: before.filter(|it| !it.rows.is_empty()),
        rows,
        unrouted,
    };
    Ok((split, told - counted))
}

/// Requests that were counted with a route's name, or without.
fn requests(rows: &[SplitRow], told: bool) -> u64 {
    let of = rows.iter().filter(|it| it.route.is_empty() != told);
    of.map(|it| it.requests).sum()
}

fn tag(objects: &Objects) -> Tag {
    let config = MeshConfig::of(objects);
    if let Some(why) = objects.gap(Kind::Telemetry).or_else(|| config.gap.clone()) {
        return Tag::Unknown { why };
    }
    if route_tag::told(objects, &config) {
        return Tag::There;
    }
    let text = |json| serde_json::to_string_pretty(json).unwrap_or_default().into();
    match route_tag::wanted(objects, &config) {
        None => Tag::NoProvider,
        Some(Wanted::Object(json)) => Tag::Object { text: text(&json) },
        Some(Wanted::Patch(key, ops)) => Tag::Patch {
            of: format!("{}/{}", key.namespace, key.name).into(),
            text: text(&ops),
        },
    }
}

/// Plans that give names: what a check offers for each VirtualService that sends requests to these services by rules without one.
fn names(leading: &Leading<'_>, services: &BTreeSet<ServiceId>) -> Vec<Mend> {
    let leads = |key: &Key| leading.to(services).any(|it| it.object.key() == key);
    let mend = |(key, rules): (&Key, &BTreeMap<u32, Name>)| {
        let (first, _) = rules.first_key_value().filter(|_| leads(key))?;
        Some(Mend {
            code: INSEPARABLE.into(),
            field: Field {
                kind: key.kind.name().into(),
                namespace: key.namespace.clone(),
                name: key.name.clone(),
                path: told_apart::path(*first).into(),
            },
        })
    };
    leading.nameless().iter().filter_map(mend).collect()
}

#[cfg(test)]
mod tests;
