//! From an API server's JSON to facts.

mod ended;
mod ingress;
mod rollout;

use super::{
    Deployment, Endpoint, EndpointPort, EndpointSlice, Fact, Ingress, IngressRoute, Labels, Namespace, Pod,
    PodTemplate, Proxy, ReplicaSet, Service, ServicePort, template::sidecar,
};
use crate::{
    Name,
    object::{Key, Kind, Malformed, Object},
};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn read(kind: Kind, json: Value) -> Result<Fact, Malformed> {
    let Key { namespace, name, .. } = Key::of(kind, &json)?;
    let it = &json;
    Ok(match kind {
        Kind::Namespace => Fact::Namespace(Arc::new(Namespace {
            name,
            labels: labels(it, "/metadata/labels"),
        })),
        Kind::Pod => Fact::Pod(Arc::new(pod(it, namespace, name))),
        Kind::Service => Fact::Service(Arc::new(service(it, namespace, name))),
        Kind::EndpointSlice => Fact::EndpointSlice(Arc::new(EndpointSlice {
            namespace,
            name,
            service: it
                .pointer("/metadata/labels")
                .and_then(|labels| labels.get("kubernetes.io/service-name"))
                .map_or_else(|| "".into(), text),
            endpoints: list(it, "/endpoints").iter().map(endpoint).collect(),
            ports: list(it, "/ports").iter().filter_map(endpoint_port).collect(),
        })),
        Kind::Deployment => Fact::Deployment(Arc::new(Deployment {
            namespace,
            name,
            template: labels(it, "/spec/template/metadata/labels"),
            pod: Arc::new(PodTemplate::read(
                it.pointer("/spec/template").unwrap_or(&Value::Null),
            )),
            inject: it
                .pointer("/metadata/labels")
                .and_then(|labels| labels.get("sidecar.istio.io/inject"))
                .map(text),
            rollout: rollout::rollout(it),
            replicas: number(it, "/spec/replicas").unwrap_or(1),
            ready: number(it, "/status/readyReplicas").unwrap_or(0),
            rolling: rollout::rolling(it),
        })),
        Kind::ReplicaSet => Fact::ReplicaSet(Arc::new(ReplicaSet {
            namespace,
            name,
            template: rollout::set_template(it),
            owner: owner(it),
            created: at(it, "/metadata/creationTimestamp").parse().ok(),
            replicas: number(it, "/spec/replicas").unwrap_or(1),
            revision: rollout::revision(it),
        })),
        Kind::Ingress => Fact::Ingress(Arc::new(ingress::read(it, namespace, name))),
        Kind::Application => Fact::Object(Object::new(kind, settings(json))?),
        _ => Fact::Object(Object::new(kind, json)?),
    })
}

/// An Application's status lists all that it applies, and its last manifests: megabytes of which nothing is asked here.
fn settings(mut json: Value) -> Value {
    if let Some(fields) = json.as_object_mut() {
        fields.remove("status");
        fields.remove("operation");
    }
    json
}

pub(super) fn text(value: &Value) -> Name {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => number.to_string().into(),
        _ => "".into(),
    }
}

pub(super) fn at(it: &Value, pointer: &str) -> Name {
    it.pointer(pointer).map_or_else(|| "".into(), text)
}

pub(super) fn list<'a>(it: &'a Value, pointer: &str) -> &'a [Value] {
    it.pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(super) fn number<N: TryFrom<u64>>(it: &Value, pointer: &str) -> Option<N> {
    N::try_from(it.pointer(pointer)?.as_u64()?).ok()
}

pub(super) fn labels(it: &Value, pointer: &str) -> Labels {
    let map = it.pointer(pointer).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().into(), text(value)))
        .collect()
}

fn owner(it: &Value) -> Option<(Name, Name)> {
    let owners = list(it, "/metadata/ownerReferences");
    let owner = owners
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))?;
    Some((at(owner, "/kind"), at(owner, "/name")))
}

