//! For scripts.

use super::{Stood, accepted, name};
use crate::failure::why_key;
use naru_app::{Lang, say, serverfns};
use naru_domain::{
    Why,
    crossing::OwnItems,
    judge::{Fact, Finding, Severity, fix},
    object::Key,
};
use serde::Serialize;

#[derive(Serialize)]
struct Printed<'a> {
    items: Vec<Item<'a>>,
    /// What could not be read, each reason as it stands on the wire.
    gaps: &'a [Why],
}

#[derive(Serialize)]
struct Item<'a> {
    item: &'a str,
    phase: u8,
    title: String,
    /// With what is accepted.
    verdict: &'static str,
    /// The Waiver by which it is passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<&'a str>,
    findings: Vec<Found<'a>>,
    facts: Vec<Seen<'a>>,
    unknown: Vec<Unknown>,
}

#[derive(Serialize)]
struct Object<'a> {
    kind: &'static str,
    namespace: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Found<'a> {
    code: &'static str,
    severity: Severity,
    item: &'a str,
    object: Object<'a>,
    path: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    istio: Option<&'static str>,
    /// The edits of the object that mend it, where that is safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Vec<Edit<'a>>>,
    /// The Exception by which it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'a str>,
}

#[derive(Serialize)]
struct Edit<'a> {
    path: &'a str,
    /// Null takes the field out.
    after: Option<&'a serde_json::Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Seen<'a> {
    fact: &'static str,
    label: String,
    source: naru_domain::judge::FactSource,
    object: Option<Object<'a>>,
    path: &'a str,
    value: &'a str,
    resource_version: &'a str,
}

#[derive(Serialize)]
struct Unknown {
    check: &'static str,
    why: String,
    message: String,
}

pub(super) fn report(
    lang: Lang,
    judgements: &[Stood],
    own: &OwnItems,
    gaps: &[Why],
) -> serde_json::Result<String> {
    let items = judgements.iter().map(|it| item(lang, it, own)).collect();
    let mut text = serde_json::to_string_pretty(&Printed { items, gaps })?;
    text.push('\n');
    Ok(text)
}

fn item<'a>(lang: Lang, (it, standing): &'a Stood, own: &OwnItems) -> Item<'a> {
    let findings = it.findings.iter().enumerate();
    Item {
        item: it.item.id(),
        phase: it.item.phase(),
        title: serverfns::title(lang, it.item, own),
        verdict: name(standing.judged.verdict),
        waived: standing.waived.as_ref().map(|it| &*it.by),
        findings: findings
            .map(|(at, it)| found(lang, it, accepted(standing, at)))
            .collect(),
        facts: it.facts.iter().map(|it| seen(lang, it)).collect(),
        unknown: it
            .unknown
            .iter()
            .map(|(check, why)| Unknown {
                check,
                why: why_key(why),
                message: say::why(lang, why),
            })
            .collect(),
    }
}

fn object(key: &Key) -> Object<'_> {
    Object {
        kind: key.kind.name(),
        namespace: &key.namespace,
        name: &key.name,
    }
}

fn found<'a>(lang: Lang, it: &'a Finding, accepted: Option<&'a str>) -> Found<'a> {
    Found {
        code: it.code.name,
        severity: it.code.severity,
        item: it.item.id(),
        object: object(&it.key),
        path: &it.path,
        message: say::finding(lang, it),
        istio: it.code.istio,
        fix: it.fix.as_deref().map(|all| all.iter().map(edit).collect()),
        accepted,
    }
}

fn edit(it: &fix::Edit) -> Edit<'_> {
    Edit {
        path: &it.path,
        after: it.after.as_ref(),
    }
}

fn seen(lang: Lang, it: &Fact) -> Seen<'_> {
    Seen {
        fact: it.name,
        label: serverfns::fact(lang, it).label,
        source: it.source,
        object: it.key.as_ref().map(object),
        path: &it.path,
        value: &it.value,
        resource_version: &it.resource_version,
    }
}
