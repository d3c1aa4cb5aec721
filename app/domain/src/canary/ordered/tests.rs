//! Each rule gets what is ordered of it; what belongs to none is told too.

use crate::{
    actor::Scope, canary::canaries, example, fact::Fact, object::Kind, snapshot::Objects, topology::Layout,
    view::view,
};
use naru_view::{
    canary::Canary,
    order::{Arg, Astray, Compared, Course, Lost, Metric, Order, Phase, Verdict},
};
use serde_json::{Value, json};

fn canary(name: &str) -> Value {
    let to = |subset: &str| json!({"host": "user-service", "subset": subset});
    let step = |weight: u32| json!({"weight": weight, "dwell": "10m", "requests": 500});
    json!({
        "apiVersion": "naru.dev/v1alpha1", "kind": "Canary",
        "metadata": {"name": name, "namespace": "user-service", "resourceVersion": "9",
            "creationTimestamp": "2026-11-23T01:00:00Z"},
        "spec": {
            "route": {"name": "user-service", "rule": 0}, "stable": to("v1"), "canary": to("v2"),
            "steps": [step(10), step(50), step(100)], "course": "pause",
            "guardrail": {"latency": {"aboveMs": 200.0, "difference": 0.03}},
            "approvedBy": {"issuer": "https://id", "subject": "s-1", "name": "김하늘"},
        },
        "status": {
            "phase": "Held", "step": 0, "since": "2026-11-23T02:00:00Z", "began": "2026-11-23T02:00:00Z",
            "verdict": {"code": "hold"},
            "why": [{"code": "dwell", "args": {"until": "2026-11-23T02:10:00Z"}},
                {"code": "few-requests", "args": {"n": "312", "wanted": "500"}},
                {"code": "undecided", "args": {"metric": "latency"}}],
            "metrics": [{"metric": "latency", "stable": 0.01, "canary": 0.05, "difference": 0.04, "low": 0.01, "high": 0.08,
                "threshold": 0.03, "n": 312}],
            "written": {"change": "canary-1", "before": {"stable": 100, "canary": 0}, "after": {"stable": 90, "canary": 10},
                "goal": "Step"},
        },
    })
}

fn with(all: impl IntoIterator<Item = Value>) -> Objects {
    let mut objects = example::objects();
    for json in all {
        objects.put(Fact::read(Kind::Canary, json).unwrap());
    }
    objects
}

fn rule(objects: &Objects) -> Canary {
    canaries(&example::snapshot(objects.clone())).remove(0)
}

fn names(orders: &[Order]) -> Vec<&str> {
    orders.iter().map(|it| &*it.name).collect()
}

#[test]
fn a_rule_shows_what_is_ordered_of_it() {
    let rule = rule(&with([canary("v2")]));
    let [order] = &*rule.orders else {
        panic!("{:?}", rule.orders)
    };
    assert_eq!((order.phase, order.course), (Phase::Held, Course::Pause));
    assert_eq!(
        (&*order.approved_by, &*order.stable, &*order.canary, order.weight),
        ("김하늘", "v1", "v2", Some(10))
    );
    assert_eq!(
        (order.steps.len(), order.steps[1].weight, order.steps[1].dwell_s),
        (3, 50, 600)
    );
    let since = order.since.unwrap();
    assert_eq!((order.step, order.until), (Some(0), Some(since + 600_000)));
    assert_eq!(
        (order.few, order.verdict),
        (Some((312, 500)), Some(Verdict::Hold))
    );
    assert_eq!(order.why[0].args["until"], Arg::Time(since + 600_000));
    assert_eq!(order.why[2].args["metric"], Arg::Text("latency".into()));
    assert_eq!(order.metrics[0].metric, Metric::Latency(200.0));
    assert_eq!(order.metrics[0].finding(), Compared::Undecided);
    assert_eq!(
        (order.change.as_deref(), order.moving_to),
        (Some("canary-1"), None)
    );
}

#[test]
fn two_that_run_are_both_shown_and_what_is_over_makes_way() {
    let (mut older, mut over) = (canary("z-older"), canary("over"));
    older["metadata"]["creationTimestamp"] = json!("2026-11-22T01:00:00Z");
    over["status"]["phase"] = json!("RolledBack");
    let rule = rule(&with([canary("younger"), older, over.clone()]));
    assert_eq!(names(&rule.orders), ["z-older", "younger"]);
    let mut before = over.clone();
    before["metadata"]["name"] = json!("before");
    before["status"]["since"] = json!("2026-11-20T02:00:00Z");
    let rule = self::rule(&with([before, over]));
    assert_eq!(names(&rule.orders), ["over"]);
}

#[test]
fn what_is_being_written_is_said_and_a_step_lasts_no_longer() {
    let mut moving = canary("v2");
    moving["status"]["phase"] = json!("Moving");
    moving["status"]["written"]["after"] = json!({"stable": 50, "canary": 50});
    let rule = rule(&with([moving]));
    assert_eq!((rule.orders[0].moving_to, rule.orders[0].until), (Some(50), None));
}

#[test]
fn what_moves_no_rule_is_told_and_only_to_those_who_may_see_it() {
    let (mut odd, mut lost, mut gone) = (canary("odd"), canary("lost"), canary("gone"));
    odd["spec"]["steps"] = json!([]);
    lost["spec"]["route"] = json!({"name": "user-service", "rule": 7});
    gone["spec"]["route"]["name"] = json!("gone");
    gone["status"]["phase"] = json!("Stopped");
    let mut unread = canary("unread");
    unread["status"]["phase"] = json!("Nonsense");
    let objects = with([odd, lost, gone, unread]);
    let seen = |scope: &Scope| {
        let snapshot = example::snapshot(objects.clone());
        view(&snapshot, scope, &Layout::default()).canaries.astray.clone()
    };
    let all = seen(&Scope::all());
    let told: Vec<_> = all.iter().map(|it| (&*it.name, &*it.route)).collect();
    assert_eq!(
        told,
        [
            ("lost", "user-service"),
            ("odd", "user-service"),
            ("unread", "user-service")
        ]
    );
    assert_eq!(all[0].why, Lost::NoRule { rule: 7 });
    assert!(
        matches!(&all[1].why, Lost::Unreadable { detail } if detail.contains("steps")),
        "{:?}",
        all[1]
    );
    let nobody = Scope {
        namespaces: Some(std::sync::Arc::from([])),
    };
    assert_eq!(seen(&nobody), Vec::<Astray>::new());
}
