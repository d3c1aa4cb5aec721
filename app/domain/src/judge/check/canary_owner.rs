//! 3.2: nobody else writes the weights: Argo Rollouts, Flagger and what applies from a repository would take back what a person sets.

use crate::{
    change::owner,
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{Decider, route},
    object::Kind,
};
use naru_view::canary::Owner;

const OWNED: Code = Code::warning("canary-owned");

pub(super) const CHECK: Check = Check {
    name: "canary_owner",
    item: Item::Canaried,
    codes: &[&OWNED],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    for kind in [Kind::VirtualService, Kind::HttpRoute] {
        found.unknowns(world.objects.gap(kind));
    }
    for object in world.objects.of_kind(Kind::VirtualService) {
        let rules = route::rules(object);
        let Some(rule) = rules.iter().find(|it| it.weighted()) else {
            continue;
        };
        let path = format!("/spec/http/{}/route", rule.index);
        match owner::of_weights(world.objects, object, rule).filter(Owner::bars) {
            Some(owner) => {
                let args = [
                    ("route", (&*object.key().name).into()),
                    ("owner", (&*owner.name).into()),
                    ("by", (&*owner.by).into()),
                ];
                found.finding(&OWNED, Decider::of(object, path), args);
            }
            None => {
                let weights: Vec<String> = rule.weights().iter().map(ToString::to_string).collect();
                found.saw("weights", object, &path, weights.join("/"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    #[test]
    fn whose_weights_they_are_is_told_by_name() {
        let route = |metadata: &str, second: &str| {
            format!(
                "{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: r, namespace: n{metadata}}}, spec: {{hosts: [a], http: [{{route: [
                  {{destination: {{host: a, subset: v1}}, weight: 100}}{second}]}}]}}}}"
            )
        };
        let second = ", {destination: {host: a, subset: v2}, weight: 0}";
        let argo = r#", annotations: {argocd.argoproj.io/tracking-id: "x"}"#;
        let found = judged("canary_owner", &route(argo, second));
        assert_eq!(codes(&found), ["canary-owned"]);
        assert_eq!(&*found.findings[0].2["owner"], "Argo CD");
        assert_eq!(codes(&judged("canary_owner", &route(argo, ""))), [""; 0]);
        let own = judged("canary_owner", &route("", second));
        assert_eq!((codes(&own), own.facts.len()), (vec![], 1));
    }
}
