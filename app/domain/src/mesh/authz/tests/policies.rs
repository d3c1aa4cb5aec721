//! Which policies apply, and what they decide together.

use super::{asked, full, get, mesh_config, object, objects, policy, shop, short, tokens, when, yaml};
use crate::{
    Name, Why,
    mesh::{
        Mesh, Proxy,
        authz::{Action, Decision, Kind, Policy, Request, Verdict, decide, policies},
    },
    snapshot::KindState,
};
use serde_json::{Value, json};

#[test]
fn policies_of_their_kind_decide_in_their_order() {
    let all = "{rules: [{}]}";
    let deny_all = "{action: DENY, rules: [{}]}";
    for (specs, expected) in [
        (vec![], "allow"),
        (vec!["{}"], "deny"),
        (vec!["{rules: []}"], "deny"),
        (vec!["{rules: null}"], "deny"),
        (vec!["{rules: [null]}"], "deny"),
        (vec![all], "allow"),
        (vec!["{action: ALLOW, rules: [{}]}"], "allow"),
        (vec!["{action: null, rules: [{}]}"], "allow"),
        (vec!["{}", all], "allow"),
        (vec![deny_all], "deny"),
        (vec![all, deny_all], "deny"),
        (vec!["{action: DENY}"], "allow"),
        (vec!["{action: DENY, rules: [null, {}]}"], "deny"),
        (vec!["{action: AUDIT, rules: [{}]}"], "allow"),
        (vec!["{action: AUDIT}"], "allow"),
        (vec!["{action: AUDIT, rules: [{}]}", "{}"], "deny"),
        (vec!["{action: ODD}"], "unknown"),
        (vec!["{action: 3}", "{}"], "unknown"),
        (vec!["{action: ODD}", deny_all], "deny"),
        (vec!["{action: ODD}", all], "unknown"),
        (vec!["{rules: 3}"], "unknown"),
        (vec!["{rules: 3}", all], "allow"),
        (vec!["{rules: [3]}"], "unknown"),
        (vec!["{rules: [{whom: x}]}"], "unknown"),
        (vec!["{rules: [{from: [{source: {colours: [x]}}]}]}"], "unknown"),
        (vec!["{rules: [{from: [{source: {namespaces: x}}]}]}"], "unknown"),
        (vec!["{rules: [{to: [{operation: {ports: [80]}}]}]}"], "unknown"),
        (vec!["{rules: [{from: [{target: {}}]}]}"], "unknown"),
        (vec!["{rules: [{when: [{key: 3}]}]}"], "unknown"),
        (vec!["{rules: [{when: [{key: source.ip, odd: 1}]}]}"], "unknown"),
        (vec!["{action: DENY, rules: 3}"], "unknown"),
        (vec!["{action: DENY, rules: 3}", "{}"], "deny"),
    ] {
        let documents: Vec<Value> = specs
            .iter()
            .enumerate()
            .map(|(index, spec)| policy(&format!("p{index}"), spec))
            .collect();
        assert_eq!(short(&asked(&documents, &full())), expected, "{specs:?}");
    }
}

#[test]
fn a_decision_names_its_policy_and_rule() {
    let named = |decision: Decision| {
        let decider = decision
            .decider
            .map(|it| (it.key.name.to_string(), it.path.to_string()));
        (decider, decision.kind)
    };
    let at = |name: &str, path: &str| Some((name.to_owned(), path.to_owned()));
    let none = policy("none", "{rules: [{from: [{source: {namespaces: [x]}}]}]}");
    let some = policy(
        "some",
        "{rules: [null, {from: [{source: {namespaces: [x]}}]}, {}]}",
    );
    let deny = policy(
        "deny",
        "{action: DENY, rules: [{from: [{source: {namespaces: [x]}}]}, {}]}",
    );
    assert_eq!(named(asked(&[], &full())), (None, Kind::NoPolicies));
    let audit = policy("audit", "{action: AUDIT, rules: [{}]}");
    assert_eq!(named(asked(&[audit], &full())), (None, Kind::NotDenied));
    assert_eq!(
        named(asked(&[none.clone(), some.clone()], &full())),
        (at("some", "/spec/rules/2"), Kind::AllowedByRule)
    );
    assert_eq!(
        named(asked(&[none.clone(), some, deny], &full())),
        (at("deny", "/spec/rules/1"), Kind::DeniedByRule)
    );
    let empty = policy("empty", "{}");
    let (decider, kind) = named(asked(&[none, empty], &full()));
    assert_eq!(decider, at("empty", ""));
    let Kind::NoRuleMatched(names) = kind else {
        panic!("{kind:?}")
    };
    assert_eq!(
        names.iter().map(|it| &*it.name).collect::<Vec<_>>(),
        ["empty", "none"]
    );
    let unsure = asked(
        &[policy(
            "p",
            &format!("{{rules: [null, {}]}}", when("remote.ip", "values: [1.1.1.1]")),
        )],
        &get("/"),
    );
    assert_eq!(named(unsure), (at("p", "/spec/rules/1"), Kind::NotJudged));
    let odd = asked(&[policy("odd", "{rules: 3}")], &get("/"));
    assert_eq!(
        odd.verdict,
        Verdict::Unknown(vec![Why::NotJudged {
            what: "AuthorizationPolicy shop/odd".into()
        }])
    );
}

