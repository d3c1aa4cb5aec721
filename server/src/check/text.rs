//! For people: an item a line, what is wrong and not known indented.

use super::{Stood, accepted};
use naru_app::{Lang, say, serverfns};
use naru_domain::{Why, crossing::OwnItems, judge::Verdict};
use std::fmt::Write;

pub(super) fn report(lang: Lang, judgements: &[Stood], own: &OwnItems, gaps: &[Why]) -> String {
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:indent$}{text}", "");
    };
    for (it, standing) in judgements {
        let (shape, word) = match standing.judged.verdict {
            Verdict::Met => ("●", lang.verdict_met()),
            Verdict::NotMet => ("◆", lang.verdict_not_met()),
            Verdict::Unknown => ("?", lang.verdict_unknown()),
        };
        let title = serverfns::title(lang, it.item, own);
        line(0, &format!("{} {shape} {word} · {title}", it.item));
        if let Some(waived) = &standing.waived {
            line(4, &lang.cli_waived(&waived.by, &waived.until));
        }
        for (at, finding) in it.findings.iter().enumerate() {
            let severity = say::severity(lang, finding.code.severity);
            line(4, &format!("{severity}: {}", say::finding(lang, finding)));
            let istio = finding
                .code
                .istio
                .map_or_else(String::new, |code| format!(", {code}"));
            line(
                6,
                &format!("{} {} [{}{istio}]", finding.key, finding.path, finding.code.name),
            );
            if let Some(by) = accepted(standing, at) {
                line(6, &lang.cli_accepted(&by));
            }
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
