//! What a viewer may see of the checklist.

use crate::{
    actor::Scope,
    crossing::{
        reopen::Reopened,
        standing::{Signature, Standing},
    },
    judge::Judgement,
    object::Key,
};

/// An item's judgement without what lies in namespaces that a viewer does not see. The verdict is the whole system's: whoever sees a part of it
/// is not told that all is well.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenJudgement {
    /// What may be shown.
    pub judgement: Judgement,
    /// How it stands by what people have signed; findings are named by their places in what may be shown.
    pub standing: Standing,
    /// Findings and facts that may not be shown.
    pub hidden: u32,
}

/// The judgements as far as this scope sees them, in order.
pub fn judgements(all: &[(Judgement, Standing)], scope: &Scope) -> Vec<SeenJudgement> {
    all.iter()
        .map(|(it, standing)| seen(it, standing, scope))
        .collect()
}

/// Why an item is open again, without what lies in namespaces that this scope does not see.
pub fn seen_reopened(whole: &Reopened, scope: &Scope) -> Reopened {
    let sees = |key: &Key| scope.sees(&key.namespace);
    let mut reopened = whole.clone();
    reopened.findings.retain(|it| sees(&it.object));
    reopened.facts.retain(|it| it.object.as_ref().is_none_or(sees));
    reopened
}

fn seen(whole: &Judgement, standing: &Standing, scope: &Scope) -> SeenJudgement {
    let sees = |key: &Key| scope.sees(&key.namespace);
    let mut judgement = whole.clone();
    judgement.findings.retain(|it| sees(&it.key));
    judgement.facts.retain(|it| it.key.as_ref().is_none_or(sees));
    let left = judgement.findings.len() + judgement.facts.len();
    let all = whole.findings.len() + whole.facts.len();
    let mut standing = standing.clone();
    let shown: Vec<usize> = (0..whole.findings.len())
        .filter(|at| sees(&whole.findings[*at].key))
        .collect();
    for list in [&mut standing.judged.accepted, &mut standing.judged.lapsed] {
        *list = std::mem::take(list)
            .into_iter()
            .filter_map(|(at, by)| Some((shown.iter().position(|it| *it == at)?, by)))
            .collect();
    }
    if let Signature::Reopened(_, reopened) = &mut standing.signature {
        *reopened = seen_reopened(reopened, scope);
    }
    SeenJudgement {
        judgement,
        standing,
        hidden: u32::try_from(all - left).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::judgements;
    use crate::{
        actor::Scope,
        crossing::Audited,
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
        let now = jiff::Timestamp::UNIX_EPOCH;
        let audited = Audited::default();
        let stands = |it| {
            let mut standing = audited.standing(&it, now);
            let all = 0..it.findings.len();
            standing.judged.accepted = all.map(|at| (at, it.findings[at].code.name.into())).collect();
            (it, standing)
        };
        let all: Vec<_> = judge(&World::of_files(&objects, now))
            .into_iter()
            .map(stands)
            .collect();
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
        // What is accepted is still what it was, by its place among what is shown.
        for (at, code) in &part[1].standing.judged.accepted {
            assert_eq!(part[1].judgement.findings[*at].code.name, &**code);
        }
    }
}
