//! 1.2: one host has one VirtualService for callers in the mesh. Of two, sidecars take one and pass over the other; at a gateway their rules are put
//! one after the other.

use crate::{
    Name,
    crossing::Item,
    judge::{Check, Code, Found, World, routes},
    mesh::{
        Decider,
        gateway::names,
        route::{self, matching},
    },
    object::{Kind, Object},
};
use std::collections::BTreeMap;

const SAME_HOST: Code = Code::error("route-same-host").istio("IST0109");
const SHARED: Code = Code::info("route-host-shared");
const TWO_KINDS: Code = Code::warning("route-two-kinds");

pub(super) const CHECK: Check = Check {
    name: "route_conflict",
    item: Item::Routed,
    codes: &[&SAME_HOST, &SHARED, &TWO_KINDS],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let kinds = [Kind::VirtualService, Kind::HttpRoute];
    found.unknowns(kinds.iter().filter_map(|&kind| world.objects.gap(kind)));
    // By gateway and host, oldest first, as istiod takes them.
    let mut by_host: BTreeMap<(Name, Name), Vec<(&Object, usize)>> = BTreeMap::new();
    for object in world.mesh.oldest_first(Kind::VirtualService) {
        for gateway in route::gateways(object) {
            let gateway = matching::gateway(&gateway, &object.key().namespace);
            for (index, host) in names::hosts(object).into_iter().enumerate() {
                let key = (gateway.clone(), host.to_lowercase().into());
                by_host.entry(key).or_default().push((object, index));
            }
        }
    }
    for ((gateway, host), all) in &by_host {
        for (at, (object, index)) in all.iter().enumerate() {
            let earlier = all[..at]
                .iter()
                .find(|(other, _)| other.key() != object.key() && meet(world, other, object));
            let Some((other, _)) = earlier else { continue };
            let code = if &**gateway == "mesh" { &SAME_HOST } else { &SHARED };
            let by = Decider::of(object, format!("/spec/hosts/{index}"));
            let args = [
                ("route", (&*object.key().name).into()),
                ("host", (&**host).into()),
                ("other", format!("{}/{}", other.key().namespace, other.key().name).into()),
            ];
            found.finding(code, by, args);
        }
        if let [(only, index)] = all[..] {
            found.saw("route-host", only, &format!("/spec/hosts/{index}"), format!("{gateway} {host}"));
        }
    }
    http_routes(world, &by_host, found);
}

/// Whether some namespace sees both (`exportTo`; meshConfig's default where there is none).
fn meet(world: &World<'_>, a: &Object, b: &Object) -> bool {
    let seen = |object: &Object| -> Vec<Name> {
        let own = &object.key().namespace;
        let written = object.list("/spec/exportTo").iter().filter_map(|it| it.as_str());
        let mut to: Vec<Name> = written.map(Name::from).collect();
        if to.is_empty() {
            to.clone_from(&world.mesh.config.virtual_service_export_to);
        }
        let plain = to.into_iter().map(|it| if &*it == "." { own.clone() } else { it });
        plain.collect()
    };
    let (a, b) = (seen(a), seen(b));
    let public = |it: &[Name]| it.is_empty() || it.iter().any(|it| &**it == "*");
    public(&a) || public(&b) || a.iter().any(|it| b.contains(it))
}

/// HTTPRoutes for a Service that a VirtualService is for as well.
fn http_routes(world: &World<'_>, by_host: &BTreeMap<(Name, Name), Vec<(&Object, usize)>>, found: &mut Found) {
    let (all, _) = routes::all(world);
    let made = all.iter().filter(|it| matches!(it, std::borrow::Cow::Owned(_)));
    for it in made.filter(|it| route::gateways(it).iter().any(|name| &**name == "mesh")) {
        for host in names::hosts(it) {
            let key = ("mesh".into(), host.to_lowercase().into());
            let Some((other, index)) = by_host.get(&key).and_then(|all| all.first()) else {
                continue;
            };
            let http_route = crate::mesh::gateway_api::origin(it, 0).map_or_else(|| it.key().clone(), |(key, _)| key);
            let by = Decider::of(other, format!("/spec/hosts/{index}"));
            let args = [
                ("route", (&*other.key().name).into()),
                ("host", (&*host).into()),
                ("http", format!("{}/{}", http_route.namespace, http_route.name).into()),
            ];
            found.finding(&TWO_KINDS, by, args);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn route(name: &str, namespace: &str, host: &str, more: &str) -> String {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{hosts: [{host}]{more}, http: [{{route: [{{destination: {{host: web}}}}]}}]}}\n"
        )
    }

    fn found(parts: &[String]) -> Vec<&'static str> {
        codes(&judged("route_conflict", &parts.concat()))
    }

    #[test]
    fn two_for_one_host_of_the_mesh_conflict() {
        assert_eq!(
            found(&[route("a", "shop", "web", ""), route("b", "shop", "web.shop.svc.cluster.local", "")]),
            ["route-same-host"]
        );
        assert!(found(&[route("a", "shop", "web", ""), route("b", "m", "web", "")]).is_empty());
    }

    #[test]
    fn two_that_nobody_sees_both_of_do_not() {
        let own = ", exportTo: ['.']";
        let full = "web.shop.svc.cluster.local";
        assert!(found(&[route("a", "shop", full, own), route("b", "m", full, own)]).is_empty());
        assert_eq!(
            found(&[route("a", "shop", full, ""), route("b", "m", full, own)]),
            ["route-same-host"]
        );
    }

    #[test]
    fn at_a_gateway_they_are_put_together() {
        let at = ", gateways: [shop/g]";
        assert_eq!(
            found(&[route("a", "shop", "a.example", at), route("b", "shop", "a.example", at)]),
            ["route-host-shared"]
        );
        assert!(found(&[route("a", "shop", "a.example", at), route("b", "shop", "a.example", ", gateways: [shop/h]")]).is_empty());
    }

    #[test]
    fn an_http_route_beside_it_is_told() {
        let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{name: http, port: 80}]}\n";
        let http = |name: &str| {
            format!(
                "{service}---\napiVersion: v1\nkind: Service\nmetadata: {{name: other, namespace: shop}}\nspec: {{ports: [{{name: http, port: 80}}]}}\n---\n\
                 apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: h, namespace: shop}}\nspec: {{parentRefs: [{{kind: Service, group: '', name: {name}}}], \
                 rules: [{{backendRefs: [{{name: web, port: 80}}]}}]}}\n"
            )
        };
        assert_eq!(found(&[http("web"), route("a", "shop", "web", "")]), ["route-two-kinds"]);
        assert!(found(&[http("other"), route("a", "shop", "web", "")]).is_empty());
    }
}
