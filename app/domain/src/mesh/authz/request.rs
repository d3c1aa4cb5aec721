//! A request as the called side's proxy sees it.

use crate::Name;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, net::IpAddr};

/// How the called side's proxy reads the port: by the Service's port name or `appProtocol`, or by what it sniffs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// As HTTP, including gRPC: rules see requests.
    Http,
    /// As bytes, including TLS that the workload itself ends: rules see connections only.
    Tcp,
}

/// A request, or for [`Protocol::Tcp`] a connection, as it arrives at the called side.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// How the port is read.
    pub protocol: Protocol,
    /// The connection is mutual TLS. A plaintext peer has neither principal nor namespace, whatever is said here.
    pub mtls: bool,
    /// The peer's identity without `spiffe://`, as in `cluster.local/ns/a/sa/b`. Empty with `mtls`: it is not known.
    pub principal: Name,
    /// The peer's namespace, for when it is known and the principal is not.
    pub namespace: Name,
    /// The peer of the connection; None: not known.
    pub source_ip: Option<IpAddr>,
    /// The original client, by `X-Forwarded-For` or the PROXY protocol; None: not known.
    pub remote_ip: Option<IpAddr>,
    /// The pod's address; None: not known.
    pub destination_ip: Option<IpAddr>,
    /// The pod's port (`targetPort`), not the Service's; 0: not known.
    pub destination_port: u16,
    /// The server name of the TLS handshake; empty for none.
    pub sni: Name,
    /// In capitals.
    pub method: Name,
    /// The Host header (`:authority`), with its port if it has one; empty for none.
    pub host: Name,
    /// With the query, as sent.
    pub path: Name,
    /// Names in lower case; values of a repeated header joined by commas.
    pub headers: BTreeMap<Name, Name>,
    /// `iss/sub` of the token; empty for none, unless `claims` has them.
    pub request_principal: Name,
    /// The token's claims; not an object, or empty: no token. Whoever gives claims says that the token is signed by its issuer, is not
    /// over, and lies where a rule for its issuer looks for it.
    pub claims: Value,
}

impl Request {
    /// `GET /` in plaintext from someone unknown.
    pub fn get(host: &str, port: u16) -> Self {
        Self {
            protocol: Protocol::Http,
            mtls: false,
            principal: "".into(),
            namespace: "".into(),
            source_ip: None,
            remote_ip: None,
            destination_ip: None,
            destination_port: port,
            sni: "".into(),
            method: "GET".into(),
            host: host.into(),
            path: "/".into(),
            headers: BTreeMap::new(),
            request_principal: "".into(),
            claims: Value::Null,
        }
    }

    /// A connection in plaintext from someone unknown.
    pub fn tcp(port: u16) -> Self {
        Self {
            protocol: Protocol::Tcp,
            method: "".into(),
            path: "".into(),
            ..Self::get("", port)
        }
    }

    /// The same by mutual TLS, from `principal` (without `spiffe://`).
    #[must_use]
    pub fn from(self, principal: &str) -> Self {
        Self {
            mtls: true,
            principal: principal.into(),
            ..self
        }
    }

    /// The claims of its token, `iss` and `sub` taken from the principal where they are missing; None without a token.
    pub(super) fn token(&self) -> Option<Map<String, Value>> {
        let mut claims = self.claims.as_object().cloned().unwrap_or_default();
        if !self.request_principal.is_empty() {
            // The issuer may be a URL; the subject is what follows the last slash.
            let principal = &*self.request_principal;
            let (issuer, subject) = principal.rsplit_once('/').unwrap_or((principal, ""));
            claims.entry("iss").or_insert_with(|| issuer.into());
            claims.entry("sub").or_insert_with(|| subject.into());
        }
        (!claims.is_empty()).then_some(claims)
    }

    /// A browser's question before a request to another origin: Istio has Envoy pass it without looking at tokens.
    pub(super) fn is_preflight(&self) -> bool {
        let has = |name: &str| self.headers.get(name).is_some_and(|value| !value.is_empty());
        &*self.method == "OPTIONS" && has("origin") && has("access-control-request-method")
    }
}
