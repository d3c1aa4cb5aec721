//! Gateways of the Gateway API as Gateways of Istio's own: one for each listener. (`GatewayCollection` and `buildListener` in istio's
//! `pilot/pkg/config/kube/gateway`.)

use super::{
    GROUP, SECRET, grant,
    rule::{list, text},
};
use crate::{
    Name,
    mesh::{DOMAIN, gateway::names},
    object::{Key, Kind, Object},
    snapshot::Objects,
    workload::selects,
};
use serde_json::{Value, json};

mod allowed;

/// The class whose Gateways istiod serves. Other classes may be its own too, which only a GatewayClass object says.
pub const CLASS: &str = "istio";

/// A listener, as routes are attached to it.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    /// Its Gateway.
    pub(super) gateway: Key,
    /// The Gateway that is made of it, as `namespace/name`.
    pub(super) name: Name,
    /// `name`, which a route's `sectionName` names.
    pub(super) section: Name,
    pub(super) port: u16,
    pub(super) protocol: Name,
    /// `hostname`; empty for all.
    pub(super) host: Name,
    /// The same with the namespaces before it whose routes it takes; `~` for none.
    hosts: Vec<Name>,
    /// HTTPRoutes are among its kinds.
    http_routes: bool,
}

impl Listener {
    /// Whether it takes routes of a namespace for one of these hosts.
    pub(super) fn takes(&self, namespace: &str, hosts: &[Name]) -> bool {
        let ours = names::for_namespace(&self.hosts, namespace);
        let common = |our: &Name| hosts.iter().any(|host| names::overlap(our, host));
        self.http_routes && ours.iter().any(common)
    }
}

/// A Gateway, and where it is served.
#[derive(Clone, Debug)]
pub struct Front {
    /// The Gateway, as written.
    pub gateway: Object,
    /// Full names of the Services whose pods serve it: the one that istiod deploys, or those of `spec.addresses`.
    pub services: Vec<Name>,
    /// istiod deploys it.
    pub managed: bool,
    /// Its class is judged, and nothing is attached to it that is not seen.
    pub judged: bool,
    /// One Gateway of Istio's for each listener that stands.
    pub gateways: Vec<Object>,
    pub(super) listeners: Vec<Listener>,
}

impl Front {
    /// Whether a proxy of this namespace and with these labels serves it: one of its Services, in its own namespace, selects it.
    pub fn serves(&self, objects: &Objects, namespace: &str, labels: &crate::fact::Labels) -> bool {
        let own = &self.gateway.key().namespace;
        let found = self
            .services
            .iter()
            .filter_map(|it| crate::mesh::host::service_of(it));
        namespace == &**own
            && found
                .filter(|it| it.namespace == *own)
                .filter_map(|it| objects.service(&it.namespace, &it.name))
                .any(|it| !it.selector.is_empty() && selects(&it.selector, labels))
    }
}

/// The Gateway and the position in its `spec.listeners` that a translated Gateway is made of, and whether its certificates may be used.
pub fn listener_of(gateway: &Object) -> Option<(Key, u32, bool)> {
    let of = gateway.get("/origin")?;
    let key = Key::new(
        Kind::GatewayApiGateway,
        text(of, "/namespace")?,
        text(of, "/name")?,
    );
    let index = u32::try_from(of.get("listener")?.as_u64()?).ok()?;
    Some((key, index, of.get("certificates") != Some(&Value::Bool(false))))
}

/// The Gateways, turned where they are of Istio's class.
pub fn fronts(objects: &Objects) -> Vec<Front> {
    objects
        .of_kind(Kind::GatewayApiGateway)
        .map(|it| front(objects, it))
        .collect()
}

fn front(objects: &Objects, gateway: &Object) -> Front {
    let class = gateway.text("/spec/gatewayClassName");
    let managed = managed(gateway);
    let services = services(gateway, managed, class);
    // ListenerSets are not seen; without leave there are none.
    let sets = gateway.text("/spec/allowedListeners/namespaces/from");
    let mut front = Front {
        gateway: gateway.clone(),
        managed,
        judged: class == CLASS && matches!(sets, "" | "None"),
        gateways: Vec::new(),
        listeners: Vec::new(),
        services,
    };
    if class != CLASS || front.services.is_empty() {
        return front;
    }
    let mut standing: Vec<&Value> = Vec::new();
    for (index, listener) in gateway.list("/spec/listeners").iter().enumerate() {
        if standing.iter().any(|it| !distinct(it, listener)) {
            continue;
        }
        standing.push(listener);
        if let Some((made, listener)) = made(objects, gateway, index, listener, &front.services, managed) {
            front.gateways.push(made);
            front.listeners.push(listener);
        }
    }
    front
}

/// istiod deploys it unless an address names a Service instead. (`IsManaged` in istio's `pilot/pkg/config/kube/gatewaycommon`.)
fn managed(gateway: &Object) -> bool {
    match gateway.list("/spec/addresses") {
        [] => true,
        [one] => text(one, "/type").is_none_or(|it| it == "IPAddress"),
        _ => false,
    }
}

/// (`extractGatewayServices` there.)
fn services(gateway: &Object, managed: bool, class: &str) -> Vec<Name> {
    let key = gateway.key();
    let full = |name: &str| -> Name { format!("{name}.{}.svc.{DOMAIN}", key.namespace).into() };
    if managed {
        let default = format!("{}-{class}", key.name);
        let name = gateway.annotation("gateway.istio.io/name-override");
        return vec![full(name.filter(|it| !it.is_empty()).unwrap_or(&default))];
    }
    let addresses = gateway.list("/spec/addresses").iter();
    addresses
        .filter(|it| text(it, "/type").is_none_or(|it| it == "Hostname"))
        .filter_map(|it| text(it, "/value"))
        .map(|it| if it.contains('.') { it.into() } else { full(it) })
        .collect()
}

