//! 3.2: a version that a rule names without sending it anything has pods that could take requests. (One that gets requests and has none is 1.2's.)

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{
        Decider,
        host::{self, Host},
        route,
        subset::{self, Subset},
    },
    object::{Kind, Object},
};

const ASLEEP: Code = Code::info("canary-without-pods");

pub(super) const CHECK: Check = Check {
    name: "canary_alive",
    item: Item::Canaried,
    codes: &[&ASLEEP],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::VirtualService));
    for object in world.objects.of_kind(Kind::VirtualService) {
        for rule in route::rules(object).iter().filter(|it| it.weighted()) {
            of_rule(world, object, rule, found);
        }
    }
}

fn of_rule(world: &World<'_>, object: &Object, rule: &route::Rule, found: &mut Found) {
    let namespace = &object.key().namespace;
    for (index, (to, weight)) in rule.destinations.iter().zip(rule.weights()).enumerate() {
        let Host::Service(service) = host::resolve(world.objects, &to.host, namespace) else {
            continue;
        };
        let by = Decider::of(object, format!("/spec/http/{}/route/{index}", rule.index));
        let Subset::Pods(behind) = subset::endpoints(world.objects, &service, &to.subset, namespace) else {
            continue;
        };
        let place = format!("{}/{} {}", service.namespace, service.name, to.subset);
        if weight == 0 && behind.ready == 0 {
            let args = [
                ("route", (&*object.key().name).into()),
                ("place", place.trim_end().into()),
            ];
            found.finding(&ASLEEP, by, args);
        } else {
            let value = format!("{}: {weight} %, {}/{}", place.trim_end(), behind.ready, behind.total);
            found.saw_at("version-pods", &by, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn system(weight: u32, replicas: u32) -> String {
        let mut yaml = format!(
            r#"
{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: r, namespace: shop}}, spec: {{hosts: [users], http: [{{route: [
  {{destination: {{host: users, subset: v1}}, weight: {}}}, {{destination: {{host: users, subset: v2}}, weight: {weight}}}]}}]}}}}
---
{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: r, namespace: shop}}, spec: {{host: users, subsets: [
  {{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}}}]}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: users, namespace: shop}}, spec: {{selector: {{app: users}}, ports: [{{name: http, port: 80}}]}}}}
"#,
            100 - weight
        );
        for (version, replicas) in [("v1", 1), ("v2", replicas)] {
            yaml += &format!(
                r#"
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: users-{version}, namespace: shop}}, spec: {{replicas: {replicas}, template: {{
  metadata: {{labels: {{app: users, version: {version}}}}}, spec: {{containers: [{{name: app}}]}}}}}}}}
"#
            );
        }
        yaml
    }

    #[test]
    fn a_version_at_rest_without_pods_is_told() {
        assert_eq!(codes(&judged("canary_alive", &system(0, 0))), ["canary-without-pods"]);
        assert_eq!(codes(&judged("canary_alive", &system(0, 1))), [""; 0]);
        // That is an error elsewhere.
        assert_eq!(codes(&judged("canary_alive", &system(10, 0))), [""; 0]);
    }
}
