//! `naru freeze`, against the rehearsed API server over HTTP.

use crate::support::{
    cluster::{Served, serve},
    process::{ended, kubeconfig, naru},
};
use naru_domain::{
    freeze::{Freeze, key},
    object::Kind,
};
use naru_ports::SystemClock;
use naru_rehearsal::api::{Deeds, ObjectStore, Who};
use serde_json::{Value, json};
use std::sync::Arc;

const ALICE: &str = "alice";

/// Two canaries under way: one dwells, one was on its way back.
async fn world() -> Served {
    let store = ObjectStore::new(Arc::new(SystemClock), 64);
    for kind in [Kind::Canary, Kind::Freeze, Kind::VirtualService] {
        store.install(kind);
    }
    store
        .load(Kind::Namespace, json!({"metadata": {"name": "shop"}}), "helm")
        .unwrap();
    for (name, canary, phase) in [
        ("carts", 5, "Dwelling"),
        ("orders", 40, "RollingBack"),
        ("done", 0, "RolledBack"),
    ] {
        let to = |subset: &str, weight: u32| json!({"destination": {"host": name, "subset": subset}, "weight": weight});
        let route = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"hosts": [name], "http": [{"route": [to("v1", 100 - canary), to("v2", canary)]}]}});
        let target = |subset: &str| json!({"host": name, "subset": subset});
        let object = json!({"apiVersion": "naru.dev/v1alpha1", "kind": "Canary", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"route": {"name": name, "rule": 0}, "stable": target("v1"), "canary": target("v2"),
                "steps": [{"weight": 5, "dwell": "10m", "requests": 1000}],
                "approvedBy": {"issuer": "kubernetes", "subject": "bob", "name": "bob"}},
            "status": {"phase": phase}});
        store.load(Kind::VirtualService, route, "helm").unwrap();
        store.load(Kind::Canary, object, "naru").unwrap();
    }
    serve(store, ALICE, ALICE).await
}

/// Exit code, keys, and both streams.
async fn run(served: &Served, name: &str, arguments: &[&str]) -> (i32, Vec<String>, String, String) {
    let kubeconfig = kubeconfig(&format!("freeze-{name}"), &served.url);
    let mut all: Vec<String> = ["freeze"]
        .iter()
        .chain(arguments)
        .map(ToString::to_string)
        .collect();
    all.extend(["--kubeconfig".into(), kubeconfig.to_str().unwrap().into()]);
    let ran = tokio::task::spawn_blocking(move || {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        ended(&mut naru(&all))
    });
    let (code, keys, output) = ran.await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, keys, text(output.stdout), text(output.stderr))
}

fn frozen(served: &Served) -> Option<Freeze> {
    served.store.object(&key()).map(|it| Freeze::read(&it).unwrap())
}

#[tokio::test]
async fn everything_stops_as_who_runs_the_command_and_goes_on() {
    let served = world().await;
    let (code, keys, out, err) = run(&served, "done", &["--reason", "errors since 01:40"]).await;
    assert_eq!((code, keys, &*err), (0, vec![], ""), "{out}");
    for part in [
        "Frozen by alice.",
        "shop/carts: Dwelling, v1 95 %, v2 5 %.",
        "shop/orders: RollingBack, v1 60 %, v2 40 %.",
        "By hand: naru weight shop/orders --route 0 v1=100 v2=0 --reason TEXT",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains("shop/done"), "{out}");
    let there = frozen(&served).unwrap();
    assert_eq!(
        (&*there.actor.issuer, &*there.actor.sub, &*there.reason),
        ("kubernetes", ALICE, "errors since 01:40")
    );
    let (code, keys, out, err) = run(&served, "again", &["--reason", "again"]).await;
    assert_eq!((code, keys, &*out), (1, vec!["already-frozen".to_owned()], ""));
    assert!(err.contains("by alice: errors since 01:40"), "{err}");
    assert_eq!(frozen(&served), Some(there));

    let (code, _, out, err) = run(&served, "tried", &["--lift", "--dry-run"]).await;
    assert!(code == 0 && out.contains("would lift it as alice"), "{out}{err}");
    assert!(frozen(&served).is_some());
    let (code, _, out, _) = run(&served, "lifted", &["--lift", "--lang", "ko"]).await;
    assert!(code == 0 && out.contains("alice 님이 해제했습니다"), "{out}");
    assert!(
        out.contains("shop/orders: RollingBack") && !out.contains("naru weight"),
        "{out}"
    );
    assert_eq!(frozen(&served), None);
    let (code, keys, ..) = run(&served, "twice", &["--lift"]).await;
    assert_eq!((code, keys), (1, vec!["not-frozen".to_owned()]));
    let audit = served.store.audit();
    let did: Vec<_> = audit.iter().map(|it| (&*it.by, it.verb)).collect();
    assert_eq!(did, [(ALICE, "create"), (ALICE, "delete")]);
}

