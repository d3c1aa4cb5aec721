//! Mending what a check found, by the edits that the check offers.

use super::{
    owner,
    plan::{Edit, Intent, Plan, assemble},
};
use crate::{
    Refused,
    judge::fix,
    object::{Key, Kind, Object},
    snapshot::Snapshot,
};
use json_patch::jsonptr::PointerBuf;
use naru_view::{canary::Prediction, change::Mend, why::Leaves};

/// The kinds that are mended.
pub const KINDS: [Kind; 2] = [Kind::VirtualService, Kind::DestinationRule];

/// The object that is to be mended.
///
/// # Errors
/// Objects of its kind are not mended.
pub fn target(wish: &Mend) -> Result<Key, Refused> {
    let at = &wish.field;
    let kind = KINDS.into_iter().find(|it| it.name() == &*at.kind);
    kind.map(|kind| Key::new(kind, at.namespace.clone(), at.name.clone()))
        .ok_or_else(|| not_found(wish))
}

/// Plans the edits that mend a finding, on the object as it is now. Refused: an object that somebody else writes, a field that is no longer as it
/// was found, and whatever cannot be known.
pub(super) fn plan(wish: &Mend, snapshot: &Snapshot) -> Result<Plan, Refused> {
    let objects = &*snapshot.objects.value;
    let key = target(wish)?;
    if let Some(why) = [key.kind, Kind::Service]
        .into_iter()
        .find_map(|kind| objects.gap(kind))
    {
        return Err(Refused::Unknown { whys: vec![why] });
    }
    let object = objects.whole.get(&key).ok_or_else(|| not_found(wish))?;
    if let Some((owner, by)) = owner::of(object) {
        let leaves = Leaves::Nothing;
        return Err(Refused::Owned { owner, by, leaves });
    }
    let edits = fix::fix(objects, &wish.code, &key, &wish.field.path).ok_or(Refused::NothingToDo)?;
    let edits: Option<Vec<Edit>> = edits.into_iter().map(|it| edit(object, it)).collect();
    let edits = edits.ok_or(Refused::NothingToDo)?;
    let prediction = Prediction {
        window_s: 0,
        rate: None,
        moved: None,
        destinations: Vec::new(),
        whys: Vec::new(),
    };
    assemble(Intent::Mend(wish.clone()), object, &edits, prediction, Vec::new())
}

/// With what is there now.
fn edit(object: &Object, it: fix::Edit) -> Option<Edit> {
    let path = PointerBuf::parse(&*it.path).ok()?;
    let before = object.get(&it.path).cloned();
    Some(Edit {
        label: "".into(),
        neighbours: Vec::new(),
        before,
        after: it.after,
        path,
    })
}

fn not_found(wish: &Mend) -> Refused {
    let at = &wish.field;
    Refused::NotFound {
        kind: at.kind.clone(),
        namespace: at.namespace.clone(),
        name: at.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, plan};
    use crate::{
        Refused,
        change::plan::{Intent, plan as any},
        example, manifests,
        object::Kind,
        snapshot::Objects,
    };
    use naru_view::{change::Mend, checklist::Field};
    use serde_json::{Value, json};

    const PATH: &str = "/spec/trafficPolicy/loadBalancer/simple";

    fn rule(simple: &str, annotations: &Value) -> Objects {
        let rule = json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
            "metadata": {"name": "r", "namespace": "shop", "uid": "u", "resourceVersion": "7", "annotations": annotations},
            "spec": {"host": "a", "trafficPolicy": {"loadBalancer": {"simple": simple}}}});
        manifests::objects([rule]).unwrap()
    }

    fn wish(code: &str, kind: Kind, path: &str) -> Mend {
        Mend {
            code: code.into(),
            field: Field {
                kind: kind.name().into(),
                namespace: "shop".into(),
                name: "r".into(),
                path: path.into(),
            },
        }
    }

    #[test]
    fn a_finding_is_mended_by_the_edit_that_its_check_offers_and_taken_back_by_its_inverse() {
        let snapshot = example::snapshot(rule("LEAST_CONN", &json!({})));
        let wish = wish("balancing-deprecated", Kind::DestinationRule, PATH);
        let plan = any(&Intent::Mend(wish), &snapshot).unwrap();
        let [line] = &plan.diff[..] else {
            panic!("one line")
        };
        let (before, after) = (line.before.as_deref(), line.after.as_deref());
        assert_eq!(
            (&*line.path, before, after),
            (PATH, Some("\"LEAST_CONN\""), Some("\"LEAST_REQUEST\""))
        );
        let mut object = snapshot.objects.value.whole[&plan.target].json().clone();
        let was = object.clone();
        json_patch::patch(&mut object, &plan.ops).unwrap();
        assert_eq!(object.pointer(PATH), Some(&json!("LEAST_REQUEST")));
        json_patch::patch(&mut object, &plan.undo).unwrap();
        assert_eq!(object, was);
    }

    #[test]
    fn what_is_no_longer_so_what_another_writes_and_what_is_no_fix_is_refused() {
        let refused = |objects: Objects, wish: &Mend| plan(wish, &example::snapshot(objects)).unwrap_err();
        let right = wish("balancing-deprecated", Kind::DestinationRule, PATH);
        let bad = || rule("LEAST_CONN", &json!({}));
        assert_eq!(refused(rule("RANDOM", &json!({})), &right), Refused::NothingToDo);
        let argo = rule("LEAST_CONN", &json!({"argocd.argoproj.io/tracking-id": "a"}));
        assert!(matches!(refused(argo, &right), Refused::Owned { .. }));
        let nowhere = wish("balancing-deprecated", Kind::DestinationRule, "/spec/nothing");
        assert_eq!(refused(bad(), &nowhere), Refused::NothingToDo);
        let none = wish("pool-small", Kind::DestinationRule, PATH);
        assert_eq!(refused(bad(), &none), Refused::NothingToDo);
        for kind in [Kind::Service, Kind::Change] {
            assert!(!KINDS.contains(&kind));
            let other = wish("balancing-deprecated", kind, PATH);
            assert!(matches!(refused(bad(), &other), Refused::NotFound { .. }));
        }
    }
}
