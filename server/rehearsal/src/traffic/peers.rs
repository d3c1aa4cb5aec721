//! Who pods are to the mesh: what their proxies are configured by, and what others know them by.

use naru_domain::{
    Name,
    fact::{self, Labels, Pod},
    mesh::{MeshConfig, Proxy, unjudged},
    object::{Key, Kind},
    snapshot::Objects,
    traffic::Party,
    workload::{WorkloadId, runs, selects, workload_of},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// Pods that nothing in the configuration tells apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    pub(super) workload: WorkloadId,
    pub(super) labels: Labels,
    /// Without `spiffe://`.
    pub(super) principal: Name,
    pub(super) proxied: Proxied,
    /// Its address, where some rule speaks of addresses.
    pub(super) ip: Option<IpAddr>,
}

/// A pod's proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proxied {
    Sidecar,
    Gateway,
    /// Not judged: taken for none, and counted.
    Ambient,
    None,
}

impl Proxied {
    pub(super) fn meshed(self) -> bool {
        matches!(self, Self::Sidecar | Self::Gateway)
    }
}

impl Class {
    /// As Istio's configuration selects it.
    pub(super) fn proxy(&self) -> Proxy {
        let (namespace, labels) = (self.workload.0.clone(), self.labels.clone());
        if self.proxied == Proxied::Gateway {
            Proxy::gateway(namespace, labels)
        } else {
            Proxy::sidecar(namespace, labels)
        }
    }
}

/// A pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    /// Its number; never given again.
    pub(super) pod: u32,
    pub(super) class: u32,
}

/// How a proxy is configured on its way out: proxies of one side have the same routes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Side {
    pub(super) proxy: Proxy,
    pub(super) proxied: Proxied,
}

/// All pods.
#[derive(Debug, Default)]
pub(super) struct Peers {
    pub(super) of_pod: BTreeMap<Key, Peer>,
    /// Ready pods by workload, in order of name.
    pub(super) ready: BTreeMap<WorkloadId, Vec<Peer>>,
    /// Workloads that have pods, ready or not.
    pub(super) known: BTreeSet<WorkloadId>,
    pub(super) classes: Vec<Class>,
    pub(super) parties: Vec<Party>,
    /// Each class's side.
    pub(super) side_of: Vec<u32>,
    pub(super) sides: Vec<Side>,
    class_numbers: BTreeMap<Class, u32>,
    side_numbers: BTreeMap<Side, u32>,
    /// Labels that some configuration of sidecars asks for.
    telling: BTreeSet<Name>,
    addressed: bool,
    trust_domain: Option<Name>,
    pods: u32,
}

impl Peers {
    /// Takes in changed configuration: whom it tells apart, and by what.
    pub(super) fn configure(&mut self, objects: &Objects, config: &MeshConfig) {
        self.telling = telling(objects);
        self.addressed = addressed(objects);
        self.trust_domain = Some(config.trust_domain.clone());
        self.side_numbers.clear();
        self.sides.clear();
        for class in 0..self.classes.len() {
            self.side_of[class] = self.side(class);
        }
    }

    /// Takes in changed policies: whether pods are to be read again, since their addresses begin to matter or cease to.
    pub(super) fn address(&mut self, objects: &Objects) -> bool {
        let before = std::mem::replace(&mut self.addressed, addressed(objects));
        before != self.addressed
    }

    /// Takes in changed pods; those that have gone.
    pub(super) fn take_in(&mut self, objects: &Objects, changed: &BTreeSet<Key>) -> Vec<u32> {
        let mut gone = Vec::new();
        for key in changed {
            let before = self.of_pod.get(key).copied();
            let Some(pod) = objects.pods.get(key).filter(|pod| runs(pod)) else {
                gone.extend(self.of_pod.remove(key).map(|it| it.pod));
                continue;
            };
            let class = self.class(self.read(objects, pod));
            let pod = before.map_or_else(
                || {
                    self.pods += 1;
                    self.pods
                },
                |it| it.pod,
            );
            self.of_pod.insert(key.clone(), Peer { pod, class });
        }
        (self.ready, self.known) = Default::default();
        for (key, peer) in &self.of_pod {
            let workload = &self.classes[peer.class as usize].workload;
            if !self.known.contains(workload) {
                self.known.insert(workload.clone());
            }
            if objects.pods.get(key).is_some_and(|pod| pod.ready) {
                self.ready.entry(workload.clone()).or_default().push(*peer);
            }
        }
        gone
    }

    /// Someone without a pod.
    pub(super) fn stranger(&mut self, workload: &WorkloadId, proxied: Proxied) -> Peer {
        let class = self.class(Class {
            workload: workload.clone(),
            labels: Labels::new(),
            principal: "".into(),
            proxied,
            ip: None,
        });
        self.pods += 1;
        Peer {
            pod: self.pods,
            class,
        }
    }

