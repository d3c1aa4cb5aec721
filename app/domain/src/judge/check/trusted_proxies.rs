//! 1.1: the gateway trusts as many proxies as stand before it. It writes `X-Forwarded-Proto` and the client's address itself where it trusts none
//! (Istio reference, `Topology.numTrustedProxies`; Envoy, `xff_num_trusted_hops`).

use crate::{
    Why,
    crossing::{Item, migration::Tls},
    judge::{
        Check, Code, Found, World,
        control_plane::operators,
        edge::{self, Lead},
    },
    mesh::{Decider, ROOT_NAMESPACE, injection::templates},
    object::{Key, Kind},
    workload::selects,
};
use serde_json::Value;

const DIFFER: Code = Code::error("trusted-proxies-differ");
const REWRITTEN: Code = Code::error("forwarded-proto-rewritten");

pub(super) const CHECK: Check = Check {
    name: "trusted_proxies",
    item: Item::Installed,
    codes: &[&DIFFER, &REWRITTEN],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let declared = world.declared(found, "edge.trustedHops", |it| it.edge.as_ref()?.trusted_hops);
    let trusted = match trusted(world) {
        Ok(trusted) => trusted,
        Err(why) => {
            found.unknown(why);
            return;
        }
    };
    for (by, count) in trusted {
        found.saw_at("trusted-proxies", &by, count.to_string());
        if count == 0 && plaintext_behind_tls(world) {
            found.finding(&REWRITTEN, by, []);
        } else if let Some(declared) = declared.filter(|it| u64::from(*it) != count) {
            let args = [
                ("trusted", count.to_string().into()),
                ("hops", declared.to_string().into()),
            ];
            found.finding(&DIFFER, by, args);
        }
    }
}

const PATH: &str = "gatewayTopology/numTrustedProxies";

/// What the gateway's pods trust, and where it is written: an annotation of the pods goes before the mesh's configuration, which istiod reads from
/// its ConfigMap; where files hold none, an IstioOperator tells what will be in it.
fn trusted(world: &World<'_>) -> Result<Vec<(Decider, u64)>, Why> {
    let written = annotated(world);
    if !written.is_empty() {
        return Ok(written);
    }
    if let Some(why) = &world.mesh.config.gap {
        return Err(why.clone());
    }
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(0);
    if world.objects.object(Kind::ConfigMap, ROOT_NAMESPACE, "istio").is_some() {
        let by = Decider {
            key: Key::new(Kind::ConfigMap, ROOT_NAMESPACE, "istio"),
            path: "/data/mesh".into(),
        };
        let count = number(world.mesh.config.json.pointer(&format!("/defaultConfig/{PATH}")));
        return Ok(vec![(by, count)]);
    }
    let pointer = format!("/spec/meshConfig/defaultConfig/{PATH}");
    let asked: Vec<(Decider, u64)> = operators(world)
        .map(|it| (Decider::of(it, pointer.as_str()), number(it.get(&pointer))))
        .collect();
    match (asked.is_empty(), world.running) {
        (false, _) => Ok(asked),
        (true, false) => Err(Why::NeedsCluster),
        (true, true) => Err(Why::NotObserved {
            what: "meshConfig".into(),
        }),
    }
}

/// `proxy.istio.io/config` of the pods behind the gateway's Service.
fn annotated(world: &World<'_>) -> Vec<(Decider, u64)> {
    let gateway = world.migration.as_ref().ok().and_then(|(_, it)| edge::gateway(it));
    let service = gateway.and_then(|it| world.objects.service(&it.namespace, &it.name));
    let Some(service) = service else {
        return Vec::new();
    };
    let behind = templates(world.objects)
        .into_iter()
        .filter(|it| it.owner.namespace == service.namespace && selects(&service.selector, &it.pod.labels));
    behind
        .filter_map(|it| {
            let (text, by) = it.annotation("proxy.istio.io/config")?;
            let config: Value = serde_saphyr::from_str(text).ok()?;
            Some((by, config.pointer(&format!("/{PATH}"))?.as_u64()?))
        })
        .collect()
}

