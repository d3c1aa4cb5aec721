//! What istiod makes gateways of: Gateways and VirtualServices as they are written, and those that it makes of other objects.

use super::{merge::Placed, serves};
use crate::{
    Why,
    mesh::{Mesh, Proxy, age, route::bound::undelegated, unjudged},
    object::{Kind, Object},
};
use std::borrow::Cow;

/// A mesh, as its gateways are asked about: what istiod makes of it is read once for all questions (`mesh/prepared.rs`).
pub(super) struct Edge<'a> {
    pub(super) mesh: &'a Mesh<'a>,
}

impl<'a> Edge<'a> {
    pub(super) fn of(mesh: &'a Mesh<'a>) -> Self {
        Self { mesh }
    }

    /// The VirtualServices bound to a Gateway; see [`serves::bound`].
    pub(super) fn bound(&self, gateway: &Object, namespace: &str) -> Vec<Cow<'a, Object>> {
        serves::bound(self.mesh, gateway, namespace)
    }

    /// Why what a listener serves is not known.
    pub(super) fn unturned(&self, placed: &Placed<'_>) -> Option<Why> {
        // By the listener's Gateway.
        let mut all = self.mesh.at_gateways().unjudged.iter();
        all.find(|(name, _)| *name == placed.name)
            .map(|(_, why)| why.clone())
    }

    /// Gateways of the Gateway API that this proxy serves or may serve, and that are not judged: of another class, with listeners that are
    /// not seen, or at a name that a ServiceEntry may give to its pods. And what those that are judged are made of and cannot be read.
    pub(super) fn whys(&self, proxy: &Proxy) -> Vec<Why> {
        const NAME: &str = "gateway.networking.k8s.io/gateway-name";
        let objects = self.mesh.objects;
        let mut whys = Vec::new();
        for front in &self.mesh.at_gateways().fronts {
            let key = front.gateway.key();
            if key.namespace != proxy.namespace {
                continue;
            }
            let serves = front.serves(objects, &proxy.namespace, &proxy.labels);
            let named = proxy.labels.get(NAME) == Some(&key.name);
            let elsewhere = || {
                let mut entries = objects.of_kind(Kind::ServiceEntry);
                entries.any(|it| {
                    let hosts = it.list("/spec/hosts").iter().filter_map(|it| it.as_str());
                    let selector = unjudged::labels(it, "/spec/workloadSelector/labels");
                    it.key().namespace == key.namespace
                        && !selector.is_empty()
                        && proxy.selected_by(&selector)
                        && hosts
                            .into_iter()
                            .any(|it| front.services.iter().any(|of| **of == *it))
                })
            };
            if !front.judged && (serves || named) || elsewhere() {
                whys.push(unjudged::named(&front.gateway));
            } else if serves {
                let needed = [Kind::Namespace, Kind::ReferenceGrant];
                whys.extend(needed.iter().filter_map(|&kind| objects.gap(kind)));
            }
        }
        whys
    }
}

/// All VirtualServices, oldest first. (`mergeVirtualServices` in istio's `pilot/pkg/model`.)
pub(in crate::mesh) fn rules(mesh: &Mesh<'_>) -> Vec<Cow<'static, Object>> {
    let written = mesh.objects.of_kind(Kind::VirtualService);
    let merged = written.map(|it| undelegated(mesh, it).unwrap_or_else(|| it.clone()));
    let made = mesh.at_gateways().virtual_services.iter().cloned();
    let mut all: Vec<Cow<'static, Object>> = merged.chain(made).map(Cow::Owned).collect();
    all.sort_by(|a, b| age(a).cmp(&age(b)));
    all
}
