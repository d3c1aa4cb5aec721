//! What a field of a rule asks, and whether a value can be asked at all (istio's `pilot/pkg/security/authz/model/generator.go`).

use super::{
    Protocol, matcher, path,
    seen::{Peer, Seen},
    tri::Tri,
};
use crate::Name;
use serde_json::Value;
use std::net::IpAddr;

/// What a test asks about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    Principal,
    RequestPrincipal,
    Namespace,
    ServiceAccount,
    TrustDomain,
    SourceIp,
    RemoteIp,
    Host,
    Method,
    Path,
    DestinationIp,
    DestinationPort,
    Sni,
    /// In lower case; None: the key is not of the form `request.headers[name]`.
    Header(Option<Name>),
    /// From the outside in; None: the key is not of the form `request.auth.claims[a][b]`.
    Claims(Option<Vec<Name>>),
    /// False: the key is not of the form `experimental.envoy.filters.a[b]`.
    EnvoyMetadata(bool),
}

/// Why a value cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// It is about requests, and the port carries bytes.
    HttpOnly,
    /// It is not of its form: an address, a port, a key with brackets.
    Malformed,
    /// Istio does not know a condition of this key.
    UnknownKey,
}

impl Field {
    /// The field that a condition's key names, and whether it is about the source rather than the operation; None if Istio knows no such key.
    pub(super) fn of_key(key: &str) -> Option<(Self, bool)> {
        let field = match key {
            "destination.ip" => Self::DestinationIp,
            "destination.port" => Self::DestinationPort,
            "connection.sni" => Self::Sni,
            "source.ip" => Self::SourceIp,
            "remote.ip" => Self::RemoteIp,
            "source.namespace" => Self::Namespace,
            "source.trustDomain" => Self::TrustDomain,
            "source.serviceAccount" => Self::ServiceAccount,
            "source.principal" => Self::Principal,
            "request.auth.principal" => Self::RequestPrincipal,
            "request.auth.audiences" => Self::Claims(Some(vec!["aud".into()])),
            "request.auth.presenter" => Self::Claims(Some(vec!["azp".into()])),
            _ => {
                if let Some(rest) = key.strip_prefix("experimental.envoy.filters.") {
                    Self::EnvoyMetadata(rest.contains('['))
                } else if let Some(rest) = key.strip_prefix("request.headers") {
                    Self::Header(bracketed(rest).map(|it| it.to_ascii_lowercase().into()))
                } else {
                    Self::Claims(nested(key.strip_prefix("request.auth.claims")?))
                }
            }
        };
        let of_operation = matches!(
            field,
            Self::DestinationIp | Self::DestinationPort | Self::Sni | Self::EnvoyMetadata(_)
        );
        Some((field, !of_operation))
    }

    fn http_only(&self) -> bool {
        matches!(
            self,
            Self::RequestPrincipal
                | Self::Host
                | Self::Method
                | Self::Path
                | Self::Header(_)
                | Self::Claims(_)
        )
    }

    /// Whether the request has this value.
    pub(super) fn matches(&self, value: &str, seen: &Seen<'_>) -> Tri {
        let request = seen.request;
        match self {
            Self::Principal => of_peer(seen, |uri| matcher::principal(value, uri)),
            Self::TrustDomain => of_peer(seen, |uri| matcher::trust_domain(value, uri)),
            Self::ServiceAccount => of_peer(seen, |uri| {
                matcher::service_account(value, seen.policy_namespace, uri)
            }),
            Self::Namespace => match &seen.peer {
                Peer::Namespace(name) => Tri::of(matcher::namespace(
                    value,
                    &format!("{}_/ns/{name}/sa/_", matcher::SPIFFE),
                )),
                _ => of_peer(seen, |uri| matcher::namespace(value, uri)),
            },
            Self::SourceIp => of_address(value, request.source_ip, "source.ip"),
            Self::RemoteIp => of_address(value, request.remote_ip, "remote.ip"),
            Self::DestinationIp => of_address(value, request.destination_ip, "destination.ip"),
            Self::DestinationPort if request.destination_port == 0 => Tri::unknown("destination.port"),
            Self::DestinationPort => Tri::of(matcher::port(value) == Some(request.destination_port)),
            Self::Sni => Tri::of(matcher::text(value, &request.sni)),
            Self::Host => Tri::of(!request.host.is_empty() && matcher::host(value, &request.host)),
            Self::Method => Tri::of(!request.method.is_empty() && matcher::text(value, &request.method)),
            Self::Path => of_path(value, seen),
            Self::Header(name) => of_header(name.as_deref().unwrap_or(""), value, seen),
            Self::RequestPrincipal => seen.token.asked(|claims| {
                let text = |name: &str| claims.get(name).and_then(Value::as_str);
                matcher::request_principal(value, text("iss"), text("sub"))
            }),
            Self::Claims(names) => seen.token.asked(|claims| {
                let names = names.as_deref().unwrap_or(&[]);
                let Some((first, rest)) = names.split_first() else {
                    return false;
                };
                let found = rest
                    .iter()
                    .try_fold(claims.get(&**first), |at, name| Some(at?.get(&**name)));
                found.flatten().is_some_and(|it| claim(value, it))
            }),
            Self::EnvoyMetadata(_) => Tri::unknown("experimental.envoy.filters"),
        }
    }
}

