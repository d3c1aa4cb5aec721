//! Which proxies route by a VirtualService, or by an HTTPRoute of a Service.

use super::scope;
use crate::{
    mesh::{
        Mesh, Proxy, Role,
        gateway::{bound, selects},
    },
    object::{Kind, Object},
};

/// Whether istiod gives the proxy routes of this VirtualService: for a sidecar, it is bound to `mesh`, exported to the proxy's namespace and
/// taken in by its `Sidecar`; for a gateway, it is bound to a Gateway that selects it and visible in its namespace. An HTTPRoute is one of those
/// that a VirtualService of istiod's own is made of; which gateways it acts at is not asked here.
pub fn governs(mesh: &Mesh<'_>, proxy: &Proxy, route: &Object) -> bool {
    let key = route.key();
    match proxy.role {
        Role::Sidecar => {
            let scope = scope::of(mesh, proxy);
            let mut all = scope.listeners.iter().flat_map(|it| &it.bound);
            all.any(|it| it.key == *key || it.http.iter().any(|rule| rule.at.0 == *key))
        }
        Role::Gateway => {
            let mut gateways = mesh.objects.of_kind(Kind::Gateway);
            gateways.any(|gateway| {
                selects(gateway, proxy)
                    && bound(mesh, gateway, &proxy.namespace)
                        .iter()
                        .any(|it| it.key() == key)
            })
        }
    }
}
