use crate::judge::testing::{codes, judged, judged_running};

/// `jobs/night` and an old ingress controller call `shop/users`, which Prometheus scrapes.
fn system(mode: &str) -> String {
    format!(
        r#"
{{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {{name: m}}, spec: {{entry: {{namespace: shop, name: users}},
  edge: {{ingress: {{namespace: ingress, name: nginx}}}}, calls: [{{from: {{namespace: jobs, name: night}}, to: {{namespace: shop, name: users}}}}]}}}}
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{istio-injection: enabled}}}}}}
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: jobs, labels: {{}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: users, namespace: shop}}, spec: {{selector: {{app: users}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: users, namespace: shop}}, spec: {{template: {{metadata: {{labels: {{app: users}},
  annotations: {{prometheus.io/scrape: "true", prometheus.io/port: "8080"}}}}, spec: {{containers: [{{name: users}}]}}}}}}}}
---
{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: night, namespace: jobs}}, spec: {{jobTemplate: {{spec: {{template: {{
  metadata: {{labels: {{app: night}}}}, spec: {{containers: [{{name: night}}]}}}}}}}}}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: nginx, namespace: ingress}}, spec: {{template: {{metadata: {{labels: {{app: nginx}}}},
  spec: {{containers: [{{name: nginx}}]}}}}}}}}
---
{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: default, namespace: istio-system}}, spec: {{mtls: {{mode: {mode}}}}}}}
---
"#
    )
}

const INGRESS: &str = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop}, spec: {rules: [{host: h, http: {paths: [{path: /, backend: {service: {name: users}}}]}}]}}";

#[test]
fn a_plaintext_caller_is_refused_by_strict_and_told_of_before() {
    for (mode, expected) in [
        ("STRICT", &["strict-refuses-caller"][..]),
        ("PERMISSIVE", &["strict-would-refuse-caller"]),
        ("DISABLE", &[]),
    ] {
        for found in [
            judged("strict_callers", &system(mode)),
            judged_running("strict_callers", &system(mode)),
        ] {
            assert_eq!(codes(&found), expected, "{mode}");
        }
    }
    let inside = system("STRICT").replace("name: jobs, labels: {}", "name: jobs, labels: {istio-injection: enabled}");
    let found = judged("strict_callers", &inside);
    assert_eq!((codes(&found), found.unknown.len(), found.facts.len()), (vec![], 0, 1));
}

#[test]
fn the_old_ingress_controller_is_a_plaintext_caller_unless_it_has_a_proxy() {
    let told = |yaml: &str| -> Vec<&str> {
        let found = judged("strict_callers", yaml);
        codes(&found).into_iter().filter(|it| it.contains("ingress")).collect()
    };
    assert_eq!(told(&(system("STRICT") + INGRESS)), ["strict-refuses-ingress"]);
    assert_eq!(told(&(system("PERMISSIVE") + INGRESS)), ["strict-would-refuse-ingress"]);
    let unseen = system("STRICT").replace("kind: Deployment, metadata: {name: nginx", "kind: Deployment, metadata: {name: other");
    assert_eq!(told(&(unseen + INGRESS)), ["strict-ingress-unseen"]);
    let labelled = "---\n{apiVersion: v1, kind: Namespace, metadata: {name: ingress, labels: {istio-injection: enabled}}}";
    assert_eq!(told(&(system("STRICT") + INGRESS + "\n" + labelled)), [""; 0]);
}

#[test]
fn a_job_in_a_strict_namespace_is_told_of_even_if_nobody_has_declared_it() {
    let job = |spec: &str| {
        format!(
            "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: bill, namespace: shop}}, spec: {{jobTemplate: {{spec: {{template: {{metadata: {{labels: {{{spec}}}}}, spec: {{containers: [{{name: c}}]}}}}}}}}}}}}"
        )
    };
    let told = |mode: &str, job: String| codes(&judged("strict_callers", &(system(mode) + &job))).contains(&"strict-job-without-proxy");
    let refuses = r#""sidecar.istio.io/inject": "false""#;
    assert!(told("STRICT", job(refuses)));
    assert!(!told("STRICT", job("")));
    assert!(!told("PERMISSIVE", job(refuses)));
}

#[test]
fn prometheus_is_refused_where_its_scrape_is_not_merged() {
    let told = |yaml: &str| codes(&judged("strict_callers", yaml)).contains(&"strict-refuses-scrape");
    let off = |mode: &str| system(mode).replace(
        "prometheus.io/scrape:",
        r#"prometheus.istio.io/merge-metrics: "false", prometheus.io/scrape:"#,
    );
    assert!(told(&off("STRICT")));
    assert!(!told(&off("PERMISSIVE")));
    assert!(!told(&system("STRICT")));
}
