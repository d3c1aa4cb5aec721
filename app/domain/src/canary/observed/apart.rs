//! What of a split came by one rule, where others send requests to the same pods; or what it takes to know.

use crate::{
    Name,
    judge::INSEPARABLE,
    mesh::{
        MeshConfig,
        route::{Rule, told_apart},
        route_tag::{self, Wanted},
    },
    object::{Key, Kind, Object},
    snapshot::{Objects, Snapshot},
    traffic::{Before, ServiceId, Split, SplitRow},
};
use naru_view::{
    canary::{Apart, Tag},
    change::Mend,
    checklist::Field,
};
use std::collections::{BTreeMap, BTreeSet};

/// The rule's part of a split, and how many requests came by others.
pub(super) fn of_rule(
    snapshot: &Snapshot,
    rule: (&Object, &Rule),
    services: &BTreeSet<ServiceId>,
    split: &Split,
) -> Result<(Split, u64), Apart> {
    let objects = &*snapshot.objects.value;
    let lost = |told: bool| -> u64 {
        let of = split
            .unrouted
            .iter()
            .filter(|(route, _)| route.is_empty() != told);
        of.map(|(_, n)| n).sum()
    };
    let (told, untold) = (
        requests(&split.rows, true) + lost(true),
        requests(&split.rows, false) + lost(false),
    );
    let own = told_apart::own_name(objects, rule, services);
    let (Some(own), 0) = (own, untold) else {
        return Err(Apart {
            tag: tag(objects),
            names: names(objects, services),
            elsewhere: false,
            told,
            untold,
        });
    };
    let mine = |rows: &[SplitRow]| -> Vec<SplitRow> {
        let by_it = |it: &&SplitRow| told_apart::came_by(&own, &it.route);
        rows.iter().filter(by_it).cloned().collect()
    };
    let mut unrouted = split.unrouted.clone();
    unrouted.retain(|route, _| told_apart::came_by(&own, route));
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

/// The Telemetry that is wanted; None where it is there, and where that cannot be seen.
fn tag(objects: &Objects) -> Option<Tag> {
    let root = MeshConfig::of(objects).root_namespace;
    if objects.gap(Kind::Telemetry).is_some() || route_tag::told(objects, &root) {
        return None;
    }
    let (there, json) = match route_tag::wanted(objects, &root) {
        Wanted::Object(json) => (None, json),
        Wanted::Patch(key, ops) => (Some(format!("{}/{}", key.namespace, key.name).into()), ops),
    };
    let text = serde_json::to_string_pretty(&json).unwrap_or_default().into();
    Some(Tag { there, text })
}

/// Plans that give names: what a check offers for each VirtualService that sends requests to these services by rules without one.
fn names(objects: &Objects, services: &BTreeSet<ServiceId>) -> Vec<Mend> {
    let leading = told_apart::leading_to(objects, services);
    let leads = |key: &Key| leading.iter().any(|(object, _)| object.key() == key);
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
    told_apart::wanting(objects).iter().filter_map(mend).collect()
}

#[cfg(test)]
mod tests;
