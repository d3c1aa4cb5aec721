//! Who decided, and what comes with an answer.

use super::{Choice, Outcome, Protocol, Request, ask, get, rules, to, told, world};
use serde_json::json;

fn first(choice: &Choice) -> (&str, &str, &str) {
    let decider = &choice.deciders[0];
    (decider.key.kind.name(), &decider.key.name, &decider.path)
}

#[test]
fn without_a_rule_the_service_decides() {
    let choice = get(&world([]), "web", 80);
    assert_eq!(first(&choice), ("Service", "web", ""));
    assert_eq!(choice.rule, None);
}

#[test]
fn where_no_rule_takes_a_request_their_list_decides() {
    let http = json!([{"match": [{"uri": {"exact": "/a"}}], "route": to("web")}]);
    let choice = get(
        &world([rules("v", json!({"hosts": ["web"], "http": http}))]),
        "web",
        80,
    );
    assert_eq!(told(&choice), "NoRoute");
    assert_eq!(first(&choice), ("VirtualService", "v", "/spec/http"));
}

#[test]
fn a_rule_for_bytes_is_named() {
    let tcp = json!([{"match": [{"port": 1}], "route": to("db")}, {"route": to("db")}]);
    let objects = world([rules("v", json!({"hosts": ["db"], "tcp": tcp}))]);
    let request = Request {
        protocol: Protocol::Tcp,
        ..Request::get("db", 5432)
    };
    let choice = ask(&objects, &request);
    assert_eq!(first(&choice), ("VirtualService", "v", "/spec/tcp/1"));
    assert_eq!(
        choice.rule.map(|(key, index)| (key.name, index)),
        Some(("v".into(), 1))
    );
}

#[test]
fn a_fault_strikes_redirects_and_direct_answers_too() {
    let fault = json!({"abort": {"httpStatus": 503, "percentage": {"value": 10}}});
    let http = json!([{"fault": fault, "directResponse": {"status": 418}}]);
    let choice = get(
        &world([rules("v", json!({"hosts": ["web"], "http": http}))]),
        "web",
        80,
    );
    assert_eq!(choice.outcome, Outcome::Direct { status: 418 });
    assert_eq!(choice.effects.fault.and_then(|it| it.abort), Some((10.0, 503)));
}
