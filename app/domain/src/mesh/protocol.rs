//! What Istio takes a service's port for, and so whether a proxy reads HTTP there.

use super::Decider;
use crate::{
    Name,
    fact::{Service, ServicePort},
    object::{Key, Kind},
};

/// A port's protocol as Istio knows it (Istio documentation, "Protocol Selection").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// HTTP/2 in the open.
    Http2,
    /// `http_proxy`.
    HttpProxy,
    /// gRPC, which is HTTP/2.
    Grpc,
    /// gRPC-Web.
    GrpcWeb,
    /// HTTP inside the workload's own TLS: bytes with a server name.
    Https,
    /// Other bytes inside the workload's own TLS.
    Tls,
    /// Bytes.
    Tcp,
    /// MongoDB; bytes to a proxy.
    Mongo,
    /// Redis; bytes to a proxy.
    Redis,
    /// MySQL; bytes to a proxy.
    MySql,
    /// Not carried by proxies at all.
    Udp,
    /// Nothing says it: the proxy looks at the first bytes of each connection.
    Auto,
}

/// What decided the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The port's `protocol`: it is no TCP.
    Transport,
    /// `appProtocol`.
    AppProtocol,
    /// The port's name, up to its first dash.
    Name,
    /// The port's number: the server speaks first there, so that looking at the first bytes would wait for ever.
    Number,
    /// Nothing.
    Nothing,
}

/// A protocol with what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Declared {
    /// The protocol.
    pub protocol: Protocol,
    /// What decided it.
    pub by: By,
}

/// Whether a proxy reads HTTP: only then do routes, retries, HTTP metrics and rules about paths and methods exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reads {
    /// Always: other bytes fail.
    Http,
    /// On connections whose first bytes look like HTTP.
    Sniffed,
    /// Never.
    No,
}

/// SMTP, DNS, MySQL and MongoDB: never sniffed.
const SERVER_FIRST: [u16; 4] = [25, 53, 3306, 27017];

/// The protocol of a service's port: UDP by its transport; else `appProtocol` alone if it is set, even to a word that Istio does not
/// know; else its name; a number of a protocol in which the server speaks first is TCP where those say nothing.
/// (`ConvertProtocol` in istio's `pkg/config/kube`.)
pub fn of(port: &ServicePort) -> Declared {
    if &*port.protocol == "UDP" {
        return Declared {
            protocol: Protocol::Udp,
            by: By::Transport,
        };
    }
    let (word, by) = match &port.app_protocol {
        Some(app) => (&**app, By::AppProtocol),
        None => (&*port.name, By::Name),
    };
    let kubernetes = match word {
        "kubernetes.io/h2c" => Some(Protocol::Http2),
        "kubernetes.io/ws" => Some(Protocol::Http),
        "kubernetes.io/wss" => Some(Protocol::Https),
        _ => None,
    };
    match kubernetes
        .filter(|_| by == By::AppProtocol)
        .or_else(|| named(word))
    {
        Some(protocol) => Declared { protocol, by },
        None if SERVER_FIRST.contains(&port.port) => Declared {
            protocol: Protocol::Tcp,
            by: By::Number,
        },
        None => Declared {
            protocol: Protocol::Auto,
            by: By::Nothing,
        },
    }
}

/// `http-api` is `http`; `grpc-web` has a dash of its own, and whatever follows it does not count. Case does not matter.
pub(super) fn named(word: &str) -> Option<Protocol> {
    const GRPC_WEB: &str = "grpc-web";
    if word
        .get(..GRPC_WEB.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(GRPC_WEB))
    {
        return Some(Protocol::GrpcWeb);
    }
    let prefix = word.split_once('-').map_or(word, |(prefix, _)| prefix);
    Some(match prefix.to_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "grpc" => Protocol::Grpc,
        "http" => Protocol::Http,
        "http_proxy" => Protocol::HttpProxy,
        "http2" => Protocol::Http2,
        "https" => Protocol::Https,
        "tls" => Protocol::Tls,
        "mongo" => Protocol::Mongo,
        "redis" => Protocol::Redis,
        "mysql" => Protocol::MySql,
        _ => return None,
    })
}

