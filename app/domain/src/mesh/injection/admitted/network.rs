//! Whether NetworkPolicies let the proxy do its work.

use super::{Admitted, Case, Code, Severity, Topic};
use crate::{
    fact::Labels,
    mesh::{Decider, injection::selector, unjudged::named},
    object::{Kind, Object},
};
use serde_json::Value;

/// What policies say about one connection.
enum Verdict {
    Open,
    Blocked(Decider),
    Unknown(crate::Why),
}

/// The other end of a connection.
struct Peer<'a> {
    namespace: &'a str,
    namespace_labels: Option<&'a Labels>,
    labels: &'a Labels,
}

pub(super) fn judge(case: &Case<'_>, found: &mut Admitted) {
    if let Some(why) = case.mesh.objects.gap(Kind::NetworkPolicy) {
        return found.unknown(Topic::NetworkPolicy, why);
    }
    let owner = &case.template.owner;
    let pod = &case.template.pod.labels;
    let services = case.revision.iter().flat_map(|it| case.injectors.services(it));
    let istiods: Vec<_> = services
        .filter_map(|(namespace, name)| {
            let service = case.mesh.objects.service(&namespace, &name)?;
            Some((namespace, service.selector.clone()))
        })
        .collect();
    let peer = |namespace: &'_ str| {
        super::namespace_of(case.mesh, namespace)
            .ok()
            .map(|it| &it.labels)
    };
    let mut tell = |verdict: Verdict, severity, code| match verdict {
        Verdict::Open => {}
        Verdict::Blocked(by) => found.concern(severity, code, by),
        Verdict::Unknown(why) => found.unknown(Topic::NetworkPolicy, why),
    };
    for (namespace, labels) in &istiods {
        let to = Peer {
            namespace,
            namespace_labels: peer(namespace),
            labels,
        };
        let out = verdict(case, "egress", &owner.namespace, pod, Some(&to), 15012);
        tell(out, Severity::Stops, Code::EgressBlocked { port: 15012 });
        let from = Peer {
            namespace: &owner.namespace,
            namespace_labels: peer(&owner.namespace),
            labels: pod,
        };
        let into = verdict(case, "ingress", namespace, labels, Some(&from), 15012);
        tell(into, Severity::Stops, Code::IngressBlocked { port: 15012 });
        // The API server comes from outside the pods' network: any peer may be it.
        let webhook = verdict(case, "ingress", namespace, labels, None, 15017);
        tell(webhook, Severity::Stops, Code::IngressBlocked { port: 15017 });
    }
    if istiods.is_empty() && selecting(case, "egress", &owner.namespace, pod).next().is_some() {
        tell(
            Verdict::Unknown(super::not_judged("istiod")),
            Severity::Stops,
            Code::EgressBlocked { port: 15012 },
        );
    }
    // Scrapes come on one or the other, by whether metrics are merged; the kubelet's probes are let in from the pod's own node.
    for port in [15020, 15090] {
        let scrape = verdict(case, "ingress", &owner.namespace, pod, None, port);
        tell(scrape, Severity::Notes, Code::IngressBlocked { port });
    }
}

/// Policies of a namespace that select the pod for a direction. Without `policyTypes` each is for ingress, and for egress if it has such rules.
fn selecting<'c>(
    case: &'c Case<'_>,
    direction: &'c str,
    namespace: &'c str,
    pod: &'c Labels,
) -> impl Iterator<Item = &'c Object> {
    case.objects_in(Kind::NetworkPolicy, namespace).filter(move |it| {
        let types = it.list("/spec/policyTypes");
        let named = types
            .iter()
            .any(|it| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case(direction)));
        let meant = types.is_empty() && (direction == "ingress" || !it.list("/spec/egress").is_empty());
        (named || meant)
            && selector::matches(it.get("/spec/podSelector"), |name| {
                pod.get(name).map(|value| &**value)
            }) == Some(true)
    })
}

/// What selects the pod isolates it; each rule of any policy opens. Without a `peer` whichever peer a rule opens to will do.
fn verdict(
    case: &Case<'_>,
    direction: &str,
    namespace: &str,
    pod: &Labels,
    peer: Option<&Peer<'_>>,
    port: u16,
) -> Verdict {
    let mut first = None;
    let mut doubt = None;
    for policy in selecting(case, direction, namespace, pod) {
        first.get_or_insert(Decider::of(policy, format!("/spec/{direction}")));
        for rule in policy.list(&format!("/spec/{direction}")) {
            let side = if direction == "egress" { "to" } else { "from" };
            match (
                opens_port(rule, port),
                peer.map_or(Some(true), |peer| opens_peer(rule, side, policy, peer)),
            ) {
                (Some(true), Some(true)) => return Verdict::Open,
                (Some(false), _) | (_, Some(false)) => {}
                _ => doubt = Some(named(policy)),
            }
        }
    }
    match (doubt, first) {
        (Some(why), _) => Verdict::Unknown(why),
        (None, Some(by)) => Verdict::Blocked(by),
        (None, None) => Verdict::Open,
    }
}

/// None for a port by name, which the other end's containers would have to tell.
fn opens_port(rule: &Value, port: u16) -> Option<bool> {
    let ports = rule
        .get("ports")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if ports.is_empty() {
        return Some(true);
    }
    let mut doubt = false;
    for it in ports {
        if it
            .get("protocol")
            .and_then(Value::as_str)
            .is_some_and(|it| it != "TCP")
        {
            continue;
        }
        let first = it.get("port");
        let last = it.get("endPort").and_then(Value::as_u64);
        match first.map(|it| it.as_u64()) {
            None => return Some(true),
            Some(Some(first)) if (first..=last.unwrap_or(first)).contains(&u64::from(port)) => {
                return Some(true);
            }
            Some(Some(_)) => {}
            Some(None) => doubt = true,
        }
    }
    (!doubt).then_some(false)
}

/// None for blocks of addresses other than all of them, and for namespaces that are not known.
fn opens_peer(rule: &Value, side: &str, policy: &Object, peer: &Peer<'_>) -> Option<bool> {
    let peers = rule
        .get(side)
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if peers.is_empty() {
        return Some(true);
    }
    let mut doubt = false;
    for it in peers {
        if let Some(block) = it.get("ipBlock") {
            let cidr = block.get("cidr").and_then(Value::as_str);
            let all = matches!(cidr, Some("0.0.0.0/0")) && block.get("except").is_none();
            if all {
                return Some(true);
            }
            doubt = true;
            continue;
        }
        let near = match (it.get("namespaceSelector"), peer.namespace_labels) {
            (None, _) => Some(*policy.key().namespace == *peer.namespace),
            (Some(selector), Some(labels)) => selector::matches(Some(selector), |name| match name {
                "kubernetes.io/metadata.name" => Some(peer.namespace),
                name => labels.get(name).map(|value| &**value),
            }),
            (Some(selector), None) if selector::is_empty(selector) => Some(true),
            (Some(_), None) => None,
        };
        let here = selector::matches(it.get("podSelector"), |name| {
            peer.labels.get(name).map(|value| &**value)
        });
        match (near, here) {
            (Some(true), Some(true)) => return Some(true),
            (Some(false), _) | (_, Some(false)) => {}
            _ => doubt = true,
        }
    }
    (!doubt).then_some(false)
}
