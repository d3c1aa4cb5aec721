//! 1.4: a gateway's certificate lies in the namespace of its pods, not of the Gateway object (Istio reference, `ServerTLSSettings.credentialName`).
//!
//! Secrets are not read. Where they are is told by who makes or uses them: cert-manager's Certificates, and Ingresses.

use crate::{
    Name, Why,
    crossing::Item,
    judge::{Check, Code, Found, World, edge},
    mesh::{
        Decider,
        gateway::{Mode, serves},
        gateway_api,
    },
    object::{Kind, Object},
};
use std::collections::BTreeSet;

const ELSEWHERE: Code = Code::error("gateway-credential-elsewhere");

pub(super) const CHECK: Check = Check {
    name: "gateway_credential",
    item: Item::Certified,
    codes: &[&ELSEWHERE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let kinds = [Kind::Gateway, Kind::Certificate, Kind::Ingress];
    found.unknowns(kinds.iter().filter_map(|&kind| world.objects.gap(kind)));
    let declared = world.migration.as_ref().ok().and_then(|(_, it)| edge::gateway(it));
    for gateway in world.objects.of_kind(Kind::Gateway) {
        let serving = match serves(&world.mesh, gateway) {
            Ok(serving) => serving,
            Err(whys) => {
                found.unknowns(whys);
                continue;
            }
        };
        for served in &serving.servers {
            let Some(tls) = &served.server.tls else { continue };
            if !matches!(tls.mode, Mode::Simple | Mode::Mutual | Mode::OptionalMutual) {
                continue;
            }
            let mut namespaces = served.credential_namespaces.clone();
            // Where the pods are not among the files, the gateway's Service is where they are.
            if namespaces.is_empty() && serving.pods.is_empty() {
                namespaces.extend(declared.as_ref().map(|it| it.namespace.clone()));
            }
            let by = Decider::of(gateway, format!("/spec/servers/{}/tls/credentialName", served.server.index));
            for name in tls.credentials.iter().filter(|it| !it.starts_with(gateway_api::SECRET)) {
                if namespaces.is_empty() {
                    found.unknown(Why::NeedsCluster);
                }
                for namespace in &namespaces {
                    credential(world, (gateway, name), namespace, &by, found);
                }
            }
        }
    }
}

fn credential(world: &World<'_>, (gateway, name): (&Object, &Name), namespace: &Name, by: &Decider, found: &mut Found) {
    let made: BTreeSet<Name> = world
        .objects
        .of_kind(Kind::Certificate)
        .filter(|it| it.text("/spec/secretName") == &**name)
        .map(|it| it.key().namespace.clone())
        .collect();
    let ingresses = world.objects.ingresses.values();
    let used: BTreeSet<Name> = ingresses
        .filter(|it| it.tls.iter().any(|(_, secret)| secret == name))
        .map(|it| it.namespace.clone())
        .collect();
    if made.contains(namespace) || used.contains(namespace) {
        found.saw_at("gateway-credential", by, format!("{namespace}/{name}"));
        return;
    }
    // A Certificate that is made to be copied may be anywhere.
    let copied = world.objects.of_kind(Kind::Certificate).any(|it| {
        it.text("/spec/secretName") == &**name
            && it.get("/spec/secretTemplate/annotations").is_some_and(|it| it.as_object().is_some_and(|it| !it.is_empty()))
    });
    // The Secret beside the Gateway object, and not beside its pods, is the mistake; a Secret that is only somewhere tells nothing.
    let beside = made.contains(&gateway.key().namespace) || used.contains(&gateway.key().namespace);
    if copied || (made.is_empty() && !beside) {
        found.unknown(Why::NotObserved {
            what: format!("Secret {namespace}/{name}").into(),
        });
        return;
    }
    let elsewhere: Vec<&str> = made.union(&used).map(|it| &**it).collect();
    let args = [
        ("gateway", (&*gateway.key().name).into()),
        ("credential", (&**name).into()),
        ("namespace", (&**namespace).into()),
        ("elsewhere", elsewhere.join(", ").into()),
    ];
    found.finding(&ELSEWHERE, by.clone(), args);
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    const GATEWAY: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: gw, namespace: istio-system}\nspec: {template: {metadata: {labels: {istio: gw}}, spec: {containers: [{name: istio-proxy, image: p}]}}}\n---\n\
        apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: shop}\nspec: {selector: {istio: gw}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: c}}]}\n";

    fn certificate(namespace: &str, more: &str) -> String {
        format!(
            "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {{name: c, namespace: {namespace}}}\nspec: {{secretName: c{more}}}\n"
        )
    }

    fn ingress(namespace: &str) -> String {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i, namespace: {namespace}}}\nspec: {{tls: [{{hosts: [a.example], secretName: c}}]}}\n"
        )
    }

    fn found(parts: &[String]) -> (Vec<&'static str>, usize) {
        let found = judged("gateway_credential", &format!("{GATEWAY}{}", parts.concat()));
        (codes(&found), found.unknown.len())
    }

    #[test]
    fn beside_the_gateway_object_is_the_wrong_place() {
        let wrong = (vec!["gateway-credential-elsewhere"], 0);
        assert_eq!(found(&[certificate("shop", "")]), wrong);
        assert_eq!(found(&[ingress("shop")]), wrong);
    }

    #[test]
    fn beside_its_pods_is_the_right_one() {
        assert_eq!(found(&[certificate("istio-system", "")]), (vec![], 0));
        assert_eq!(found(&[ingress("istio-system"), ingress("shop")]), (vec![], 0));
    }

    #[test]
    fn where_nobody_tells_it_is_unknown() {
        assert_eq!(found(&[]), (vec![], 1));
        assert_eq!(found(&[ingress("elsewhere")]), (vec![], 1));
        let copied = ", secretTemplate: {annotations: {copy: everywhere}}";
        assert_eq!(found(&[certificate("shop", copied)]), (vec![], 1));
    }
}
