//! What the checks of an item come to.

use super::{ALL, Check, Fact, Finding, Found, Severity, World};
use crate::{Why, crossing::Item};
use serde::{Deserialize, Serialize};

/// Whether an item is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check knew, and none found an error.
    Met,
    /// Some check found an error.
    NotMet,
    /// No error was found, and something is not known.
    Unknown,
}

/// An item as it is judged now.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The item.
    pub item: Item,
    /// Whether it is met.
    pub verdict: Verdict,
    /// What is wrong, the worst first, then in order of code and place.
    pub findings: Vec<Finding>,
    /// What was seen, in order of the checks.
    pub facts: Vec<Fact>,
    /// What is not known, and by which check.
    pub unknown: Vec<(&'static str, Why)>,
}

/// Judges all items, in order.
pub fn judge(world: &World<'_>) -> Vec<Judgement> {
    Item::ALL.into_iter().map(|item| of_item(world, item)).collect()
}

fn of_item(world: &World<'_>, item: Item) -> Judgement {
    let mut judgement = Judgement {
        item,
        verdict: Verdict::Met,
        findings: Vec::new(),
        facts: Vec::new(),
        unknown: Vec::new(),
    };
    for check in ALL.iter().filter(|check| check.item == item) {
        let mut found = Found::default();
        (check.run)(world, &mut found);
        judgement.take(check, found);
    }
    judgement.settle();
    judgement
}

impl Judgement {
    fn take(&mut self, check: &'static Check, found: Found) {
        debug_assert!(
            found.findings.iter().all(|(code, ..)| check.codes.contains(code)),
            "{} has a finding that it does not list",
            check.name
        );
        self.facts.extend(found.facts);
        self.unknown
            .extend(found.unknown.into_iter().map(|why| (check.name, why)));
        let findings = found.findings.into_iter().map(|(code, by, args)| Finding {
            code,
            item: check.item,
            key: by.key,
            path: by.path,
            args,
        });
        self.findings.extend(findings);
    }

    /// No check at all, or one that does not know, is no reason to call an item met.
    fn settle(&mut self) {
        self.findings.sort_by(|a, b| {
            (a.code.severity, a.code.name, &a.key, &a.path).cmp(&(
                b.code.severity,
                b.code.name,
                &b.key,
                &b.path,
            ))
        });
        let wrong = |finding: &Finding| finding.code.severity == Severity::Error;
        self.verdict = if self.findings.iter().any(wrong) {
            Verdict::NotMet
        } else if self.unknown.is_empty() && ALL.iter().any(|check| check.item == self.item) {
            Verdict::Met
        } else {
            Verdict::Unknown
        };
    }
}
