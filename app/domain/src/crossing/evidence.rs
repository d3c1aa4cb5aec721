//! What was judged of an item, and what it was judged by, as a signature names it: written by Naru alone, and never changed.

use super::{act, migration::Unreadable};
use crate::{
    Name, Timestamp, Why,
    judge::{FactSource, Judgement, Severity, Verdict},
    object::{Digest, Key, Kind, Object, canonical},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The largest `spec`, in bytes of canonical JSON: 256 KiB. etcd takes objects up to 1.5 MiB.
pub const LIMIT: usize = 256 << 10;

/// The longest text of one fact, in characters; what is longer is cut and ends in `…`.
pub const LONGEST_TEXT: usize = 4096;

/// The uid that it had in the cluster that it was imported from: that is what signatures name.
pub const IMPORTED_UID: &str = "naru.dev/imported-uid";

/// Naru's admission policies that signatures rest on, each with a binding of the same name (`k8s/base/ledger.yaml`).
pub const POLICIES: [&str; 5] = [
    "naru-evidence",
    "naru-signoffs",
    "naru-signoffs-status",
    "naru-passed-over",
    "naru-reports",
];

/// An Evidence object.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Its name.
    pub name: Name,
    /// Its uid, or the one that it had where it was imported from.
    pub uid: Name,
    /// Digest of `spec` as it stands there, with whatever is in it that we do not know.
    pub digest: Digest,
    /// What it says.
    pub spec: EvidenceSpec,
}

/// `spec` of an Evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EvidenceSpec {
    /// The item, by its number.
    pub item: Name,
    /// How it was judged, before any exception.
    pub verdict: Verdict,
    /// What was seen.
    pub facts: Vec<SeenFact>,
    /// What was wrong.
    pub findings: Vec<SeenFinding>,
    /// What was not known.
    pub unknown: Vec<Unseen>,
    /// When.
    pub at: Timestamp,
    /// Digest of the Migration's `spec` that it was judged by; left out if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_revision: Option<Digest>,
    /// Naru's admission policies as they were: whoever can remove one can forge.
    pub policies: Vec<Policy>,
}

/// A [`Fact`](crate::judge::Fact), kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeenFact {
    /// What was looked at.
    pub name: Name,
    /// Where it comes from.
    pub source: FactSource,
    /// The object; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Key>,
    /// JSON pointer, or the query.
    pub path: Name,
    /// What was seen.
    pub value: Name,
    /// When it was so; left out for what is simply written somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The object's resourceVersion; empty where there is none.
    pub resource_version: Name,
}

/// A [`Finding`](crate::judge::Finding), kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeenFinding {
    /// What kind of thing.
    pub code: Name,
    /// How much it weighs.
    pub severity: Severity,
    /// The object.
    pub object: Key,
    /// JSON pointer of the field; empty for the object as a whole.
    pub path: Name,
    /// What the sentence's placeholders stand for.
    pub args: BTreeMap<Name, Name>,
    /// Istio's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub istio: Option<Name>,
}

/// What a check could not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unseen {
    /// The check.
    pub check: Name,
    /// Why.
    #[cfg_attr(test, schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub why: Why,
}

/// An admission policy and its binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Policy {
    /// How both are called.
    pub name: Name,
    /// The policy's `metadata.generation`; left out if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The binding's; left out if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<i64>,
}

/// The evidence would not fit into an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes of evidence, of {LIMIT} allowed")]
pub struct TooLarge {
    /// What it would take.
    pub bytes: usize,
}

impl Evidence {
    /// Reads the object.
    ///
    /// # Errors
    /// It is not one that Naru wrote.
    pub fn read(object: &Object) -> Result<Self, Unreadable> {
        let imported = object.annotation(IMPORTED_UID).map(Name::from);
        Ok(Self {
            name: object.key().name.clone(),
            uid: imported.unwrap_or_else(|| object.uid()),
            digest: Digest::of(object.get("/spec").unwrap_or(&Value::Null)),
            spec: act::read(object, "/spec")?,
        })
    }
}

impl EvidenceSpec {
    /// What is kept of a judgement made at a moment by a Migration of this revision.
    pub fn of(
        judgement: &Judgement,
        migration_revision: Option<Digest>,
        policies: Vec<Policy>,
        at: Timestamp,
    ) -> Self {
        let facts = judgement.facts.iter().map(|fact| SeenFact {
            name: fact.name.into(),
            source: fact.source,
            object: fact.key.clone(),
            path: bounded(&fact.path),
            value: bounded(&fact.value),
            at: fact.at,
            resource_version: fact.resource_version.clone(),
        });
        let findings = judgement.findings.iter().map(|finding| SeenFinding {
            code: finding.code.name.into(),
            severity: finding.code.severity,
            object: finding.key.clone(),
            path: bounded(&finding.path),
            args: finding
                .args
                .iter()
                .map(|(name, value)| ((*name).into(), bounded(value)))
                .collect(),
            istio: finding.code.istio.map(Name::from),
        });
        let unknown = judgement.unknown.iter().map(|(check, why)| Unseen {
            check: (*check).into(),
            why: why.clone(),
        });
        Self {
            item: judgement.item.id().into(),
            verdict: judgement.verdict,
            facts: facts.collect(),
            findings: findings.collect(),
            unknown: unknown.collect(),
            at,
            migration_revision,
            policies,
        }
    }

    /// The object to be created. Its name says item and digest, so that the same evidence is not written twice.
    ///
    /// # Errors
    /// It is larger than [`LIMIT`].
    pub fn object(&self) -> Result<Object, TooLarge> {
        let spec = serde_json::to_value(self).map_err(|_| TooLarge { bytes: usize::MAX })?;
        let bytes = canonical(&spec).len();
        if bytes > LIMIT {
            return Err(TooLarge { bytes });
        }
        let name = format!("{}-{}", self.item, Digest::of(&spec).short());
        let json = json!({
            "apiVersion": Kind::Evidence.api_version(), "kind": Kind::Evidence.name(),
            "metadata": {"name": name}, "spec": spec,
        });
        Object::new(Kind::Evidence, json).map_err(|_| TooLarge { bytes })
    }
}

fn bounded(text: &Name) -> Name {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some(_) => {
            let kept: String = text.chars().take(LONGEST_TEXT - 1).chain(['…']).collect();
            kept.into()
        }
        None => text.clone(),
    }
}
