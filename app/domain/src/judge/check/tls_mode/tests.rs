use crate::{
    Why,
    judge::testing::{codes, judged},
};

fn world(tls: &str, servers: &str, annotations: &str) -> String {
    format!(
        "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{edge: {{hosts: [a.example], gateway: {{namespace: shop, name: gw}}, {tls}}}}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata: {{mesh: '{{}}'}}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: gw, namespace: shop}}\nspec: {{selector: {{istio: gw}}, ports: [{{port: 80}}]}}\n---\n\
         apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{selector: {{istio: gw}}, servers: [{servers}]}}\n---\n\
         apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i, namespace: shop, annotations: {{{annotations}}}}}\nspec: {{ingressClassName: nginx, \
         rules: [{{host: a.example, http: {{paths: [{{path: /, backend: {{service: {{name: gw, port: {{number: 80}}}}}}}}]}}}}]}}\n"
    )
}

const PLAIN: &str = "{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example]}";
const TLS: &str =
    "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: c}}";
const ANY: &str =
    "{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}";

fn found(tls: &str, servers: &str, annotations: &[(&str, &str)]) -> Vec<&'static str> {
    let annotations: Vec<String> = annotations
        .iter()
        .map(|(name, value)| format!("nginx.ingress.kubernetes.io/{name}: '{value}'"))
        .collect();
    let yaml = world(&format!("tls: {tls}"), servers, &annotations.join(", "));
    codes(&judged("tls_mode", &yaml))
}

#[test]
fn where_tls_ends_before_it_a_gateways_own_never_sees_traffic() {
    assert_eq!(found("terminate", &format!("{PLAIN}, {TLS}"), &[]), ["tls-gateway-unused"]);
    assert!(found("terminate", PLAIN, &[]).is_empty());
    assert_eq!(
        found("terminate", TLS, &[]),
        ["tls-gateway-unused", "tls-no-gateway-server"]
    );
}

#[test]
fn a_redirect_behind_it_goes_round_in_circles() {
    let redirect = PLAIN.replace("hosts:", "tls: {httpsRedirect: true}, hosts:");
    assert_eq!(found("terminate", &redirect, &[]), ["tls-redirect-loop"]);
    let yaml = world("tls: terminate", &redirect, "").replace(
        "mesh: '{}'",
        "mesh: 'defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}'",
    );
    assert!(codes(&judged("tls_mode", &yaml)).is_empty());
}

#[test]
fn re_encryption_names_the_host() {
    let https = ("backend-protocol", "HTTPS");
    let (on, name) = (("proxy-ssl-server-name", "on"), ("proxy-ssl-name", "a.example"));
    assert!(found("re-encrypt", TLS, &[https, on, name]).is_empty());
    assert_eq!(found("re-encrypt", TLS, &[https]), ["tls-no-sni"]);
    assert_eq!(found("re-encrypt", TLS, &[https, on]), ["tls-no-sni"]);
    assert_eq!(found("re-encrypt", TLS, &[https, on, ("proxy-ssl-name", "b.example")]), ["tls-no-sni"]);
    assert!(found("re-encrypt", ANY, &[https]).is_empty());
    assert_eq!(found("re-encrypt", PLAIN, &[https, on, name]), ["tls-no-gateway-server"]);
}

#[test]
fn the_ingress_does_what_the_migration_says() {
    let passed = ("ssl-passthrough", "true");
    assert!(found("passthrough", TLS, &[passed]).is_empty());
    assert_eq!(found("passthrough", TLS, &[]), ["tls-mode-contradicted"]);
    assert_eq!(found("re-encrypt", TLS, &[]), ["tls-mode-contradicted"]);
    assert_eq!(found("terminate", PLAIN, &[passed]), ["tls-mode-contradicted"]);
}

#[test]
fn an_ingress_that_does_not_lead_there_yet_is_not_asked() {
    let yaml = world("tls: re-encrypt", TLS, "").replace("{service: {name: gw", "{service: {name: app");
    assert!(codes(&judged("tls_mode", &yaml)).is_empty());
}

#[test]
fn what_is_not_said_is_unknown() {
    let found = judged("tls_mode", &world("trustedHops: 1", TLS, ""));
    assert!(found.findings.is_empty() && matches!(found.unknown[..], [Why::NotDeclared { .. }]));
}
