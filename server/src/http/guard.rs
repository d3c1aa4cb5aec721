//! Who may ask at all: the name that was asked for, and where a write comes from.

use super::login::BACK_CHANNEL;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::Ipv4Addr, net::Ipv6Addr, sync::Arc};

/// The names under which this console may be asked.
///
/// A page of somebody else's can have its own name resolve to 127.0.0.1 (DNS rebinding) and would then be of the console's origin as far as
/// the browser knows; only the name in `Host` tells.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    configured: Arc<[String]>,
}

impl Hosts {
    /// Loopback names with any port (a tunnel changes it), and these names, with or without a port.
    pub fn new(configured: impl IntoIterator<Item = String>) -> Self {
        Self {
            configured: configured
                .into_iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
        }
    }

    /// Whether this authority (`name`, `name:port`, `[v6]:port`) may be asked for.
    pub fn allow(&self, authority: &str) -> bool {
        let Some(name) = name_of(authority) else {
            return false;
        };
        let name = name.to_ascii_lowercase();
        name == "localhost"
            || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || name
                .strip_prefix('[')
                .and_then(|it| it.strip_suffix(']'))
                .and_then(|it| it.parse().ok())
                == Some(Ipv6Addr::LOCALHOST)
            || self.configured.contains(&name)
    }
}

/// The name of an authority without its port; None if there is more than a name and a port, or less.
fn name_of(authority: &str) -> Option<&str> {
    let (name, port) = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => (&authority[..at], &authority[at + 1..]),
        _ => (authority, "0"),
    };
    let plain =
        !name.is_empty() && !name.contains(['@', '/', ' ']) && (name.starts_with('[') || !name.contains(':'));
    (plain && port.parse::<u16>().is_ok()).then_some(name)
}

/// The authority that a request is for: of the request line (HTTP/2, or absolute form), else of `Host` (RFC 9112, 3.2.2).
fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().map(|it| it.to_str());
    match (uri.authority(), host, hosts.next()) {
        (Some(authority), _, None) => Some(authority.as_str()),
        (None, Some(Ok(host)), None) => Some(host),
        _ => None,
    }
}

/// Refuses requests for another name (421), without a usable target (400), and writes that do not come from one of our own pages (403).
pub(super) async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    match judge(&hosts, request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err((status, text)) => {
            tracing::debug!(%status, text, method = %request.method(), "refused");
            (status, text).into_response()
        }
    }
}

fn judge(
    hosts: &Hosts,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), (StatusCode, &'static str)> {
    // `OPTIONS *` and CONNECT have no path; no route of ours does without.
    if uri
        .path_and_query()
        .is_none_or(|it| !it.as_str().starts_with('/'))
    {
        return Err((StatusCode::BAD_REQUEST, "no path\n"));
    }
    // Probes name the pod's address, and learn nothing but whether the process is well.
    if method.is_safe() && matches!(uri.path(), "/healthz" | "/readyz") {
        return Ok(());
    }
    let authority = authority(uri, headers).ok_or((StatusCode::BAD_REQUEST, "no usable Host\n"))?;
    if !hosts.allow(authority) {
        return Err((
            StatusCode::MISDIRECTED_REQUEST,
            "this host name is not served here\n",
        ));
    }
    if method.is_safe() || same_origin(headers, authority) || from_provider(method, uri, headers) {
        Ok(())
    } else {
        Err((StatusCode::FORBIDDEN, "not from a page of this console\n"))
    }
}

/// Whether this is the provider telling of the end of a session: a server's own request, which no browser sends (it would name an Origin), and
/// which is believed for its signed token alone.
fn from_provider(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let browser = ["origin", "sec-fetch-site", "cookie"];
    method == Method::POST
        && uri.path() == BACK_CHANNEL
        && !browser.into_iter().any(|name| headers.contains_key(name))
}

/// Whether a write comes from a page of ours: `Origin` is this authority and, where the browser says it, `Sec-Fetch-Site` agrees. The scheme
/// is not compared: a proxy in front may have taken TLS off.
fn same_origin(headers: &HeaderMap, authority: &str) -> bool {
    let only = |name: &str| {
        let mut all = headers.get_all(name).iter();
        all.next()
            .filter(|_| all.next().is_none())
            .and_then(|it| it.to_str().ok())
    };
    let from_us = only("origin")
        .and_then(|origin| {
            origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"))
        })
        .is_some_and(|origin| origin.eq_ignore_ascii_case(authority));
    from_us && (!headers.contains_key("sec-fetch-site") || only("sec-fetch-site") == Some("same-origin"))
}

