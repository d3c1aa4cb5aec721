//! What the two ends of a connection agree on, and whether the called side lets a request in: the mesh model's word, kept until the
//! policies change.

use super::{
    demand::{Shape, Token},
    peers::{Class, Peers, Proxied},
};
use naru_domain::{
    Name, fact,
    mesh::{
        Mesh, authz, host,
        mtls::{self, Sends},
        protocol::{self, Reads},
        route::ChosenDestination,
    },
    traffic,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Whether two ends agree on how they talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shake {
    /// They do, by mutual TLS or in plaintext.
    Works(bool),
    /// The called side closes the connection that it has taken: it wants TLS.
    Closed,
    /// The caller's TLS finds no TLS on the other side.
    Failed,
}

/// What the called side's proxy answers before its workload does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    /// 401: its token is not taken.
    Unauthenticated,
    /// 403.
    Denied,
}

/// A word of the model's, and whether it was one.
pub(super) type Judged<T> = (T, bool);

/// The ends of a connection: classes of caller and called, destination, and the called pod's port.
pub(super) type Ends = (u32, u32, u32, u16);

/// A request at a called pod: classes of caller and called, the pod's port, target, shape, and whether mutual TLS carries it.
pub(super) type Entering = (u32, u32, u16, u32, u32, bool);

/// What was asked so far, under the policies of one time.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) shakes: BTreeMap<Ends, Judged<Shake>>,
    pub(super) verdicts: BTreeMap<Entering, Judged<Verdict>>,
}

/// A request as it arrives: after what the caller's proxy has rewritten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arriving<'a> {
    pub(super) protocol: traffic::Protocol,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) shape: &'a Shape,
}

fn server(class: &Class, port: u16) -> mtls::Server {
    mtls::Server {
        pod: naru_domain::mesh::Proxy::sidecar(class.workload.0.clone(), class.labels.clone()),
        meshed: match class.proxied {
            Proxied::Sidecar | Proxied::Gateway => fact::Proxy::Sidecar,
            Proxied::Ambient => fact::Proxy::Ambient,
            Proxied::None => fact::Proxy::None,
        },
        port: Some(port),
    }
}

/// Asks the model about two ends. What it does not judge works, by mutual TLS where both have a proxy.
pub(super) fn shake(
    mesh: &Mesh<'_>,
    peers: &Peers,
    (from, to, at): (u32, u32, u16),
    destination: &ChosenDestination,
) -> Judged<Shake> {
    let (from, to) = (&peers.classes[from as usize], &peers.classes[to as usize]);
    let client = from.proxied.meshed().then(|| from.proxy());
    let told = mtls::mode(mesh, client.as_ref(), destination, &server(to, at));
    match told.outcome {
        mtls::Outcome::Works { mutual } => (Shake::Works(mutual), true),
        mtls::Outcome::Refused { .. } => {
            let plain = told.sent.is_none_or(|it| it.sends == Sends::Plaintext);
            (if plain { Shake::Closed } else { Shake::Failed }, true)
        }
        mtls::Outcome::Unknown(_) => (Shake::Works(from.proxied.meshed() && to.proxied.meshed()), false),
    }
}

/// Asks the model whether a pod's proxy lets a request in; `from` is None for someone outside. What it does not judge is let in.
pub(super) fn verdict(
    mesh: &Mesh<'_>,
    from: Option<&Class>,
    to: &Class,
    port: u16,
    mutual: bool,
    it: Arriving<'_>,
    destination: Option<&ChosenDestination>,
) -> Judged<Verdict> {
    let http = it.protocol != traffic::Protocol::Tcp && destination.is_none_or(|to| reads_http(mesh, to));
    let base = if http {
        authz::Request::get(it.host, port)
    } else {
        authz::Request::tcp(port)
    };
    let base = authz::Request {
        mtls: mutual,
        principal: from
            .filter(|_| mutual)
            .map_or_else(|| "".into(), |it| it.principal.clone()),
        namespace: from.map_or_else(|| "".into(), |it| it.workload.0.clone()),
        source_ip: from.and_then(|it| it.ip),
        destination_ip: to.ip,
        ..base
    };
    let base = if http {
        authz::Request {
            method: it.shape.method.clone(),
            path: it.path.into(),
            headers: it.shape.headers.clone(),
            ..base
        }
    } else {
        base
    };
    let ask = |claims: Value| {
        authz::decide(
            mesh,
            &to.proxy(),
            &authz::Request {
                claims,
                ..base.clone()
            },
        )
    };
    let decision = match &it.shape.token {
        Token::None => ask(Value::Null),
        Token::Valid {
            issuer,
            subject,
            claims,
        } => {
            let mut all = claims.as_object().cloned().unwrap_or_default();
            all.insert("iss".into(), Value::from(&**issuer));
            all.insert("sub".into(), Value::from(&**subject));
            ask(all.into())
        }
        Token::Expired => {
            // One that is over is refused like one of nobody's: by whoever looks at tokens at all.
            let nobodys = ask(json!({"iss": "urn:nobody"}));
            if matches!(nobodys.kind, authz::Kind::TokenIssuer { .. }) {
                nobodys
            } else {
                ask(Value::Null)
            }
        }
    };
    match (decision.verdict, decision.kind) {
        (authz::Verdict::Allow, _) => (Verdict::Allowed, true),
        (authz::Verdict::Deny, authz::Kind::TokenIssuer { .. }) => (Verdict::Unauthenticated, true),
        (authz::Verdict::Deny, _) => (Verdict::Denied, true),
        (authz::Verdict::Unknown(_), _) => (Verdict::Allowed, false),
    }
}

/// Whether the called side reads HTTP at the port: on one that is declared otherwise, policies see bytes, whatever is sent.
fn reads_http(mesh: &Mesh<'_>, to: &ChosenDestination) -> bool {
    let service = host::service_of(&to.host).and_then(|it| mesh.objects.service(&it.namespace, &it.name));
    let declared = service.and_then(|it| protocol::of_service(it, to.port));
    declared.is_none_or(|(declared, _)| declared.protocol.reads() != Reads::No)
}

/// A Host header as clients write it.
pub(super) fn host_header(host: &str, port: u16, usual: u16) -> Name {
    if port == usual {
        host.into()
    } else {
        format!("{host}:{port}").into()
    }
}
