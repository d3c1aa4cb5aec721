//! The workloads of the cluster, as pods, Deployments, Services and Gateways tell of them.

use crate::{
    Name,
    fact::{Labels, Pod, Proxy},
    object::{Key, Kind, Object},
    snapshot::Objects,
    workload::{self, WorkloadId, selects, workload_of},
};
use naru_view::topology::Meshed;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Namespaces of Kubernetes itself and of Istio's control plane: their workloads are drawn only when they carry traffic.
const SYSTEM: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "istio-system"];

/// A workload of the inventory.
#[derive(Debug, Default)]
pub(super) struct Stock<'a> {
    pods: Vec<&'a Arc<Pod>>,
    /// Distinct label sets of its pods, and of its Deployment's template.
    pub(super) labels: Vec<&'a Labels>,
    /// Services that select it, by name; they are of its own namespace.
    pub(super) services: BTreeSet<Name>,
    /// Its pods are gateway proxies of the mesh.
    pub(super) gateway: bool,
    /// It belongs to Kubernetes or to the mesh's control plane.
    pub(super) system: bool,
    /// A pod without a proxy runs, or ran as a Job: it may be a caller that Istio's metrics call unknown.
    pub(super) plain: bool,
}

impl Stock<'_> {
    pub(super) fn meshed(&self) -> Meshed {
        let with = |proxy| self.pods.iter().filter(|pod| pod.proxy == proxy).count();
        let (sidecars, ambient) = (with(Proxy::Sidecar), with(Proxy::Ambient));
        match self.pods.len() {
            0 => Meshed::Unknown,
            _ if ambient > 0 => Meshed::Ambient,
            _ if sidecars == 0 => Meshed::No,
            all if sidecars == all => Meshed::Sidecar,
            _ => Meshed::Partly,
        }
    }

    /// Ready pods and all pods.
    pub(super) fn pods(&self) -> (u32, u32) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (
            count(self.pods.iter().filter(|pod| pod.ready).count()),
            count(self.pods.len()),
        )
    }

    /// Canonical service (see Istio's `pkg/kube/labels`), empty if no label says.
    pub(super) fn app(&self) -> Name {
        self.said(["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"])
    }

    /// Canonical revision, empty if no label says (Istio's metrics would say `latest`).
    pub(super) fn version(&self) -> Name {
        self.said([
            "service.istio.io/canonical-revision",
            "app.kubernetes.io/version",
            "version",
        ])
    }

    /// The first of the labels that the newest pod has: in a rollout that is where the workload is going.
    fn said(&self, names: [&str; 3]) -> Name {
        let newest = self
            .pods
            .iter()
            .max_by_key(|pod| (pod.created, &pod.name))
            .map(|pod| &pod.labels);
        let labels = newest.or_else(|| self.labels.first().copied());
        let said = labels.and_then(|labels| names.iter().find_map(|name| labels.get(*name)));
        said.cloned().unwrap_or_else(|| "".into())
    }
}

/// All workloads, and what is behind each service.
#[derive(Debug)]
pub(super) struct Inventory<'a> {
    pub(super) workloads: BTreeMap<WorkloadId, Stock<'a>>,
    behind: BTreeMap<(Name, Name), Vec<WorkloadId>>,
    /// Whether a workload that is not here has no pods; else nothing is known about it.
    pub(super) complete: bool,
}

impl<'a> Inventory<'a> {
    pub(super) fn of(objects: &'a Objects) -> Self {
        let selectors: Vec<Labels> = objects.of_kind(Kind::Gateway).filter_map(selector).collect();
        let mut workloads: BTreeMap<WorkloadId, Stock<'a>> = BTreeMap::new();
        for pod in objects.pods.values() {
            let runs = workload::runs(pod);
            let ended_job = !runs && matches!(&pod.owner, Some((kind, _)) if &**kind == "Job");
            if !runs && !ended_job {
                continue;
            }
            let stock = workloads.entry(workload_of(objects, pod)).or_default();
            stock.plain |= pod.proxy == Proxy::None;
            if runs {
                stock.pods.push(pod);
                stock.label(&pod.labels);
            }
        }
        for deployment in objects.deployments.values() {
            let id = (deployment.namespace.clone(), deployment.name.clone());
            workloads.entry(id).or_default().label(&deployment.template);
        }
        for ((namespace, _), stock) in &mut workloads {
            stock.gateway = stock.labels.iter().any(|labels| is_gateway(labels, &selectors));
            let parts = stock.labels.iter().any(|labels| is_control_plane(labels));
            stock.system = parts || SYSTEM.contains(&&**namespace);
        }
        let behind = services(objects, &mut workloads);
        Self {
            workloads,
            behind,
            complete: objects.gap(Kind::Pod).is_none(),
        }
    }

    pub(super) fn get(&self, namespace: &Name, name: &Name) -> Option<&Stock<'a>> {
        self.workloads.get(&(namespace.clone(), name.clone()))
    }

    /// The workloads that a service selects.
    pub(super) fn behind(&self, namespace: &str, service: &str) -> &[WorkloadId] {
        self.behind
            .get(&(namespace.into(), service.into()))
            .map_or(&[], Vec::as_slice)
    }
}

impl<'a> Stock<'a> {
    fn label(&mut self, labels: &'a Labels) {
        if !self.labels.contains(&labels) {
            self.labels.push(labels);
        }
    }
}

