//! What was seen, for people and for scripts.

use crate::failure::why_key;
use naru_app::{
    Lang, say,
    serverfns::{in_short, sections},
};
use naru_domain::{
    Timestamp, Why,
    survey::{Metrics, Survey, Sync},
};
use naru_view::mesh::Tone;
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn text(lang: Lang, it: &Survey, now: Timestamp) -> String {
    let mut out = String::new();
    for section in std::iter::once(in_short(lang, it)).chain(sections(lang, it, now)) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}", section.title);
        for line in section.lines {
            let shape = match line.tone {
                Tone::Good => "●",
                Tone::Idle => "○",
                Tone::Bad => "◆",
                Tone::Unknown => "?",
            };
            let items = match &line.items[..] {
                [] => String::new(),
                items => format!(" — {}", items.join(", ")),
            };
            let _ = writeln!(out, "  {shape} {}{items}", line.text);
        }
    }
    out
}

pub(super) fn json(lang: Lang, it: &Survey, now: Timestamp) -> serde_json::Result<String> {
    let told = |why: &Why| json!({"why": why_key(why), "message": say::why(lang, why)});
    let unread: Vec<Value> = it
        .kinds
        .unread
        .iter()
        .map(|(kind, why)| json!({"kind": kind, "why": why_key(why), "message": say::why(lang, why)}))
        .collect();
    let prometheus = match &it.metrics {
        None => json!({"asked": false}),
        Some(Metrics::Silent(_)) => json!({"asked": true, "answers": false}),
        Some(Metrics::Answers {
            at,
            window_s,
            source,
            destination,
            ..
        }) => json!({"asked": true, "answers": true, "ageSeconds": now.duration_since(*at).as_secs(),
            "windowSeconds": window_s, "reporters": {"source": source, "destination": destination},
            "scraping": scraping(lang, it)}),
    };
    let faults = it.metrics.iter().flat_map(Metrics::faults);
    let faults: Vec<Value> = faults.map(|why| told(&why)).collect();
    let unknown: Vec<Value> = it
        .unknown
        .iter()
        .map(|(why, items)| {
            let items: Vec<&str> = items.iter().map(|it| it.id()).collect();
            json!({"why": why_key(why), "message": say::why(lang, why), "items": items})
        })
        .collect();
    let whole = json!({
        "kubernetes": {"read": it.kinds.read, "absent": it.kinds.absent, "unread": unread},
        "prometheus": prometheus, "prometheusFaults": faults,
        "policies": {"inForce": it.guards.stand(), "faults": guards(lang, it)},
        "proxies": proxies(it),
        "unknown": unknown,
    });
    let mut text = serde_json::to_string_pretty(&whole)?;
    text.push('\n');
    Ok(text)
}

fn scraping(lang: Lang, it: &Survey) -> Value {
    match &it.scraping {
        Some(Ok(state)) => {
            json!({"intervalSeconds": state.interval_s, "reachHours": state.reach.map(|it| it.hours())})
        }
        Some(Err(why)) => json!({"why": why_key(why), "message": say::why(lang, why)}),
        None => Value::Null,
    }
}

/// How many have come how far; null where that is not known.
fn proxies(it: &Survey) -> Value {
    let count = |which: fn(&Sync) -> bool| it.proxies.iter().filter(|it| which(&it.sync)).count();
    if it.pods.is_some() {
        return Value::Null;
    }
    let scraped: Option<Vec<bool>> = it
        .proxies
        .iter()
        .map(|it| it.scraped.as_ref().ok().copied())
        .collect();
    json!({
        "all": it.proxies.len(),
        "acknowledged": count(|it| matches!(it, Sync::Acknowledged)),
        "waiting": count(|it| matches!(it, Sync::Waiting(..))),
        "refused": count(|it| matches!(it, Sync::Refused(..))),
        "unconnected": count(|it| matches!(it, Sync::Unconnected)),
        "unknown": count(|it| matches!(it, Sync::Unknown(_))),
        "unscraped": scraped.map(|all| all.iter().filter(|it| !**it).count()),
    })
}

/// What is wrong with the policies that signatures rest on.
fn guards(lang: Lang, it: &Survey) -> Vec<String> {
    if let Some(why) = &it.guards.unknown {
        return vec![say::why(lang, why)];
    }
    let down = it.guards.down.iter();
    down.map(|(name, down)| say::guard(lang, name, *down)).collect()
}
