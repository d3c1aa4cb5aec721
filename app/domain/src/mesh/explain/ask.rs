//! A request as people write it (workload, method, URL, headers), made into one that the model reads. Bounded: who asks may be anybody.

use crate::{
    Name,
    fact::Service,
    mesh::{
        gateway,
        host::{self, Host},
        protocol::{self, Reads},
        route::{self, Protocol, Request},
    },
    object::{Kind, Object},
    snapshot::Objects,
    workload::{WorkloadId, pods_of, selects},
};
use std::{collections::BTreeMap, fmt, sync::Arc};
use url::Url;

/// Bytes of a URL. Proxies and browsers differ in what they take; longer ones than this are nobody's.
pub const URL: usize = 2_048;
/// Bytes of a method; the longest registered one has 17 (IANA HTTP Method Registry).
const METHOD: usize = 32;
/// Headers of one request. Envoy takes 100; nobody writes as many by hand.
pub const HEADERS: usize = 32;
/// Bytes of a header's name.
const HEADER_NAME: usize = 128;
/// Bytes of a header's value: half of what Envoy takes for all of them together.
const HEADER_VALUE: usize = 4_096;
/// Bytes of a Kubernetes name (DNS-1123 subdomain).
const NAME: usize = 253;

/// Which part of a question cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Who calls.
    From,
    /// The method.
    Method,
    /// The URL.
    Url,
    /// Whom the request is for.
    To,
    /// The headers.
    Headers,
}

impl Part {
    /// As forms and queries call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Method => "method",
            Self::Url => "url",
            Self::To => "to",
            Self::Headers => "headers",
        }
    }
}

/// A question that cannot be used, and what is wanted instead. Never holds what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Which part.
    pub part: Part,
    /// What is wanted, or the parser's own short text.
    pub detail: String,
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part.name(), self.detail)
    }
}

fn odd(part: Part, detail: impl fmt::Display) -> Odd {
    Odd {
        part,
        detail: detail.to_string(),
    }
}

/// `namespace/name`, as `kubectl get deployments -A` shows it; None for anything else.
pub fn place(text: &str) -> Option<WorkloadId> {
    let (namespace, name) = text.trim().split_once('/')?;
    let plain = |it: &str| {
        let fits = !it.is_empty() && it.len() <= NAME;
        fits && it
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte))
    };
    (plain(namespace) && plain(name)).then(|| (namespace.into(), name.into()))
}

/// The request of a method, a URL and headers. As a client would: the URL is brought into its normal form (WHATWG URL), its fragment stays
/// at home, a header `Host` replaces the URL's, and values of a repeated header are joined by commas.
///
/// # Errors
/// Which part cannot be used.
pub fn request<'a>(
    method: &str,
    url: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Request, Odd> {
    let fits = !method.is_empty() && method.len() <= METHOD && token(method);
    let method = method.to_ascii_uppercase();
    if !fits {
        return Err(odd(Part::Method, "invalid HTTP method"));
    }
    let url = read(url)?;
    let (protocol, host) = match (url.scheme(), url.host_str()) {
        ("http", Some(host)) => (Protocol::Http, host),
        ("https", Some(host)) => (Protocol::Https, host),
        _ => return Err(odd(Part::Url, "http:// or https:// and a host")),
    };
    let port = url.port_or_known_default().unwrap_or(80);
    let authority = url
        .port()
        .map_or(host.to_owned(), |port| format!("{host}:{port}"));
    let path = url
        .query()
        .map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut named = named(headers)?;
    // Who says another Host asks for it.
    let host_header = named
        .remove("host")
        .unwrap_or_else(|| Name::from(authority.as_str()));
    Ok(Request {
        protocol,
        address: None,
        port,
        sni: if protocol == Protocol::Https {
            host.into()
        } else {
            "".into()
        },
        method: method.into(),
        path: path.into(),
        headers: named,
        host: host_header,
    })
}

fn read(url: &str) -> Result<Url, Odd> {
    let url = url.trim();
    // The parser would leave tabs and line ends out, as browsers do, and explain another URL than the one that is there.
    if url.len() > URL || url.chars().any(char::is_control) {
        return Err(odd(
            Part::Url,
            format_args!("at most {URL} bytes, no control characters"),
        ));
    }
    Url::parse(url).map_err(|error| odd(Part::Url, error))
}

