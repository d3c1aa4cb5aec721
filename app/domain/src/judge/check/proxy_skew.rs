//! 2.1: the entry's proxies are of the minor version of their control plane, or of the one before (Istio documentation, "Supported Releases",
//! Control Plane/Data Plane Skew).

use crate::{
    Name, Why,
    crossing::Item,
    fact::Sidecar,
    judge::{
        Check, Code, Found, World, ask,
        injected::{Which, places},
        release, steady,
    },
    mesh::Decider,
    object::Kind,
};

const SKEW: Code = Code::error("proxy-skew").state();

pub(super) const CHECK: Check = Check {
    name: "proxy_skew",
    item: Item::EntryInjected,
    codes: &[&SKEW],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    if !world.running(found) {
        return;
    }
    for (_, place) in places(world, Which::Entry, found) {
        for template in ask::behind(world, place, found) {
            let pods = ask::pods(world, &ask::workload(template));
            for pod in pods.iter().filter(|pod| !steady::young(world, pod)) {
                if let Some(sidecar) = pod.sidecar.as_ref().filter(|it| it.injected) {
                    let key = crate::object::Key::new(Kind::Pod, pod.namespace.clone(), pod.name.clone());
                    compared(world, sidecar, key, found);
                }
            }
        }
    }
}

fn compared(world: &World<'_>, sidecar: &Sidecar, pod: crate::object::Key, found: &mut Found) {
    let proxy = minor(&sidecar.image);
    let istiod = of_revision(world, &sidecar.revision);
    let (Some(proxy), Some(istiod)) = (proxy, istiod) else {
        // An image by its digest, or of a build of one's own, names no version.
        found.unknown(Why::NotObserved {
            what: "proxy version".into(),
        });
        return;
    };
    let by = Decider {
        key: pod,
        path: "/spec/containers".into(),
    };
    let (is, wants) = (format!("{}.{}", proxy.0, proxy.1), format!("{}.{}", istiod.0, istiod.1));
    let near = proxy.0 == istiod.0 && (proxy.1 == istiod.1 || proxy.1 + 1 == istiod.1);
    if near {
        found.saw_at("proxy-version", &by, format!("{is} ({wants})"));
    } else {
        let pod = by.key.name.to_string();
        found.finding(
            &SKEW,
            by,
            [("pod", pod.into()), ("proxy", is.into()), ("istiod", wants.into())],
        );
    }
}

/// The version of the istiod that serves a revision, by its image; None where there is none, or several that differ.
fn of_revision(world: &World<'_>, revision: &Name) -> Option<(u32, u32)> {
    let serves = |labels: &crate::fact::Labels| {
        let is = |name: &str, value: &str| labels.get(name).is_some_and(|it| &**it == value);
        is("app", "istiod") && is("istio.io/rev", if revision.is_empty() { "default" } else { revision })
    };
    let mut versions = world
        .objects
        .deployments
        .values()
        .filter(|it| serves(&it.template))
        .flat_map(|it| &it.pod.containers)
        .filter(|it| &*it.name == "discovery")
        .map(|it| minor(&it.image));
    let first = versions.next()??;
    versions.all(|it| it == Some(first)).then_some(first)
}

/// Major and minor version of an image by its tag, such as `1.29` of `docker.io/istio/proxyv2:1.29.2-distroless`.
fn minor(image: &str) -> Option<(u32, u32)> {
    let mut parts = release::tag_of(image)?.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::minor;
    use crate::judge::testing::{codes, judged, judged_running};

    #[test]
    fn versions_are_read_from_tags_and_from_nothing_else() {
        for (image, version) in [
            ("docker.io/istio/proxyv2:1.29.2-distroless", Some((1, 29))),
            ("localhost:5000/proxyv2:1.30", Some((1, 30))),
            ("localhost:5000/proxyv2", None),
            ("istio/proxyv2@sha256:1234", None),
            ("istio/proxyv2:latest", None),
        ] {
            assert_eq!(minor(image), version, "{image}");
        }
    }

    fn system(proxy: &str) -> String {
        format!(
            r#"
{{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {{name: m}}, spec: {{entry: {{namespace: a, name: web}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: a}}, spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web, namespace: a}}, spec: {{template: {{metadata: {{labels: {{app: web}}}},
  spec: {{containers: [{{name: web}}]}}}}}}}}
---
{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: web-1, namespace: a, ownerReferences: [{{kind: Deployment, name: web, controller: true}}]}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: web-1-x, namespace: a, labels: {{app: web}},
  ownerReferences: [{{kind: ReplicaSet, name: web-1, controller: true}}],
  annotations: {{"sidecar.istio.io/status": "{{}}", "istio.io/rev": default}}, creationTimestamp: "2026-01-01T00:00:00Z"}},
  spec: {{containers: [{{name: web}}, {{name: istio-proxy, image: "istio/proxyv2:{proxy}"}}]}}, status: {{phase: Running}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: istiod, namespace: istio-system}}, spec: {{template: {{
  metadata: {{labels: {{app: istiod, istio.io/rev: default}}}}, spec: {{containers: [{{name: discovery, image: "istio/pilot:1.29.1"}}]}}}}}}}}
"#
        )
    }

    #[test]
    fn one_minor_version_behind_is_supported_and_two_or_ahead_are_not() {
        for (proxy, expected) in [
            ("1.29.0", &[][..]),
            ("1.28.4", &[]),
            ("1.27.9", &["proxy-skew"]),
            ("1.30.0", &["proxy-skew"]),
        ] {
            let found = judged_running("proxy_skew", &system(proxy));
            assert_eq!(codes(&found), expected, "{proxy}");
            assert!(found.unknown.is_empty(), "{proxy}");
        }
        assert!(!judged_running("proxy_skew", &system("latest")).unknown.is_empty());
        assert!(!judged("proxy_skew", &system("1.29.0")).unknown.is_empty());
    }
}
