//! Judgements in the viewer's language.

use crate::{
    AppError,
    context::backend,
    lang::Lang,
    say,
    serverfns::{inside::count as count_of, ledger::told as ledger},
};
use naru_domain::{
    Timestamp,
    actor::Scope,
    crossing::{Item, OwnItems},
    judge::{self, FactSource, Judgement},
    object::Key,
    view::SeenJudgement,
};
use naru_ports::Judged;
use naru_view::{
    Millis, Name,
    checklist::{Checklist, Fact, Field, Finding, ItemPage, ItemRow, Learned, Severity, Verdict},
    ledger::{Pass, Signature, SignatureState},
    source::SourceState,
};

pub(super) fn checklist(lang: Lang) -> Result<Checklist, AppError> {
    let Asked { judged, sources, .. } = asked()?;
    let own = &judged.audited.items;
    let row = |item: Item| match of(&judged, item) {
        Some(it) => row(lang, it, own),
        None => unjudged(lang, item, own),
    };
    let holdups = judged.holdups.iter().map(|all| {
        let all = all.iter().copied();
        all.map(|it| ledger::holdup(lang, it)).collect()
    });
    Ok(Checklist {
        version: judged.version,
        judged: judged.at.map(|at| at.as_millisecond()),
        sources,
        system: judged.audited.system.clone(),
        items: own.all().into_iter().map(row).collect(),
        holdups: holdups.collect(),
        ledger: ledger::ledger(lang, &judged.audited),
    })
}

pub(super) fn item(lang: Lang, id: &str) -> Result<ItemPage, AppError> {
    let item: Item = id.parse().map_err(|_| AppError::NotFound)?;
    let Asked {
        judged,
        sources,
        scope,
        now,
    } = asked()?;
    let audited = &*judged.audited;
    let own = &audited.items;
    let all = own.all();
    let position = all.iter().position(|it| *it == item);
    // Before the first judgement nobody knows what the Migration adds.
    if position.is_none() && judged.at.is_some() {
        return Err(AppError::NotFound);
    }
    let neighbour = |position: Option<usize>| Some(Name::from(all.get(position?)?.id()));
    let page = ItemPage {
        row: unjudged(lang, item, own),
        condition: condition(lang, item, own),
        judged: judged.at.map(|at| at.as_millisecond()),
        sources,
        findings: Vec::new(),
        facts: Vec::new(),
        unknown: Vec::new(),
        hidden: 0,
        neighbours: (
            neighbour(position.and_then(|it| it.checked_sub(1))),
            neighbour(position.map(|it| it + 1)),
        ),
        signature: Signature::none(),
        two_people: audited.wants_second(item.id()),
        waivers: ledger::waivers(audited, item, now),
        history: Vec::new(),
        unsignable: vec![lang.refused_not_judged().into()],
    };
    let Some(seen) = of(&judged, item) else {
        return Ok(page);
    };
    let judgement = &seen.judgement;
    let excepted = |at: usize| {
        let judged = &seen.standing.judged;
        let mut all = judged.accepted.iter().chain(&judged.lapsed);
        let (_, by) = all.find(|(it, _)| *it == at)?;
        ledger::accepted(audited, by, now)
    };
    let findings = judgement.findings.iter().enumerate();
    Ok(ItemPage {
        row: row(lang, seen, own),
        findings: findings
            .map(|(at, it)| told_finding(lang, it, excepted(at)))
            .collect(),
        facts: judgement.facts.iter().map(|it| fact(lang, it)).collect(),
        unknown: told_unknown(lang, judgement),
        hidden: seen.hidden,
        signature: ledger::signature(lang, audited, &seen.standing),
        history: ledger::history(lang, audited, seen, &scope),
        unsignable: ledger::unsignable(lang, audited, &seen.standing),
        ..page
    })
}

/// What a request goes by.
struct Asked {
    judged: Judged,
    sources: Vec<SourceState>,
    scope: Scope,
    now: Timestamp,
}

fn asked() -> Result<Asked, AppError> {
    let (backend, viewer) = backend()?;
    Ok(Asked {
        judged: backend.console.judged(&viewer.scope),
        sources: backend.console.view(&viewer.scope).overview.sources.clone(),
        now: backend.clock.now(),
        scope: viewer.scope,
    })
}

fn of(judged: &Judged, item: Item) -> Option<&SeenJudgement> {
    judged.items.iter().find(|it| it.judgement.item == item)
}

