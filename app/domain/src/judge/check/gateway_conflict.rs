//! 1.2: no server is left out because another stands in its place. Istio tells nobody but its own log.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{
        Decider,
        gateway::{Skip, serves},
    },
    object::{Kind, Object},
};

const SKIPPED: Code = Code::error("gateway-server-skipped").istio("IST0145");
const SPARE: Code = Code::info("gateway-server-spare").istio("IST0145");

pub(super) const CHECK: Check = Check {
    name: "gateway_conflict",
    item: Item::Routed,
    codes: &[&SKIPPED, &SPARE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    for kind in [Kind::Gateway, Kind::GatewayApiGateway] {
        found.unknowns(world.objects.gap(kind));
        for gateway in world.objects.of_kind(kind) {
            match serves(&world.mesh, gateway) {
                Err(whys) => found.unknowns(whys),
                Ok(serving) => {
                    for served in &serving.servers {
                        let field = if kind == Kind::Gateway { "servers" } else { "listeners" };
                        let by = Decider::of(gateway, format!("/spec/{field}/{}", served.server.index));
                        if served.conflicts.is_empty() && !serving.pods.is_empty() {
                            let port = format!("{} {}", served.server.port, served.server.protocol);
                            found.saw_at("gateway-server", &by, port);
                        }
                        for (why, winner) in &served.conflicts {
                            // Rules that only this server would serve are what is lost.
                            let code = if served.used_by.is_empty() { &SPARE } else { &SKIPPED };
                            skipped(gateway, code, by.clone(), (why, winner), served.server.port, found);
                        }
                    }
                }
            }
        }
    }
}

fn skipped(
    gateway: &Object,
    code: &'static Code,
    by: Decider,
    (why, winner): (&Skip, &Decider),
    port: u16,
    found: &mut Found,
) {
    // What both want.
    let over = match why {
        Skip::Protocol => "protocol".to_owned(),
        Skip::Hosts(hosts) => hosts.join(", "),
        Skip::PortName => "port name".to_owned(),
        Skip::Strict => "namespace".to_owned(),
    };
    let winner = format!("{}/{}", winner.key.namespace, winner.key.name);
    let args = [
        ("gateway", (&*gateway.key().name).into()),
        ("port", port.to_string().into()),
        ("over", over.into()),
        ("winner", winner.into()),
    ];
    found.finding(code, by, args);
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    const GATEWAY: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: gw, namespace: shop}\nspec: {template: {metadata: {labels: {istio: gw}}, \
        spec: {containers: [{name: istio-proxy, image: 'proxyv2:1.31.0'}]}}}\n";

    fn gateway(name: &str, port: u16, protocol: &str, host: &str) -> String {
        let tls = if protocol == "HTTPS" { ", tls: {mode: SIMPLE, credentialName: c}" } else { "" };
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{selector: {{istio: gw}}, \
             servers: [{{port: {{number: {port}, name: {name}, protocol: {protocol}}}, hosts: [{host}]{tls}}}]}}\n"
        )
    }

    fn route(gateway: &str) -> String {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [a.example], gateways: [{gateway}], http: [{{route: [{{destination: {{host: s}}}}]}}]}}\n"
        )
    }

    fn found(parts: &[String]) -> Vec<&'static str> {
        codes(&judged("gateway_conflict", &format!("{GATEWAY}{}", parts.concat())))
    }

    #[test]
    fn a_host_under_tls_belongs_to_the_first_gateway() {
        let twice = [gateway("a", 443, "HTTPS", "a.example"), gateway("b", 443, "HTTPS", "a.example")];
        let used = [&twice[..], &[route("b")]].concat();
        assert_eq!(found(&used), ["gateway-server-skipped"]);
        let unused = [&twice[..], &[route("a")]].concat();
        assert_eq!(found(&unused), ["gateway-server-spare"]);
        let other = [gateway("a", 443, "HTTPS", "a.example"), gateway("b", 443, "HTTPS", "b.example")];
        assert!(found(&other).is_empty());
    }

    #[test]
    fn plain_servers_share_a_port_and_protocols_do_not() {
        let shared = [gateway("a", 80, "HTTP", "a.example"), gateway("b", 80, "HTTP", "a.example"), route("b")];
        assert!(found(&shared).is_empty());
        let mixed = [gateway("a", 80, "TCP", "'*'"), gateway("b", 80, "HTTP", "a.example"), route("b")];
        assert_eq!(found(&mixed), ["gateway-server-skipped"]);
    }
}
