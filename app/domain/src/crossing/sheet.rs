//! What a person is shown before they sign, and by what it is known again when they do.

use super::{Audited, evidence::EvidenceSpec, standing::Standing};
use crate::{
    Timestamp,
    judge::{FactSource, Judgement},
    object::Digest,
};
use serde_json::json;

/// The evidence that a signature would be given for now.
pub fn evidence(judgement: &Judgement, audited: &Audited, at: Timestamp) -> EvidenceSpec {
    let policies = audited.guards.policies.clone();
    EvidenceSpec::of(judgement, audited.revision.clone(), policies, at)
}

/// The digest of what a person sees and signs. The moment, versions of objects and what was counted are left out: they move on while
/// somebody reads, and what they come to (verdict, findings, what is not known) is not. What is signed is judged anew; if it still has
/// this digest, it is what was shown.
pub fn gist(evidence: &EvidenceSpec, standing: &Standing) -> Digest {
    let written = evidence.facts.iter().filter(|it| it.source == FactSource::Object);
    let facts: Vec<_> = written
        .map(|it| json!([&*it.name, &it.object, &*it.path, &*it.value]))
        .collect();
    let findings: Vec<_> = evidence
        .findings
        .iter()
        .map(|it| json!([&*it.code, &it.object, &*it.path]))
        .collect();
    let unknown: Vec<_> = evidence.unknown.iter().map(|it| &*it.check).collect();
    let accepted: Vec<_> = standing.judged.accepted.iter().map(|(_, by)| &**by).collect();
    Digest::of(&json!({
        "item": &*evidence.item, "verdict": evidence.verdict, "facts": facts, "findings": findings, "unknown": unknown,
        "accepted": accepted, "migration": evidence.migration_revision, "policies": evidence.policies,
    }))
}
