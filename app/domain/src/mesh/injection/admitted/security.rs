//! What the cluster or the pod itself has against a proxy beside it.

use super::{Admitted, Case, Code, Severity, Topic};
use crate::{
    mesh::{Decider, injection::template::escaped},
    object::{Key, Kind},
};
use serde_json::Value;

/// The user and group that the proxy runs as, and that redirection spares.
const PROXY_USER: i64 = 1337;

/// Ports of a sidecar (Istio documentation, "Application Requirements").
const PORTS: [u16; 9] = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];

pub(super) fn judge(case: &Case<'_>, found: &mut Admitted) {
    pod_security(case, found);
    let template = &case.template;
    let pod = &template.pod;
    let spec = |path: &str| template.field(&format!("/spec{path}"));
    if pod.host_network {
        found.concern(Severity::Stops, Code::HostNetwork, spec("/hostNetwork"));
    }
    // `checkPreconditions` in istio's `pkg/kube/inject`.
    if !matches!(&*pod.dns_policy, "" | "ClusterFirst") {
        let policy = pod.dns_policy.clone();
        found.concern(Severity::Hurts, Code::DnsPolicy { policy }, spec("/dnsPolicy"));
    }
    for (set, field) in [(pod.run_as_user, "runAsUser"), (pod.run_as_group, "runAsGroup")] {
        if set == Some(PROXY_USER) {
            let container = "".into();
            found.concern(
                Severity::Hurts,
                Code::ProxyUser { container },
                spec(&format!("/securityContext/{field}")),
            );
        }
    }
    for it in pod.containers.iter().filter(|it| &*it.name != "istio-proxy") {
        for (set, field) in [(it.run_as_user, "runAsUser"), (it.run_as_group, "runAsGroup")] {
            if set == Some(PROXY_USER) {
                let by = template.field(&format!("{}/securityContext/{field}", it.path));
                let container = it.name.clone();
                found.concern(Severity::Hurts, Code::ProxyUser { container }, by);
            }
        }
        for port in it.ports.iter().map(|it| it.port).filter(|it| PORTS.contains(it)) {
            let container = it.name.clone();
            found.concern(
                Severity::Stops,
                Code::Port { container, port },
                template.field(&format!("{}/ports", it.path)),
            );
        }
    }
    for (namespace, name) in case.revision.iter().flat_map(|it| case.injectors.services(it)) {
        let deployment = Key::new(Kind::Deployment, namespace, name);
        if case
            .mesh
            .objects
            .deployments
            .get(&deployment)
            .is_some_and(|it| it.ready == 0)
        {
            let by = Decider {
                key: deployment.clone(),
                path: "/status/readyReplicas".into(),
            };
            found.concern(Severity::Stops, Code::InjectorNotReady { deployment }, by);
        }
    }
}

/// Kubernetes' Pod Security Standards against the injected containers. Without CNI `istio-init` adds NET_ADMIN and NET_RAW and runs as root; with it
/// nothing is against baseline, and restricted wants a seccomp profile besides. (istio's `files/injection-template.yaml`.)
fn pod_security(case: &Case<'_>, found: &mut Admitted) {
    const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
    let Some(namespace) = case.namespace else { return };
    let Some(level) = namespace
        .labels
        .get(ENFORCE)
        .filter(|it| matches!(&***it, "baseline" | "restricted"))
    else {
        return;
    };
    let by = Decider {
        key: Key::new(Kind::Namespace, "", namespace.name.clone()),
        path: format!("/metadata/labels/{}", escaped(ENFORCE)).into(),
    };
    // Other templates than the sidecar's have other containers.
    if let Some((_, other)) = case.template.annotation("inject.istio.io/templates") {
        let what = format!("{} {}", other.key.name, other.path);
        return found.unknown(Topic::PodSecurity, super::not_judged(what));
    }
    match case.flag("/pilot/cni/enabled", false) {
        Err(why) => return found.unknown(Topic::PodSecurity, why),
        Ok(false) => {
            let level = level.clone();
            return found.concern(Severity::Stops, Code::PodSecurity { level }, by);
        }
        Ok(true) => {}
    }
    let profile = case.value("/global/proxy/seccompProfile/type").ok().flatten();
    let accepted = matches!(
        profile.and_then(Value::as_str),
        Some("RuntimeDefault" | "Localhost")
    );
    if &**level == "restricted" && !accepted && !case.template.pod.seccomp {
        found.concern(Severity::Stops, Code::Seccomp, by);
    }
}
