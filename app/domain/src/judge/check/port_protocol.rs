//! 1.2: ports that HTTP rules are for are known to speak HTTP (Istio documentation, "Protocol Selection").

use crate::{
    Name,
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{
        Decider,
        host::{self, Host},
        protocol::{self, By, Reads},
        route,
    },
    object::{Key, Kind},
};
use std::collections::BTreeSet;

const NEVER_READ: Code = Code::error("route-http-never-read");
const UNTOLD: Code = Code::info("port-protocol-untold").istio("IST0118");

pub(super) const CHECK: Check = Check {
    name: "port_protocol",
    item: Item::Routed,
    codes: &[&NEVER_READ, &UNTOLD],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let kinds = [Kind::VirtualService, Kind::Service];
    found.unknowns(kinds.iter().filter_map(|&kind| world.objects.gap(kind)));
    let mut services: BTreeSet<(Name, Name)> = BTreeSet::new();
    for object in world.objects.of_kind(Kind::VirtualService) {
        let namespace = &object.key().namespace;
        let http = !object.list("/spec/http").is_empty();
        let mesh = route::gateways(object).iter().any(|it| &**it == "mesh");
        for (index, name) in route::hosts(object).iter().enumerate().filter(|_| http && mesh) {
            let Host::Service(id) = host::resolve(world.objects, name, namespace) else {
                continue;
            };
            let Some(service) = world.objects.service(&id.namespace, &id.name) else {
                continue;
            };
            let reads = |reads: Reads| {
                let mut ports = service.ports.iter();
                ports.any(|port| protocol::of(port).protocol.reads() == reads)
            };
            if !service.ports.is_empty() && !reads(Reads::Http) && !reads(Reads::Sniffed) {
                let by = Decider::of(object, format!("/spec/hosts/{index}"));
                let args = [
                    ("route", (&*object.key().name).into()),
                    ("service", format!("{}/{}", id.namespace, id.name).into()),
                ];
                found.finding(&NEVER_READ, by, args);
            }
        }
        let rules = route::rules(object);
        for to in rules.iter().flat_map(|rule| &rule.destinations) {
            if let Host::Service(id) = host::resolve(world.objects, &to.host, namespace) {
                services.insert((id.namespace, id.name));
            }
        }
    }
    for (namespace, name) in services {
        let Some(service) = world.objects.service(&namespace, &name) else {
            continue;
        };
        for (index, port) in service.ports.iter().enumerate() {
            let by = Decider {
                key: Key::new(Kind::Service, namespace.clone(), name.clone()),
                path: format!("/spec/ports/{index}/name").into(),
            };
            let declared = protocol::of(port);
            if declared.by == By::Nothing {
                let args = [
                    ("service", format!("{namespace}/{name}").into()),
                    ("port", port.port.to_string().into()),
                ];
                found.finding(&UNTOLD, by, args);
            } else {
                found.saw_at("port-protocol", &by, format!("{} {:?}", port.port, declared.protocol));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn found(port: &str, gateways: &str) -> Vec<&'static str> {
        let yaml = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{ports: [{port}]}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [web], gateways: [{gateways}], http: [{{route: [{{destination: {{host: web}}}}]}}]}}\n"
        );
        codes(&judged("port_protocol", &yaml))
    }

    #[test]
    fn http_rules_for_a_port_of_bytes_do_nothing() {
        assert_eq!(found("{name: tcp-web, port: 80}", "mesh"), ["route-http-never-read"]);
        assert!(found("{name: http-web, port: 80}", "mesh").is_empty());
        assert!(found("{name: tcp-web, port: 80}, {name: http, port: 81}", "mesh").is_empty());
        assert!(found("{name: tcp-web, port: 80}", "shop/g").is_empty());
    }

    #[test]
    fn a_port_that_nothing_tells_of_is_worth_knowing() {
        assert_eq!(found("{name: web, port: 80}", "mesh"), ["port-protocol-untold"]);
        assert!(found("{name: web, port: 80, appProtocol: http}", "mesh").is_empty());
    }
}