    fn read(&self, objects: &Objects, pod: &Pod) -> Class {
        let proxied = match pod.proxy {
            fact::Proxy::None => Proxied::None,
            fact::Proxy::Ambient => Proxied::Ambient,
            fact::Proxy::Sidecar if is_gateway(objects, pod) => Proxied::Gateway,
            fact::Proxy::Sidecar => Proxied::Sidecar,
        };
        let account: Name = if pod.service_account.is_empty() {
            "default".into()
        } else {
            pod.service_account.clone()
        };
        let domain = self.trust_domain.as_deref().unwrap_or("cluster.local");
        let principal = if proxied == Proxied::None {
            "".into()
        } else {
            format!("{domain}/ns/{}/sa/{account}", pod.namespace).into()
        };
        Class {
            workload: workload_of(objects, pod),
            labels: pod.labels.clone(),
            principal,
            proxied,
            ip: pod.ip.parse().ok().filter(|_| self.addressed),
        }
    }

    fn class(&mut self, class: Class) -> u32 {
        if let Some(&number) = self.class_numbers.get(&class) {
            return number;
        }
        let number = narrow(self.classes.len());
        let (namespace, workload) = &class.workload;
        self.parties.push(party(namespace, workload, &class.labels));
        self.class_numbers.insert(class.clone(), number);
        self.classes.push(class);
        self.side_of.push(0);
        let side = self.side(number as usize);
        self.side_of[number as usize] = side;
        number
    }

    fn side(&mut self, class: usize) -> u32 {
        let class = &self.classes[class];
        let mut proxy = class.proxy();
        match class.proxied {
            // Which Services are in front of a gateway depends on all its labels.
            Proxied::Gateway => {}
            Proxied::Sidecar => proxy.labels.retain(|name, _| self.telling.contains(name)),
            Proxied::Ambient | Proxied::None => proxy.labels.clear(),
        }
        let side = Side {
            proxy,
            proxied: class.proxied,
        };
        if let Some(&number) = self.side_numbers.get(&side) {
            return number;
        }
        let number = narrow(self.sides.len());
        self.side_numbers.insert(side.clone(), number);
        self.sides.push(side);
        number
    }
}

pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn is_gateway(objects: &Objects, pod: &Pod) -> bool {
    let named = pod
        .labels
        .get("istio")
        .is_some_and(|it| it.ends_with("ingressgateway") || it.ends_with("egressgateway"));
    named
        || pod.labels.contains_key("gateway.networking.k8s.io/gateway-name")
        || objects
            .of_kind(Kind::Gateway)
            .any(|it| selects(&unjudged::labels(it, "/spec/selector"), &pod.labels))
}

/// The labels of callers that rules, subsets' owners and extensions select sidecars by.
fn telling(objects: &Objects) -> BTreeSet<Name> {
    let mut all: BTreeSet<Name> = ["istio.io/dataplane-mode".into()].into();
    let mut put = |map: Option<&Value>| {
        let map = map.and_then(Value::as_object).into_iter().flatten();
        all.extend(map.map(|(name, _)| Name::from(name.as_str())));
    };
    for kind in [
        Kind::Sidecar,
        Kind::EnvoyFilter,
        Kind::WasmPlugin,
        Kind::DestinationRule,
    ] {
        for object in objects.of_kind(kind) {
            for pointer in [
                "/spec/workloadSelector/labels",
                "/spec/workloadSelector/matchLabels",
                "/spec/selector/matchLabels",
            ] {
                put(object.get(pointer));
            }
        }
    }
    for object in objects.of_kind(Kind::VirtualService) {
        for list in ["/spec/http", "/spec/tls", "/spec/tcp"] {
            for rule in object.list(list) {
                let blocks = rule.get("match").and_then(Value::as_array).into_iter().flatten();
                blocks.for_each(|block| put(block.get("sourceLabels")));
            }
        }
    }
    all
}

/// Whether some policy speaks of addresses.
fn addressed(objects: &Objects) -> bool {
    objects.of_kind(Kind::AuthorizationPolicy).any(|it| {
        let text = it.json().to_string();
        ["pBlocks\"", "source.ip", "remote.ip", "destination.ip"]
            .iter()
            .any(|word| text.contains(word))
    })
}

/// A workload in the words of Istio's labels.
fn party(namespace: &Name, workload: &Name, labels: &Labels) -> Party {
    let label = |names: [&str; 2]| names.iter().find_map(|name| labels.get(*name)).cloned();
    Party {
        cluster: "Kubernetes".into(),
        namespace: namespace.clone(),
        workload: workload.clone(),
        app: label(["service.istio.io/canonical-name", "app"]).unwrap_or_else(|| workload.clone()),
        version: label(["service.istio.io/canonical-revision", "version"]).unwrap_or_else(|| "latest".into()),
    }
}
