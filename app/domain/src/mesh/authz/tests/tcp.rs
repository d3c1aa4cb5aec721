//! Ports that carry bytes, and what Istio leaves out.

use super::{CART, NOT, TAKEN, asked, by_rule, objects, operation, policy, shop, short, source, when};
use crate::mesh::{
    Mesh,
    authz::{Dropped, Problem, Protocol, Request, dropped},
};

#[test]
fn on_tcp_allow_loses_the_rule_and_deny_only_the_field() {
    let tcp = Request {
        ..Request::tcp(5432).from(CART)
    };
    for (rule, expected) in [
        (source("namespaces: [shop]"), TAKEN),
        (source("namespaces: [other]"), NOT),
        (operation("ports: ['5432']"), TAKEN),
        (operation("paths: [/admin]"), ("deny", "refused")),
        (operation("notPaths: [/admin]"), ("deny", "refused")),
        (operation("hosts: [x]"), ("deny", "refused")),
        (operation("methods: [GET]"), ("deny", "refused")),
        (operation("methods: [GET], ports: ['80']"), ("deny", "passed")),
        (operation("methods: [GET], ports: ['5432']"), ("deny", "refused")),
        (source("requestPrincipals: ['*']"), ("deny", "refused")),
        (
            source("requestPrincipals: ['*'], namespaces: [other]"),
            ("deny", "passed"),
        ),
        (when("request.headers[x]", "values: [z]"), ("deny", "refused")),
        (
            when("request.auth.claims[x]", "notValues: [z]"),
            ("deny", "refused"),
        ),
        // One alternative that cannot be asked takes the whole rule with it.
        (
            "{to: [{operation: {ports: ['5432']}}, {operation: {methods: [GET]}}]}".into(),
            ("deny", "refused"),
        ),
    ] {
        assert_eq!(by_rule(&rule, &tcp, &[]), expected, "{rule}");
    }
    let two = policy(
        "two",
        "{rules: [{to: [{operation: {methods: [GET]}}]}, {to: [{operation: {ports: ['5432']}}]}]}",
    );
    assert_eq!(short(&asked(&[two], &tcp)), "allow");
}

#[test]
fn what_istio_leaves_out_is_told() {
    let documents = [
        policy(
            "a",
            "{rules: [{}, {to: [{operation: {paths: [/x], notPaths: [/y], ports: ['80']}}]}]}",
        ),
        policy(
            "d",
            "{action: DENY, rules: [{to: [{operation: {hosts: [x]}}], when: [{key: source.ip, values: [bad]}]}]}",
        ),
        policy(
            "k",
            "{action: DENY, rules: [{when: [{key: source.name, values: [x]}]}]}",
        ),
        policy(
            "u",
            "{action: AUDIT, rules: [{to: [{operation: {methods: [x]}}]}]}",
        ),
        policy(
            "c",
            "{action: CUSTOM, provider: {name: x}, rules: [{to: [{operation: {methods: [x]}}]}]}",
        ),
    ];
    let objects = objects(&documents);
    type Told = (String, bool, Vec<(String, Problem)>);
    let told = |protocol| -> Vec<Told> {
        let short = |it: Dropped| {
            let fields = it
                .fields
                .iter()
                .map(|(name, problem)| (name.to_string(), *problem))
                .collect();
            (
                format!("{}{}", it.decider.key.name, it.decider.path),
                it.whole,
                fields,
            )
        };
        dropped(&Mesh::of(&objects), &shop(), protocol)
            .into_iter()
            .map(short)
            .collect()
    };
    let bad_ip = ("source.ip".to_owned(), Problem::Malformed);
    let unknown = (
        "k/spec/rules/0".to_owned(),
        true,
        vec![("source.name".to_owned(), Problem::UnknownKey)],
    );
    assert_eq!(
        told(Protocol::Http),
        [
            ("d/spec/rules/0".into(), false, vec![bad_ip.clone()]),
            unknown.clone()
        ]
    );
    let http = |name: &str| (name.to_owned(), Problem::HttpOnly);
    assert_eq!(
        told(Protocol::Tcp),
        [
            ("c/spec/rules/0".into(), false, vec![http("methods")]),
            ("d/spec/rules/0".into(), false, vec![http("hosts"), bad_ip]),
            unknown,
            ("a/spec/rules/1".into(), true, vec![http("paths")]),
            ("u/spec/rules/0".into(), false, vec![http("methods")]),
        ]
    );
}
