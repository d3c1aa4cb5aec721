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
fn everything_is_stopped_from_a_page_and_goes_on() {
    let console = Running::start(&["rehearse", "--scenario", "guide"], &assets("frozen"));
    let send = |name: &str, cookie: &str, body: Value| {
        let (status, body) = console.ask(&format!("POST /api/{name}"), cookie, &body.to_string());
        (status, serde_json::from_str::<Value>(&body).unwrap_or_default())
    };
    let frozen = || {
        let (_, body) = console.get("/live/standstill");
        serde_json::from_str::<Value>(&body).unwrap()["frozen"].clone()
    };
    let becomes = |so: bool| {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while frozen().is_null() == so {
            assert!(std::time::Instant::now() < until, "{}", frozen());
            std::thread::yield_now();
        }
    };
    for persona in ["viewer", "service-team", "security-officer"] {
        let (status, answer) = send("freeze", &format!("persona={persona}"), json!({"reason": "mine"}));
        assert_eq!(status, 403, "{persona}: {answer}");
    }
    assert_eq!(send("freeze", "", json!({"reason": " "})).0, 422);
    assert_eq!(send("freeze", "", json!({"reason": "errors since noon"})).0, 200);
    becomes(true);
    assert_eq!(frozen()["reason"], "errors since noon");
    for page in [
        "/",
        "/topology",
        "/checklist",
        "/canary",
        "/changes",
        "/mesh",
        "/why",
    ] {
        let (_, html) = console.ask(&format!("GET {page}?lang=en"), "persona=viewer", "");
        assert!(html.contains("errors since noon"), "{page}");
    }
    let (status, again) = send("freeze", "", json!({"reason": "again"}));
    assert_eq!(
        (status, &again["error"]["refused"]["by"]),
        (422, &json!("operator")),
        "{again}"
    );
    assert_eq!(send("lift_freeze", "persona=viewer", json!({})).0, 403);
    assert_eq!(send("lift_freeze", "", json!({})).0, 200);
    becomes(false);
    assert_eq!(send("lift_freeze", "", json!({})).0, 422);
}

#[test]
fn what_is_set_from_a_page_is_followed_until_every_proxy_has_it() {
    let console = Running::start(&["rehearse", "--scenario", "guide"], &assets("in-force"));
    let send = |name: &str, cookie: &str, body: Value| {
        let (status, body) = console.ask(&format!("POST /api/{name}"), cookie, &body.to_string());
        (status, serde_json::from_str::<Value>(&body).unwrap_or_default())
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    // What the API server has is known a moment after the console has begun.
    let rule = loop {
        let (_, body) = console.get("/live/canaries");
        let canaries: Value = serde_json::from_str(&body).unwrap();
        let rule = canaries["routes"][0].clone();
        if !rule.is_null() {
            break rule;
        }
        assert!(std::time::Instant::now() < until, "{canaries}");
        std::thread::yield_now();
    };
    let weights: Vec<Value> = rule["destinations"]
        .as_array()
        .unwrap()
        .iter()
        .zip([60, 40])
        .map(|(it, weight)| json!({"host": it["host"], "subset": it["subset"], "weight": weight}))
        .collect();
    let intent = json!({"route": rule["route"], "weights": weights});
    let (status, sheet) = send("plan_weights", "", json!({"intent": intent}));
    assert_eq!(status, 200, "{sheet}");
    let apply = json!({"intent": intent, "digest": sheet["digest"], "reason": "more"});
    let (status, applied) = send("apply_weights", "", apply);
    assert_eq!(status, 200, "{applied}");
    let change = json!({"namespace": applied["namespace"], "change": applied["change"]});
    // Whoever looks at once finds proxies that have not heard of it; the rehearsed istiod takes its time.
    let mut seen = Vec::new();
    let last = loop {
        let (status, reached) = send("reached", "persona=viewer", change.clone());
        assert_eq!(
            (status, &reached["reached"]),
            (200, &json!("proxies")),
            "{reached}"
        );
        seen.push(reached["acknowledged"].as_u64().unwrap());
        if reached["acknowledged"] == reached["all"] {
            break reached;
        }
        assert!(std::time::Instant::now() < until, "{reached}");
        std::thread::yield_now();
    };
    assert_eq!(seen[0], 0, "{seen:?}");
    assert!(
        last["all"].as_u64().unwrap() > 0 && last["whys"] == json!([]),
        "{last}"
    );
    assert_eq!(last["since"], applied["at"]);
    let (status, lost) = send(
        "reached",
        "",
        json!({"namespace": "user-service", "change": "no-such"}),
    );
    assert_eq!(
        (status, &lost["error"]["refused"]["refused"]),
        (422, &json!("not-found")),
        "{lost}"
    );
    // What somebody sets afterwards is not the change's any more.
    let back = json!({"namespace": applied["namespace"], "change": applied["change"]});
    let (_, sheet) = send("plan_undo", "", back);
    let undo = json!({"namespace": applied["namespace"], "change": applied["change"], "digest": sheet["digest"], "reason": "less"});
    assert_eq!(send("undo_change", "", undo).0, 200);
    let (_, moved) = send("reached", "", change);
    assert_eq!(moved["reached"], json!("moved"), "{moved}");
    assert_eq!(moved["by"]["change"]["actor"], json!("operator"), "{moved}");
    assert_eq!(console.end(), Some(0));
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
fn items_of_a_teams_own_have_pages_and_others_have_none() {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("own-items.yaml");
    let text = "{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: a}, spec: {items: [\
        {phase: 2, name: checkout, title: The checkout answers, query: up, atLeast: 1, for: 30m, unit: pods}]}}";
    std::fs::write(&file, text).unwrap();
    let console = Running::start(
        &["rehearse", "--file", file.to_str().unwrap()],
        &assets("own-items"),
    );
    // Until the first judgement.
    while !console.get("/checklist").1.contains("/checklist/2.checkout") {
        std::thread::yield_now();
    }
    let (_, all) = console.get("/checklist");
    assert!(
        all.contains("of 17 done") && all.contains("The checkout answers"),
        "{all}"
    );
    for (lang, condition) in [("en", "up was ≥ 1 pods of each series"), ("ko", "지난 30m 동안")] {
        let (status, page) = console.get(&format!("/checklist/2.checkout?lang={lang}"));
        assert_eq!(status, 200);
        assert!(
            page.contains(condition) && page.contains("own_threshold"),
            "{page}"
        );
    }
    // The one before it leads to it, and so does the one behind.
    for neighbour in ["2.4", "3.1"] {
        let (_, page) = console.get(&format!("/checklist/{neighbour}"));
        assert!(page.contains("href=\"/checklist/2.checkout\""), "{page}");
    }
    assert_eq!(console.get("/checklist/2.other").0, 404);
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
