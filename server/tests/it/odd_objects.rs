//! Objects as nobody expects them: names and annotations in Korean, fields from another version, wrong types, five megabytes. What can be read is
//! shown, what cannot is named, and nothing falls over.

use crate::support::{
    api_server, assets,
    odd_server::{self, Odd},
    process::{Running, ended, kubeconfig, naru},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// No real API server keeps more than 1.5 MB; one that aggregates others may send it all the same.
const FIVE_MEGABYTES: usize = 5 << 20;

fn pod(name: &str, more: &Value) -> Value {
    let mut pod = json!({"metadata": {"name": name, "namespace": "결제", "labels": {"app": name},
            "annotations": {"설명": "결제 서비스 — \u{202e}거꾸로\u{0}"}, "뭔가": {"새로운": [1, null, {}]}},
        "spec": {"containers": [{"name": "app"}], "fromTheFuture": {"a": [[[]]]}},
        "status": {"phase": "Running", "podIP": "10.0.0.7", "conditions": [{"type": "Ready", "status": "True"}]}});
    if let (Some(pod), Some(more)) = (pod.as_object_mut(), more.as_object()) {
        pod.extend(more.clone());
    }
    pod
}

fn objects() -> Vec<(&'static str, Value)> {
    let large = json!({"metadata": {"name": "큰것", "namespace": "결제", "annotations": {"x": "가".repeat(FIVE_MEGABYTES / 3)}}});
    vec![
        ("/api/v1/pods", pod("주문-서비스", &json!({}))),
        (
            "/api/v1/pods",
            pod("wrong", &json!({"spec": [], "status": "yes", "extra": 7})),
        ),
        ("/api/v1/pods", pod("large", &large)),
        ("/api/v1/pods", json!({"metadata": {"name": 7}})),
        ("/api/v1/pods", json!(["no object"])),
        (
            "/api/v1/services",
            json!({"metadata": {"name": "주문", "namespace": "결제"},
            "spec": {"selector": {"app": "주문-서비스"}, "ports": [{"port": "eighty"}, {"port": 80}, 3]}}),
        ),
        (
            "/apis/networking.istio.io/v1/virtualservices",
            json!({"metadata": {"name": "경로", "namespace": "결제"},
            "spec": {"hosts": ["주문", 3, null], "http": [{"route": "x"}, {"route": [
                {"destination": {"host": "주문", "subset": "하나"}, "weight": 90}, {"destination": {"host": "주문"}, "weight": "ten"}]}]}}),
        ),
    ]
}

#[test]
fn a_graph_prints_what_it_can_read_and_names_what_it_left_out() {
    let path = kubeconfig("odd-objects", &api_server::start(objects()));
    let (code, keys, output) = ended(&mut naru(&["graph", "--kubeconfig", path.to_str().unwrap()]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(code, 4, "{said}");
    assert_eq!(keys[0], "partial");
    assert!(keys.contains(&"too-large".to_owned()), "{said}");
    let graph: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = graph["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|node| node["workload"].as_str())
        .collect();
    assert!(names.contains(&"주문-서비스"), "{names:?}");
    assert!(!names.contains(&"큰것"));
    let left_out = &graph["gaps"].as_array().unwrap();
    let large = left_out.iter().find(|gap| gap["why"] == "too-large").unwrap();
    assert_eq!(large["name"], "큰것", "{large}");
    assert!(large["bytes"].as_u64().unwrap() > large["limit"].as_u64().unwrap());
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "another process is waited for, whose clock is not ours"
)]
fn pages_show_them_and_answer() {
    let path = kubeconfig("odd-pages", &api_server::start(objects()));
    let prometheus = odd_server::start(Odd::Html);
    let site = assets("odd-objects");
    let arguments = [
        "serve",
        "--kubeconfig",
        path.to_str().unwrap(),
        "--prometheus",
        &prometheus,
    ];
    let console = Running::start(&arguments, &site);
    let patience = Instant::now() + Duration::from_secs(30);
    let page = |path: &str| console.get(path);
    while !page("/topology").1.contains("주문-서비스") {
        assert!(Instant::now() < patience, "{}", page("/topology").1);
        std::thread::sleep(Duration::from_millis(100));
    }
    for path in [
        "/",
        "/topology",
        "/topology?lang=ko",
        "/canary",
        "/canary/%EA%B2%B0%EC%A0%9C/%EA%B2%BD%EB%A1%9C",
        "/changes",
        "/why",
        "/live/overview",
        "/live/topology",
        "/live/canaries",
    ] {
        assert_eq!(page(path).0, 200, "{path}");
    }
    let overview: Value = serde_json::from_str(&page("/live/overview").1).unwrap();
    let whys = overview["sources"].to_string();
    assert!(whys.contains("too-large") && whys.contains("garbled"), "{whys}");
    assert_eq!(console.end(), Some(0));
}
