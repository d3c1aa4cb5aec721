//! What the bytes mean.

use naru_domain::mesh::{nonsense::Asked, route::Protocol};
use serde_json::Value;

/// Objects, and what is asked about them.
pub struct Input {
    pub objects: Vec<Value>,
    pub asked: Asked,
}

impl Input {
    /// None for what is no list of objects: there is nothing to ask then.
    pub fn read(data: &[u8]) -> Option<Self> {
        let (json, lines) = split(data);
        Some(Self {
            objects: serde_json::from_slice(json).ok()?,
            asked: asked(&String::from_utf8_lossy(lines)),
        })
    }
}

/// The JSON, and the rest. A zero byte never stands in JSON.
pub fn split(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|&byte| byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}

/// Host, port, protocol, server name, method, path, address, subset, principal; then headers. A line that is absent or empty leaves the default.
fn asked(text: &str) -> Asked {
    let mut asked = Asked::default();
    let mut lines = text.split('\n');
    let mut line = || lines.next().filter(|it| !it.is_empty());
    if let Some(it) = line() {
        asked.host = it.into();
    }
    if let Some(it) = line() {
        asked.port = it.parse().unwrap_or(0);
    }
    asked.protocol = Some(match line() {
        Some("tcp") => Protocol::Tcp,
        Some("tls") => Protocol::Tls,
        Some("https") => Protocol::Https,
        _ => Protocol::Http,
    });
    for field in [&mut asked.sni, &mut asked.method, &mut asked.path] {
        if let Some(it) = line() {
            *field = it.into();
        }
    }
    asked.address = line().and_then(|it| it.parse().ok());
    for field in [&mut asked.subset, &mut asked.principal] {
        if let Some(it) = line() {
            *field = it.into();
        }
    }
    let headers = lines.filter_map(|it| it.split_once(':'));
    asked.headers = headers
        .map(|(name, value)| (name.to_ascii_lowercase().into(), value.trim().into()))
        .collect();
    asked
}