fn pod(it: &Value, namespace: Name, name: Name) -> Pod {
    let statuses = list(it, "/status/containerStatuses");
    Pod {
        labels: labels(it, "/metadata/labels"),
        owner: owner(it),
        ip: at(it, "/status/podIP"),
        phase: at(it, "/status/phase"),
        ready: list(it, "/status/conditions")
            .iter()
            .any(|c| &*at(c, "/type") == "Ready" && &*at(c, "/status") == "True"),
        leaving: it
            .pointer("/metadata/deletionTimestamp")
            .is_some_and(|at| !at.is_null()),
        proxy: proxy(it),
        service_account: at(it, "/spec/serviceAccountName"),
        created: at(it, "/metadata/creationTimestamp").parse().ok(),
        started: at(it, "/status/startTime").parse().ok(),
        ended: ended::containers(it),
        restarts: statuses
            .iter()
            .filter_map(|status| number::<u32>(status, "/restartCount"))
            .sum(),
        sidecar: sidecar(it),
        template: owner(it).is_none().then(|| Arc::new(PodTemplate::read(it))),
        namespace,
        name,
    }
}

/// A container called `istio-proxy` is Istio's, as an ordinary container, as a native sidecar (an init container that restarts), or as
/// a gateway's only one. Ambient enrolment is what istio-cni writes on the pod once ztunnel has taken it.
fn proxy(it: &Value) -> Proxy {
    let named = |pointer: &str| {
        list(it, pointer)
            .iter()
            .any(|container| &*at(container, "/name") == "istio-proxy")
    };
    if named("/spec/containers") || named("/spec/initContainers") {
        return Proxy::Sidecar;
    }
    let redirection = it
        .pointer("/metadata/annotations")
        .and_then(|a| a.get("ambient.istio.io/redirection"));
    if redirection.and_then(Value::as_str) == Some("enabled") {
        Proxy::Ambient
    } else {
        Proxy::None
    }
}

fn service(it: &Value, namespace: Name, name: Name) -> Service {
    Service {
        namespace,
        name,
        selector: labels(it, "/spec/selector"),
        ports: list(it, "/spec/ports")
            .iter()
            .filter_map(|port| {
                Some(ServicePort {
                    name: at(port, "/name"),
                    port: number(port, "/port")?,
                    protocol: match at(port, "/protocol") {
                        protocol if protocol.is_empty() => "TCP".into(),
                        protocol => protocol,
                    },
                    app_protocol: port.get("appProtocol").and_then(Value::as_str).map(Name::from),
                    target: at(port, "/targetPort"),
                })
            })
            .collect(),
        exposure: match at(it, "/spec/type") {
            exposure if exposure.is_empty() => "ClusterIP".into(),
            exposure => exposure,
        },
        headless: &*at(it, "/spec/clusterIP") == "None",
        node_local: &*at(it, "/spec/internalTrafficPolicy") == "Local",
        external_name: at(it, "/spec/externalName"),
        addresses: addresses(it),
        export_to: it
            .pointer("/metadata/annotations/networking.istio.io~1exportTo")
            .and_then(Value::as_str)
            .filter(|list| !list.is_empty())
            .map(|list| list.split(',').map(|name| name.trim().into()).collect())
            .unwrap_or_default(),
        created: at(it, "/metadata/creationTimestamp"),
    }
}

fn endpoint_port(it: &Value) -> Option<EndpointPort> {
    Some(EndpointPort {
        name: at(it, "/name"),
        port: number(it, "/port")?,
    })
}

/// `clusterIPs`, or the one `clusterIP`.
fn addresses(it: &Value) -> Vec<Name> {
    let several = list(it, "/spec/clusterIPs").iter().map(text);
    let one = at(it, "/spec/clusterIP");
    let mut all: Vec<Name> = several.chain([one]).collect();
    all.retain(|address| !address.is_empty() && &**address != "None");
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|address| seen.insert(address.clone()));
    all
}

