use crate::judge::testing::{codes, judged, judged_running};

/// `web` calls `users`, which `more` says more about.
fn system(call: &str, more: &str) -> String {
    format!(
        r#"
{{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {{name: m}}, spec: {{calls: [{{from: {{namespace: a, name: web}}, to: {{namespace: b, name: users}}{call}}}]}}}}
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: a, labels: {{istio-injection: enabled}}}}}}
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: b, labels: {{istio-injection: enabled}}}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web, namespace: a}}, spec: {{template: {{metadata: {{labels: {{app: web}}}},
  spec: {{serviceAccountName: web, containers: [{{name: app}}]}}}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: users, namespace: b}}, spec: {{selector: {{app: users}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: users, namespace: b}}, spec: {{template: {{metadata: {{labels: {{app: users, version: v1}}}},
  spec: {{containers: [{{name: app, ports: [{{containerPort: 8080}}]}}]}}}}}}}}
---
{more}
"#
    )
}

fn found(call: &str, more: &str) -> Vec<&'static str> {
    let yaml = system(call, more);
    let found = judged("calls_work", &yaml);
    assert_eq!(codes(&found), codes(&judged_running("calls_work", &yaml)), "{yaml}");
    codes(&found)
}

#[test]
fn a_call_that_arrives_is_seen_to() {
    let yaml = system("", "");
    let found = judged("calls_work", &yaml);
    assert_eq!((codes(&found), found.unknown.len(), found.facts.len()), (vec![], 0, 1));
}

#[test]
fn a_service_or_port_that_is_not_there_is_told() {
    let yaml = system("", "").replace("kind: Service, metadata: {name: users", "kind: Service, metadata: {name: user");
    assert_eq!(codes(&judged("calls_work", &yaml)), ["call-service-absent"]);
    assert_eq!(found(", port: 81", ""), ["call-port-absent"]);
    let gone = system("", "").replace("kind: Deployment, metadata: {name: web", "kind: Deployment, metadata: {name: wob");
    assert_eq!(codes(&judged_running("calls_work", &gone)), ["call-caller-absent"]);
    assert_eq!(codes(&judged("calls_work", &gone)), ["call-caller-absent"]);
    let elsewhere = gone.replace("name: wob, namespace: a", "name: wob, namespace: c");
    let files = judged("calls_work", &elsewhere);
    assert_eq!((codes(&files), files.unknown.len()), (vec![], 1));
}

fn route(spec: &str) -> String {
    format!(
        "{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: users, namespace: b}}, spec: {{hosts: [users], http: [{spec}]}}}}"
    )
}

#[test]
fn a_subset_that_nobody_defines_leads_nowhere() {
    let to_v2 = route("{route: [{destination: {host: users, subset: v2}}]}");
    assert_eq!(found("", &to_v2), ["call-leads-nowhere"]);
    let with = |labels: &str| {
        let rule = "apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: users, namespace: b}";
        format!("{to_v2}\n---\n{{{rule}, spec: {{host: users, subsets: [{{name: v2, labels: {{version: {labels}}}}}]}}}}")
    };
    assert_eq!(found("", &with("v2")), ["call-leads-nowhere"]);
    assert_eq!(found("", &with("v1")), [""; 0]);
    let nobody = system("", "").replace("selector: {app: users}", "selector: {app: nobody}");
    assert_eq!(codes(&judged("calls_work", &nobody)), ["call-nobody-there"]);
}

#[test]
fn a_rule_for_other_paths_is_trouble_only_where_the_call_names_its_path() {
    let api = route("{match: [{uri: {prefix: /api}}], route: [{destination: {host: users}}]}");
    assert_eq!(found("", &api), [""; 0]);
    assert!(!judged("calls_work", &system("", &api)).unknown.is_empty());
    assert_eq!(found(", path: /api/x", &api), [""; 0]);
    assert_eq!(found(", path: /other", &api), ["call-unrouted"]);
}

#[test]
fn a_caller_without_a_proxy_is_refused_by_strict() {
    let strict = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: d, namespace: b}, spec: {mtls: {mode: STRICT}}}";
    assert_eq!(found("", strict), [""; 0]);
    let outside = system("", strict).replace("name: a, labels: {istio-injection: enabled}", "name: a");
    assert_eq!(codes(&judged("calls_work", &outside)), ["call-refused"]);
}

fn policy(rule: &str) -> String {
    format!(
        "{{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {{name: p, namespace: b}}, spec: {{rules: [{rule}]}}}}"
    )
}

#[test]
fn a_policy_denies_only_whom_it_denies_whatever_he_asks() {
    let mine = policy(r#"{from: [{source: {principals: ["cluster.local/ns/a/sa/web"]}}], to: [{operation: {paths: ["/api/*"]}}]}"#);
    assert_eq!(found("", &mine), [""; 0]);
    let token = policy(r#"{from: [{source: {requestPrincipals: ["*"]}}]}"#);
    assert_eq!(found("", &token), [""; 0]);
    let other = policy(r#"{from: [{source: {principals: ["cluster.local/ns/a/sa/other"]}}]}"#);
    assert_eq!(found("", &other), ["call-denied"]);
    let by = judged("calls_work", &system("", &other)).findings[0].1.clone();
    assert_eq!((&*by.key.name, &*by.path), ("p", "/spec/rules"));
}
