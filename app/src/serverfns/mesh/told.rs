//! The mesh and the sources in the viewer's language.

use crate::{
    AppError,
    context::backend,
    format,
    lang::Lang,
    say,
    serverfns::{checklist, inside::count},
};
use naru_domain::{
    SourceName, Timestamp, Why,
    inquiry::ScrapingState,
    judge::{Preflight, Verdict},
    survey::{self, Metrics, Survey},
};
use naru_view::{
    Name,
    mesh::{Line, Mesh, Outlook, PreflightRow, Proxies, ProxyRow, RevisionRow, SHOWN, Section, Sync, Tone},
    version::Version,
};

pub(super) fn mesh(lang: Lang) -> Result<Mesh, AppError> {
    let (backend, viewer) = backend()?;
    let sources = backend.console.view(&viewer.scope).overview.sources.clone();
    let Some(seen) = backend.console.surveyed(&viewer.scope) else {
        return Ok(Mesh {
            version: Version { epoch: 0, seq: 0 },
            seen: None,
            sources,
            answer: lang.mesh_not_yet().into(),
            sections: Vec::new(),
            revisions: Vec::new(),
            no_revisions: String::new(),
            proxies: Proxies::default(),
            preflight: Vec::new(),
            preflight_more: 0,
            hidden: 0,
        });
    };
    let it = &*seen.survey;
    let tally = tally(&it.proxies);
    Ok(Mesh {
        version: seen.version,
        seen: Some(seen.at.as_millisecond()),
        sources,
        answer: answer(lang, it, &tally).text,
        sections: sections(lang, it, seen.at),
        revisions: it.revisions.iter().map(revision).collect(),
        no_revisions: match &it.injectors {
            Some(why) => say::why(lang, why),
            None => lang.mesh_no_revisions().into(),
        },
        proxies: Proxies {
            rows: it.proxies.iter().take(SHOWN).map(|it| proxy(lang, it)).collect(),
            ..tally
        },
        preflight: it
            .preflight
            .iter()
            .take(SHOWN)
            .map(|it| preflight(lang, it))
            .collect(),
        preflight_more: count(it.preflight.len().saturating_sub(SHOWN)),
        hidden: it.hidden,
    })
}

/// What each source shows and what it does not, and which items that leaves unknown. `now` is the moment that ages are told by.
pub fn sections(lang: Lang, it: &Survey, now: Timestamp) -> Vec<Section> {
    let named = |title: &str, lines: Vec<Line>| Section {
        title: title.into(),
        lines,
    };
    vec![
        named(say::source(SourceName::Kubernetes), kinds(lang, it)),
        named(say::source(SourceName::Prometheus), prometheus(lang, it, now)),
        named(lang.doctor_policies(), policies(lang, it)),
        named(lang.doctor_unknown(), unknown(lang, it)),
    ]
}

/// How far the proxies have come, in short.
pub fn in_short(lang: Lang, it: &Survey) -> Section {
    let tally = tally(&it.proxies);
    let unscraped = tally.unscraped.filter(|n| *n > 0);
    let unscraped = unscraped.map(|n| line(Tone::Bad, lang.mesh_unscraped(u64::from(n))));
    let lines = [Some(answer(lang, it, &tally)), unscraped];
    Section {
        title: lang.mesh_proxies().into(),
        lines: lines.into_iter().flatten().collect(),
    }
}

fn answer(lang: Lang, it: &Survey, of: &Proxies) -> Line {
    if let Some(why) = &it.pods {
        return line(Tone::Unknown, say::why(lang, why));
    }
    match (of.all, of.in_trouble(), of.unknown) {
        (0, ..) => line(Tone::Idle, lang.mesh_no_proxies()),
        (all, 0, 0) => line(Tone::Good, lang.mesh_well(u64::from(all))),
        (all, 0, unknown) => line(Tone::Unknown, lang.mesh_partly(&all, &unknown)),
        (all, trouble, _) => line(Tone::Bad, lang.mesh_trouble(&all, u64::from(trouble))),
    }
}

fn line(tone: Tone, text: impl Into<String>) -> Line {
    Line {
        tone,
        text: text.into(),
        items: Vec::new(),
    }
}

fn kinds(lang: Lang, it: &Survey) -> Vec<Line> {
    let kinds = &it.kinds;
    let mut lines = vec![line(Tone::Good, lang.doctor_kinds(&kinds.read))];
    if !kinds.absent.is_empty() {
        lines.push(line(Tone::Idle, lang.doctor_absent(&kinds.absent.join(", "))));
    }
    let unread = kinds.unread.iter();
    lines.extend(unread.map(|(kind, why)| line(Tone::Bad, format!("{kind}: {}", say::why(lang, why)))));
    lines
}

fn prometheus(lang: Lang, it: &Survey, now: Timestamp) -> Vec<Line> {
    let Some(metrics) = &it.metrics else {
        return vec![line(Tone::Idle, lang.doctor_not_asked())];
    };
    let mut lines = Vec::new();
    if let Metrics::Answers {
        at,
        window_s,
        source,
        destination,
        ..
    } = metrics
    {
        let age = now.duration_since(*at).as_secs();
        let tone = if metrics.kept() { Tone::Unknown } else { Tone::Good };
        lines.push(line(tone, lang.doctor_answers(&age, window_s)));
        lines.push(line(Tone::Good, lang.doctor_reporters(destination, source)));
        lines.extend(it.scraping.iter().flat_map(|it| scraping(lang, it)));
    }
    lines.extend(
        metrics
            .faults()
            .iter()
            .map(|why| line(Tone::Bad, say::why(lang, why))),
    );
    lines
}

