//! 1.2: a request for each host and path, sent to gateway pods, gets where the model says it goes. What the mesh believes of itself and what it
//! does are two things; between them lie filters, proxies that did not take the last configuration, and what this model does not know.
//!
//! It is a GET (RFC 9110 §9.2.1: nothing is asked for but to be told), without credentials. Envoy says in the answer whether it heard from an
//! upstream; a workload that answers 401 was reached all the same. Which one it was the answer does not say: that is the model's word.

use crate::{
    Name, Why,
    crossing::Item,
    inquiry::{Address, Exchange, Response},
    judge::{
        Check, Code, FactSource, Found, World,
        door::Door,
        edge,
    },
    mesh::{
        Decider, Proxy,
        gateway::{self, Mode, names},
        route::{Outcome, Protocol, Request, Share},
    },
    object::{Key, Kind},
};
use std::collections::BTreeSet;

const NOT_FORWARDED: Code = Code::error("probe-not-forwarded").state();
const FORWARDED: Code = Code::error("probe-forwarded-unexpectedly").state();
const UPSTREAM_FAILS: Code = Code::error("probe-answered-with-failure").state();

pub(super) const CHECK: Check = Check {
    name: "probe_observed",
    item: Item::Routed,
    codes: &[&NOT_FORWARDED, &FORWARDED, &UPSTREAM_FAILS],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let hosts = world.declared(found, "edge.hosts", |it| {
        let hosts = &it.edge.as_ref()?.hosts;
        (!hosts.is_empty()).then_some(hosts)
    });
    let Some(hosts) = hosts.filter(|_| world.running(found)) else {
        return;
    };
    if world.declared(found, "edge.gateway", edge::gateway).is_none() {
        return;
    }
    let doors = world.doors(found);
    for host in hosts {
        let mut any = false;
        for door in doors.iter().filter(|it| serves(it, host)) {
            let mode = door.server.tls.as_ref().map(|it| it.mode);
            if matches!(mode, Some(Mode::Mutual | Mode::IstioMutual)) {
                found.unknown(Why::NotJudged {
                    what: format!("{}: tls.mode MUTUAL", door.gateway.name).into(),
                });
                continue;
            }
            // All paths at one pod, one at each of the others: they are of one configuration, and what may differ is whether a pod has it.
            let all = paths(world, door, host);
            let paths = if any { 1 } else { all.len() };
            for path in all.into_iter().take(paths) {
                any |= probe(world, door, host, path, found);
            }
        }
        if !any {
            found.unknown(Why::NotObserved {
                what: format!("{host}: gateway pods").into(),
            });
        }
    }
}

fn serves(door: &Door<'_>, host: &str) -> bool {
    let server = &door.server;
    let bare = server
        .hosts
        .iter()
        .map(|it| it.split_once('/').map_or(&**it, |(_, name)| name));
    server.reads_http() && names::envoy_host(host, bare).is_some()
}

/// The paths that rules for the host speak of, as they are or as what begins so; `/` where a rule takes all. What only a regular expression tells
/// has no path to try.
fn paths(world: &World<'_>, door: &Door<'_>, host: &str) -> BTreeSet<Name> {
    let mut all = BTreeSet::new();
    for object in door.used_by.iter().filter_map(|key| world.objects.whole.get(key)) {
        let gateway_api = object.key().kind == Kind::HttpRoute;
        let hosts = if gateway_api { "/spec/hostnames" } else { "/spec/hosts" };
        let hosts = object.list(hosts);
        let named = hosts.iter().filter_map(|it| it.as_str());
        if !hosts.is_empty() && names::envoy_host(host, named).is_none() {
            continue;
        }
        let rules = if gateway_api { "/spec/rules" } else { "/spec/http" };
        for rule in object.list(rules) {
            let matches = rule.get(if gateway_api { "matches" } else { "match" });
            let matches = matches.and_then(|it| it.as_array()).map_or(&[][..], |it| it);
            if matches.is_empty() {
                all.insert("/".into());
            }
            for it in matches {
                let text = |pointer: &str| it.pointer(pointer).and_then(|it| it.as_str());
                let path = if gateway_api {
                    text("/path/value").filter(|_| text("/path/type") != Some("RegularExpression"))
                } else {
                    text("/uri/exact").or_else(|| text("/uri/prefix"))
                };
                let any = it.get("uri").is_none() && it.get("path").is_none();
                let path = path.or(any.then_some("/")).filter(|it| it.starts_with('/'));
                all.extend(path.map(Name::from));
            }
        }
    }
    all
}

