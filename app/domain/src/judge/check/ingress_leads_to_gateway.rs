//! 1.3: for each host of the edge, the old way in leads to the gateway of the mesh, and no longer straight to the application.

use crate::{
    Why,
    crossing::Item,
    judge::{
        Check, Code, Found, World,
        edge::{self, Lead},
    },
    object::Kind,
};

const PAST: Code = Code::error("ingress-past-gateway");
const NOWHERE: Code = Code::error("ingress-nowhere");

pub(super) const CHECK: Check = Check {
    name: "ingress_leads_to_gateway",
    item: Item::Entered,
    codes: &[&PAST, &NOWHERE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::Ingress));
    let Some(edge) = world.declared(found, "edge", |it| it.edge.as_ref()) else {
        return;
    };
    for (field, absent) in [
        ("edge.hosts", edge.hosts.is_empty()),
        ("edge.gateway", edge.gateway.is_none()),
    ] {
        if absent {
            found.unknown(Why::NotDeclared { field: field.into() });
        }
    }
    let gateways = edge::gateways(world);
    if gateways.is_empty() {
        return;
    }
    for host in &edge.hosts {
        let ingresses = edge::ingresses(world, host);
        if ingresses.is_empty() && edge.ingress.is_some() {
            found.unknown(Why::NotObserved {
                what: format!("Ingress {host}").into(),
            });
        }
        for (ingress, routes) in ingresses {
            for route in routes {
                // Certificates are asked for at this path, and answered by their issuer.
                if route.path.starts_with("/.well-known/acme-challenge") {
                    continue;
                }
                let by = edge::at(ingress, "/spec/rules");
                let to = format!("{host}{} → {}", route.path, route.service);
                let args = [
                    ("ingress", (&*ingress.name).into()),
                    ("host", (&**host).into()),
                    ("path", (&*route.path).into()),
                    ("service", (&*route.service).into()),
                ];
                match edge::lead(world, &gateways, ingress, &route.service) {
                    Lead::Gateway => found.saw_at("ingress-backend", &by, to),
                    Lead::Service(_) | Lead::Outside(_) => found.finding(&PAST, by, args),
                    Lead::Nowhere if world.running => found.finding(&NOWHERE, by, args),
                    Lead::Nowhere => found.unknown(Why::NeedsCluster),
                    Lead::Unknown(why) => found.unknown(why),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, judged, judged_running},
    };

    fn world(namespace: &str, service: &str) -> String {
        format!(
            "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{edge: {{hosts: [a.example], ingress: {{namespace: i, name: nginx}}, gateway: {{namespace: istio-system, name: gw}}}}}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: gw, namespace: istio-system}}\nspec: {{selector: {{istio: gw}}, ports: [{{port: 80}}]}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: to-mesh, namespace: shop}}\nspec: {{type: ExternalName, externalName: gw.istio-system.svc.cluster.local}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: by-hand, namespace: shop}}\nspec: {{ports: [{{port: 80}}]}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: away, namespace: shop}}\nspec: {{type: ExternalName, externalName: www.example.org}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}\n---\n\
             apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i, namespace: {namespace}}}\nspec: {{ingressClassName: nginx, rules: [\
             {{host: other.example, http: {{paths: [{{path: /, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}}}, \
             {{host: a.example, http: {{paths: [{{path: /.well-known/acme-challenge/x, backend: {{service: {{name: solver, port: {{number: 80}}}}}}}}, \
             {{path: /, backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}]}}}}]}}\n"
        )
    }

    #[test]
    fn straight_to_the_application_is_past_the_gateway() {
        for past in ["web", "away"] {
            assert_eq!(
                codes(&judged("ingress_leads_to_gateway", &world("shop", past))),
                ["ingress-past-gateway"],
                "{past}"
            );
        }
    }

    #[test]
    fn the_gateways_service_and_a_name_for_it_lead_there() {
        for (namespace, service) in [("istio-system", "gw"), ("shop", "to-mesh")] {
            let found = judged("ingress_leads_to_gateway", &world(namespace, service));
            assert!(found.findings.is_empty() && found.unknown.is_empty(), "{found:?}");
            assert_eq!(found.facts.len(), 1);
        }
    }

    #[test]
    fn endpoints_written_by_hand_are_unknown() {
        let found = judged("ingress_leads_to_gateway", &world("shop", "by-hand"));
        assert!(found.findings.is_empty() && matches!(found.unknown[..], [Why::NotJudged { .. }]));
    }

    #[test]
    fn a_service_that_is_not_there_is_told_on_a_cluster() {
        let yaml = world("shop", "gone");
        assert_eq!(codes(&judged_running("ingress_leads_to_gateway", &yaml)), ["ingress-nowhere"]);
        assert_eq!(judged("ingress_leads_to_gateway", &yaml).unknown, [Why::NeedsCluster]);
    }
}
