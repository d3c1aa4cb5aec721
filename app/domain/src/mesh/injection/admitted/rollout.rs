//! What the restart itself costs: injection is a rolling restart.

use super::{Admitted, Case, Code, Severity, Topic};
use crate::{
    mesh::{Decider, injection::selector},
    object::Kind,
};
use serde_json::Value;

pub(super) fn judge(case: &Case<'_>, found: &mut Admitted) {
    let owner = &case.template.owner;
    let field = |path: &str| Decider {
        key: owner.clone(),
        path: path.into(),
    };
    let replicas = match owner.kind {
        Kind::Deployment => deployment(case, found),
        Kind::StatefulSet | Kind::DaemonSet => {
            let Some(object) = case.mesh.objects.whole.get(owner) else {
                return;
            };
            if object.text("/spec/updateStrategy/type") == "OnDelete" {
                found.concern(
                    Severity::Notes,
                    Code::OnDelete,
                    field("/spec/updateStrategy/type"),
                );
            }
            if owner.kind == Kind::StatefulSet {
                found.concern(Severity::Hurts, Code::Stateful, field(""));
                object.get("/spec/replicas").and_then(Value::as_u64).unwrap_or(1)
            } else {
                2
            }
        }
        // These are not restarted in turn.
        _ => return,
    };
    if replicas == 1 {
        found.concern(Severity::Hurts, Code::SingleReplica, field("/spec/replicas"));
    }
    budget(case, found);
    autoscaler(case, found);
}

/// The Deployment's replicas, after its strategy was judged. Percentages of surge round up, those of unavailable pods round down, and where both come to
/// nothing one pod may be missing (`ResolveFenceposts` in Kubernetes' deployment controller).
fn deployment(case: &Case<'_>, found: &mut Admitted) -> u64 {
    let owner = &case.template.owner;
    let Some(it) = case.mesh.objects.deployments.get(owner) else {
        return 0;
    };
    let field = |path: &str| Decider {
        key: owner.clone(),
        path: path.into(),
    };
    let replicas = u64::from(it.replicas);
    if it.rollout.recreate {
        found.concern(Severity::Hurts, Code::Recreate, field("/spec/strategy/type"));
        return replicas;
    }
    let of = |text: &str, up: bool| match text.strip_suffix('%') {
        Some(percent) => {
            let share = percent.parse::<u64>().ok()?.checked_mul(replicas)?;
            Some(if up { share.div_ceil(100) } else { share / 100 })
        }
        None => text.parse().ok(),
    };
    let (Some(surge), Some(missing)) = (
        of(&it.rollout.max_surge, true),
        of(&it.rollout.max_unavailable, false),
    ) else {
        return replicas;
    };
    if surge == 0 && replicas > 0 {
        found.concern(
            Severity::Hurts,
            Code::NoSurge,
            field("/spec/strategy/rollingUpdate/maxSurge"),
        );
    }
    let missing = if surge == 0 { missing.max(1) } else { missing };
    if replicas > 0 && missing >= replicas {
        found.concern(
            Severity::Hurts,
            Code::AllUnavailable,
            field("/spec/strategy/rollingUpdate/maxUnavailable"),
        );
    }
    replicas
}

fn budget(case: &Case<'_>, found: &mut Admitted) {
    let owner = &case.template.owner;
    if let Some(why) = case.mesh.objects.gap(Kind::PodDisruptionBudget) {
        return found.unknown(Topic::Budget, why);
    }
    let labels = &case.template.pod.labels;
    let covered = case
        .objects_in(Kind::PodDisruptionBudget, &owner.namespace)
        .any(|it| {
            let selector = it.get("/spec/selector");
            // No selector at all selects nothing, an empty one all (policy/v1).
            selector.is_some()
                && selector::matches(selector, |name| labels.get(name).map(|value| &**value)) == Some(true)
        });
    if !covered {
        found.concern(
            Severity::Notes,
            Code::NoBudget,
            case.template.field("/metadata/labels"),
        );
    }
}

/// `Resource` metrics add up all containers, `ContainerResource` names one. An autoscaler without metrics goes by the pod's CPU (Kubernetes API reference).
fn autoscaler(case: &Case<'_>, found: &mut Admitted) {
    let owner = &case.template.owner;
    if let Some(why) = case.mesh.objects.gap(Kind::HorizontalPodAutoscaler) {
        return found.unknown(Topic::Autoscaler, why);
    }
    for it in case.objects_in(Kind::HorizontalPodAutoscaler, &owner.namespace) {
        if it.text("/spec/scaleTargetRef/kind") != owner.kind.name()
            || it.text("/spec/scaleTargetRef/name") != &*owner.name
        {
            continue;
        }
        if it.list("/spec/metrics").is_empty() {
            let resource = "cpu".into();
            found.concern(
                Severity::Hurts,
                Code::AutoscalerCountsProxy { resource },
                Decider::of(it, "/spec"),
            );
        }
        for (index, metric) in it.list("/spec/metrics").iter().enumerate() {
            let text = |pointer: &str| metric.pointer(pointer).and_then(Value::as_str).unwrap_or("");
            if text("/type") == "Resource" {
                let resource = text("/resource/name").into();
                let by = Decider::of(it, format!("/spec/metrics/{index}"));
                found.concern(Severity::Hurts, Code::AutoscalerCountsProxy { resource }, by);
            }
        }
    }
}
