//! When a signed item is open again.
//!
//! What is written wrongly (a label removed, a rule changed) opens it at once. State comes and goes by itself, so it does so only after it
//! has been unwell without a break for `reopenAfter`; while pods are being replaced it is not looked at, and neither is the time between two
//! judgements that lie further apart than that: nobody has seen that it lasted. Silence is no regression: an item that is not known only because
//! nobody calls is left alone over a weekend. An accepted finding counts again when its exception ends;
//! what was not known when it was signed is not held against it.

use super::{
    Migration,
    evidence::{EvidenceSpec, SeenFact},
    exception::Excepted,
};
use crate::{
    Name, Timestamp, Why,
    judge::{Judgement, Severity, Verdict},
    object::Key,
    snapshot::Objects,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long state must have been unwell if the Migration does not say: ten minutes.
pub const DEFAULT_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// How long nobody may call before what is therefore not known opens an item: a weekend and a holiday.
pub const QUIET: SignedDuration = SignedDuration::from_hours(72);

/// Two looks at a silence that lie further apart are none in between.
const QUIET_APART: SignedDuration = SignedDuration::from_hours(12);

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
    unwell: Option<Lasting>,
    /// The same for not being known because nobody calls.
    quiet: Option<Lasting>,
}

/// Since when something has been so, and when that was last seen.
type Lasting = (Timestamp, Timestamp);

/// Notes that it is so, or is not, and says since when without a break: two looks further apart than `apart` are one.
fn note(
    slot: &mut Option<Lasting>,
    so: bool,
    at: Timestamp,
    apart: SignedDuration,
) -> Option<SignedDuration> {
    let since = match *slot {
        Some((since, seen)) if at >= seen && at.duration_since(seen) <= apart => since,
        _ => at,
    };
    *slot = so.then_some((since, at));
    so.then(|| at.duration_since(since))
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
        let unwell = note(&mut self.unwell, trouble.state && !look.rolling, look.at, after);
        // A rollout elsewhere, or a restart of the console's, says nothing of whether somebody has called meanwhile.
        let quiet = note(&mut self.quiet, trouble.quiet, look.at, QUIET_APART);
        let open = unwell.is_some_and(|it| it >= after) || quiet.is_some_and(|it| it >= after.max(QUIET));
        open.then(|| trouble.reopened(signed, look))
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
    /// Nobody calls, which is all that is not known.
    quiet: bool,
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
            let unknown = &look.judgement.unknown;
            let silent = |check: &&Name| {
                let mut whys = unknown.iter().filter(|(it, _)| *it == &***check);
                whys.all(|(_, why)| matches!(why, Why::NoTraffic { .. }))
            };
            let all = trouble.unknown.len();
            let silent = trouble.unknown.iter().filter(silent).count();
            trouble.state |= silent < all;
            trouble.quiet = silent > 0;
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
