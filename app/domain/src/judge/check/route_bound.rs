//! 1.2: each VirtualService for a host of the outside is bound to a Gateway that is there and serves the host. Without `gateways` it holds
//! inside the mesh only, and a gateway answers 404.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, routes},
    mesh::{
        Decider,
        gateway::{names, servers},
        host, route,
    },
    object::{Kind, Object},
};

const GATEWAY_ABSENT: Code = Code::error("route-gateway-absent").istio("IST0101");
const HOST_UNSERVED: Code = Code::error("route-host-unserved").istio("IST0132");
const MESH_ONLY: Code = Code::error("route-mesh-only");

pub(super) const CHECK: Check = Check {
    name: "route_bound",
    item: Item::Routed,
    codes: &[&GATEWAY_ABSENT, &HOST_UNSERVED, &MESH_ONLY],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let kinds = [Kind::VirtualService, Kind::Gateway];
    let gaps: Vec<_> = kinds.iter().filter_map(|&kind| world.objects.gap(kind)).collect();
    if !gaps.is_empty() {
        found.unknowns(gaps);
        return;
    }
    for route in world.objects.of_kind(Kind::VirtualService) {
        bound(world, route, found);
    }
}

fn bound(world: &World<'_>, route: &Object, found: &mut Found) {
    let name = &*route.key().name;
    let gateways = route::gateways(route);
    let mut served = Vec::new();
    let mut absent = false;
    for (index, gateway) in gateways.iter().enumerate().filter(|(_, it)| &***it != "mesh") {
        match routes::bound_gateway(world, route, gateway) {
            Some(object) => served.extend(servers(object).into_iter().flat_map(|it| {
                names::for_namespace(&it.hosts, &route.key().namespace)
            })),
            None => {
                absent = true;
                let by = Decider::of(route, format!("/spec/gateways/{index}"));
                let args = [("route", name.into()), ("gateway", (&**gateway).into())];
                found.finding(&GATEWAY_ABSENT, by, args);
            }
        }
    }
    if absent {
        return;
    }
    let edge = world.migration.as_ref().ok().and_then(|(_, it)| it.edge.as_ref());
    let complete = names::hosts(route);
    for (index, host) in route::hosts(route).iter().enumerate() {
        let by = || Decider::of(route, format!("/spec/hosts/{index}"));
        let args = [("route", name.into()), ("host", (&**host).into())];
        if gateways.iter().all(|it| &**it == "mesh") {
            let outside = edge.is_some_and(|edge| edge.hosts.contains(host));
            if outside && host::service_of(&host::fqdn(host, &route.key().namespace)).is_none() {
                found.finding(&MESH_ONLY, by(), args);
            }
        } else if !gateways.iter().any(|it| &**it == "mesh")
            && names::intersection(&served, std::slice::from_ref(&complete[index])).is_empty()
        {
            found.finding(&HOST_UNSERVED, by(), args);
        }
    }
    found.saw("route-gateways", route, "/spec/gateways", gateways.join(", "));
}
