//! What a viewer may see of the checklist.

use crate::{
    Why,
    actor::Scope,
    crossing::{
        reopen::Reopened,
        standing::{Signature, Standing},
    },
    judge::{Judgement, OWN_MISSED, OWN_SERIES, check::OWN},
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
    if scope.namespaces.is_some() {
        reopened.facts.retain(|it| *it.name != *OWN_SERIES);
    }
    reopened
}

fn seen(whole: &Judgement, standing: &Standing, scope: &Scope) -> SeenJudgement {
    let sees = |key: &Key| scope.sees(&key.namespace);
    let mut judgement = whole.clone();
    judgement.findings.retain(|it| sees(&it.key));
    judgement.facts.retain(|it| it.key.as_ref().is_none_or(sees));
    if scope.namespaces.is_some() {
        without_series(&mut judgement);
    }
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

/// Labels of a series may name anything that Prometheus has, whoever the viewer is.
fn without_series(judgement: &mut Judgement) {
    judgement.facts.retain(|it| it.name != OWN_SERIES);
    let missed = judgement.findings.iter_mut().filter(|it| *it.code == OWN_MISSED);
    for finding in missed {
        finding.args.insert("series", "…".into());
    }
    // So may the words of a Prometheus that could not answer.
    let own = judgement
        .unknown
        .iter_mut()
        .filter(|(check, _)| *check == OWN.name);
    for (_, why) in own {
        if matches!(
            why,
            Why::NotObserved { .. } | Why::Failed { .. } | Why::Said { .. }
        ) {
            *why = Why::NotObserved { what: "…".into() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::judgements;
    use crate::{
        actor::Scope,
        crossing::{Audited, OwnItems},
        inquiry::{Replies, Reply, ThresholdState, WorstSeen},
        judge::{Verdict, World, judge, settled::settled},
        manifests,
        mesh::Prepared,
        traffic::Dated,
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

    #[test]
    fn whose_number_missed_a_threshold_is_told_to_whoever_sees_everything() {
        let series = r#"{namespace="theirs"}"#;
        let objects = manifests::objects([json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Migration", "metadata": {"name": "m"},
            "spec": {"items": [{"phase": 1, "name": "a", "title": "t", "query": "up", "atLeast": 1, "for": "5m"}]}})])
        .unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let question = OwnItems::of(&objects).0[0].threshold().unwrap().unwrap();
        for value in [0.0, 1.0] {
            let worst = WorstSeen {
                value,
                series: series.into(),
                at: now,
            };
            let state = ThresholdState {
                worst: Some(worst),
                series: 1,
                looks: 1,
                seen: 1,
            };
            let dated = Dated {
                value: Reply::Threshold(state),
                at: now,
                gaps: Vec::new(),
            };
            let replies = Replies::from([(question.clone().into(), Ok(dated))]);
            let world = World::of(&objects, Prepared::of(&objects), None, now).knowing(Arc::new(replies));
            let judged = judge(&world)
                .into_iter()
                .find(|it| it.item.id() == "1.a")
                .unwrap();
            let standing = Audited::default().standing(&judged, now);
            let all = [(judged, standing)];
            let told = |scope: &Scope| format!("{:?}", judgements(&all, scope)).contains("theirs");
            let ours = Scope {
                namespaces: Some(Arc::from(["ours".into()])),
            };
            assert!(told(&Scope::all()) && !told(&ours), "{value}");
        }
    }
}
