use crate::{
    Refused, Risk,
    change::{
        plan::{Intent, Plan, plan},
        weights::hand_over,
    },
    example,
    fact::Fact,
    object::{Kind, Object, guarded},
    snapshot::{KindState, Objects},
};
use naru_view::canary::{RouteRef, RuleList, SetWeights, WeightOf};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use serde_json::json;

fn wish(rule: u32, weights: &[(&str, u32)]) -> SetWeights {
    SetWeights {
        route: RouteRef {
            namespace: "user-service".into(),
            name: "user-service".into(),
            list: RuleList::Http,
            rule,
        },
        weights: weights
            .iter()
            .map(|&(subset, weight)| WeightOf {
                host: "user-service".into(),
                subset: subset.into(),
                weight,
            })
            .collect(),
    }
}

fn planned(objects: Objects, wish: SetWeights) -> Result<Plan, Refused> {
    plan(&Intent::SetWeights(wish), &example::snapshot(objects))
}

#[test]
fn exactly_the_weights_are_touched_and_each_is_guarded_by_its_old_value_and_its_destination() {
    let plan = planned(example::objects(), wish(0, &[("v1", 50), ("v2", 50)])).unwrap();
    let ops: Vec<String> = plan
        .ops
        .0
        .iter()
        .map(|op| serde_json::to_string(op).unwrap())
        .collect();
    assert_eq!(
        ops,
        [
            r#"{"op":"test","path":"/spec/http/0/route/0/destination","value":{"host":"user-service","subset":"v1"}}"#,
            r#"{"op":"test","path":"/spec/http/0/route/0/weight","value":90}"#,
            r#"{"op":"replace","path":"/spec/http/0/route/0/weight","value":50}"#,
            r#"{"op":"test","path":"/spec/http/0/route/1/destination","value":{"host":"user-service","subset":"v2"}}"#,
            r#"{"op":"test","path":"/spec/http/0/route/1/weight","value":10}"#,
            r#"{"op":"replace","path":"/spec/http/0/route/1/weight","value":50}"#,
        ]
    );
    assert_eq!((&*plan.rv, &*plan.uid), ("7", "uid-user-service"));
    let guard = serde_json::to_string(&guarded(&plan.rv, &plan.ops).0[0]).unwrap();
    assert_eq!(
        guard,
        r#"{"op":"replace","path":"/metadata/resourceVersion","value":"7"}"#
    );
}

#[test]
fn the_prediction_moves_the_observed_requests() {
    let plan = planned(example::objects(), wish(0, &[("v1", 50), ("v2", 50)])).unwrap();
    assert_eq!(plan.prediction.rate, Some(30.0));
    assert!((plan.prediction.moved.unwrap() - 12.0).abs() < 1e-9);
    let rates: Vec<(f64, f64)> = plan
        .prediction
        .destinations
        .iter()
        .map(|it| it.rate.unwrap())
        .collect();
    assert_eq!(rates, [(27.0, 15.0), (3.0, 15.0)]);
    assert!(!plan.risks.contains(&Risk::Blind));
    // One pod of v2 would carry 15 a second, where the busiest now carries 13.5: no risk yet.
    assert!(
        !plan.risks.iter().any(|risk| matches!(risk, Risk::Load { .. })),
        "{:?}",
        plan.risks
    );
}

#[test]
fn all_to_one_pod_is_a_risk_of_load() {
    let plan = planned(example::objects(), wish(0, &[("v1", 0), ("v2", 100)])).unwrap();
    let load = plan.risks.iter().find_map(|risk| match risk {
        Risk::Load { subset, pods, factor } => Some((subset.to_string(), *pods, (factor * 100.0).round())),
        _ => None,
    });
    assert_eq!(load, Some(("v2".into(), 1, 222.0)));
    assert!(plan.risks.contains(&Risk::AllToOne { subset: "v2".into() }));
}

#[test]
fn the_same_wish_on_another_resource_version_has_the_same_digest_and_on_other_weights_another() {
    let digest = |objects: Objects| {
        planned(objects, wish(0, &[("v1", 50), ("v2", 50)]))
            .unwrap()
            .digest
    };
    let mut touched = example::objects();
    let elsewhere = example::edited(&touched, |json| {
        json["metadata"]["annotations"] = json!({"note": "x"})
    });
    touched.put(Fact::Object(elsewhere));
    assert_eq!(digest(example::objects()), digest(touched));
    let mut moved = example::objects();
    let edited = example::edited(&moved, |json| {
        json["spec"]["http"][0]["route"][0]["weight"] = json!(80);
        json["spec"]["http"][0]["route"][1]["weight"] = json!(20);
    });
    moved.put(Fact::Object(edited));
    assert_ne!(digest(example::objects()), digest(moved));
}

