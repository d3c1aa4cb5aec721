//! 1.1: Istio is not installed by the demo profile, which asks for few resources and traces every request (Istio documentation, "Installation
//! Configuration Profiles").

use crate::{
    Name, Why,
    crossing::Item,
    inquiry::{Injection, Trial},
    judge::{
        Check, Code, FactSource, Found, World,
        control_plane::{istiods, operators, profile, revisions},
    },
    mesh::Decider,
    object::{Kind, Object},
};
use serde_json::Value;
use std::collections::BTreeSet;

const DEMO: Code = Code::error("istio-profile-demo");
const DEMO_MARKS: Code = Code::error("istio-profile-demo-marks");

pub(super) const CHECK: Check = Check {
    name: "istio_profile",
    item: Item::Installed,
    codes: &[&DEMO, &DEMO_MARKS],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::IstioOperator));
    let mut told = false;
    for operator in operators(world) {
        told = true;
        let profile = profile(operator);
        found.saw("istio-profile", operator, "/spec/profile", profile);
        if profile == "demo" {
            let by = Decider::of(operator, "/spec/profile");
            found.finding(&DEMO, by, [("by", (&*operator.key().name).into())]);
        }
    }
    if told {
        return;
    }
    for map in world.objects.of_kind(Kind::ConfigMap) {
        told |= by_values(world, map, found);
    }
    if !told && world.running(found) {
        by_trial(world, found);
    }
}

/// Where nobody has written it down, a pod that would be injected shows what its proxy asks for.
fn by_trial(world: &World<'_>, found: &mut Found) {
    let mut any = false;
    for (revision, key) in revisions(world) {
        let Some(trial) = world.ask(&Injection { revision }, found) else {
            return;
        };
        if let Trial::AsMeant(proxy) = trial.value {
            any = true;
            let by = Decider {
                key,
                path: "/webhooks".into(),
            };
            marks(world, &proxy.cpu, &proxy.memory, by.clone(), found);
            let asked = format!("{} {}", proxy.cpu, proxy.memory);
            found.learned("proxy-requests", FactSource::Probe, &by, asked, trial.at);
        }
    }
    if !any {
        found.unknown(Why::NotObserved {
            what: "profile".into(),
        });
    }
}

/// The charts write down what they were installed with: in `values` the profile itself, in the injector's configuration what proxies ask for. Whether
/// it told anything.
fn by_values(world: &World<'_>, map: &Object, found: &mut Found) -> bool {
    let key = map.key();
    let of_istio = istiods(world).iter().any(|it| it.key.namespace == key.namespace);
    let named = |name: &str| *key.name == *name || key.name.strip_prefix(name).is_some_and(|it| it.starts_with('-'));
    if !of_istio || !(named("values") || named("istio-sidecar-injector")) {
        return false;
    }
    let read = |field: &str| serde_saphyr::from_str::<Value>(map.text(&format!("/data/{field}"))).ok();
    if named("values") {
        let profile = read("original-values").and_then(|it| Some(it.get("profile")?.as_str()?.to_owned()));
        if let Some(profile) = profile {
            if profile == "demo" {
                let by = Decider::of(map, "/data/original-values");
                found.finding(&DEMO, by, [("by", (&*key.name).into())]);
            }
            found.saw("istio-profile", map, "/data/original-values", profile);
            return true;
        }
        return false;
    }
    let Some(values) = read("values").filter(Value::is_object) else {
        return false;
    };
    let asked = |of: &str| {
        let pointer = format!("/global/proxy/resources/requests/{of}");
        values.pointer(&pointer).and_then(Value::as_str).unwrap_or("").to_owned()
    };
    let (cpu, memory) = (asked("cpu"), asked("memory"));
    marks(world, &cpu, &memory, Decider::of(map, "/data/values"), found);
    found.saw("proxy-requests", map, "/data/values", format!("{cpu} {memory}"));
    true
}

/// The demo profile asks for so little and brings an egress gateway; together nobody else does.
fn marks(world: &World<'_>, cpu: &str, memory: &str, by: Decider, found: &mut Found) {
    let istio: BTreeSet<&Name> = istiods(world).iter().map(|it| &it.key.namespace).collect();
    let mut deployments = world.objects.deployments.values();
    let egress = deployments.any(|it| istio.contains(&it.namespace) && &*it.name == "istio-egressgateway");
    if egress && cpu == "10m" && memory == "40Mi" {
        found.finding(&DEMO_MARKS, by, [("cpu", cpu.into()), ("memory", memory.into())]);
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged, judged_running};

    fn operator(spec: &str) -> String {
        format!(
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {{name: i, namespace: istio-system}}\nspec: {{{spec}}}\n"
        )
    }

    fn installed(cpu: &str, egress: bool) -> String {
        let egress = if egress { "istio-egressgateway" } else { "other" };
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{template: {{metadata: {{labels: {{app: istiod}}}}, \
             spec: {{containers: [{{name: discovery, image: 'pilot:1.31.0'}}]}}}}}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {egress}, namespace: istio-system}}\nspec: {{}}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio-sidecar-injector, namespace: istio-system}}\n\
             data: {{values: '{{\"global\": {{\"proxy\": {{\"resources\": {{\"requests\": {{\"cpu\": \"{cpu}\", \"memory\": \"40Mi\"}}}}}}}}}}'}}\n"
        )
    }

    #[test]
    fn the_demo_profile_is_found_by_its_name() {
        assert_eq!(codes(&judged("istio_profile", &operator("profile: demo"))), ["istio-profile-demo"]);
        for other in ["profile: default", "profile: minimal", "tag: 1.31.0"] {
            let found = judged("istio_profile", &operator(other));
            assert!(found.findings.is_empty() && found.unknown.is_empty() && found.facts.len() == 1);
        }
    }

    #[test]
    fn without_its_name_both_marks_are_needed() {
        let marked = |cpu, egress| codes(&judged_running("istio_profile", &installed(cpu, egress)));
        assert_eq!(marked("10m", true), ["istio-profile-demo-marks"]);
        assert!(marked("10m", false).is_empty() && marked("100m", true).is_empty());
    }

    #[test]
    fn the_charts_values_name_the_profile() {
        let values = |profile: &str| {
            let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: values, namespace: istio-system}\n";
            let yaml = format!("{}{map}data: {{original-values: '{{\"profile\": \"{profile}\"}}'}}\n", installed("1", false));
            codes(&judged_running("istio_profile", &yaml))
        };
        assert_eq!(values("demo"), ["istio-profile-demo"]);
        assert!(values("ambient").is_empty());
    }

    #[test]
    fn where_nothing_tells_it_is_unknown() {
        let none = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
        assert_eq!(judged("istio_profile", none).unknown.len(), 1);
        assert_eq!(judged_running("istio_profile", none).unknown.len(), 1);
    }
}
