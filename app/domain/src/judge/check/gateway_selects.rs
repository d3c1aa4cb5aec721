//! 1.2: each Gateway selects gateway pods. One that selects none serves nobody, and nothing says so at run time.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{Decider, gateway::serves},
    object::Kind,
};

const SELECTS_NOTHING: Code = Code::error("gateway-selects-nothing").state().istio("IST0101");

pub(super) const CHECK: Check = Check {
    name: "gateway_selects",
    item: Item::Routed,
    codes: &[&SELECTS_NOTHING],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::Gateway));
    for gateway in world.objects.of_kind(Kind::Gateway) {
        match serves(&world.mesh, gateway) {
            Err(whys) => found.unknowns(whys),
            // Files of an application seldom hold the gateway's own Deployment.
            Ok(serving) if serving.pods.is_empty() && !world.running && !holds_a_gateway(world) => {
                let _known = world.running(found);
            }
            Ok(serving) if serving.pods.is_empty() => {
                let selector = gateway.get("/spec/selector").map(ToString::to_string);
                let by = Decider::of(gateway, "/spec/selector");
                let name = &gateway.key().name;
                let selector = selector.unwrap_or_default().into();
                found.finding(
                    &SELECTS_NOTHING,
                    by,
                    [("gateway", (&**name).into()), ("selector", selector)],
                );
            }
            Ok(serving) => {
                let pods = serving.pods.len().to_string();
                found.saw("gateway-pods", gateway, "/spec/selector", pods);
            }
        }
    }
}

/// A pod whose only container is a proxy.
fn holds_a_gateway(world: &World<'_>) -> bool {
    let mut deployments = world.objects.deployments.values();
    deployments.any(|it| matches!(&it.pod.containers[..], [only] if &*only.name == "istio-proxy"))
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, judged, judged_running},
    };

    fn world(selector: &str, pods: &str) -> String {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{selector: {{{selector}}}, servers: []}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: gw, namespace: istio-system}}\nspec: {{template: {{metadata: {{labels: {{istio: gw}}}}, spec: {{containers: [{{name: {pods}, image: p}}]}}}}}}\n"
        )
    }

    #[test]
    fn a_selector_that_no_gateway_answers_serves_nobody() {
        let wrong = world("istio: other", "istio-proxy");
        assert_eq!(codes(&judged("gateway_selects", &wrong)), ["gateway-selects-nothing"]);
        let right = judged("gateway_selects", &world("istio: gw", "istio-proxy"));
        assert!(right.findings.is_empty() && right.unknown.is_empty() && right.facts.len() == 1);
    }

    #[test]
    fn files_without_any_gateway_do_not_tell() {
        let yaml = world("istio: other", "app");
        let files = judged("gateway_selects", &yaml);
        assert!(files.findings.is_empty());
        assert_eq!(files.unknown, [Why::NeedsCluster]);
        assert_eq!(codes(&judged_running("gateway_selects", &yaml)), ["gateway-selects-nothing"]);
    }
}
