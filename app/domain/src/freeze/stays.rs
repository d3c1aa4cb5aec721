//! What stays as it is while nothing may be moved.

use crate::{
    Name,
    canary::{
        live::{live, target},
        spec::{Answer, Course, Spec, Target},
        status::{Phase, Status},
        steps::Live,
    },
    judge::guardrail::Said,
    object::{Kind, Object},
    snapshot::Objects,
};
use naru_view::freeze::{Share, Stay};

/// Every canary that is not over, by namespace and name. One that cannot be read is among them: nobody knows whether it is over.
pub fn stays(objects: &Objects) -> Vec<Stay> {
    objects
        .of_kind(Kind::Canary)
        .filter_map(|object| stay(objects, object))
        .collect()
}

fn stay(objects: &Objects, object: &Object) -> Option<Stay> {
    let key = object.key();
    let empty = Stay {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        phase: object.text("/status/phase").into(),
        versions: Vec::new(),
        by_hand: None,
        unreadable: None,
    };
    let (spec, status) = match Spec::read(object).and_then(|spec| Ok((spec, Status::read(object)?))) {
        Ok(read) => read,
        Err(odd) => {
            return Some(Stay {
                unreadable: Some(odd.detail),
                ..empty
            });
        }
    };
    if status.over() {
        return None;
    }
    let route = objects.whole.get(&target(&spec, &key.namespace));
    let weights = match route.map(|it| live(&spec, it, objects)) {
        Some(Live::Known { weights, .. }) => Some(weights),
        Some(Live::Unknown) | None => None,
    };
    let versions = weights.map_or(Vec::new(), |weights| {
        let share = |target: &Target, weight| Share {
            version: called(target),
            weight,
        };
        vec![
            share(&spec.stable, weights.stable),
            share(&spec.canary, weights.canary),
        ]
    });
    let due = going_back(&spec, &status) && weights.is_none_or(|it| it.canary > 0);
    Some(Stay {
        phase: phase(status.phase),
        versions,
        by_hand: due.then(|| by_hand(&key.namespace, &spec)),
        ..empty
    })
}

/// It was on its way back, or would be if anything moved: as the controller has said, or is about to say when it looks next.
fn going_back(spec: &Spec, status: &Status) -> bool {
    let says = |it: &Option<Said>, code: &str| it.as_ref().is_some_and(|it| &*it.code == code);
    let condemned = says(&status.verdict, "roll-back")
        && spec.on_failure == Answer::RollBack
        && status.phase != Phase::Promoted;
    let aborted = status.written.is_some() && spec.course == Course::Abort;
    status.phase == Phase::RollingBack || says(&status.alarm, "roll-back-frozen") || condemned || aborted
}

/// As `naru weight` names a destination.
fn called(target: &Target) -> Name {
    if target.subset.is_empty() {
        target.host.clone()
    } else {
        target.subset.clone()
    }
}

/// The command that gives all requests to the version that served before, whatever their roles are by now: as a rollback does.
fn by_hand(namespace: &str, spec: &Spec) -> Name {
    let (stable, canary) = (called(&spec.stable), called(&spec.canary));
    let route = &spec.route;
    format!(
        "naru weight {namespace}/{} --route {} {stable}=100 {canary}=0 --reason TEXT",
        route.name, route.rule
    )
    .into()
}

fn phase(phase: Phase) -> Name {
    let word = serde_json::to_value(phase).unwrap_or_default();
    word.as_str().unwrap_or("").into()
}

#[cfg(test)]
mod tests {
    use super::stays;
    use crate::{fact::Fact, object::Kind, snapshot::Objects};
    use naru_view::freeze::Stay;
    use serde_json::{Value, json};

    fn objects(course: &str, status: &Value, live: [u32; 2]) -> Objects {
        let to = |subset: &str, weight: u32| json!({"destination": {"host": "shop", "subset": subset}, "weight": weight});
        let route = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "shop", "namespace": "n"},
            "spec": {"http": [{"route": [to("v1", live[0]), to("v2", live[1])]}]}});
        let canary = json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Canary", "metadata": {"name": "shop-v2", "namespace": "n"},
            "spec": {"route": {"name": "shop", "rule": 0}, "stable": {"host": "shop", "subset": "v1"},
                "canary": {"host": "shop", "subset": "v2"}, "steps": [{"weight": 5, "dwell": "10m", "requests": 1}],
                "course": course, "approvedBy": {"issuer": "i", "subject": "s", "name": ""}},
            "status": status});
        let mut objects = Objects::all_known();
        for (kind, json) in [(Kind::VirtualService, route), (Kind::Canary, canary)] {
            objects.put(Fact::read(kind, json).unwrap());
        }
        objects
    }

    fn written(phase: &str) -> Value {
        let weights = |canary: u32| json!({"stable": 100 - canary, "canary": canary});
        json!({"phase": phase, "written": {"change": "c", "before": weights(0), "after": weights(5), "goal": "Step"}})
    }

    fn one(course: &str, status: &Value, live: [u32; 2]) -> Option<Stay> {
        stays(&objects(course, status, live)).pop()
    }

    #[test]
    fn what_is_under_way_stays_with_the_weights_that_it_has() {
        let stay = one("run", &written("Dwelling"), [95, 5]).unwrap();
        let shares: Vec<_> = stay.versions.iter().map(|it| (&*it.version, it.weight)).collect();
        assert_eq!((&*stay.phase, shares), ("Dwelling", vec![("v1", 95), ("v2", 5)]));
        assert_eq!((stay.by_hand, stay.unreadable), (None, None));
        for over in ["RolledBack", "Finished", "Stopped"] {
            assert_eq!(one("run", &written(over), [100, 0]), None, "{over}");
        }
        let waiting = one("run", &json!({}), [100, 0]).unwrap();
        assert_eq!((&*waiting.phase, waiting.by_hand), ("Waiting", None));
    }

    #[test]
    fn a_rollback_that_stands_still_is_somebodys_to_do() {
        let hand = "naru weight n/shop --route 0 v1=100 v2=0 --reason TEXT";
        let mut said = written("Held");
        said["alarm"] = json!({"code": "roll-back-frozen"});
        let mut condemned = written("Dwelling");
        condemned["verdict"] = json!({"code": "roll-back"});
        for (course, status) in [
            ("run", written("RollingBack")),
            ("abort", written("Dwelling")),
            ("run", said),
            ("run", condemned),
        ] {
            let stay = one(course, &status, [60, 40]).unwrap();
            assert_eq!(stay.by_hand.as_deref(), Some(hand), "{course}");
        }
        // What has no request any more, or never had one from us, needs nobody.
        assert_eq!(
            one("run", &written("RollingBack"), [100, 0]).unwrap().by_hand,
            None
        );
        assert_eq!(one("abort", &json!({}), [90, 10]).unwrap().by_hand, None);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_why() {
        let stay = one("hurry", &written("Dwelling"), [95, 5]).unwrap();
        assert!(stay.unreadable.unwrap().contains("hurry"));
        assert_eq!((&*stay.phase, stay.versions.len()), ("Dwelling", 0));
    }
}
