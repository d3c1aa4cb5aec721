//! 1.2: nothing touches the gateways that Naru does not judge. What an EnvoyFilter or a WasmPlugin does there is not known.

use crate::{
    crossing::Item,
    judge::{Check, Found, World, routes},
    mesh::unjudged::{Side, touching},
    object::Kind,
};

pub(super) const CHECK: Check = Check {
    name: "unjudged_here",
    item: Item::Routed,
    codes: &[],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::Gateway));
    for gateway in world.objects.of_kind(Kind::Gateway) {
        for proxy in routes::gateway_proxies(world, gateway) {
            found.unknowns(touching(&world.mesh, &proxy, Side::Outbound));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::judged;

    #[test]
    fn a_filter_at_a_gateway_is_told_and_one_that_only_logs_is_not() {
        let unknown = |patch: &str| {
            let yaml = format!(
                "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{selector: {{istio: gw}}, servers: []}}\n---\n\
                 apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {{name: f, namespace: istio-system}}\nspec: {{configPatches: [{{applyTo: HTTP_FILTER, match: {{context: GATEWAY}}, patch: {patch}}}]}}\n"
            );
            judged("unjudged_here", &yaml).unknown.len()
        };
        assert_eq!(unknown("{operation: INSERT_BEFORE, value: {name: lua}}"), 1);
        assert_eq!(unknown("{operation: MERGE, value: {access_log: []}}"), 0);
    }
}
