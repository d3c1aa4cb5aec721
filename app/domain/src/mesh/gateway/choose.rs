//! What a gateway does with a request: listener, filter chain, virtual host, rule.

use super::{
    chain::{Chain, End, chains, pick, twice},
    edge::Edge,
    merge::{Group, Merged, Placed, Target, merged, targets},
    virtual_host::http,
};
use crate::{
    Name, Why,
    mesh::{
        Decider, Mesh, Proxy, gateway_api,
        route::{Choice, Outcome, Protocol, Request},
        unjudged::{self, Side},
    },
    object::{Kind, Object},
};
use serde_json::Value;

/// A rule as it is asked about: of a VirtualService, bound to a Gateway, on a server.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The VirtualService, as written.
    pub virtual_service: &'a Object,
    /// `http`, `tls` or `tcp`.
    pub list: &'static str,
    /// Position in that list.
    pub index: u32,
    /// The rule.
    pub rule: &'a Value,
    /// The Gateway, as `namespace/name`.
    pub gateway: &'a str,
    /// The server's own port: what `match.port` means, and where a destination without a port goes.
    pub port: u16,
    /// The server has `tls`.
    pub tls: bool,
}

/// What rules do, which the model of routes answers: gateways only say which rules are asked, and in which order.
pub trait Rules {
    /// Whether an entry of a rule's `match` can apply at all on this gateway and port (`match.gateways`, `match.port`, source labels), and then
    /// whether it takes the request. The first false leaves no route behind. None stands for a rule without `match`.
    fn takes(
        &self,
        asked: Asked<'_>,
        entry: Option<&Value>,
        request: &Request,
    ) -> (bool, Result<bool, Vec<Why>>);

    /// What the rule does with the request.
    fn act(&self, asked: Asked<'_>, request: &Request) -> Choice;
}

/// What a gateway does with a request at a server's port. Client certificates are taken for granted where a server demands them.
/// (`buildGatewayListeners` and `buildGatewayHTTPRouteConfig` in istio's `pilot/pkg/networking/core/gateway.go`.)
pub fn by_rules(mesh: &Mesh<'_>, proxy: &Proxy, request: &Request, rules: &dyn Rules) -> Choice {
    let mut whys = unjudged::touching(mesh, proxy, Side::Outbound);
    let kinds = [Kind::VirtualService, Kind::GatewayApiGateway, Kind::HttpRoute];
    whys.extend(kinds.iter().filter_map(|&kind| mesh.objects.gap(kind)));
    whys.extend(mesh.config.gap.clone());
    whys.extend(ingresses(mesh, proxy, request.port));
    let edge = &Edge::of(mesh);
    whys.extend(edge.whys(proxy));
    let merged = match merged(mesh, proxy) {
        Ok(merged) if whys.is_empty() => merged,
        Ok(_) => return unknown(whys),
        Err(more) => {
            whys.extend(more);
            return unknown(whys);
        }
    };
    if merged.ambiguous.contains(&request.port) {
        return not_judged(format!("targetPort of {}", request.port));
    }
    let all = targets(mesh, proxy, request.port, None);
    let mut served = all
        .iter()
        .filter(|it| merged.groups.iter().any(|group| group.target == **it));
    let target = served.next().or(all.first()).cloned();
    if served.next().is_some() {
        return not_judged(format!("targetPort of {}", request.port));
    }
    at(
        edge,
        proxy,
        request,
        rules,
        &merged,
        &target.unwrap_or(Target::Number(request.port)),
    )
}

/// Ingresses that istiod turns into gateways itself (`ingressClass`, `ingressSelector` of the mesh's configuration).
fn ingresses<'a>(mesh: &'a Mesh<'_>, proxy: &Proxy, port: u16) -> impl Iterator<Item = Why> + 'a {
    let setting = |name: &str, default: &'static str| -> Name {
        let text = mesh
            .config
            .json
            .get(name)
            .and_then(Value::as_str)
            .filter(|it| !it.is_empty());
        text.unwrap_or(default).into()
    };
    let class = setting("ingressClass", "istio");
    let selected = proxy.labels.get("istio") == Some(&setting("ingressSelector", "ingressgateway"));
    let here = selected && [80, 443].contains(&port);
    let all = mesh
        .objects
        .ingresses
        .values()
        .filter(move |it| here && it.class == class);
    all.map(|it| Why::NotJudged {
        what: format!("Ingress {}/{}", it.namespace, it.name).into(),
    })
}

