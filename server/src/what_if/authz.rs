//! Whether a request is let in.

use super::{Because, because, unknown};
use naru_domain::{
    Name,
    fact::Labels,
    mesh::{
        Mesh, Proxy,
        authz::{self, Kind, Protocol, Request, Verdict},
    },
    object::Key,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, net::IpAddr};

/// One request. README says what the fields mean.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    destination: Workload,
    #[serde(default)]
    protocol: Reads,
    /// Absent: whoever has a principal came by mutual TLS.
    mtls: Option<bool>,
    #[serde(default)]
    principal: Name,
    #[serde(default)]
    namespace: Name,
    source_ip: Option<IpAddr>,
    remote_ip: Option<IpAddr>,
    destination_ip: Option<IpAddr>,
    #[serde(default, alias = "port")]
    destination_port: u16,
    #[serde(default)]
    sni: Name,
    #[serde(default)]
    method: Name,
    #[serde(default)]
    host: Name,
    #[serde(default)]
    path: Name,
    #[serde(default)]
    headers: BTreeMap<String, Name>,
    #[serde(default)]
    request_principal: Name,
    #[serde(default)]
    claims: Value,
}

#[derive(Default, Deserialize)]
struct Workload {
    #[serde(default)]
    namespace: Name,
    #[serde(default)]
    labels: Labels,
    /// It is a gateway rather than a workload with a sidecar.
    #[serde(default)]
    gateway: bool,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Reads {
    #[default]
    #[serde(alias = "https", alias = "http2", alias = "grpc")]
    Http,
    #[serde(alias = "tls")]
    Tcp,
}

/// Whether it is let in.
#[derive(Serialize)]
pub(super) struct Answer {
    id: Value,
    decision: &'static str,
    rule: Option<String>,
    reason: String,
    because: Vec<Because>,
}

pub(super) fn answer(mesh: &Mesh<'_>, asked: Asked) -> Answer {
    let id = asked.id.clone();
    let (destination, request) = understood(asked);
    let decided = authz::decide(mesh, &destination, &request);
    let decision = match decided.verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
        Verdict::Unknown(_) => "unknown",
    };
    let reason = match &decided.verdict {
        Verdict::Unknown(whys) => unknown(whys),
        Verdict::Allow | Verdict::Deny => reason(&decided.kind),
    };
    let deciders: Vec<_> = decided.decider.into_iter().collect();
    Answer {
        id,
        decision,
        rule: deciders.first().map(|it| place(&it.key, &it.path)),
        reason,
        because: because(&deciders),
    }
}

fn understood(asked: Asked) -> (Proxy, Request) {
    let Workload {
        namespace,
        labels,
        gateway,
    } = asked.destination;
    let or = |text: Name, default: &str| if text.is_empty() { default.into() } else { text };
    let namespace = or(namespace, "default");
    let proxy = if gateway {
        Proxy::gateway(namespace, labels)
    } else {
        Proxy::sidecar(namespace, labels)
    };
    let principal: Name = asked
        .principal
        .strip_prefix("spiffe://")
        .unwrap_or(&asked.principal)
        .into();
    let http = asked.protocol == Reads::Http;
    let request = Request {
        protocol: if http { Protocol::Http } else { Protocol::Tcp },
        mtls: asked.mtls.unwrap_or(!principal.is_empty()),
        principal,
        namespace: asked.namespace,
        source_ip: asked.source_ip,
        // Without a proxy in between the one who connects is the client.
        remote_ip: asked.remote_ip.or(asked.source_ip),
        destination_ip: asked.destination_ip,
        destination_port: asked.destination_port,
        sni: asked.sni,
        method: if http {
            or(asked.method, "GET")
        } else {
            asked.method
        },
        host: asked.host,
        path: if http { or(asked.path, "/") } else { asked.path },
        headers: asked
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_lowercase().into(), value))
            .collect(),
        request_principal: asked.request_principal,
        claims: asked.claims,
    };
    (proxy, request)
}

/// `namespace/name`, and `#2` for the third of its rules.
fn place(key: &Key, path: &str) -> String {
    let rule = path
        .strip_prefix("/spec/rules/")
        .or_else(|| path.strip_prefix("/spec/jwtRules/"));
    let number = rule
        .and_then(|it| it.split('/').next())
        .map_or(String::new(), |n| format!("#{n}"));
    format!("{}/{}{number}", key.namespace, key.name)
}

/// One of the words that README lists, with what it is about.
fn reason(kind: &Kind) -> String {
    let names = |keys: &[Key]| -> String {
        let all: Vec<String> = keys.iter().map(|key| place(key, "")).collect();
        all.join(", ")
    };
    match kind {
        Kind::NoPolicies => "no policies".into(),
        Kind::NotDenied => "not denied".into(),
        Kind::AllowedByRule => "allowed by rule".into(),
        Kind::DeniedByRule => "denied by rule".into(),
        Kind::NoRuleMatched(policies) => format!("no rule matched: {}", names(policies)),
        Kind::Custom { provider } => format!("external authorizer: {provider}"),
        Kind::MissingProvider { provider } => format!("external authorizer missing: {provider}"),
        Kind::ManyProviders(providers) => format!("several external authorizers: {}", providers.join(", ")),
        Kind::TokenIssuer { issuer } => format!("token of an unknown issuer: {issuer}"),
        Kind::TokenAudience { issuer } => format!("token for another audience: {issuer}"),
        Kind::NotJudged => "not judged".into(),
    }
}