fn scraping(lang: Lang, it: &Result<ScrapingState, Why>) -> Vec<Line> {
    let state = match it {
        Ok(state) => state,
        Err(why) => return vec![line(Tone::Unknown, say::why(lang, why))],
    };
    let interval = match state.interval_s {
        Some(seconds) => line(Tone::Good, lang.doctor_interval(&seconds)),
        None => line(Tone::Unknown, lang.doctor_no_interval()),
    };
    let reach = match state.reach {
        Some(reach) => line(Tone::Good, lang.doctor_reach(&reach.hours())),
        None => line(Tone::Idle, lang.doctor_no_reach()),
    };
    vec![interval, reach]
}

fn policies(lang: Lang, it: &Survey) -> Vec<Line> {
    if let Some(why) = &it.guards.unknown {
        return vec![line(Tone::Unknown, say::why(lang, why))];
    }
    let down = it.guards.down.iter();
    let mut lines: Vec<Line> = down
        .map(|(name, down)| line(Tone::Bad, say::guard(lang, name, *down)))
        .collect();
    if lines.is_empty() {
        lines.push(line(Tone::Good, lang.doctor_in_force()));
    }
    lines
}

fn unknown(lang: Lang, it: &Survey) -> Vec<Line> {
    let told = it.unknown.iter().map(|(why, items)| Line {
        tone: Tone::Unknown,
        text: say::why(lang, why),
        items: items.iter().map(|it| Name::from(it.id())).collect(),
    });
    let mut lines: Vec<Line> = told.collect();
    if lines.is_empty() {
        lines.push(line(Tone::Good, lang.doctor_nothing_unknown()));
    }
    lines
}

fn revision(it: &survey::Revision) -> RevisionRow {
    RevisionRow {
        name: it.name.clone(),
        tag_of: it.tag_of.clone(),
        istiods: it.istiods,
        versions: it.versions.iter().cloned().collect(),
        namespaces: it.namespaces.clone(),
        proxies: it
            .proxies
            .as_ref()
            .map(|all| all.iter().map(|(version, n)| (version.clone(), *n)).collect()),
    }
}

/// Without any row.
fn tally(all: &[survey::ProxyRow]) -> Proxies {
    let of = |which: fn(&survey::Sync) -> bool| count(all.iter().filter(|it| which(&it.sync)).count());
    let scraped: Option<Vec<bool>> = all.iter().map(|it| it.scraped.as_ref().ok().copied()).collect();
    Proxies {
        all: count(all.len()),
        acknowledged: of(|it| matches!(it, survey::Sync::Acknowledged)),
        unknown: of(|it| matches!(it, survey::Sync::Unknown(_))),
        unscraped: scraped.map(|it| count(it.iter().filter(|it| !**it).count())),
        rows: Vec::new(),
    }
}

fn proxy(lang: Lang, it: &survey::ProxyRow) -> ProxyRow {
    let (sync, detail) = match &it.sync {
        survey::Sync::Acknowledged => (Sync::Acknowledged, String::new()),
        survey::Sync::Waiting(kinds, since) => {
            let kinds: Vec<&str> = kinds.iter().map(|it| it.name()).collect();
            let since = since.map(|it| format!(" · {}", format::utc(it.as_millisecond())));
            (
                Sync::Waiting,
                format!("{}{}", kinds.join(", "), since.unwrap_or_default()),
            )
        }
        survey::Sync::Refused(kind, words) => (Sync::Refused, format!("{}: {words}", kind.name())),
        survey::Sync::Unconnected => (Sync::Unconnected, String::new()),
        survey::Sync::Unknown(why) => (Sync::Unknown, say::why(lang, why)),
    };
    ProxyRow {
        namespace: it.pod.0.clone(),
        name: it.pod.1.clone(),
        workload: it.workload.1.clone(),
        revision: it.revision.clone(),
        version: it.version.clone(),
        sync,
        detail,
        istiod: it
            .istiod
            .as_ref()
            .map_or_else(|| "".into(), |(_, name)| name.clone()),
        scraped: it.scraped.as_ref().ok().copied(),
        created: it.created.map(|it| it.as_millisecond()),
    }
}

fn preflight(lang: Lang, it: &Preflight) -> PreflightRow {
    PreflightRow {
        kind: it.workload.kind.name().into(),
        namespace: it.workload.namespace.clone(),
        name: it.workload.name.clone(),
        outlook: match it.verdict {
            Verdict::Met if it.injected => Outlook::Injected,
            Verdict::Met => Outlook::ComesUp,
            Verdict::NotMet => Outlook::Stops,
            Verdict::Unknown => Outlook::Unknown,
        },
        findings: it
            .findings
            .iter()
            .map(|it| checklist::told_finding(lang, it, None))
            .collect(),
        unknown: it.unknown.iter().map(|why| say::why(lang, why)).collect(),
    }
}