/// The protocol of the service's port with this number, and the field that decided; None for a port that the service does not have.
/// Where nothing decided, the field is the port as a whole.
pub fn of_service(service: &Service, port: u16) -> Option<(Declared, Decider)> {
    let index = service.ports.iter().position(|it| it.port == port)?;
    let declared = of(service.ports.get(index)?);
    let decider = Decider {
        key: Key::new(Kind::Service, service.namespace.clone(), service.name.clone()),
        path: declared.by.path(index),
    };
    Some((declared, decider))
}

impl By {
    /// JSON pointer of the field in the service whose port with this index was asked about.
    pub fn path(self, index: usize) -> Name {
        let field = match self {
            Self::Transport => "/protocol",
            Self::AppProtocol => "/appProtocol",
            Self::Name => "/name",
            Self::Number => "/port",
            Self::Nothing => "",
        };
        format!("/spec/ports/{index}{field}").into()
    }
}

impl Protocol {
    /// Whether proxies, the caller's and the called side's, read HTTP on such a port. (`ModelProtocolToListenerProtocol` in istio's
    /// `pilot/pkg/networking`.)
    pub fn reads(self) -> Reads {
        match self {
            Self::Http | Self::Http2 | Self::HttpProxy | Self::Grpc | Self::GrpcWeb => Reads::Http,
            Self::Auto => Reads::Sniffed,
            Self::Https | Self::Tls | Self::Tcp | Self::Mongo | Self::Redis | Self::MySql | Self::Udp => {
                Reads::No
            }
        }
    }

    /// Whether what is spoken is HTTP/2 by declaration.
    pub fn http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Grpc | Self::GrpcWeb)
    }
}

#[cfg(test)]
mod tests {
    use super::{By, Declared, Protocol, Reads, of, of_service};
    use crate::{fact::Fact, object::Kind};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn service(ports: &Value) -> std::sync::Arc<crate::fact::Service> {
        let json = json!({"metadata": {"name": "s", "namespace": "n"}, "spec": {"ports": ports}});
        match Fact::read(Kind::Service, json).unwrap() {
            Fact::Service(service) => service,
            other => panic!("{other:?}"),
        }
    }

    fn declared(port: &Value) -> (Protocol, By) {
        let Declared { protocol, by } = of(&service(&json!([port])).ports[0]);
        (protocol, by)
    }

    #[test]
    fn the_name_up_to_its_dash_says_the_protocol() {
        for (name, protocol) in [
            ("http", Protocol::Http),
            ("HTTP", Protocol::Http),
            ("Http-Api", Protocol::Http),
            ("http2", Protocol::Http2),
            ("http2-x-y", Protocol::Http2),
            ("http_proxy", Protocol::HttpProxy),
            ("grpc", Protocol::Grpc),
            ("grpc-api", Protocol::Grpc),
            ("grpc-web", Protocol::GrpcWeb),
            ("gRPC-Web-x", Protocol::GrpcWeb),
            ("grpc-webby", Protocol::GrpcWeb),
            ("https", Protocol::Https),
            ("tls-db", Protocol::Tls),
            ("tcp", Protocol::Tcp),
            ("mongo", Protocol::Mongo),
            ("redis-0", Protocol::Redis),
            ("mysql", Protocol::MySql),
            ("udp-x", Protocol::Udp),
        ] {
            let port = json!({"name": name, "port": 8080});
            assert_eq!(declared(&port), (protocol, By::Name), "{name}");
        }
    }

    #[test]
    fn a_name_that_says_nothing_is_sniffed() {
        for name in [
            "",
            "web",
            "httpapi",
            "http.api",
            "web-http",
            "-http",
            "grpcweb",
            "api-grpc-web",
            "한글",
        ] {
            let port = json!({"name": name, "port": 8080});
            assert_eq!(declared(&port), (Protocol::Auto, By::Nothing), "{name}");
        }
    }

