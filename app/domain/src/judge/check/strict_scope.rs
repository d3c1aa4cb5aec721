//! 3.1: every port of every workload of the Migration's namespaces takes mutual TLS alone. A PeerAuthentication is its own namespace's; only one in the root
//! namespace is the whole mesh's.

use crate::{
    Name,
    crossing::Item,
    fact::Proxy as Meshed,
    judge::{Check, Code, Found, World, ask, steady},
    mesh::{
        Decider, Proxy,
        injection::Template,
        mtls::{Mode, server_mode},
        unjudged,
    },
    object::{Key, Kind, Object},
    workload::selects,
};
use std::collections::BTreeSet;

const ONE_NAMESPACE: Code = Code::error("strict-one-namespace");
const MISSING: Code = Code::error("strict-missing");
const EXCEPTION: Code = Code::error("strict-exception");
const BESIDE: Code = Code::info("strict-exception-beside");
const NO_PROXY: Code = Code::warning("strict-without-proxy");

pub(super) const CHECK: Check = Check {
    name: "strict_scope",
    item: Item::Secured,
    codes: &[&ONE_NAMESPACE, &MISSING, &EXCEPTION, &BESIDE, &NO_PROXY],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let migration = world.declared(found, "entry", |it| it.entry.is_some().then_some(it));
    let Some(migration) = migration else { return };
    let spaces = ask::namespaces(migration);
    let templates = world.templates();
    let mut uncovered: BTreeSet<&str> = BTreeSet::new();
    let mut seen = 0_u32;
    let ours: BTreeSet<_> = migration
        .all_services()
        .flat_map(|place| ask::behind(world, place, found))
        .map(|template| &template.owner)
        .collect();
    for template in templates.iter().filter(|it| spaces.contains(&*it.owner.namespace)) {
        let pods = ask::pods(world, &ask::workload(template));
        let Some(pod) = pods.iter().find(|pod| pod.proxy == Meshed::Sidecar) else {
            let settled = pods.iter().any(|pod| !steady::young(world, pod));
            if ours.contains(&template.owner) && settled {
                let name = format!("{}/{}", template.owner.namespace, template.owner.name);
                let by = template.field("/metadata/labels");
                // That its pods should have one is said where its injection is judged.
                found.unknown(crate::Why::NotObserved {
                    what: name.as_str().into(),
                });
                found.finding(&NO_PROXY, by, [("workload", name.into())]);
            }
            continue;
        };
        if !ask::gateway(world, pod) {
            seen += 1;
            uncovered.extend(workload(world, template, ours.contains(&template.owner), found));
        }
    }
    if seen == 0 {
        found.unknown(crate::Why::NotObserved {
            what: "proxies".into(),
        });
    }
    tell_uncovered(world, &uncovered, found);
}

/// The template's namespace, if nobody has said anything about one of its ports.
fn workload<'t>(
    world: &World<'_>,
    template: &'t Template,
    ours: bool,
    found: &mut Found,
) -> Option<&'t str> {
    let proxy = Proxy::sidecar(template.owner.namespace.clone(), template.pod.labels.clone());
    let name = format!("{}/{}", template.owner.namespace, template.owner.name);
    let mut unsaid = None;
    let ports = ports(world, template);
    for &port in &ports {
        match server_mode(&world.mesh, &proxy, port) {
            Err(whys) => {
                found.unknowns(whys);
                return None;
            }
            Ok((Mode::Strict, _)) => {}
            Ok((_, None)) => unsaid = Some(&*template.owner.namespace),
            Ok((mode, Some(by))) => {
                let mode = if mode == Mode::Disable { "DISABLE" } else { "PERMISSIVE" };
                let args = [
                    ("workload", name.as_str().into()),
                    ("port", port.to_string().into()),
                    ("mode", mode.into()),
                ];
                // A workload beside the system's own, excepted by itself: somebody has looked at it.
                let beside = !ours && ask::selects_workloads(world, &by);
                found.finding(if beside { &BESIDE } else { &EXCEPTION }, by, args);
                return None;
            }
        }
    }
    if unsaid.is_none() {
        let all: Vec<String> = ports.iter().map(ToString::to_string).collect();
        found.saw_at("strict-ports", &template.field(""), format!("{name}: {}", all.join(", ")));
    }
    unsaid
}

