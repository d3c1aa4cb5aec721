use crate::{
    Why,
    canary::{
        canaries,
        observed::tests::{landed, route},
    },
    change::plan::{Intent, plan},
    example,
    fact::Fact,
    mesh::{MeshConfig, route_tag},
    object::{Kind, Object},
    snapshot::{Objects, Observed as Traffic, Snapshot},
    traffic::{Before, Dated, Split, SplitRow},
};
use naru_view::canary::{Apart, Observed, Tag};
use std::sync::Arc;

fn row(version: &str, by: &str, requests: u64) -> SplitRow {
    SplitRow {
        namespace: "user-service".into(),
        workload: format!("user-service-{version}").into(),
        version: version.into(),
        route: by.into(),
        requests,
        failed: 0,
        timed: requests,
        spent_ms: None,
    }
}

fn split(rows: Vec<SplitRow>, unrouted: &[(&str, u64)], before: Vec<SplitRow>) -> Split {
    let (from, to) = (example::now(), example::now());
    Split {
        from,
        to,
        rows,
        unrouted: unrouted.iter().map(|(by, n)| ((*by).into(), *n)).collect(),
        before: Some(Before {
            from,
            to,
            rows: before,
        }),
    }
}

/// The second rule of the example, behind a header rule; with names of their own, if wished.
fn seen(named: bool, split: Split, more: Option<serde_json::Value>) -> Observed {
    let mut objects = example::objects_with_header_rule();
    if named {
        let edited = example::edited(&objects, |json| {
            json["spec"]["http"][0]["name"] = "tester".into();
            json["spec"]["http"][1]["name"] = "weights".into();
        });
        objects.put(Fact::Object(edited));
    }
    let mut objects = landed(objects, 1);
    if let Some(json) = more {
        objects.put(Fact::Object(Object::new(Kind::Telemetry, json).unwrap()));
    }
    observed(objects, split)
}

fn observed(objects: Objects, split: Split) -> Observed {
    let mut snapshot: Snapshot = example::snapshot(objects);
    let mut traffic: Traffic = (*snapshot.traffic.value).clone();
    let dated = Dated {
        value: split,
        at: example::now(),
        gaps: Vec::new(),
    };
    traffic.splits = [(route(1), Ok(dated))].into();
    snapshot.traffic.value = Arc::new(traffic);
    let mut all = canaries(&snapshot).into_iter();
    all.find(|canary| canary.route.rule == 1).unwrap().observed
}

fn apart(observed: Observed) -> Apart {
    match observed {
        Observed::Unknown {
            whys,
            apart: Some(apart),
        } => {
            assert_eq!(whys, [Why::HeaderRouted { subset: "v2".into() }]);
            apart
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_names_it_is_unknown_and_both_steps_are_offered() {
    let apart = apart(seen(
        false,
        split(vec![row("v1", "", 90), row("v2", "", 30)], &[("", 1)], vec![]),
        None,
    ));
    assert_eq!((apart.told, apart.untold), (0, 121));
    assert!(!apart.named && matches!(&apart.tag, Tag::Object { text } if text.contains("xds.route_name")));
    let [mend] = &apart.names[..] else {
        panic!("{:?}", apart.names)
    };
    // The plan that is offered can be made, and gives both rules a name.
    let objects = example::objects_with_header_rule();
    let plan = plan(&Intent::Mend(mend.clone()), &example::snapshot(objects)).unwrap();
    let paths: Vec<&str> = plan.diff.iter().map(|it| &*it.path).collect();
    assert_eq!(paths, ["/spec/http/0/name", "/spec/http/1/name"]);
    assert!(plan.diff.iter().all(|it| it.before.is_none()));
}

#[test]
fn with_names_that_the_proxies_tell_each_rules_requests_are_its_own() {
    let rows = vec![
        row("v1", "weights", 500),
        row("v2", "weights", 480),
        row("v2", "weights.beta", 20),
        row("v2", "tester", 300),
    ];
    let before = vec![row("v1", "weights", 100), row("v2", "tester", 50)];
    let observed = seen(true, split(rows, &[("weights", 2), ("tester", 5)], before), None);
    let Observed::Known {
        n,
        shares,
        others,
        unrouted,
        before,
        ..
    } = observed
    else {
        panic!("{observed:?}")
    };
    assert_eq!((n, shares[0].n, shares[1].n), (1000, 500, 500));
    assert_eq!((others, unrouted), (305, 2));
    assert!(before.is_some());
    assert_eq!(
        shares.iter().map(|it| it.before.unwrap().n).collect::<Vec<_>>(),
        [100, 0]
    );
}

#[test]
fn one_request_without_a_name_leaves_it_unknown_and_what_was_before_uncompared() {
    let rows = || vec![row("v1", "weights", 500), row("v2", "weights", 480)];
    let some = seen(
        true,
        split([rows(), vec![row("v2", "", 1)]].concat(), &[], vec![]),
        None,
    );
    let some = apart(some);
    assert_eq!((some.told, some.untold, some.names.len()), (980, 1, 0));
    let lost = apart(seen(true, split(rows(), &[("", 1)], vec![]), None));
    assert_eq!(lost.untold, 1);
    let before = vec![row("v1", "", 100)];
    let Observed::Known { before, .. } = seen(true, split(rows(), &[], before), None) else {
        panic!("all told")
    };
    assert_eq!(before, None);
}

#[test]
fn a_telemetry_that_is_there_is_not_asked_for() {
    let Some(route_tag::Wanted::Object(json)) =
        route_tag::wanted(&Objects::default(), &MeshConfig::default())
    else {
        panic!("none is there")
    };
    let rows = vec![row("v1", "", 90), row("v2", "", 10)];
    let apart = apart(seen(true, split(rows, &[], vec![]), Some(json)));
    assert_eq!((apart.tag, apart.named), (Tag::There, true));
}

/// The example without a header rule: its one rule is alone with its pods.
fn alone(name: Option<&str>, rows: Vec<SplitRow>) -> (u64, u64) {
    let mut objects = example::objects();
    if let Some(name) = name {
        let edited = example::edited(&objects, |json| json["spec"]["http"][0]["name"] = name.into());
        objects.put(Fact::Object(edited));
    }
    let mut snapshot: Snapshot = example::snapshot(landed(objects, 0));
    let mut traffic: Traffic = (*snapshot.traffic.value).clone();
    let dated = Dated {
        value: split(rows, &[], vec![]),
        at: example::now(),
        gaps: Vec::new(),
    };
    traffic.splits = [(route(0), Ok(dated))].into();
    snapshot.traffic.value = Arc::new(traffic);
    match canaries(&snapshot).remove(0).observed {
        Observed::Known { n, others, .. } => (n, others),
        unknown => panic!("{unknown:?}"),
    }
}

#[test]
fn of_a_rule_that_is_alone_all_counts_unless_proxies_tell_of_others() {
    let told = |by: &str| {
        vec![
            row("v1", "weights", 90),
            row("v2", "weights", 10),
            row("v2", by, 7),
        ]
    };
    // A rule that was there until a minute ago, or a route of Istio's own for who does not see this one.
    assert_eq!(alone(Some("weights"), told("tester")), (100, 7));
    assert_eq!(alone(Some("weights"), told("default")), (100, 7));
    // Where one proxy does not tell, or the rule has no name or another, nothing is taken away.
    assert_eq!(alone(Some("weights"), told("")), (107, 0));
    assert_eq!(alone(None, told("tester")), (107, 0));
    assert_eq!(alone(Some("else"), told("tester")), (107, 0));
}
