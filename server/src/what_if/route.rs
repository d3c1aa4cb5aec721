//! Where a request goes.

use super::{Because, because, unknown};
use naru_domain::{
    Name,
    fact::Labels,
    mesh::{
        Mesh, Proxy,
        route::{self, ChosenDestination, Missing, Outcome, Protocol, Request, Share},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, net::IpAddr};

/// One request. README says what the fields mean.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    id: Value,
    caller: Option<Workload>,
    gateway: Option<Workload>,
    #[serde(default)]
    protocol: Speaks,
    #[serde(default)]
    host: Name,
    address: Option<IpAddr>,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default)]
    sni: Name,
    #[serde(default)]
    method: Name,
    #[serde(default)]
    path: Name,
    #[serde(default)]
    headers: BTreeMap<String, Name>,
}

#[derive(Default, Deserialize)]
struct Workload {
    #[serde(default)]
    namespace: Name,
    #[serde(default)]
    labels: Labels,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Speaks {
    #[default]
    Http,
    Https,
    Tls,
    Tcp,
}

/// What becomes of it.
#[derive(Serialize)]
pub(super) struct Answer {
    id: Value,
    destination: Option<To>,
    weights: Vec<Weight>,
    reason: String,
    because: Vec<Because>,
}

#[derive(Serialize)]
struct To {
    host: Name,
    subset: Name,
    port: u16,
}

#[derive(Serialize)]
struct Weight {
    #[serde(flatten)]
    to: To,
    weight: u32,
}

pub(super) fn answer(mesh: &Mesh<'_>, asked: Asked) -> Answer {
    let (proxy, request) = understood(&asked);
    let choice = route::choose(mesh, &proxy, &request);
    let (destination, weights) = match &choice.outcome {
        Outcome::Sent(shares) => match shares.as_slice() {
            [only] => (Some(to(&only.destination)), Vec::new()),
            several => (None, several.iter().map(weight).collect()),
        },
        _ => (None, Vec::new()),
    };
    Answer {
        id: asked.id,
        destination,
        weights,
        reason: reason(&choice.outcome),
        because: because(&choice.deciders),
    }
}

fn understood(asked: &Asked) -> (Proxy, Request) {
    let or_default = |namespace: &Name| {
        if namespace.is_empty() {
            Name::from("default")
        } else {
            namespace.clone()
        }
    };
    let proxy = match (&asked.gateway, &asked.caller) {
        (Some(gateway), _) => Proxy::gateway(or_default(&gateway.namespace), gateway.labels.clone()),
        (None, Some(caller)) => Proxy::sidecar(or_default(&caller.namespace), caller.labels.clone()),
        (None, None) => Proxy::sidecar("default", Labels::new()),
    };
    let protocol = match asked.protocol {
        Speaks::Http => Protocol::Http,
        Speaks::Https => Protocol::Https,
        Speaks::Tls => Protocol::Tls,
        Speaks::Tcp => Protocol::Tcp,
    };
    let usual = match protocol {
        Protocol::Http => 80,
        Protocol::Https | Protocol::Tls | Protocol::Tcp => 443,
    };
    let or = |text: &Name, default: &str| {
        if text.is_empty() {
            Name::from(default)
        } else {
            text.clone()
        }
    };
    let request = Request {
        protocol,
        host: asked.host.clone(),
        address: asked.address,
        port: asked.port.unwrap_or(usual),
        sni: asked.sni.clone(),
        method: or(&asked.method, "GET"),
        path: or(&asked.path, "/"),
        headers: asked
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase().into(), value.clone()))
            .collect(),
    };
    (proxy, request)
}

fn to(destination: &ChosenDestination) -> To {
    To {
        host: destination.host.clone(),
        subset: destination.subset.clone(),
        port: destination.port,
    }
}

fn weight(share: &Share) -> Weight {
    Weight {
        to: to(&share.destination),
        weight: share.weight,
    }
}

/// One of the words that README lists, with what it is about.
pub(crate) fn reason(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent(shares) => match shares.as_slice() {
            [only] => only
                .missing
                .map_or_else(|| "routed".into(), |missing| lacks(only, missing)),
            several => {
                let lacking = several
                    .iter()
                    .filter_map(|share| Some(lacks(share, share.missing?)));
                let all: Vec<String> = std::iter::once("weighted".into()).chain(lacking).collect();
                all.join("; ")
            }
        },
        Outcome::NoVirtualHost => "404 no virtual host".into(),
        Outcome::NoRoute => "404 no route".into(),
        Outcome::NoListener => "no listener".into(),
        Outcome::NoFilterChain => "no filter chain".into(),
        Outcome::Passthrough => "passthrough".into(),
        Outcome::BlackHole => "blackhole".into(),
        Outcome::Redirect {
            code,
            authority,
            path,
        } => format!("redirect {code} {authority}{path}").trim_end().into(),
        Outcome::Direct { status } => format!("direct response {status}"),
        Outcome::Unknown(whys) => unknown(whys),
    }
}

fn lacks(share: &Share, missing: Missing) -> String {
    let ChosenDestination { host, subset, port } = &share.destination;
    match missing {
        Missing::Subset => format!("503 subset missing: {subset} of {host}"),
        Missing::Port => format!("503 cluster missing: {host} has no port {port}"),
        Missing::Host => format!("503 cluster missing: {host}"),
    }
}
