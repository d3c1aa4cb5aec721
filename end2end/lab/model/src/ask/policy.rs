//! `subset::policy`: the traffic policy in effect.

use crate::{Answer, Case, Document};
use anyhow::Result;
use naru_domain::mesh::{
    Mesh, Proxy, host,
    mtls::{Sends, modes},
    route::ChosenDestination,
    subset::{Balancing, Tls, policy},
};
use naru_domain::traffic::ServiceId;

pub(super) fn ask(mesh: &Mesh<'_>, document: &Document, case: &Case) -> Result<Answer> {
    let proxy = super::sidecar(mesh.objects, document.from(case))?;
    let (service, port) = super::service(mesh.objects, document, case)?;
    let to = ChosenDestination {
        host: host::of_service(&ServiceId {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
        }),
        subset: super::name(&case.subset),
        port,
    };
    let policy = match policy(mesh, &proxy, &to) {
        Err(whys) => return Ok(super::unknown(&whys)),
        Ok(None) => return Ok(Answer::fact("cluster", false)),
        Ok(Some(policy)) => policy,
    };
    // Envoy has what is hashed in its routes, not in its clusters.
    let balancing = match &policy.balancing.value {
        Balancing::LeastRequest => "LEAST_REQUEST",
        Balancing::RoundRobin => "ROUND_ROBIN",
        Balancing::Random => "RANDOM",
        Balancing::Passthrough => "CLUSTER_PROVIDED",
        Balancing::Hash(_) => "RING_HASH",
    };
    let pool = &policy.pool;
    let outliers = policy.outliers.as_ref();
    let tls = match policy.tls.map(|it| it.value) {
        // A cluster without endpoints of its own has one TLS for all of them, which automatic mutual TLS chooses.
        None if policy.balancing.value == Balancing::Passthrough => sends(mesh, &proxy, &to),
        None => "automatic",
        Some(Tls::Disable) => "none",
        Some(Tls::Simple) => "simple",
        Some(Tls::Mutual) => "mutual",
        Some(Tls::IstioMutual) => "istio-mutual",
    };
    let mut answer = Answer::fact("cluster", true)
        .with("balancing", balancing)
        .with("connect_timeout_ms", pool.connect_timeout_ms.value)
        .with("max_connections", pool.max_connections.value)
        .with("max_pending_requests", pool.max_pending_requests.value)
        .with("max_requests", pool.max_requests.value)
        .with(
            "max_requests_per_connection",
            pool.max_requests_per_connection.value,
        )
        .with("tls", tls)
        .with("outliers", outliers.is_some());
    if pool.retry_budget.is_none() {
        answer = answer.with("max_retries", pool.max_retries.value);
    }
    if let Some(it) = outliers {
        answer = answer
            .with("consecutive_5xx", it.consecutive_5xx.value)
            .with("consecutive_gateway_errors", it.consecutive_gateway_errors.value)
            .with("interval_ms", it.interval_ms.value)
            .with("base_ejection_ms", it.base_ejection_ms.value)
            .with("max_ejection_percent", it.max_ejection_percent.value);
    }
    Ok(answer)
}

fn sends(mesh: &Mesh<'_>, proxy: &Proxy, to: &ChosenDestination) -> &'static str {
    let hands = modes(mesh, proxy, to).unwrap_or_default();
    let sent = hands.first().and_then(|(_, hand)| hand.sent.as_ref());
    match sent.map(|it| it.sends) {
        Some(Sends::Mutual) => "istio-mutual",
        Some(Sends::Plaintext) => "none",
        Some(Sends::Tls { .. }) => "a rule's",
        None => "unknown",
    }
}
