//! What is kept of each object. Kinds that Naru never edits are reduced to what the questions need: 4,000 pods as JSON would be
//! 150 MB, as facts they are a few. Kinds that it edits or judges field by field stay whole.

use crate::{
    Name, Timestamp,
    object::{Key, Kind, Malformed, Object},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

mod read;
mod template;

pub use template::{Container, ContainerPort, PodTemplate, Sidecar};

/// Label names with their values.
pub type Labels = BTreeMap<Name, Name>;

/// One object, as far as it is kept.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is called as its kind")]
pub enum Fact {
    Namespace(Arc<Namespace>),
    Pod(Arc<Pod>),
    Service(Arc<Service>),
    EndpointSlice(Arc<EndpointSlice>),
    Deployment(Arc<Deployment>),
    ReplicaSet(Arc<ReplicaSet>),
    Ingress(Arc<Ingress>),
    /// Kept whole.
    Object(Object),
}

impl Fact {
    /// Reduces an object as the API server sent it. Unknown fields are passed over; wrong types count as absent.
    pub fn read(kind: Kind, json: Value) -> Result<Self, Malformed> {
        read::read(kind, json)
    }

    /// What it is a fact about.
    pub fn key(&self) -> Key {
        let (kind, namespace, name) = match self {
            Self::Namespace(it) => (Kind::Namespace, Name::from(""), &it.name),
            Self::Pod(it) => (Kind::Pod, it.namespace.clone(), &it.name),
            Self::Service(it) => (Kind::Service, it.namespace.clone(), &it.name),
            Self::EndpointSlice(it) => (Kind::EndpointSlice, it.namespace.clone(), &it.name),
            Self::Deployment(it) => (Kind::Deployment, it.namespace.clone(), &it.name),
            Self::ReplicaSet(it) => (Kind::ReplicaSet, it.namespace.clone(), &it.name),
            Self::Ingress(it) => (Kind::Ingress, it.namespace.clone(), &it.name),
            Self::Object(it) => return it.key().clone(),
        };
        Key {
            kind,
            namespace,
            name: name.clone(),
        }
    }
}

/// A namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Namespace {
    /// Its name.
    pub name: Name,
    /// Its labels; injection is decided by them.
    pub labels: Labels,
}

/// Whether and how a pod is in the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// A sidecar, ordinary or native, or a gateway's own proxy.
    Sidecar,
    /// ztunnel takes its traffic: recognised, not judged.
    Ambient,
    /// None.
    None,
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Its labels; subsets and services select by them.
    pub labels: Labels,
    /// The controlling owner's kind and name (`ReplicaSet`, `Job` …).
    pub owner: Option<(Name, Name)>,
    /// `status.podIP`; empty before it has one.
    pub ip: Name,
    /// `status.phase`.
    pub phase: Name,
    /// The Ready condition is True.
    pub ready: bool,
    /// It is being deleted.
    pub leaving: bool,
    /// Its proxy.
    pub proxy: Proxy,
    /// `spec.serviceAccountName`.
    pub service_account: Name,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `status.startTime`: kubelet took it on then.
    pub started: Option<Timestamp>,
    /// Restarts of all its containers.
    pub restarts: u32,
    /// Those of its containers, init containers among them, that have ended before or loop; most pods have none.
    pub ended: Box<[EndedContainer]>,
    /// Its `istio-proxy`, as an injector (or a gateway's author) put it there.
    pub sidecar: Option<Arc<Sidecar>>,
    /// Its template if nobody controls it: it is its own.
    pub template: Option<Arc<PodTemplate>>,
}

/// A container that ended before and was, or will be, started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedContainer {
    /// `restartCount`.
    pub restarts: u32,
    /// It waits because it crashed again and again (`CrashLoopBackOff`).
    pub looping: bool,
    /// It last ended for want of memory (`OOMKilled`).
    pub out_of_memory: bool,
    /// When that of its runs which ended last had started, as far as kubelet still knows it.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// A service's port.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePort {
    /// Name; the protocol is often told by it.
    pub name: Name,
    /// Number.
    pub port: u16,
    /// `protocol`: the transport, `TCP` unless said otherwise.
    pub protocol: Name,
    /// `appProtocol`, if set.
    pub app_protocol: Option<Name>,
    /// `targetPort` as text: a number or a container port's name.
    pub target: Name,
}