    #[test]
    fn the_app_protocol_goes_before_the_name_even_if_it_is_unknown() {
        for (app, expected) in [
            ("http", (Protocol::Http, By::AppProtocol)),
            ("kubernetes.io/h2c", (Protocol::Http2, By::AppProtocol)),
            ("kubernetes.io/ws", (Protocol::Http, By::AppProtocol)),
            ("kubernetes.io/wss", (Protocol::Https, By::AppProtocol)),
            ("kubernetes.io/H2C", (Protocol::Auto, By::Nothing)),
            ("grpc-web", (Protocol::GrpcWeb, By::AppProtocol)),
            ("redis-cluster", (Protocol::Redis, By::AppProtocol)),
            ("amqp", (Protocol::Auto, By::Nothing)),
            ("", (Protocol::Auto, By::Nothing)),
        ] {
            let port = json!({"name": "tcp-x", "port": 8080, "appProtocol": app});
            assert_eq!(declared(&port), expected, "{app}");
        }
    }

    #[test]
    fn kubernetes_own_words_mean_nothing_in_a_name() {
        let port = json!({"name": "kubernetes.io/h2c", "port": 80});
        assert_eq!(declared(&port), (Protocol::Auto, By::Nothing));
    }

    #[test]
    fn a_server_that_speaks_first_is_never_sniffed_unless_the_port_says_more() {
        for number in [25, 53, 3306, 27017] {
            let port = json!({"name": "x", "port": number});
            assert_eq!(declared(&port), (Protocol::Tcp, By::Number), "{number}");
        }
        for number in [24, 26, 54, 80, 3307, 5432, 6379, 27018] {
            let port = json!({"name": "x", "port": number});
            assert_eq!(declared(&port), (Protocol::Auto, By::Nothing), "{number}");
        }
        let named = json!({"name": "http", "port": 3306});
        assert_eq!(declared(&named), (Protocol::Http, By::Name));
        let target = json!({"port": 80, "targetPort": 3306});
        assert_eq!(declared(&target), (Protocol::Auto, By::Nothing));
    }

    #[test]
    fn udp_goes_before_everything_and_other_transports_do_not() {
        let udp = json!({"name": "http", "port": 80, "protocol": "UDP", "appProtocol": "http"});
        assert_eq!(declared(&udp), (Protocol::Udp, By::Transport));
        let sctp = json!({"name": "http", "port": 80, "protocol": "SCTP"});
        assert_eq!(declared(&sctp), (Protocol::Http, By::Name));
    }

    #[test]
    fn a_proxy_reads_http_where_it_is_declared_or_seen() {
        use Protocol::{
            Auto, Grpc, GrpcWeb, Http, Http2, HttpProxy, Https, Mongo, MySql, Redis, Tcp, Tls, Udp,
        };
        for protocol in [Http, Http2, HttpProxy, Grpc, GrpcWeb] {
            assert_eq!(protocol.reads(), Reads::Http, "{protocol:?}");
        }
        assert_eq!(Auto.reads(), Reads::Sniffed);
        for protocol in [Https, Tls, Tcp, Mongo, Redis, MySql, Udp] {
            assert_eq!(protocol.reads(), Reads::No, "{protocol:?}");
        }
        for protocol in [Http2, Grpc, GrpcWeb] {
            assert!(protocol.http2(), "{protocol:?}");
        }
        for protocol in [Http, HttpProxy, Https, Tcp, Auto] {
            assert!(!protocol.http2(), "{protocol:?}");
        }
    }

    #[test]
    fn the_field_that_decided_is_named() {
        let service = service(&json!([
            {"name": "http", "port": 80},
            {"name": "x", "port": 81, "appProtocol": "tcp"},
            {"name": "x2", "port": 25},
            {"name": "x3", "port": 83},
            {"name": "x4", "port": 84, "protocol": "UDP"}]));
        for (port, path) in [
            (80, "/spec/ports/0/name"),
            (81, "/spec/ports/1/appProtocol"),
            (25, "/spec/ports/2/port"),
            (83, "/spec/ports/3"),
            (84, "/spec/ports/4/protocol"),
        ] {
            let (_, decider) = of_service(&service, port).unwrap();
            assert_eq!(&*decider.path, path);
            assert_eq!(
                (&*decider.key.namespace, &*decider.key.name, decider.key.kind),
                ("n", "s", Kind::Service)
            );
        }
        assert_eq!(of_service(&service, 8080), None);
    }

    proptest! {
        #[test]
        fn whatever_follows_the_dash_changes_nothing(tail in "\\PC{0,12}") {
            let port = json!({"name": format!("http-{tail}"), "port": 8080});
            prop_assert_eq!(declared(&port), (Protocol::Http, By::Name));
        }
    }
}
