//! 1.2: behind each destination that requests are sent to stands an endpoint that is ready.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, steady},
    mesh::subset::{Reach, reach},
};

const NONE: Code = Code::error("destination-not-ready").state();

pub(super) const CHECK: Check = Check {
    name: "endpoints_ready",
    item: Item::Routed,
    codes: &[&NONE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let used = world.used(found);
    if used.is_empty() || !world.running(found) {
        return;
    }
    let callers = world.callers();
    for it in used.iter().filter(|it| it.weight > 0) {
        let Some(chosen) = it.chosen(world) else {
            continue;
        };
        for proxy in callers.clients(world, &it.route, &chosen.host) {
            let endpoints = match reach(&world.mesh, &proxy, &chosen) {
                Reach::Endpoints(endpoints) => endpoints,
                Reach::Unknown(whys) => {
                    found.unknowns(whys);
                    continue;
                }
                Reach::NoService | Reach::NoPort | Reach::NoSubset => continue,
            };
            let ready = endpoints.iter().filter(|it| it.ready).count();
            if ready > 0 {
                let fact = format!("{} {ready}/{}", chosen.host, endpoints.len());
                if !found.facts.iter().any(|it| *it.value == *fact) {
                    found.saw_at("endpoints-ready", &it.by, fact);
                }
                continue;
            }
            let pods = endpoints.iter().filter_map(|it| it.pod.as_ref());
            if pods.into_iter().any(|pod| steady::young(world, pod)) {
                found.unknown(steady::not_yet());
                continue;
            }
            // An empty subset is told by its labels.
            if endpoints.is_empty() && !it.subset.is_empty() {
                continue;
            }
            let args = [
                ("route", (&*it.by.key.name).into()),
                ("to", format!("{} {}", chosen.host, it.subset).trim_end().to_owned().into()),
                ("pods", endpoints.len().to_string().into()),
            ];
            found.finding(&NONE, it.by.clone(), args);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, judged, judged_running},
    };

    fn world(ready: bool, created: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{selector: {{app: web}}, ports: [{{name: http, port: 80}}]}}\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: shop, labels: {{app: web}}, creationTimestamp: '{created}'}}\nspec: {{containers: [{{name: a}}]}}\n\
             status: {{phase: Running, conditions: [{{type: Ready, status: '{}'}}]}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [web], http: [{{route: [{{destination: {{host: web}}}}]}}]}}\n",
            if ready { "True" } else { "False" }
        )
    }

    const OLD: &str = "2026-01-01T00:00:00Z";

    #[test]
    fn somebody_must_be_ready_to_answer() {
        let none = judged_running("endpoints_ready", &world(false, OLD));
        assert_eq!(codes(&none), ["destination-not-ready"]);
        let one = judged_running("endpoints_ready", &world(true, OLD));
        assert!(one.findings.is_empty() && one.facts.len() == 1);
    }

    #[test]
    fn pods_are_given_ten_minutes() {
        let young = judged_running("endpoints_ready", &world(false, "2026-01-01T11:51:00Z"));
        assert!(young.findings.is_empty() && young.unknown.len() == 1);
    }

    #[test]
    fn a_service_without_pods_is_not_ready_and_files_do_not_tell() {
        let yaml = world(true, OLD).replace("labels: {app: web}", "labels: {app: other}");
        assert_eq!(codes(&judged_running("endpoints_ready", &yaml)), ["destination-not-ready"]);
        let files = judged("endpoints_ready", &yaml);
        assert!(files.findings.is_empty());
        assert_eq!(files.unknown, [Why::NeedsCluster]);
    }
}
