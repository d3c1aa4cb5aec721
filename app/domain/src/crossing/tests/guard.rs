//! The shipped policies are recognised; what is missing, unbound or changed is told.

use crate::{
    crossing::{
        evidence::POLICIES,
        guard::{Down, Guards, SHIPPED, meaning},
    },
    manifests,
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use serde_json::{Value, json};

/// As an API server keeps them: with its defaults.
fn shipped() -> Objects {
    let all: Vec<Value> =
        serde_saphyr::from_multiple(include_str!("../../../../../k8s/base/ledger.yaml")).unwrap();
    let mut objects = manifests::objects(all).unwrap();
    for name in POLICIES {
        edit(
            &mut objects,
            Kind::ValidatingAdmissionPolicy,
            name,
            "/spec/matchConstraints",
            |it| {
                it["matchPolicy"] = json!("Equivalent");
                it["namespaceSelector"] = json!({});
                it["objectSelector"] = json!({});
            },
        );
    }
    objects
}

fn edit(objects: &mut Objects, kind: Kind, name: &str, pointer: &str, edit: impl FnOnce(&mut Value)) {
    let key = Key::new(kind, "", name);
    let mut json = objects.whole[&key].json().clone();
    edit(json.pointer_mut(pointer).unwrap());
    objects.whole.insert(key, Object::new(kind, json).unwrap());
}

fn down(objects: &Objects) -> Vec<(&'static str, Down)> {
    Guards::of(objects).down
}

#[test]
fn what_is_shipped_stands() {
    let policy = |name| {
        shipped()
            .object(Kind::ValidatingAdmissionPolicy, "", name)
            .unwrap()
            .clone()
    };
    // Who changes the policies changes these.
    let meanings = POLICIES.map(|name| meaning(&policy(name)).0.to_string());
    assert_eq!(meanings, SHIPPED);
    let guards = Guards::of(&shipped());
    assert!(guards.stand(), "{guards:?}");
    assert!(!Guards::of(&Objects::default()).stand(), "nothing is known yet");
    let none = Guards::of(&Objects::all_known());
    assert_eq!(none.down, POLICIES.map(|name| (name, Down::Missing)));
}

#[test]
fn a_policy_that_is_gone_unbound_or_weakened_is_told() {
    let (policy, binding) = (
        Kind::ValidatingAdmissionPolicy,
        Kind::ValidatingAdmissionPolicyBinding,
    );
    let mut objects = shipped();
    objects.whole.remove(&Key::new(policy, "", POLICIES[0]));
    objects.whole.remove(&Key::new(binding, "", POLICIES[1]));
    edit(&mut objects, binding, POLICIES[2], "/spec", |it| {
        it["validationActions"] = json!(["Audit"]);
    });
    assert_eq!(
        down(&objects),
        [
            (POLICIES[0], Down::Missing),
            (POLICIES[1], Down::Unbound),
            (POLICIES[2], Down::Unbound)
        ]
    );
    type Edit = (Kind, &'static str, fn(&mut Value));
    let weakened: [Edit; 7] = [
        (policy, "/spec", |it| it["failurePolicy"] = json!("Ignore")),
        (policy, "/spec/validations", |it| {
            drop(it.as_array_mut().unwrap().pop());
        }),
        (policy, "/spec/validations/0", |it| {
            it["expression"] = json!("true")
        }),
        (policy, "/spec", |it| {
            it["matchConditions"] = json!([{"name": "n", "expression": "false"}]);
        }),
        (policy, "/spec/matchConstraints", |it| {
            it["excludeResourceRules"] = json!([{"resources": ["signoffs"]}]);
        }),
        (policy, "/spec/matchConstraints/resourceRules/0", |it| {
            it["operations"] = json!(["DELETE"]);
        }),
        (binding, "/spec", |it| {
            it["matchResources"] = json!({"objectSelector": {"matchLabels": {"a": "b"}}});
        }),
    ];
    for (kind, pointer, change) in weakened {
        let mut objects = shipped();
        edit(&mut objects, kind, POLICIES[1], pointer, change);
        assert_eq!(down(&objects), [(POLICIES[1], Down::Altered)], "{pointer}");
    }
}
