//! 1.4: the edge's certificates are renewed: their Certificate is ready, and its renewal is not overdue (cert-manager reference, `CertificateStatus`).

use super::handshake_observed;
use crate::{
    Name, Timestamp, Why,
    crossing::{Item, migration::Edge},
    judge::{Check, Code, FactSource, Found, World, ask, edge, steady},
    mesh::{
        Decider,
        gateway::{names, servers},
    },
    object::{Kind, Object},
};
use std::collections::BTreeSet;

const NOT_READY: Code = Code::error("certificate-not-ready").state();
const OVERDUE: Code = Code::error("certificate-renewal-overdue").state();
const LATE: Code = Code::warning("certificate-near-its-end").state();

pub(super) const CHECK: Check = Check {
    name: "certificate_renewal",
    item: Item::Certified,
    codes: &[&NOT_READY, &OVERDUE, &LATE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let Some(edge) = world.declared(found, "edge", |it| it.edge.as_ref()) else {
        return;
    };
    if !world.running(found) {
        return;
    }
    found.unknowns(world.objects.gap(Kind::Certificate));
    let secrets = secrets(world, &edge.hosts);
    let mut any = false;
    for certificate in world.objects.of_kind(Kind::Certificate) {
        if secrets.contains(certificate.text("/spec/secretName")) {
            any = true;
            one(world.now, certificate, found);
        }
    }
    if !any {
        for host in &edge.hosts {
            renewed(world, edge, host, found);
        }
    }
}

/// Where nobody says who renews, a renewal that was seen shows that somebody does: an earlier signature was given for a certificate of the host that ends
/// before those that its pods present now.
fn renewed(world: &World<'_>, edge: &Edge, host: &Name, found: &mut Found) {
    let facts = world.ledger.evidence.iter().flat_map(|it| &it.spec.facts);
    let signed = facts
        .filter(|it| *it.name == *handshake_observed::PRESENTED_UNTIL && it.path == *host)
        .filter_map(|it| it.value.parse::<Timestamp>().ok());
    match (signed.min(), handshake_observed::first_end(world, edge, host)) {
        (Some(before), Some((first, at))) if before < first => {
            let Some(declared) = ask::declared_at(world, "/spec/edge/hosts") else {
                return;
            };
            let seen = format!("{host}: {before} → {first}");
            found.learned("certificate-renewed", FactSource::Probe, &declared, seen, at);
        }
        _ => found.unknown(Why::NotObserved {
            what: format!("{host}: certificate renewal").into(),
        }),
    }
}

/// Names of the Secrets that gateways and Ingresses serve the hosts with.
fn secrets(world: &World<'_>, hosts: &[Name]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for host in hosts {
        for server in world.objects.of_kind(Kind::Gateway).flat_map(servers) {
            let bare = server.hosts.iter().map(|it| it.split_once('/').map_or(&**it, |(_, name)| name));
            if names::envoy_host(host, bare).is_some() {
                found.extend(server.tls.iter().flat_map(|it| &it.credentials).map(ToString::to_string));
            }
        }
        for (ingress, _) in edge::ingresses(world, host) {
            let own = ingress.tls.iter().filter(|(it, _)| it == host);
            found.extend(own.map(|(_, secret)| secret.to_string()));
        }
    }
    found.remove("");
    found
}