/// Why a value cannot be asked on a port; None if it can.
pub(super) fn problem(field: &Field, value: &str, protocol: Protocol) -> Option<Problem> {
    if field.http_only() && protocol == Protocol::Tcp {
        return Some(Problem::HttpOnly);
    }
    let fits = match field {
        Field::SourceIp | Field::RemoteIp | Field::DestinationIp => matcher::block(value).is_some(),
        Field::DestinationPort => matcher::port(value).is_some(),
        Field::Header(name) => name.is_some(),
        Field::Claims(names) => names.is_some(),
        Field::EnvoyMetadata(fits) => *fits,
        _ => true,
    };
    (!fits).then_some(Problem::Malformed)
}

fn of_peer(seen: &Seen<'_>, ask: impl FnOnce(&str) -> bool) -> Tri {
    match &seen.peer {
        Peer::Plaintext => Tri::No,
        Peer::Uri(uri) => Tri::of(ask(uri)),
        Peer::Namespace(_) | Peer::Unknown => Tri::unknown("source.principal"),
    }
}

fn of_address(block: &str, address: Option<IpAddr>, name: &str) -> Tri {
    let Some(address) = address else {
        return Tri::unknown(name);
    };
    Tri::of(matcher::block(block).is_some_and(|block| matcher::within(block, address)))
}

fn of_path(value: &str, seen: &Seen<'_>) -> Tri {
    agreed(seen, |path| {
        let path = path::alone(path);
        if path::is_template(value) {
            path::template(value, path)
        } else {
            Some(matcher::text(value, path))
        }
    })
}

/// The answer for the path, if it is the same for each that is possible.
fn agreed(seen: &Seen<'_>, ask: impl Fn(&str) -> Option<bool>) -> Tri {
    let mut answers = seen.paths.iter().map(|path| ask(path));
    match answers.next().flatten() {
        Some(first) if answers.all(|it| it == Some(first)) => Tri::of(first),
        _ => Tri::unknown("request.path"),
    }
}

/// A header that the proxy itself sets or removes is not known from the request; `Host` is the authority.
fn of_header(name: &str, value: &str, seen: &Seen<'_>) -> Tri {
    const BY_PROXY: [&str; 4] = [
        "x-forwarded-client-cert",
        "x-request-id",
        "x-forwarded-proto",
        ":scheme",
    ];
    let request = seen.request;
    match name {
        // Unlike `hosts`, this minds the case.
        ":authority" | "host" => Tri::of(!request.host.is_empty() && matcher::header(value, &request.host)),
        ":method" => Field::Method.matches(value, seen),
        ":path" => agreed(seen, |path| {
            Some(!path.is_empty() && matcher::header(value, path))
        }),
        _ if name.is_empty() || BY_PROXY.contains(&name) || seen.touched.contains(name) => {
            Tri::unknown(format!("request.headers[{name}]"))
        }
        _ => {
            let found = request.headers.get(name);
            Tri::of(found.is_some_and(|it| matcher::header(value, it)))
        }
    }
}