/// Whether there is something to try, and not nothing that would answer.
fn probe(world: &World<'_>, door: &Door<'_>, host: &Name, path: Name, found: &mut Found) -> bool {
    let tls = door.server.tls.is_some() && door.server.by_sni();
    let mut request = Request::get(host, door.server.port);
    request.path = path.clone();
    if tls {
        request.protocol = Protocol::Https;
        request.sni = host.clone();
    }
    let proxy = Proxy::gateway(door.pod.namespace.clone(), door.pod.labels.clone());
    let choice = gateway::choose(&world.mesh, &proxy, &request);
    let expected = match &choice.outcome {
        Outcome::Sent(shares) => Some(shares),
        Outcome::Unknown(whys) => {
            found.unknowns(whys.iter().cloned());
            return true;
        }
        Outcome::NoListener | Outcome::NoFilterChain => return false,
        _ => None,
    };
    if choice.effects.fault.is_some() {
        found.unknown(Why::NotJudged {
            what: format!("{host}{path}: fault").into(),
        });
        return true;
    }
    let question = Exchange {
        to: Address {
            ip: door.pod.ip.clone(),
            port: door.port,
            name: host.clone(),
        },
        tls,
        path,
    };
    let Some(answer) = world.ask(&question, found) else {
        return true;
    };
    let pod = Decider {
        key: Key::new(Kind::Pod, door.pod.namespace.clone(), door.pod.name.clone()),
        path: "".into(),
    };
    let by = choice.deciders.first().cloned().unwrap_or_else(|| pod.clone());
    let asked = format!("{host}{}", question.path);
    let args = || {
        [
            ("asked", asked.as_str().into()),
            ("pod", format!("{}/{}", door.pod.namespace, door.pod.name).into()),
            ("status", answer.value.status.to_string().into()),
        ]
    };
    match (expected, reached(answer.value)) {
        // A gateway's status behind the gateway: the proxy there has answered, and nobody behind it (RFC 9110 §15.6.3-5).
        (Some(_), Some(true)) if matches!(answer.value.status, 502..=504) => {
            found.finding(&UPSTREAM_FAILS, by, args());
        }
        (Some(shares), Some(true)) => {
            let seen = format!("{asked}: {} · {}", answer.value.status, destinations(shares));
            found.learned("probe", FactSource::Probe, &pod, seen, answer.at);
        }
        (None, Some(false)) => {
            let seen = format!("{asked}: {}", answer.value.status);
            found.learned("probe", FactSource::Probe, &pod, seen, answer.at);
        }
        (Some(_), Some(false)) => found.finding(&NOT_FORWARDED, by, args()),
        (None, Some(true)) => found.finding(&FORWARDED, by, args()),
        (_, None) => found.unknown(Why::NotObserved {
            what: format!("{asked}: {}", answer.value.status).into(),
        }),
    }
    true
}

/// Whether a workload has answered. Without Envoy's word on it (`proxyHeaders.envoyDebugHeaders` may take it away) only what a gateway itself answers
/// tells that nobody else did; what it says to who does not say who they are, or asks too often, tells nothing.
fn reached(answer: &Response) -> Option<bool> {
    const GATEWAYS_OWN: [u16; 8] = [301, 302, 303, 307, 308, 404, 426, 503];
    match answer {
        Response { upstream: true, .. } => Some(true),
        Response { envoy: true, status, .. } if GATEWAYS_OWN.contains(status) => Some(false),
        _ => None,
    }
}

