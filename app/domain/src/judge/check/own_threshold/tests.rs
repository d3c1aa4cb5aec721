use crate::{
    Timestamp, Why,
    crossing::{Evidence, Ledger, evidence::EvidenceSpec},
    inquiry::{Inquiry, Replies, Reply, Threshold, ThresholdState, Worst, WorstSeen},
    judge::{Judgement, Verdict, World, judge, testing::now},
    manifests,
    mesh::Prepared,
    promql::Expression,
    snapshot::Objects,
    traffic::Dated,
};
use serde_json::{Value, json};
use std::sync::Arc;

const QUERY: &str = "sum by (pod) (rate(errors_total[5m]))";

fn spec(changes: &Value) -> Value {
    let mut json = json!({"phase": 2, "name": "checkout", "title": "Checkout fails seldom", "query": QUERY, "atMost": 0.5,
        "for": "30m", "unit": "req/s"});
    for (field, value) in changes.as_object().unwrap() {
        json[field] = value.clone();
    }
    json
}

fn system(items: &[Value], more: &[Value]) -> Objects {
    called("m", items, more)
}

fn called(name: &str, items: &[Value], more: &[Value]) -> Objects {
    let migration = json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Migration", "metadata": {"name": name}, "spec": {"items": items}});
    manifests::objects([migration].into_iter().chain(more.iter().cloned())).unwrap()
}

fn judged(objects: &Objects, state: Option<ThresholdState>) -> Judgement {
    let question = Threshold {
        query: Expression::read(QUERY).unwrap(),
        window_s: 1_800,
        worst: Worst::Highest,
    };
    let dated = |state| Dated {
        value: Reply::Threshold(state),
        at: now(),
        gaps: Vec::new(),
    };
    let replies: Replies = state
        .map(|state| (Inquiry::from(question), Ok(dated(state))))
        .into_iter()
        .collect();
    let world = World::of(objects, Prepared::of(objects), None, now())
        .knowing(Arc::new(replies))
        .remembering(Arc::new(Ledger::of(objects)));
    let mut all = judge(&world);
    all.retain(|it| it.item.id() == "2.checkout");
    all.remove(0)
}

fn state(value: f64, seen: u32) -> ThresholdState {
    ThresholdState {
        worst: Some(WorstSeen {
            value,
            series: r#"{pod="a"}"#.into(),
            at: "2026-01-01T11:40:00Z".parse::<Timestamp>().unwrap(),
        }),
        series: 2,
        looks: 61,
        seen,
    }
}

fn codes(it: &Judgement) -> Vec<&'static str> {
    it.findings.iter().map(|it| it.code.name).collect()
}

