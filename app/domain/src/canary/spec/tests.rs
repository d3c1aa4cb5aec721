use super::{Answer, Course, Spec};
use crate::object::{Kind, Object};
use serde_json::{Value, json};

fn whole() -> Value {
    json!({
        "route": {"name": "shop", "rule": 1},
        "stable": {"host": "shop", "subset": "v1"},
        "canary": {"host": "shop", "subset": "v2"},
        "steps": [
            {"weight": 5, "dwell": "10m", "requests": 1000},
            {"weight": 50, "dwell": "1h 30m", "requests": 5000},
        ],
        "approvedBy": {"issuer": "https://id.example", "subject": "7", "name": "Mina"},
    })
}

fn read(spec: &Value) -> Result<Spec, super::Unreadable> {
    // The API's kind is the object's own business; its spec is read alike from any.
    let json = json!({"metadata": {"name": "shop", "namespace": "shop"}, "spec": spec});
    Spec::read(&Object::new(Kind::Change, json).unwrap())
}

#[test]
fn what_is_left_out_is_as_documented_and_writing_reads_the_same() {
    let spec = read(&whole()).unwrap();
    assert_eq!(
        (spec.on_failure, spec.when_blind),
        (Answer::RollBack, Answer::Hold)
    );
    assert_eq!((spec.course, spec.guardrail.client_errors), (Course::Run, true));
    assert_eq!(
        (
            spec.guardrail.errors.to_string(),
            spec.guardrail.amplification.to_string()
        ),
        ("0.01".to_owned(), "0.1".to_owned())
    );
    assert_eq!((spec.warm_up.as_mins(), spec.max_blind.as_mins()), (3, 10));
    assert_eq!(spec.steps[1].dwell.as_mins(), 90);
    let written = serde_json::to_value(&spec).unwrap();
    assert_eq!(written["steps"][0]["dwell"], "10m");
    assert_eq!(read(&written).unwrap(), spec);
}

#[test]
fn what_cannot_be_meant_is_told_by_its_field() {
    for (pointer, value, told) in [
        ("/steps", json!([]), "steps"),
        ("/steps/0/weight", json!(101), "steps[0].weight"),
        ("/steps/0/weight", json!(50), "steps[1].weight"),
        ("/steps/1/dwell", json!("25h"), "steps[1].dwell"),
        ("/steps/1/dwell", json!("soon"), "duration"),
        ("/canary/subset", json!("v1"), "canary"),
        ("/route", json!({"name": "shop"}), "rule"),
        ("/guardrail", json!({"errors": 0.0}), "guardrail.errors"),
        (
            "/guardrail",
            json!({"latency": {"aboveMs": -1, "difference": 0.1}}),
            "aboveMs",
        ),
        ("/warmUp", json!("-1m"), "warmUp"),
        ("/course", json!("perhaps"), "perhaps"),
        ("/approvedBy", json!(null), "approvedBy"),
    ] {
        let mut spec = whole();
        match spec.pointer_mut(pointer) {
            Some(field) => *field = value,
            None => spec[pointer.trim_start_matches('/')] = value,
        }
        let detail = read(&spec).unwrap_err().detail;
        // A parser names the field of a missing value, and what is wrong with a wrong one.
        let named = detail.contains(told) || (pointer == "/approvedBy" && detail.contains("null"));
        assert!(named, "{pointer}: {detail}");
    }
}
