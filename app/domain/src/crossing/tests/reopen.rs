//! When a signed item is open again, and when not.

use super::{UNREADY, WRONG, at, fact, judgement, policies};
use crate::{
    Why,
    crossing::{
        Migration,
        evidence::EvidenceSpec,
        exception::{Excepted, apply},
        reopen::{self, DEFAULT_AFTER, Look, Reopened, Watch},
    },
    judge::{Judgement, Verdict},
    manifests,
};
use serde_json::{Value, json};

struct Signed {
    evidence: EvidenceSpec,
    watch: Watch,
}

impl Signed {
    fn new() -> Self {
        Self::of(&judgement(Verdict::Met, &[], &[]))
    }

    fn of(judged: &Judgement) -> Self {
        Self {
            evidence: EvidenceSpec::of(judged, None, policies(), at(0)),
            watch: Watch::default(),
        }
    }

    fn look(&mut self, judged: &Judgement, rolling: bool, minute: i64) -> Option<Reopened> {
        let excepted: Excepted = apply(judged, &[], at(minute));
        let look = Look {
            judgement: judged,
            excepted: &excepted,
            rolling,
            at: at(minute),
        };
        self.watch.look(&self.evidence, look, DEFAULT_AFTER)
    }
}

#[test]
fn what_is_written_wrongly_opens_it_at_once_and_says_what_changed() {
    let mut now = judgement(Verdict::NotMet, &[&WRONG], &[]);
    now.facts = vec![fact("disabled")];
    let reopened = Signed::new().look(&now, true, 1).unwrap();
    assert_eq!(&*reopened.findings[0].code, "wrong");
    let change = &reopened.facts[0];
    assert_eq!(
        (change.before.as_deref(), change.after.as_deref()),
        (Some("enabled"), Some("disabled"))
    );
    now.facts.clear();
    assert_eq!(Signed::new().look(&now, false, 1).unwrap().facts[0].after, None);
}

#[test]
fn a_fact_alone_opens_nothing() {
    let mut now = judgement(Verdict::Met, &[], &[]);
    now.facts = vec![fact("other")];
    assert_eq!(Signed::new().look(&now, false, 1), None);
}

#[test]
fn state_opens_it_only_after_ten_minutes_without_a_break() {
    for unwell in [
        judgement(Verdict::NotMet, &[&UNREADY], &[]),
        judgement(Verdict::Unknown, &[], &["reach"]),
    ] {
        let well = judgement(Verdict::Met, &[], &[]);
        let mut signed = Signed::new();
        for minute in 1..=9 {
            assert_eq!(signed.look(&unwell, false, minute), None);
        }
        assert_eq!(signed.look(&well, false, 10), None);
        for minute in 11..=20 {
            assert_eq!(signed.look(&unwell, false, minute), None, "{minute}");
        }
        let reopened = signed.look(&unwell, false, 21).unwrap();
        assert_eq!(reopened.findings.len() + reopened.unknown.len(), 1);
    }
}

#[test]
fn a_night_and_a_weekend_without_callers_open_nothing_and_more_than_that_does() {
    let silent = |others: &[&'static str]| {
        let mut judged = judgement(Verdict::Unknown, &[], others);
        judged.unknown.push(("calls", Why::NoTraffic { window_s: 300 }));
        judged
    };
    let mut signed = Signed::new();
    let limit = reopen::QUIET.as_mins();
    for minute in (1..=limit).step_by(5) {
        assert_eq!(signed.look(&silent(&[]), false, minute), None, "{minute}");
    }
    assert_eq!(
        signed.look(&silent(&[]), false, limit + 1).unwrap().unknown,
        ["calls".into()]
    );
    // What is not known for another reason is not excused by it, and counts from when it began.
    let mut signed = Signed::new();
    assert_eq!(signed.look(&silent(&[]), false, 1), None);
    assert_eq!(signed.look(&silent(&[]), false, 10), None);
    for minute in 11..=20 {
        assert_eq!(signed.look(&silent(&["reach"]), false, minute), None, "{minute}");
    }
    assert!(signed.look(&silent(&["reach"]), false, 21).is_some());
    // The same check that does not know for another reason too.
    let mut both = silent(&[]);
    both.unknown.push(("calls", Why::NeedsCluster));
    let mut signed = Signed::new();
    assert_eq!(signed.look(&both, false, 1), None);
    assert_eq!(signed.look(&both, false, 6), None);
    assert!(signed.look(&both, false, 11).is_some());
}

#[test]
fn a_rollout_is_not_looked_at_and_neither_is_a_time_that_nobody_saw() {
    let unwell = judgement(Verdict::NotMet, &[&UNREADY], &[]);
    let mut signed = Signed::new();
    for minute in 1..=200 {
        assert_eq!(signed.look(&unwell, minute % 8 == 0, minute), None, "{minute}");
    }
    let mut signed = Signed::new();
    assert_eq!(signed.look(&unwell, false, 1), None);
    assert_eq!(signed.look(&unwell, false, 90), None, "the console was down");
    assert_eq!(signed.look(&unwell, false, 2), None, "the clock was set back");
    assert!(signed.look(&unwell, false, 12).is_some());
}

#[test]
fn what_nobody_knew_when_it_was_signed_is_not_held_against_it() {
    let dark = judgement(Verdict::Unknown, &[], &["trained"]);
    let mut signed = Signed::of(&dark);
    for minute in 1..=30 {
        assert_eq!(signed.look(&dark, false, minute), None);
    }
    let darker = judgement(Verdict::Unknown, &[], &["trained", "reach"]);
    let mut last = None;
    for minute in 31..=50 {
        last = last.or(signed.look(&darker, false, minute));
    }
    assert_eq!(last.unwrap().unknown, ["reach".into()]);
}

#[test]
fn how_long_is_the_migrations_to_say() {
    let says = |text: &str| Migration {
        reopen_after: text.into(),
        ..Migration::default()
    };
    assert_eq!(says("").reopens_after(), DEFAULT_AFTER);
    assert_eq!(says("soon").reopens_after(), DEFAULT_AFTER);
    assert_eq!(says("-5m").reopens_after(), DEFAULT_AFTER);
    assert_eq!(says("1h30m").reopens_after().as_mins(), 90);
}

/// As `kubectl rollout status` tells it, but for readiness.
#[test]
fn a_deployment_is_rolling_until_its_pods_are_of_its_template() {
    let done = json!({"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 0});
    let rolling = |edit: fn(&mut Value)| {
        let mut json = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "d", "namespace": "n", "generation": 3}, "spec": {"replicas": 2}, "status": done});
        edit(&mut json);
        reopen::rolling(&manifests::objects([json]).unwrap())
    };
    assert!(!rolling(|_| {}), "pods that are not ready are no rollout");
    assert!(rolling(|it| it["metadata"]["generation"] = json!(4)));
    assert!(rolling(|it| it["status"]["updatedReplicas"] = json!(1)));
    assert!(rolling(|it| it["status"]["replicas"] = json!(3)));
    // One that came to nothing would hide what is wrong for ever.
    assert!(!rolling(|it| {
        it["status"]["updatedReplicas"] = json!(1);
        it["status"]["conditions"] =
            json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
    }));
    assert!(
        !rolling(|it| drop(it.as_object_mut().unwrap().shift_remove("status"))),
        "from a file"
    );
}