/// An absent `ready` condition counts as ready, as the API's description of EndpointConditions asks of consumers.
fn endpoint(it: &Value) -> Endpoint {
    let pod = if &*at(it, "/targetRef/kind") == "Pod" {
        at(it, "/targetRef/name")
    } else {
        "".into()
    };
    Endpoint {
        pod,
        ready: it
            .pointer("/conditions/ready")
            .and_then(Value::as_bool)
            .unwrap_or(true),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::{
        fact::{Fact, Proxy},
        object::Kind,
    };
    use serde_json::{Value, json};

    fn pod(json: Value) -> std::sync::Arc<crate::fact::Pod> {
        match read(Kind::Pod, json).unwrap() {
            Fact::Pod(pod) => pod,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_native_sidecar_is_a_sidecar_and_ambient_is_not_none() {
        let named = |spec: Value| pod(json!({"metadata": {"name": "p"}, "spec": spec})).proxy;
        assert_eq!(
            named(json!({"containers": [{"name": "app"}, {"name": "istio-proxy"}]})),
            Proxy::Sidecar
        );
        let native = json!({"containers": [{"name": "app"}], "initContainers": [{"name": "istio-proxy", "restartPolicy": "Always"}]});
        assert_eq!(named(native), Proxy::Sidecar);
        assert_eq!(
            named(json!({"containers": [{"name": "app"}], "initContainers": [{"name": "istio-init"}]})),
            Proxy::None
        );
        let ambient =
            json!({"metadata": {"name": "p", "annotations": {"ambient.istio.io/redirection": "enabled"}}});
        assert_eq!(pod(ambient).proxy, Proxy::Ambient);
    }

    #[test]
    fn a_template_is_kept_where_nobody_else_tells_it() {
        let owned = |kind: &str| json!([{"kind": kind, "name": "o", "controller": true}]);
        let kept = |owners: Value, replicas: u32| {
            let json = json!({"metadata": {"name": "r", "ownerReferences": owners},
                "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"a": "b"}}}}});
            let Fact::ReplicaSet(set) = read(Kind::ReplicaSet, json).unwrap() else {
                panic!()
            };
            set.template.is_some()
        };
        assert!(kept(json!([]), 1) && kept(owned("Rollout"), 2));
        assert!(!kept(owned("Deployment"), 1) && !kept(json!([]), 0));
        let pod_of = |owners: Value| {
            pod(json!({"metadata": {"name": "p", "ownerReferences": owners}}))
                .template
                .is_some()
        };
        assert!(pod_of(json!([])) && !pod_of(owned("Job")));
    }

    #[test]
    fn wrong_types_count_as_absent() {
        let pod = pod(
            json!({"metadata": {"name": "한글-파드", "labels": 7}, "spec": [], "status": {"conditions": "x", "podIP": {}}}),
        );
        assert!(pod.labels.is_empty() && !pod.ready && pod.ip.is_empty());
        assert_eq!(&*pod.name, "한글-파드");
    }

    #[test]
    fn a_services_ports_speak_tcp_unless_said_otherwise_and_null_is_no_protocol() {
        let json = json!({"metadata": {"name": "s", "namespace": "n"}, "spec": {"clusterIP": "None", "internalTrafficPolicy": "Local",
            "ports": [{"port": 53, "protocol": "UDP"}, {"port": 80, "appProtocol": null}, {"port": 81, "appProtocol": "http"}, {"port": "x"}]}});
        let Fact::Service(service) = read(Kind::Service, json).unwrap() else {
            panic!()
        };
        let ports: Vec<(&str, Option<&str>)> = service
            .ports
            .iter()
            .map(|port| (&*port.protocol, port.app_protocol.as_deref()))
            .collect();
        assert_eq!(ports, [("UDP", None), ("TCP", None), ("TCP", Some("http"))]);
        assert!(service.headless && service.node_local);
        let plain = json!({"metadata": {"name": "s"}, "spec": {"internalTrafficPolicy": "Cluster"}});
        let Fact::Service(plain) = read(Kind::Service, plain).unwrap() else {
            panic!()
        };
        assert!(!plain.headless && !plain.node_local);
    }

    #[test]
    fn a_slices_ports_are_the_pods() {
        let json = json!({"metadata": {"name": "s"}, "ports": [{"name": "http", "port": 8080}, {"port": 9}, {"name": "gone"}]});
        let Fact::EndpointSlice(slice) = read(Kind::EndpointSlice, json).unwrap() else {
            panic!()
        };
        let ports: Vec<(&str, u16)> = slice.ports.iter().map(|port| (&*port.name, port.port)).collect();
        assert_eq!(ports, [("http", 8080), ("", 9)]);
    }

    #[test]
    fn an_ingress_keeps_its_default_backend_last() {
        let json = json!({"metadata": {"name": "i", "namespace": "n"}, "spec": {"ingressClassName": "nginx",
            "defaultBackend": {"service": {"name": "fallback"}},
            "rules": [{"host": "a.example", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "web"}}}]}}]}});
        let Fact::Ingress(ingress) = read(Kind::Ingress, json).unwrap() else {
            panic!()
        };
        let services: Vec<&str> = ingress.routes.iter().map(|route| &*route.service).collect();
        assert_eq!((services, &*ingress.class), (vec!["web", "fallback"], "nginx"));
    }
}