/// A claim has a value if it is that text, or a list with it.
fn claim(value: &str, claim: &Value) -> bool {
    match claim {
        Value::String(text) => matcher::text(value, text),
        Value::Array(list) => {
            let mut texts = list.iter().filter_map(Value::as_str);
            texts.any(|it| matcher::text(value, it))
        }
        _ => false,
    }
}

fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// `[a][b]` as a and b; what is not of that form but begins and ends with brackets is one name.
fn nested(text: &str) -> Option<Vec<Name>> {
    let mut names = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').and_then(|it| it.split_once(']'));
        match inner.filter(|(name, _)| !name.contains('[')) {
            Some((name, after)) => {
                names.push(name.into());
                rest = after;
            }
            None => return bracketed(text).map(|name| vec![name.into()]),
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::{Field, Problem, nested, problem};
    use crate::{Name, mesh::authz::Protocol};

    #[test]
    fn claims_are_named_from_the_outside_in() {
        let names = |text: &str| nested(text).map(|it| it.iter().map(Name::to_string).collect::<Vec<_>>());
        assert_eq!(names("[a][b]"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(names("[a]"), Some(vec!["a".into()]));
        assert_eq!(names("[a[b]"), Some(vec!["a[b".into()]));
        assert_eq!(names("[a]b[c]"), Some(vec!["a]b[c".into()]));
        assert_eq!(names(""), Some(Vec::new()));
        for bad in ["a", "[a", "a]", ".a"] {
            assert_eq!(names(bad), None, "{bad}");
        }
    }

    #[test]
    fn keys_name_fields_of_the_source_or_the_operation() {
        for (key, of_source) in [
            ("destination.ip", false),
            ("destination.port", false),
            ("connection.sni", false),
            ("experimental.envoy.filters.a[b]", false),
            ("source.ip", true),
            ("request.headers[x]", true),
            ("request.auth.claims[x]", true),
        ] {
            assert_eq!(Field::of_key(key).map(|it| it.1), Some(of_source), "{key}");
        }
        assert_eq!(
            Field::of_key("request.headers[X-A]").unwrap().0,
            Field::Header(Some("x-a".into()))
        );
        for unknown in ["", "source.name", "destination.labels[x]", "experimental.x"] {
            assert_eq!(Field::of_key(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn values_that_cannot_be_asked_say_why() {
        let key = |key: &str| Field::of_key(key).unwrap().0;
        for (field, value, http, tcp) in [
            (Field::Path, "/", None, Some(Problem::HttpOnly)),
            (Field::Host, "a", None, Some(Problem::HttpOnly)),
            (Field::Method, "GET", None, Some(Problem::HttpOnly)),
            (Field::RequestPrincipal, "*", None, Some(Problem::HttpOnly)),
            (key("request.auth.audiences"), "a", None, Some(Problem::HttpOnly)),
            (key("request.headers[a]"), "a", None, Some(Problem::HttpOnly)),
            (
                key("request.headers"),
                "a",
                Some(Problem::Malformed),
                Some(Problem::HttpOnly),
            ),
            (
                key("request.auth.claims.a"),
                "a",
                Some(Problem::Malformed),
                Some(Problem::HttpOnly),
            ),
            (
                key("experimental.envoy.filters.a"),
                "a",
                Some(Problem::Malformed),
                Some(Problem::Malformed),
            ),
            (key("experimental.envoy.filters.a[b]"), "a", None, None),
            (Field::SourceIp, "10.0.0.0/8", None, None),
            (
                Field::SourceIp,
                "x",
                Some(Problem::Malformed),
                Some(Problem::Malformed),
            ),
            (
                Field::RemoteIp,
                "x",
                Some(Problem::Malformed),
                Some(Problem::Malformed),
            ),
            (
                Field::DestinationIp,
                "x",
                Some(Problem::Malformed),
                Some(Problem::Malformed),
            ),
            (Field::DestinationPort, "80", None, None),
            (
                Field::DestinationPort,
                "http",
                Some(Problem::Malformed),
                Some(Problem::Malformed),
            ),
            (Field::Principal, "a", None, None),
            (Field::Namespace, "a", None, None),
            (Field::Sni, "a", None, None),
        ] {
            assert_eq!(problem(&field, value, Protocol::Http), http, "{field:?}");
            assert_eq!(problem(&field, value, Protocol::Tcp), tcp, "{field:?}");
        }
    }
}