/// Of two listeners that are not told apart the first stands. (`listenersDistinct` there.)
fn distinct(a: &Value, b: &Value) -> bool {
    let protocol = |it| text(it, "/protocol").unwrap_or("").to_owned();
    let bytes = |it: &str| matches!(it, "TCP" | "UDP");
    let named = |it: &str| matches!(it, "HTTP" | "HTTPS" | "TLS");
    let host = |it| {
        text(it, "/hostname")
            .filter(|it| !it.is_empty())
            .unwrap_or("*")
            .to_owned()
    };
    let (p, q) = (protocol(a), protocol(b));
    if a.get("port") != b.get("port") {
        return true;
    }
    match () {
        () if bytes(&p) && (bytes(&q) || named(&q)) || named(&p) && bytes(&q) => false,
        () if named(&p) && named(&q) => host(a) != host(b),
        () => p != q,
    }
}

fn made(
    objects: &Objects,
    gateway: &Object,
    index: usize,
    listener: &Value,
    services: &[Name],
    managed: bool,
) -> Option<(Object, Listener)> {
    let key = gateway.key();
    let port = u16::try_from(listener.get("port")?.as_u64()?).ok()?;
    let section = text(listener, "/name").unwrap_or("");
    let protocol = match text(listener, "/protocol").unwrap_or("") {
        it @ ("HTTP" | "HTTPS" | "TLS" | "TCP") => it,
        _ => "",
    };
    let tls = tls(objects, gateway, listener);
    if tls.is_none() && matches!(protocol, "HTTPS" | "TLS") {
        return None;
    }
    let host = text(listener, "/hostname").unwrap_or("");
    let hosts = allowed::hosts(objects, &key.namespace, listener);
    let mut server =
        json!({"port": {"number": port, "name": "default", "protocol": protocol}, "hosts": hosts});
    let mut permitted = true;
    if let Some((tls, usable)) = tls {
        server["tls"] = tls;
        permitted = usable;
    }
    let name = format!("{}~istio-autogenerated-k8s-gateway~{section}", key.name);
    let created = gateway.get("/metadata/creationTimestamp").cloned();
    let json = json!({"metadata": {"name": name, "namespace": key.namespace, "creationTimestamp": created.unwrap_or(Value::Null)},
        "origin": {"namespace": key.namespace, "name": key.name, "listener": index, "services": services,
            "managed": managed, "certificates": permitted},
        "spec": {"servers": [server]}});
    let listener = Listener {
        gateway: key.clone(),
        name: format!("{}/{name}", key.namespace).into(),
        section: section.into(),
        port,
        protocol: protocol.into(),
        host: host.into(),
        hosts: hosts.iter().map(plain).collect(),
        http_routes: allowed::http_routes(protocol, listener),
    };
    Some((Object::new(Kind::Gateway, json).ok()?, listener))
}

/// `*/host` is `host`.
fn plain(host: &Name) -> Name {
    host.strip_prefix("*/").map_or_else(|| host.clone(), Name::from)
}

/// `tls` of a listener, and whether some certificate of it may be used; whether the Secret holds one is not seen. (`buildTLS` there.)
fn tls(objects: &Objects, gateway: &Object, listener: &Value) -> Option<(Value, bool)> {
    let tls = listener.get("tls").filter(|it| it.is_object())?;
    let option = |name: &str| {
        tls.get("options")
            .and_then(|it| it.get(name))
            .and_then(Value::as_str)
    };
    if text(tls, "/mode") == Some("Passthrough") {
        let between = option("gateway.istio.io/listener-protocol") == Some("auto-passthrough")
            || gateway.label("topology.istio.io/network").is_some();
        let mode = if between {
            "AUTO_PASSTHROUGH"
        } else {
            "PASSTHROUGH"
        };
        return Some((json!({ "mode": mode }), true));
    }
    let mode = match option("gateway.istio.io/tls-terminate-mode") {
        Some(mode @ ("MUTUAL" | "OPTIONAL_MUTUAL")) => mode,
        Some("ISTIO_SIMPLE") => return Some((json!({"mode": "SIMPLE"}), true)),
        Some("ISTIO_MUTUAL") => return Some((json!({"mode": "ISTIO_MUTUAL"}), true)),
        _ => "SIMPLE",
    };
    let references = list(tls, "certificateRefs");
    let own = &*gateway.key().namespace;
    let usable = |it: &&Value| {
        let namespace = text(it, "/namespace").unwrap_or(own);
        let to = (
            text(it, "/group").unwrap_or(""),
            text(it, "/kind").unwrap_or("Secret"),
        );
        let from = (grant::GATEWAY, own);
        to == ("", "Secret")
            && (namespace == own
                || grant::allows(
                    objects,
                    from,
                    ("", "Secret", namespace),
                    text(it, "/name").unwrap_or(""),
                ))
    };
    let names: Vec<String> = references
        .iter()
        .filter(usable)
        .map(|it| {
            let namespace = text(it, "/namespace").unwrap_or(own);
            format!("{SECRET}{namespace}/{}", text(it, "/name").unwrap_or(""))
        })
        .collect();
    let permitted = !names.is_empty() && references.len() <= 2;
    Some((json!({"mode": mode, "credentialNames": names}), permitted))
}

/// Which kind a listener's own list names. (`RouteGroupKindEqual` there.)
fn is_http_route(kind: &Value) -> bool {
    text(kind, "/kind") == Some(grant::HTTP_ROUTE) && text(kind, "/group").unwrap_or(GROUP) == GROUP
}

#[cfg(test)]
mod tests;