fn destinations(shares: &[Share]) -> String {
    let name = |share: &Share| match (&*share.destination.host, &*share.destination.subset) {
        (host, "") => host.to_owned(),
        (host, subset) => format!("{host} ({subset})"),
    };
    let all: Vec<String> = shares.iter().map(name).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::{
        inquiry::{Address, Exchange, Reply, Response},
        judge::{
            Found,
            testing::{codes, judged_asking},
        },
    };

    const SYSTEM: &str = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {edge: {hosts: [a.example], gateway: {namespace: g, name: gw}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: gw, namespace: g}, spec: {selector: {istio: gw}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: gw-1, namespace: g, labels: {istio: gw}}, spec: {containers: [{name: istio-proxy}]}, status: {phase: Running, podIP: 10.0.0.2, conditions: [{type: Ready, status: "True"}]}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: gw, namespace: g}, spec: {selector: {istio: gw}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*/a.example"]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: web, namespace: shop}, spec: {hosts: [a.example], gateways: [g/gw],
  http: [{match: [{uri: {exact: /old}}], redirect: {uri: /new}}, {match: [{uri: {prefix: /new}}, {uri: {regex: /x.*}}], route: [{destination: {host: web}}]}]}}
"#;

    fn found(answers: &[(&str, u16, bool)]) -> Found {
        let replies = answers.iter().map(|(path, status, upstream)| {
            let to = Address {
                ip: "10.0.0.2".into(),
                port: 8080,
                name: "a.example".into(),
            };
            let question = Exchange {
                to,
                tls: false,
                path: (*path).into(),
            };
            let response = Response {
                status: *status,
                upstream: *upstream,
                envoy: true,
            };
            (question.into(), Reply::Exchange(response))
        });
        judged_asking("probe_observed", SYSTEM, replies)
    }

    #[test]
    fn each_path_is_tried_and_what_is_not_yet_answered_is_not_known() {
        let all = found(&[("/old", 301, false), ("/new", 401, true)]);
        assert_eq!((codes(&all), all.unknown.len(), all.facts.len()), (vec![], 0, 2));
        assert_eq!(found(&[("/old", 301, false)]).unknown.len(), 1);
    }

    #[test]
    fn an_answer_otherwise_than_the_model_says_is_told() {
        let of = |new: (u16, bool), old: (u16, bool)| {
            codes(&found(&[("/old", old.0, old.1), ("/new", new.0, new.1)]))
        };
        assert_eq!(of((404, false), (301, false)), ["probe-not-forwarded"]);
        assert_eq!(of((200, true), (200, true)), ["probe-forwarded-unexpectedly"]);
        assert_eq!(of((503, true), (301, false)), ["probe-answered-with-failure"]);
        // The application's own failure reached it.
        assert!(of((500, true), (301, false)).is_empty());
    }

    #[test]
    fn without_envoys_word_on_it_an_answer_that_is_no_gateways_own_tells_nothing() {
        let hardened = found(&[("/old", 301, false), ("/new", 200, false)]);
        assert_eq!((codes(&hardened), hardened.unknown.len()), (vec![], 1));
    }

    #[test]
    fn nobody_is_led_elsewhere_by_a_gateway_of_their_own() {
        let other = SYSTEM.replace("gateway: {namespace: g, name: gw}", "gateway: {namespace: g, name: other}");
        let to = Address {
            ip: "10.0.0.2".into(),
            port: 8080,
            name: "a.example".into(),
        };
        let question = Exchange {
            to,
            tls: false,
            path: "/new".into(),
        };
        let response = Response {
            status: 404,
            upstream: false,
            envoy: true,
        };
        let found = judged_asking("probe_observed", &other, [(question.into(), Reply::Exchange(response))]);
        assert_eq!((codes(&found), found.unknown.len(), found.facts.len()), (vec![], 1, 0));
    }

    #[test]
    fn a_gateway_that_wants_to_know_who_asks_tells_nothing() {
        let refused = found(&[("/old", 301, false), ("/new", 403, false)]);
        assert_eq!((codes(&refused), refused.unknown.len()), (vec![], 1));
    }
}
