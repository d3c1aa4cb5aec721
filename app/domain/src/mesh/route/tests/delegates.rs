//! Rules of delegates in the place of their roots'.

use super::{Objects, Request, ask, istio, rules, to, told, world};
use serde_json::{Value, json};

fn delegated(root: Value, delegate: Value) -> Objects {
    let mut rule = json!({"delegate": {"name": "leaf", "namespace": "bank"}});
    rule.as_object_mut()
        .unwrap()
        .extend(root.as_object().unwrap().clone());
    world([
        rules(
            "root",
            json!({"hosts": ["web"], "http": [rule, {"match": [{"uri": {"exact": "/own"}}], "route": to("web")}]}),
        ),
        istio("VirtualService", "bank", "leaf", delegate),
    ])
}

#[test]
fn a_delegates_rules_stand_in_the_roots_place() {
    let leaf = json!({"http": [{"match": [{"uri": {"prefix": "/a/b"}}], "route": to("pay")}, {"match": [{"uri": {"prefix": "/c"}}], "route": to("pay")}]});
    let objects = delegated(
        json!({"match": [{"uri": {"prefix": "/a"}, "method": {"exact": "GET"}}], "timeout": "3s"}),
        leaf.clone(),
    );
    let at = |objects: &Objects, path: &str| {
        ask(
            objects,
            &Request {
                path: path.into(),
                ..Request::get("web", 80)
            },
        )
    };
    let choice = at(&objects, "/a/b");
    assert_eq!(
        (told(&choice).as_str(), choice.effects.timeout_ms),
        ("pay.bank:80 100", Some(3000))
    );
    assert_eq!(
        choice.rule.map(|(key, index)| (key.name.to_string(), index)),
        Some(("leaf".into(), 0))
    );
    assert_eq!(choice.deciders.len(), 2);
    assert_eq!(told(&at(&objects, "/a")), "NoRoute");
    assert_eq!(told(&at(&objects, "/c")), "NoRoute");
    assert_eq!(told(&at(&objects, "/own")), "web.shop:80 100");
    let open = delegated(json!({}), leaf.clone());
    assert_eq!(told(&at(&open, "/c")), "pay.bank:80 100");
    for hidden in [json!(["."]), json!(["~"]), json!(["other"])] {
        let mut leaf = leaf.clone();
        leaf["exportTo"] = hidden.clone();
        assert_eq!(
            told(&at(&delegated(json!({}), leaf), "/c")),
            "NoRoute",
            "{hidden}"
        );
    }
    let mut hosted = leaf;
    hosted["hosts"] = json!(["x.example"]);
    assert_eq!(told(&at(&delegated(json!({}), hosted), "/c")), "NoRoute");
}

#[test]
fn a_delegates_match_must_lie_within_the_roots() {
    for (root, leaf, within) in [
        (
            json!({"uri": {"prefix": "/a"}}),
            json!({"uri": {"exact": "/a/x"}}),
            true,
        ),
        (
            json!({"uri": {"exact": "/a"}}),
            json!({"uri": {"exact": "/a"}}),
            true,
        ),
        (
            json!({"uri": {"exact": "/a"}}),
            json!({"uri": {"prefix": "/a"}}),
            false,
        ),
        (
            json!({"uri": {"regex": "/.*"}}),
            json!({"uri": {"exact": "/a"}}),
            false,
        ),
        (
            json!({"uri": {"regex": "/.*"}}),
            json!({"method": {"exact": "GET"}}),
            true,
        ),
        (
            json!({"headers": {"h": {"exact": "1"}}}),
            json!({"headers": {"h": {"exact": "2"}}}),
            false,
        ),
        (
            json!({"headers": {"h": {"exact": "1"}}}),
            json!({"headers": {"i": {"exact": "2"}}}),
            true,
        ),
        (
            json!({"ignoreUriCase": true}),
            json!({"uri": {"exact": "/"}}),
            false,
        ),
        (json!({"port": 80}), json!({"port": 81}), false),
        (json!({"port": 80}), json!({"uri": {"exact": "/"}}), true),
        (
            json!({"sourceNamespace": "shop"}),
            json!({"uri": {"exact": "/"}}),
            false,
        ),
        (
            json!({"sourceLabels": {"a": "1"}}),
            json!({"sourceLabels": {"a": "2"}}),
            false,
        ),
        (
            json!({"gateways": ["mesh"]}),
            json!({"gateways": ["mesh", "x/y"]}),
            false,
        ),
        (
            json!({"gateways": ["mesh", "x/y"]}),
            json!({"gateways": ["mesh"]}),
            true,
        ),
    ] {
        let merged =
            crate::mesh::route::delegate::merge(&json!({"match": [root]}), &[json!({"match": [leaf]})]);
        assert_eq!(merged.len(), usize::from(within), "{root} {leaf}");
    }
}
