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
