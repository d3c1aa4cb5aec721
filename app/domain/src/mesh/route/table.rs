//! Where a sidecar sends a request.

use super::{
    Choice, ChosenDestination, Outcome, Protocol, Request, Share,
    action::{self, Clusters, Taken},
    bound::{Bound, Rule},
    listener::{self, Bind, Chain, Connection, To},
    matching::{self, Fit, Seen},
    scope::{self, Known, Listener, Scope},
    virtual_host::{self, VirtualHost, VirtualHosts},
};
use crate::{
    Name, Why,
    mesh::{
        Decider, Mesh, Proxy, Role, gateway,
        host::registry,
        subset,
        unjudged::{self, Side},
    },
    object::Kind,
    traffic::ServiceId,
};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

/// One proxy's routes, made once for many requests; each port's are made when it is first asked about.
#[derive(Debug)]
pub struct Table<'m> {
    mesh: &'m Mesh<'m>,
    proxy: &'m Proxy,
    /// Why nothing can be said.
    whys: Vec<Why>,
    scope: Arc<Scope>,
    /// Where the proxy's labels count; else the scope has them.
    ports: Ports,
}

/// Routes by port, each made when it is first asked about.
#[derive(Debug, Default)]
pub(crate) struct Ports(RwLock<BTreeMap<u16, Arc<Port>>>);

impl Ports {
    fn get(&self, number: u16, make: impl FnOnce() -> Port) -> Arc<Port> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(port) = known.get(&number) {
            return port.clone();
        }
        drop(known);
        let made = Arc::new(make());
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(number).or_insert(made).clone()
    }
}

#[derive(Debug)]
pub(crate) struct Port {
    listeners: BTreeMap<Bind, Vec<Chain>>,
    hosts: VirtualHosts,
    /// The egress listener whose routes these are.
    listener: Option<usize>,
}

/// Where a connection leads.
enum Lead {
    Address(IpAddr),
    /// To this host, whose addresses are not known.
    Own(Name),
    /// To nothing that the registry knows.
    Elsewhere,
}

impl<'m> Table<'m> {
    /// The routes of a proxy.
    pub fn of(mesh: &'m Mesh<'m>, proxy: &'m Proxy) -> Self {
        let kinds = [
            Kind::Service,
            Kind::VirtualService,
            Kind::ServiceEntry,
            Kind::Sidecar,
            Kind::HttpRoute,
        ];
        let gaps = kinds.iter().filter_map(|&kind| mesh.objects.gap(kind));
        let mut whys: Vec<Why> = mesh.config.gap.clone().into_iter().chain(gaps).collect();
        whys.extend(unjudged::touching(mesh, proxy, Side::Outbound));
        whys.dedup();
        let scope = scope::of(mesh, proxy);
        if scope.listeners.iter().any(|it| it.odd) {
            whys.push(not_judged("Sidecar egress: bind, captureMode or port"));
        }
        Self {
            mesh,
            proxy,
            whys,
            scope,
            ports: Ports::default(),
        }
    }

    /// What the proxy does with a request.
    pub fn choose(&self, request: &Request) -> Choice {
        let request = &request.unescaped();
        if self.proxy.role == Role::Gateway {
            return gateway::choose(self.mesh, self.proxy, request);
        }
        if !self.whys.is_empty() {
            return unknown(self.whys.clone());
        }
        if request.protocol == Protocol::Http && oddly_written(request.path_alone()) {
            return unknown(vec![not_judged("path normalization")]);
        }
        let port = self.port(request.port);
        self.connect(&port, request)
    }

    fn port(&self, number: u16) -> Arc<Port> {
        let ports = if self.scope.by_labels {
            &self.ports
        } else {
            &self.scope.ports
        };
        ports.get(number, || {
            let in_charge = |it: &Listener| it.port.is_none_or(|(own, _)| own == number);
            let listener = self.scope.listeners.iter().position(in_charge);
            let of = listener.and_then(|it| self.scope.listeners.get(it));
            Port {
                listeners: listener::of(&self.scope, self.proxy, number),
                hosts: of
                    .map(|it| virtual_host::of(it, self.proxy, number))
                    .unwrap_or_default(),
                listener,
            }
        })
    }

