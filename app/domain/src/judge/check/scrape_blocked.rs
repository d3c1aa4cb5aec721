//! 4.1: Prometheus reaches the figures of the Migration's services: where it scrapes an application's own port past its proxy, that port takes plaintext.

use crate::{
    crossing::Item,
    fact::Proxy as Meshed,
    judge::{Check, Code, Found, World, ask},
    mesh::{
        Proxy,
        injection::Template,
        mtls::{Mode, server_mode},
    },
};

const BLOCKED: Code = Code::error("scrape-blocked");

pub(super) const CHECK: Check = Check {
    name: "scrape_blocked",
    item: Item::Observed,
    codes: &[&BLOCKED],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let migration = world.declared(found, "entry", |it| it.entry.is_some().then_some(it));
    let Some(migration) = migration else { return };
    for place in migration.all_services() {
        for template in ask::behind(world, place, found) {
            one(world, template, found);
        }
    }
}

fn one(world: &World<'_>, template: &Template, found: &mut Found) {
    let scraped = match ask::scraped(world, template) {
        Ok(Some(scraped)) => scraped,
        // Others find their targets otherwise: by a PodMonitor, or by their own configuration.
        Ok(None) => return,
        Err(why) => return found.unknown(why),
    };
    let name = format!("{}/{}", template.owner.namespace, template.owner.name);
    let pods = ask::pods(world, &ask::workload(template));
    let meshed = pods.iter().any(|pod| pod.proxy == Meshed::Sidecar);
    let proxy = Proxy::sidecar(template.owner.namespace.clone(), template.pod.labels.clone());
    let strict = match server_mode(&world.mesh, &proxy, scraped.port) {
        Ok((mode, _)) => mode == Mode::Strict,
        Err(whys) => return found.unknowns(whys),
    };
    if meshed && strict && !scraped.merged {
        let args = [
            ("workload", name.into()),
            ("port", scraped.port.to_string().into()),
        ];
        found.finding(&BLOCKED, scraped.by, args);
    } else {
        let how = if scraped.merged && meshed { "merged" } else { "direct" };
        found.saw_at("scraped", &scraped.by, format!("{name}: {} {how}", scraped.port));
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn system(mode: &str, notes: &str) -> String {
        format!(
            r#"
{{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {{name: m}}, spec: {{entry: {{namespace: shop, name: web}}}}}}
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{istio-injection: enabled}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: shop}}, spec: {{selector: {{app: web}}, ports: [{{name: http, port: 80}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web, namespace: shop}}, spec: {{template: {{metadata: {{labels: {{app: web}},
  annotations: {{prometheus.io/scrape: "true", prometheus.io/port: "8080"{notes}}}}}, spec: {{containers: [{{name: c}}]}}}}}}}}
---
{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: d, namespace: istio-system}}, spec: {{mtls: {{mode: {mode}}}}}}}
"#
        )
    }

    #[test]
    fn a_scrape_past_the_proxy_is_refused_by_strict() {
        const OFF: &str = r#", prometheus.istio.io/merge-metrics: "false""#;
        for (mode, notes, expected) in [
            ("STRICT", OFF, &["scrape-blocked"][..]),
            ("STRICT", "", &[]),
            ("PERMISSIVE", OFF, &[]),
        ] {
            let found = judged("scrape_blocked", &system(mode, notes));
            assert_eq!(codes(&found), expected, "{mode} {notes}");
            assert_eq!(found.facts.len(), 1 - expected.len());
        }
        let merges_nothing = r#"
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: "enablePrometheusMerge: false"}}
"#;
        let yaml = system("STRICT", "") + merges_nothing;
        assert_eq!(codes(&judged("scrape_blocked", &yaml)), ["scrape-blocked"]);
    }
}
