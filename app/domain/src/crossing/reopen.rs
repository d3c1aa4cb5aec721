//! When a signed item is open again.
//!
//! What is written wrongly (a label removed, a rule changed) opens it at once. State comes and goes by itself, so it does so only after it
//! has been unwell without a break for `reopenAfter`; while pods are being replaced it is not looked at, and neither is the time between two
//! judgements that lie further apart than that: nobody has seen that it lasted. An accepted finding counts again when its exception ends;
//! what was not known when it was signed is not held against it.

use super::{
    Migration,
    evidence::{EvidenceSpec, SeenFact},
    exception::Excepted,
};
use crate::{
    Name, Timestamp,
    judge::{Judgement, Severity, Verdict},
    object::Key,
    snapshot::Objects,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long state must have been unwell if the Migration does not say: ten minutes.
pub const DEFAULT_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// So many causes and facts are kept at most, each; the first ones tell.
pub const KEPT: usize = 20;

/// A signed item is open again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reopened {
    /// When Naru found so.
    pub at: Timestamp,
    /// Errors that are not accepted.
    pub findings: Vec<Wrong>,
    /// Checks that do not know now what they knew when it was signed.
    pub unknown: Vec<Name>,
    /// Facts that are not as they were when it was signed.
    pub facts: Vec<Changed>,
}

/// An error under a signed item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Wrong {
    /// Its code.
    pub code: Name,
    /// The object.
    pub object: Key,
    /// JSON pointer of the field; empty for the object as a whole.
    pub path: Name,
}

/// A fact then and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Changed {
    /// What was looked at.
    pub name: Name,
    /// The object; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Key>,
    /// JSON pointer, or the query.
    pub path: Name,
    /// What was seen when it was signed; left out if it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Name>,
    /// What is seen now; left out if it is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Name>,
}

/// What is remembered of a signed item between two judgements. Nothing is lost with it but time: after a restart the clock begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Since when its state has been unwell, and when that was last seen.
    unwell: Option<(Timestamp, Timestamp)>,
}

/// A judgement, as it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The judgement.
    pub judgement: &'a Judgement,
    /// With what is accepted of it.
    pub excepted: &'a Excepted,
    /// Pods of the system are being replaced.
    pub rolling: bool,
    /// When it was made.
    pub at: Timestamp,
}

impl Watch {
    /// Looks at a judgement of an item that was signed for `signed`. Some if it is open again by it.
    pub fn look(&mut self, signed: &EvidenceSpec, look: Look<'_>, after: SignedDuration) -> Option<Reopened> {
        let trouble = Trouble::of(signed, look);
        if trouble.written {
            return Some(trouble.reopened(signed, look));
        }
        if look.rolling || !trouble.state {
            self.unwell = None;
            return None;
        }
        let since = match self.unwell {
            Some((since, seen)) if look.at >= seen && look.at.duration_since(seen) <= after => since,
            _ => look.at,
        };
        self.unwell = Some((since, look.at));
        (look.at.duration_since(since) >= after).then(|| trouble.reopened(signed, look))
    }
}

impl Migration {
    /// How long a signed item's state must have been unwell before it is open again. What cannot be read is as if it was left out.
    pub fn reopens_after(&self) -> SignedDuration {
        let said = self.reopen_after.parse::<SignedDuration>().ok();
        said.filter(|it| !it.is_negative()).unwrap_or(DEFAULT_AFTER)
    }
}

/// Pods of the system, or of the mesh itself, are being replaced. Rollouts end: a Deployment's that comes to nothing is given up after its
/// `progressDeadlineSeconds`, ten minutes unless told otherwise.
pub fn rolling(objects: &Objects) -> bool {
    objects.deployments.values().any(|it| it.rolling)
}

/// What is wrong now.
#[derive(Default)]
struct Trouble {
    findings: Vec<Wrong>,
    unknown: Vec<Name>,
    written: bool,
    state: bool,
}

impl Trouble {
    fn of(signed: &EvidenceSpec, look: Look<'_>) -> Self {
        let mut trouble = Self::default();
        for (index, finding) in look.judgement.findings.iter().enumerate() {
            if finding.code.severity != Severity::Error || look.excepted.accepts(index) {
                continue;
            }
            trouble.written |= !finding.code.state;
            trouble.state |= finding.code.state;
            trouble.findings.push(Wrong {
                code: finding.code.name.into(),
                object: finding.key.clone(),
                path: finding.path.clone(),
            });
        }
        // With an error there is a verdict, whatever else is not known.
        if look.excepted.verdict == Verdict::Unknown {
            let was = |check: &str| signed.unknown.iter().any(|it| *it.check == *check);
            let checks = look.judgement.unknown.iter().map(|(check, _)| *check);
            trouble
                .unknown
                .extend(checks.filter(|it| !was(it)).map(Name::from));
            trouble.unknown.dedup();
            trouble.state |= !trouble.unknown.is_empty();
        }
        trouble
    }

    fn reopened(mut self, signed: &EvidenceSpec, look: Look<'_>) -> Reopened {
        self.findings.truncate(KEPT);
        self.unknown.truncate(KEPT);
        Reopened {
            at: look.at,
            findings: self.findings,
            unknown: self.unknown,
            facts: changed(&signed.facts, look.judgement),
        }
    }
}

/// The facts that are not as they were, in order of name and place.
fn changed(before: &[SeenFact], now: &Judgement) -> Vec<Changed> {
    type Place<'a> = (&'a str, Option<&'a Key>, &'a str);
    let mut both: BTreeMap<Place<'_>, (Option<&Name>, Option<&Name>)> = BTreeMap::new();
    for fact in before {
        both.entry((&fact.name, fact.object.as_ref(), &fact.path))
            .or_default()
            .0 = Some(&fact.value);
    }
    for fact in &now.facts {
        both.entry((fact.name, fact.key.as_ref(), &fact.path))
            .or_default()
            .1 = Some(&fact.value);
    }
    let differing = both.into_iter().filter(|(_, (before, after))| before != after);
    let changes = differing.map(|((name, object, path), (before, after))| Changed {
        name: name.into(),
        object: object.cloned(),
        path: path.into(),
        before: before.cloned(),
        after: after.cloned(),
    });
    changes.take(KEPT).collect()
}