/// A service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Selects pods; empty for none.
    pub selector: Labels,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// `spec.type`: who can call it; `ClusterIP` unless said otherwise.
    pub exposure: Name,
    /// `None` as clusterIP.
    pub headless: bool,
    /// `internalTrafficPolicy: Local`: only pods on the caller's own node answer.
    pub node_local: bool,
    /// `spec.externalName` of an ExternalName service; empty else.
    pub external_name: Name,
    /// Its cluster IPs; empty for none.
    pub addresses: Vec<Name>,
    /// Annotation `networking.istio.io/exportTo`, taken apart; empty where it is absent.
    pub export_to: Vec<Name>,
    /// `metadata.creationTimestamp` as written; empty for none.
    pub created: Name,
}

/// One address of a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The pod behind it; empty if it is none.
    pub pod: Name,
    /// Ready for new requests.
    pub ready: bool,
}

/// A port of a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointPort {
    /// The service port's name; may be empty.
    pub name: Name,
    /// The pods' port.
    pub port: u16,
}

/// Part of a service's endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointSlice {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The service that it belongs to.
    pub service: Name,
    /// Its addresses.
    pub endpoints: Vec<Endpoint>,
    /// Ports at which these addresses answer.
    pub ports: Vec<EndpointPort>,
}

/// A Deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Labels of its pod template.
    pub template: Labels,
    /// Its pod template.
    pub pod: Arc<PodTemplate>,
    /// The label `sidecar.istio.io/inject` on the Deployment itself, where it does nothing.
    pub inject: Option<Name>,
    /// How its pods are replaced.
    pub rollout: Rollout,
    /// Pods asked for.
    pub replicas: u32,
    /// Pods ready.
    pub ready: u32,
    /// Its pods are being replaced.
    pub rolling: bool,
}

/// How a Deployment's pods are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// All old pods end before a new one starts (`strategy.type: Recreate`).
    pub recreate: bool,
    /// `progressDeadlineSeconds`: what has not come up by then counts as failed; Kubernetes' default is 600.
    pub deadline_s: u32,
    /// `maxSurge` as written, a number or a percentage; Kubernetes' default is 25%.
    pub max_surge: Name,
    /// `maxUnavailable` as written; Kubernetes' default is 25%.
    pub max_unavailable: Name,
}

/// A ReplicaSet.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaSet {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The controlling owner's kind and name (`Deployment`, `Rollout` …).
    pub owner: Option<(Name, Name)>,
    /// `metadata.creationTimestamp`: its template is as old as it is.
    pub created: Option<Timestamp>,
    /// Pods asked for.
    pub replicas: u32,
    /// Which of its owner's templates it is, as the owner's controller counts: that of the highest number is in force. None if nobody counts.
    pub revision: Option<u64>,
    /// Its pod template, unless a Deployment says it; None for one that asks for no pods.
    pub template: Option<Arc<PodTemplate>>,
}

/// A path of an Ingress rule.
#[derive(Clone, Debug, PartialEq)]
pub struct IngressRoute {
    /// Host; empty for any.
    pub host: Name,
    /// Path as written.
    pub path: Name,
    /// Service in the Ingress's namespace.
    pub service: Name,
}

/// An Ingress.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingress {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// `spec.ingressClassName`, or the old annotation; empty if neither.
    pub class: Name,
    /// Its rules, the default backend last with an empty host and path.
    pub routes: Vec<IngressRoute>,
    /// Its annotations for ingress controllers (`*.ingress.kubernetes.io/…`, `nginx.org/…`), each value at most 4,096 bytes.
    pub annotations: Labels,
    /// The hosts for which it ends TLS, each with the Secret in its namespace; empty for a Secret of the controller's own.
    pub tls: Vec<(Name, Name)>,
}
