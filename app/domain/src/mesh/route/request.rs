//! A request as a proxy sees it before it has decided.

use crate::Name;
use std::{collections::BTreeMap, net::IpAddr};

/// What the caller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// HTTP in the open: a sidecar reads it. At a gateway, HTTP on a plain server.
    Http,
    /// HTTP inside TLS that the caller begins itself: a sidecar sees only the SNI, a gateway that terminates sees all of it.
    Https,
    /// Other bytes inside TLS.
    Tls,
    /// Other bytes.
    Tcp,
}

/// A request, or for [`Protocol::Tls`] and [`Protocol::Tcp`] a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the caller speaks.
    pub protocol: Protocol,
    /// The Host header (`:authority`), as sent; empty for none.
    pub host: Name,
    /// Where the connection goes. None: where the host's name leads, if it is a service's.
    pub address: Option<IpAddr>,
    /// The port that the connection goes to; at a gateway, the Gateway server's port.
    pub port: u16,
    /// The server name of the TLS handshake; empty for none.
    pub sni: Name,
    /// In capitals.
    pub method: Name,
    /// With the query, as sent.
    pub path: Name,
    /// Names in lower case.
    pub headers: BTreeMap<Name, Name>,
}

impl Request {
    /// `GET /` for a host at a port, without headers.
    pub fn get(host: &str, port: u16) -> Self {
        Self {
            protocol: Protocol::Http,
            host: host.into(),
            address: None,
            port,
            sni: "".into(),
            method: "GET".into(),
            path: "/".into(),
            headers: BTreeMap::new(),
        }
    }

    /// As Envoy sees it before it matches: escapes of characters that need none (`%65` for `e`) are undone in the path, the query stays.
    /// (`normalize_path`, which Istio turns on; RFC 3986, 6.2.2.2. Seen in the lab.)
    #[must_use]
    pub fn unescaped(&self) -> Self {
        let (path, query) = match self.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&*self.path, None),
        };
        let mut plain = String::with_capacity(self.path.len());
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('%') {
            plain.push_str(before);
            let code = after
                .get(..2)
                .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
                .and_then(|code| u8::from_str_radix(code, 16).ok());
            match code {
                Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                    plain.push(char::from(byte));
                    rest = after.get(2..).unwrap_or("");
                }
                _ => {
                    plain.push('%');
                    rest = after;
                }
            }
        }
        plain.push_str(rest);
        if let Some(query) = query {
            plain.push('?');
            plain.push_str(query);
        }
        Self {
            path: plain.into(),
            ..self.clone()
        }
    }

    /// The path without its query.
    pub fn path_alone(&self) -> &str {
        self.path.split_once('?').map_or(&*self.path, |(path, _)| path)
    }

    /// The query's parameters, in order, as sent.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .filter(|it| !it.is_empty())
            .map(|it| it.split_once('=').unwrap_or((it, "")))
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn only_escapes_that_need_not_be_are_undone_and_only_in_the_path() {
        for (sent, seen) in [
            ("/%65xact", "/exact"),
            ("/a%2Fb", "/a%2Fb"),
            ("/%7Euser%2d1", "/~user-1"),
            ("/%", "/%"),
            ("/%4", "/%4"),
            ("/%zz%41", "/%zzA"),
            ("/%+1", "/%+1"),
            ("/한글%41", "/한글A"),
            ("/a?b=%65", "/a?b=%65"),
            ("", ""),
        ] {
            let request = Request {
                path: sent.into(),
                ..Request::get("a", 80)
            };
            assert_eq!(&*request.unescaped().path, seen, "{sent}");
        }
    }
}
