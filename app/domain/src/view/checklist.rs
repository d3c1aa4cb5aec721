//! What a viewer may see of the checklist.

use crate::{actor::Scope, judge::Judgement, object::Key};

/// An item's judgement without what lies in namespaces that a viewer does not see. The verdict is the whole system's: whoever sees a part of it
/// is not told that all is well.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenJudgement {
    /// What may be shown.
    pub judgement: Judgement,
    /// Findings and facts that may not.
    pub hidden: u32,
}

/// The judgements as far as this scope sees them, in order.
pub fn judgements(all: &[Judgement], scope: &Scope) -> Vec<SeenJudgement> {
    all.iter().map(|it| seen(it, scope)).collect()
}

fn seen(whole: &Judgement, scope: &Scope) -> SeenJudgement {
    let sees = |key: &Key| scope.sees(&key.namespace);
    let mut judgement = whole.clone();
    judgement.findings.retain(|it| sees(&it.key));
    judgement.facts.retain(|it| it.key.as_ref().is_none_or(sees));
    let left = judgement.findings.len() + judgement.facts.len();
    let all = whole.findings.len() + whole.facts.len();
    SeenJudgement {
        judgement,
        hidden: u32::try_from(all - left).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::judgements;
    use crate::{
        actor::Scope,
        judge::{Verdict, World, judge, settled::settled},
        manifests,
    };
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn a_finding_elsewhere_is_counted_and_not_told_and_the_verdict_stays() {
        let route = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "r", "namespace": "theirs"}, "spec": {"hosts": ["a.example"], "gateways": ["absent"]}});
        let objects = settled(manifests::objects([route]).unwrap());
        let all = judge(&World::of_files(&objects, jiff::Timestamp::UNIX_EPOCH));
        let whole = judgements(&all, &Scope::all());
        let found = |all: &[super::SeenJudgement]| all[1].judgement.findings.len();
        assert!(found(&whole) > 0 && whole[1].hidden == 0);
        let ours = Scope {
            namespaces: Some(Arc::from(["ours".into()])),
        };
        let part = judgements(&all, &ours);
        assert_eq!(part[1].judgement.verdict, Verdict::NotMet);
        assert!(!format!("{:?}", part[1]).contains("theirs"));
        assert!(part[1].hidden > 0);
    }
}
