use crate::{
    Why,
    inquiry::{Count, Counts, CountsOf, Reply},
    judge::{
        FactSource, Found,
        testing::{codes, judged, judged_as_it_is, judged_asking},
    },
    traffic::Reporter,
};
use serde_json::{Value, json};

/// One service behind a Deployment whose ReplicaSet was made at nine, and a rule written at ten.
const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: a, name: web}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: a}, spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app}]}}}}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, namespace: a, creationTimestamp: "2026-01-01T09:00:00Z", ownerReferences: [{kind: Deployment, name: web, controller: true}]}, spec: {replicas: 2}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: web, namespace: a, managedFields: [{manager: kubectl, time: "2026-01-01T10:00:00Z"}]}, spec: {hosts: [web]}}
"#;

/// One that passed, received on that day, with fields of its `spec` and of its `junit` as they are said.
fn report(name: &str, received: &str, spec: &Value, junit: &Value) -> String {
    let mut json = json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Report",
        "metadata": {"name": name, "resourceVersion": "7", "creationTimestamp": format!("2026-01-01T{received}Z")},
        "spec": {"item": "2.4", "by": {"user": "ci"}, "commit": "abcdef1", "target": "staging", "at": "2026-01-01T00:00:00Z",
            "content": {"junit": {"tests": 9, "failures": 0, "errors": 0, "skips": 0, "unshown": 0, "failed": [], "skipped": [],
                "digest": "00", "bytes": 1}}}});
    for (at, fields) in [("/spec", spec), ("/spec/content/junit", junit)] {
        let at = json.pointer_mut(at).unwrap().as_object_mut().unwrap();
        at.extend(fields.as_object().unwrap().clone());
    }
    format!("\n---\n{json}\n")
}

fn plain(name: &str, received: &str) -> String {
    report(name, received, &json!({}), &json!({}))
}

fn with(received: &str, junit: &Value) -> String {
    report("r", received, &json!({}), junit)
}

fn found(reports: &[String]) -> Found {
    judged_as_it_is("regression", &format!("{SYSTEM}{}", reports.concat()))
}

fn gateway() -> Why {
    Why::NotObserved {
        what: "Report r: started, ended".into(),
    }
}

#[test]
fn nothing_handed_in_is_no_evidence_and_without_a_migration_it_is_not_known_for_what() {
    assert_eq!(found(&[]).unknown, [Why::NoEvidence { of: "junit".into() }]);
    let nothing = judged("regression", "{apiVersion: v1, kind: Service, metadata: {name: s}}");
    assert_eq!(nothing.unknown, [Why::NoMigration]);
    let other = report("r", "11:00:00", &json!({"item": "3.4"}), &json!({}));
    assert_eq!(found(&[other]).unknown, [Why::NoEvidence { of: "junit".into() }]);
}

#[test]
fn a_run_that_passed_after_the_last_change_is_told_by_facts() {
    let found = found(&[plain("r", "11:00:00")]);
    assert_eq!((codes(&found), found.unknown), (vec![], vec![gateway()]));
    let values: Vec<&str> = found.facts.iter().map(|it| &*it.value).collect();
    let wanted = ["9", "0", "0", "0", "00", "abcdef1", "staging", "2026-01-01T11:00:00Z"];
    assert_eq!(values, wanted);
    for fact in found.facts {
        assert_eq!((fact.source, &*fact.resource_version), (FactSource::Handed, "7"));
        assert_eq!(fact.at, "2026-01-01T11:00:00Z".parse().ok());
    }
}

#[test]
fn failures_and_errors_are_named() {
    let junit = json!({"failures": 6, "failed": ["a", "b", "c", "d", "e", "f"]});
    let failed = found(&[with("11:00:00", &junit)]);
    assert_eq!(codes(&failed), ["regression-failed"]);
    assert_eq!(&*failed.findings[0].2["names"], "a, b, c, d, e …");
    let unshown = found(&[with("11:00:00", &json!({"errors": 1, "unshown": 1}))]);
    assert_eq!(codes(&unshown), ["regression-failed"]);
    assert_eq!(&*unshown.findings[0].2["names"], "–");
}

