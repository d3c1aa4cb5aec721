//! Whatever else a VirtualService or an HTTPRoute says, known or not: only weights are written, and taking them back leaves what was there.

use super::super::plan::{Intent, plan};
use crate::{
    canary, example,
    fact::Fact,
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use naru_view::{
    canary::{RouteRef, RuleList, SetWeights, WeightOf},
    weights::shares,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// JSON of any shape, as in fields that this version does not know.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z~/\"가 ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z~/]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// An entry of `route` for the subset of this number, weighted or not, with more in it or not.
fn destination(subset: usize) -> impl Strategy<Value = Value> {
    let weight = prop::option::weighted(0.8, 0..=100_u32);
    (weight, prop::option::of(anything()), prop::option::of(anything())).prop_map(
        move |(weight, beside, within)| {
            let mut it = json!({"destination": {"host": "user-service", "subset": format!("v{subset}")}});
            if let Some(weight) = weight {
                it["weight"] = json!(weight);
            }
            if let Some(beside) = beside {
                it["headers"] = beside;
            }
            if let Some(within) = within {
                it["destination"]["unknown"] = within;
            }
            it
        },
    )
}

/// A rule to v1, v2 and perhaps others, which get nothing, in any order.
fn rule() -> impl Strategy<Value = Value> {
    let others = prop::collection::vec((3..9_usize).prop_flat_map(destination), 0..3);
    let more =
        prop::collection::btree_map("(match|retries|timeout|mirror|fault|x[a-z]{3})", anything(), 0..4);
    (destination(1), destination(2), others, more).prop_flat_map(|(v1, v2, others, more)| {
        let mut all = vec![v1, v2];
        for mut other in others {
            other["weight"] = json!(0);
            // One subset twice is refused by Istio.
            if !all
                .iter()
                .any(|it| it["destination"]["subset"] == other["destination"]["subset"])
            {
                all.push(other);
            }
        }
        Just(all).prop_shuffle().prop_map(move |all| {
            let mut rule: Map<String, Value> = more.clone().into_iter().collect();
            rule.remove("match");
            rule.insert("route".into(), Value::from(all));
            Value::Object(rule)
        })
    })
}

/// An entry of `backendRefs` for the version of this number, weighted or not, with more in it or not.
fn backend(version: usize) -> impl Strategy<Value = Value> {
    let weight = prop::option::weighted(0.8, 0..=1_000_000_u32);
    let own = prop::option::of(Just("user-service"));
    let more = prop::collection::btree_map("(filters|x[a-z]{3})", anything(), 0..3);
    (weight, own, more, any::<bool>()).prop_map(move |(weight, own, more, kind)| {
        let mut it: Map<String, Value> = more.into_iter().collect();
        it.insert("name".into(), json!(format!("user-service-v{version}")));
        it.insert("port".into(), json!(80));
        if kind {
            it.insert("group".into(), json!(""));
            it.insert("kind".into(), json!("Service"));
        }
        it.extend(own.map(|own| ("namespace".into(), json!(own))));
        it.extend(weight.map(|weight| ("weight".into(), json!(weight))));
        Value::Object(it)
    })
}

/// A rule to v1, v2 and perhaps others, which get nothing, in any order.
fn http_route_rule() -> impl Strategy<Value = Value> {
    let others = prop::collection::btree_set(3..9_usize, 0..3);
    let more = prop::collection::btree_map(
        "(name|matches|filters|timeouts|retry|x[a-z]{3})",
        anything(),
        0..4,
    );
    (backend(1), backend(2), others, more).prop_flat_map(|(v1, v2, others, more)| {
        let others = others
            .into_iter()
            .map(|it| json!({"name": format!("user-service-v{it}"), "port": 80, "weight": 0}));
        let all: Vec<Value> = [v1, v2].into_iter().chain(others).collect();
        Just(all).prop_shuffle().prop_map(move |all| {
            let mut rule: Map<String, Value> = more.clone().into_iter().collect();
            rule.insert("backendRefs".into(), Value::from(all));
            Value::Object(rule)
        })
    })
}

/// Takes the weights out of a rule.
fn without_weights(mut json: Value, route: &RouteRef) -> Value {
    let list = route.list;
    let rule = &mut json["spec"][list.field()][route.rule as usize];
    for it in rule[list.destinations()].as_array_mut().expect("destinations") {
        it.as_object_mut().expect("an entry").remove("weight");
    }
    json
}

/// Plans v2 of 100 for the second version, the rest for the first and nothing for the others, and carries it out and back.
fn there_and_back(
    mut objects: Objects,
    object: &Object,
    list: RuleList,
    at: usize,
    v2: u32,
) -> Result<(), TestCaseError> {
    objects.put(Fact::Object(object.clone()));
    let route = RouteRef {
        namespace: "user-service".into(),
        name: "user-service".into(),
        list,
        rule: u32::try_from(at).unwrap(),
    };
    let rule = canary::rule(object, &route).expect("a weighted rule");
    let weights = rule.destinations.iter().map(|it| WeightOf {
        host: it.host.clone(),
        subset: it.subset.clone(),
        weight: match &*it.label() {
            "v1" | "user-service-v1" => 100 - v2,
            "v2" | "user-service-v2" => v2,
            _ => 0,
        },
    });
    let wish = SetWeights {
        weights: weights.collect(),
        route,
    };
    let wished: Vec<f64> = wish.weights.iter().map(|it| f64::from(it.weight)).collect();
    let Ok(plan) = plan(&Intent::SetWeights(wish.clone()), &example::snapshot(objects)) else {
        // They are what is wished already.
        prop_assert_eq!(shares(&rule.weights()), wished);
        return Ok(());
    };
    let mut after = object.json().clone();
    json_patch::patch(&mut after, &plan.ops).unwrap();
    let before = without_weights(object.json().clone(), &wish.route);
    prop_assert_eq!(without_weights(after.clone(), &wish.route), before);
    let set = Object::new(object.key().kind, after.clone()).unwrap();
    let now = canary::rule(&set, &wish.route).expect("the rule");
    prop_assert_eq!(shares(&now.weights()), wished);
    json_patch::patch(&mut after, &plan.undo).unwrap();
    prop_assert_eq!(&after, object.json());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn only_weights_differ_and_the_way_back_leaves_what_was_there(
        http in prop::collection::vec(rule(), 1..4),
        beside in prop::collection::btree_map("x[a-z]{3}", anything(), 0..3),
        at in any::<prop::sample::Index>(),
        v2 in 0..=100_u32,
        list in prop::sample::select(vec![RuleList::Http, RuleList::Tls, RuleList::Tcp]),
    ) {
        let objects = example::objects();
        let at = at.index(http.len());
        let object = example::edited(&objects, |json| {
            json["spec"].as_object_mut().unwrap().remove("http");
            json["spec"][list.field()] = Value::from(http.clone());
            for (name, value) in &beside {
                json["spec"][name] = value.clone();
                json["metadata"]["annotations"][name] = json!(value.to_string());
            }
        });
        there_and_back(objects, &object, list, at, v2)?;
    }

    #[test]
    fn of_an_http_route_as_well(
        rules in prop::collection::vec(http_route_rule(), 1..4),
        beside in prop::collection::btree_map("x[a-z]{3}", anything(), 0..3),
        at in any::<prop::sample::Index>(),
        v2 in 0..=100_u32,
    ) {
        let objects = example::objects_with_http_route();
        let at = at.index(rules.len());
        let key = Key::new(Kind::HttpRoute, "user-service", "user-service");
        let mut json = objects.whole[&key].json().clone();
        json["spec"]["rules"] = Value::from(rules);
        for (name, value) in &beside {
            json["spec"][name] = value.clone();
            json["metadata"]["annotations"][name] = json!(value.to_string());
        }
        let object = Object::new(Kind::HttpRoute, json).unwrap();
        there_and_back(objects, &object, RuleList::HttpRoute, at, v2)?;
    }
}
