//! What a caller's side sends.

use super::{Cause, Mode, Sends, Sent, Server, server};
use crate::{
    Why,
    fact::Service,
    mesh::{
        Decider, Mesh, Proxy, Role, host,
        route::ChosenDestination,
        subset::{self, Balancing, Effective, Part, Parts, Setting, Tls},
    },
    object::Kind,
    traffic::ServiceId,
};

/// What a caller (None: without a sidecar) sends to a pod behind a destination. A DestinationRule's `tls` decides; where none says
/// anything, mutual TLS is automatic. (`buildUpstreamTLSSettings`, `applyUpstreamTLSSettings` in istio's `pilot/pkg/networking/core`,
/// `checkMtlsEnabled` in `pilot/pkg/xds/endpoints`.)
pub(super) fn sent(
    mesh: &Mesh<'_>,
    client: Option<&Proxy>,
    to: &ChosenDestination,
    server: &Server,
) -> Result<Sent, Vec<Why>> {
    let Some(client) = client else {
        return Ok(plaintext(Cause::NoProxy, None));
    };
    let (id, service) = service(mesh, to)?;
    let rule = subset::destination_rule(mesh, client, &to.host)?;
    let parts = subset::parts(mesh, rule.as_ref(), &to.subset, to.port).ok_or_else(|| {
        vec![Why::NotJudged {
            what: format!("subset {}", to.subset).into(),
        }]
    })?;
    if let Some(tls) = subset::tls_of(&parts) {
        return Ok(by_rule(client, rule.as_ref(), &parts, tls));
    }
    automatic(&Call {
        mesh,
        client,
        to,
        id: &id,
        service,
        rule: rule.as_ref(),
        parts: &parts,
        server,
    })
}

fn plaintext(cause: Cause, decider: Option<Decider>) -> Sent {
    Sent {
        sends: Sends::Plaintext,
        cause,
        decider,
    }
}

fn mutual(cause: Cause, decider: Option<Decider>) -> Sent {
    Sent {
        sends: Sends::Mutual,
        cause,
        decider,
    }
}

fn service<'m>(mesh: &'m Mesh<'_>, to: &ChosenDestination) -> Result<(ServiceId, &'m Service), Vec<Why>> {
    if let Some(gap) = mesh.objects.gap(Kind::Service) {
        return Err(vec![gap]);
    }
    let not_judged = |what: String| vec![Why::NotJudged { what: what.into() }];
    let id = host::service_of(&to.host).ok_or_else(|| not_judged("ServiceEntry".into()))?;
    let found = mesh.objects.service(&id.namespace, &id.name);
    let service = found.ok_or_else(|| not_judged(format!("Service {}/{}", id.namespace, id.name)))?;
    if service.external_name.is_empty() {
        Ok((id, service))
    } else {
        Err(not_judged(format!(
            "Service {}/{}: externalName",
            id.namespace, id.name
        )))
    }
}

fn by_rule(client: &Proxy, rule: Option<&Effective<'_>>, parts: &Parts<'_>, tls: Setting<Tls>) -> Sent {
    let sends = match tls.value {
        Tls::IstioMutual => Sends::Mutual,
        Tls::Disable => Sends::Plaintext,
        // Istio does not hand secrets to sidecars unless the rule picks them by labels: it leaves the TLS out.
        Tls::Simple | Tls::Mutual
            if client.role == Role::Sidecar && secret(parts) && !rule.is_some_and(Effective::selects) =>
        {
            Sends::Plaintext
        }
        Tls::Simple => Sends::Tls { certificate: false },
        Tls::Mutual => Sends::Tls { certificate: true },
    };
    Sent {
        sends,
        cause: Cause::DestinationRule,
        decider: tls.decider,
    }
}

fn secret(parts: &Parts<'_>) -> bool {
    let name = parts.tls.as_ref().and_then(|tls| tls.at("/credentialName"));
    let name = name.and_then(|name| name.value.as_str());
    name.is_some_and(|name| !name.is_empty() && !name.starts_with("configmap://"))
}