/// What an item is called; one of the team's own as the team has written it, and by its name where it is no longer written.
pub fn title(lang: Lang, item: Item, own: &OwnItems) -> String {
    match own.written(item) {
        Some((_, spec)) => spec.shown(),
        None => lang.item(item.id()).unwrap_or(item.id()).into(),
    }
}

/// When an item counts as met.
fn condition(lang: Lang, item: Item, own: &OwnItems) -> String {
    let Some((_, spec)) = own.written(item) else {
        return lang.condition(item.id()).unwrap_or("").into();
    };
    match (spec.bound(), spec.threshold()) {
        (Some(bound), Ok(Some(asked))) => {
            let bound = format!("{bound} {}", spec.unit);
            lang.checklist_own_condition(&bound.trim(), &asked.query.text(), &spec.held_for)
        }
        _ => lang.checklist_own_odd().into(),
    }
}

fn row(lang: Lang, seen: &SeenJudgement, own: &OwnItems) -> ItemRow {
    let (it, standing) = (&seen.judgement, &seen.standing);
    let verdict = standing.judged.verdict;
    let counts = |at: usize| !standing.judged.accepts(at);
    let of = |severity| {
        let all = it.findings.iter().enumerate();
        all.filter(move |(at, it)| it.code.severity == severity && counts(*at))
            .map(|(_, it)| it)
    };
    let count = |severity| count_of(of(severity).count());
    let wrong = of(judge::Severity::Error).next();
    let first = match (verdict, wrong, it.unknown.first()) {
        (judge::Verdict::NotMet, Some(finding), _) => say::finding(lang, finding),
        (judge::Verdict::NotMet, None, _) => lang.checklist_hidden_reason().into(),
        (judge::Verdict::Unknown, _, Some((_, why))) => say::why(lang, why),
        _ => String::new(),
    };
    let signed = ledger::signed(&standing.signature);
    ItemRow {
        id: it.item.id().into(),
        phase: it.item.phase(),
        title: title(lang, it.item, own),
        verdict: told_verdict(verdict),
        signature: ledger::state_of(&standing.signature),
        signed_by: signed.map_or_else(|| "".into(), |it| it.by.name.clone()),
        signed_at: signed.map(|it| it.at.as_millisecond()),
        waived_until: standing.waived.as_ref().map(|it| it.until.as_millisecond()),
        accepted: count_of(standing.judged.accepted.len()),
        done: standing.done(),
        errors: count(judge::Severity::Error),
        warnings: count(judge::Severity::Warning),
        unknown: count_of(it.unknown.len()),
        first,
    }
}

pub(in crate::serverfns) fn told_verdict(verdict: judge::Verdict) -> Verdict {
    match verdict {
        judge::Verdict::Met => Verdict::Met,
        judge::Verdict::NotMet => Verdict::NotMet,
        judge::Verdict::Unknown => Verdict::Unknown,
    }
}

/// What is not known: the check, and why.
pub(in crate::serverfns) fn told_unknown(lang: Lang, it: &Judgement) -> Vec<(Name, String)> {
    it.unknown
        .iter()
        .map(|(check, why)| (Name::from(*check), say::why(lang, why)))
        .collect()
}

/// Before the first judgement nothing is known.
fn unjudged(lang: Lang, item: Item, own: &OwnItems) -> ItemRow {
    ItemRow {
        id: item.id().into(),
        phase: item.phase(),
        title: title(lang, item, own),
        verdict: Verdict::Unknown,
        signature: SignatureState::None,
        signed_by: "".into(),
        signed_at: None,
        waived_until: None,
        accepted: 0,
        done: false,
        errors: 0,
        warnings: 0,
        unknown: 0,
        first: lang.checklist_not_yet().into(),
    }
}

pub(in crate::serverfns) fn told_finding(lang: Lang, it: &judge::Finding, accepted: Option<Pass>) -> Finding {
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
        accepted,
        fix: it.fix.is_some(),
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
        learned: learned(it),
    }
}

fn learned(it: &judge::Fact) -> Option<(Learned, Millis)> {
    let how = match it.source {
        FactSource::Object => return None,
        FactSource::Metrics => Learned::Counted,
        FactSource::Probe => Learned::Tried,
        FactSource::Handed => Learned::Handed,
    };
    Some((how, it.at?.as_millisecond()))
}

fn field(key: &Key, path: &Name) -> Field {
    Field {
        kind: key.kind.name().into(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        path: path.clone(),
    }
}