    fn connect(&self, port: &Port, request: &Request) -> Choice {
        let lead = self.lead(request);
        let Some(chains) = self.chains(port, &lead) else {
            return self.let_out();
        };
        let address = match lead {
            Lead::Address(address) => Some(address),
            Lead::Own(_) | Lead::Elsewhere => None,
        };
        if address.is_none() && listener::asks_address(chains) {
            return unknown(vec![not_judged("the connection's address")]);
        }
        let connection = Connection {
            address,
            tls: matches!(request.protocol, Protocol::Https | Protocol::Tls),
            sni: &request.sni,
            http: request.protocol == Protocol::Http,
        };
        match listener::pick(chains, connection).map(|it| &it.to) {
            None => self.let_out(),
            Some(To::Http(own)) => self.http(port, own.as_deref(), request),
            Some(To::Service(host, number)) => self.service(host, *number, request.port, false),
            Some(To::Rule(rule)) => self.bytes(rule, request),
        }
    }

    /// The address, or where the host's name leads in DNS.
    fn lead(&self, request: &Request) -> Lead {
        if let Some(address) = request.address {
            return Lead::Address(address);
        }
        let host = if request.host.is_empty() {
            &request.sni
        } else {
            &request.host
        };
        let mut name: Name = action::without_port(host).trim_matches(['[', ']']).into();
        for _ in 0..8 {
            if let Ok(address) = name.parse::<IpAddr>() {
                return Lead::Address(address);
            }
            let full = registry::dns_name(&name, &self.proxy.namespace);
            let mut named = self.scope.registry.named(&full);
            let Some(found) = named.clone().find(|it| it.kubernetes()).or_else(|| named.next()) else {
                return Lead::Elsewhere;
            };
            if found.alias_for.is_empty() {
                let address = found.addresses.iter().find_map(|it| listener::whole(it));
                return match address {
                    Some(address) => Lead::Address(address),
                    None if found.kubernetes() => Lead::Own(full),
                    None => Lead::Elsewhere,
                };
            }
            name = found.alias_for.clone();
        }
        Lead::Elsewhere
    }

