//! What istiod makes gateways of: Gateways and VirtualServices as they are written, and those that it makes of other objects.

use super::{merge::Placed, serves};
use crate::{
    Name, Why,
    mesh::{
        Mesh, Proxy, age,
        gateway_api::{self, Front},
        route::bound::undelegated,
        unjudged,
    },
    object::{Kind, Object},
};
use std::borrow::Cow;

/// VirtualServices in istiod's order, with delegates' rules in their roots', and what of the Gateway API is not judged.
pub(super) struct Edge<'a> {
    pub(super) mesh: &'a Mesh<'a>,
    rules: Vec<Cow<'a, Object>>,
    fronts: Vec<Front>,
    /// By the listener's Gateway.
    unturned: Vec<(Name, Why)>,
}

impl<'a> Edge<'a> {
    pub(super) fn of(mesh: &'a Mesh<'a>) -> Self {
        let made = gateway_api::at_gateways(mesh.objects);
        Self {
            rules: rules(mesh, made.virtual_services),
            fronts: made.fronts,
            unturned: made.unjudged,
            mesh,
        }
    }

    /// The VirtualServices bound to a Gateway; see [`serves::bound`].
    pub(super) fn bound(&self, gateway: &Object, namespace: &str) -> Vec<Cow<'a, Object>> {
        serves::among(self.mesh, &self.rules, gateway, namespace)
    }

    /// Why what a listener serves is not known.
    pub(super) fn unturned(&self, placed: &Placed<'_>) -> Option<Why> {
        let mut all = self.unturned.iter();
        all.find(|(name, _)| *name == placed.name)
            .map(|(_, why)| why.clone())
    }

    /// Gateways of the Gateway API that this proxy serves or may serve, and that are not judged: of another class, with listeners that are
    /// not seen, or at a name that a ServiceEntry may give to its pods. And what those that are judged are made of and cannot be read.
    pub(super) fn whys(&self, proxy: &Proxy) -> Vec<Why> {
        const NAME: &str = "gateway.networking.k8s.io/gateway-name";
        let objects = self.mesh.objects;
        let mut whys = Vec::new();
        for front in &self.fronts {
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
pub(super) fn rules<'a>(mesh: &Mesh<'a>, made: Vec<Object>) -> Vec<Cow<'a, Object>> {
    let written = mesh.objects.of_kind(Kind::VirtualService);
    let merged = written.map(|it| undelegated(mesh, it).map_or(Cow::Borrowed(it), Cow::Owned));
    let mut all: Vec<Cow<'a, Object>> = merged.chain(made.into_iter().map(Cow::Owned)).collect();
    all.sort_by(|a, b| age(a).cmp(&age(b)));
    all
}
