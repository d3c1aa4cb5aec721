//! What an installation of Istio leaves beside its workloads.

use super::Manifests;
use naru_domain::{mesh::injection, object::Kind};
use serde_json::json;

/// ConfigMap `istio` with the defaults, and the default revision's injector (Istio's chart `istio-discovery`, `configmap.yaml`).
pub fn installed() -> Manifests {
    let mesh = "accessLogFile: /dev/stdout\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n\
        enablePrometheusMerge: true\nrootNamespace: istio-system\ntrustDomain: cluster.local\n";
    vec![
        (
            Kind::ConfigMap,
            json!({"metadata": {"name": "istio", "namespace": "istio-system", "labels": {"istio.io/rev": "default"}},
                "data": {"mesh": mesh, "meshNetworks": "networks: {}"}}),
        ),
        (
            Kind::MutatingWebhookConfiguration,
            injection::installed("istio-sidecar-injector"),
        ),
    ]
}
