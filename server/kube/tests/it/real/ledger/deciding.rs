//! Persons counter-sign and revoke, each as themselves; Naru accepts, refuses and reopens; each once.

use super::{KIM, LEE, Ledger, PARK, POLICED, Who, actor, now};
use naru_domain::{
    crossing::act::{Act, Revocation, revoke},
    object::{Digest, Kind, Object},
};
use serde_json::{Value, json};

fn add(field: &str, value: &Value) -> Value {
    json!([{"op": "add", "path": "/status", "value": {field: value}}])
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_second_person_is_another_person_with_the_same_right() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let signed = ledger.signed(KIM).await;
    let url = format!("signoffs/{}/status", signed.name);
    let by = |who| json!({"actor": actor(who), "at": now()});
    let renamed = {
        let mut by = by(KIM);
        by["actor"]["name"] = json!("somebody else");
        by
    };
    let masters = {
        let mut by = by(LEE);
        by["actor"]["groups"] = json!(["naru:operator", "system:masters"]);
        by
    };
    for (who, value, code, words) in [
        (KIM, by(KIM), 422, "who has signed cannot counter-sign"),
        (KIM, renamed, 422, "who has signed cannot counter-sign"),
        (KIM, by(LEE), 422, "countersignature.actor is not who asks"),
        (LEE, masters, 422, "countersignature.actor.groups"),
        (PARK, by(PARK), 403, "may not sign this item"),
        (Who::Naru, by(LEE), 422, "countersignature.actor is not who asks"),
        (Who::Admin, by(LEE), 422, "and by nobody else"),
    ] {
        ledger
            .no_patch(who, &url, &add("countersignature", &value), code, words)
            .await;
    }
    let act = Act {
        actor: actor(LEE),
        at: now(),
    };
    let (status, answer) = ledger.write(LEE, &signed.countersign(&act)).await;
    assert!(status.is_success(), "{answer}");
    let another =
        json!([{"op": "replace", "path": "/status/countersignature/at", "value": "2020-01-01T00:00:00Z"}]);
    ledger
        .no_patch(LEE, &url, &another, 422, "countersignature is set once")
        .await;
    let gone = json!([{"op": "remove", "path": "/status/countersignature"}]);
    ledger
        .no_patch(Who::Naru, &url, &gone, 422, "countersignature is set once")
        .await;
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_only_naru_accepts_and_only_once() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let signed = ledger.signed(KIM).await;
    let url = format!("signoffs/{}/status", signed.name);
    let accepted = json!({"at": now(), "digest": signed.whole});
    let refused = json!({"at": now(), "why": "unlinked"});
    let reopened = json!({"at": now(), "findings": [], "unknown": [], "facts": []});
    for (field, value) in [
        ("accepted", &accepted),
        ("refused", &refused),
        ("reopened", &reopened),
    ] {
        ledger
            .no_patch(
                KIM,
                &url,
                &add(field, value),
                422,
                "accepted, refused and reopened by Naru",
            )
            .await;
        ledger
            .no_patch(Who::Admin, &url, &add(field, value), 422, "and by nobody else")
            .await;
    }
    let both = json!([{"op": "add", "path": "/status", "value": {"accepted": accepted, "refused": refused}}]);
    ledger.no_patch(Who::Naru, &url, &both, 422, "not both").await;

    let (status, answer) = ledger.write(Who::Naru, &signed.accept(now())).await;
    assert!(status.is_success(), "{answer}");
    let other =
        json!([{"op": "replace", "path": "/status/accepted/digest", "value": Digest::of(&Value::Null)}]);
    ledger
        .no_patch(Who::Naru, &url, &other, 422, "accepted is set once")
        .await;
    let gone = json!([{"op": "remove", "path": "/status"}]);
    ledger
        .no_patch(Who::Naru, &url, &gone, 422, "a status is not taken away")
        .await;
    // The accepted digest covers who counter-signed.
    let late = json!([{"op": "add", "path": "/status/countersignature", "value": {"actor": actor(LEE), "at": now()}}]);
    ledger
        .no_patch(LEE, &url, &late, 422, "not counter-signed any more")
        .await;
    let stale = signed.refuse("unlinked", now());
    let (status, _) = ledger.write(Who::Naru, &stale).await;
    assert_eq!(status, 409, "planned on what was there before");
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_who_revokes_says_so_themselves() {
    let _policed = POLICED.read().await;
    let ledger = Ledger::new().await;
    let signed = ledger.signed(KIM).await;
    let url = format!("signoffs/{}/status", signed.name);
    let by = |who| json!({"actor": actor(who), "reason": "Callers were missed.", "at": now()});
    for (who, value, code, words) in [
        (KIM, by(LEE), 422, "revoked.actor is not who asks"),
        (PARK, by(PARK), 403, "may not sign this item"),
        (Who::Naru, by(KIM), 422, "revoked.actor is not who asks"),
        (Who::Admin, by(KIM), 422, "and by nobody else"),
    ] {
        ledger
            .no_patch(who, &url, &add("revoked", &value), code, words)
            .await;
    }
    let revocation = Revocation {
        actor: actor(LEE),
        reason: "Callers were missed.".into(),
        at: now(),
    };
    let (_, object) = ledger.get(&format!("signoffs/{}", signed.name)).await;
    let object = Object::new(Kind::SignOff, object).unwrap();
    let (status, answer) = ledger.write(LEE, &revoke(&object, &revocation)).await;
    assert!(status.is_success(), "{answer}");
    let gone = json!([{"op": "remove", "path": "/status/revoked"}]);
    ledger
        .no_patch(LEE, &url, &gone, 422, "revoked is set once")
        .await;
}
