//! Will each workload's pods come up when they are injected, and with what loss: asked before any label is set, of every workload, whether the
//! Migration names it or not. What stops or hurts them is found as for item 2.2, by the same codes.

use super::{Finding, Found, Judgement, Verdict, World, check, injected, verdict};
use crate::{Name, Why, fact::Proxy, mesh::injection::Template, object::Key};

/// What injection would do to one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Preflight {
    /// The Deployment, CronJob … that its pods are made from.
    pub workload: Key,
    /// Met: they come up. Not met: something stops them. Unknown: what is asked cannot be seen.
    pub verdict: Verdict,
    /// All of its pods have a proxy already, and are ready.
    pub injected: bool,
    /// What stops or hurts them, the worst first.
    pub findings: Vec<Finding>,
    /// What is not known.
    pub unknown: Vec<Why>,
}

/// Of every workload in these namespaces, in order; in all but Kubernetes' own if none is named.
pub fn preflight(world: &World<'_>, namespaces: &[Name]) -> Vec<Preflight> {
    let asked = |namespace: &Name| match namespaces {
        [] => !namespace.starts_with("kube-"),
        named => named.contains(namespace),
    };
    let templates = world.templates().iter();
    let mut all: Vec<Preflight> = templates
        .filter(|it| asked(&it.owner.namespace))
        .map(|it| one(world, it))
        .collect();
    all.sort_by(|a, b| a.workload.cmp(&b.workload));
    all
}

fn one(world: &World<'_>, template: &Template) -> Preflight {
    let mut found = Found::default();
    injected::of_template(world, template, check::SERVICE_CONCERNS, &mut found);
    let Judgement {
        verdict,
        findings,
        unknown,
        ..
    } = verdict::of_found(world, &check::SERVICES_PREFLIGHT, found);
    let pods = super::ask::pods(world, &super::ask::workload(template));
    let meshed = pods.iter().all(|it| it.proxy == Proxy::Sidecar && it.ready);
    Preflight {
        workload: template.owner.clone(),
        verdict,
        injected: world.running && !pods.is_empty() && meshed,
        findings,
        unknown: unknown.into_iter().map(|(_, why)| why).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::preflight;
    use crate::judge::{Verdict, World, testing};

    #[test]
    fn every_workload_is_asked_and_what_stops_one_stops_no_other() {
        let deployment = |namespace: &str, name: &str, more: &str| {
            format!(
                "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: {namespace}}}, \
                 spec: {{replicas: 2, selector: {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, \
                 spec: {{{more}containers: [{{name: app, image: a}}]}}}}}}}}"
            )
        };
        let namespaces = ["a", "b", "kube-system"]
            .map(|name| format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}"));
        let manifests = namespaces.into_iter().chain([
            deployment("a", "plain", ""),
            deployment("a", "host", "hostNetwork: true, "),
            deployment("b", "other", ""),
            deployment("kube-system", "dns", ""),
        ]);
        let objects = testing::objects(&manifests.collect::<Vec<_>>().join("\n---\n"));
        let world = World::of_files(&objects, testing::now());
        let told = |names: &[&str]| -> Vec<(String, bool)> {
            let names: Vec<_> = names.iter().map(|it| (*it).into()).collect();
            let all = preflight(&world, &names).into_iter();
            all.map(|it| (it.workload.name.to_string(), it.verdict == Verdict::NotMet))
                .collect()
        };
        let (host, plain, other) = (
            ("host".into(), true),
            ("plain".into(), false),
            ("other".into(), false),
        );
        assert_eq!(told(&["a"]), [host.clone(), plain.clone()]);
        assert_eq!(told(&[]), [host, plain, other]);
        let host = &preflight(&world, &["a".into()])[0];
        assert_eq!(host.findings[0].code.name, "service-on-host-network");
        assert!(!host.injected);
    }
}
