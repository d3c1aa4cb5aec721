//! Waivers and Exceptions are those of the person who asks, end, and stay.

use super::{Edit, KIM, LEE, Ledger, PARK, POLICED, Who, actor, now, waiver};
use http::StatusCode;
use serde_json::{Value, json};

fn exception(name: &str) -> Value {
    let mut object = waiver(name);
    object["kind"] = json!("Exception");
    let spec = object["spec"].as_object_mut().unwrap();
    spec.remove("item");
    spec.insert("code".into(), json!("gateway-selects-nothing"));
    spec.insert(
        "object".into(),
        json!({"kind": "Gateway", "namespace": "shop", "name": "edge"}),
    );
    object
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_nobody_passes_over_for_another_or_for_ever() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    type Made = fn(&str) -> Value;
    let made: [(&str, Made); 2] = [("waivers", waiver), ("exceptions", exception)];
    let cases: [(Who, Edit, u16, &str); 6] = [
        (Who::Admin, |_| {}, 422, "and by nobody else"),
        (LEE, |_| {}, 422, "spec.actor is not who asks"),
        (
            KIM,
            |it| it["spec"]["actor"]["groups"] = json!(["system:masters"]),
            422,
            "spec.actor.groups",
        ),
        (
            KIM,
            |it| it["spec"]["until"] = json!("2099-01-01T00:00:00Z"),
            422,
            "no more than 180 days",
        ),
        (
            KIM,
            |it| it["spec"]["until"] = json!("2020-01-01T00:00:00Z"),
            422,
            "until is after at",
        ),
        (KIM, |it| it["spec"]["reason"] = json!(""), 422, "spec.reason"),
    ];
    for (kind, make) in made {
        for (who, edit, code, words) in cases {
            let mut object = make("forged");
            edit(&mut object);
            ledger.no_create(who, kind, &object, code, words).await;
        }
        let mut object = make("forged");
        object["spec"]["actor"] = json!(actor(PARK));
        ledger
            .no_create(PARK, kind, &object, 403, "cannot create resource")
            .await;
    }
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_what_was_passed_over_is_revoked_and_never_edited() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let name = format!("suite-{}", std::process::id());
    for (kind, object) in [("waivers", waiver(&name)), ("exceptions", exception(&name))] {
        let (status, answer) = ledger.create(KIM, kind, &object).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let url = format!("{kind}/{name}");
        let longer = json!([{"op": "replace", "path": "/spec/until", "value": now() + std::time::Duration::from_secs(999_999)}]);
        ledger
            .no_patch(Who::Admin, &url, &longer, 422, "spec never changes")
            .await;
        ledger
            .no_patch(KIM, &url, &longer, 403, "cannot patch resource")
            .await;
        ledger.no_delete(Who::Admin, &url, 422, "never deleted").await;
        let status_url = format!("{url}/status");
        let revoke = |who| json!([{"op": "add", "path": "/status", "value": {"revoked": {"actor": actor(who), "reason": "Moved.", "at": now()}}}]);
        ledger
            .no_patch(Who::Admin, &status_url, &revoke(KIM), 422, "and by nobody else")
            .await;
        ledger
            .no_patch(
                KIM,
                &status_url,
                &revoke(LEE),
                422,
                "revoked.actor is not who asks",
            )
            .await;
        let (status, answer) = ledger.patch(LEE, &status_url, &revoke(LEE)).await;
        assert!(status.is_success(), "{answer}");
        let back = json!([{"op": "remove", "path": "/status/revoked"}]);
        ledger
            .no_patch(LEE, &status_url, &back, 422, "revoked is set once")
            .await;
        let away = json!([{"op": "remove", "path": "/status"}]);
        ledger
            .no_patch(LEE, &status_url, &away, 422, "a status is not taken away")
            .await;
    }
}
