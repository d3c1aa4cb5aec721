//! One finding that is accepted until a day: somebody answers for it.

use super::{
    act::{self, Revocable},
    evidence::SeenFinding,
    import,
    migration::Unreadable,
};
use crate::{
    Name, Timestamp,
    actor::Actor,
    judge::{Finding, Judgement, Severity, Verdict},
    object::{Key, Kind, Malformed, Object},
};
use serde::{Deserialize, Serialize};

/// An Exception object.
#[derive(Clone, Debug, PartialEq)]
pub struct Exception {
    /// Its name.
    pub name: Name,
    /// What it says.
    pub spec: ExceptionSpec,
    /// Whether it was taken back.
    pub status: Revocable,
    /// It is being brought in from a file, and whether it was taken back is still to be written: nothing rests on it before.
    pub arriving: bool,
}

/// `spec` of an Exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExceptionSpec {
    /// The finding's code.
    pub code: Name,
    /// The object that it is found in.
    pub object: Key,
    /// JSON pointer of the field; wherever in the object if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Name>,
    /// Why it is accepted.
    pub reason: Name,
    /// Who sees to it meanwhile: a person or a team, in words.
    pub owner: Name,
    /// The end, at most [`LONGEST`](act::LONGEST) after `at`.
    pub until: Timestamp,
    /// Who wrote it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

impl ExceptionSpec {
    /// The object to be created under a name.
    ///
    /// # Errors
    /// The name is empty.
    pub fn object(&self, name: &str) -> Result<Object, Malformed> {
        act::object(Kind::Exception, name, self)
    }
}

impl Exception {
    /// Reads the object.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        Ok(Self {
            name: object.key().name.clone(),
            spec: act::read(object, "/spec")?,
            status: act::read(object, "/status")?,
            arriving: import::arriving(object),
        })
    }

    /// It is about this finding, whether it holds or not.
    pub fn covers(&self, finding: &Finding) -> bool {
        self.is_about(finding.code.name, &finding.key, &finding.path)
    }

    /// The same, of a finding that was kept.
    pub fn covers_seen(&self, finding: &SeenFinding) -> bool {
        self.is_about(&finding.code, &finding.object, &finding.path)
    }

    fn is_about(&self, code: &str, object: &Key, path: &Name) -> bool {
        *self.spec.code == *code
            && self.spec.object == *object
            && self.spec.path.as_ref().is_none_or(|it| it == path)
    }

    /// It holds at this moment.
    pub fn holds(&self, now: Timestamp) -> bool {
        !self.arriving && self.status.revoked.is_none() && act::in_force(self.spec.at, self.spec.until, now)
    }

    /// It held at a moment that is past, whatever became of it since.
    pub fn held(&self, at: Timestamp) -> bool {
        let open = !self.arriving && self.status.revoked.as_ref().is_none_or(|it| at < it.at);
        open && act::in_force(self.spec.at, self.spec.until, at)
    }
}

/// A judgement with what is accepted of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Excepted {
    /// Whether the item is met, when what is accepted does not count. What is not known is still not known.
    pub verdict: Verdict,
    /// Findings (by their place in the judgement) that do not count, and by which exception.
    pub accepted: Vec<(usize, Name)>,
    /// Findings that count, although there is an exception: it has ended or was taken back.
    pub lapsed: Vec<(usize, Name)>,
}

impl Excepted {
    /// The finding does not count.
    pub fn accepts(&self, finding: usize) -> bool {
        self.accepted.iter().any(|(it, _)| *it == finding)
    }
}

/// Applies exceptions to a judgement. A verdict that no error stands against is not made better: Unknown stays Unknown.
pub fn apply(judgement: &Judgement, exceptions: &[Exception], now: Timestamp) -> Excepted {
    let (mut accepted, mut lapsed) = (Vec::new(), Vec::new());
    for (index, finding) in judgement.findings.iter().enumerate() {
        let about: Vec<&Exception> = exceptions.iter().filter(|it| it.covers(finding)).collect();
        match (about.iter().find(|it| it.holds(now)), about.first()) {
            (Some(exception), _) => accepted.push((index, exception.name.clone())),
            (None, Some(exception)) => lapsed.push((index, exception.name.clone())),
            (None, None) => {}
        }
    }
    let counts = |index: usize| !accepted.iter().any(|(it, _)| *it == index);
    let mut errors = judgement.findings.iter().enumerate();
    let verdict = match judgement.verdict {
        Verdict::NotMet
            if !errors.any(|(index, it)| it.code.severity == Severity::Error && counts(index)) =>
        {
            if judgement.unknown.is_empty() {
                Verdict::Met
            } else {
                Verdict::Unknown
            }
        }
        verdict => verdict,
    };
    Excepted {
        verdict,
        accepted,
        lapsed,
    }
}
