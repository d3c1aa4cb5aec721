//! Tests by tables: policies as people write them.

mod custom;
mod policies;
mod properties;
mod rules;
mod tcp;
mod tokens;

use super::{Decision, Request, Verdict, decide};
use crate::{
    manifests,
    mesh::{Mesh, Proxy},
    snapshot::Objects,
};
use serde_json::{Value, json};

const CART: &str = "cluster.local/ns/shop/sa/cart";

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn object(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "security.istio.io/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn policy(name: &str, spec: &str) -> Value {
    object("AuthorizationPolicy", "shop", name, &yaml(spec))
}

fn tokens(rules: &str) -> Value {
    object(
        "RequestAuthentication",
        "shop",
        "tokens",
        &json!({"jwtRules": yaml(rules)}),
    )
}

fn mesh_config(text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": text}})
}

fn objects(documents: &[Value]) -> Objects {
    manifests::objects(documents.to_vec()).unwrap()
}

fn shop() -> Proxy {
    Proxy::sidecar("shop", [("app".into(), "cart".into())].into())
}

fn asked(documents: &[Value], request: &Request) -> Decision {
    let objects = objects(documents);
    decide(&Mesh::of(&objects), &shop(), request)
}

fn get(path: &str) -> Request {
    Request {
        path: path.into(),
        ..Request::get("cart.shop", 8080)
    }
}

/// From a known peer, by known addresses.
fn full() -> Request {
    Request {
        source_ip: Some("10.0.0.7".parse().unwrap()),
        remote_ip: Some("203.0.113.9".parse().unwrap()),
        destination_ip: Some("10.0.0.1".parse().unwrap()),
        sni: "cart.example".into(),
        method: "POST".into(),
        headers: [("x-team".into(), "blue".into()), ("x-empty".into(), "".into())].into(),
        ..get("/a/b?c=/d")
    }
    .from(CART)
}

fn short(decision: &Decision) -> &'static str {
    match &decision.verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
        Verdict::Unknown(whys) => {
            assert!(!whys.is_empty(), "what is not known has a reason");
            "unknown"
        }
    }
}

/// Of a rule: whether an ALLOW policy with it lets the request in, and whether a DENY policy refuses it.
fn by_rule(rule: &str, request: &Request, besides: &[Value]) -> (&'static str, &'static str) {
    let mut verdicts = ["ALLOW", "DENY"].map(|action| {
        let spec = json!({"action": action, "rules": [yaml(rule)]});
        let mut documents = besides.to_vec();
        documents.push(object("AuthorizationPolicy", "shop", "it", &spec));
        short(&asked(&documents, request))
    });
    verdicts[1] = match verdicts[1] {
        "allow" => "passed",
        "deny" => "refused",
        other => other,
    };
    (verdicts[0], verdicts[1])
}

const TAKEN: (&str, &str) = ("allow", "refused");
const NOT: (&str, &str) = ("deny", "passed");
const UNSURE: (&str, &str) = ("unknown", "unknown");

fn source(fields: &str) -> String {
    format!("{{from: [{{source: {{{fields}}}}}]}}")
}

fn operation(fields: &str) -> String {
    format!("{{to: [{{operation: {{{fields}}}}}]}}")
}

fn when(key: &str, values: &str) -> String {
    format!("{{when: [{{key: '{key}', {values}}}]}}")
}

const OPA: &str = "extensionProviders:
- {name: opa, envoyExtAuthzGrpc: {service: opa.opa.svc.cluster.local, port: 9191}}
- {name: web, envoyExtAuthzHttp: {service: web.opa.svc.cluster.local, port: 80}}
- {name: log, zipkin: {}}";
