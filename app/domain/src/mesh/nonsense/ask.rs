//! Every question that the model has an answer to, one after the other.

use crate::{
    Name,
    fact::Labels,
    mesh::{
        Mesh, Proxy, authz,
        explain::{self, ask, explain},
        gateway, gateway_api, host, injection, mtls, protocol,
        route::{self, ChosenDestination, Protocol, Request},
        subset,
        unjudged::{self, Side},
    },
    object::{Key, Kind},
    snapshot::Objects,
    workload::WorkloadId,
};
use std::{collections::BTreeMap, net::IpAddr};

/// What the questions are about. Whose proxies answer is fixed: the sidecar of `shop/web` and the gateway `shop/edge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The Host header, and as a destination's host a name in a rule.
    pub host: Name,
    /// Where the connection goes, if not where the host's name leads.
    pub address: Option<IpAddr>,
    /// What the caller speaks. None: everything, and at the ports of [`sound`](super::sound) as well.
    pub protocol: Option<Protocol>,
    /// The service's port.
    pub port: u16,
    /// The server name of the handshake.
    pub sni: Name,
    /// The method.
    pub method: Name,
    /// With its query.
    pub path: Name,
    /// Names in lower case.
    pub headers: BTreeMap<Name, Name>,
    /// A subset's name.
    pub subset: Name,
    /// A caller's identity.
    pub principal: Name,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            host: "web.shop".into(),
            address: None,
            protocol: None,
            port: 80,
            sni: "web.shop.svc.cluster.local".into(),
            method: "GET".into(),
            path: "/a?b=1".into(),
            headers: BTreeMap::new(),
            subset: "a".into(),
            principal: "cluster.local/ns/shop/sa/web".into(),
        }
    }
}

impl Asked {
    fn request(&self, protocol: Protocol, port: u16) -> Request {
        Request {
            protocol,
            address: self.address,
            sni: self.sni.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            headers: self.headers.clone(),
            ..Request::get(&self.host, port)
        }
    }

    /// The same as it arrives at the called side.
    fn arriving(&self) -> authz::Request {
        authz::Request {
            source_ip: self.address,
            remote_ip: self.address,
            destination_ip: self.address,
            sni: self.sni.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            headers: self.headers.clone(),
            request_principal: self.principal.clone(),
            ..authz::Request::get(&self.host, self.port)
        }
        .from(&self.principal)
    }
}

/// Asks all that can be asked of these objects. The answers are thrown away: what counts is that there are some.
pub fn ask_everything(objects: &Objects, asked: &Asked) {
    let mesh = Mesh::of(objects);
    let labels = |app: &str| -> Labels { [("app".into(), app.into()), ("istio".into(), app.into())].into() };
    let (sidecar, edge) = (
        Proxy::sidecar("shop", labels("web")),
        Proxy::gateway("shop", labels("edge")),
    );
    routes(&mesh, &sidecar, &edge, asked);
    destinations(&mesh, &sidecar, asked);
    admissions(&mesh, &sidecar, &edge, asked);
    injections(&mesh);
    urls(objects, asked);
}

fn routes(mesh: &Mesh<'_>, sidecar: &Proxy, edge: &Proxy, asked: &Asked) {
    let all = [Protocol::Http, Protocol::Https, Protocol::Tls, Protocol::Tcp];
    let questions = match asked.protocol {
        Some(protocol) => vec![(protocol, asked.port)],
        None => all
            .into_iter()
            .flat_map(|it| [(it, 80), (it, 90), (it, 91)])
            .collect(),
    };
    for (protocol, port) in questions {
        let request = asked.request(protocol, port);
        let _ = route::choose(mesh, sidecar, &request);
        let _ = route::choose(mesh, edge, &request);
        let _ = explain(mesh, &("shop".into(), "web".into()), &request);
    }
    for object in mesh.objects.of_kind(Kind::VirtualService) {
        let _ = (route::unreachable(object), gateway_api::origin(object, 0));
    }
    for kind in [Kind::Gateway, Kind::GatewayApiGateway] {
        for object in mesh.objects.of_kind(kind) {
            let _ = gateway::serves(mesh, object);
        }
    }
    let _ = gateway_api::at_gateways(mesh.objects);
    let _ = gateway_api::virtual_services(mesh.objects);
    for side in [Side::Outbound, Side::Inbound] {
        let _ = unjudged::touching(mesh, sidecar, side);
    }
}

fn destinations(mesh: &Mesh<'_>, sidecar: &Proxy, asked: &Asked) {
    let _ = host::resolve(mesh.objects, &asked.host, "shop");
    for service in mesh.objects.services.values() {
        for port in service.ports.iter().map(|it| it.port) {
            let _ = protocol::of_service(service, port);
        }
    }
    for host in ["web.shop.svc.cluster.local", &*asked.host] {
        let to = ChosenDestination {
            host: host.into(),
            subset: asked.subset.clone(),
            port: asked.port,
        };
        let _ = (
            subset::policy(mesh, sidecar, &to),
            subset::reach(mesh, sidecar, &to),
            mtls::modes(mesh, sidecar, &to),
            mtls::mode(mesh, None, &to, &mtls::Server::plain(sidecar, asked.port)),
        );
    }
}

fn admissions(mesh: &Mesh<'_>, sidecar: &Proxy, edge: &Proxy, asked: &Asked) {
    let _ = (
        mtls::server_mode(mesh, sidecar, 8080),
        authz::decide(mesh, sidecar, &asked.arriving()),
        authz::decide(mesh, edge, &authz::Request::tcp(asked.port)),
        authz::policies(mesh, sidecar),
    );
    for protocol in [authz::Protocol::Http, authz::Protocol::Tcp] {
        let _ = authz::dropped(mesh, sidecar, protocol);
    }
}

fn injections(mesh: &Mesh<'_>) {
    let namespace = mesh
        .objects
        .namespaces
        .get(&Key::new(Kind::Namespace, "", "shop"));
    for template in injection::templates(mesh.objects) {
        let _ = namespace.map(|it| {
            (
                injection::will_inject(mesh, it, &template),
                injection::traps(it, &template),
            )
        });
        let _ = injection::admitted(mesh, &template.owner);
    }
    let _ = injection::drift(mesh, &("shop".into(), "web".into()));
}

fn urls(objects: &Objects, asked: &Asked) {
    let web: WorkloadId = ("shop".into(), "web".into());
    let _ = (
        ask::url_of(objects, &web),
        ask::url_at_gateway(objects, &web, |_| true),
        explain::ask::place(&asked.host),
    );
    let url = format!("http://{}:{}{}", asked.host, asked.port, asked.path);
    let headers = asked.headers.iter().map(|(name, value)| (&**name, &**value));
    let _ = ask::request(&asked.method, &url, headers);
}
