//! 2.3: no DestinationRule balances by `LEAST_CONN`, which Istio has deprecated in favour of `LEAST_REQUEST` (Istio reference, `LoadBalancerSettings.SimpleLB`).

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, ask, fix::Edit},
    mesh::Decider,
    object::{Kind, Object},
    snapshot::Objects,
};

const DEPRECATED: Code = Code::warning("balancing-deprecated").mended(renamed);

pub(super) const CHECK: Check = Check {
    name: "balancing_deprecated",
    item: Item::Connected,
    codes: &[&DEPRECATED],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::DestinationRule));
    for rule in world.objects.of_kind(Kind::DestinationRule) {
        for level in ask::traffic_policies(rule) {
            let path = format!("{level}/loadBalancer/simple");
            if rule.text(&path) == "LEAST_CONN" {
                let host = rule.text("/spec/host").into();
                found.finding(&DEPRECATED, Decider::of(rule, path), [("host", host)]);
            }
        }
    }
}

/// The new name of the same algorithm.
fn renamed(_: &Objects, rule: &Object, path: &str) -> Option<Vec<Edit>> {
    (rule.text(path) == "LEAST_CONN").then(|| {
        vec![Edit {
            path: path.into(),
            after: Some("LEAST_REQUEST".into()),
        }]
    })
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    #[test]
    fn it_is_found_wherever_it_stands() {
        for (policy, path) in [
            (
                "trafficPolicy: {loadBalancer: {simple: LEAST_CONN}}",
                Some("/spec/trafficPolicy/loadBalancer/simple"),
            ),
            (
                "trafficPolicy: {portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: LEAST_CONN}}]}",
                Some("/spec/trafficPolicy/portLevelSettings/0/loadBalancer/simple"),
            ),
            (
                "subsets: [{name: v1}, {name: v2, trafficPolicy: {loadBalancer: {simple: LEAST_CONN}}}]",
                Some("/spec/subsets/1/trafficPolicy/loadBalancer/simple"),
            ),
            ("trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}", None),
        ] {
            let rule = "apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: r, namespace: shop}";
            let yaml = format!("{{{rule}, spec: {{host: a, {policy}}}}}");
            let found = judged("balancing_deprecated", &yaml);
            assert_eq!(
                codes(&found),
                path.map(|_| "balancing-deprecated").as_slice(),
                "{policy}"
            );
            assert_eq!(found.findings.first().map(|it| &*it.1.path), path);
        }
    }
}
