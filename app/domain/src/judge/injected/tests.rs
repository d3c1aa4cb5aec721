use crate::judge::testing::{codes, judged, judged_running};

/// The entry and one other service, each with labels of its namespace, of its Deployment, and of its pods.
fn system(namespace: &str, deployment: &str, pod: &str, annotations: &str, spec: &str) -> String {
    let mut yaml = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: a, name: web}, services: [{namespace: b, name: users}]}}
"#
    .to_owned();
    for (space, name) in [("a", "web"), ("b", "users")] {
        yaml += &format!(
            r#"
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: {space}, labels: {{{namespace}}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {space}}}, spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: {space}, labels: {{{deployment}}}}}, spec: {{template: {{
  metadata: {{labels: {{app: {name}, {pod}}}, annotations: {{{annotations}}}}}, spec: {{{spec} containers: [{{name: app}}]}}}}}}}}
"#
        );
    }
    yaml
}

const ENABLED: &str = "istio-injection: enabled";
const INJECT: &str = r#""sidecar.istio.io/inject": "true""#;
const REFUSE: &str = r#""sidecar.istio.io/inject": "false""#;

/// Both items' checks find the same, each under its own codes.
fn both(what: &str, yaml: &str) -> Vec<String> {
    let of = |item: &str, prefix: &str| -> Vec<String> {
        let found = judged(&format!("{item}_{what}"), yaml);
        let strip = |code: &&str| code.strip_prefix(prefix).unwrap().to_owned();
        codes(&found).iter().map(strip).collect()
    };
    let entry = of("entry", "entry-");
    assert_eq!(entry, of("services", "service-"));
    entry
}

#[test]
fn each_reason_not_to_be_injected_has_its_code() {
    let host = "hostNetwork: true,";
    for (yaml, expected) in [
        (system(ENABLED, "", "", "", ""), &[][..]),
        (system("", "", INJECT, "", ""), &[]),
        (system("", "", "", "", ""), &["unlabelled"]),
        (system("", "", "", INJECT, ""), &["unlabelled"]),
        (
            system("istio-injection: disabled", "", "", "", ""),
            &["namespace-refuses"],
        ),
        (system(ENABLED, "", REFUSE, "", ""), &["pod-refuses"]),
        (system(ENABLED, "", "", REFUSE, ""), &["annotation-refuses"]),
        (system(ENABLED, "", "", "", host), &["host-network"]),
        // Which revisions there are, files without an injector do not say.
        (system("istio.io/rev: stable", "", "", "", ""), &[]),
    ] {
        assert_eq!(both("injected", &yaml), expected, "{yaml}");
    }
}

#[test]
fn a_revision_that_files_cannot_show_is_unknown_and_one_that_a_cluster_lacks_is_absent() {
    let yaml = system("istio.io/rev: stable", "", "", "", "");
    assert!(!judged("entry_injected", &yaml).unknown.is_empty());
    let webhook = r#"
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: i, labels: {istio.io/rev: default}},
  webhooks: [{name: rev.namespace.sidecar-injector.istio.io, namespaceSelector: {matchLabels: {istio.io/rev: default}},
    rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
"#;
    assert_eq!(both("injected", &(yaml + webhook)), ["no-such-revision"]);
}

#[test]
fn a_service_that_is_not_there_is_told_where_it_is_declared() {
    let yaml = system(ENABLED, "", "", "", "").replace("name: web}, services", "name: wub}, services");
    let found = judged("entry_injected", &yaml);
    assert_eq!(codes(&found), ["entry-absent"]);
    assert_eq!(&*found.findings[0].1.path, "/spec/entry");
}

#[test]
fn what_is_not_declared_is_unknown() {
    let found = judged(
        "entry_injected",
        "{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}}",
    );
    assert_eq!((codes(&found), found.unknown.len()), (vec![], 1));
}

#[test]
fn each_trap_has_its_code() {
    for (yaml, expected) in [
        (system(ENABLED, "", "", "", ""), &[][..]),
        (system(ENABLED, "", INJECT, "", ""), &[]),
        (system(ENABLED, "", "", INJECT, ""), &["annotation-asks"]),
        (system(ENABLED, "", INJECT, REFUSE, ""), &["annotation-hidden"]),
        (system(ENABLED, INJECT, "", "", ""), &["label-on-owner"]),
        (
            system(ENABLED, "", r#""sidecar.istio.io/inject": "yes""#, "", ""),
            &["odd-inject-value"],
        ),
        (
            system("istio-injection: enabled, istio.io/rev: a", "", "", "", ""),
            &["revision-hidden"],
        ),
        (
            system(ENABLED, "", "istio.io/rev: b", "", ""),
            &["pod-revision-hidden"],
        ),
    ] {
        assert_eq!(both("traps", &yaml), expected, "{yaml}");
    }
}

/// A pod of `web`, as it runs.
fn pod(containers: &str, created: &str) -> String {
    format!(
        r#"
---
{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: web-1, namespace: a, ownerReferences: [{{kind: Deployment, name: web, controller: true}}]}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: web-1-x, namespace: a, labels: {{app: web}}, creationTimestamp: "{created}",
  annotations: {{"sidecar.istio.io/status": "{{}}", "istio.io/rev": default}},
  ownerReferences: [{{kind: ReplicaSet, name: web-1, controller: true}}]}}, spec: {{containers: [{containers}]}}, status: {{phase: Running}}}}
"#
    )
}

#[test]
fn a_label_without_a_restart_is_found_unless_a_rollout_is_in_progress() {
    let old = "2026-01-01T00:00:00Z";
    let (plain, proxied) = ("{name: app}", "{name: app}, {name: istio-proxy}");
    for (labels, containers, created, expected, known) in [
        (ENABLED, proxied, old, &[][..], true),
        (ENABLED, plain, old, &["entry-not-restarted"], true),
        ("", proxied, old, &["entry-loses-proxy"], true),
        ("", plain, old, &[], true),
        (ENABLED, plain, "2026-01-01T11:55:00Z", &[], false),
    ] {
        let yaml = system(labels, "", "", "", "") + &pod(containers, created);
        let found = judged_running("entry_restarted", &yaml);
        assert_eq!(codes(&found), expected, "{labels} {containers} {created}");
        assert_eq!(found.unknown.is_empty(), known, "{:?}", found.unknown);
    }
    let files = judged("entry_restarted", &system(ENABLED, "", "", "", ""));
    assert!(!files.unknown.is_empty());
}

#[test]
fn what_stops_a_pod_is_an_error_and_what_istio_brings_everywhere_is_only_told() {
    let plain = judged("entry_preflight", &system(ENABLED, "", "", "", ""));
    assert!(
        plain
            .findings
            .iter()
            .all(|(code, ..)| code.severity == crate::judge::Severity::Info)
    );
    assert!(both("preflight", &system(ENABLED, "", "", "", "")).contains(&"single-replica".into()));
    let restricted = r#"istio-injection: enabled, "pod-security.kubernetes.io/enforce": restricted"#;
    assert!(both("preflight", &system(restricted, "", "", "", "")).contains(&"pod-security".into()));
    let own = "securityContext: {runAsUser: 1337},";
    assert!(both("preflight", &system(ENABLED, "", "", "", own)).contains(&"proxy-user".into()));
}