fn one(now: Timestamp, certificate: &Object, found: &mut Found) {
    let name = &*certificate.key().name;
    let at = |field: &str| -> Option<Timestamp> { certificate.text(&format!("/status/{field}")).parse().ok() };
    let conditions = certificate.list("/status/conditions");
    let ready = conditions.iter().find(|it| it.get("type").and_then(|it| it.as_str()) == Some("Ready"));
    let text = |field: &str| ready.and_then(|it| it.get(field)?.as_str()).unwrap_or("");
    if text("status") != "True" {
        let since: Option<Timestamp> = text("lastTransitionTime").parse().ok();
        if since.is_some_and(|since| steady::recent(now, since)) {
            found.unknown(steady::not_yet());
            return;
        }
        let args = [("certificate", name.into()), ("reason", text("reason").to_owned().into())];
        found.finding(&NOT_READY, Decider::of(certificate, "/status/conditions"), args);
        return;
    }
    let Some(end) = at("notAfter") else {
        found.unknown(Why::NotObserved {
            what: format!("notAfter of {name}").into(),
        });
        return;
    };
    found.saw("certificate-ends", certificate, "/status/notAfter", end.to_string());
    let args = || [("certificate", name.into()), ("end", end.to_string().into())];
    // An hour is enough for cert-manager to begin.
    if at("renewalTime").is_some_and(|due| now.duration_since(due).as_secs() > 3_600) {
        found.finding(&OVERDUE, Decider::of(certificate, "/status/renewalTime"), args());
    } else if let Some(begin) = at("notBefore") {
        let (life, left) = (end.duration_since(begin).as_secs(), end.duration_since(now).as_secs());
        if left * 3 < life {
            found.finding(&LATE, Decider::of(certificate, "/status/notAfter"), args());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        inquiry::{Address, Certificate, Chain, Reply},
        judge::testing::{codes, judged, judged_asking, judged_running},
    };

    fn world(secret: &str, ready: &str, since: &str, renewal: &str, end: &str) -> String {
        format!(
            "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{edge: {{hosts: [a.example]}}}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{selector: {{istio: gw}}, servers: [{{port: {{number: 443, name: https, protocol: HTTPS}}, hosts: [a.example], tls: {{mode: SIMPLE, credentialName: c}}}}]}}\n---\n\
             apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {{name: c, namespace: shop}}\nspec: {{secretName: {secret}}}\n\
             status: {{notBefore: '2025-11-01T00:00:00Z', notAfter: '{end}', renewalTime: '{renewal}', conditions: [{{type: Ready, status: '{ready}', reason: X, lastTransitionTime: '{since}'}}]}}\n"
        )
    }

    const LONG_AGO: &str = "2025-11-01T00:00:00Z";
    const LATER: &str = "2026-03-01T00:00:00Z";
    const END: &str = "2026-04-01T00:00:00Z";

    fn found(ready: &str, since: &str, renewal: &str, end: &str) -> (Vec<&'static str>, usize) {
        let found = judged_running("certificate_renewal", &world("c", ready, since, renewal, end));
        (codes(&found), found.unknown.len())
    }

    #[test]
    fn a_certificate_is_ready_and_renewed_in_time() {
        assert_eq!(found("True", LONG_AGO, LATER, END), (vec![], 0));
        assert_eq!(found("False", LONG_AGO, LATER, END), (vec!["certificate-not-ready"], 0));
        assert_eq!(found("False", "2026-01-01T11:55:00Z", LATER, END), (vec![], 1));
        assert_eq!(
            found("True", LONG_AGO, "2025-12-01T00:00:00Z", END),
            (vec!["certificate-renewal-overdue"], 0)
        );
        assert_eq!(
            found("True", LONG_AGO, "2026-01-10T00:00:00Z", "2026-01-20T00:00:00Z"),
            (vec!["certificate-near-its-end"], 0)
        );
    }

    #[test]
    fn others_are_not_asked_and_files_do_not_tell() {
        let other = judged_running("certificate_renewal", &world("other", "False", LONG_AGO, LATER, END));
        assert!(other.findings.is_empty() && other.unknown.len() == 1);
        let files = judged("certificate_renewal", &world("c", "False", LONG_AGO, LATER, END));
        assert!(files.findings.is_empty() && files.unknown.len() == 1);
    }

    #[test]
    fn a_renewal_that_was_seen_shows_that_somebody_renews() {
        let system = |signed: &str| {
            format!(
                r#"
{{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {{name: m}}, spec: {{edge: {{hosts: [a.example], tls: terminate, ingress: {{namespace: i, name: nginx}}}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: nginx, namespace: i}}, spec: {{selector: {{app: nginx}}, ports: [{{port: 443, targetPort: 8443}}]}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: nginx, namespace: i, labels: {{app: nginx}}}}, spec: {{containers: [{{name: c}}]}}, status: {{phase: Running, conditions: [{{type: Ready, status: "True"}}], podIP: 10.0.0.1}}}}
---
{{apiVersion: naru.dev/v1alpha1, kind: Evidence, metadata: {{name: e, uid: u}}, spec: {{item: "1.4", verdict: unknown, findings: [], unknown: [], policies: [], at: "2025-12-29T00:00:00Z",
  facts: [{{name: certificate-presented-until, source: probe, object: {{kind: Pod, namespace: i, name: old}}, path: a.example, value: "{signed}", at: "2025-12-29T00:00:00Z", resourceVersion: ""}}]}}}}
"#
            )
        };
        let address = Address {
            ip: "10.0.0.1".into(),
            port: 8443,
            name: "a.example".into(),
        };
        let certificate = Certificate {
            subject: "a".into(),
            issuer: "b".into(),
            serial: "1".into(),
            names: vec![],
            from: LONG_AGO.parse().unwrap(),
            until: END.parse().unwrap(),
        };
        let chain = Chain {
            certificates: vec![certificate],
        };
        let found = |signed: &str| {
            let reply = [(address.clone().into(), Reply::Address(chain.clone()))];
            let found = judged_asking("certificate_renewal", &system(signed), reply);
            (found.facts.len(), found.unknown.len())
        };
        assert_eq!(found("2026-01-20T00:00:00Z"), (1, 0));
        // The same certificate still.
        assert_eq!(found(END), (0, 1));
        let unasked = judged_asking("certificate_renewal", &system("2026-01-20T00:00:00Z"), []);
        assert_eq!(unasked.unknown.len(), 1);
    }
}
