//! External authorizers.

use super::{OPA, asked, get, mesh_config, operation, policy, short, source, when};
use crate::mesh::authz::{Kind, Request};
use serde_json::{Value, json};

fn custom(name: &str, provider: &str, rule: &str) -> Value {
    policy(
        name,
        &format!("{{action: CUSTOM, provider: {{name: '{provider}'}}, rules: [{rule}]}}"),
    )
}

#[test]
fn an_external_authorizer_is_unknown_unless_something_else_surely_refuses() {
    let config = mesh_config(OPA);
    let opa = || Kind::Custom {
        provider: "opa".into(),
    };
    let missing = |name: &str| Kind::MissingProvider {
        provider: name.into(),
    };
    let other = operation("ports: ['1']");
    let deny = policy("deny", "{action: DENY, rules: [{}]}");
    for (documents, verdict, kind) in [
        (vec![custom("c", "opa", "{}")], "unknown", opa()),
        (vec![custom("c", "opa", &other)], "allow", Kind::NotDenied),
        (
            vec![custom("c", "opa", "{}"), deny.clone()],
            "deny",
            Kind::DeniedByRule,
        ),
        (
            vec![custom("c", "opa", "{}"), policy("a", "{rules: [{}]}")],
            "unknown",
            opa(),
        ),
        (vec![custom("c", "none", "{}")], "deny", missing("none")),
        (vec![custom("c", "log", "{}")], "deny", missing("log")),
        (vec![custom("c", "", "{}"), deny], "deny", missing("")),
        (vec![custom("c", "none", &other)], "allow", Kind::NotDenied),
        (
            vec![custom("c", "none", &when("remote.ip", "values: [1.1.1.1]"))],
            "unknown",
            Kind::NotJudged,
        ),
        (
            vec![custom("c", "opa", "{}"), custom("d", "opa", "{}")],
            "unknown",
            opa(),
        ),
        (
            vec![custom("c", "opa", "{}"), custom("d", "web", &other)],
            "deny",
            Kind::ManyProviders(vec!["opa".into(), "web".into()]),
        ),
        (
            vec![custom("c", "opa", &other), custom("d", "web", &other)],
            "allow",
            Kind::NotDenied,
        ),
        (
            vec![policy("c", "{action: CUSTOM, provider: {name: none}}")],
            "allow",
            Kind::NotDenied,
        ),
        // The authorizer is asked before tokens are read.
        (
            vec![custom("c", "none", &source("requestPrincipals: ['*']"))],
            "allow",
            Kind::NotDenied,
        ),
        (
            vec![custom("c", "none", "{to: [{operation: {ports: [http]}}]}")],
            "deny",
            missing("none"),
        ),
    ] {
        let mut all = vec![config.clone()];
        all.extend(documents.clone());
        let decision = asked(&all, &get("/"));
        assert_eq!(
            (short(&decision), decision.kind),
            (verdict, kind),
            "{documents:?}"
        );
    }
}

#[test]
fn a_provider_that_speaks_http_is_not_asked_about_connections() {
    let config = mesh_config(OPA);
    let service = |port: u16| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "opa"}, "spec": {"ports": [{"port": port}]}});
    let of = |provider: &str, more: Vec<Value>| {
        let mut all = vec![config.clone(), custom("c", provider, "{}")];
        all.extend(more);
        short(&asked(&all, &Request::tcp(1)))
    };
    assert_eq!(of("web", vec![service(80)]), "allow");
    assert_eq!(of("web", vec![service(81)]), "unknown");
    assert_eq!(of("web", vec![]), "unknown");
    assert_eq!(of("opa", vec![service(80)]), "unknown");
    assert_eq!(of("none", vec![service(80)]), "deny");
    assert_eq!(
        short(&asked(
            &[config.clone(), custom("c", "web", "{}"), service(80)],
            &get("/")
        )),
        "unknown"
    );
}

#[test]
fn a_dry_run_of_custom_is_not_judged_where_its_provider_is_there() {
    let dry = |name: &str, provider: &str, rule: &str| {
        let mut it = custom(name, provider, rule);
        it["metadata"]["annotations"] = json!({"istio.io/dry-run": "true"});
        it
    };
    let config = mesh_config(OPA);
    let of = |documents: &[Value]| {
        let decision = asked(&[&[config.clone()][..], documents].concat(), &get("/"));
        (short(&decision), decision.kind)
    };
    assert_eq!(of(&[dry("c", "opa", "{}")]), ("unknown", Kind::NotJudged));
    assert_eq!(
        of(&[dry("c", "opa", &operation("ports: ['1']"))]),
        ("allow", Kind::NotDenied)
    );
    assert_eq!(of(&[dry("c", "none", "{}")]), ("allow", Kind::NotDenied));
    // It counts among the providers.
    let many = Kind::ManyProviders(vec!["opa".into(), "web".into()]);
    assert_eq!(
        of(&[dry("c", "opa", "{}"), custom("d", "web", "{}")]),
        ("deny", many)
    );
}
