//! What is kept of a pod template: what decides whether and how a proxy is put into its pods.

use super::{
    Labels,
    read::{at, labels, list, number, text},
};
use crate::Name;
use serde_json::Value;
use std::sync::Arc;

/// A port that a container says it listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// Its name; empty for none.
    pub name: Name,
    /// Its number.
    pub port: u16,
}

/// A container of a pod template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: Name,
    /// JSON pointer within the pod, such as `/spec/containers/0`.
    pub path: Name,
    /// Its image; the tag tells the version.
    pub image: Name,
    /// It is among the init containers.
    pub init: bool,
    /// An init container that runs beside the others (`restartPolicy: Always`): a native sidecar.
    pub native: bool,
    /// Ports that it names.
    pub ports: Vec<ContainerPort>,
    /// `securityContext.runAsUser`.
    pub run_as_user: Option<i64>,
    /// `securityContext.runAsGroup`.
    pub run_as_group: Option<i64>,
    /// It has a `lifecycle.preStop`.
    pub pre_stop: bool,
    /// A probe of it comes over the network (httpGet, tcpSocket, grpc).
    pub probed: bool,
}

/// A pod template, or a pod that nobody controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodTemplate {
    /// Its pods' labels.
    pub labels: Labels,
    /// Its pods' annotations, as far as they are about the mesh (see [`annotations`]).
    pub annotations: Labels,
    /// `hostNetwork`.
    pub host_network: bool,
    /// `serviceAccountName`; empty for the default.
    pub service_account: Name,
    /// `dnsPolicy`; empty for the default.
    pub dns_policy: Name,
    /// A seccomp profile that PodSecurity's restricted level accepts is set for the pod as a whole.
    pub seccomp: bool,
    /// `securityContext.runAsUser` of the pod.
    pub run_as_user: Option<i64>,
    /// `securityContext.runAsGroup` of the pod.
    pub run_as_group: Option<i64>,
    /// Init containers first, as they start.
    pub containers: Vec<Container>,
}

impl Container {
    /// The port that it calls so.
    pub fn port(&self, name: &str) -> Option<u16> {
        self.ports.iter().find(|it| &*it.name == name).map(|it| it.port)
    }
}

impl PodTemplate {
    /// Reads what has `metadata` and `spec` of a pod.
    pub fn read(it: &Value) -> Self {
        let init = containers(it, "/spec/initContainers", true);
        let profile = at(it, "/spec/securityContext/seccompProfile/type");
        Self {
            labels: labels(it, "/metadata/labels"),
            annotations: annotations(it),
            host_network: flag(it, "/spec/hostNetwork"),
            service_account: at(it, "/spec/serviceAccountName"),
            dns_policy: at(it, "/spec/dnsPolicy"),
            seccomp: matches!(&*profile, "RuntimeDefault" | "Localhost"),
            run_as_user: whole(it, "/spec/securityContext/runAsUser"),
            run_as_group: whole(it, "/spec/securityContext/runAsGroup"),
            containers: init.chain(containers(it, "/spec/containers", false)).collect(),
        }
    }
}

/// How a pod's proxy got there, as the injector wrote it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// An init container that restarts, so that it starts before and ends after the others.
    pub native: bool,
    /// Its image; the tag tells the version.
    pub image: Name,
    /// The revision of the istiod that injected it (`istio.io/rev` among the pod's annotations, else in `sidecar.istio.io/status`); empty if
    /// no injector left a note.
    pub revision: Name,
    /// An injector, at admission or by `istioctl kube-inject`, put it there. A gateway may have brought its own.
    pub injected: bool,
}

/// The container called `istio-proxy`, if there is one.
pub(super) fn sidecar(it: &Value) -> Option<Arc<Sidecar>> {
    let named = |pointer: &str| {
        list(it, pointer)
            .iter()
            .find(|container| &*at(container, "/name") == "istio-proxy")
    };
    let native = named("/spec/initContainers").map(|container| (true, container));
    let (native, container) = named("/spec/containers")
        .map(|container| (false, container))
        .or(native)?;
    let note = |name: &str| it.pointer("/metadata/annotations")?.get(name)?.as_str();
    let status = note("sidecar.istio.io/status");
    let written = status.and_then(|status| serde_json::from_str::<Value>(status).ok());
    let revision = match note("istio.io/rev") {
        Some(revision) if !revision.is_empty() => revision.into(),
        _ => written.map_or_else(|| "".into(), |status| at(&status, "/revision")),
    };
    Some(Arc::new(Sidecar {
        native,
        image: at(container, "/image"),
        revision,
        injected: status.is_some(),
    }))
}

/// Annotations whose names lie in `istio.io`, a domain under it, or `prometheus.io`; without the injector's own long notes.
pub(super) fn annotations(it: &Value) -> Labels {
    const LONG: [&str; 2] = ["sidecar.istio.io/status", "proxy.istio.io/overrides"];
    let about_the_mesh = |name: &str| {
        let domain = name.split_once('/').map_or("", |(domain, _)| domain);
        let istio = domain == "istio.io" || domain.ends_with(".istio.io");
        (istio || domain == "prometheus.io") && !LONG.contains(&name)
    };
    let map = it.pointer("/metadata/annotations").and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .filter(|(name, _)| about_the_mesh(name))
        .map(|(name, value)| (name.as_str().into(), text(value)))
        .collect()
}

