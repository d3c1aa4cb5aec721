//! 1.2: each VirtualService for a host of the outside is bound to a Gateway that is there and serves the host. Without `gateways` it holds
//! inside the mesh only, and a gateway answers 404.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, routes},
    mesh::{
        Decider,
        gateway::{names, servers},
        host, route,
        route::matching,
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
            // Another namespace's Gateway is seldom among an application's files.
            None if left_out(world, route, gateway) => {
                absent = true;
                let _known = world.running(found);
            }
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

fn left_out(world: &World<'_>, route: &Object, gateway: &str) -> bool {
    let full = matching::gateway(gateway, &route.key().namespace);
    let namespace = full.split_once('/').map_or("", |(namespace, _)| namespace);
    let mut there = world.objects.of_kind_in(Kind::Gateway, namespace);
    !world.running && *namespace != *route.key().namespace && there.next().is_none()
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, judged, judged_running},
    };

    fn world(hosts: &str, gateways: &str) -> String {
        format!(
            "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{edge: {{hosts: [a.example]}}}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{selector: {{istio: gw}}, servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ['*.example']}}]}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [{hosts}]{gateways}, http: [{{route: [{{destination: {{host: web}}}}]}}]}}\n"
        )
    }

    fn found(hosts: &str, gateways: &str) -> Vec<&'static str> {
        codes(&judged("route_bound", &world(hosts, gateways)))
    }

    #[test]
    fn a_host_of_the_outside_needs_a_gateway_that_serves_it() {
        assert_eq!(found("a.example", ""), ["route-mesh-only"]);
        assert_eq!(found("a.example.org", ", gateways: [g]"), ["route-host-unserved"]);
        assert!(found("web", "").is_empty());
    }

    #[test]
    fn a_gateway_is_named_in_several_ways() {
        for name in ["g", "./g", "shop/g", "g.shop.svc.cluster.local"] {
            assert!(found("a.example", &format!(", gateways: ['{name}']")).is_empty(), "{name}");
        }
        assert_eq!(found("a.example", ", gateways: [gone]"), ["route-gateway-absent"]);
    }

    #[test]
    fn files_may_leave_anothers_gateways_out() {
        let yaml = world("a.example", ", gateways: [far/g]");
        let files = judged("route_bound", &yaml);
        assert!(files.findings.is_empty());
        assert_eq!(files.unknown, [Why::NeedsCluster]);
        assert_eq!(codes(&judged_running("route_bound", &yaml)), ["route-gateway-absent"]);
    }
}
