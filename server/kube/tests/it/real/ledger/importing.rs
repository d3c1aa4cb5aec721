//! What was lost is brought back by who has the right, says so for ever, and is the only way to write in another's name.

use super::{KIM, LEE, Ledger, MEDIA, NEXT, POLICED, Who, judged, named, now, reference, sign_off, waiver};
use crate::real::admin::eventually;
use http::{Method, StatusCode};
use naru_domain::{
    crossing::{
        Evidence, SignOff,
        chain::verify,
        evidence::IMPORTED_UID,
        import::{IMPORTED_BY, IMPORTED_FROM},
    },
    object::{Digest, Kind, Object},
};
use serde_json::{Value, json};

/// May bring back.
const IMPORTER: Who = Who::User("suite-importer");
/// May too, and goes on where the first has stopped.
const SECOND: Who = Who::User("suite-second");
/// May create and write status, as an importer may, but for the one verb.
const CLERK: Who = Who::User("suite-clerk");

const WORDS: &str = "nothing says that it was imported but what is imported";

async fn ledger() -> Ledger {
    let ledger = Ledger::new().await;
    let group = "rbac.authorization.k8s.io";
    let clerk = json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": {"name": "suite-clerk"}, "rules": [
        {"apiGroups": ["naru.dev"], "resources": ["evidences", "signoffs", "waivers", "exceptions"], "verbs": ["get", "create"]},
        {"apiGroups": ["naru.dev"], "resources": ["signoffs/status", "waivers/status", "exceptions/status"], "verbs": ["patch"]}]});
    ledger.admin.apply_one(&clerk).await;
    let users = [
        ("naru-import", "suite-importer"),
        ("naru-import", "suite-second"),
        ("suite-clerk", "suite-clerk"),
    ];
    for (role, user) in users {
        let binding = json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("{user}-{role}")},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "User", "apiGroup": group, "name": user}]});
        ledger.admin.apply_one(&binding).await;
    }
    let probe = marked(judged().object().unwrap().json(), "suite-importer");
    eventually!(ledger.try_create(IMPORTER, "evidences", &probe).await.0 == StatusCode::CREATED);
    ledger
}

fn marked(object: &Value, by: &str) -> Value {
    let mut object = object.clone();
    object["metadata"]["annotations"] =
        json!({IMPORTED_BY: by, IMPORTED_FROM: Digest::of(&Value::Null), IMPORTED_UID: "elsewhere"});
    object
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_nobody_writes_for_another_by_saying_that_it_was_imported() {
    let _policed = POLICED.read().await;
    let ledger = ledger().await;
    let evidence = judged().object().unwrap().json().clone();
    let signature = sign_off(KIM, super::FAR, &reference(), Digest::default());
    let made = [
        ("evidences", evidence, "written by Naru"),
        ("signoffs", signature, "written by Naru for a person"),
        ("waivers", waiver("imported"), "written by Naru for a person"),
    ];
    for (kind, object, plain) in made {
        for (who, by, words) in [
            (CLERK, "suite-clerk", plain),
            (CLERK, "suite-importer", plain),
            (IMPORTER, "suite-clerk", plain),
            (Who::Admin, "suite-importer", plain),
        ] {
            ledger
                .no_create(who, kind, &marked(&object, by), 422, words)
                .await;
        }
        ledger.no_create(IMPORTER, kind, &object, 422, plain).await;
        let mut of_no_file = marked(&object, "suite-importer");
        of_no_file["metadata"]["annotations"][IMPORTED_FROM] = json!("a file");
        ledger.no_create(IMPORTER, kind, &of_no_file, 422, plain).await;
    }
    // Nor does a person's own say that.
    let own = sign_off(KIM, super::FAR, &reference(), Digest::default());
    for by in ["naru:person", "suite-importer"] {
        ledger
            .no_create(KIM, "signoffs", &marked(&own, by), 422, WORDS)
            .await;
    }
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_what_is_brought_back_is_what_it_was_and_says_so_for_ever() {
    let _policed = POLICED.read().await;
    let ledger = ledger().await;
    let native = ledger.signed(KIM).await;
    let status = |value: &Value| json!([{"op": "add", "path": "/status", "value": value}]);
    let accepted = |it: &SignOff| json!({"accepted": {"at": now(), "digest": it.whole}});
    let url = format!("signoffs/{}/status", native.name);
    ledger
        .no_patch(
            IMPORTER,
            &url,
            &status(&accepted(&native)),
            422,
            "and by nobody else",
        )
        .await;

    let mine = NEXT.lock().await;
    let evidence = marked(judged().object().unwrap().json(), "suite-importer");
    let (code, answer) = ledger.create(IMPORTER, "evidences", &evidence).await;
    assert_eq!(code, StatusCode::CREATED, "{answer}");
    let evidence = Evidence::read(&Object::new(Kind::Evidence, answer).unwrap()).unwrap();
    assert_eq!(&*evidence.uid, "elsewhere");
    let head = verify(&ledger.sign_offs().await, &ledger.all_evidence().await, None).unwrap();
    let object = sign_off(LEE, head.count + 1, &named(&evidence), head.digest);
    let (code, answer) = ledger
        .create(IMPORTER, "signoffs", &marked(&object, "suite-importer"))
        .await;
    assert_eq!(code, StatusCode::CREATED, "{answer}");
    let sign_off = SignOff::read(&Object::new(Kind::SignOff, answer).unwrap()).unwrap();
    assert!(sign_off.arriving);
    let url = format!("signoffs/{}/status", sign_off.name);
    let whole = status(&accepted(&sign_off));
    ledger
        .no_patch(CLERK, &url, &whole, 422, "and by nobody else")
        .await;
    let (code, answer) = ledger.patch(SECOND, &url, &whole).await;
    assert!(code.is_success(), "{answer}");
    drop(mine);
    assert!(verify(&ledger.sign_offs().await, &ledger.all_evidence().await, None).is_ok());

    // What had become of it is written once; the marks stay, and come on nothing else.
    let reopened = json!([{"op": "add", "path": "/status/reopened", "value": {"at": now(), "findings": [], "unknown": [], "facts": []}}]);
    ledger
        .no_patch(IMPORTER, &url, &reopened, 422, "and by nobody else")
        .await;
    let url = format!("signoffs/{}", sign_off.name);
    let gone = json!([{"op": "remove", "path": "/metadata/annotations"}]);
    ledger
        .no_patch(Who::Admin, &url, &gone, 422, "says so for ever")
        .await;
    let mark = json!([{"op": "add", "path": "/metadata/annotations", "value": {IMPORTED_BY: "somebody"}}]);
    ledger
        .no_patch(
            Who::Admin,
            &format!("signoffs/{}", native.name),
            &mark,
            422,
            "says so for ever",
        )
        .await;
    let (code, answer) = ledger
        .send(IMPORTER, Method::DELETE, &url, MEDIA, &Value::Null)
        .await;
    assert_eq!(code, StatusCode::FORBIDDEN, "{answer}");
}
