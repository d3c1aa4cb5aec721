//! 1.4: what only a handshake shows: the certificates that each pod presents for the name, and how long they live. Each pod is asked by itself: one
//! that did not take the new certificate hides behind those that did.

use crate::{
    Timestamp, Why,
    crossing::{
        Item,
        migration::{Edge, Tls},
    },
    fact::Pod,
    inquiry::{Address, Certificate, Chain},
    judge::{Check, Code, FactSource, Found, World, ask, door},
    mesh::{Decider, gateway::{Mode, names}, host},
    object::{Key, Kind},
    traffic::ServiceId,
};
use std::collections::BTreeSet;

const OTHER_NAME: Code = Code::error("certificate-for-another-name");
const NOT_IN_FORCE: Code = Code::error("certificate-not-in-force");
const OLD: Code = Code::error("certificate-last-third").state();
const DIFFER: Code = Code::warning("certificates-differ");

/// The fact by which a later certificate is known to be another.
pub(super) const PRESENTED_UNTIL: &str = "certificate-presented-until";

pub(super) const CHECK: Check = Check {
    name: "handshake_observed",
    item: Item::Certified,
    codes: &[&OTHER_NAME, &NOT_IN_FORCE, &OLD, &DIFFER],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let edge = world.declared(found, "edge", |it| it.edge.as_ref());
    let Some(edge) = edge.filter(|_| world.running(found)) else {
        return;
    };
    let Some(tls) = edge.tls else {
        return found.unknown(Why::NotDeclared {
            field: "edge.tls".into(),
        });
    };
    let ingress = if tls == Tls::Passthrough {
        Vec::new()
    } else {
        at_ingress(world, edge, found)
    };
    for name in &edge.hosts {
        let mut serials = BTreeSet::new();
        if tls != Tls::Passthrough {
            let places = &ingress;
            presented(world, name, places, &mut serials, found);
        }
        if tls != Tls::Terminate {
            let places = at_gateway(world, edge, name, found);
            // Behind an ingress that ends TLS the gateway may well present another.
            let mut own = BTreeSet::new();
            let serials = if tls == Tls::Passthrough { &mut serials } else { &mut own };
            presented(world, name, &places, serials, found);
        }
    }
}

/// The earliest end of the certificates that the outside is shown for a name, and when that was seen; None while a pod has not answered.
pub(super) fn first_end(world: &World<'_>, edge: &Edge, name: &crate::Name) -> Option<(Timestamp, Timestamp)> {
    // What cannot be known is noted where it is judged.
    let quietly = &mut Found::default();
    let places = match edge.tls? {
        Tls::Passthrough => at_gateway(world, edge, name, quietly),
        Tls::Terminate | Tls::ReEncrypt => at_ingress(world, edge, quietly),
    };
    let end = |(pod, port): &At<'_>| {
        let chain = world.ask(&address(pod, *port, name), &mut Found::default())?;
        Some((chain.value.certificates.first()?.until, chain.at))
    };
    let ends: Option<Vec<_>> = places.iter().map(end).collect();
    ends?.into_iter().min()
}

fn address(pod: &Pod, port: u16, name: &crate::Name) -> Address {
    Address {
        ip: pod.ip.clone(),
        port,
        name: name.clone(),
    }
}

/// A pod, and the port at which it is shaken hands with.
type At<'w> = (&'w Pod, u16);

/// The pods of the old ingress, at the port behind its Service's 443.
fn at_ingress<'w>(world: &'w World<'_>, edge: &Edge, found: &mut Found) -> Vec<At<'w>> {
    let Some(ingress) = &edge.ingress else {
        found.unknown(Why::NotDeclared {
            field: "edge.ingress".into(),
        });
        return Vec::new();
    };
    let id = (ingress.namespace.clone(), ingress.name.clone());
    let pods = ask::pods(world, &id).into_iter().filter(|it| it.ready);
    let ports = |pod: &Pod| {
        let services = world.objects.services.values().filter(|it| {
            it.namespace == pod.namespace && crate::workload::selects(&it.selector, &pod.labels)
        });
        let https = services.flat_map(|it| &it.ports).find(|it| it.port == 443 || &*it.name == "https");
        https.map(|it| (it.target.clone(), it.port))
    };
    let mut places = Vec::new();
    for pod in pods {
        let Some((target, port)) = ports(pod) else { continue };
        match door::listens(world, pod, &target, port) {
            Some(port) => places.push((&**pod, port)),
            None => found.unknown(Why::NotObserved {
                what: format!("{}/{}: {target}", pod.namespace, pod.name).into(),
            }),
        }
    }
    if places.is_empty() {
        found.unknown(Why::NotObserved {
            what: format!("{ingress}: 443").into(),
        });
    }
    places
}

