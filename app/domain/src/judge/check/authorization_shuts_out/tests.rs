use crate::judge::testing::{codes, judged, judged_running};

/// The gateway leads to `shop/web`, which calls `shop/users`; the identity provider is `id/keycloak`.
fn system(policies: &str) -> String {
    let mut yaml = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: shop, name: web}, services: [{namespace: shop, name: users}],
  edge: {gateway: {namespace: gw, name: gate}}, identity: {host: id.example, paths: [/realms], service: {namespace: id, name: keycloak}},
  calls: [{from: {namespace: shop, name: web}, to: {namespace: shop, name: users}}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: id, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: gw, labels: {istio-injection: enabled}}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g, namespace: gw}, spec: {selector: {app: gate}, servers: []}}
"#
    .to_owned();
    for (space, name, note) in [
        ("shop", "web", ""),
        ("shop", "users", NOTES),
        ("id", "keycloak", ""),
        ("gw", "gate", ""),
    ] {
        yaml += &format!(
            r#"
---
{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {space}}}, spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: {space}}}, spec: {{template: {{metadata: {{labels: {{app: {name}}}, annotations: {{{note}}}}},
  spec: {{serviceAccountName: {name}, containers: [{{name: app}}]}}}}}}}}
"#
        );
    }
    yaml + "---\n" + policies
}

const NOTES: &str =
    r#"prometheus.io/scrape: "true", prometheus.io/port: "8080", prometheus.istio.io/merge-metrics: "false""#;

fn policy(namespace: &str, app: &str, rules: &str) -> String {
    format!(
        "{{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {{name: p, namespace: {namespace}}}, spec: {{selector: {{matchLabels: {{app: {app}}}}}, rules: [{rules}]}}}}"
    )
}

fn found(policies: &str) -> Vec<&'static str> {
    let yaml = system(policies);
    let files = judged("authorization_shuts_out", &yaml);
    assert_eq!(codes(&files), codes(&judged_running("authorization_shuts_out", &yaml)));
    codes(&files)
}

#[test]
fn without_policies_all_are_let_in() {
    assert_eq!(found(""), [""; 0]);
    assert!(judged("authorization_shuts_out", &system("")).unknown.is_empty());
}

#[test]
fn the_guides_policy_shuts_out_a_gateway_under_another_account() {
    let of = |account: &str| {
        let rule = format!(r#"{{from: [{{source: {{principals: ["cluster.local/ns/gw/sa/{account}"]}}}}]}}"#);
        policy("shop", "web", &rule)
    };
    assert_eq!(found(&of("istio-ingressgateway-service-account")), ["policy-shuts-out-gateway"]);
    assert_eq!(found(&of("gate")), [""; 0]);
}

#[test]
fn a_policy_for_the_gateway_alone_shuts_out_callers_in_the_cluster_and_prometheus() {
    let gateway_alone = policy("shop", "users", r#"{from: [{source: {principals: ["cluster.local/ns/gw/sa/gate"]}}]}"#);
    assert_eq!(found(&gateway_alone), ["policy-shuts-out-caller", "policy-shuts-out-scrape"]);
    let both = policy(
        "shop",
        "users",
        r#"{from: [{source: {namespaces: [shop]}}]}, {to: [{operation: {paths: ["/metrics"]}}]}"#,
    );
    assert_eq!(found(&both), [""; 0]);
}

#[test]
fn a_token_is_wanted_nowhere_on_the_way_to_the_identity_provider() {
    let token = r#"{from: [{source: {requestPrincipals: ["*"]}}]}"#;
    assert_eq!(found(&policy("gw", "gate", token)), ["policy-shuts-out-identity"]);
    assert_eq!(found(&policy("id", "keycloak", token)), ["policy-shuts-out-identity"]);
    let open = format!(r#"{token}, {{to: [{{operation: {{paths: ["/realms/*"]}}}}]}}"#);
    assert_eq!(found(&policy("gw", "gate", &open)), [""; 0]);
}