fn containers<'a>(it: &'a Value, pointer: &'a str, init: bool) -> impl Iterator<Item = Container> + 'a {
    let all = list(it, pointer).iter().enumerate();
    all.map(move |(index, container)| Container {
        name: at(container, "/name"),
        path: format!("{pointer}/{index}").into(),
        image: at(container, "/image"),
        init,
        native: init && &*at(container, "/restartPolicy") == "Always",
        ports: list(container, "/ports")
            .iter()
            .filter_map(|port| {
                Some(ContainerPort {
                    name: at(port, "/name"),
                    port: number(port, "/containerPort")?,
                })
            })
            .collect(),
        run_as_user: whole(container, "/securityContext/runAsUser"),
        run_as_group: whole(container, "/securityContext/runAsGroup"),
        pre_stop: container
            .pointer("/lifecycle/preStop")
            .is_some_and(Value::is_object),
        probed: ["readinessProbe", "livenessProbe", "startupProbe"]
            .iter()
            .filter_map(|probe| container.get(probe))
            .any(|probe| {
                ["httpGet", "tcpSocket", "grpc"]
                    .iter()
                    .any(|how| probe.get(how).is_some_and(Value::is_object))
            }),
    })
}

pub(super) fn flag(it: &Value, pointer: &str) -> bool {
    it.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

fn whole(it: &Value, pointer: &str) -> Option<i64> {
    it.pointer(pointer)?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::{PodTemplate, sidecar};
    use serde_json::{Value, json};

    #[test]
    fn a_template_keeps_what_injection_is_decided_by() {
        let template = PodTemplate::read(&json!({
            "metadata": {"labels": {"app": "a"}, "annotations": {"istio.io/rev": "x", "sidecar.istio.io/inject": "true",
                "proxy.istio.io/config": "{}", "prometheus.io/port": 9090, "sidecar.istio.io/status": "long", "proxy.istio.io/overrides": "long",
                "kubectl.kubernetes.io/restartedAt": "now", "notistio.io/a": "b", "plain": "c"}},
            "spec": {"hostNetwork": true, "dnsPolicy": "None", "securityContext": {"runAsUser": 5, "runAsGroup": 6, "seccompProfile": {"type": "RuntimeDefault"}},
                "initContainers": [{"name": "wait"}, {"name": "log", "restartPolicy": "Always"}],
                "containers": [{"name": "app", "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": "x"}],
                    "securityContext": {"runAsUser": 1337, "runAsGroup": 7}, "lifecycle": {"preStop": {"exec": {}}}, "livenessProbe": {"grpc": {}}}]}}));
        let names: Vec<&str> = template.annotations.keys().map(|name| &**name).collect();
        assert_eq!(
            names,
            [
                "istio.io/rev",
                "prometheus.io/port",
                "proxy.istio.io/config",
                "sidecar.istio.io/inject"
            ]
        );
        assert!(template.host_network && template.seccomp);
        assert_eq!((template.run_as_user, template.run_as_group), (Some(5), Some(6)));
        assert_eq!(&*template.dns_policy, "None");
        let [wait, log, app] = &template.containers[..] else {
            panic!("{template:?}")
        };
        assert!(wait.init && !wait.native && log.init && log.native && !app.init && !app.native);
        assert_eq!(
            (&*log.path, &*app.path),
            ("/spec/initContainers/1", "/spec/containers/0")
        );
        assert_eq!((app.run_as_user, app.run_as_group), (Some(1337), Some(7)));
        assert_eq!(app.ports.len(), 1);
        assert_eq!((&*app.ports[0].name, app.ports[0].port), ("http", 8080));
        assert!(app.pre_stop && app.probed && !wait.pre_stop && !wait.probed);
    }

    #[test]
    fn an_exec_probe_does_not_come_over_the_network_and_a_restart_policy_of_an_app_makes_no_native_sidecar() {
        let template = PodTemplate::read(
            &json!({"spec": {"containers": [{"name": "a", "restartPolicy": "Always", "readinessProbe": {"exec": {}}}]}}),
        );
        assert!(!template.containers[0].probed && !template.containers[0].native && !template.seccomp);
    }

    #[test]
    fn the_injectors_note_tells_the_revision() {
        let pod = |annotations: Value| {
            let pod = json!({"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "istio-proxy", "image": "proxyv2:1.31.0"}]}});
            sidecar(&pod).map(|it| (it.revision.to_string(), it.injected, it.native))
        };
        let status = r#"{"revision": "old"}"#;
        let told = |revision: &str, injected| Some((revision.to_owned(), injected, false));
        assert_eq!(
            pod(json!({"istio.io/rev": "new", "sidecar.istio.io/status": status})),
            told("new", true)
        );
        assert_eq!(pod(json!({"sidecar.istio.io/status": status})), told("old", true));
        assert_eq!(
            pod(json!({"istio.io/rev": "", "sidecar.istio.io/status": status})),
            told("old", true)
        );
        assert_eq!(pod(json!({"sidecar.istio.io/status": "no JSON"})), told("", true));
        assert_eq!(pod(json!({})), told("", false));
        let native = json!({"spec": {"initContainers": [{"name": "istio-init"}, {"name": "istio-proxy", "image": "p", "restartPolicy": "Always"}]}});
        assert!(sidecar(&native).is_some_and(|it| it.native && &*it.image == "p"));
        assert_eq!(sidecar(&json!({"spec": {"containers": [{"name": "app"}]}})), None);
    }
}
