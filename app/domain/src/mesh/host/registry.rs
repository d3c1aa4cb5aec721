//! The registry: Services and the hosts of ServiceEntries, with who may see them. (`ConvertService`, `convertServices` and
//! `initServiceRegistry` in istio's `pilot/pkg`.)

use super::{DOMAIN, of_service};
use crate::{
    Name,
    mesh::{
        Mesh,
        protocol::{self, Protocol},
        route::virtual_host::Domains,
    },
    object::{Key, Kind},
    traffic::ServiceId,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// What Istio takes a port for, as far as routes depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Http,
    Tcp,
    Tls,
    /// MongoDB and MySQL, which share a port with nothing else.
    Jealous(Alone),
    Udp,
    Auto,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alone {
    Mongo,
    MySql,
}

impl Spoken {
    /// By a word as in a ServiceEntry's `protocol`.
    pub(crate) fn parse(word: &str) -> Self {
        protocol::named(word).map_or(Self::Auto, Self::from)
    }

    fn of(port: &crate::fact::ServicePort) -> Self {
        protocol::of(port).protocol.into()
    }

    pub(crate) fn http_or_sniffed(self) -> bool {
        matches!(self, Self::Http | Self::Auto)
    }
}

impl From<Protocol> for Spoken {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Http | Protocol::Http2 | Protocol::HttpProxy | Protocol::Grpc | Protocol::GrpcWeb => {
                Self::Http
            }
            Protocol::Tcp | Protocol::Redis => Self::Tcp,
            Protocol::Https | Protocol::Tls => Self::Tls,
            Protocol::Mongo => Self::Jealous(Alone::Mongo),
            Protocol::MySql => Self::Jealous(Alone::MySql),
            Protocol::Udp => Self::Udp,
            Protocol::Auto => Self::Auto,
        }
    }
}

/// A host of the registry.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    /// Full, in lower case; a ServiceEntry's may be a wildcard.
    pub(crate) host: Name,
    pub(crate) namespace: Name,
    /// The Service or ServiceEntry.
    pub(crate) origin: Key,
    pub(crate) created: Name,
    /// IPs, and for ServiceEntries CIDRs.
    pub(crate) addresses: Vec<Name>,
    pub(crate) ports: Vec<(u16, Spoken)>,
    pub(crate) headless: bool,
    /// What an ExternalName Service stands for; empty for none.
    pub(crate) alias_for: Name,
    /// ExternalName Services that stand for it.
    pub(crate) aliases: Vec<Name>,
    export_to: Vec<Name>,
    /// What callers may call it, made when it is first asked for.
    pub(crate) domains: OnceLock<Domains>,
}

impl Registered {
    pub(crate) fn kubernetes(&self) -> bool {
        self.origin.kind == Kind::Service
    }

    pub(crate) fn port(&self, number: u16) -> Option<Spoken> {
        let mut ports = self.ports.iter();
        ports.find(|(port, _)| *port == number).map(|(_, spoken)| *spoken)
    }

    /// Everyone sees it.
    fn public(&self) -> bool {
        self.export_to.iter().any(|to| &**to == "*")
    }

    /// A namespace sees it: `*` all, `~` none, `.` its own, else by name. (`initServiceRegistry` in istio's `pilot/pkg/model`.)
    pub(crate) fn visible(&self, namespace: &str) -> bool {
        exported(&self.export_to, &self.namespace, namespace)
    }
}

/// Whether an `exportTo` that is not empty lets a namespace see an object of `own`.
pub(crate) fn exported(to: &[Name], own: &str, namespace: &str) -> bool {
    let has = |name: &str| to.iter().any(|it| &**it == name);
    has("*") || !has("~") && (has(namespace) || has(".") && own == namespace)
}

/// An object's `exportTo`, or the mesh's default, or everyone.
pub(crate) fn effective(written: Vec<Name>, default: &[Name]) -> Vec<Name> {
    if !written.is_empty() {
        written
    } else if !default.is_empty() {
        default.to_vec()
    } else {
        vec!["*".into()]
    }
}

/// The texts of a list.
pub(crate) fn names(list: &[Value]) -> Vec<Name> {
    list.iter().filter_map(Value::as_str).map(Name::from).collect()
}

/// All hosts, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    pub(crate) all: Vec<Arc<Registered>>,
    places: BTreeMap<Name, Vec<usize>>,
}

impl Registry {
    fn of(all: Vec<Registered>) -> Self {
        let mut places: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
        for (place, it) in all.iter().enumerate() {
            places.entry(it.host.clone()).or_default().push(place);
        }
        Self {
            all: all.into_iter().map(Arc::new).collect(),
            places,
        }
    }

