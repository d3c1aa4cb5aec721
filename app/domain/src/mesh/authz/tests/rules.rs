//! What a rule takes.

use super::{NOT, TAKEN, UNSURE, by_rule, full, get, mesh_config, operation, source, when};
use crate::mesh::authz::Request;
use serde_json::Value;

#[test]
fn sources_take_by_identity_and_address() {
    for (fields, expected) in [
        ("principals: [cluster.local/ns/shop/sa/cart]", TAKEN),
        ("principals: [cluster.local/ns/shop/sa/other]", NOT),
        ("principals: [x, '*/sa/cart']", TAKEN),
        ("principals: ['*']", TAKEN),
        ("notPrincipals: ['*']", NOT),
        ("notPrincipals: [x]", TAKEN),
        (
            "principals: ['cluster.local/*'], notPrincipals: ['*/sa/cart']",
            NOT,
        ),
        ("namespaces: [shop]", TAKEN),
        ("namespaces: [other]", NOT),
        ("notNamespaces: [shop]", NOT),
        ("notNamespaces: [other]", TAKEN),
        ("serviceAccounts: [cart]", TAKEN),
        ("serviceAccounts: [shop/cart]", TAKEN),
        ("serviceAccounts: [other/cart]", NOT),
        ("notServiceAccounts: [cart]", NOT),
        ("trustDomains: [cluster.local]", TAKEN),
        ("trustDomains: [other]", NOT),
        ("notTrustDomains: [cluster.local]", NOT),
        ("ipBlocks: [10.0.0.0/24]", TAKEN),
        ("ipBlocks: [203.0.113.0/24]", NOT),
        ("notIpBlocks: [10.0.0.7]", NOT),
        ("remoteIpBlocks: [203.0.113.9]", TAKEN),
        ("remoteIpBlocks: [10.0.0.7]", NOT),
        ("notRemoteIpBlocks: [10.0.0.7]", TAKEN),
        ("namespaces: [shop], ipBlocks: [10.9.9.9]", NOT),
        ("requestPrincipals: ['*']", NOT),
        ("notRequestPrincipals: ['*']", TAKEN),
        ("", TAKEN),
    ] {
        assert_eq!(by_rule(&source(fields), &full(), &[]), expected, "{fields}");
    }
}

#[test]
fn a_plaintext_peer_has_no_identity_so_only_the_negations_take_it() {
    let request = Request {
        mtls: false,
        namespace: "shop".into(),
        ..full()
    };
    for field in [
        "Principals: [x]",
        "Namespaces: [x]",
        "ServiceAccounts: [x]",
        "TrustDomains: [x]",
    ] {
        assert_eq!(
            by_rule(&source(&format!("not{field}")), &request, &[]),
            TAKEN,
            "{field}"
        );
    }
    for field in [
        "principals: ['*']",
        "namespaces: ['*']",
        "serviceAccounts: [shop/cart]",
        "trustDomains: ['*']",
    ] {
        assert_eq!(by_rule(&source(field), &request, &[]), NOT, "{field}");
    }
}

#[test]
fn a_peer_of_whom_only_part_is_known_is_judged_by_that_part() {
    let nobody = Request {
        principal: "".into(),
        ..full()
    };
    let some = Request {
        namespace: "shop".into(),
        ..nobody.clone()
    };
    assert_eq!(by_rule(&source("namespaces: [shop]"), &some, &[]), TAKEN);
    assert_eq!(by_rule(&source("namespaces: [other]"), &some, &[]), NOT);
    assert_eq!(by_rule(&source("principals: [x]"), &some, &[]), UNSURE);
    assert_eq!(by_rule(&source("namespaces: [shop]"), &nobody, &[]), UNSURE);
    assert_eq!(by_rule(&source("notNamespaces: [shop]"), &nobody, &[]), UNSURE);
    let principal_wins = Request {
        namespace: "other".into(),
        ..full()
    };
    assert_eq!(
        by_rule(&source("namespaces: [shop]"), &principal_wins, &[]),
        TAKEN
    );
}

