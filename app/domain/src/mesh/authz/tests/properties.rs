//! What holds for any policies.

use super::{CART, OPA, asked, full, get, mesh_config, object, yaml};
use crate::mesh::authz::{Decision, Request, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

fn rank(decision: &Decision) -> u8 {
    match decision.verdict {
        Verdict::Deny => 0,
        Verdict::Unknown(_) => 1,
        Verdict::Allow => 2,
    }
}

fn some_rule() -> impl Strategy<Value = Value> {
    let texts = [
        "{}",
        "{from: [{source: {namespaces: [shop]}}]}",
        "{from: [{source: {notNamespaces: [shop]}}]}",
        "{from: [{source: {notPrincipals: [x]}}, {source: {ipBlocks: [10.0.0.0/8]}}]}",
        "{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}",
        "{to: [{operation: {paths: ['/a/*']}}]}",
        "{to: [{operation: {methods: [GET], ports: ['8080']}}]}",
        "{to: [{operation: {notPaths: ['/a/{**}']}}]}",
        "{when: [{key: 'request.headers[x-team]', notValues: [blue]}]}",
        "{when: [{key: 'request.auth.claims[x]', values: [z]}]}",
        "{when: [{key: 'experimental.envoy.filters.a[b]', values: [z]}]}",
        "{when: [{key: nonsense, values: [z]}]}",
        "{when: [{key: source.ip, values: [nonsense]}]}",
    ];
    prop::sample::select(texts.to_vec()).prop_map(yaml)
}

fn some_policy() -> impl Strategy<Value = (&'static str, Vec<Value>)> {
    let action = prop::sample::select(vec!["ALLOW", "ALLOW", "DENY", "AUDIT", "CUSTOM"]);
    (action, prop::collection::vec(some_rule(), 0..3))
}

fn some_request() -> impl Strategy<Value = Request> {
    let plain = Request {
        mtls: false,
        ..full()
    };
    let nobody = Request {
        principal: "".into(),
        ..full()
    };
    let blind = Request {
        source_ip: None,
        remote_ip: None,
        ..full()
    };
    let tcp = Request::tcp(8080).from(CART);
    prop::sample::select(vec![full(), plain, nobody, blind, tcp, get("/x"), get("/a/%41")])
}

fn written(all: &[(&str, Vec<Value>)]) -> Vec<Value> {
    let one = |(index, (action, rules)): (usize, &(&str, Vec<Value>))| {
        let spec = json!({"action": action, "rules": rules, "provider": {"name": "opa"}});
        object("AuthorizationPolicy", "shop", &format!("p{index}"), &spec)
    };
    let mut documents = vec![mesh_config(OPA)];
    documents.extend(all.iter().enumerate().map(one));
    documents
}

proptest! {
    #[test]
    fn a_deny_more_never_allows_more(all in prop::collection::vec(some_policy(), 0..4), rules in prop::collection::vec(some_rule(), 0..3),
            request in some_request()) {
        let before = rank(&asked(&written(&all), &request));
        let mut more = all;
        more.push(("DENY", rules));
        prop_assert!(rank(&asked(&written(&more), &request)) <= before);
    }

    #[test]
    fn a_rule_more_in_an_allow_policy_never_refuses_more(all in prop::collection::vec(some_policy(), 0..4),
            rules in prop::collection::vec(some_rule(), 0..3), rule in some_rule(), request in some_request()) {
        let mut all = all;
        all.push(("ALLOW", rules));
        let before = rank(&asked(&written(&all), &request));
        all.last_mut().unwrap().1.push(rule);
        prop_assert!(rank(&asked(&written(&all), &request)) >= before);
    }

    #[test]
    fn the_order_of_policies_does_not_matter(all in prop::collection::vec(some_policy(), 0..5), request in some_request(), turn in 0usize..5) {
        let mut other = all.clone();
        other.reverse();
        let turn = turn % other.len().max(1);
        other.rotate_left(turn);
        let (a, b) = (asked(&written(&all), &request), asked(&written(&other), &request));
        prop_assert_eq!(a.verdict, b.verdict);
    }

    #[test]
    fn an_allow_first_is_what_makes_others_needed(rules in prop::collection::vec(some_rule(), 0..3), request in some_request()) {
        let all = written(&[("ALLOW", rules.clone()), ("ALLOW", vec![json!({})])]);
        prop_assert_eq!(rank(&asked(&all, &request)), 2);
        let none = written(&[("AUDIT", rules)]);
        prop_assert_eq!(rank(&asked(&none, &request)), 2);
    }

    #[test]
    fn no_json_and_no_path_makes_it_panic(text in ".{0,20}", pattern in "[/{}*a.]{0,8}") {
        for spec in [json!(null), json!(3), json!({"rules": [{"from": [text, null]}]}), json!({"selector": text, "targetRefs": [text]}),
            json!({"rules": [{"to": [{"operation": {"paths": [pattern], "hosts": [text], "ports": [text]}}]}]}),
            json!({"rules": [{"from": [{"source": {"principals": [text], "requestPrincipals": [pattern], "trustDomains": [pattern], "ipBlocks": [text]}}]}]}),
            json!({"rules": [{"when": [{"key": format!("request.auth.claims{text}"), "values": [pattern]}]}]})] {
            let documents = [object("AuthorizationPolicy", "shop", "it", &spec), object("RequestAuthentication", "shop", "it", &spec)];
            asked(&documents, &Request { claims: json!({"iss": text, "sub": pattern}), ..get(&format!("/{text}")).from(&text) });
            asked(&documents[..1], &Request { claims: json!({"iss": text}), ..get(&text).from(&pattern) });
        }
    }
}
