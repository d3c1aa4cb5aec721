//! Who else writes an object, and would take our change back or be confused by it.

mod argo;

use crate::{Name, Refused, mesh::route::Rule, object::Object, snapshot::Objects};
use naru_view::{canary::Owner, why::Leaves};
use serde_json::Value;

/// Flux's marks.
const FLUX: [&str; 2] = ["kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"];

/// What Argo CD is called here.
const ARGO_CD: &str = "Argo CD";

/// Who else writes the weights of this rule, and what they leave alone.
pub fn of_weights(objects: &Objects, object: &Object, rule: &Rule) -> Option<Owner> {
    let weight = |position: usize| {
        let (list, entries) = (rule.list.field(), rule.list.destinations());
        format!("/spec/{list}/{}/{entries}/{position}/weight", rule.index)
    };
    let paths: Vec<String> = (0..rule.destinations.len()).map(weight).collect();
    let (name, by) = of(object)?;
    let leaves = match &*name {
        ARGO_CD => argo::leaves(objects, object, &paths),
        _ => Leaves::Nothing,
    };
    let files = takes_files(&name);
    Some(Owner {
        name,
        by,
        leaves,
        files,
    })
}

/// Why Naru does not set the weights of this rule, if somebody else would take that back.
pub fn bars(objects: &Objects, object: &Object, rule: &Rule) -> Option<Refused> {
    let owner = of_weights(objects, object, rule).filter(Owner::bars)?;
    Some(Refused::Owned {
        owner: owner.name,
        by: owner.by,
        leaves: owner.leaves,
    })
}

/// The owner's name for people and what gave it away; None if nobody else writes.
///
/// `app.kubernetes.io/instance` alone proves nothing, since Helm and kustomize set it too. What counts: Argo CD's tracking annotation,
/// Flux's labels, Helm's release annotation, a controlling ownerReference, or a controller among the field managers of `spec`.
pub fn of(object: &Object) -> Option<(Name, Name)> {
    const HELM: &str = "meta.helm.sh/release-name";
    const DECIDE: [(&str, &str); 2] = [("rollouts-controller", "Argo Rollouts"), ("flagger", "Flagger")];
    const APPLY: [(&str, &str); 4] = [
        ("argocd-controller", ARGO_CD),
        ("argocd-application-controller", ARGO_CD),
        ("kustomize-controller", "Flux"),
        ("helm-controller", "Flux"),
    ];
    let controller = object
        .list("/metadata/ownerReferences")
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true));
    if let Some(controller) = controller {
        let text = |field: &str| controller.get(field).and_then(Value::as_str).unwrap_or("");
        return Some((
            text("kind").into(),
            format!("ownerReferences: {}", text("name")).into(),
        ));
    }
    let managers = object.managers();
    let writes = |known: &[(&str, &str)]| {
        let found = known.iter().find(|(manager, _)| managers.contains(manager));
        found.map(|(manager, owner)| {
            (
                Name::from(*owner),
                Name::from(format!("managedFields: {manager}")),
            )
        })
    };
    // Who decides on weights does so whatever repository the object comes from.
    if let Some(owner) = writes(&DECIDE) {
        return Some(owner);
    }
    if object.annotation(argo::TRACKING).is_some() {
        return Some((ARGO_CD.into(), argo::TRACKING.into()));
    }
    if let Some(label) = FLUX.into_iter().find(|label| object.label(label).is_some()) {
        return Some(("Flux".into(), label.into()));
    }
    if let Some(owner) = writes(&APPLY) {
        return Some(owner);
    }
    object
        .annotation(HELM)
        .map(|release| ("Helm".into(), format!("{HELM}: {release}").into()))
}

/// Whether the owner writes what stands in a repository or a chart, so that a change can be handed over to it as a file. Controllers that decide
/// on weights themselves, such as Argo Rollouts and Flagger, take every other hand for a mistake.
pub fn takes_files(owner: &str) -> bool {
    matches!(owner, ARGO_CD | "Flux" | "Helm")
}

#[cfg(test)]
mod tests {
    use super::{of, takes_files};
    use crate::object::{Kind, Object};
    use serde_json::json;

    fn owner(metadata: serde_json::Value) -> Option<String> {
        let mut metadata = metadata;
        metadata["name"] = json!("v");
        let object = Object::new(Kind::VirtualService, json!({"metadata": metadata})).unwrap();
        of(&object).map(|(owner, _)| owner.to_string())
    }

    #[test]
    fn each_owner_is_known_by_its_own_mark() {
        let table = [
            (
                json!({"annotations": {"argocd.argoproj.io/tracking-id": "app:..."}}),
                Some("Argo CD"),
            ),
            (
                json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}),
                Some("Flux"),
            ),
            (
                json!({"ownerReferences": [{"kind": "Canary", "name": "user", "controller": true}]}),
                Some("Canary"),
            ),
            (
                json!({"managedFields": [{"manager": "rollouts-controller"}]}),
                Some("Argo Rollouts"),
            ),
            (
                json!({"managedFields": [{"manager": "flagger"}]}),
                Some("Flagger"),
            ),
            (
                json!({"annotations": {"meta.helm.sh/release-name": "user"}}),
                Some("Helm"),
            ),
        ];
        let mut with_files = Vec::new();
        for (metadata, expected) in table {
            let owner = owner(metadata.clone());
            assert_eq!(owner.as_deref(), expected, "{metadata}");
            with_files.extend(owner.filter(|it| takes_files(it)));
        }
        assert_eq!(with_files, ["Argo CD", "Flux", "Helm"]);
    }

    #[test]
    fn who_decides_on_weights_owns_them_whatever_repository_the_object_is_from() {
        for (mark, expected) in [
            (
                json!({"managedFields": [{"manager": "rollouts-controller"}]}),
                "Argo Rollouts",
            ),
            (
                json!({"managedFields": [{"manager": "argocd-controller"}, {"manager": "flagger"}]}),
                "Flagger",
            ),
            (
                json!({"ownerReferences": [{"kind": "Canary", "name": "user", "controller": true}]}),
                "Canary",
            ),
        ] {
            let mut both = mark.clone();
            both["annotations"] = json!({"argocd.argoproj.io/tracking-id": "app:..."});
            both["labels"] = json!({"kustomize.toolkit.fluxcd.io/name": "apps"});
            assert_eq!(owner(both).as_deref(), Some(expected), "{mark}");
        }
    }

    #[test]
    fn marks_that_prove_nothing_are_passed_over() {
        for metadata in [
            json!({}),
            json!({"labels": {"app.kubernetes.io/instance": "user"}}),
            json!({"ownerReferences": [{"kind": "Thing", "name": "x"}]}),
            json!({"managedFields": [{"manager": "kubectl-client-side-apply"}, {"manager": "naru-weights-1"}]}),
        ] {
            assert_eq!(owner(metadata.clone()), None, "{metadata}");
        }
    }
}