#[test]
fn a_dry_run_decides_nothing() {
    for (value, dry) in [
        ("true", true),
        ("1", true),
        ("T", true),
        ("false", false),
        ("yes", false),
        ("", false),
    ] {
        for (spec, live) in [("{}", "deny"), ("{action: DENY, rules: [{}]}", "deny")] {
            let mut it = policy("it", spec);
            it["metadata"]["annotations"] = json!({"istio.io/dry-run": value});
            let decision = asked(&[it], &full());
            assert_eq!(
                short(&decision),
                if dry { "allow" } else { live },
                "{value} {spec}"
            );
        }
    }
    let mut dry = policy("dry", "{rules: [{}]}");
    dry["metadata"]["annotations"] = json!({"istio.io/dry-run": "true"});
    assert_eq!(
        short(&asked(&[dry.clone(), policy("live", "{}")], &full())),
        "deny"
    );
    let objects = objects(&[dry]);
    let applied = policies(&Mesh::of(&objects), &shop());
    assert!(applied.allow[0].dry_run && applied.allow[0].action == Action::Allow);
}

#[test]
fn policies_apply_by_namespace_selector_and_target() {
    let gateway = |role: fn(Name, _) -> Proxy| {
        role(
            "shop".into(),
            [("gateway.networking.k8s.io/gateway-name".into(), "edge".into())].into(),
        )
    };
    let (sidecar, edge) = (shop(), gateway(Proxy::gateway));
    let target = |group: &str, kind: &str, name: &str, more: &str| {
        format!("{{targetRefs: [{{group: '{group}', kind: {kind}, name: {name}{more}}}]}}")
    };
    let api = "gateway.networking.k8s.io";
    for (namespace, spec, at_sidecar, at_edge) in [
        ("shop", "{}".to_owned(), true, true),
        ("istio-system", "{}".into(), true, true),
        ("other", "{}".into(), false, false),
        ("shop", "{selector: {}}".into(), true, true),
        (
            "shop",
            "{selector: {matchLabels: {app: cart}}}".into(),
            true,
            false,
        ),
        (
            "istio-system",
            "{selector: {matchLabels: {app: cart}}}".into(),
            true,
            false,
        ),
        (
            "shop",
            "{selector: {matchLabels: {app: other}}}".into(),
            false,
            false,
        ),
        ("shop", target(api, "Gateway", "edge", ""), false, true),
        (
            "shop",
            target(api, "Gateway", "edge", ", namespace: shop"),
            false,
            true,
        ),
        (
            "shop",
            target(api, "Gateway", "edge", ", namespace: other"),
            false,
            false,
        ),
        ("shop", target(api, "Gateway", "other", ""), false, false),
        ("shop", target(api, "Service", "edge", ""), false, false),
        ("shop", target("", "Service", "cart", ""), false, false),
        ("shop", target("", "Gateway", "edge", ""), false, false),
        ("istio-system", target(api, "Gateway", "edge", ""), false, false),
        (
            "shop",
            format!("{{targetRef: {{group: {api}, kind: Gateway, name: edge}}}}"),
            false,
            true,
        ),
        (
            "shop",
            format!("{{targetRef: {{group: {api}, kind: Gateway, name: x}}}}"),
            false,
            false,
        ),
        ("shop", "{targetRef: null, targetRefs: []}".into(), true, true),
    ] {
        let objects = objects(&[object("AuthorizationPolicy", namespace, "it", &yaml(&spec))]);
        let mesh = Mesh::of(&objects);
        let applies = |proxy: &Proxy| {
            let applied = policies(&mesh, proxy).allow.len() == 1;
            assert_eq!(short(&decide(&mesh, proxy, &full())) == "deny", applied);
            applied
        };
        assert_eq!(
            (applies(&sidecar), applies(&edge)),
            (at_sidecar, at_edge),
            "{namespace} {spec}"
        );
    }
}