/// The ports that its containers name, and those that Services lead to.
fn ports(world: &World<'_>, template: &Template) -> BTreeSet<u16> {
    let containers = || template.pod.containers.iter().filter(|it| &*it.name != "istio-proxy");
    let named = containers().flat_map(|it| &it.ports).map(|it| it.port);
    let services = world.objects.services.values().filter(|it| {
        it.namespace == template.owner.namespace && selects(&it.selector, &template.pod.labels)
    });
    let led = services.flat_map(|it| &it.ports).filter_map(|port| {
        let by_name = || containers().find_map(|it| it.port(&port.target));
        match port.target.parse() {
            Ok(number) => Some(number),
            Err(_) if port.target.is_empty() => Some(port.port),
            Err(_) => by_name(),
        }
    });
    named.chain(led).collect()
}

fn tell_uncovered(world: &World<'_>, uncovered: &BTreeSet<&str>, found: &mut Found) {
    if uncovered.is_empty() {
        return;
    }
    let root = &world.mesh.config.root_namespace;
    let of_one = |it: &&Object| {
        it.key().namespace != *root
            && it.text("/spec/mtls/mode") == "STRICT"
            && unjudged::labels(it, "/spec/selector/matchLabels").is_empty()
    };
    let mut policies = world.objects.of_kind(Kind::PeerAuthentication);
    if let Some(policy) = policies.find(of_one) {
        let missing: Vec<&str> = uncovered.iter().copied().collect();
        let args = [
            ("policy", (&*policy.key().name).into()),
            ("namespace", (&*policy.key().namespace).into()),
            ("missing", missing.join(", ").into()),
        ];
        return found.finding(&ONE_NAMESPACE, Decider::of(policy, "/metadata/namespace"), args);
    }
    for namespace in uncovered {
        let by = Decider {
            key: Key::new(Kind::Namespace, "", Name::from(*namespace)),
            path: "".into(),
        };
        found.finding(&MISSING, by, [("namespace", (*namespace).into())]);
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged, judged_running};

    fn system(more: &str) -> String {
        let mut yaml = r#"
{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: a, name: web}, services: [{namespace: b, name: users}]}}
"#
        .to_owned();
        for (space, name) in [("a", "web"), ("b", "users")] {
            yaml += &format!(
                r#"
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: {space}, labels: {{istio-injection: enabled}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {space}}}, spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: {space}}}, spec: {{template: {{metadata: {{labels: {{app: {name}}}}},
  spec: {{containers: [{{name: app}}]}}}}}}}}
"#
            );
        }
        yaml + "---\n" + more
    }

    fn policy(namespace: &str, spec: &str) -> String {
        format!(
            "{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: p, namespace: {namespace}}}, spec: {{{spec}}}}}"
        )
    }

    const STRICT: &str = "mtls: {mode: STRICT}";

    #[test]
    fn the_whole_mesh_is_covered_from_the_root_namespace_only() {
        let whole = judged("strict_scope", &system(&policy("istio-system", STRICT)));
        assert_eq!((codes(&whole), whole.unknown.len(), whole.facts.len()), (vec![], 0, 2));
        let one = judged("strict_scope", &system(&policy("a", STRICT)));
        assert_eq!(codes(&one), ["strict-one-namespace"]);
        assert_eq!(&*one.findings[0].2["missing"], "b");
        assert_eq!(&*one.findings[0].1.key.namespace, "a");
        let none = judged_running("strict_scope", &system(""));
        assert_eq!((codes(&none), none.findings.len()), (vec!["strict-missing"], 2));
    }

    #[test]
    fn an_exception_is_told_by_port() {
        let own = "selector: {matchLabels: {app: users}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: PERMISSIVE}}";
        let more = format!("{}\n---\n{}", policy("istio-system", STRICT), policy("b", own));
        let found = judged("strict_scope", &system(&more));
        assert_eq!(codes(&found), ["strict-exception"]);
        assert_eq!(&*found.findings[0].1.path, "/spec/portLevelMtls/8080/mode");
        let beside = system(&more).replace("entry: {namespace: a, name: web}, services: [{namespace: b, name: users}]", "entry: {namespace: b, name: other}");
        let other = "\n---\n{apiVersion: v1, kind: Service, metadata: {name: other, namespace: b}, spec: {selector: {app: other}}}";
        assert_eq!(codes(&judged("strict_scope", &(beside + other))), ["strict-exception-beside"]);
    }

    #[test]
    fn pods_without_a_proxy_take_plaintext_whatever_is_strict() {
        let yaml = system(&policy("istio-system", STRICT)).replacen("labels: {istio-injection: enabled}", "labels: {}", 1);
        let found = judged("strict_scope", &yaml);
        assert_eq!(codes(&found), ["strict-without-proxy"]);
        // A revision that is named may well be there.
        let tag = system(&policy("istio-system", STRICT)).replace("istio-injection: enabled", "istio.io/rev: stable");
        assert_eq!(codes(&judged("strict_scope", &tag)), [""; 0]);
    }
}
