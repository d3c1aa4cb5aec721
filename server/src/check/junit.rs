//! For pipelines that show test reports: a suite a phase, a case an item. What is not met has failed, what is not known or
//! passed over was skipped.

use super::Stood;
use naru_app::{Lang, say, serverfns};
use naru_domain::{
    crossing::OwnItems,
    judge::{Severity, Verdict},
};
use std::fmt::Write;

pub(super) fn report(lang: Lang, judgements: &[Stood], own: &OwnItems) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"naru check\">\n");
    // Writing to a String cannot fail.
    for phase in 1..=4_u8 {
        let of: Vec<&Stood> = judgements
            .iter()
            .filter(|(it, _)| it.item.phase() == phase)
            .collect();
        if of.is_empty() {
            continue;
        }
        let passed_over = of.iter().filter(|(_, it)| it.waived.is_some()).count();
        let count = |verdict| {
            let counts = |it: &&&Stood| it.1.waived.is_none() && it.1.judged.verdict == verdict;
            of.iter().filter(counts).count()
        };
        let _ = writeln!(
            out,
            "  <testsuite name=\"phase {phase}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"0\">",
            of.len(),
            count(Verdict::NotMet),
            count(Verdict::Unknown) + passed_over,
        );
        for it in of {
            case(&mut out, lang, it, own);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, lang: Lang, (it, standing): &Stood, own: &OwnItems) {
    let title = escaped(&serverfns::title(lang, it.item, own));
    let _ = writeln!(
        out,
        "    <testcase classname=\"phase {}\" name=\"{} {title}\">",
        it.item.phase(),
        it.item
    );
    let counts = |at: usize| standing.waived.is_none() && !standing.judged.accepts(at);
    let errors = it.findings.iter().enumerate();
    let errors = errors.filter(|(at, it)| it.code.severity == Severity::Error && counts(*at));
    for (_, finding) in errors {
        let message = escaped(&say::finding(lang, finding));
        let place = escaped(&format!("{} {}", finding.key, finding.path));
        let _ = writeln!(
            out,
            "      <failure type=\"{}\" message=\"{message}\">{place}</failure>",
            finding.code.name
        );
    }
    if let Some(waived) = &standing.waived {
        let why = escaped(&lang.cli_waived(&waived.by, &waived.until));
        let _ = writeln!(out, "      <skipped message=\"{why}\"/>");
    } else if standing.judged.verdict == Verdict::Unknown {
        let whys: Vec<String> = it.unknown.iter().map(|(_, why)| say::why(lang, why)).collect();
        let _ = writeln!(out, "      <skipped message=\"{}\"/>", escaped(&whys.join(" ")));
    }
    out.push_str("    </testcase>\n");
}

/// As text or attribute of XML 1.0; characters that it does not allow become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            it if it.is_control() => out.push(' '),
            it => out.push(it),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_an_object_is_called_is_no_markup() {
        assert_eq!(escaped("<a b=\"c\">&\u{7}"), "&lt;a b=&quot;c&quot;&gt;&amp; ");
    }
}