#[test]
fn policies_are_told_by_action_root_first_and_oldest_first() {
    let mut young = policy("a-young", "{}");
    young["metadata"]["creationTimestamp"] = json!("2026-02-01T00:00:00Z");
    let mut old = policy("z-old", "{}");
    old["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    let mut root = object("AuthorizationPolicy", "istio-system", "root", &json!({}));
    root["metadata"]["creationTimestamp"] = json!("2026-03-01T00:00:00Z");
    let others = ["AUDIT", "DENY", "CUSTOM", "ODD"]
        .map(|action| policy(&action.to_lowercase(), &format!("{{action: {action}}}")));
    let objects = objects(&[&[young, old, root][..], &others[..]].concat());
    let mesh = Mesh::of(&objects);
    let applied = policies(&mesh, &shop());
    let names = |list: &[Policy<'_>]| {
        list.iter()
            .map(|it| it.object.key().name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&applied.allow), ["root", "z-old", "a-young"]);
    assert_eq!(
        (names(&applied.audit), names(&applied.deny)),
        (vec!["audit".into()], vec!["deny".into()])
    );
    assert_eq!(
        (names(&applied.custom), &*applied.unread[0].key().name),
        (vec!["custom".into()], "odd")
    );
    // A workload of the root namespace sees its policies once.
    let root = policies(&mesh, &Proxy::sidecar("istio-system", [].into()));
    assert_eq!(names(&root.allow), ["root"]);
}

#[test]
fn the_root_namespace_is_the_meshs() {
    let config = mesh_config("rootNamespace: mesh");
    let root = object("AuthorizationPolicy", "mesh", "it", &json!({}));
    let old = object("AuthorizationPolicy", "istio-system", "it", &json!({}));
    assert_eq!(short(&asked(&[config.clone(), root], &full())), "deny");
    assert_eq!(short(&asked(&[config, old], &full())), "allow");
}

#[test]
fn what_is_not_judged_makes_every_answer_unknown() {
    let lua = json!({"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "lua", "namespace": "shop"},
        "spec": {"configPatches": [{"match": {"context": "SIDECAR_INBOUND"}, "patch": {"operation": "INSERT_BEFORE", "value": {}}}]}});
    let deny = policy("deny", "{action: DENY, rules: [{}]}");
    let decision = asked(&[lua, deny.clone()], &full());
    assert_eq!(
        decision.verdict,
        Verdict::Unknown(vec![Why::NotJudged {
            what: "EnvoyFilter shop/lua".into()
        }])
    );
    assert_eq!((decision.kind, decision.decider), (Kind::NotJudged, None));
    let waypoint = Proxy::gateway(
        "shop",
        [(
            "gateway.istio.io/managed".into(),
            "istio.io-mesh-controller".into(),
        )]
        .into(),
    );
    let gateway = Proxy::gateway(
        "shop",
        [(
            "gateway.istio.io/managed".into(),
            "istio.io-gateway-controller".into(),
        )]
        .into(),
    );
    let objects = objects(std::slice::from_ref(&deny));
    assert_eq!(short(&decide(&Mesh::of(&objects), &waypoint, &full())), "unknown");
    assert_eq!(short(&decide(&Mesh::of(&objects), &gateway, &full())), "deny");
}

#[test]
fn not_knowing_the_policies_is_not_their_absence() {
    let lost = |kind, documents: &[Value], request: &Request| {
        let mut objects = objects(documents);
        objects.kinds.insert(kind, KindState::NotYet);
        short(&decide(&Mesh::of(&objects), &shop(), request))
    };
    let deny = [policy("deny", "{action: DENY, rules: [{}]}")];
    assert_eq!(
        lost(crate::object::Kind::AuthorizationPolicy, &[], &get("/")),
        "unknown"
    );
    assert_eq!(
        lost(crate::object::Kind::AuthorizationPolicy, &deny, &Request::tcp(1)),
        "unknown"
    );
    assert_eq!(
        lost(crate::object::Kind::RequestAuthentication, &[], &get("/")),
        "unknown"
    );
    assert_eq!(
        lost(crate::object::Kind::RequestAuthentication, &[], &Request::tcp(1)),
        "allow"
    );
    assert_eq!(lost(crate::object::Kind::ConfigMap, &[], &get("/")), "allow");
    assert_eq!(lost(crate::object::Kind::ConfigMap, &deny, &get("/")), "unknown");
    assert_eq!(
        lost(crate::object::Kind::ConfigMap, &[tokens("[]")], &get("/")),
        "unknown"
    );
}
