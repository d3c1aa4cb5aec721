//! 1.1: each istiod has a second one. Alone, its restart leaves new pods without a proxy and running ones without news.

use crate::{
    Why,
    crossing::Item,
    judge::{
        Check, Code, Found, World, ask,
        control_plane::{Istiod, first_number, installs_istiod, istiods, operators},
        steady,
    },
    mesh::Decider,
    object::{Kind, Object},
};
use serde_json::Value;

const SINGLE: Code = Code::error("istiod-single");
const NOT_READY: Code = Code::error("istiod-not-ready").state();

pub(super) const CHECK: Check = Check {
    name: "istiod_replicas",
    item: Item::Installed,
    codes: &[&SINGLE, &NOT_READY],
    run,
};

const ENOUGH: u32 = 2;

fn run(world: &World<'_>, found: &mut Found) {
    let kinds = [Kind::Deployment, Kind::HorizontalPodAutoscaler, Kind::IstioOperator];
    found.unknowns(kinds.iter().filter_map(|&kind| world.objects.gap(kind)));
    let all = istiods(world);
    for istiod in &all {
        deployed(world, istiod, found);
    }
    if all.is_empty() {
        let mut told = false;
        for operator in operators(world).filter(|it| installs_istiod(it)) {
            told = true;
            asked(operator, found);
        }
        if !told && world.running(found) {
            found.unknown(Why::NotObserved {
                what: "istiod".into(),
            });
        }
    }
    if !all.is_empty() {
        let _state = world.running(found);
    }
}

/// What an IstioOperator asks for: a number of its own, or the autoscaler's least, which is 1 unless said otherwise.
fn asked(operator: &Object, found: &mut Found) {
    let count = first_number(
        operator,
        &[
            "/spec/components/pilot/k8s/hpaSpec/minReplicas",
            "/spec/components/pilot/k8s/replicaCount",
            "/spec/values/pilot/autoscaleMin",
            "/spec/values/pilot/replicaCount",
        ],
    );
    let (path, count) = count.unwrap_or(("/spec/components/pilot", 1));
    let by = Decider::of(operator, path);
    found.saw_at("istiod-replicas", &by, count.to_string());
    if count < u64::from(ENOUGH) {
        let args = [("name", (&*operator.key().name).into()), ("count", count.to_string().into())];
        found.finding(&SINGLE, by, args);
    }
}

fn deployed(world: &World<'_>, istiod: &Istiod<'_>, found: &mut Found) {
    let key = istiod.key;
    let scaler = world.objects.of_kind_in(Kind::HorizontalPodAutoscaler, &key.namespace).find(|it| {
        it.text("/spec/scaleTargetRef/kind") == "Deployment" && it.text("/spec/scaleTargetRef/name") == &*key.name
    });
    let (by, count) = match scaler {
        Some(scaler) => {
            let least = scaler.get("/spec/minReplicas").and_then(Value::as_u64).unwrap_or(1);
            let least = u32::try_from(least).unwrap_or(u32::MAX);
            (Decider::of(scaler, "/spec/minReplicas"), least)
        }
        None => {
            let by = Decider {
                key: key.clone(),
                path: "/spec/replicas".into(),
            };
            (by, istiod.deployment.replicas)
        }
    };
    found.saw_at("istiod-replicas", &by, count.to_string());
    let name = &*key.name;
    if count < ENOUGH {
        let args = [("name", name.into()), ("count", count.to_string().into())];
        found.finding(&SINGLE, by, args);
        return;
    }
    if !world.running {
        return;
    }
    let by = Decider {
        key: key.clone(),
        path: "/status/readyReplicas".into(),
    };
    let pods = ask::pods(world, &(key.namespace.clone(), key.name.clone()));
    let ready = pods.iter().filter(|pod| pod.ready).count();
    found.saw_at("istiod-ready", &by, ready.to_string());
    if ready >= ENOUGH as usize {
        return;
    }
    let settling = pods.iter().any(|pod| !pod.ready && steady::young(world, pod));
    if settling {
        found.unknown(steady::not_yet());
    } else {
        let args = [("name", name.into()), ("ready", ready.to_string().into())];
        found.finding(&NOT_READY, by, args);
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged, judged_running};
    use std::fmt::Write as _;

    fn istiod(replicas: u32) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{replicas: {replicas}, template: {{metadata: {{labels: {{app: istiod}}}}, \
             spec: {{containers: [{{name: discovery, image: 'pilot:1.31.0'}}]}}}}}}\n"
        )
    }

    #[test]
    fn one_is_too_few_unless_an_autoscaler_keeps_more() {
        assert_eq!(codes(&judged("istiod_replicas", &istiod(1))), ["istiod-single"]);
        assert!(codes(&judged("istiod_replicas", &istiod(2))).is_empty());
        let scaled = |least: u32| {
            let scaler = "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: istiod, namespace: istio-system}\n";
            let yaml = format!(
                "{}{scaler}spec: {{minReplicas: {least}, scaleTargetRef: {{kind: Deployment, name: istiod}}}}\n",
                istiod(1)
            );
            codes(&judged("istiod_replicas", &yaml))
        };
        assert!(scaled(2).is_empty());
        assert_eq!(scaled(1), ["istiod-single"]);
    }

    #[test]
    fn an_operator_asks_for_one_unless_it_says_more() {
        let operator = |spec: &str| {
            let yaml = format!(
                "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {{name: i, namespace: istio-system}}\nspec: {{{spec}}}\n"
            );
            codes(&judged("istiod_replicas", &yaml))
        };
        assert_eq!(operator("profile: demo"), ["istiod-single"]);
        assert!(operator("components: {pilot: {k8s: {replicaCount: 2}}}").is_empty());
        assert!(operator("values: {pilot: {autoscaleMin: 2}}").is_empty());
        assert!(operator("profile: empty").is_empty());
    }

    #[test]
    fn what_runs_must_be_ready_and_is_given_time() {
        let pods = |created: &str| {
            let mut yaml = istiod(2);
            for (name, ready) in [("a", "True"), ("b", "False")] {
                let _ = write!(
                    yaml,
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: istiod-1-{name}, namespace: istio-system, creationTimestamp: '{created}', labels: {{pod-template-hash: '1'}}, \
                     ownerReferences: [{{kind: ReplicaSet, name: istiod-1, controller: true}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: '{ready}'}}]}}\n"
                );
            }
            yaml + "---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: istiod-1, namespace: istio-system, ownerReferences: [{kind: Deployment, name: istiod, controller: true}]}\nspec: {}\n"
        };
        let old = judged_running("istiod_replicas", &pods("2026-01-01T11:00:00Z"));
        assert_eq!(codes(&old), ["istiod-not-ready"]);
        let young = judged_running("istiod_replicas", &pods("2026-01-01T11:55:00Z"));
        assert!(young.findings.is_empty() && young.unknown.len() == 1);
        let fine = judged_running("istiod_replicas", &istiod(2));
        assert!(fine.findings.is_empty() && fine.unknown.is_empty());
    }
}