#[cfg(test)]
mod tests {
    use super::{Hosts, judge};
    use axum::http::{Method, Request, StatusCode};

    #[test]
    fn only_loopback_and_configured_names_are_served() {
        let hosts = Hosts::new(["naru.example".to_owned()]);
        for good in [
            "localhost",
            "LOCALHOST:3000",
            "127.0.0.1:3000",
            "127.8.0.1",
            "[::1]",
            "[::1]:80",
            "Naru.example",
            "naru.example:443",
        ] {
            assert!(hosts.allow(good), "{good}");
        }
        for bad in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:3000",
            "localhost@evil.example",
            "localhost:80:90",
            "localhost:http",
            "::1",
            "0.0.0.0",
            "[::]",
            "[::1",
            "10.0.0.1",
            "localhost/",
            "user@localhost",
        ] {
            assert!(!hosts.allow(bad), "{bad}");
        }
    }

    #[test]
    fn a_write_must_come_from_a_page_of_ours() {
        let hosts = Hosts::default();
        let ask = |method: Method, headers: &[(&str, &str)]| {
            let mut request = Request::builder()
                .method(method)
                .uri("/api/apply")
                .header("host", "localhost:3000");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            judge(&hosts, &parts.method, &parts.uri, &parts.headers).map_err(|(status, _)| status)
        };
        let origin = ("origin", "http://localhost:3000");
        assert_eq!(ask(Method::GET, &[]), Ok(()));
        assert_eq!(ask(Method::POST, &[origin]), Ok(()));
        assert_eq!(
            ask(Method::POST, &[origin, ("sec-fetch-site", "same-origin")]),
            Ok(())
        );
        for refused in [
            vec![],
            vec![("origin", "null")],
            vec![("origin", "http://evil.example")],
            vec![("origin", "http://localhost:3001")],
            vec![("origin", "http://localhost:3000.evil.example")],
            vec![("origin", "localhost:3000")],
            vec![origin, ("origin", "http://evil.example")],
            vec![origin, ("sec-fetch-site", "cross-site")],
            vec![origin, ("sec-fetch-site", "same-site")],
            vec![origin, ("sec-fetch-site", "none")],
            vec![("sec-fetch-site", "same-origin")],
        ] {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(ask(method, &refused), Err(StatusCode::FORBIDDEN), "{refused:?}");
            }
        }
    }

    #[test]
    fn the_provider_needs_no_origin_and_a_browser_does() {
        let ask = |method: Method, path: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", "localhost:3000");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            judge(&Hosts::default(), &parts.method, &parts.uri, &parts.headers).is_ok()
        };
        assert!(ask(Method::POST, "/logout/backchannel", &[]));
        for (method, path) in [
            (Method::PUT, "/logout/backchannel"),
            (Method::POST, "/logout"),
            (Method::POST, "/logout/backchannel/"),
            (Method::POST, "//logout/backchannel"),
        ] {
            assert!(!ask(method, path, &[]), "{path}");
        }
        for header in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("cookie", "a=b"),
        ] {
            assert!(!ask(Method::POST, "/logout/backchannel", &[header]), "{header:?}");
        }
    }

    #[test]
    fn odd_targets_are_refused_before_any_route() {
        for (uri, host, status) in [
            ("*", Some("localhost"), StatusCode::BAD_REQUEST),
            ("/", None, StatusCode::BAD_REQUEST),
            ("/", Some("evil.example"), StatusCode::MISDIRECTED_REQUEST),
            (
                "http://evil.example/",
                Some("localhost"),
                StatusCode::MISDIRECTED_REQUEST,
            ),
        ] {
            let mut request = Request::builder().method(Method::OPTIONS).uri(uri);
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let judged = judge(&Hosts::default(), &parts.method, &parts.uri, &parts.headers);
            assert_eq!(judged.map_err(|(status, _)| status), Err(status), "{uri}");
        }
    }
}
