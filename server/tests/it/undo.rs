//! `naru changes`, `naru undo` and `naru rollback`, against the rehearsed API server over HTTP.

mod refused;
mod story;

use naru_domain::{actor::CLUSTER, change::record::Phase};
use serde_json::json;
use story::{ALICE, Night};

#[tokio::test]
async fn a_change_is_taken_back_as_who_runs_the_command() {
    let night = Night::new("taken-back").await;
    let before = night.live();
    night.change("day", 50).await;
    let ran = night
        .run(&["undo", "shop/day", "--reason", "errors at night"])
        .await;
    assert_eq!((ran.code, &ran.err), (0, &String::new()), "{}", ran.out);
    for part in [
        "v1 /spec/http/0/route/0/weight: 50 → 90",
        "v2 /spec/http/0/route/1/weight: 50 → 10",
        "Accepted as planned",
        "Taken back by alice",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert_eq!(night.live().digest(), before.digest());
    let undo = night
        .entries()
        .into_iter()
        .find(|it| it.undoes().is_some())
        .unwrap();
    assert_eq!((&*undo.actor.issuer, &*undo.actor.sub), (CLUSTER, ALICE));
    assert_eq!(&*undo.reason, "errors at night");
    assert!(matches!(undo.phase, Phase::Landed { .. }), "{:?}", undo.phase);
    let audit = night.served.store.audit();
    let by: Vec<(&str, &str)> = audit.iter().rev().take(3).map(|it| (&*it.by, it.verb)).collect();
    assert_eq!(by, [(ALICE, "patch status"), (ALICE, "patch"), (ALICE, "create")]);

    let listed = night.run(&["changes", "--output", "json"]).await.json();
    let all = listed["changes"].as_array().unwrap();
    assert_eq!(
        (&all[0]["name"], &all[0]["undoes"]),
        (&json!(undo.key.name), &json!("day"))
    );
    assert_eq!(
        (&all[1]["name"], &all[1]["undoneBy"]),
        (&json!("day"), &json!(undo.key.name))
    );
    let again = night.run(&["undo", "shop/day", "--reason", "again"]).await;
    assert_eq!((again.code, again.keys), (1, vec!["not-undoable".to_owned()]));
}

#[tokio::test]
async fn a_dry_run_shows_all_and_writes_nothing() {
    let night = Night::new("dry-run").await;
    night.change("day", 50).await;
    let writes = night.writes();
    let ran = night.run(&["undo", "shop/day", "--dry-run"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in ["50 → 90", "Accepted as planned", "Nothing was written."] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let json = night
        .run(&["undo", "shop/day", "--dry-run", "--output", "json"])
        .await
        .json();
    assert_eq!((&json["by"], &json["dryRun"]), (&json!(ALICE), &json!(true)));
    let step = &json["steps"][0];
    assert_eq!(step["plan"]["diff"][0]["after"], "90");
    assert_eq!((&step["landed"], &step["refused"]), (&json!(null), &json!(null)));
    assert_eq!((night.writes(), night.v1()), (writes, 50));
}

#[tokio::test]
async fn the_journal_is_listed_latest_first_with_what_was_touched() {
    let night = Night::new("listed").await;
    let empty = night.run(&["changes"]).await;
    assert_eq!((empty.code, &*empty.out), (0, "No changes yet\n"));
    night.change("first", 80).await;
    night.change("second", 70).await;
    let text = night.run(&["changes"]).await.out;
    let (second, first) = (
        text.find("shop/second").unwrap(),
        text.find("shop/first").unwrap(),
    );
    assert!(second < first, "{text}");
    for part in [
        "VirtualService shop/reviews, operator (naru:loopback)",
        "Reason: by day",
        "v1 /spec/http/0/route/0/weight: 80 → 70",
        "Landed",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let other = night.run(&["changes", "--namespace", "other"]).await;
    assert_eq!((other.code, &*other.out), (0, "No changes yet\n"));
    let korean = night.run(&["changes", "--lang", "ko"]).await.out;
    assert!(
        korean.contains("사유: by day") && korean.lines().count() == text.lines().count(),
        "{korean}"
    );
}

#[tokio::test]
async fn a_rollback_takes_back_all_since_newest_first_and_skips_what_was_taken_back() {
    let night = Night::new("rollback").await;
    let before = night.live();
    night.change("a", 80).await;
    night.change("b", 70).await;
    night.change("c", 60).await;
    let ran = night.run(&["undo", "shop/c", "--reason", "c"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    night.change("d", 40).await;
    let writes = night.writes();
    let shown = night.run(&["rollback", "--change", "shop/a", "--dry-run"]).await;
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("shop/d, shop/b, shop/a."), "{}", shown.out);
    for part in ["v1 /spec/http/0/route/0/weight: 40 → 70", "70 → 80", "80 → 90"] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    assert_eq!(
        shown.out.matches("Accepted as planned").count(),
        3,
        "{}",
        shown.out
    );
    assert_eq!((night.writes(), night.v1()), (writes, 40));

    let ran = night
        .run(&[
            "rollback",
            "--change",
            "shop/a",
            "--reason",
            "all of it",
            "--output",
            "json",
        ])
        .await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = ran.json();
    let names: Vec<_> = json["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["change"])
        .collect();
    assert_eq!(names, ["shop/d", "shop/b", "shop/a"]);
    assert_eq!(json["left"], json!([]));
    assert_eq!(night.live().digest(), before.digest());
    let again = night.run(&["rollback", "--change", "shop/a", "--dry-run"]).await;
    assert_eq!((again.code, again.keys), (1, vec!["nothing-to-do".to_owned()]));
}