pub(super) fn unknown(whys: Vec<Why>) -> Choice {
    Choice::by_default(Outcome::Unknown(whys))
}

pub(super) fn not_judged(what: String) -> Choice {
    unknown(vec![Why::NotJudged { what: what.into() }])
}

pub(super) fn decided(outcome: Outcome, deciders: Vec<Decider>) -> Choice {
    Choice {
        deciders,
        ..Choice::by_default(outcome)
    }
}

fn at(
    edge: &Edge<'_>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    merged: &Merged<'_>,
    target: &Target,
) -> Choice {
    let mesh = edge.mesh;
    let groups: Vec<&Group<'_>> = merged.groups.iter().filter(|it| it.target == *target).collect();
    let Some(first) = groups.first() else {
        return Choice::by_default(Outcome::NoListener);
    };
    if groups.iter().any(|it| it.bind != first.bind) {
        return not_judged(format!("bind of {}", request.port));
    }
    let named = |it: &Group<'_>| matches!(it.target, Target::Named(_));
    if named(first)
        && merged.groups.iter().any(|it| !named(it))
        && merged.groups.iter().any(|it| unresolved(mesh, proxy, it))
    {
        return not_judged(format!("targetPort of {}", request.port));
    }
    // TLSRoutes and TCPRoutes are not seen.
    let mut servers = groups.iter().flat_map(|it| &it.servers);
    if let Some(placed) =
        servers.find(|it| !it.server.reads_http() && gateway_api::listener_of(&it.gateway).is_some())
    {
        let mut choice = not_judged("TLSRoute, TCPRoute".into());
        choice.deciders.push(placed.decider());
        return choice;
    }
    let chains = chains(edge, proxy, request, rules, &groups);
    let deciders: Vec<Decider> = groups
        .iter()
        .flat_map(|it| it.servers.iter().map(Placed::decider))
        .collect();
    if chains.is_empty() {
        return decided(Outcome::NoListener, deciders);
    }
    if let Some(name) = twice(&chains) {
        // Envoy refuses such a listener whole and keeps what it had, or nothing.
        return not_judged(format!("SNI {name} twice on port {}", request.port));
    }
    let plain = matches!(request.protocol, Protocol::Http | Protocol::Tcp);
    let sni = if plain {
        String::new()
    } else {
        request.sni.to_ascii_lowercase()
    };
    match pick(&chains, &sni) {
        Some(chain) => through(edge, proxy, request, rules, chain),
        None => decided(Outcome::NoFilterChain, deciders),
    }
}

/// Whether a group listens on a number that no Service translates.
fn unresolved(mesh: &Mesh<'_>, proxy: &Proxy, group: &Group<'_>) -> bool {
    group
        .servers
        .iter()
        .any(|it| targets(mesh, proxy, it.server.port, None).is_empty())
}

fn through(
    edge: &Edge<'_>,
    proxy: &Proxy,
    request: &Request,
    rules: &dyn Rules,
    chain: &Chain<'_, '_>,
) -> Choice {
    let under_tls = matches!(request.protocol, Protocol::Https | Protocol::Tls);
    match &chain.end {
        End::Plain(servers) if request.protocol == Protocol::Http => {
            http(edge, proxy, request, rules, servers)
        }
        // Without a certificate that it may use it shows the proxy's own, which is the mesh's.
        End::Terminated(placed)
            if request.protocol == Protocol::Https
                && gateway_api::listener_of(&placed.gateway).is_some_and(|(_, _, usable)| !usable) =>
        {
            let mut choice = not_judged("certificateRefs".into());
            choice.deciders.push(placed.decider());
            choice
        }
        End::Terminated(placed) if request.protocol == Protocol::Https => {
            http(edge, proxy, request, rules, std::slice::from_ref(*placed))
        }
        // The chain takes it and cannot read it.
        End::Plain(servers) => decided(
            Outcome::NoFilterChain,
            servers.iter().map(Placed::decider).collect(),
        ),
        End::Terminated(placed) => decided(Outcome::NoFilterChain, vec![placed.decider()]),
        End::Bytes(asked, true) if !under_tls => {
            decided(Outcome::NoFilterChain, vec![asked.placed.decider()])
        }
        End::Bytes(asked, _) | End::Through(asked) => rules.act(asked.asked(), request),
        End::Auto(placed) => {
            let mut choice = not_judged("AUTO_PASSTHROUGH".into());
            choice.deciders.push(placed.decider());
            choice
        }
    }
}

#[cfg(test)]
mod tests;
