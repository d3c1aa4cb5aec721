//! What a check says.

use super::fix::{Edit, Mend};
use crate::{
    Name, Timestamp, Why,
    crossing::Item,
    mesh::Decider,
    object::{Key, Object},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The item is not met while it stands.
    Error,
    /// It works, and will hurt.
    Warning,
    /// Worth knowing.
    Info,
}

/// A kind of finding. Its sentence is `finding.NAME` in both locales; what the sentence's placeholders stand for comes with each finding.
#[derive(Debug)]
pub struct Code {
    /// Its name, for scripts and exceptions: kebab-case, never changed once released.
    pub name: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// Istio's own code for the same thing (`istioctl analyze`), such as `IST0101`; None where Istio has none.
    pub istio: Option<&'static str>,
    /// It is about state, which comes and goes by itself (readiness, traffic), and not about what somebody has written: a signature is
    /// not undone by it at once.
    pub state: bool,
    /// How it is mended, where that is safe.
    pub mend: Option<Mend>,
}

/// Each has a name of its own.
impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Code {}

impl Code {
    /// An error.
    pub const fn error(name: &'static str) -> Self {
        Self::of(name, Severity::Error)
    }

    /// A warning.
    pub const fn warning(name: &'static str) -> Self {
        Self::of(name, Severity::Warning)
    }

    /// Worth knowing.
    pub const fn info(name: &'static str) -> Self {
        Self::of(name, Severity::Info)
    }

    /// With Istio's own code.
    pub const fn istio(self, code: &'static str) -> Self {
        Self {
            istio: Some(code),
            ..self
        }
    }

    /// About state, which comes and goes by itself.
    pub const fn state(self) -> Self {
        Self { state: true, ..self }
    }

    /// With what mends it.
    pub const fn mended(self, by: Mend) -> Self {
        Self {
            mend: Some(by),
            ..self
        }
    }

    const fn of(name: &'static str, severity: Severity) -> Self {
        Self {
            name,
            severity,
            istio: None,
            state: false,
            mend: None,
        }
    }
}

/// One thing that is wrong, with the object and field that it is written in.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What kind of thing.
    pub code: &'static Code,
    /// The item that it is about.
    pub item: Item,
    /// The object.
    pub key: Key,
    /// JSON pointer of the field (RFC 6901); empty for the object as a whole.
    pub path: Name,
    /// What the sentence's placeholders stand for.
    pub args: BTreeMap<&'static str, Name>,
    /// The edits of the object that mend it, where that is safe.
    pub fix: Option<Vec<Edit>>,
}

/// Where a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FactSource {
    /// An object, from the API server or a file.
    Object,
    /// A query to Prometheus.
    Metrics,
    /// What Naru tried out itself: a handshake, a request, a dry run.
    Probe,
    /// What somebody handed in: a report.
    Handed,
}

/// Something that a check saw, good or bad: what a signature is given for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What was looked at: `fact.NAME` in both locales.
    pub name: &'static str,
    /// Where it comes from.
    pub source: FactSource,
    /// The object; None where there is none.
    pub key: Option<Key>,
    /// JSON pointer, or the query.
    pub path: Name,
    /// What was seen, as text.
    pub value: Name,
    /// When it was so; None for what comes from files.
    pub at: Option<Timestamp>,
    /// The object's resourceVersion; empty where there is none.
    pub resource_version: Name,
}

/// What one check says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What is wrong.
    pub findings: Vec<(&'static Code, Decider, BTreeMap<&'static str, Name>)>,
    /// What was seen.
    pub facts: Vec<Fact>,
    /// What could not be known; whatever stands here keeps the item from being met.
    pub unknown: Vec<Why>,
}

impl Found {
    /// Something is wrong at a field.
    pub fn finding<const N: usize>(
        &mut self,
        code: &'static Code,
        by: Decider,
        args: [(&'static str, Cow<'_, str>); N],
    ) {
        let args = args.into_iter().map(|(name, value)| (name, Name::from(&*value)));
        let finding = (code, by, args.collect());
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Something could not be known.
    pub fn unknown(&mut self, why: Why) {
        if !self.unknown.contains(&why) {
            self.unknown.push(why);
        }
    }

    /// Several things could not be known.
    pub fn unknowns(&mut self, whys: impl IntoIterator<Item = Why>) {
        whys.into_iter().for_each(|why| self.unknown(why));
    }

    /// An object's field was seen.
    pub fn saw(&mut self, name: &'static str, object: &Object, path: &str, value: impl Into<Name>) {
        self.facts.push(Fact {
            name,
            source: FactSource::Object,
            key: Some(object.key().clone()),
            path: path.into(),
            value: value.into(),
            at: None,
            resource_version: object.resource_version(),
        });
    }

    /// Something was tried out or counted, about an object.
    pub fn learned(
        &mut self,
        name: &'static str,
        source: FactSource,
        by: &Decider,
        value: impl Into<Name>,
        at: Timestamp,
    ) {
        self.facts.push(Fact {
            name,
            source,
            key: Some(by.key.clone()),
            path: by.path.clone(),
            value: value.into(),
            at: Some(at),
            resource_version: "".into(),
        });
    }

    /// As [`saw`](Self::saw), of an object that is not kept whole.
    pub fn saw_at(&mut self, name: &'static str, by: &Decider, value: impl Into<Name>) {
        self.facts.push(Fact {
            name,
            source: FactSource::Object,
            key: Some(by.key.clone()),
            path: by.path.clone(),
            value: value.into(),
            at: None,
            resource_version: "".into(),
        });
    }
}
