//! A Gateway's servers as they are written.

use crate::{Name, object::Object};
use serde_json::Value;

/// What a server speaks, as far as it decides what is built for it. (`pkg/config/protocol` in istio.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Speaks {
    /// HTTP, HTTP2, GRPC, GRPC-Web, HTTP_PROXY: all are merged on one port.
    Http,
    /// HTTPS: read if the gateway terminates TLS, passed on if not.
    Https,
    /// TLS, of other bytes.
    Tls,
    /// TCP, MONGO and whatever else: bytes.
    Tcp,
}

/// `tls.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is called as Istio calls it")]
pub enum Mode {
    /// Also what an absent mode means.
    Passthrough,
    Simple,
    Mutual,
    AutoPassthrough,
    IstioMutual,
    OptionalMutual,
}

/// `tls` of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// How.
    pub mode: Mode,
    /// Plain requests are answered with a redirect to https.
    pub https_redirect: bool,
    /// `credentialName` and `credentialNames`: Secrets in the namespace of the gateway's pods, not of the Gateway object.
    pub credentials: Vec<Name>,
}

/// One entry of `spec.servers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its position.
    pub index: u32,
    /// `port.number`.
    pub port: u16,
    /// `port.name`.
    pub port_name: Name,
    /// `port.protocol`, as written.
    pub protocol: Name,
    /// What that comes to.
    pub speaks: Speaks,
    /// `hosts`: `./host` with the Gateway's namespace, `*/host` without.
    pub hosts: Vec<Name>,
    /// `bind`; empty for all addresses.
    pub bind: Name,
    /// `tls`.
    pub tls: Option<Tls>,
}

impl Server {
    /// TLS goes through unread.
    pub fn passes_through(&self) -> bool {
        let mode = self.tls.as_ref().map(|tls| tls.mode);
        matches!(mode, Some(Mode::Passthrough | Mode::AutoPassthrough))
    }

    /// Its requests are read as HTTP: it is plain HTTP, or HTTPS that is terminated. (`IsHTTPServer` in istio's `pkg/config/gateway`.)
    pub fn reads_http(&self) -> bool {
        match self.speaks {
            Speaks::Http => true,
            Speaks::Https => !self.passes_through(),
            Speaks::Tls | Speaks::Tcp => false,
        }
    }

    /// It is told apart by SNI. HTTP with `tls` is not: there it only redirects. (`IsTLSServer` there.)
    pub fn by_sni(&self) -> bool {
        self.tls.is_some() && self.speaks != Speaks::Http
    }

    /// Plain requests are redirected to https.
    pub fn redirects(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.https_redirect)
    }

    /// Names of the handshake that its filter chain takes, without namespaces; `*` takes all. Empty without TLS.
    pub fn sni(&self) -> Vec<Name> {
        if self.tls.is_none() {
            return Vec::new();
        }
        let bare = |host: &Name| {
            host.split_once('/')
                .map_or_else(|| host.clone(), |(_, name)| name.into())
        };
        self.hosts.iter().map(bare).collect()
    }
}

/// The servers of a Gateway. Entries without a port are passed over, as Istio does.
pub fn servers(gateway: &Object) -> Vec<Server> {
    let entries = gateway.list("/spec/servers").iter().enumerate();
    entries
        .filter_map(|(index, entry)| read(u32::try_from(index).ok()?, entry, &gateway.key().namespace))
        .collect()
}

fn read(index: u32, entry: &Value, namespace: &str) -> Option<Server> {
    let text = |pointer: &str| -> Name {
        entry
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("")
            .into()
    };
    let port = u16::try_from(entry.pointer("/port/number")?.as_u64()?).ok()?;
    let protocol = text("/port/protocol");
    let speaks = match protocol.to_ascii_lowercase().as_str() {
        "http" | "http2" | "grpc" | "grpc-web" | "http_proxy" => Speaks::Http,
        "https" => Speaks::Https,
        "tls" => Speaks::Tls,
        _ => Speaks::Tcp,
    };
    Some(Server {
        index,
        port,
        port_name: text("/port/name"),
        protocol,
        speaks,
        hosts: hosts(&strings(entry.get("hosts")), namespace),
        bind: text("/bind"),
        tls: entry.get("tls").filter(|tls| tls.is_object()).map(tls),
    })
}

/// Namespaces before the slash made plain. (`sanitizeServerHostNamespace` in istio's `pilot/pkg/model`.)
fn hosts(written: &[Name], namespace: &str) -> Vec<Name> {
    if written.iter().any(|host| &**host == "*/*") {
        return vec!["*".into()];
    }
    let plain = written.iter().map(|host| match host.split_once('/') {
        Some((".", name)) => format!("{namespace}/{name}").into(),
        Some(("*", name)) => name.into(),
        _ => host.clone(),
    });
    plain.collect()
}

