//! A diagnosis for people and for scripts.

use super::{Diagnosis, Metrics, PROMETHEUS};
use crate::failure::why_key;
use naru_app::{Lang, say};
use naru_domain::{Why, crossing::Item};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn text(lang: Lang, it: &Diagnosis) -> String {
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:indent$}{text}", "");
    };
    line(0, "Kubernetes");
    line(2, &format!("● {}", lang.doctor_kinds(&it.read)));
    if !it.absent.is_empty() {
        line(2, &format!("○ {}", lang.doctor_absent(&it.absent.join(", "))));
    }
    for (kind, why) in &it.unread {
        line(2, &format!("◆ {kind}: {}", say::why(lang, why)));
    }
    line(0, say::source(PROMETHEUS));
    match &it.metrics {
        Metrics::NotAsked => line(2, &format!("○ {}", lang.doctor_not_asked())),
        Metrics::Silent(_) => {}
        Metrics::Answers {
            age_s,
            window_s,
            source,
            destination,
            ..
        } => {
            line(2, &format!("● {}", lang.doctor_answers(age_s, window_s)));
            line(2, &format!("● {}", lang.doctor_reporters(destination, source)));
        }
    }
    for why in it.metrics.faults() {
        line(2, &format!("◆ {}", say::why(lang, &why)));
    }
    line(0, lang.doctor_policies());
    for said in guards(lang, it) {
        line(2, &format!("◆ {said}"));
    }
    if it.guards.stand() {
        line(2, &format!("● {}", lang.doctor_in_force()));
    }
    line(0, lang.doctor_unknown());
    for (why, items) in &it.unknown {
        line(2, &format!("? {} — {}", say::why(lang, why), ids(items)));
    }
    out
}

pub(super) fn json(lang: Lang, it: &Diagnosis) -> serde_json::Result<String> {
    let told = |why: &Why| json!({"why": why_key(why), "message": say::why(lang, why)});
    let unread: Vec<Value> = it
        .unread
        .iter()
        .map(|(kind, why)| json!({"kind": kind, "why": why_key(why), "message": say::why(lang, why)}))
        .collect();
    let prometheus = match &it.metrics {
        Metrics::NotAsked => json!({"asked": false}),
        Metrics::Silent(_) => json!({"asked": true, "answers": false}),
        Metrics::Answers {
            age_s,
            window_s,
            source,
            destination,
            ..
        } => json!({"asked": true, "answers": true, "ageSeconds": age_s, "windowSeconds": window_s,
            "reporters": {"source": source, "destination": destination}}),
    };
    let faults: Vec<Value> = it.metrics.faults().iter().map(told).collect();
    let unknown: Vec<Value> = it
        .unknown
        .iter()
        .map(|(why, items)| {
            let items: Vec<&str> = items.iter().map(|it| it.id()).collect();
            json!({"why": why_key(why), "message": say::why(lang, why), "items": items})
        })
        .collect();
    let whole = json!({
        "kubernetes": {"read": it.read, "absent": it.absent, "unread": unread},
        "prometheus": prometheus, "prometheusFaults": faults,
        "policies": {"inForce": it.guards.stand(), "faults": guards(lang, it)},
        "unknown": unknown,
    });
    let mut text = serde_json::to_string_pretty(&whole)?;
    text.push('\n');
    Ok(text)
}

/// What is wrong with the policies that signatures rest on.
fn guards(lang: Lang, it: &Diagnosis) -> Vec<String> {
    if let Some(why) = &it.guards.unknown {
        return vec![say::why(lang, why)];
    }
    let down = it.guards.down.iter();
    down.map(|(name, down)| say::guard(lang, name, *down)).collect()
}

fn ids(items: &[Item]) -> String {
    let ids: Vec<&str> = items.iter().map(|it| it.id()).collect();
    ids.join(", ")
}
