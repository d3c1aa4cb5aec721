//! Judgements in the viewer's language.

use crate::{AppError, context::backend, lang::Lang, say};
use naru_domain::{
    crossing::Item,
    judge::{self, Judgement},
    object::Key,
    view::SeenJudgement,
};
use naru_ports::Judged;
use naru_view::{
    Name,
    checklist::{Checklist, Fact, Field, Finding, ItemPage, ItemRow, Severity, Verdict},
    source::SourceState,
};

pub(super) fn checklist(lang: Lang) -> Result<Checklist, AppError> {
    let (judged, sources) = seen()?;
    let row = |item: Item| match of(&judged, item) {
        Some(it) => row(lang, &it.judgement),
        None => unjudged(lang, item),
    };
    Ok(Checklist {
        version: judged.version,
        judged: judged.at.map(|at| at.as_millisecond()),
        sources,
        system: judged.system.clone(),
        items: Item::ALL.map(row).into(),
    })
}

pub(super) fn item(lang: Lang, id: &str) -> Result<ItemPage, AppError> {
    let item: Item = id.parse().map_err(|_| AppError::NotFound)?;
    let (judged, sources) = seen()?;
    let position = Item::ALL.iter().position(|it| *it == item).unwrap_or(0);
    let neighbour = |position: Option<usize>| Some(Name::from(Item::ALL.get(position?)?.id()));
    let seen = of(&judged, item);
    let judgement = seen.map(|it| &it.judgement);
    let findings = judgement.into_iter().flat_map(|it| &it.findings);
    let facts = judgement.into_iter().flat_map(|it| &it.facts);
    let unknown = judgement.into_iter().flat_map(|it| &it.unknown);
    Ok(ItemPage {
        row: judgement.map_or_else(|| unjudged(lang, item), |it| row(lang, it)),
        condition: condition(lang, item).into(),
        judged: judged.at.map(|at| at.as_millisecond()),
        sources,
        findings: findings.map(|it| finding(lang, it)).collect(),
        facts: facts.map(|it| fact(lang, it)).collect(),
        unknown: unknown
            .map(|(check, why)| (Name::from(*check), say::why(lang, why)))
            .collect(),
        hidden: seen.map_or(0, |it| it.hidden),
        neighbours: (neighbour(position.checked_sub(1)), neighbour(Some(position + 1))),
    })
}

fn seen() -> Result<(Judged, Vec<SourceState>), AppError> {
    let (backend, viewer) = backend()?;
    let sources = backend.console.view(&viewer.scope).overview.sources.clone();
    Ok((backend.console.judged(&viewer.scope), sources))
}

fn of(judged: &Judged, item: Item) -> Option<&SeenJudgement> {
    judged.items.iter().find(|it| it.judgement.item == item)
}

/// What an item is called.
pub fn title(lang: Lang, item: Item) -> &'static str {
    lang.item(item.id()).unwrap_or(item.id())
}

/// When an item counts as met.
pub fn condition(lang: Lang, item: Item) -> &'static str {
    lang.condition(item.id()).unwrap_or("")
}

fn row(lang: Lang, it: &Judgement) -> ItemRow {
    let count = |severity| {
        let all = it.findings.iter().filter(|it| it.code.severity == severity);
        u32::try_from(all.count()).unwrap_or(u32::MAX)
    };
    let wrong = it
        .findings
        .iter()
        .find(|it| it.code.severity == judge::Severity::Error);
    let first = match (it.verdict, wrong, it.unknown.first()) {
        (judge::Verdict::NotMet, Some(finding), _) => say::finding(lang, finding),
        (judge::Verdict::NotMet, None, _) => lang.checklist_hidden_reason().into(),
        (judge::Verdict::Unknown, _, Some((_, why))) => say::why(lang, why),
        _ => String::new(),
    };
    ItemRow {
        id: it.item.id().into(),
        phase: it.item.phase(),
        title: title(lang, it.item).into(),
        verdict: match it.verdict {
            judge::Verdict::Met => Verdict::Met,
            judge::Verdict::NotMet => Verdict::NotMet,
            judge::Verdict::Unknown => Verdict::Unknown,
        },
        errors: count(judge::Severity::Error),
        warnings: count(judge::Severity::Warning),
        unknown: u32::try_from(it.unknown.len()).unwrap_or(u32::MAX),
        first,
    }
}

/// Before the first judgement nothing is known.
fn unjudged(lang: Lang, item: Item) -> ItemRow {
    ItemRow {
        id: item.id().into(),
        phase: item.phase(),
        title: title(lang, item).into(),
        verdict: Verdict::Unknown,
        errors: 0,
        warnings: 0,
        unknown: 0,
        first: lang.checklist_not_yet().into(),
    }
}

fn finding(lang: Lang, it: &judge::Finding) -> Finding {
    Finding {
        code: it.code.name.into(),
        severity: match it.code.severity {
            judge::Severity::Error => Severity::Error,
            judge::Severity::Warning => Severity::Warning,
            judge::Severity::Info => Severity::Info,
        },
        field: field(&it.key, &it.path),
        message: say::finding(lang, it),
        istio: it.code.istio.map(Name::from),
    }
}

/// A fact, told.
pub fn fact(lang: Lang, it: &judge::Fact) -> Fact {
    let query = if it.key.is_some() {
        "".into()
    } else {
        it.path.clone()
    };
    Fact {
        label: lang.fact(it.name).unwrap_or(it.name).into(),
        value: it.value.clone(),
        field: it.key.as_ref().map(|key| field(key, &it.path)),
        query,
        resource_version: it.resource_version.clone(),
    }
}

fn field(key: &Key, path: &Name) -> Field {
    Field {
        kind: key.kind.name().into(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        path: path.clone(),
    }
}
