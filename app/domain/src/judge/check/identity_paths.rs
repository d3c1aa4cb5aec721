//! 1.2: at the gateway, the identity provider's paths lead to the identity provider. A rule for `/` before them swallows logins.

use crate::{
    Why,
    crossing::Item,
    judge::{Check, Code, Found, World, routes},
    mesh::{
        Decider,
        gateway::{self, names, servers},
        host,
        route::{Outcome, Protocol, Request},
    },
    object::{Kind, Object},
};

const SWALLOWED: Code = Code::error("identity-path-swallowed");
const UNROUTED: Code = Code::error("identity-path-unrouted");

pub(super) const CHECK: Check = Check {
    name: "identity_paths",
    item: Item::Routed,
    codes: &[&SWALLOWED, &UNROUTED],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let Some(migration) = world.migration(found) else {
        return;
    };
    // A system without an identity provider has nothing to swallow.
    let Some(identity) = &migration.identity else {
        return;
    };
    found.unknowns(world.objects.gap(Kind::Gateway));
    if identity.paths.is_empty() {
        found.unknown(Why::NotDeclared {
            field: "identity.paths".into(),
        });
    }
    let wanted = identity.service.as_ref().map(|it| format!("{}.{}.svc.{}", it.name, it.namespace, crate::mesh::DOMAIN));
    for object in world.objects.of_kind(Kind::Gateway) {
        for server in servers(object) {
            let bare = server.hosts.iter().map(|it| it.split_once('/').map_or(&**it, |(_, name)| name));
            let serves = names::envoy_host(&identity.host, bare).is_some();
            if !serves || !server.reads_http() || server.redirects() {
                continue;
            }
            for path in &identity.paths {
                let mut request = Request::get(&identity.host, server.port);
                request.path = path.clone();
                if server.tls.is_some() {
                    request.protocol = Protocol::Https;
                    request.sni = identity.host.clone();
                }
                asked(world, object, &request, wanted.as_deref(), found);
            }
        }
    }
}

fn asked(world: &World<'_>, object: &Object, request: &Request, wanted: Option<&str>, found: &mut Found) {
    for proxy in routes::gateway_proxies(world, object) {
        let choice = gateway::choose(&world.mesh, &proxy, request);
        let place = || choice.deciders.first().cloned().unwrap_or_else(|| Decider::of(object, "/spec/servers"));
        let args = |to: &str| {
            [
                ("host", request.host.to_string().into()),
                ("path", request.path.to_string().into()),
                ("to", to.to_owned().into()),
            ]
        };
        match &choice.outcome {
            Outcome::Sent(shares) => {
                let Some(wanted) = wanted else {
                    found.unknown(Why::NotDeclared {
                        field: "identity.service".into(),
                    });
                    continue;
                };
                let wrong = shares.iter().find(|it| &*it.destination.host != wanted);
                match wrong {
                    Some(share) => {
                        let to = host::service_of(&share.destination.host)
                            .map_or_else(|| share.destination.host.to_string(), |it| format!("{}/{}", it.namespace, it.name));
                        found.finding(&SWALLOWED, place(), args(&to));
                    }
                    None => found.saw_at("identity-path", &place(), format!("{}{}", request.host, request.path)),
                }
            }
            Outcome::Unknown(whys) => found.unknowns(whys.iter().cloned()),
            // What the gateway answers itself was meant so.
            Outcome::Redirect { .. } | Outcome::Direct { .. } => {}
            _ if wanted.is_some() => found.finding(&UNROUTED, place(), {
                let [host, path, _] = args("");
                [host, path]
            }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, judged},
    };

    fn world(identity: &str, http: &str) -> String {
        format!(
            "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{{identity}}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: keycloak, namespace: keycloak}}\nspec: {{ports: [{{name: http, port: 8080}}]}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{ports: [{{name: http, port: 80}}]}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{selector: {{istio: gw}}, servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [a.example]}}]}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [a.example], gateways: [g], http: [{http}]}}\n"
        )
    }

    const HERE: &str = "identity: {host: a.example, paths: [/realms], service: {namespace: keycloak, name: keycloak}}";
    const ALL: &str = "{match: [{uri: {prefix: /}}], route: [{destination: {host: web}}]}";
    const OWN: &str = "{match: [{uri: {prefix: /realms}}], route: [{destination: {host: keycloak.keycloak.svc.cluster.local}}]}";

    #[test]
    fn a_rule_for_everything_swallows_logins() {
        assert_eq!(codes(&judged("identity_paths", &world(HERE, ALL))), ["identity-path-swallowed"]);
        let own = judged("identity_paths", &world(HERE, &format!("{OWN}, {ALL}")));
        assert!(own.findings.is_empty() && own.unknown.is_empty() && own.facts.len() == 1, "{own:?}");
    }

    #[test]
    fn a_path_that_no_rule_takes_is_told() {
        let other = "{match: [{uri: {prefix: /api}}], route: [{destination: {host: web}}]}";
        assert_eq!(codes(&judged("identity_paths", &world(HERE, other))), ["identity-path-unrouted"]);
    }

    #[test]
    fn a_host_of_its_own_is_none_of_the_gateways_business() {
        let elsewhere = HERE.replace("a.example", "login.example");
        let found = judged("identity_paths", &world(&elsewhere, ALL));
        assert!(found.findings.is_empty() && found.unknown.is_empty());
        let none = judged("identity_paths", &world("system: a", ALL));
        assert!(none.findings.is_empty() && none.unknown.is_empty());
    }

    #[test]
    fn without_its_service_nobody_can_tell() {
        let found = judged("identity_paths", &world("identity: {host: a.example, paths: [/realms]}", ALL));
        assert!(found.findings.is_empty());
        assert!(matches!(&found.unknown[..], [Why::NotDeclared { .. }]));
    }
}
