//! `naru preflight`: will each workload's pods come up when they get a proxy, and with what loss.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | all come up |
//! | 1 | something stops one |
//! | 2 | the arguments or files are wrong |
//! | 3 | nothing stops one, and of one it is not known; or the API server gave no usable answer |

use crate::{
    cli::{self, Telling},
    failure::{Failure, why_key},
    files,
    inventory::inventory,
    startup,
};
use anyhow::Context;
use naru_app::{Lang, say};
use naru_domain::{
    Name, Why,
    judge::{self, Preflight, Verdict, World, preflight, settled::settled},
    mesh::Prepared,
    object::Kind,
    snapshot::Objects,
};
use naru_ports::{Clock, SystemClock};
use serde_json::{Value, json};
use std::{fmt::Write, process::ExitCode};

/// Asks, prints, and says by the exit code what comes up.
pub(crate) async fn run(options: &cli::Preflight, lang: Lang) -> Result<ExitCode, Failure> {
    let (objects, gaps, running) = look(options).await?;
    let now = SystemClock.now();
    let world = if running {
        World::of(&objects, Prepared::of(&objects), None, now)
    } else {
        World::of_files(&objects, now)
    };
    let namespaces: Vec<Name> = options.namespaces.iter().map(|it| it.as_str().into()).collect();
    let all = preflight(&world, &namespaces);
    files::print(&match options.output {
        Telling::Text => text(lang, &all, &gaps),
        Telling::Json => json(lang, &all, &gaps).context("printing")?,
    })?;
    let any = |verdict| all.iter().any(|it| it.verdict == verdict);
    Ok(ExitCode::from(match () {
        () if any(Verdict::NotMet) => 1,
        () if any(Verdict::Unknown) => 3,
        () => 0,
    }))
}

async fn look(options: &cli::Preflight) -> Result<(Objects, Vec<Why>, bool), Failure> {
    if !options.files.is_empty() {
        return Ok((settled(files::objects(&options.files)?), Vec::new(), false));
    }
    let cluster = startup::cluster(&options.kubernetes).await?;
    let kinds: Vec<Kind> = judge::kinds().filter(|it| *it != Kind::Change).collect();
    let (objects, gaps) = inventory(&*cluster, &kinds).await.map_err(Failure::Source)?;
    Ok((objects, gaps, true))
}

fn text(lang: Lang, all: &[Preflight], gaps: &[Why]) -> String {
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:indent$}{text}", "");
    };
    for it in all {
        let (shape, word) = match it.verdict {
            Verdict::Met if it.injected => ("●", lang.cli_preflight_injected()),
            Verdict::Met => ("●", lang.cli_preflight_comes_up()),
            Verdict::NotMet => ("◆", lang.cli_preflight_stops()),
            Verdict::Unknown => ("?", lang.cli_preflight_unknown()),
        };
        let (kind, key) = (it.workload.kind.name(), &it.workload);
        line(
            0,
            &format!("{}/{} {kind} {shape} {word}", key.namespace, key.name),
        );
        for finding in &it.findings {
            let severity = say::severity(lang, finding.code.severity);
            line(4, &format!("{severity}: {}", say::finding(lang, finding)));
            line(
                6,
                &format!("{} {} [{}]", finding.key, finding.path, finding.code.name),
            );
        }
        for why in &it.unknown {
            line(4, &format!("? {}", say::why(lang, why)));
        }
    }
    for why in gaps {
        line(0, &format!("! {}", say::why(lang, why)));
    }
    out
}

fn json(lang: Lang, all: &[Preflight], gaps: &[Why]) -> serde_json::Result<String> {
    let one = |it: &Preflight| -> Value {
        let findings: Vec<Value> = it
            .findings
            .iter()
            .map(|it| {
                json!({"code": it.code.name, "severity": it.code.severity, "object": it.key, "path": it.path,
                    "message": say::finding(lang, it)})
            })
            .collect();
        let unknown: Vec<Value> = it
            .unknown
            .iter()
            .map(|why| json!({"why": why_key(why), "message": say::why(lang, why)}))
            .collect();
        let verdict = match it.verdict {
            Verdict::Met => "comes-up",
            Verdict::NotMet => "stops",
            Verdict::Unknown => "unknown",
        };
        json!({"workload": it.workload, "verdict": verdict, "injected": it.injected, "findings": findings, "unknown": unknown})
    };
    let all: Vec<Value> = all.iter().map(one).collect();
    let mut text = serde_json::to_string_pretty(&json!({"workloads": all, "gaps": gaps}))?;
    text.push('\n');
    Ok(text)
}