/// RFC 9110, 5.6.2.
fn token(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn named<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<BTreeMap<Name, Name>, Odd> {
    let mut all: BTreeMap<Name, Name> = BTreeMap::new();
    for (count, (name, value)) in headers.into_iter().enumerate() {
        let (name, value) = (name.trim(), value.trim());
        if count >= HEADERS {
            return Err(odd(Part::Headers, format_args!("at most {HEADERS}")));
        }
        if name.is_empty() || name.len() > HEADER_NAME || !token(name) {
            return Err(odd(Part::Headers, "NAME: VALUE"));
        }
        if value.len() > HEADER_VALUE || value.chars().any(|it| it.is_control() && it != '\t') {
            return Err(odd(
                Part::Headers,
                format_args!("at most {HEADER_VALUE} bytes, no control characters"),
            ));
        }
        let name = Name::from(name.to_ascii_lowercase());
        let joined = match all.get(&name) {
            Some(before) => format!("{before},{value}"),
            None => value.to_owned(),
        };
        all.insert(name, joined.into());
    }
    Ok(all)
}

/// The Services in front of a workload, and last the one of this name: a workload may be called as another's Service is.
fn in_front<'a>(objects: &'a Objects, (namespace, name): &WorkloadId) -> Vec<&'a Arc<Service>> {
    let to = (namespace.clone(), name.clone());
    let pods = pods_of(objects, &to);
    let mut services: Vec<&Arc<Service>> = objects
        .services
        .values()
        .filter(|service| service.namespace == *namespace)
        .filter(|service| pods.iter().any(|pod| selects(&service.selector, &pod.labels)))
        .collect();
    services.extend(objects.service(namespace, name));
    services
}

/// The URL under which a workload is called, or a Service of this name: the first Service (by name) that selects the workload's pods, at
/// the first of its ports on which HTTP is read, 80 before others. None where there is none.
pub fn url_of(objects: &Objects, to: &WorkloadId) -> Option<String> {
    let (service, port) = in_front(objects, to).into_iter().find_map(|service| {
        let read = |port: &u16| {
            protocol::of_service(service, *port)
                .is_some_and(|(declared, _)| declared.protocol.reads() != Reads::No)
        };
        let mut ports: Vec<u16> = service.ports.iter().map(|it| it.port).filter(read).collect();
        ports.sort_by_key(|&port| port != 80);
        Some((service, *ports.first()?))
    })?;
    Some(url(&format!("{}.{}", service.name, service.namespace), port))
}

/// The URL under which a gateway is asked for what then reaches a workload: the first host without a wildcard of a VirtualService of
/// Gateways that leads to a Service in front of it, at the first port of theirs that reads HTTP in the open. None where there is none in
/// the namespaces that `sees` lets through.
pub fn url_at_gateway(objects: &Objects, to: &WorkloadId, sees: impl Fn(&str) -> bool) -> Option<String> {
    let services = in_front(objects, to);
    let leads = |rule: &Object| {
        let namespace = &rule.key().namespace;
        let mut hosts = route::rules(rule).into_iter().flat_map(|it| it.destinations);
        hosts.any(|it| match host::resolve(objects, &it.host, namespace) {
            Host::Service(id) => services
                .iter()
                .any(|it| it.namespace == id.namespace && it.name == id.name),
            _ => false,
        })
    };
    let port = |rule: &Object| {
        let names = route::gateways(rule);
        names.iter().filter(|it| &***it != "mesh").find_map(|name| {
            let (namespace, name) = name.split_once('/').unwrap_or((&rule.key().namespace, name));
            let gateway = objects
                .object(Kind::Gateway, namespace, name)
                .filter(|_| sees(namespace))?;
            let mut servers = gateway::servers(gateway).into_iter();
            servers
                .find(|it| it.tls.is_none() && it.reads_http())
                .map(|it| it.port)
        })
    };
    let rules = objects.of_kind(Kind::VirtualService);
    rules
        .filter(|rule| sees(&rule.key().namespace) && leads(rule))
        .find_map(|rule| {
            let hosts = route::hosts(rule);
            let host = hosts.iter().find(|it| !it.contains('*'))?;
            Some(url(host, port(rule)?))
        })
}

fn url(host: &str, port: u16) -> String {
    if port == 80 {
        format!("http://{host}/")
    } else {
        format!("http://{host}:{port}/")
    }
}

#[cfg(test)]
mod tests;
