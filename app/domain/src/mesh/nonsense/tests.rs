use super::{Asked, NAMES, TEXTS, ask_everything, sound};
use crate::{manifests, object::Kind};
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value, json};

fn json() -> impl Strategy<Value = Value> {
    let text = || prop_oneof![4 => prop::sample::select(TEXTS).prop_map(String::from), 1 => ".{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(0_i64), Just(80), Just(-1), Just(65_536), any::<i64>()].prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 6, move |inner| {
        let field = (prop::sample::select(NAMES).prop_map(String::from), inner.clone());
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            vec(field, 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A system that holds, and nonsense beside it: of any kind, in the places that questions look at.
fn world() -> impl Strategy<Value = Vec<Value>> {
    let kinds = prop::sample::select(&Kind::ALL[..]);
    let place = (
        prop::sample::select(&["web", "edge", "istio", "odd"][..]),
        prop::sample::select(&["shop", "istio-system"][..]),
    );
    let object = (kinds, place, json(), json()).prop_map(|(kind, (name, namespace), spec, rest)| {
        let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.name(),
            "metadata": {"name": name, "namespace": namespace}});
        if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
            for (name, value) in rest
                .into_iter()
                .filter(|(name, _)| name != "metadata" && name != "kind")
            {
                object.insert(name, value);
            }
            object.insert("spec".into(), spec);
        }
        object
    });
    vec(object, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_json_is_too_odd(nonsense in world()) {
        // Beside sound objects, and in their place.
        for all in [sound().into_iter().chain(nonsense.clone()).collect(), nonsense] {
            let all: Vec<Value> = all;
            if let Ok(objects) = manifests::objects(all) {
                ask_everything(&objects, &Asked::default());
            }
        }
    }
}
