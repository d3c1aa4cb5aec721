//! `naru what-if`: answers from files, and files that are no good.

use crate::support::process::{ended, naru};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

const OBJECTS: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: user-service, namespace: user-service}
spec: {clusterIP: 10.0.0.7, selector: {app: user-service}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: user-service, namespace: user-service}
spec: {host: user-service, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: user-service, namespace: user-service}
spec:
  hosts: [user-service]
  http:
  - match: [{headers: {canary: {exact: "true"}}}]
    route: [{destination: {host: user-service, subset: v2}}]
  - match: [{uri: {prefix: /gone}}]
    route: [{destination: {host: user-service, subset: v3}}]
  - match: [{uri: {prefix: /users}}]
    route:
    - {destination: {host: user-service, subset: v1}, weight: 90}
    - {destination: {host: user-service, subset: v2}, weight: 10}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: gateway-only, namespace: user-service}
spec:
  rules:
  - from: [{source: {principals: [cluster.local/ns/default/sa/gateway]}}]
    to: [{operation: {methods: [GET]}}]
---
apiVersion: v1
kind: Secret
metadata: {name: passed-over}
"#;

fn file(name: &str, content: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("what-if");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn answers(about: &str, requests: &Value) -> Vec<Value> {
    let objects = file(&format!("{about}.yaml"), OBJECTS);
    let requests = file(&format!("{about}.json"), &requests.to_string());
    let arguments = [
        "what-if",
        about,
        "-f",
        &objects,
        "--requests",
        &requests,
        "--output",
        "json",
    ];
    let (code, keys, output) = ended(&mut naru(&arguments));
    assert_eq!(
        (code, keys),
        (0, vec![]),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn routes_are_answered_in_order_with_what_decided() {
    let caller = json!({"namespace": "default", "labels": {"app": "web"}});
    let ask = |id: u32, path: &str, more: Value| {
        let mut it = json!({"id": id, "caller": caller, "host": "user-service.user-service", "port": 80, "path": path});
        it.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        it
    };
    let host = "user-service.user-service.svc.cluster.local";
    let answers = answers(
        "route",
        &json!([
            ask(1, "/users/7", json!({})),
            ask(2, "/users/7", json!({"headers": {"Canary": "true"}})),
            ask(3, "/gone", json!({})),
            ask(4, "/else", json!({})),
            ask(5, "/", json!({"host": "elsewhere.example"})),
        ]),
    );
    let reasons: Vec<&str> = answers.iter().map(|it| it["reason"].as_str().unwrap()).collect();
    assert_eq!(
        reasons,
        [
            "weighted",
            "routed",
            &format!("503 subset missing: v3 of {host}"),
            "404 no route",
            "passthrough"
        ]
    );
    let to =
        |subset: &str, weight: u32| json!({"host": host, "subset": subset, "port": 80, "weight": weight});
    assert_eq!(answers[0]["weights"], json!([to("v1", 90), to("v2", 10)]));
    assert_eq!(answers[0]["destination"], Value::Null);
    assert_eq!(
        answers[1]["destination"],
        json!({"host": host, "subset": "v2", "port": 80})
    );
    assert_eq!(answers[1]["weights"], json!([]));
    assert_eq!(
        answers[1]["because"][0],
        json!({"kind": "VirtualService", "namespace": "user-service",
        "name": "user-service", "path": "/spec/http/0"})
    );
    let ids: Vec<u64> = answers.iter().map(|it| it["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5]);
}

#[test]
fn authorization_is_answered_with_the_rule() {
    let ask = |principal: &str, method: &str| {
        json!({"id": method, "destination": {"namespace": "user-service", "labels": {"app": "user-service"}},
            "mtls": !principal.is_empty(), "principal": principal, "method": method, "path": "/users", "host": "user-service",
            "destinationPort": 80})
    };
    let gateway = "cluster.local/ns/default/sa/gateway";
    let answers = answers(
        "authz",
        &json!({"requests": [ask(gateway, "GET"), ask(gateway, "POST"), ask("", "GET")]}),
    );
    let decisions: Vec<&str> = answers
        .iter()
        .map(|it| it["decision"].as_str().unwrap())
        .collect();
    assert_eq!(decisions, ["allow", "deny", "deny"]);
    assert_eq!(answers[0]["rule"], "user-service/gateway-only#0");
    assert_eq!(answers[0]["reason"], "allowed by rule");
    assert_eq!(answers[1]["reason"], "no rule matched: user-service/gateway-only");
}

#[test]
fn files_that_are_no_good_end_with_2_and_print_nothing() {
    let objects = file("good.yaml", OBJECTS);
    let requests = file("good.json", "[]");
    for (name, bad_objects, bad_requests) in [
        ("no-yaml", Some("a: [b"), None),
        ("no-object", Some("- 1\n- 2\n"), None),
        ("no-name", Some("apiVersion: v1\nkind: Service\n"), None),
        ("no-json", None, Some("{")),
        ("no-list", None, Some("{\"a\": 1}")),
        ("no-requests", None, Some("[1, 2]")),
        ("bad-port", None, Some("[{\"port\": 70000}]")),
        ("bad-address", None, Some("[{\"address\": \"nonsense\"}]")),
    ] {
        let objects = bad_objects.map_or(objects.clone(), |text| file(&format!("{name}.yaml"), text));
        let requests = bad_requests.map_or(requests.clone(), |text| file(&format!("{name}.json"), text));
        let (code, keys, output) = ended(&mut naru(&[
            "what-if",
            "route",
            "-f",
            &objects,
            "--requests",
            &requests,
        ]));
        assert_eq!((code, keys), (2, vec!["file".to_owned()]), "{name}");
        assert!(output.stdout.is_empty(), "{name}");
    }
    for arguments in [
        &["what-if"][..],
        &["what-if", "nonsense", "-f", &objects, "--requests", &requests],
        &["what-if", "route", "--requests", &requests],
        &["what-if", "route", "-f", "/no/such", "--requests", &requests],
    ] {
        assert_eq!(ended(&mut naru(arguments)).0, 2, "{arguments:?}");
    }
}
