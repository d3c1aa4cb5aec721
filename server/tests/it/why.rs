//! `naru why` on files.

use crate::support::process::{ended, naru};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

fn objects() -> String {
    let pod = |name: &str, namespace: &str, app: &str, version: &str, containers: Value| {
        json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app, "version": version, "security.istio.io/tlsMode": "istio"},
            "ownerReferences": [{"kind": "StatefulSet", "name": name, "controller": true}]},
        "spec": {"serviceAccountName": app, "containers": containers},
        "status": {"phase": "Running", "podIP": "10.1.0.7", "conditions": [{"type": "Ready", "status": "True"}]}})
    };
    let meshed = json!([{"name": "app"}, {"name": "istio-proxy"}]);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        pod("web", "default", "web", "v1", meshed.clone()),
        pod("batch", "batch", "batch", "v1", json!([{"name": "app"}])),
        pod("users", "user-service", "users", "v1", meshed),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "users", "namespace": "user-service"},
            "spec": {"clusterIP": "10.0.0.9", "selector": {"app": "users"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "users-x", "namespace": "user-service", "labels": {"kubernetes.io/service-name": "users"}},
            "ports": [{"name": "http", "port": 8080}],
            "endpoints": [{"targetRef": {"kind": "Pod", "name": "users"}, "conditions": {"ready": true}}]},
        {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "default", "namespace": "user-service"},
            "spec": {"mtls": {"mode": "STRICT"}}},
        {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "web-only", "namespace": "user-service"},
            "spec": {"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/default/sa/web"]}}]}]}},
    ]});
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("why.json");
    fs::write(&path, list.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn told(from: &str, more: &[&str]) -> (i32, String) {
    let objects = objects();
    let arguments = [
        &[
            "why",
            "-f",
            &objects,
            "--from",
            from,
            "GET",
            "http://users.user-service/a",
        ],
        more,
    ]
    .concat();
    let (code, _, output) = ended(&mut naru(&arguments));
    (code, String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_request_is_followed_from_the_caller_to_the_policy_that_lets_it_in() {
    let (code, text) = told("default/web", &["--output", "json"]);
    assert_eq!(code, 0);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["reason"], "routed");
    assert_eq!(json["principal"], "cluster.local/ns/default/sa/web");
    let end = &json["legs"][0]["ends"][0];
    assert_eq!(
        (
            &end["workload"],
            &end["ready"],
            &end["tls"],
            &end["authorization"]
        ),
        (
            &json!("user-service/users"),
            &json!(1),
            &json!("mutual"),
            &json!("allow")
        )
    );
    assert_eq!(end["because"][0]["path"], "/spec/rules/0");
}

#[test]
fn a_caller_without_a_sidecar_is_told_why_it_is_refused_in_both_languages() {
    let (code, english) = told("batch/batch", &["--lang", "en"]);
    assert_eq!(code, 0);
    for said in [
        "has no sidecar",
        "do not agree on TLS",
        "PeerAuthentication user-service/default /spec/mtls",
        "Authorization refuses",
    ] {
        assert!(english.contains(said), "{said}: {english}");
    }
    let (_, korean) = told("batch/batch", &["--lang", "ko"]);
    assert_eq!(korean.lines().count(), english.lines().count());
    assert!(korean.contains("사이드카가 없습니다"), "{korean}");
}

#[test]
fn nonsense_is_said_and_ends_with_2() {
    let objects = objects();
    for (from, method, url, header, key) in [
        ("default/nobody", "GET", "http://users/", "a: b", "no-workload"),
        ("nonsense", "GET", "http://users/", "a: b", "no-workload"),
        ("default/web", "G E T", "http://users/", "a: b", "bad-argument"),
        ("default/web", "GET", "users", "a: b", "bad-argument"),
        ("default/web", "GET", "ftp://users/", "a: b", "bad-argument"),
        ("default/web", "GET", "http://users/", "no colon", "bad-argument"),
    ] {
        let (code, keys, output) = ended(&mut naru(&[
            "why", "-f", &objects, "--from", from, "-H", header, method, url,
        ]));
        assert_eq!(
            (code, keys),
            (2, vec![key.to_owned()]),
            "{from} {method} {url} {header}"
        );
        assert!(output.stdout.is_empty());
    }
}
