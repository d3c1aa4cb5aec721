//! Where a request ends that goes to the address that the caller has dialled: let through (`PassthroughCluster`), or by a ServiceEntry that
//! resolves nothing. It is sent as it is, and the rules of whoever has the address apply.

use super::{End, Leg, behind::Asks, direct};
use crate::{
    mesh::{
        route::{ChosenDestination, Share},
        subset::{self, Endpoint, Reach},
    },
    object::Kind,
    workload::workload_of,
};
use std::{net::IpAddr, sync::Arc};

impl Asks<'_> {
    /// Where what is let through ends, if that is one of the cluster's own pods or Services; else nobody here knows.
    pub(super) fn let_through(self) -> Option<Leg> {
        let Some(address) = self.address() else {
            let share = direct(self.mesh, self.proxy, self.request)?;
            return self.behind_service(share);
        };
        let share = Share {
            destination: ChosenDestination {
                host: address.to_string().into(),
                subset: "".into(),
                port: self.request.port,
            },
            weight: 100,
            missing: None,
        };
        if let Some(pod) = self.pod(address) {
            let ends = Ok(self.ends(&share.destination, &[pod], true));
            return Some(Leg { share, ends });
        }
        let mut services = self.mesh.objects.services.values();
        let service = services.find(|it| it.addresses.iter().any(|it| it.parse() == Ok(address)))?;
        let id = crate::traffic::ServiceId {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
        };
        let destination = ChosenDestination {
            host: crate::mesh::host::of_service(&id),
            ..share.destination
        };
        self.behind_service(Share { destination, ..share })
    }

    /// Behind a Service the node chooses the pod, as it does for callers without a proxy.
    fn behind_service(self, share: Share) -> Option<Leg> {
        let Reach::Endpoints(endpoints) = subset::reach(self.mesh, self.proxy, &share.destination) else {
            return None;
        };
        let ends = Ok(self.ends(&share.destination, &endpoints, true));
        Some(Leg { share, ends })
    }

    /// Behind a host of the only ServiceEntry for it, if that resolves nothing, no rule of the mesh's touches it, and the address that was
    /// dialled is a pod's. (`ORIGINAL_DST` in istio's `pilot/pkg/networking/core`.)
    pub(super) fn original(self, to: &ChosenDestination) -> Option<Vec<End>> {
        let entries: Vec<_> = self
            .mesh
            .objects
            .of_kind(Kind::ServiceEntry)
            .filter(|it| {
                let hosts = it.list("/spec/hosts").iter().filter_map(|it| it.as_str());
                hosts.into_iter().any(|host| *host == *to.host)
            })
            .collect();
        let [entry] = entries[..] else {
            return None;
        };
        let resolves = !matches!(entry.text("/spec/resolution"), "" | "NONE");
        let points = !entry.list("/spec/endpoints").is_empty()
            || entry
                .get("/spec/workloadSelector")
                .is_some_and(|it| !it.is_null());
        let ruled = !matches!(
            subset::destination_rule(self.mesh, self.proxy, &to.host),
            Ok(None)
        );
        if resolves || points || ruled {
            return None;
        }
        let pod = self.pod(self.address()?)?;
        Some(self.ends(to, &[pod], true))
    }

    fn address(self) -> Option<IpAddr> {
        let host = crate::mesh::route::action::without_port(&self.request.host);
        self.request
            .address
            .or_else(|| host.trim_matches(['[', ']']).parse().ok())
    }

    /// The pod that has an address, if it is one's alone: pods on the host's network share it.
    fn pod(self, address: IpAddr) -> Option<Endpoint> {
        if self.mesh.objects.gap(Kind::Pod).is_some() {
            return None;
        }
        let over = |phase: &str| matches!(phase, "Succeeded" | "Failed");
        let mut pods = self
            .mesh
            .objects
            .pods
            .values()
            .filter(|it| it.ip.parse() == Ok(address) && !over(&it.phase));
        let pod = pods.next().filter(|_| pods.next().is_none())?;
        Some(Endpoint {
            workload: Some(workload_of(self.mesh.objects, pod)),
            pod: Some(Arc::clone(pod)),
            ready: true,
            port: Some(self.request.port),
        })
    }
}

#[cfg(test)]
mod tests;
