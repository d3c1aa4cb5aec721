//! `naru evidence`, against a stand-in for an API server that takes, or does not take, what is handed in.

use crate::support::process::{ended, kubeconfig, naru};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::Output,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

const PASSED: &str = "<testsuites><testsuite name='shop' tests='3' failures='0'><testcase name='a'/><testcase name='b'/>\
                      <testcase name='c'><skipped/></testcase></testsuite></testsuites>";

/// What it was sent, each with the query.
type Sent = Arc<Mutex<Vec<(String, Value)>>>;

/// Knows who asks, and answers every report with this.
async fn api_server(status: StatusCode, answer: Value) -> (String, Sent) {
    let sent = Sent::default();
    let reports = move |State(sent): State<Sent>, uri: Uri, Json(body): Json<Value>| async move {
        let query = uri.query().unwrap_or("").to_owned();
        sent.lock().unwrap().push((query, body.clone()));
        (status, Json(if status.is_success() { body } else { answer }))
    };
    let list = || async {
        Json(json!({"kind": "ReportList", "metadata": {"resourceVersion": "9"}, "items": [stored()]}))
    };
    let who = json!({"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "system:serviceaccount:ci:pipeline"}}});
    let router = Router::new()
        .route(
            "/version",
            get(|| async { Json(json!({"gitVersion": "v1.35.4"})) }),
        )
        .route(
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            post(|| async { (StatusCode::CREATED, Json(who)) }),
        )
        .route("/apis/naru.dev/v1alpha1/reports", get(list).post(reports))
        .with_state(sent.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url, sent)
}

fn stored() -> Value {
    json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Report",
        "metadata": {"name": "2.4-0123456789ab", "uid": "u", "resourceVersion": "7", "creationTimestamp": "2026-11-29T12:00:00Z"},
        "spec": {"item": "2.4", "by": {"user": "ci"}, "commit": "0123abc", "target": "staging", "at": "2026-11-29T12:00:00Z",
            "content": {"junit": {"tests": 9, "failures": 1, "errors": 0, "skips": 2, "unshown": 0, "failed": ["x"], "skipped": ["y", "z"],
                "digest": "0".repeat(64), "bytes": 1}}}})
}

fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs it on a thread of its own, while the stand-in answers on this one.
async fn run(arguments: Vec<String>) -> (i32, Vec<String>, Output) {
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ended(&mut naru(&arguments))
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn add(name: &str, url: &str, report: &str, more: &[&str]) -> (i32, Vec<String>, Output) {
    let (kubeconfig, report) = (kubeconfig(name, url), file(&format!("{name}.xml"), report));
    let kubeconfig = kubeconfig.to_str().unwrap();
    let given = [
        "evidence",
        "add",
        "--item",
        "2.4",
        "--commit",
        "0123ABC",
        "--target",
        "staging",
        "--junit",
        &report,
        "--kubeconfig",
        kubeconfig,
    ];
    run(given.iter().chain(more).map(ToString::to_string).collect()).await
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_report_is_handed_in_as_who_runs_the_command() {
    let (url, sent) = api_server(StatusCode::CREATED, Value::Null).await;
    let more = [
        "--run",
        "build-7",
        "--started",
        "2026-11-29T12:00:00Z",
        "--ended",
        "2026-11-29T12:05:00Z",
    ];
    let (code, keys, output) = add("hand-in", &url, PASSED, &more).await;
    assert_eq!((code, keys), (0, vec![]), "{output:?}");
    let (query, body) = sent.lock().unwrap()[0].clone();
    assert!(
        !query.contains("dryRun") && query.contains("fieldManager=naru-evidence"),
        "{query}"
    );
    let spec = &body["spec"];
    assert_eq!(spec["by"], json!({"user": "system:serviceaccount:ci:pipeline"}));
    assert_eq!(
        (&spec["commit"], &spec["target"], &spec["run"]),
        (&json!("0123abc"), &json!("staging"), &json!("build-7"))
    );
    let junit = &spec["content"]["junit"];
    assert_eq!(
        (&junit["tests"], &junit["skipped"]),
        (&json!(3), &json!(["shop.c"]))
    );
    let told = text(&output.stdout);
    for part in [
        body["metadata"]["name"].as_str(),
        junit["digest"].as_str(),
        Some("3 tests: 0 failed"),
    ] {
        assert!(told.contains(part.unwrap()), "{told}");
    }

    let (code, _, output) = add("dry-run", &url, PASSED, &["--dry-run", "--output", "json"]).await;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((code, &told["dryRun"]), (0, &json!(true)));
    let (query, body) = sent.lock().unwrap()[1].clone();
    assert!(query.contains("dryRun=All"), "{query}");
    assert_eq!(
        (&told["name"], &told["spec"]),
        (&body["metadata"]["name"], &body["spec"])
    );
}

#[tokio::test]
async fn what_is_not_taken_is_told_by_key_and_code() {
    let status = |code: u16, reason: &str| json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": "in its own words"});
    for (code, reason, key, ends) in [
        (403, "Forbidden", "may-not-hand-in", 4),
        (422, "Invalid", "not-taken", 3),
        (404, "NotFound", "source", 3),
        (409, "AlreadyExists", "not-taken", 3),
        (504, "Timeout", "taken-perhaps", 3),
    ] {
        let (url, _) = api_server(StatusCode::from_u16(code).unwrap(), status(code, reason)).await;
        let (ended, keys, output) = add(&format!("not-taken-{code}"), &url, PASSED, &[]).await;
        assert_eq!(
            (ended, keys.first().map(String::as_str)),
            (ends, Some(key)),
            "{output:?}"
        );
        assert!(output.stdout.is_empty());
        assert_eq!(
            code == 403,
            text(&output.stderr)
                .contains("--clusterrole naru-report --user system:serviceaccount:ci:pipeline")
        );
    }
}

#[tokio::test]
async fn what_cannot_be_handed_in_is_told_before_anybody_is_asked() {
    let (url, sent) = api_server(StatusCode::CREATED, Value::Null).await;
    for (name, report) in [
        ("nonsense", "{{{"),
        ("html", "<html/>"),
        ("cut", "<testsuite><testcase"),
        ("empty", ""),
    ] {
        let (code, keys, output) = add(name, &url, report, &[]).await;
        assert_eq!((code, keys), (2, vec!["junit".to_owned()]), "{output:?}");
    }
    for more in [
        ["--item", "2.3"],
        ["--commit", "HEAD"],
        ["--commit", ""],
        ["--target", " "],
        ["--run", ""],
        ["--junit", "/no/such/file"],
        ["--started", "yesterday"],
    ] {
        let junit = file("good.xml", PASSED);
        let kubeconfig = kubeconfig("wrong", &url);
        let mut given = vec!["evidence", "add", "--kubeconfig", kubeconfig.to_str().unwrap()];
        for pair in [
            ["--item", "2.4"],
            ["--commit", "0123abc"],
            ["--target", "staging"],
            ["--junit", &junit],
        ] {
            if pair[0] != more[0] {
                given.extend(pair);
            }
        }
        given.extend(more);
        let (code, _, output) = run(given.iter().map(ToString::to_string).collect()).await;
        assert_eq!(code, 2, "{more:?} {output:?}");
    }
    assert!(sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_handed_in_is_listed() {
    let (url, _) = api_server(StatusCode::CREATED, Value::Null).await;
    let kubeconfig = kubeconfig("list", &url);
    let list = |output: &str| {
        [
            "evidence",
            "list",
            "--kubeconfig",
            kubeconfig.to_str().unwrap(),
            "--output",
            output,
        ]
        .map(String::from)
        .to_vec()
    };
    let (code, keys, output) = run(list("text")).await;
    assert_eq!((code, keys), (0, vec![]), "{output:?}");
    let told = text(&output.stdout);
    assert!(
        told.starts_with("2026-11-29T12:00:00Z 2.4-0123456789ab ci\n") && told.contains("9 tests: 1 failed"),
        "{told}"
    );
    let (_, _, output) = run(list("json")).await;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["reports"][0]["spec"], stored()["spec"]);
}
