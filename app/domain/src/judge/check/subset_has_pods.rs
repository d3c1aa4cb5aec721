//! 1.2: each subset that requests are sent to selects pods. An empty one answers 503 (UH).

use crate::{
    Why,
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{
        Decider,
        subset::{Reach, destination_rule, pods_of, reach},
    },
    mesh::host::Host,
    object::Kind,
};

const EMPTY: Code = Code::error("subset-empty").state();
const EMPTY_IDLE: Code = Code::info("subset-empty-idle");

pub(super) const CHECK: Check = Check {
    name: "subset_has_pods",
    item: Item::Routed,
    codes: &[&EMPTY, &EMPTY_IDLE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let used = world.used(found);
    let kinds = [Kind::Pod, Kind::EndpointSlice, Kind::DestinationRule];
    found.unknowns(kinds.iter().filter_map(|&kind| world.objects.gap(kind)));
    let callers = world.callers();
    for it in used.iter().filter(|it| !it.subset.is_empty()) {
        let (Host::Service(id), Some(chosen)) = (it.resolved(world), it.chosen(world)) else {
            continue;
        };
        for proxy in callers.clients(world, &it.route, &chosen.host) {
            let endpoints = match reach(&world.mesh, &proxy, &chosen) {
                Reach::Endpoints(endpoints) => endpoints,
                Reach::Unknown(whys) => {
                    found.unknowns(whys);
                    continue;
                }
                // Told by the checks of names and definitions.
                Reach::NoService | Reach::NoPort | Reach::NoSubset => continue,
            };
            let rule = destination_rule(&world.mesh, &proxy, &chosen.host).ok().flatten();
            let defined = rule.as_ref().and_then(|it| it.subset(&chosen.subset));
            let place = defined.map_or_else(|| it.by.clone(), |it| it.at.decider());
            if !endpoints.is_empty() {
                let fact = format!("{} {}", it.subset, endpoints.len());
                if !found.facts.iter().any(|it| it.path == place.path && *it.value == *fact) {
                    found.saw_at("subset-pods", &place, fact);
                }
            } else if !world.running && pods_of(world.objects, &id).is_empty() {
                // The workload is not among the files at all.
                found.unknown(Why::NeedsCluster);
            } else {
                let labels = defined.map(|it| &it.labels).into_iter().flatten();
                let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
                let by = Decider {
                    path: format!("{}/labels", place.path).into(),
                    key: place.key,
                };
                let args = [
                    ("route", (&*it.by.key.name).into()),
                    ("host", (&*chosen.host).into()),
                    ("subset", (&*it.subset).into()),
                    ("labels", labels.join(", ").into()),
                ];
                found.finding(if it.weight > 0 { &EMPTY } else { &EMPTY_IDLE }, by, args);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, judged},
    };

    fn world(version: &str, replicas: u32, weight: u32) -> String {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{selector: {{app: web}}, ports: [{{name: http, port: 80}}]}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: one, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{app: web, version: v1}}}}, spec: {{containers: [{{name: a}}]}}}}}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: two, namespace: shop}}\nspec: {{replicas: {replicas}, template: {{metadata: {{labels: {{app: web, version: {version}}}}}, spec: {{containers: [{{name: a}}]}}}}}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d, namespace: shop}}\nspec: {{host: web, subsets: [{{name: v2, labels: {{version: v2}}}}]}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [web], http: [{{route: [\
             {{destination: {{host: web}}, weight: 100}}, {{destination: {{host: web, subset: v2}}, weight: {weight}}}]}}]}}\n"
        )
    }

    #[test]
    fn labels_that_no_pod_has_select_nothing() {
        assert_eq!(codes(&judged("subset_has_pods", &world("two", 1, 10))), ["subset-empty"]);
        assert_eq!(codes(&judged("subset_has_pods", &world("two", 1, 0))), ["subset-empty-idle"]);
        let found = judged("subset_has_pods", &world("v2", 1, 10));
        assert!(found.findings.is_empty() && found.unknown.is_empty() && found.facts.len() == 1);
    }

    #[test]
    fn a_workload_without_pods_is_as_good_as_none() {
        assert_eq!(codes(&judged("subset_has_pods", &world("v2", 0, 10))), ["subset-empty"]);
    }

    #[test]
    fn a_workload_that_is_not_among_the_files_is_unknown() {
        let yaml = world("v2", 1, 10).replace("{app: web, version", "{app: other, version");
        let found = judged("subset_has_pods", &yaml);
        assert!(found.findings.is_empty());
        assert_eq!(found.unknown, [Why::NeedsCluster]);
    }
}