    /// Those of this full name, oldest first.
    pub(crate) fn named<'a>(
        &'a self,
        host: &str,
    ) -> impl Iterator<Item = &'a Arc<Registered>> + Clone + use<'a> {
        let places = self.places.get(host).into_iter().flatten();
        places.filter_map(|place| self.all.get(*place))
    }
}

/// See [`Mesh::registry`].
pub(crate) fn all(mesh: &Mesh<'_>) -> Registry {
    let default = &mesh.config.service_export_to;
    let services = mesh.objects.services.values().map(|it| {
        let id = ServiceId {
            namespace: it.namespace.clone(),
            name: it.name.clone(),
        };
        Registered {
            host: of_service(&id),
            namespace: it.namespace.clone(),
            origin: Key::new(Kind::Service, it.namespace.clone(), it.name.clone()),
            created: it.created.clone(),
            addresses: it.addresses.clone(),
            ports: it
                .ports
                .iter()
                .map(|port| (port.port, Spoken::of(port)))
                .collect(),
            headless: it.headless,
            alias_for: it.external_name.clone(),
            aliases: Vec::new(),
            export_to: effective(it.export_to.clone(), default),
            domains: OnceLock::new(),
        }
    });
    let entries = mesh.objects.of_kind(Kind::ServiceEntry).flat_map(|it| {
        let ports: Vec<(u16, Spoken)> = it.list("/spec/ports").iter().filter_map(entry_port).collect();
        let export_to = effective(names(it.list("/spec/exportTo")), default);
        let addresses = names(it.list("/spec/addresses"));
        names(it.list("/spec/hosts"))
            .into_iter()
            .map(move |host| Registered {
                host: host.to_lowercase().into(),
                namespace: it.key().namespace.clone(),
                origin: it.key().clone(),
                created: it.text("/metadata/creationTimestamp").into(),
                addresses: addresses.clone(),
                ports: ports.clone(),
                headless: false,
                alias_for: "".into(),
                aliases: Vec::new(),
                export_to: export_to.clone(),
                domains: OnceLock::new(),
            })
    });
    let mut all: Vec<Registered> = services.chain(entries).collect();
    let name = |it: &Registered| {
        if it.kubernetes() {
            it.origin.name.clone()
        } else {
            it.host.clone()
        }
    };
    all.sort_by(|a, b| (&a.created, name(a), &a.namespace).cmp(&(&b.created, name(b), &b.namespace)));
    aliases(&mut all);
    Registry::of(all)
}

fn entry_port(port: &Value) -> Option<(u16, Spoken)> {
    let number = u16::try_from(port.get("number")?.as_u64()?).ok()?;
    Some((
        number,
        Spoken::parse(port.get("protocol").and_then(Value::as_str).unwrap_or("")),
    ))
}

/// ExternalName Services are other names of what they stand for, through several steps too; a circle stands for nothing.
/// (`resolveServiceAliases` in istio's `pilot/pkg/model`.)
fn aliases(all: &mut [Registered]) {
    let standing: BTreeMap<Name, Name> = all
        .iter()
        .filter(|it| !it.alias_for.is_empty())
        .map(|it| (it.host.clone(), it.alias_for.clone()))
        .collect();
    for alias in standing.keys() {
        let mut end = alias;
        let mut steps = 0;
        while let Some(next) = standing.get(end) {
            end = next;
            steps += 1;
            if steps > standing.len() {
                break;
            }
        }
        if steps <= standing.len() {
            for it in all.iter_mut().filter(|it| it.host == *end) {
                it.aliases.push(alias.clone());
            }
        }
    }
}

/// What a namespace sees, in istiod's order: what is exported to it by name first.
pub(crate) fn seen_by(all: &[Arc<Registered>], namespace: &str) -> Vec<Arc<Registered>> {
    let (public, private): (Vec<&Arc<Registered>>, Vec<&Arc<Registered>>) = all
        .iter()
        .filter(|it| it.visible(namespace))
        .partition(|it| it.public());
    private.into_iter().chain(public).cloned().collect()
}

/// What a client calls a service in DNS: `a` in its own namespace, `a.b`, `a.b.svc`, and the full name.
pub(crate) fn dns_name(host: &str, namespace: &str) -> Name {
    let host = host.strip_suffix('.').unwrap_or(host).to_lowercase();
    let parts: Vec<&str> = host.split('.').collect();
    match parts.as_slice() {
        [name] => format!("{name}.{namespace}.svc.{DOMAIN}").into(),
        [name, space] | [name, space, "svc"] => format!("{name}.{space}.svc.{DOMAIN}").into(),
        _ => host.into(),
    }
}
