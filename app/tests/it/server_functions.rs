//! The public interface: bounds, rights, and the status that says the same as the body.

use crate::page::{Fixed, answer, router};
use axum::body::Body;
use http::Request;
use naru_app::fixtures::Scene;
use naru_domain::actor::Scope;
use serde_json::{Value, json};
use std::sync::Arc;

async fn call(name: &str, body: &Value, read_only: bool, scope: Scope) -> (u16, Value) {
    let request = Request::post(format!("/api/{name}"))
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let (parts, body) = answer(
        router(
            Fixed {
                scene: Scene::Busy,
                read_only,
            },
            scope,
        ),
        request,
    )
    .await;
    assert!(
        parts.headers.get("location").is_none(),
        "a server function never redirects"
    );
    (
        parts.status.as_u16(),
        serde_json::from_str(&body).unwrap_or_else(|_| json!(body)),
    )
}

fn intent(weights: [u32; 2]) -> Value {
    let to = |subset: &str, weight: u32| json!({"host": "user-service", "subset": subset, "weight": weight});
    json!({
        "route": {"namespace": "user-service", "name": "user-service-canary", "rule": 1},
        "weights": [to("v1", weights[0]), to("v2", weights[1])],
    })
}

#[tokio::test]
async fn a_plan_comes_back_as_the_console_made_it() {
    let (status, plan) = call(
        "plan_weights",
        &json!({"intent": intent([75, 25])}),
        false,
        Scope::all(),
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(plan["diff"][1]["after"], "25");
}

#[tokio::test]
async fn failures_carry_their_reason_and_its_status() {
    let apply = |reason: &str| json!({"intent": intent([75, 25]), "digest": "d", "reason": reason});
    let undo = json!({"namespace": "user-service", "change": "c", "digest": "d", "reason": "because"});
    for (name, body, read_only, status, failed) in [
        (
            "apply_weights",
            apply("because"),
            false,
            409,
            json!("digest-changed"),
        ),
        ("apply_weights", apply("because"), true, 403, json!("read-only")),
        ("apply_weights", apply("  "), false, 422, json!("refused")),
        (
            "apply_weights",
            apply(&"가".repeat(501)),
            false,
            422,
            json!("refused"),
        ),
        (
            "plan_undo",
            json!({"namespace": "user-service", "change": "c"}),
            false,
            422,
            json!("refused"),
        ),
        ("undo_change", undo.clone(), false, 409, json!("conflict")),
        ("undo_change", undo.clone(), true, 403, json!("read-only")),
    ] {
        let (answered, error) = call(name, &body, read_only, Scope::all()).await;
        assert_eq!(
            (answered, &error["error"]["error"]),
            (status, &failed),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn a_request_is_explained_or_refused_by_its_status() {
    let ask =
        |from: &str, url: &str| json!({"ask": {"from": from, "method": "GET", "url": url, "headers": []}});
    let caller = "default/sangsang-plus-gateway";
    let (status, told) = call(
        "explain",
        &ask(caller, "http://user-service/"),
        true,
        Scope::all(),
    )
    .await;
    assert_eq!((status, &told["outcome"]["outcome"]), (200, &json!("sent")));
    for (body, status, failed) in [
        (ask(caller, "xxx"), 400, "bad-request"),
        (ask("a/b", "http://a/"), 422, "apply"),
    ] {
        let (answered, error) = call("explain", &body, false, Scope::all()).await;
        assert_eq!((answered, &error["failed"]), (status, &json!(failed)), "{error}");
        assert!(!error.to_string().contains("xxx"), "input is not echoed");
    }
}

#[tokio::test]
async fn how_far_a_change_has_come_is_told_to_who_sees_its_namespace() {
    let body = |change: &str| json!({"namespace": "user-service", "change": change});
    let (status, told) = call("reached", &body("c"), true, Scope::all()).await;
    assert_eq!((status, &told["acknowledged"]), (200, &json!(4)));
    let elsewhere = Scope {
        namespaces: Some(Arc::from(["payment".into()])),
    };
    assert_eq!(call("reached", &body("c"), false, elsewhere).await.0, 404);
    assert_eq!(
        call("reached", &body(&"x".repeat(300)), false, Scope::all())
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn what_is_out_of_bounds_is_not_looked_at() {
    let long = "x".repeat(300);
    let mut wide = intent([1, 1]);
    wide["weights"] = json!(vec![wide["weights"][0].clone(); 65]);
    let mut named = intent([50, 50]);
    named["route"]["name"] = json!(long);
    for body in [
        json!({"intent": intent([101, 0])}),
        json!({"intent": wide}),
        json!({"intent": named}),
    ] {
        let (status, error) = call("plan_weights", &body, false, Scope::all()).await;
        assert_eq!(status, 400, "{error}");
        assert!(!error.to_string().contains("xxx"), "input is not echoed");
    }
}

#[tokio::test]
async fn a_namespace_out_of_sight_is_not_there() {
    let scope = Scope {
        namespaces: Some(Arc::from(["default".into()])),
    };
    let (status, error) = call("plan_weights", &json!({"intent": intent([75, 25])}), false, scope).await;
    assert_eq!((status, &error["failed"]), (404, &json!("not-found")));
}

#[tokio::test]
async fn a_canary_is_steered_and_ordered_as_the_viewer_within_bounds() {
    let steer = |course: &str| json!({"wish": {"namespace": "user-service", "name": "v2", "from": "run", "course": course}});
    let begin = |steps: usize| {
        let step = json!({"weight": 10, "dwell_s": 600, "requests": 500});
        json!({"wish": {"route": {"namespace": "user-service", "name": "user-service-canary", "rule": 1},
            "steps": vec![step; steps], "errors": 0.01}})
    };
    let (status, name) = call("begin_canary", &begin(4), false, Scope::all()).await;
    assert_eq!((status, name), (200, json!("user-service-canary-19a")));
    let (status, _) = call("steer_canary", &steer("pause"), false, Scope::all()).await;
    assert_eq!(status, 200);
    let elsewhere = || Scope {
        namespaces: Some(Arc::from(["payment".into()])),
    };
    for (name, body, read_only, scope, status) in [
        ("steer_canary", steer("abort"), false, Scope::all(), 409),
        ("steer_canary", steer("pause"), true, Scope::all(), 403),
        ("steer_canary", steer("pause"), false, elsewhere(), 404),
        ("begin_canary", begin(21), false, Scope::all(), 400),
        ("begin_canary", begin(4), true, Scope::all(), 403),
        ("begin_canary", begin(4), false, elsewhere(), 404),
    ] {
        let (answered, error) = call(name, &body, read_only, scope).await;
        assert_eq!(answered, status, "{name}: {error}");
    }
}

#[tokio::test]
async fn everything_is_stopped_with_a_reason_by_who_may_write() {
    for (name, body, read_only, status, failed) in [
        ("freeze", json!({"reason": " "}), false, 422, "refused"),
        (
            "freeze",
            json!({"reason": "가".repeat(501)}),
            false,
            422,
            "refused",
        ),
        ("freeze", json!({"reason": "night"}), true, 403, "read-only"),
        ("freeze", json!({"reason": "night"}), false, 422, "refused"),
        ("lift_freeze", json!({}), true, 403, "read-only"),
        ("lift_freeze", json!({}), false, 403, "forbidden"),
    ] {
        let (code, answer) = call(name, &body, read_only, Scope::all()).await;
        assert_eq!(
            (code, &answer["error"]["error"]),
            (status, &json!(failed)),
            "{name} {body}: {answer}"
        );
    }
}