fn tls(tls: &Value) -> Tls {
    let text = |name: &str| tls.get(name).and_then(Value::as_str).unwrap_or("");
    let mode = match text("mode") {
        "SIMPLE" => Mode::Simple,
        "MUTUAL" => Mode::Mutual,
        "AUTO_PASSTHROUGH" => Mode::AutoPassthrough,
        "ISTIO_MUTUAL" => Mode::IstioMutual,
        "OPTIONAL_MUTUAL" => Mode::OptionalMutual,
        _ => Mode::Passthrough,
    };
    let mut credentials = strings(tls.get("credentialNames"));
    if credentials.is_empty() && !text("credentialName").is_empty() {
        credentials.push(text("credentialName").into());
    }
    Tls {
        mode,
        https_redirect: tls.get("httpsRedirect").and_then(Value::as_bool) == Some(true),
        credentials,
    }
}

fn strings(list: Option<&Value>) -> Vec<Name> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(Name::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Mode, Server, Speaks, servers};
    use crate::object::{Kind, Object};
    use serde_json::{Value, json};

    fn one(server: &Value) -> Server {
        let json = json!({"metadata": {"name": "g", "namespace": "n"}, "spec": {"servers": [server]}});
        servers(&Object::new(Kind::Gateway, json).unwrap()).remove(0)
    }

    #[test]
    fn protocols_are_read_without_regard_to_case() {
        for (written, speaks) in [
            ("HTTP", Speaks::Http),
            ("http2", Speaks::Http),
            ("GRPC", Speaks::Http),
            ("GRPC-Web", Speaks::Http),
            ("HTTPS", Speaks::Https),
            ("TLS", Speaks::Tls),
            ("TCP", Speaks::Tcp),
            ("MONGO", Speaks::Tcp),
            ("x", Speaks::Tcp),
        ] {
            assert_eq!(
                one(&json!({"port": {"number": 80, "protocol": written}})).speaks,
                speaks,
                "{written}"
            );
        }
    }

    #[test]
    fn tls_without_a_mode_passes_through() {
        let mode = |mode: Value| {
            one(&json!({"port": {"number": 443, "protocol": "HTTPS"}, "tls": mode}))
                .tls
                .unwrap()
                .mode
        };
        assert_eq!(mode(json!({"credentialName": "c"})), Mode::Passthrough);
        assert_eq!(mode(json!({"mode": "SIMPLE"})), Mode::Simple);
        assert_eq!(mode(json!({"mode": "MUTUAL"})), Mode::Mutual);
        assert_eq!(mode(json!({"mode": "ISTIO_MUTUAL"})), Mode::IstioMutual);
        assert_eq!(mode(json!({"mode": "OPTIONAL_MUTUAL"})), Mode::OptionalMutual);
        assert_eq!(mode(json!({"mode": "AUTO_PASSTHROUGH"})), Mode::AutoPassthrough);
    }

    #[test]
    fn https_is_read_only_if_it_is_terminated() {
        let server =
            |mode: &str| one(&json!({"port": {"number": 443, "protocol": "HTTPS"}, "tls": {"mode": mode}}));
        assert!(server("SIMPLE").reads_http() && server("SIMPLE").by_sni());
        assert!(!server("PASSTHROUGH").reads_http() && server("PASSTHROUGH").by_sni());
        let redirect =
            one(&json!({"port": {"number": 80, "protocol": "HTTP"}, "tls": {"httpsRedirect": true}}));
        assert!(redirect.reads_http() && !redirect.by_sni() && redirect.redirects());
    }

    #[test]
    fn hosts_lose_dots_and_stars_before_the_slash() {
        let server = one(&json!({"port": {"number": 1}, "hosts": ["./a", "*/b", "m/c", "d"], "tls": {}}));
        assert_eq!(server.hosts, ["n/a".into(), "b".into(), "m/c".into(), "d".into()]);
        assert_eq!(server.sni(), ["a".into(), "b".into(), "c".into(), "d".into()]);
        assert_eq!(
            one(&json!({"port": {"number": 1}, "hosts": ["a", "*/*"]})).hosts,
            ["*".into()]
        );
    }

    #[test]
    fn nonsense_is_no_server() {
        let json = json!({"metadata": {"name": "g", "namespace": "n"}, "spec": {"servers": [null, 3, {}, {"port": {"number": 70000}}]}});
        assert!(servers(&Object::new(Kind::Gateway, json).unwrap()).is_empty());
    }
}
