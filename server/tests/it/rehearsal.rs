//! The hand on a rehearsal: time, moves, personas, beginning anew, records.

use super::support::{assets, process::Running};
use serde_json::{Value, json};

fn bar(console: &Running, cookie: &str) -> Value {
    let (status, body) = console.ask("GET /api/rehearsal", cookie, "");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn act(console: &Running, cookie: &str, action: &Value) -> (u16, Value) {
    let body = json!({"action": action}).to_string();
    let (status, body) = console.ask("POST /api/rehearse", cookie, &body);
    (status, serde_json::from_str(&body).unwrap_or_default())
}

fn version(console: &Running) -> Value {
    let (_, body) = console.get("/live/overview");
    serde_json::from_str::<Value>(&body).unwrap()["version"]["epoch"].clone()
}

#[test]
fn time_stands_still_is_moved_on_and_runs() {
    let console = Running::start(&["rehearse", "--speed", "0"], &assets("time"));
    let now = || bar(&console, "")["rehearsal"]["now"].as_i64().unwrap();
    let still = now();
    assert_eq!(now(), still);
    let (status, answer) = act(&console, "", &json!({"step": 90}));
    assert_eq!(
        (status, &answer["rehearsal"]["now"]),
        (200, &json!(still + 90_000))
    );
    let (status, answer) = act(&console, "", &json!({"pace": 60}));
    assert_eq!((status, &answer["rehearsal"]["pace"]), (200, &json!(60)));
    for nonsense in [
        json!({"pace": 2}),
        json!({"step": 0}),
        json!({"step": 3_601}),
        json!({"move": "nonsense"}),
        json!({"restart": ["nonsense", 1]}),
        json!({"restart": ["guide", 1_u64 << 53]}),
    ] {
        assert_eq!(act(&console, "", &nonsense).0, 422, "{nonsense}");
    }
    assert_eq!(act(&console, "", &json!({"dance": 1})).0, 400);
    assert_eq!(act(&console, "", &json!({"move": "x".repeat(300)})).0, 400);
    // Time that stands still still lets pages hear of what is done.
    assert_eq!(console.get("/topology").0, 200);
}

#[test]
fn beginning_anew_makes_another_run_that_open_pages_take_for_another_server() {
    let console = Running::start(&["rehearse", "--seed", "3"], &assets("anew"));
    let before = version(&console);
    let (status, answer) = act(&console, "", &json!({"restart": ["canary-fails", 5]}));
    assert_eq!(status, 200, "{answer}");
    let told = &answer["rehearsal"];
    assert_eq!(
        (&told["scenario"], &told["seed"], &told["run"], &told["pace"]),
        (&json!("canary-fails"), &json!(5), &json!(2), &json!(1))
    );
    assert!(told["story"]["goals"].as_array().unwrap().len() > 1, "{told}");
    assert_ne!(version(&console), before);
    assert_eq!(console.end(), Some(0));
}

#[test]
fn whom_one_plays_decides_what_is_seen_and_done() {
    let console = Running::start(&["rehearse", "--scenario", "canary-fails"], &assets("personas"));
    let first = bar(&console, "")["rehearsal"]["story"]["moves"][0]["name"].clone();
    let deed = json!({"move": first});
    for (persona, step, moved) in [
        ("viewer", 403, 403),
        ("service-team", 200, 403),
        ("security-officer", 200, 403),
    ] {
        let cookie = format!("persona={persona}");
        assert_eq!(bar(&console, &cookie)["persona"], json!(persona));
        assert_eq!(act(&console, &cookie, &json!({"step": 1})).0, step, "{persona}");
        assert_eq!(act(&console, &cookie, &deed).0, moved, "{persona}");
    }
    let nodes = |cookie: &str| {
        let (_, body) = console.ask("GET /live/topology", cookie, "");
        let topology: Value = serde_json::from_str(&body).unwrap();
        topology["nodes"].as_array().unwrap().len()
    };
    // The team sees its own namespace and what it touches; who plays nobody known is the engineer.
    assert!(nodes("persona=service-team") < nodes("persona=nonsense"));
    let (_, page) = console.ask("GET /?lang=en&persona=viewer", "", "");
    assert!(page.contains("persona=viewer"), "the choice is remembered");
}

#[test]
fn a_finished_run_leaves_one_record() {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("records.jsonl");
    let _ = std::fs::remove_file(&file);
    let arguments = ["rehearse", "--scenario", "canary-fails", "--records"];
    let console = Running::start(
        &[&arguments[..], &[file.to_str().unwrap()]].concat(),
        &assets("records"),
    );
    assert_eq!(console.get("/rehearsal/records"), (200, "[]".to_owned()));
    for _ in 0..60 {
        assert_eq!(act(&console, "", &json!({"step": 600})).0, 200);
        if !bar(&console, "")["rehearsal"]["story"]["ending"].is_null() {
            break;
        }
    }
    bar(&console, "persona=viewer");
    let records: Vec<Value> = serde_json::from_str(&console.get("/rehearsal/records").1).unwrap();
    assert_eq!(records.len(), 1, "{records:?}");
    let record = &records[0];
    assert_eq!(
        (&record["scenario"], &record["sub"]),
        (&json!("canary-fails"), &json!("operator"))
    );
    assert!(
        record["asked"].as_u64().unwrap() > 1_000 && record["harmed"].is_u64(),
        "{record}"
    );
    let line = std::fs::read_to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), *record);
}

#[test]
fn own_objects_are_part_of_the_world() {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("own.yaml");
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: mine}\n---\napiVersion: apps/v1\nkind: Deployment\n\
        metadata: {name: ledger, namespace: mine}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: ledger}}\n  \
        template:\n    metadata: {labels: {app: ledger}}\n    spec: {containers: [{name: app, image: ledger}]}\n";
    std::fs::write(&file, text).unwrap();
    let console = Running::start(&["rehearse", "--file", file.to_str().unwrap()], &assets("own"));
    // Until the first snapshot; a world without it would never end this.
    while console.get("/readyz").0 != 200 || !console.get("/live/topology").1.contains("ledger") {
        std::thread::yield_now();
    }
}

#[test]
fn every_scenario_is_told_in_both_languages() {
    let mut missing = Vec::new();
    for lang in naru_app::Lang::ALL {
        for scenario in naru_rehearsal::scenario::ALL {
            let names = scenario.names().into_iter();
            let keys = names.map(|(part, name)| naru_app::bar::key(scenario.name, part, name));
            missing.extend(keys.filter(|key| lang.scenario(key).is_none()));
        }
        missing.extend(
            ["title", "brief"]
                .map(|part| naru_app::bar::key("sized", part, ""))
                .into_iter()
                .filter(|key| lang.scenario(key).is_none()),
        );
        let causes = naru_rehearsal::traffic::Cause::ALL.map(|it| naru_app::bar::key("", "cause", it.name()));
        missing.extend(causes.into_iter().filter(|key| lang.scenario(key).is_none()));
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_story_begins_at_a_moment() {
    for scenario in naru_rehearsal::scenario::ALL {
        assert_eq!(
            scenario.starts().is_some(),
            scenario.story.is_some(),
            "{}",
            scenario.name
        );
    }
}