#[test]
fn a_run_of_nothing_has_not_passed() {
    let skips = json!({"tests": 2, "skips": 2, "skipped": ["a", "b"]});
    for junit in [json!({"tests": 0}), skips.clone()] {
        let before = report("b", "10:30:00", &json!({}), &skips);
        let found = found(&[before, with("11:00:00", &junit)]);
        assert_eq!(codes(&found), ["regression-empty"], "{junit}");
    }
}

#[test]
fn what_is_skipped_is_held_against_the_report_before_of_the_same_target() {
    let before = |junit: Value, target: &str| {
        let now = with("11:00:00", &json!({"skips": 2, "skipped": ["a", "b"]}));
        found(&[report("b", "10:30:00", &json!({"target": target}), &junit), now])
    };
    let anew = before(json!({"skips": 1, "skipped": ["a"]}), "staging");
    assert_eq!(codes(&anew), ["regression-skipped-anew"]);
    let args = &anew.findings[0].2;
    assert_eq!((&*args["names"], &*args["count"], &*args["before"]), ("b", "1", "b"));
    let same = before(json!({"skips": 3, "skipped": ["a", "b", "c"]}), "staging");
    assert_eq!((codes(&same), same.unknown), (vec![], vec![gateway()]));
    // Of another target it says nothing of this one.
    let first = before(json!({"skips": 2, "skipped": ["a", "b"]}), "prod");
    assert_eq!((codes(&first), first.unknown.len()), (vec![], 2));
    // What the report before did not name may be these.
    let cut = before(json!({"skips": 9, "skipped": ["c"]}), "staging");
    assert_eq!((codes(&cut), cut.unknown.len()), (vec![], 2));
}

#[test]
fn the_newest_by_the_api_servers_clock_counts() {
    let failed = json!({"failures": 1, "failed": ["x"]});
    let bad = report("z", "11:00:00", &json!({"at": "2026-12-31T00:00:00Z"}), &failed);
    assert!(codes(&found(&[bad, plain("a", "11:30:00")])).is_empty());
}

#[test]
fn a_report_from_before_the_last_change_is_stale_whatever_it_says_of_itself() {
    let of = |received: &str, spec: Value| found(&[report("r", received, &spec, &json!({}))]);
    let rule = of("09:30:00", json!({}));
    assert_eq!(codes(&rule), ["regression-stale"]);
    let args = &rule.findings[0].2;
    assert_eq!(&*args["object"], "VirtualService web in a");
    assert_eq!(&*args["changed"], "2026-01-01T10:00:00Z");
    assert_eq!(codes(&of("10:00:00", json!({}))), ["regression-stale"]);
    assert!(codes(&of("10:00:01", json!({}))).is_empty());
    let claims = |started: &str| json!({ "started": format!("2026-01-01T{started}Z") });
    assert_eq!(codes(&of("11:00:00", claims("09:59:00"))), ["regression-stale"]);
    assert_eq!(codes(&of("09:30:00", claims("11:00:00"))), ["regression-stale"]);
    let image = SYSTEM.replace("T09:00:00Z", "T11:30:00Z");
    let newer = judged_as_it_is("regression", &format!("{image}{}", plain("r", "11:00:00")));
    assert_eq!(codes(&newer), ["regression-stale"]);
    assert_eq!(&*newer.findings[0].2["object"], "Deployment web in a");
}

#[test]
fn what_cannot_be_dated_is_not_known() {
    let unknown = |from: &str, to: &str| {
        assert!(SYSTEM.contains(from), "{from}");
        let system = SYSTEM.replace(from, to);
        let found = judged_as_it_is("regression", &format!("{system}{}", plain("r", "11:00:00")));
        assert_eq!(codes(&found), [""; 0], "{to}");
        found.unknown.len() - 1
    };
    // Nobody recorded when it was written.
    assert_eq!(unknown("manager: kubectl, time:", "manager: kubectl, when:"), 1);
    // No ReplicaSet, or one without a date.
    assert_eq!(unknown("[{kind: Deployment, name: web,", "[{kind: Deployment, name: other,"), 1);
    assert_eq!(unknown("creationTimestamp: \"2026-01-01T09:00:00Z\", ", ""), 1);
    // No such service.
    assert_eq!(unknown("name: web}}}\n---", "name: webb}}}\n---"), 1);
    // Somebody went back to an older template: a newer one is there, and has no pods.
    let set = |made: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: web-2, namespace: a, creationTimestamp: \"2026-01-01T{made}Z\", \
             ownerReferences: [{{kind: Deployment, name: web, controller: true}}]}}, spec: {{replicas: 0}}}}\n---\n{{apiVersion: networking.istio.io"
        )
    };
    assert_eq!(unknown("{apiVersion: networking.istio.io", &set("09:30:00")), 1);
    // The same while its pods are still going, as the Deployment's controller counts.
    let counted = |made: &str, revision: u32| {
        set(made).replacen("replicas: 0", "replicas: 2", 1).replacen(
            "name: web-2,",
            &format!("name: web-2, annotations: {{deployment.kubernetes.io/revision: \"{revision}\"}},"),
            1,
        )
    };
    assert_eq!(unknown("{apiVersion: networking.istio.io", &counted("08:30:00", 3)), 1);
    assert_eq!(unknown("{apiVersion: networking.istio.io", &counted("09:30:00", 3)), 0);
    // In the other order it is a rollout that is done.
    assert_eq!(unknown("{apiVersion: networking.istio.io", &set("08:30:00")), 0);
}

