//! 1.4: where TLS ends is said in the Migration, and Ingress and Gateway agree with it.

use crate::{
    Why,
    crossing::{Item, migration::Tls},
    fact::Ingress,
    judge::{Check, Code, Found, World, edge},
    mesh::{
        Decider,
        gateway::{Mode, Server, names, servers},
    },
    object::{Kind, Object},
};

const UNUSED: Code = Code::warning("tls-gateway-unused");
const LOOP: Code = Code::error("tls-redirect-loop");
const CONTRADICTED: Code = Code::error("tls-mode-contradicted");
const NO_SERVER: Code = Code::error("tls-no-gateway-server");
const NO_SNI: Code = Code::error("tls-no-sni");

pub(super) const CHECK: Check = Check {
    name: "tls_mode",
    item: Item::Certified,
    codes: &[&UNUSED, &LOOP, &CONTRADICTED, &NO_SERVER, &NO_SNI],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let Some(mode) = world.declared(found, "edge.tls", |it| it.edge.as_ref()?.tls) else {
        return;
    };
    let kinds = [Kind::Gateway, Kind::Ingress];
    let gaps: Vec<Why> = kinds.iter().filter_map(|&kind| world.objects.gap(kind)).collect();
    if !gaps.is_empty() {
        found.unknowns(gaps);
        return;
    }
    let Ok((key, migration)) = &world.migration else {
        return;
    };
    let declared = Decider {
        key: key.clone(),
        path: "/spec/edge/tls".into(),
    };
    found.saw_at("tls-declared", &declared, name(mode));
    let edge = migration.edge.iter();
    for host in edge.flat_map(|it| &it.hosts) {
        let all = world.objects.of_kind(Kind::Gateway);
        let serving: Vec<(&Object, Server)> = all
            .flat_map(|object| servers(object).into_iter().map(move |it| (object, it)))
            .filter(|(_, server)| {
                let bare = server.hosts.iter().map(|it| it.split_once('/').map_or(&**it, |(_, name)| name));
                names::envoy_host(host, bare).is_some()
            })
            .collect();
        at_gateway(world, mode, host, &serving, &declared, found);
        at_ingress(world, mode, host, &serving, found);
    }
}

fn name(mode: Tls) -> &'static str {
    match mode {
        Tls::Terminate => "terminate",
        Tls::ReEncrypt => "re-encrypt",
        Tls::Passthrough => "passthrough",
    }
}

fn at_gateway(
    world: &World<'_>,
    mode: Tls,
    host: &str,
    serving: &[(&Object, Server)],
    declared: &Decider,
    found: &mut Found,
) {
    let fits = |server: &Server| match mode {
        Tls::Terminate => server.reads_http() && !server.by_sni(),
        Tls::ReEncrypt | Tls::Passthrough => server.by_sni(),
    };
    if !serving.iter().any(|(_, server)| fits(server)) {
        // None at all is told where rules are bound to Gateways.
        if !serving.is_empty() || world.running {
            let args = [("host", host.into()), ("mode", name(mode).into())];
            found.finding(&NO_SERVER, declared.clone(), args);
        } else {
            found.unknown(Why::NeedsCluster);
        }
    }
    for (object, server) in serving {
        let by = Decider::of(object, format!("/spec/servers/{}", server.index));
        let args = || {
            [
                ("gateway", (&*object.key().name).into()),
                ("host", host.into()),
                ("port", server.port.to_string().into()),
            ]
        };
        if fits(server) {
            found.saw_at("tls-server", &by, format!("{} {}", server.port, server.protocol));
        }
        if mode != Tls::Terminate {
            continue;
        }
        if server.by_sni() && server.tls.as_ref().is_none_or(|it| it.mode != Mode::AutoPassthrough) {
            found.finding(&UNUSED, by, args());
        } else if server.redirects() && trusts_nobody(world) {
            found.finding(&LOOP, by, args());
        }
    }
}

/// Then a gateway takes every request for a plain one, and redirects it to where it has come from.
fn trusts_nobody(world: &World<'_>) -> bool {
    let pointer = "/defaultConfig/gatewayTopology/numTrustedProxies";
    let number = world.mesh.config.json.pointer(pointer).and_then(serde_json::Value::as_u64);
    let read = world
        .objects
        .object(Kind::ConfigMap, crate::mesh::ROOT_NAMESPACE, "istio")
        .is_some();
    read && world.mesh.config.gap.is_none() && number.unwrap_or(0) == 0
}

fn at_ingress(world: &World<'_>, mode: Tls, host: &str, serving: &[(&Object, Server)], found: &mut Found) {
    let ingresses = edge::ingresses(world, host);
    if ingresses.is_empty() {
        found.unknown(Why::NotObserved {
            what: format!("Ingress {host}").into(),
        });
    }
    let gateways = edge::gateways(world);
    for (ingress, routes) in ingresses {
        if !edge::is_nginx(ingress) {
            found.unknown(Why::NotJudged {
                what: format!("Ingress {}/{}: class {}", ingress.namespace, ingress.name, ingress.class).into(),
            });
            continue;
        }
        // One that does not lead to the gateway yet has nothing to agree about: that is told where traffic enters.
        let leads = routes
            .iter()
            .any(|it| edge::lead(world, &gateways, ingress, &it.service) == edge::Lead::Gateway);
        if leads {
            agrees(mode, host, ingress, serving, found);
        }
    }
}

fn agrees(mode: Tls, host: &str, ingress: &Ingress, serving: &[(&Object, Server)], found: &mut Found) {
    let passed = edge::nginx(ingress, "ssl-passthrough") == Some("true");
    let protocol = edge::nginx(ingress, "backend-protocol").unwrap_or("HTTP").to_ascii_uppercase();
    let encrypted = matches!(&*protocol, "HTTPS" | "GRPCS");
    let does = match (passed, encrypted) {
        (true, _) => Tls::Passthrough,
        (false, true) => Tls::ReEncrypt,
        (false, false) => Tls::Terminate,
    };
    let field = if passed || mode == Tls::Passthrough { "ssl-passthrough" } else { "backend-protocol" };
    let by = edge::nginx_at(ingress, field);
    if does != mode {
        let args = [
            ("ingress", (&*ingress.name).into()),
            ("host", host.into()),
            ("does", name(does).into()),
            ("mode", name(mode).into()),
        ];
        found.finding(&CONTRADICTED, by, args);
        return;
    }
    found.saw_at("tls-ingress", &by, name(does));
    if mode != Tls::ReEncrypt {
        return;
    }
    // A gateway that takes any name does not ask for one.
    let any = |server: &Server| server.sni().iter().any(|it| &**it == "*");
    let asks = !serving.iter().any(|(_, server)| server.by_sni() && any(server));
    let told = edge::nginx(ingress, "proxy-ssl-server-name") == Some("on");
    let named = edge::nginx(ingress, "proxy-ssl-name").is_some_and(|it| it.eq_ignore_ascii_case(host));
    if asks && !(told && named) {
        let field = if told { "proxy-ssl-name" } else { "proxy-ssl-server-name" };
        let args = [
            ("ingress", (&*ingress.name).into()),
            ("host", host.into()),
            ("annotation", field.into()),
        ];
        found.finding(&NO_SNI, edge::nginx_at(ingress, field), args);
    }
}

#[cfg(test)]
mod tests;