/// A call where no DestinationRule says anything about TLS.
struct Call<'m, 'a> {
    mesh: &'m Mesh<'a>,
    client: &'m Proxy,
    to: &'m ChosenDestination,
    id: &'m ServiceId,
    service: &'m Service,
    rule: Option<&'m Effective<'m>>,
    parts: &'m Parts<'m>,
    server: &'m Server,
}

fn automatic(call: &Call<'_, '_>) -> Result<Sent, Vec<Why>> {
    let mesh = call.mesh;
    if !mesh.config.auto_mtls {
        let decider = Decider {
            key: subset::mesh_config(),
            path: "/data/mesh".into(),
        };
        return Ok(plaintext(Cause::AutoMtlsOff, Some(decider)));
    }
    if addressed_by_workload(call) && !all_speak_mutual_tls(call)? {
        return Ok(plaintext(Cause::NoServerProxy, None));
    }
    if let Some((Mode::Disable, decider)) = server::namespace_mode(mesh, &call.id.namespace)? {
        return Ok(plaintext(Cause::PeerAuthentication, decider));
    }
    let balancing = subset::balancing(call.parts.balancer.as_ref()).value;
    if headless(call) || balancing == Balancing::Passthrough {
        // Such a cluster has no endpoints of its own that could be told apart.
        return Ok(mutual(Cause::Automatic, None));
    }
    let marked = call
        .rule
        .and_then(|rule| subset::endpoint_tls(rule, &call.to.subset, call.to.port));
    if let Some(tls) = marked {
        return Ok(match tls.value {
            Tls::IstioMutual => mutual(Cause::DestinationRule, tls.decider),
            _ => plaintext(Cause::DestinationRule, tls.decider),
        });
    }
    if !subset::speaks_mutual_tls(&call.server.pod.labels) {
        return Ok(plaintext(Cause::NoServerProxy, None));
    }
    let composed = server::composed(mesh, &call.server.pod)?;
    let (mode, decider) = match call.server.port {
        Some(port) => composed.at(port),
        None => composed.anywhere()?,
    };
    Ok(match mode {
        Mode::Disable => plaintext(Cause::PeerAuthentication, decider),
        Mode::Strict | Mode::Permissive => mutual(Cause::Automatic, None),
    })
}

/// A sidecar sends to the address that its workload has chosen; a gateway's proxy chooses for itself.
fn headless(call: &Call<'_, '_>) -> bool {
    call.service.headless && call.client.role == Role::Sidecar
}

/// For calls by address Istio judges the service as a whole. It looks at the rule's own `loadBalancer`, or the subset's own, and at
/// neither's settings of ports. (`BestEffortInferServiceMTLSMode` in istio's `pilot/pkg/model/push_context.go`.)
fn addressed_by_workload(call: &Call<'_, '_>) -> bool {
    let policy = call.rule.and_then(|rule| {
        if call.to.subset.is_empty() {
            rule.policy.as_ref()
        } else {
            rule.subset(&call.to.subset)?.policy.as_ref()
        }
    });
    let balancer: Option<Part<'_>> = policy.and_then(|policy| policy.at("/loadBalancer"));
    call.service.headless || subset::balancing(balancer.as_ref()).value == Balancing::Passthrough
}

/// Whether no endpoint of the service's port, ready or not, is without TLS; not so if there are none.
fn all_speak_mutual_tls(call: &Call<'_, '_>) -> Result<bool, Vec<Why>> {
    let kinds = [Kind::Pod, Kind::EndpointSlice];
    let gaps: Vec<Why> = kinds
        .iter()
        .filter_map(|&kind| call.mesh.objects.gap(kind))
        .collect();
    if !gaps.is_empty() {
        return Err(gaps);
    }
    let Some(port) = call.service.ports.iter().find(|port| port.port == call.to.port) else {
        return Ok(false);
    };
    let endpoints = subset::all(call.mesh, call.id, port);
    Ok(!endpoints.is_empty()
        && endpoints.iter().all(|endpoint| {
            let labels = endpoint.pod.as_ref().map(|pod| &pod.labels);
            labels.is_some_and(|labels| subset::tls_mode(labels) != "disabled")
        }))
}