#[tokio::test]
async fn a_document_has_the_freeze_and_what_it_holds() {
    let served = world().await;
    let (code, _, out, err) = run(&served, "json", &["--reason", "night", "--output", "json"]).await;
    assert_eq!(code, 0, "{err}");
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&json["by"], &json["lifted"], &json["dryRun"]),
        (&json!(ALICE), &json!(false), &json!(false))
    );
    assert_eq!(json["freeze"]["reason"], "night");
    let names: Vec<_> = json["stays"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["carts", "orders"]);
    assert_eq!(
        json["stays"][0]["versions"][1],
        json!({"version": "v2", "weight": 5})
    );
    assert_eq!(
        (
            &json["stays"][0]["byHand"],
            json["stays"][1]["byHand"].is_string()
        ),
        (&json!(null), true)
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_before_anything_is_stopped() {
    let served = world().await;
    for arguments in [&[][..], &["--reason", " "]] {
        let (code, keys, ..) = run(&served, "arguments", arguments).await;
        assert_eq!(
            (code, keys),
            (2, vec!["bad-argument".to_owned()]),
            "{arguments:?}"
        );
    }
    let (code, _, out, err) = run(&served, "tried", &["--dry-run"]).await;
    assert!(
        code == 0 && out.contains("would freeze it as alice"),
        "{out}{err}"
    );
    let forbid = |verb, kind| {
        let deeds = Deeds {
            verb: Some(verb),
            kind: Some(kind),
            ..Deeds::default()
        };
        served.store.forbid(Who::User(ALICE.into()), deeds);
    };
    forbid("create", Kind::Freeze);
    let (code, keys, _, err) = run(&served, "forbidden", &["--reason", "night"]).await;
    assert_eq!((code, keys), (4, vec!["forbidden".to_owned(); 2]), "{err}");
    assert!(err.contains("--clusterrole naru-freezer --user alice"), "{err}");
    assert_eq!(frozen(&served), None);
    served.store.remove(Kind::Freeze);
    served.store.allow_all();
    let (code, keys, ..) = run(&served, "absent", &["--reason", "night"]).await;
    assert_eq!((code, keys), (3, vec!["kind-absent".to_owned()]));
}

#[tokio::test]
async fn who_may_stop_and_not_look_stops_and_is_told_what_was_not_seen() {
    let served = world().await;
    let deeds = Deeds {
        verb: Some("list"),
        kind: Some(Kind::Canary),
        ..Deeds::default()
    };
    served.store.forbid(Who::Naru, deeds);
    let (code, keys, out, _) = run(&served, "unseen", &["--reason", "night"]).await;
    assert_eq!(
        (code, keys),
        (4, vec!["partial".to_owned(), "forbidden".to_owned()]),
        "{out}"
    );
    assert!(
        out.contains("Frozen by alice.") && out.contains("could not be read") && !out.contains("No canary"),
        "{out}"
    );
    assert!(frozen(&served).is_some());
}