/// A proxy in front ends TLS and goes on in the open: the Migration says so, or an Ingress with a certificate leads to the gateway and no Migration
/// says otherwise.
fn plaintext_behind_tls(world: &World<'_>) -> bool {
    let declared = world.migration.as_ref().ok().and_then(|(_, it)| it.edge.as_ref()?.tls);
    if let Some(declared) = declared {
        return declared == Tls::Terminate;
    }
    let gateways = edge::gateways(world);
    world.objects.ingresses.values().any(|ingress| {
        let open = edge::nginx(ingress, "ssl-passthrough") != Some("true")
            && edge::nginx(ingress, "backend-protocol").is_none_or(|it| it.eq_ignore_ascii_case("HTTP"));
        open && ingress.routes.iter().any(|route| {
            let ends = ingress.tls.iter().any(|(host, _)| *host == route.host);
            ends && edge::lead(world, &gateways, ingress, &route.service) == Lead::Gateway
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, judged},
    };

    fn world(tls: &str, hops: u32, mesh: &str, annotation: &str) -> String {
        format!(
            "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{edge: {{hosts: [a.example], gateway: {{namespace: istio-system, name: gw}}, tls: {tls}, trustedHops: {hops}}}}}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata: {{mesh: '{mesh}'}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: gw, namespace: istio-system}}\nspec: {{selector: {{istio: gw}}, ports: [{{port: 80}}]}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: gw, namespace: istio-system}}\nspec: {{template: {{metadata: {{labels: {{istio: gw}}, annotations: {{proxy.istio.io/config: '{annotation}'}}}}, \
             spec: {{containers: [{{name: istio-proxy, image: 'proxyv2:1.31.0'}}]}}}}}}\n"
        )
    }

    const ONE: &str = "defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}";

    fn found(tls: &str, hops: u32, mesh: &str, annotation: &str) -> Vec<&'static str> {
        codes(&judged("trusted_proxies", &world(tls, hops, mesh, annotation)))
    }

    #[test]
    fn behind_a_proxy_that_ends_tls_none_may_not_be_trusted() {
        assert_eq!(found("terminate", 1, "{}", "{}"), ["forwarded-proto-rewritten"]);
        assert!(found("terminate", 1, ONE, "{}").is_empty());
    }

    #[test]
    fn the_numbers_must_be_the_same() {
        assert_eq!(found("terminate", 2, ONE, "{}"), ["trusted-proxies-differ"]);
        assert_eq!(found("passthrough", 1, "{}", "{}"), ["trusted-proxies-differ"]);
        assert!(found("passthrough", 0, "{}", "{}").is_empty());
    }

    #[test]
    fn an_annotation_of_the_gateways_pods_goes_first() {
        let two = "gatewayTopology: {numTrustedProxies: 2}";
        assert!(found("terminate", 2, ONE, two).is_empty());
        assert_eq!(found("terminate", 1, ONE, two), ["trusted-proxies-differ"]);
    }

    #[test]
    fn files_without_the_meshs_configuration_do_not_tell() {
        let yaml = "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {name: m}\nspec: {edge: {tls: terminate, trustedHops: 1}}\n";
        let none = judged("trusted_proxies", yaml);
        assert!(none.findings.is_empty());
        assert_eq!(none.unknown, [Why::NeedsCluster]);
        let operator = format!(
            "{yaml}---\napiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {{name: i, namespace: istio-system}}\nspec: {{}}\n"
        );
        assert_eq!(codes(&judged("trusted_proxies", &operator)), ["forwarded-proto-rewritten"]);
    }

    #[test]
    fn without_a_migration_an_ingress_with_a_certificate_tells() {
        let yaml = |annotation: &str| {
            let full = world("terminate", 1, "{}", "{}");
            let (_, rest) = full.split_once("---\n").unwrap();
            format!(
                "{rest}---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: istio-system}}\nspec: {{selector: {{istio: gw}}, servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [a.example]}}]}}\n---\n\
                 apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i, namespace: istio-system, annotations: {{{annotation}}}}}\nspec: {{tls: [{{hosts: [a.example], secretName: s}}], \
                 rules: [{{host: a.example, http: {{paths: [{{path: /, backend: {{service: {{name: gw, port: {{number: 80}}}}}}}}]}}}}]}}\n"
            )
        };
        assert_eq!(codes(&judged("trusted_proxies", &yaml(""))), ["forwarded-proto-rewritten"]);
        let passed = yaml("nginx.ingress.kubernetes.io/ssl-passthrough: 'true'");
        assert!(codes(&judged("trusted_proxies", &passed)).is_empty());
    }
}