#[test]
fn operations_take_by_host_port_method_and_path() {
    for (fields, expected) in [
        ("hosts: [cart.shop]", TAKEN),
        ("hosts: [CART.SHOP]", TAKEN),
        ("hosts: ['*.shop']", TAKEN),
        ("hosts: ['cart.*']", TAKEN),
        ("hosts: ['*']", TAKEN),
        ("hosts: [other]", NOT),
        ("notHosts: [cart.shop]", NOT),
        ("ports: ['8080']", TAKEN),
        ("ports: ['80']", NOT),
        ("ports: ['80', '8080']", TAKEN),
        ("notPorts: ['8080']", NOT),
        ("notPorts: ['80']", TAKEN),
        ("methods: [POST]", TAKEN),
        ("methods: [post]", NOT),
        ("methods: ['*']", TAKEN),
        ("notMethods: [GET]", TAKEN),
        ("notMethods: [POST]", NOT),
        ("paths: [/a/b]", TAKEN),
        ("paths: [/a]", NOT),
        ("paths: ['/a/*']", TAKEN),
        ("paths: ['*/b']", TAKEN),
        ("paths: ['*/d']", NOT),
        ("paths: ['/a/{*}']", TAKEN),
        ("paths: ['/{*}']", NOT),
        ("paths: ['/{**}']", TAKEN),
        ("paths: ['{*}']", UNSURE),
        ("notPaths: [/a/b]", NOT),
        ("notPaths: ['/x/{*}']", TAKEN),
        ("paths: ['/a/*'], methods: [GET]", NOT),
        ("paths: ['/a/*'], notPaths: [/a/b]", NOT),
    ] {
        assert_eq!(by_rule(&operation(fields), &full(), &[]), expected, "{fields}");
    }
    let nameless = Request {
        host: "".into(),
        method: "".into(),
        ..full()
    };
    for fields in ["hosts: ['*']", "methods: ['*']"] {
        assert_eq!(by_rule(&operation(fields), &nameless, &[]), NOT, "{fields}");
    }
}

#[test]
fn conditions_take_by_key() {
    for (key, values, expected) in [
        ("request.headers[X-Team]", "values: [blue]", TAKEN),
        ("request.headers[x-team]", "values: ['b*']", TAKEN),
        ("request.headers[x-team]", "values: [BLUE]", NOT),
        ("request.headers[x-team]", "notValues: [blue]", NOT),
        (
            "request.headers[x-team]",
            "values: ['*'], notValues: [red]",
            TAKEN,
        ),
        ("request.headers[x-empty]", "values: ['*']", TAKEN),
        ("request.headers[x-none]", "values: ['*']", NOT),
        ("request.headers[x-none]", "notValues: ['*']", TAKEN),
        ("request.headers[:method]", "values: [POST]", TAKEN),
        ("request.headers[:path]", "values: ['*=/d']", TAKEN),
        ("request.headers[:path]", "values: [/a/b]", NOT),
        ("request.headers[:authority]", "values: [cart.shop]", TAKEN),
        ("request.headers[Host]", "values: [CART.shop]", NOT),
        ("request.headers[host]", "values: ['*']", TAKEN),
        ("request.headers[x-request-id]", "values: [a]", UNSURE),
        (
            "request.headers[x-forwarded-client-cert]",
            "values: ['*']",
            UNSURE,
        ),
        ("request.headers[]", "values: ['*']", UNSURE),
        ("source.ip", "values: [10.0.0.7]", TAKEN),
        ("remote.ip", "values: [10.0.0.7]", NOT),
        ("source.namespace", "values: [shop]", TAKEN),
        (
            "source.principal",
            "values: [cluster.local/ns/shop/sa/cart]",
            TAKEN,
        ),
        ("source.serviceAccount", "values: [other/cart]", NOT),
        ("source.trustDomain", "values: ['cluster*']", TAKEN),
        ("destination.ip", "values: [10.0.0.1]", TAKEN),
        ("destination.ip", "notValues: [10.0.0.0/8]", NOT),
        ("destination.port", "values: ['8080']", TAKEN),
        ("destination.port", "notValues: ['8080']", NOT),
        ("connection.sni", "values: ['*.example']", TAKEN),
        ("connection.sni", "values: [other]", NOT),
        ("request.auth.claims[a]", "values: ['*']", NOT),
        ("request.auth.principal", "values: ['*']", NOT),
        ("experimental.envoy.filters.a.b[c]", "values: [d]", UNSURE),
        // Without values it asks nothing.
        ("source.ip", "values: []", TAKEN),
        // A key that Istio does not know leaves the whole rule out.
        ("source.name", "values: [x]", NOT),
        ("destination.labels[a]", "values: [x]", NOT),
        // What cannot be asked makes ALLOW smaller and DENY larger.
        ("request.headers", "values: [x]", ("deny", "refused")),
        ("request.auth.claims", "values: [x]", NOT),
        ("source.ip", "values: [nonsense]", ("deny", "refused")),
        ("source.ip", "values: [nonsense, 10.9.9.9]", ("deny", "passed")),
        ("source.ip", "notValues: [nonsense]", ("deny", "refused")),
        ("destination.port", "values: [http]", ("deny", "refused")),
        ("experimental.envoy.filters.a", "values: [d]", ("deny", "refused")),
    ] {
        assert_eq!(
            by_rule(&when(key, values), &full(), &[]),
            expected,
            "{key} {values}"
        );
    }
}