#[test]
fn refusals_each_with_its_reason() {
    let plain = example::objects;
    let ok = || wish(0, &[("v1", 50), ("v2", 50)]);
    let without = |kind: Kind| {
        let mut objects = plain();
        objects.clear(kind);
        objects
    };
    let unknown = |kind: Kind| {
        let mut objects = plain();
        objects.kinds.insert(kind, KindState::NotYet);
        objects
    };
    let edit = |edit: fn(&mut serde_json::Value)| {
        let mut objects = plain();
        let edited = example::edited(&objects, edit);
        objects.put(Fact::Object(edited));
        objects
    };
    let table: Vec<(&str, Objects, SetWeights)> = vec![
        ("sum", plain(), wish(0, &[("v1", 50), ("v2", 49)])),
        ("sum", plain(), wish(0, &[("v1", u32::MAX), ("v2", 1)])),
        ("nothing-to-do", plain(), wish(0, &[("v1", 90), ("v2", 10)])),
        ("route-changed", plain(), wish(7, &[("v1", 50), ("v2", 50)])),
        ("route-changed", plain(), wish(0, &[("v2", 50), ("v1", 50)])),
        ("route-changed", plain(), wish(0, &[("v1", 100)])),
        ("not-found", without(Kind::VirtualService), ok()),
        ("subset-undefined", without(Kind::DestinationRule), ok()),
        ("host-unknown", without(Kind::Service), ok()),
        ("no-ready-pods", without(Kind::EndpointSlice), ok()),
        ("unknown", unknown(Kind::EndpointSlice), ok()),
        ("unknown", unknown(Kind::VirtualService), ok()),
        (
            "owned",
            edit(|json| json["metadata"]["annotations"] = json!({"argocd.argoproj.io/tracking-id": "x"})),
            ok(),
        ),
    ];
    for (expected, objects, wish) in table {
        let refused = planned(objects, wish.clone()).expect_err(expected);
        let json = serde_json::to_value(&refused).unwrap();
        assert_eq!(json["refused"], *expected, "{wish:?}");
    }
}

#[test]
fn a_destination_without_pods_may_still_be_set_to_nothing() {
    let mut objects = example::objects();
    objects.remove(&crate::object::Key::new(Kind::Pod, "user-service", "c"));
    let plan = planned(objects, wish(0, &[("v1", 100), ("v2", 0)])).unwrap();
    assert_eq!(plan.diff.len(), 2);
}

#[test]
fn a_header_rule_is_a_risk_that_is_said() {
    let plan = planned(
        example::objects_with_header_rule(),
        wish(1, &[("v1", 50), ("v2", 50)]),
    )
    .unwrap();
    assert!(plan.risks.contains(&Risk::HeaderRouted { subset: "v2".into() }));
    assert!(!plan.risks.contains(&Risk::HeaderRouted { subset: "v1".into() }));
}

#[test]
fn the_command_is_one_that_a_shell_takes() {
    let plan = planned(example::objects(), wish(0, &[("v1", 50), ("v2", 50)])).unwrap();
    let command = plan.kubectl();
    assert!(command.starts_with(
        "kubectl -n user-service patch virtualservices.networking.istio.io user-service --type=json -p '["
    ));
    assert!(command.ends_with("]'"));
}

proptest! {
    #[test]
    fn undo_after_apply_is_the_identity(v1 in 0_u32..=100) {
        let objects = example::objects();
        let before = objects.object(Kind::VirtualService, "user-service", "user-service").unwrap().clone();
        match planned(objects, wish(0, &[("v1", v1), ("v2", 100 - v1)])) {
            Ok(plan) => {
                let mut json = before.json().clone();
                json_patch::patch(&mut json, &plan.ops).unwrap();
                let after = Object::new(Kind::VirtualService, json.clone()).unwrap();
                prop_assert_eq!(after.digest(), plan.after.clone());
                json_patch::patch(&mut json, &plan.undo).unwrap();
                prop_assert_eq!(&json, before.json());
                prop_assert!(plan.before != plan.after);
            }
            Err(refused) => prop_assert_eq!((refused, v1), (Refused::NothingToDo, 90)),
        }
    }
}

#[test]
fn who_takes_files_is_handed_one_and_who_decides_on_weights_is_not() {
    let of = |metadata: serde_json::Value| {
        let mut objects = example::objects();
        let edited = example::edited(&objects, |json| {
            for (field, value) in metadata.as_object().unwrap() {
                json["metadata"][field] = value.clone();
            }
        });
        objects.put(Fact::Object(edited));
        objects
    };
    let wish = wish(0, &[("v1", 50), ("v2", 50)]);
    let argo = of(json!({"annotations": {"argocd.argoproj.io/tracking-id": "app:..."}}));
    let owned = |refused| matches!(refused, Err(Refused::Owned { .. }));
    assert!(owned(planned(argo.clone(), wish.clone())));
    let file = hand_over(&wish, &example::snapshot(argo)).unwrap();
    assert_eq!(file.ops, planned(example::objects(), wish.clone()).unwrap().ops);
    let flagger = of(json!({"managedFields": [{"manager": "flagger"}]}));
    assert!(owned(hand_over(&wish, &example::snapshot(flagger))));
}

#[test]
fn whoever_sets_what_naru_moves_by_steps_is_told_first() {
    let risks = |phase: &str, rule: u32| {
        let mut objects = example::objects();
        let to = |subset: &str| json!({"host": "user-service", "subset": subset});
        let canary = json!({
            "metadata": {"name": "steps", "namespace": "user-service"},
            "spec": {"route": {"name": "user-service", "rule": rule}, "stable": to("v1"), "canary": to("v2"),
                "steps": [{"weight": 50, "dwell": "10m", "requests": 500}],
                "approvedBy": {"issuer": "i", "subject": "s", "name": "n"}},
            "status": {"phase": phase},
        });
        objects.put(Fact::read(Kind::Canary, canary).unwrap());
        planned(objects, wish(0, &[("v1", 50), ("v2", 50)]))
            .unwrap()
            .risks
    };
    let canary = "steps".into();
    assert_eq!(risks("Dwelling", 0)[0], Risk::TakesOver { canary });
    for (phase, rule) in [("RolledBack", 0), ("Dwelling", 1)] {
        let risks = risks(phase, rule);
        assert!(
            !risks.iter().any(|it| matches!(it, Risk::TakesOver { .. })),
            "{risks:?}"
        );
    }
}