#[test]
fn it_is_met_only_by_numbers_that_hold_at_every_look() {
    let objects = system(&[spec(&json!({}))], &[]);
    let met = judged(&objects, Some(state(0.5, 61)));
    assert_eq!((met.verdict, met.facts.len()), (Verdict::Met, 3));
    assert_eq!(&*met.facts[1].value, "0.5 req/s · n=2");
    assert_eq!(&*met.facts[2].value, r#"{pod="a"}"#);
    for (state, whys) in [
        (None, 1),
        (Some(ThresholdState::default()), 1),
        (Some(state(0.4, 60)), 1),
    ] {
        let unknown = judged(&objects, state);
        assert_eq!((unknown.verdict, unknown.unknown.len()), (Verdict::Unknown, whys));
    }
    for (value, seen) in [(0.6, 61), (0.6, 2), (f64::INFINITY, 61)] {
        let missed = judged(&objects, Some(state(value, seen)));
        assert_eq!(
            (missed.verdict, codes(&missed)),
            (Verdict::NotMet, vec!["own-threshold-missed"])
        );
        assert_eq!(&*missed.findings[0].args["series"], r#"{pod="a"}"#);
    }
}

#[test]
fn files_show_what_is_written_wrongly_and_nothing_of_how_it_is() {
    let objects = system(&[spec(&json!({}))], &[]);
    let all = judge(&World::of_files(&objects, now()));
    let own = all.iter().find(|it| it.item.id() == "2.checkout").unwrap();
    assert_eq!(own.unknown, [("own_threshold", Why::NeedsCluster)]);
    let place = all.iter().position(|it| it.item.id() == "2.checkout");
    assert_eq!((place, all.len()), (Some(8), 17));
    assert!(
        all[16]
            .unknown
            .iter()
            .any(|(_, why)| format!("{why:?}").contains("2.checkout"))
    );
}

#[test]
fn what_is_written_wrongly_is_told_and_nothing_is_asked() {
    for (changes, code, path) in [
        (json!({"title": " "}), "own-item-title", "/title"),
        (json!({"title": "a".repeat(201)}), "own-item-title", "/title"),
        (json!({"unit": "a".repeat(33)}), "own-item-unit", "/unit"),
        (json!({"atLeast": 1}), "own-item-comparison", ""),
        (json!({"atMost": null}), "own-item-comparison", ""),
        (json!({"for": "2d"}), "own-item-window", "/for"),
        (
            json!({"query": "a".repeat(1_001)}),
            "own-query-too-large",
            "/query",
        ),
        (json!({"query": "a b"}), "own-query-unreadable", "/query"),
        (json!({"query": "1"}), "own-query-no-metric", "/query"),
        (json!({"query": "a[5m]"}), "own-query-not-a-number", "/query"),
        (json!({"query": "rate(a[5m:])"}), "own-query-subquery", "/query"),
        (json!({"query": "rate(a[25h])"}), "own-query-range", "/query"),
        (json!({"query": "a @ 1"}), "own-query-time-shifted", "/query"),
        (
            json!({"query": (["a"; 9].join("+"))}),
            "own-query-selectors",
            "/query",
        ),
        (json!({"query": "topk(1, a)"}), "own-query-function", "/query"),
        (json!({"query": "a > 1"}), "own-query-filters", "/query"),
    ] {
        let found = judged(&system(&[spec(&changes)], &[]), Some(state(0.1, 61)));
        assert_eq!((codes(&found), found.verdict), (vec![code], Verdict::NotMet));
        assert_eq!(*found.findings[0].path, *format!("/spec/items/0{path}"));
    }
    let twice = judged(
        &system(&[spec(&json!({})), spec(&json!({"atMost": 9}))], &[]),
        Some(state(0.1, 61)),
    );
    assert_eq!(
        (codes(&twice), &*twice.findings[0].path),
        (vec!["own-item-twice"], "/spec/items/1/name")
    );
}

/// A signature that stands, for what a judgement saw.
fn signed(judgement: &Judgement) -> [Value; 2] {
    let spec = EvidenceSpec::of(judgement, None, Vec::new(), now());
    let mut evidence = spec.object().unwrap().json().clone();
    evidence["metadata"]["uid"] = json!("u");
    let object = manifests::objects(vec![evidence.clone()]).unwrap();
    let read = object
        .whole
        .values()
        .find_map(|it| Evidence::read(it).ok())
        .unwrap();
    let sign_off = json!({"apiVersion": "naru.dev/v1alpha1", "kind": "SignOff", "metadata": {"name": "000001"},
        "spec": {"item": "2.checkout", "evidence": {"name": read.name, "uid": read.uid, "digest": read.digest}, "previous": "",
            "statement": "s", "signedAt": "2026-01-01T11:00:00Z", "actor": {"issuer": "i", "sub": "s", "name": "n", "groups": []}},
        "status": {"accepted": {"at": "2026-01-01T11:00:01Z", "digest": ""}}});
    [evidence, sign_off]
}

#[test]
fn another_threshold_is_not_the_one_that_was_signed() {
    let first = judged(&system(&[spec(&json!({}))], &[]), Some(state(0.1, 61)));
    let ledger = signed(&first);
    let now_asked = |changes: Value| {
        // Items may be moved in their list, and called otherwise.
        let items = [spec(&json!({"name": "other"})), spec(&changes)];
        codes(&judged(&system(&items, &ledger), Some(state(0.1, 61))))
    };
    assert_eq!(now_asked(json!({"title": "In other words"})), [""; 0]);
    for changes in [
        json!({"atMost": 50}),
        json!({"atMost": null, "below": 0.5}),
        json!({"for": "31m"}),
    ] {
        assert_eq!(now_asked(changes), ["own-item-changed"]);
    }
    // Nor is it the same for being asked by a Migration of another name.
    let other = called("other", &[spec(&json!({"atMost": 50}))], &ledger);
    assert_eq!(codes(&judged(&other, None)), ["own-item-changed"]);
    let mut open = ledger.clone();
    open[1]["status"]["reopened"] =
        json!({"at": "2026-01-01T11:00:02Z", "findings": [], "unknown": [], "facts": []});
    let again = judged(&system(&[spec(&json!({"atMost": 50}))], &open), None);
    assert_eq!(codes(&again), [""; 0]);
}
