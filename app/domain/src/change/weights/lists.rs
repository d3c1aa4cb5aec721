//! Weights of other lists than `spec.http`.

use crate::{
    Refused, Risk,
    change::plan::{Intent, Plan, plan},
    example,
    fact::Fact,
    object::Kind,
    snapshot::Objects,
};
use naru_view::canary::{RouteRef, RuleList, SetWeights, WeightOf};
use serde_json::json;

fn wish(list: RuleList, weights: &[(&str, &str, u32)]) -> SetWeights {
    SetWeights {
        route: RouteRef {
            namespace: "user-service".into(),
            name: "user-service".into(),
            list,
            rule: 0,
        },
        weights: weights
            .iter()
            .map(|&(host, subset, weight)| WeightOf {
                host: host.into(),
                subset: subset.into(),
                weight,
            })
            .collect(),
    }
}

fn backends(v1: u32, v2: u32) -> SetWeights {
    wish(
        RuleList::HttpRoute,
        &[("user-service-v1", "", v1), ("user-service-v2", "", v2)],
    )
}

fn planned(objects: &Objects, wish: SetWeights) -> Result<Plan, Refused> {
    plan(&Intent::SetWeights(wish), &example::snapshot(objects.clone()))
}

fn operations(plan: &Plan) -> Vec<String> {
    let text = |op| serde_json::to_string(op).unwrap();
    plan.ops.0.iter().map(text).collect()
}

