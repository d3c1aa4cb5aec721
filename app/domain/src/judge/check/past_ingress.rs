//! 1.3: who can reach the gateway past the old ingress.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, edge},
    mesh::Decider,
    object::{Key, Kind},
};

const REACHABLE: Code = Code::info("gateway-reachable-past-ingress");

pub(super) const CHECK: Check = Check {
    name: "past_ingress",
    item: Item::Entered,
    codes: &[&REACHABLE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::Service));
    for id in edge::gateways(world) {
        let Some(service) = world.objects.service(&id.namespace, &id.name) else {
            continue;
        };
        let by = Decider {
            key: Key::new(Kind::Service, id.namespace.clone(), id.name.clone()),
            path: "/spec/type".into(),
        };
        found.saw_at("gateway-service-type", &by, service.exposure.clone());
        if matches!(&*service.exposure, "LoadBalancer" | "NodePort") {
            let args = [
                ("service", format!("{}/{}", id.namespace, id.name).into()),
                ("type", (&*service.exposure).into()),
            ];
            found.finding(&REACHABLE, by, args);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    #[test]
    fn a_service_for_the_outside_lets_it_in() {
        let found = |kind: &str| {
            let yaml = format!(
                "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{edge: {{gateway: {{namespace: shop, name: gw}}}}}}\n---\n\
                 apiVersion: v1\nkind: Service\nmetadata: {{name: gw, namespace: shop}}\nspec: {{{kind} selector: {{istio: gw}}, ports: [{{port: 80}}]}}\n"
            );
            codes(&judged("past_ingress", &yaml))
        };
        assert_eq!(found("type: LoadBalancer,"), ["gateway-reachable-past-ingress"]);
        assert_eq!(found("type: NodePort,"), ["gateway-reachable-past-ingress"]);
        assert!(found("type: ClusterIP,").is_empty() && found("").is_empty());
    }
}
