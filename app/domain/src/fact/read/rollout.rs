//! How pods are replaced, and whether they are being replaced.

use super::{at, list, number, owner};
use crate::fact::{PodTemplate, Rollout};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn rollout(it: &Value) -> Rollout {
    let or_default = |pointer: &str| match at(it, pointer) {
        written if written.is_empty() => "25%".into(),
        written => written,
    };
    Rollout {
        recreate: &*at(it, "/spec/strategy/type") == "Recreate",
        deadline_s: number(it, "/spec/progressDeadlineSeconds").unwrap_or(600),
        max_surge: or_default("/spec/strategy/rollingUpdate/maxSurge"),
        max_unavailable: or_default("/spec/strategy/rollingUpdate/maxUnavailable"),
    }
}

/// As `kubectl rollout status` asks, but for readiness: the Deployment controller has not seen what is written, pods of the new template are
/// missing, or old ones are still there. One that has come to nothing (`ProgressDeadlineExceeded`) is no rollout any more.
pub(super) fn rolling(it: &Value) -> bool {
    let conditions = list(it, "/status/conditions");
    let failed = conditions
        .iter()
        .any(|it| &*at(it, "/type") == "Progressing" && &*at(it, "/status") == "False");
    let count = |pointer: &str| number::<u64>(it, pointer).unwrap_or(0);
    let (wanted, updated) = (
        number(it, "/spec/replicas").unwrap_or(1),
        count("/status/updatedReplicas"),
    );
    let unseen = count("/metadata/generation") > count("/status/observedGeneration");
    it.get("status").is_some()
        && !failed
        && (unseen || updated < wanted || count("/status/replicas") > updated)
}

/// Going back to an older template gives its ReplicaSet the next number (`SetNewReplicaSetAnnotations` in kubernetes'
/// `pkg/controller/deployment/util`; Argo Rollouts does the same).
pub(super) fn revision(it: &Value) -> Option<u64> {
    let annotations = it.pointer("/metadata/annotations")?;
    [
        "deployment.kubernetes.io/revision",
        "rollout.argoproj.io/revision",
    ]
    .into_iter()
    .find_map(|name| annotations.get(name)?.as_str()?.parse().ok())
}

pub(super) fn set_template(it: &Value) -> Option<Arc<PodTemplate>> {
    let told_elsewhere = owner(it).is_some_and(|(kind, _)| &*kind == "Deployment");
    let idle = number::<u32>(it, "/spec/replicas") == Some(0);
    let template = it
        .pointer("/spec/template")
        .filter(|_| !told_elsewhere && !idle)?;
    Some(Arc::new(PodTemplate::read(template)))
}

#[cfg(test)]
mod tests {
    use crate::{
        fact::{Fact, read::read},
        object::Kind,
    };
    use serde_json::{Value, json};

    #[test]
    fn a_rollout_that_says_nothing_is_kubernetes_default() {
        let rollout = |strategy: Value| {
            let json = json!({"metadata": {"name": "d", "labels": {"sidecar.istio.io/inject": "true"}}, "spec": {"strategy": strategy}});
            let Fact::Deployment(deployment) = read(Kind::Deployment, json).unwrap() else {
                panic!()
            };
            assert_eq!(deployment.inject, Some("true".into()));
            let rollout = &deployment.rollout;
            (
                rollout.recreate,
                rollout.max_surge.to_string(),
                rollout.max_unavailable.to_string(),
            )
        };
        let told =
            |recreate, surge: &str, unavailable: &str| (recreate, surge.to_owned(), unavailable.to_owned());
        assert_eq!(rollout(json!({})), told(false, "25%", "25%"));
        assert_eq!(rollout(json!({"type": "Recreate"})), told(true, "25%", "25%"));
        assert_eq!(
            rollout(
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "50%"}})
            ),
            told(false, "0", "50%")
        );
    }
}
