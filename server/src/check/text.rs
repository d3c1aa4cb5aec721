//! For people: an item a line, what is wrong and not known indented.

use naru_app::{Lang, say, serverfns};
use naru_domain::{
    Why,
    judge::{Judgement, Severity, Verdict},
};
use std::fmt::Write;

pub(super) fn report(lang: Lang, judgements: &[Judgement], gaps: &[Why]) -> String {
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:indent$}{text}", "");
    };
    for it in judgements {
        let (shape, word) = match it.verdict {
            Verdict::Met => ("●", lang.verdict_met()),
            Verdict::NotMet => ("◆", lang.verdict_not_met()),
            Verdict::Unknown => ("?", lang.verdict_unknown()),
        };
        let title = serverfns::title(lang, it.item);
        line(0, &format!("{} {shape} {word} · {title}", it.item));
        for finding in &it.findings {
            let severity = match finding.code.severity {
                Severity::Error => lang.severity_error(),
                Severity::Warning => lang.severity_warning(),
                Severity::Info => lang.severity_info(),
            };
            line(4, &format!("{severity}: {}", say::finding(lang, finding)));
            let istio = finding
                .code
                .istio
                .map_or_else(String::new, |code| format!(", {code}"));
            line(
                6,
                &format!("{} {} [{}{istio}]", finding.key, finding.path, finding.code.name),
            );
        }
        for (check, why) in &it.unknown {
            line(4, &format!("? {} [{check}]", say::why(lang, why)));
        }
    }
    for why in gaps {
        line(0, &format!("! {}", say::why(lang, why)));
    }
    out
}