#[test]
fn what_the_request_does_not_say_is_unknown_where_it_is_asked() {
    let request = Request {
        source_ip: None,
        remote_ip: None,
        destination_ip: None,
        destination_port: 0,
        ..full()
    };
    for (key, value) in [
        ("source.ip", "10.0.0.1"),
        ("remote.ip", "10.0.0.1"),
        ("destination.ip", "10.0.0.1"),
        ("destination.port", "80"),
    ] {
        for values in ["values", "notValues"] {
            assert_eq!(
                by_rule(&when(key, &format!("{values}: ['{value}']")), &request, &[]),
                UNSURE,
                "{key}"
            );
        }
    }
    assert_eq!(
        by_rule(
            &source("ipBlocks: [10.0.0.1], namespaces: [other]"),
            &request,
            &[]
        ),
        NOT
    );
    assert_eq!(
        by_rule(
            "{from: [{source: {ipBlocks: [10.0.0.1]}}, {source: {namespaces: [shop]}}]}",
            &request,
            &[]
        ),
        TAKEN
    );
}

#[test]
fn one_source_and_one_operation_and_all_conditions_have_to_fit() {
    let both = "from: [{source: {namespaces: [x]}}, {source: {namespaces: [shop]}}], to: [{operation: {ports: ['1']}}, {operation: {methods: [POST]}}]";
    assert_eq!(by_rule(&format!("{{{both}}}"), &full(), &[]), TAKEN);
    for (rule, expected) in [
        (
            format!("{{{both}, when: [{{key: source.ip, values: [10.0.0.7]}}]}}"),
            TAKEN,
        ),
        (
            format!("{{{both}, when: [{{key: source.ip, values: [10.0.0.8]}}]}}"),
            NOT,
        ),
        (
            format!("{{{both}, when: [{{key: destination.port, values: ['1']}}]}}"),
            NOT,
        ),
        (
            "{when: [{key: source.ip, values: [10.0.0.7]}, {key: destination.port, values: ['1']}]}".into(),
            NOT,
        ),
        (
            "{from: [{source: {namespaces: [x]}}], to: [{operation: {methods: [POST]}}]}".into(),
            NOT,
        ),
        (
            "{from: [{source: {namespaces: [shop]}}], to: [{operation: {methods: [GET]}}]}".into(),
            NOT,
        ),
        ("{from: [], to: []}".into(), TAKEN),
        ("{from: [{}], to: [{}]}".into(), TAKEN),
        ("{from: [{source: null}], to: null}".into(), TAKEN),
        ("{}".into(), TAKEN),
    ] {
        assert_eq!(by_rule(&rule, &full(), &[]), expected, "{rule}");
    }
}

#[test]
fn trust_domains_and_their_aliases_are_one() {
    let config = [mesh_config(
        "trustDomain: bank.example\ntrustDomainAliases: [old.example]",
    )];
    for (fields, principal, expected) in [
        (
            "principals: [cluster.local/ns/a/sa/b]",
            "bank.example/ns/a/sa/b",
            TAKEN,
        ),
        (
            "principals: [cluster.local/ns/a/sa/b]",
            "old.example/ns/a/sa/b",
            TAKEN,
        ),
        (
            "principals: [cluster.local/ns/a/sa/b]",
            "cluster.local/ns/a/sa/b",
            NOT,
        ),
        (
            "principals: [old.example/ns/a/sa/b]",
            "bank.example/ns/a/sa/b",
            TAKEN,
        ),
        ("principals: [other/ns/a/sa/b]", "bank.example/ns/a/sa/b", NOT),
        (
            "notPrincipals: [old.example/ns/a/sa/b]",
            "bank.example/ns/a/sa/b",
            NOT,
        ),
        ("trustDomains: [old.example]", "bank.example/ns/a/sa/b", TAKEN),
        ("trustDomains: [cluster.local]", "bank.example/ns/a/sa/b", NOT),
        ("notTrustDomains: [bank.example]", "old.example/ns/a/sa/b", NOT),
    ] {
        assert_eq!(
            by_rule(&source(fields), &get("/").from(principal), &config),
            expected,
            "{fields} {principal}"
        );
    }
    let rule = when("source.principal", "values: [old.example/ns/a/sa/b]");
    assert_eq!(
        by_rule(&rule, &get("/").from("bank.example/ns/a/sa/b"), &config),
        TAKEN
    );
}

#[test]
fn paths_are_judged_as_the_proxy_normalizes_them() {
    let merge = mesh_config("pathNormalization: {normalization: MERGE_SLASHES}");
    let odd = mesh_config("pathNormalization: {normalization: ODD}");
    let open = mesh_config("defaultConfig: {connectionSettings: {profile: EDGE}}");
    for (path, config, expected) in [
        ("/x/../admin", None, TAKEN),
        ("/x\\..\\admin", None, TAKEN),
        ("/admin#x", None, NOT),
        ("/%61dmin", None, UNSURE),
        ("//admin", None, NOT),
        ("//admin", Some(merge), TAKEN),
        ("/admin", Some(odd), UNSURE),
        ("//admin", Some(open.clone()), UNSURE),
        ("/admin", Some(open), TAKEN),
    ] {
        let config: Vec<Value> = config.into_iter().collect();
        assert_eq!(
            by_rule(&operation("paths: [/admin]"), &get(path), &config),
            expected,
            "{path}"
        );
    }
}