/// Fills in which services select which workload, and the reverse.
fn services(
    objects: &Objects,
    workloads: &mut BTreeMap<WorkloadId, Stock<'_>>,
) -> BTreeMap<(Name, Name), Vec<WorkloadId>> {
    let mut behind: BTreeMap<(Name, Name), Vec<WorkloadId>> = BTreeMap::new();
    for (Key { namespace, name, .. }, service) in &objects.services {
        let first = (namespace.clone(), Name::from(""));
        let here = workloads
            .range_mut(first..)
            .take_while(|((other, _), _)| other == namespace);
        for (id, stock) in here {
            if stock
                .labels
                .iter()
                .any(|labels| selects(&service.selector, labels))
            {
                stock.services.insert(name.clone());
                behind
                    .entry((namespace.clone(), name.clone()))
                    .or_default()
                    .push(id.clone());
            }
        }
    }
    behind
}

/// A Gateway's selector; it looks for pods in all namespaces. None if it is empty.
fn selector(gateway: &Object) -> Option<Labels> {
    let labels = gateway.get("/spec/selector")?.as_object()?.iter();
    let labels: Labels = labels
        .filter_map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into())))
        .collect();
    (!labels.is_empty()).then_some(labels)
}

/// Istio's charts label gateway pods `istio: ingressgateway` (or egress, eastwest); gateways that istiod deploys for the Gateway API
/// carry `gateway.networking.k8s.io/gateway-name`. What else a Gateway selects is one too.
fn is_gateway(labels: &Labels, selectors: &[Labels]) -> bool {
    labels.contains_key("gateway.networking.k8s.io/gateway-name")
        || labels
            .get("istio")
            .is_some_and(|value| value.ends_with("gateway"))
        || selectors.iter().any(|selector| selects(selector, labels))
}

/// istiod, ztunnel and the CNI agent, by the labels of Istio's charts, in whichever namespace they are.
fn is_control_plane(labels: &Labels) -> bool {
    let is = |name: &str, values: &[&str]| labels.get(name).is_some_and(|value| values.contains(&&**value));
    is("app", &["istiod", "ztunnel"]) || is("istio", &["pilot"]) || is("k8s-app", &["istio-cni-node"])
}

#[cfg(test)]
mod tests {
    use super::Inventory;
    use crate::topology::system::{objects, pod};
    use naru_view::topology::Meshed;
    use serde_json::json;

    #[test]
    fn a_workload_is_meshed_by_all_of_its_pods() {
        let table: [(&[&str], Meshed); 6] = [
            (&["sidecar", "sidecar"], Meshed::Sidecar),
            (&["sidecar", "none"], Meshed::Partly),
            (&["none"], Meshed::No),
            (&["ambient", "ambient"], Meshed::Ambient),
            (&["ambient", "sidecar"], Meshed::Ambient),
            (&[], Meshed::Unknown),
        ];
        for (proxies, expected) in table {
            let pods = proxies
                .iter()
                .enumerate()
                .map(|(i, proxy)| pod("n", "a", i, proxy, json!({"app": "a"})));
            let deployment = json!({"kind": "Deployment", "metadata": {"name": "a", "namespace": "n"}});
            let objects = objects(pods.chain([deployment]));
            let inventory = Inventory::of(&objects);
            let stock = inventory.get(&"n".into(), &"a".into()).unwrap();
            assert_eq!(stock.meshed(), expected, "{proxies:?}");
        }
    }

    #[test]
    fn a_deployment_without_pods_is_still_behind_its_service() {
        let objects = objects([
            json!({"kind": "Deployment", "metadata": {"name": "v2", "namespace": "n"},
                "spec": {"replicas": 0, "template": {"metadata": {"labels": {"app": "a", "version": "v2"}}}}}),
            json!({"kind": "Service", "metadata": {"name": "a", "namespace": "n"}, "spec": {"selector": {"app": "a"}}}),
            json!({"kind": "Service", "metadata": {"name": "b", "namespace": "n"}, "spec": {}}),
            json!({"kind": "Service", "metadata": {"name": "a", "namespace": "m"}, "spec": {"selector": {"app": "a"}}}),
        ]);
        let inventory = Inventory::of(&objects);
        let stock = inventory.get(&"n".into(), &"v2".into()).unwrap();
        assert_eq!(
            (stock.pods(), &*stock.version(), &*stock.app()),
            ((0, 0), "v2", "a")
        );
        assert_eq!(inventory.behind("n", "a").len(), 1);
        assert!(inventory.behind("n", "b").is_empty() && inventory.behind("m", "a").is_empty());
    }

    #[test]
    fn gateways_are_what_gateways_select() {
        let objects = objects([
            pod("edge", "own", 0, "sidecar", json!({"role": "edge"})),
            pod("edge", "chart", 0, "sidecar", json!({"istio": "ingressgateway"})),
            pod(
                "edge",
                "api",
                0,
                "sidecar",
                json!({"gateway.networking.k8s.io/gateway-name": "g"}),
            ),
            pod("edge", "app", 0, "sidecar", json!({"istio": "something"})),
            json!({"kind": "Gateway", "metadata": {"name": "g", "namespace": "other"}, "spec": {"selector": {"role": "edge"}}}),
            json!({"kind": "Gateway", "metadata": {"name": "all", "namespace": "other"}, "spec": {"selector": {}}}),
        ]);
        let inventory = Inventory::of(&objects);
        let gateways: Vec<&str> = inventory
            .workloads
            .iter()
            .filter(|(_, stock)| stock.gateway)
            .map(|((_, name), _)| &**name)
            .collect();
        assert_eq!(gateways, ["api", "chart", "own"]);
    }
}