/// The pods of gateways that end TLS for the name.
fn at_gateway<'w>(world: &'w World<'_>, edge: &Edge, name: &str, found: &mut Found) -> Vec<At<'w>> {
    let Some(service) = edge.gateway.as_ref() else {
        found.unknown(Why::NotDeclared {
            field: "edge.gateway".into(),
        });
        return Vec::new();
    };
    let id = ServiceId {
        namespace: service.namespace.clone(),
        name: service.name.clone(),
    };
    let mut places: Vec<At<'w>> = Vec::new();
    for door in world.doors(found) {
        let ends = |mode| matches!(mode, Mode::Simple | Mode::Mutual | Mode::OptionalMutual);
        let named = door.server.sni().iter().any(|it| names::subset_of(name, it));
        let tls = door.server.tls.as_ref().is_some_and(|it| ends(it.mode));
        if named && tls && !places.contains(&(door.pod, door.port)) {
            places.push((door.pod, door.port));
        }
    }
    if places.is_empty() {
        found.unknown(Why::NotObserved {
            what: format!("{}: TLS {name}", host::of_service(&id)).into(),
        });
    }
    places
}

fn presented(
    world: &World<'_>,
    name: &crate::Name,
    places: &[At<'_>],
    serials: &mut BTreeSet<crate::Name>,
    found: &mut Found,
) {
    for (pod, port) in places {
        let Some(chain) = world.ask(&address(pod, *port, name), found) else {
            continue;
        };
        let by = Decider {
            key: Key::new(Kind::Pod, pod.namespace.clone(), pod.name.clone()),
            path: "".into(),
        };
        one(world.now, name, chain.value, chain.at, &by, found);
        let first = chain.value.certificates.first();
        let serial = first.map(|it| it.serial.clone());
        if serial.is_some_and(|it| serials.insert(it)) && serials.len() == 2 {
            found.finding(&DIFFER, by, [("name", (**name).into())]);
        }
    }
}

fn one(now: Timestamp, name: &str, chain: &Chain, at: Timestamp, by: &Decider, found: &mut Found) {
    let Some(first) = chain.certificates.first() else {
        return found.unknown(Why::NotObserved {
            what: format!("TLS {name}").into(),
        });
    };
    let pod = || format!("{}/{}", by.key.namespace, by.key.name).into();
    if !first.names.iter().any(|it| is_for(it, name)) {
        let names = first.names.join(", ");
        let args = [("name", name.into()), ("names", names.into()), ("pod", pod())];
        found.finding(&OTHER_NAME, by.clone(), args);
        return;
    }
    for (index, certificate) in chain.certificates.iter().enumerate() {
        let args = || {
            [
                ("subject", (*certificate.subject).to_owned().into()),
                ("begin", certificate.from.to_string().into()),
                ("end", certificate.until.to_string().into()),
                ("pod", pod()),
            ]
        };
        if now < certificate.from || now >= certificate.until {
            found.finding(&NOT_IN_FORCE, by.clone(), args());
        } else if index == 0 && in_last_third(now, certificate) {
            found.finding(&OLD, by.clone(), args());
        }
    }
    let seen = format!("{name}: {}", first.subject);
    found.learned("certificate-presented", FactSource::Probe, by, seen, at);
    // By the name that was asked for, so that it is found again when the pods are others.
    let asked = Decider {
        key: by.key.clone(),
        path: name.into(),
    };
    found.learned(PRESENTED_UNTIL, FactSource::Probe, &asked, first.until.to_string(), at);
}

/// Where renewal works, a certificate never gets so old: cert-manager begins to renew at two thirds (its documentation, `renewBefore`), as ACME clients do;
/// a day, or a twentieth of its life if that is less, is left for it to be done. Authorities in between live by a schedule of their own.
fn in_last_third(now: Timestamp, certificate: &Certificate) -> bool {
    let life = certificate.until.duration_since(certificate.from).as_secs();
    let grace = (life / 20).min(86_400);
    (certificate.until.duration_since(now).as_secs() + grace) * 3 < life
}

/// Whether a name of a certificate is for a host: a wildcard stands for exactly one label, the first (RFC 9525 §6.3).
fn is_for(pattern: &str, host: &str) -> bool {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    match pattern.strip_prefix("*.") {
        Some(parent) => host
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && same(parent, rest)),
        None => same(pattern, host),
    }
}

#[cfg(test)]
mod tests {
    use super::is_for;
    use crate::{
        inquiry::{Address, Certificate, Chain, Reply},
        judge::testing::{codes, judged_asking},
    };