#[test]
fn from_files_a_report_is_no_state() {
    let found = judged("regression", &format!("{SYSTEM}{}", plain("r", "09:30:00")));
    assert_eq!((codes(&found), found.unknown), (vec![], vec![Why::NeedsCluster]));
}

#[test]
fn a_report_that_cannot_be_read_may_be_the_newest() {
    let odd = report("r", "11:30:00", &json!({"content": {"junit": {}, "drill": {}}}), &json!({}));
    let found = found(&[plain("a", "11:00:00"), odd]);
    let known = matches!(&found.unknown[..], [Why::Said { .. }, Why::NotObserved { .. }]);
    assert!(known, "{:?}", found.unknown);
}

const GATEWAY: &str = r#"
---
{apiVersion: v1, kind: Service, metadata: {name: gw, namespace: g}, spec: {selector: {istio: gw}, ports: [{port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: gw-x, namespace: g, labels: {kubernetes.io/service-name: gw}},
  endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: gw-1-x}}], ports: [{port: 80}]}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: gw-1, namespace: g, creationTimestamp: "2026-01-01T08:00:00Z", ownerReferences: [{kind: Deployment, name: gw, controller: true}]}, spec: {replicas: 1}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: gw, namespace: g}, spec: {template: {metadata: {labels: {istio: gw}}, spec: {containers: [{name: istio-proxy}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: gw-1-x, namespace: g, labels: {istio: gw}, ownerReferences: [{kind: ReplicaSet, name: gw-1, controller: true}]}, spec: {containers: [{name: istio-proxy}]}, status: {phase: Running}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-1-x, namespace: a, labels: {app: web}, ownerReferences: [{kind: ReplicaSet, name: web-1, controller: true}]}, spec: {containers: [{name: app}]}, status: {phase: Running}}
"#;

#[test]
fn while_it_ran_the_gateway_has_passed_as_many_requests_on() {
    let times = json!({"started": "2026-01-01T10:30:00Z", "ended": "2026-01-01T10:40:00Z"});
    let system = SYSTEM.replace("entry:", "edge: {gateway: {namespace: g, name: gw}}, entry:");
    let yaml = format!("{system}{}{GATEWAY}", report("r", "11:00:00", &times, &json!({})));
    let of = |caller: &str, requests: f64, covered: bool| {
        let question = CountsOf {
            to: ("a".into(), "web".into()),
            by: Reporter::Source,
            from: "2026-01-01T10:30:00Z".parse().unwrap(),
            until: "2026-01-01T10:41:00Z".parse().unwrap(),
        };
        let count = Count {
            requests,
            ..Count::default()
        };
        let by_caller = [(("g".into(), caller.into()), count)].into();
        let reply = Reply::CountsOf(Counts { by_caller, covered });
        let found = judged_asking("regression", &yaml, [(question.into(), reply)]);
        (codes(&found), found.unknown)
    };
    assert_eq!(of("gw", 9.0, true), (vec![], vec![]));
    assert_eq!(of("gw", 8.0, true), (vec!["regression-elsewhere"], vec![]));
    assert_eq!(of("somebody", 90.0, true), (vec!["regression-elsewhere"], vec![]));
    assert_eq!(of("gw", 9.0, false).1.len(), 1);
}
