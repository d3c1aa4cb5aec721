//! 3.3: an endpoint that keeps failing is taken out, and never all of them (Istio reference, `OutlierDetection`).

use crate::{
    crossing::Item,
    fact::Labels,
    judge::{Check, Code, Found, World},
    mesh::{
        Decider, Proxy, host,
        route::ChosenDestination,
        subset::{Reach, policy, reach},
    },
    object::{Key, Kind},
    traffic::ServiceId,
};

const ABSENT: Code = Code::warning("outlier-detection-absent");
const ALL: Code = Code::warning("outlier-ejects-all");
const ALONE: Code = Code::info("outlier-endpoint-alone");

pub(super) const CHECK: Check = Check {
    name: "outlier_detection",
    item: Item::Resilient,
    codes: &[&ABSENT, &ALL, &ALONE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let Some(migration) = world.migration(found) else {
        return;
    };
    let caller = migration.entry.as_ref().map(|it| it.namespace.clone());
    for place in migration.all_services() {
        let Some(service) = world.objects.service(&place.namespace, &place.name) else {
            found.unknowns(world.objects.gap(Kind::Service));
            continue;
        };
        let Some(port) = service.ports.first() else {
            continue;
        };
        let to = ChosenDestination {
            host: host::of_service(&ServiceId {
                namespace: place.namespace.clone(),
                name: place.name.clone(),
            }),
            subset: "".into(),
            port: port.port,
        };
        // Whoever calls from the entry's namespace; the entry itself is called from elsewhere, so that its own rules count.
        let own = migration.entry.as_ref() == Some(place);
        let namespace = caller.clone().filter(|_| !own).unwrap_or_else(|| place.namespace.clone());
        let proxy = Proxy::sidecar(namespace, Labels::new());
        let by = Decider {
            key: Key::new(Kind::Service, place.namespace.clone(), place.name.clone()),
            path: "".into(),
        };
        let service = place.to_string();
        let policy = match policy(&world.mesh, &proxy, &to) {
            Ok(policy) => policy,
            Err(whys) => {
                found.unknowns(whys);
                continue;
            }
        };
        let Some(outliers) = policy.and_then(|it| it.outliers) else {
            found.finding(&ABSENT, by, [("service", service.into())]);
            continue;
        };
        let percent = outliers.max_ejection_percent.value;
        found.saw_at("outlier-detection", &outliers.decider, format!("{service} {percent} %"));
        if percent >= 100 && outliers.min_health_percent.value == 0 {
            let at = outliers.max_ejection_percent.decider.unwrap_or_else(|| outliers.decider.clone());
            found.finding(&ALL, at, [("service", service.as_str().into())]);
        }
        if let Reach::Endpoints(endpoints) = reach(&world.mesh, &proxy, &to)
            && endpoints.len() == 1
        {
            found.finding(&ALONE, by, [("service", service.into())]);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn found(policy: &str, replicas: u32) -> Vec<&'static str> {
        let yaml = format!(
            "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{entry: {{namespace: shop, name: web}}}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{selector: {{app: web}}, ports: [{{name: http, port: 80}}]}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec: {{replicas: {replicas}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: a}}]}}}}}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: web, namespace: shop}}\nspec: {{host: web, trafficPolicy: {{{policy}}}}}\n"
        );
        codes(&judged("outlier_detection", &yaml))
    }

    #[test]
    fn a_service_wants_it_with_somebody_left() {
        assert_eq!(found("", 2), ["outlier-detection-absent"]);
        assert!(found("outlierDetection: {consecutive5xxErrors: 5}", 2).is_empty());
        assert_eq!(
            found("outlierDetection: {consecutive5xxErrors: 5, maxEjectionPercent: 100}", 2),
            ["outlier-ejects-all"]
        );
        assert!(
            found("outlierDetection: {consecutive5xxErrors: 5, maxEjectionPercent: 100, minHealthPercent: 50}", 2)
                .is_empty()
        );
        assert_eq!(found("outlierDetection: {consecutive5xxErrors: 5}", 1), ["outlier-endpoint-alone"]);
    }
}