    fn system(tls: &str) -> String {
        format!(
            r#"
{{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {{name: m}}, spec: {{edge: {{hosts: [a.example], tls: {tls}, ingress: {{namespace: i, name: nginx}}, gateway: {{namespace: g, name: gw}}}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: nginx, namespace: i}}, spec: {{selector: {{app: nginx}}, ports: [{{port: 443, targetPort: https}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: nginx, namespace: i}}, spec: {{replicas: 0, template: {{metadata: {{labels: {{app: nginx}}}}, spec: {{containers: [{{name: c, ports: [{{name: https, containerPort: 8443}}]}}]}}}}}}}}
---
{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: nginx-7f, namespace: i, ownerReferences: [{{kind: Deployment, name: nginx, controller: true}}]}}, spec: {{replicas: 0}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: nginx-1, namespace: i, labels: {{app: nginx}}, ownerReferences: [{{kind: ReplicaSet, name: nginx-7f, controller: true}}]}}, spec: {{containers: [{{name: c}}]}}, status: {{phase: Running, conditions: [{{type: Ready, status: "True"}}], podIP: 10.0.0.1}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: gw, namespace: g}}, spec: {{selector: {{istio: gw}}, ports: [{{port: 443, targetPort: 9443}}]}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: gw-1, namespace: g, labels: {{istio: gw}}}}, spec: {{containers: [{{name: istio-proxy}}]}}, status: {{phase: Running, conditions: [{{type: Ready, status: "True"}}], podIP: 10.0.0.2}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: gw-2, namespace: g, labels: {{istio: gw}}}}, spec: {{containers: [{{name: istio-proxy}}]}}, status: {{phase: Running, conditions: [{{type: Ready, status: "True"}}], podIP: 10.0.0.3}}}}
---
{{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {{name: gw, namespace: g}}, spec: {{selector: {{istio: gw}}, servers: [{{port: {{number: 443, name: https, protocol: HTTPS}}, hosts: ["*.example"], tls: {{mode: SIMPLE, credentialName: c}}}}]}}}}
"#
        )
    }

    fn chain(serial: &str, name: &str, from: &str, until: &str) -> Chain {
        Chain {
            certificates: vec![Certificate {
                subject: name.into(),
                issuer: "CA".into(),
                serial: serial.into(),
                names: vec![name.into()],
                from: format!("{from}T00:00:00Z").parse().unwrap(),
                until: format!("{until}T00:00:00Z").parse().unwrap(),
            }],
        }
    }

    fn found(tls: &str, replies: &[(&str, u16, Chain)]) -> (Vec<&'static str>, usize, usize) {
        let replies = replies.iter().map(|(ip, port, chain)| {
            let address = Address {
                ip: (*ip).into(),
                port: *port,
                name: "a.example".into(),
            };
            (address.into(), Reply::Address(chain.clone()))
        });
        let found = judged_asking("handshake_observed", &system(tls), replies);
        (codes(&found), found.facts.len(), found.unknown.len())
    }

    #[test]
    fn tls_is_begun_where_it_ends() {
        let good = || chain("1", "*.example", "2025-12-01", "2026-03-01");
        let nginx = ("10.0.0.1", 8443, good());
        let gateway = [("10.0.0.2", 9443, good()), ("10.0.0.3", 9443, good())];
        assert_eq!(found("terminate", std::slice::from_ref(&nginx)), (vec![], 2, 0));
        assert_eq!(found("terminate", &gateway), (vec![], 0, 1));
        assert_eq!(found("passthrough", &gateway), (vec![], 4, 0));
        let [first, second] = gateway;
        assert_eq!(found("passthrough", std::slice::from_ref(&first)), (vec![], 2, 1));
        assert_eq!(found("re-encrypt", &[nginx, first, second]), (vec![], 6, 0));
    }

    #[test]
    fn names_and_dates_are_looked_at() {
        for (chain, code) in [
            (chain("1", "b.example", "2025-12-01", "2026-03-01"), "certificate-for-another-name"),
            (chain("1", "a.example", "2025-01-01", "2025-12-31"), "certificate-not-in-force"),
            (chain("1", "a.example", "2026-01-02", "2026-03-01"), "certificate-not-in-force"),
            (chain("1", "a.example", "2025-10-10", "2026-01-30"), "certificate-last-third"),
        ] {
            assert_eq!(found("terminate", &[("10.0.0.1", 8443, chain)]).0, [code]);
        }
    }

    #[test]
    fn an_authority_in_between_lives_by_a_schedule_of_its_own() {
        let mut chain = chain("1", "a.example", "2025-12-01", "2026-03-01");
        let mut between = chain.certificates[0].clone();
        between.from = "2023-02-01T00:00:00Z".parse().unwrap();
        chain.certificates.push(between);
        assert!(found("terminate", &[("10.0.0.1", 8443, chain)]).0.is_empty());
    }

    #[test]
    fn a_pod_with_another_certificate_is_told() {
        let of = |serial| chain(serial, "a.example", "2025-12-01", "2026-03-01");
        let both = [("10.0.0.2", 9443, of("1")), ("10.0.0.3", 9443, of("2"))];
        assert_eq!(found("passthrough", &both).0, ["certificates-differ"]);
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        for (pattern, host, fits) in [
            ("a.example", "A.example", true),
            ("*.example", "a.example", true),
            ("*.example", "b.a.example", false),
            ("*.example", "example", false),
            ("*", "example", false),
        ] {
            assert_eq!(is_for(pattern, host), fits, "{pattern} {host}");
        }
    }
}