#[test]
fn exactly_the_weights_are_touched_and_each_is_guarded_by_its_old_value_and_its_backend() {
    let plan = planned(&example::objects_with_http_route(), backends(75, 25)).unwrap();
    assert_eq!(plan.target.kind, Kind::HttpRoute);
    let paths: Vec<_> = plan.diff.iter().map(|it| (&*it.path, &*it.label)).collect();
    assert_eq!(
        paths,
        [
            ("/spec/rules/0/backendRefs/0/weight", "user-service-v1"),
            ("/spec/rules/0/backendRefs/1/weight", "user-service-v2"),
        ]
    );
    let second = |name: &str| {
        [
            r#"{"op":"test","path":"/spec/rules/0/backendRefs/N/group","value":""}"#.to_owned(),
            r#"{"op":"test","path":"/spec/rules/0/backendRefs/N/kind","value":"Service"}"#.into(),
            format!(r#"{{"op":"test","path":"/spec/rules/0/backendRefs/N/name","value":"{name}"}}"#),
            r#"{"op":"test","path":"/spec/rules/0/backendRefs/N/port","value":80}"#.into(),
        ]
    };
    let mut wanted: Vec<String> = second("user-service-v1").map(|it| it.replace('N', "0")).into();
    wanted.push(r#"{"op":"test","path":"/spec/rules/0/backendRefs/0/weight","value":9}"#.into());
    wanted.push(r#"{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":75}"#.into());
    wanted.extend(second("user-service-v2").map(|it| it.replace('N', "1")));
    wanted.push(r#"{"op":"test","path":"/spec/rules/0/backendRefs/1/weight","value":1}"#.into());
    wanted.push(r#"{"op":"replace","path":"/spec/rules/0/backendRefs/1/weight","value":25}"#.into());
    assert_eq!(operations(&plan), wanted);
    let points: Vec<_> = plan.prediction.destinations.iter().map(|it| it.weight).collect();
    assert_eq!(points, [(90, 75), (10, 25)]);
    assert!(plan.kubectl().starts_with(
        "kubectl -n user-service patch httproutes.gateway.networking.k8s.io user-service --type=json"
    ));
}

#[test]
fn nine_of_ten_is_ninety_of_a_hundred_and_nothing_is_left_to_do() {
    let objects = example::objects_with_http_route();
    assert_eq!(planned(&objects, backends(90, 10)), Err(Refused::NothingToDo));
    // Without any weight there are no shares that could be the wished ones.
    let none = example::with_http_route_edited(|json| {
        for backend in json["spec"]["rules"][0]["backendRefs"].as_array_mut().unwrap() {
            backend["weight"] = json!(0);
        }
    });
    assert_eq!(planned(&none, backends(100, 0)).unwrap().diff.len(), 1);
}

#[test]
fn a_weight_that_nobody_wrote_is_one_and_its_way_back_writes_none() {
    let objects = example::with_http_route_edited(|json| {
        json["spec"]["rules"][0]["backendRefs"] =
            json!([{"name": "user-service-v1", "port": 80}, {"name": "user-service-v2", "port": 80}]);
    });
    let plan = planned(&objects, backends(99, 1)).unwrap();
    let paths: Vec<&str> = plan.diff.iter().map(|it| &*it.path).collect();
    assert_eq!(paths, ["/spec/rules/0/backendRefs/0/weight"]);
    let object = &objects.whole[&plan.target];
    let mut json = object.json().clone();
    json_patch::patch(&mut json, &plan.ops).unwrap();
    json_patch::patch(&mut json, &plan.undo).unwrap();
    assert_eq!(json, *object.json());
}

#[test]
fn a_backend_that_cannot_answer_gets_nothing() {
    let mut objects = example::with_http_route_edited(|json| {
        json["spec"]["parentRefs"] = json!([{"name": "public"}]);
        let pay = json!({"name": "pay", "namespace": "bank", "port": 80, "weight": 0});
        json["spec"]["rules"][0]["backendRefs"][1] = pay;
    });
    let pay = json!({"metadata": {"name": "pay", "namespace": "bank"}, "spec": {"selector": {"app": "pay"}}});
    objects.put(Fact::read(Kind::Service, pay).unwrap());
    let to = |pay: u32| {
        let host = "pay.bank.svc.cluster.local";
        wish(
            RuleList::HttpRoute,
            &[("user-service-v1", "", 100 - pay), (host, "", pay)],
        )
    };
    assert!(matches!(
        planned(&objects, to(10)),
        Err(Refused::NotGranted { .. })
    ));
    // All of it goes where all of it is.
    assert_eq!(planned(&objects, to(0)), Err(Refused::NothingToDo));
    let moved = planned(&objects, backends(50, 50));
    assert!(
        matches!(&moved, Err(Refused::RouteChanged { detail }) if &**detail == "spec.rules[0].backendRefs"),
        "{moved:?}"
    );
    let other = example::with_http_route_edited(|json| {
        let pool = json!({"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "llm"});
        json["spec"]["rules"][0]["backendRefs"][1] = pool;
    });
    let to_pool = wish(
        RuleList::HttpRoute,
        &[("user-service-v1", "", 50), ("InferencePool/llm", "", 50)],
    );
    assert!(matches!(planned(&other, to_pool), Err(Refused::Unknown { .. })));
}

#[test]
fn connections_of_a_virtual_service_are_split_at_their_own_path_and_predicted_blindly() {
    for list in [RuleList::Tls, RuleList::Tcp] {
        let mut objects = example::objects();
        let object = example::edited(&objects, |json| {
            let spec = json["spec"].as_object_mut().unwrap();
            let rules = spec.remove("http").unwrap();
            spec.insert(list.field().into(), rules);
        });
        objects.put(Fact::Object(object));
        let wish = wish(list, &[("user-service", "v1", 50), ("user-service", "v2", 50)]);
        let plan = planned(&objects, wish).unwrap();
        let paths: Vec<&str> = plan.diff.iter().map(|it| &*it.path).collect();
        let path = |i: u32| format!("/spec/{}/0/route/{i}/weight", list.field());
        assert_eq!(paths, [path(0), path(1)]);
        assert!(plan.risks.contains(&Risk::Blind) && plan.risks.contains(&Risk::OpenStreamsStay));
        // A connection stays where it began.
        assert!(!plan.risks.contains(&Risk::SessionsFlip));
    }
}
