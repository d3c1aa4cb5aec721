//! 1.2: each destination names a Service and a port that are there. A short name means the rule's own namespace.

use crate::{
    Name, Why,
    crossing::Item,
    judge::{
        Check, Code, Found, World,
        fix::Edit,
        routes::{self, Used},
    },
    mesh::{
        Decider,
        gateway::{names, servers},
        host::{self, Host},
        route,
    },
    object::{Kind, Object},
    snapshot::Objects,
    traffic::ServiceId,
};
use serde_json::Value;

const ABSENT: Code = Code::error("destination-absent").istio("IST0101");
const ELSEWHERE: Code = Code::error("destination-elsewhere").istio("IST0101").mended(in_full);
const PORT_ABSENT: Code = Code::error("destination-port-absent").istio("IST0101");
const PORT_UNSAID: Code = Code::error("destination-port-unsaid").istio("IST0112");
const ABSENT_IDLE: Code = Code::info("destination-absent-idle").istio("IST0101");
const HOST_ELSEWHERE: Code = Code::error("route-host-elsewhere");

pub(super) const CHECK: Check = Check {
    name: "destination_resolves",
    item: Item::Routed,
    codes: &[
        &ABSENT,
        &ELSEWHERE,
        &PORT_ABSENT,
        &PORT_UNSAID,
        &ABSENT_IDLE,
        &HOST_ELSEWHERE,
    ],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let used = world.used(found);
    found.unknowns(world.objects.gap(Kind::Service));
    for it in used {
        match it.resolved(world) {
            Host::Service(id) => port(world, it, &id, found),
            Host::Absent { fqdn } => absent(world, it, &fqdn, found),
            Host::Unknown(why) => found.unknown(why),
        }
    }
    hosts(world, found);
}

/// Where Services of a short name are, as text; empty for a name that is not short or that nobody has.
fn elsewhere(world: &World<'_>, host: &str, namespace: &str) -> String {
    let all = routes::elsewhere(world, host, namespace);
    let all: Vec<&str> = all.iter().map(|it| &*it.namespace).collect();
    all.join(", ")
}

fn absent(world: &World<'_>, it: &Used<'_>, fqdn: &str, found: &mut Found) {
    let namespace = &*it.route.key().namespace;
    let near = elsewhere(world, &it.host, namespace);
    let by = Decider {
        path: if it.by.key.kind == Kind::VirtualService {
            format!("{}/host", it.by.path).into()
        } else {
            it.by.path.clone()
        },
        key: it.by.key.clone(),
    };
    let args = || {
        [
            ("route", (&*it.by.key.name).into()),
            ("host", (&*it.host).into()),
            ("fqdn", fqdn.to_owned().into()),
        ]
    };
    if it.weight == 0 {
        found.finding(&ABSENT_IDLE, by, args());
    } else if !near.is_empty() {
        let [route, host, fqdn] = args();
        let args = [route, host, fqdn, ("elsewhere", near.into())];
        found.finding(&ELSEWHERE, by, args);
    } else if routes::left_out(world, fqdn) && host::service_of(fqdn).is_some() {
        found.unknown(Why::NeedsCluster);
    } else {
        found.finding(&ABSENT, by, args());
    }
}

/// The full name of the one Service that is called so, at every destination of the rule that has the short one: requests there go nowhere now.
fn in_full(objects: &Objects, rule: &Object, path: &str) -> Option<Vec<Edit>> {
    let short = rule.text(path);
    let mut named = objects.services.values().filter(|it| &*it.name == short);
    let service = named.next().filter(|_| named.next().is_none())?;
    if rule.key().kind != Kind::VirtualService || service.namespace == rule.key().namespace {
        return None;
    }
    let full = host::fqdn(&service.name, &service.namespace);
    let mut edits = Vec::new();
    for protocol in ["http", "tls", "tcp"] {
        for (index, entry) in rule.list(&format!("/spec/{protocol}")).iter().enumerate() {
            let routes = entry.get("route").and_then(Value::as_array).map_or(0, Vec::len);
            let places = (0..routes).map(|at| format!("/spec/{protocol}/{index}/route/{at}/destination/host"));
            edits.extend(places.filter(|it| rule.text(it) == short).map(|it| Edit {
                path: it.into(),
                after: Some((*full).into()),
            }));
        }
    }
    edits.iter().any(|it| &*it.path == path).then_some(edits)
}

fn port(world: &World<'_>, it: &Used<'_>, id: &ServiceId, found: &mut Found) {
    let Some(service) = world.objects.service(&id.namespace, &id.name) else {
        return;
    };
    let name = format!("{}/{}", id.namespace, id.name);
    let ports: Vec<u16> = service.ports.iter().map(|it| it.port).collect();
    let listed = || ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let args = |port: String| {
        [
            ("route", Name::from(&*it.by.key.name)),
            ("service", name.as_str().into()),
            ("port", port.into()),
            ("ports", listed().into()),
        ]
    };
    let mut find = |code, field: &str, port: String| {
        let by = Decider {
            key: it.by.key.clone(),
            path: format!("{}{field}", it.by.path).into(),
        };
        let args = args(port);
        found.finding(code, by, args.each_ref().map(|(name, value)| (*name, (&**value).into())));
    };
    let ours = it.by.key.kind == Kind::VirtualService;
    match it.port {
        Some(port) if !ports.contains(&port) && !ports.is_empty() => {
            if it.weight > 0 {
                find(&PORT_ABSENT, if ours { "/port/number" } else { "" }, port.to_string());
            }
        }
        None if ports.len() > 1 && it.weight > 0 && ours => {
            // A gateway takes its server's own port then; a sidecar the caller's.
            if let Some(server) = wanted(world, it).into_iter().find(|port| !ports.contains(port)) {
                find(&PORT_UNSAID, "", server.to_string());
            }
        }
        _ => found.saw_at("destination-service", &it.by, name.as_str()),
    }
}

/// Ports of the servers through which requests come to a rule; empty for callers in the mesh.
fn wanted(world: &World<'_>, it: &Used<'_>) -> Vec<u16> {
    let gateways = route::gateways(&it.route).into_iter();
    let bound = gateways.filter_map(|name| routes::bound_gateway(world, &it.route, &name));
    let hosts = names::hosts(&it.route);
    let serving = bound.flat_map(servers).filter(|server| {
        let ours = names::for_namespace(&server.hosts, &it.route.key().namespace);
        server.reads_http() && !server.redirects() && !names::intersection(&ours, &hosts).is_empty()
    });
    serving.map(|server| server.port).collect()
}

/// Rules for callers in the mesh are for the Service that their own host names.
fn hosts(world: &World<'_>, found: &mut Found) {
    for object in world.objects.of_kind(Kind::VirtualService) {
        if !route::gateways(object).iter().any(|it| &**it == "mesh") {
            continue;
        }
        let namespace = &*object.key().namespace;
        for (index, host) in route::hosts(object).iter().enumerate() {
            if let Host::Absent { fqdn } = host::resolve(world.objects, host, namespace) {
                let near = elsewhere(world, host, namespace);
                if !near.is_empty() {
                    let by = Decider::of(object, format!("/spec/hosts/{index}"));
                    let args = [
                        ("route", (&*object.key().name).into()),
                        ("host", (&**host).into()),
                        ("fqdn", (&*fqdn).into()),
                        ("elsewhere", near.into()),
                    ];
                    found.finding(&HOST_ELSEWHERE, by, args);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