    /// The chains of the listener that a connection reaches: the address's own, else the one on all addresses.
    fn chains<'p>(&self, port: &'p Port, lead: &Lead) -> Option<&'p Vec<Chain>> {
        let own = match lead {
            Lead::Address(address) => {
                let at = Bind::Address(address.to_string().into());
                port.listeners.get(&at).or_else(|| {
                    let mut owners = port.listeners.keys().filter_map(|it| match it {
                        Bind::Own(host) => Some(host),
                        Bind::Wild | Bind::Address(_) => None,
                    });
                    let owner = owners.find(|host| self.has_pod(host, *address))?;
                    port.listeners.get(&Bind::Own(owner.clone()))
                })
            }
            Lead::Own(host) => port.listeners.get(&Bind::Own(host.clone())),
            Lead::Elsewhere => None,
        };
        own.or_else(|| port.listeners.get(&Bind::Wild))
    }

    /// Whether an address is a pod's behind a headless service, whose listeners are its pods'.
    fn has_pod(&self, host: &Name, address: IpAddr) -> bool {
        let service = self.scope.clusters.get(host).filter(|it| it.headless);
        service.is_some_and(|it| {
            let id = ServiceId {
                namespace: it.origin.namespace.clone(),
                name: it.origin.name.clone(),
            };
            let pods = subset::pods_of(self.mesh.objects, &id);
            pods.iter().any(|(pod, _)| pod.ip.parse() == Ok(address))
        })
    }

    fn let_out(&self) -> Choice {
        match &self.scope.unknown {
            Err(why) => unknown(vec![why.clone()]),
            Ok((any, by)) => Choice {
                deciders: by.iter().cloned().collect(),
                ..Choice::by_default(if *any {
                    Outcome::Passthrough
                } else {
                    Outcome::BlackHole
                })
            },
        }
    }

    fn http(&self, port: &Port, own: Option<&str>, request: &Request) -> Choice {
        if request.host.is_empty() {
            return unknown(vec![not_judged("a request without Host")]);
        }
        let host = match own {
            Some(own) => port.hosts.by_service(own),
            None => port.hosts.by_host(&request.host),
        };
        match (host, own) {
            (None, Some(_)) => Choice::by_default(Outcome::NoVirtualHost),
            (None, None) => self.let_out(),
            (Some(host), _) => self.routed(port, host, request),
        }
    }

    fn routed(&self, port: &Port, host: &VirtualHost, request: &Request) -> Choice {
        if let Some(why) = host.service.as_deref().and_then(|it| self.of_gateway_api(it)) {
            return unknown(vec![why]);
        }
        let listener = port.listener.and_then(|it| self.scope.listeners.get(it));
        let bound = host.rules.and_then(|it| listener?.bound.get(it));
        match (bound, &host.service) {
            (Some(bound), _) => self.by_rules(bound, request),
            (None, Some(service)) => self.service(service, request.port, request.port, true),
            (None, None) => Choice::by_default(Outcome::NoVirtualHost),
        }
    }

    fn by_rules(&self, bound: &Bound, request: &Request) -> Choice {
        let seen = Seen {
            request,
            proxy: self.proxy,
            port: request.port,
            gateway: "mesh",
            scheme: "http",
        };
        let known = self.known(request.port, false);
        match first(&bound.http, &seen, &bound.key.namespace) {
            Err(why) => unknown(vec![why]),
            Ok(None) => Choice {
                deciders: vec![Decider {
                    key: bound.key.clone(),
                    path: "/spec/http".into(),
                }],
                ..Choice::by_default(Outcome::NoRoute)
            },
            Ok(Some((rule, block))) => {
                let taken = Taken {
                    rule: &rule.json,
                    block,
                    at: rule.at.clone(),
                    deciders: rule.deciders.clone(),
                    port: request.port,
                };
                action::act(self.mesh, &taken, request, &known)
            }
        }
    }

    /// A HTTPRoute of the service that is not turned into rules as a whole.
    fn of_gateway_api(&self, host: &str) -> Option<Why> {
        let halved = self
            .mesh
            .translation()
            .unjudged
            .iter()
            .find(|(of, _)| &**of == host);
        halved.map(|(_, why)| why.clone())
    }

    fn known(&self, port: u16, bytes: bool) -> Known<'_> {
        Known {
            mesh: self.mesh,
            proxy: self.proxy,
            scope: &self.scope,
            port,
            bytes,
        }
    }

    /// To a service that no rule speaks of.
    fn service(&self, host: &str, number: u16, port: u16, http: bool) -> Choice {
        match self.known(port, !http).find(host, "", Some(number)) {
            Err(whys) => unknown(whys),
            Ok((destination, missing)) => {
                let origin = self.scope.clusters.get(host).map(|it| it.origin.clone());
                Choice {
                    deciders: origin
                        .map(|key| Decider { key, path: "".into() })
                        .into_iter()
                        .collect(),
                    effects: if http {
                        action::by_default(self.mesh)
                    } else {
                        super::Effects::default()
                    },
                    ..Choice::by_default(Outcome::Sent(vec![share(destination, missing)]))
                }
            }
        }
    }

    fn bytes(&self, rule: &Rule, request: &Request) -> Choice {
        let known = self.known(request.port, true);
        Choice {
            deciders: rule.deciders.clone(),
            rule: Some(rule.at.clone()),
            ..Choice::by_default(match action::shares(&rule.json, &known) {
                Ok(shares) => Outcome::Sent(shares),
                Err(whys) => Outcome::Unknown(whys),
            })
        }
    }
}

fn share(destination: ChosenDestination, missing: Option<super::Missing>) -> Share {
    Share {
        destination,
        weight: 100,
        missing,
    }
}

fn not_judged(what: &str) -> Why {
    Why::NotJudged { what: what.into() }
}

fn unknown(whys: Vec<Why>) -> Choice {
    Choice::by_default(Outcome::Unknown(whys))
}

/// Envoy writes such paths anew before it matches them.
fn oddly_written(path: &str) -> bool {
    path.contains('\\')
        || path.contains("//")
        || path.split('/').any(|it| matches!(it, "." | ".."))
        || path.contains("%2e")
        || path.contains("%2E")
}

/// The first rule that takes the request, with the block that fitted. A rule that may take it makes all after it unknown.
pub(crate) fn first<'r>(
    rules: &'r [Rule],
    seen: &Seen<'_>,
    rule_namespace: &str,
) -> Result<Option<(&'r Rule, Option<&'r serde_json::Value>)>, Why> {
    for rule in rules {
        if rule.blocks().is_empty() {
            return Ok(Some((rule, None)));
        }
        for block in rule
            .blocks()
            .iter()
            .filter(|it| matching::concerns(it, seen, rule_namespace))
        {
            match matching::fits(block, seen) {
                Fit::Yes => return Ok(Some((rule, Some(block)))),
                Fit::No => {}
                Fit::Unknown(why) => return Err(why),
            }
        }
    }
    Ok(None)
}

/// What the proxy does with one request. For many requests make a [`Table`].
pub fn choose(mesh: &Mesh<'_>, proxy: &Proxy, request: &Request) -> Choice {
    Table::of(mesh, proxy).choose(request)
}
