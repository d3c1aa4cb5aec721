//! What is refused, and what is told of it.

use super::story::{ALICE, Night};
use naru_domain::object::Kind;
use naru_rehearsal::api::{Deeds, Who};
use serde_json::json;
use std::sync::atomic::Ordering;

fn forbid(night: &Night, who: Who, verb: &'static str, kind: Kind) {
    let deeds = Deeds {
        verb: Some(verb),
        kind: Some(kind),
        ..Deeds::default()
    };
    night.served.store.forbid(who, deeds);
}

#[tokio::test]
async fn somebody_elses_edit_is_not_trodden_on_and_both_states_are_told() {
    let night = Night::new("foreign").await;
    night.change("day", 50).await;
    night.served.store.edit(&Night::route(), "kubectl-edit", |json| {
        json["spec"]["http"][0]["route"][0]["weight"] = json!(55);
    });
    let writes = night.writes();
    let ran = night.run(&["undo", "shop/day", "--reason", "back"]).await;
    assert_eq!((ran.code, &*ran.out), (1, ""), "{}", ran.err);
    assert_eq!(ran.keys, ["foreign-edit"; 3], "{}", ran.err);
    for part in [
        "kubectl-edit edited the object since",
        "/spec/http/0/route/0/weight: the change left 50; now it is 55.",
        "/spec/http/0/route/1/weight: the change left 50; now it is 50.",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let json = night
        .run(&["undo", "shop/day", "--dry-run", "--output", "json"])
        .await
        .json();
    let refused = &json["steps"][0]["refused"];
    assert_eq!(refused["error"]["refused"]["manager"], "kubectl-edit");
    assert_eq!(
        refused["apart"][0],
        json!({"path": "/spec/http/0/route/0/weight", "left": "50", "now": "55"})
    );
    let korean = night
        .run(&["undo", "shop/day", "--dry-run", "--lang", "ko"])
        .await;
    assert!(
        korean.err.contains("변경이 남긴 값은 50, 지금 값은 55입니다."),
        "{}",
        korean.err
    );
    assert_eq!((night.writes(), night.v1()), (writes, 55));
}

#[tokio::test]
async fn an_edit_elsewhere_in_the_object_is_one_too() {
    let night = Night::new("elsewhere").await;
    night.change("day", 50).await;
    night.served.store.edit(&Night::route(), "kubectl-edit", |json| {
        json["spec"]["hosts"] = json!(["reviews", "x"]);
    });
    let ran = night.run(&["undo", "shop/day", "--reason", "back"]).await;
    assert_eq!((ran.code, ran.keys.len()), (1, 4), "{}", ran.err);
    assert!(
        ran.err.contains("the edit is elsewhere in the object"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn a_rollback_stops_at_the_first_that_is_refused_and_says_what_was_not_done() {
    let night = Night::new("stopped").await;
    night.change("a", 80).await;
    night.served.store.edit(&Night::route(), "kubectl-edit", |json| {
        json["spec"]["hosts"] = json!(["reviews", "x"]);
    });
    night.change("b", 70).await;
    night.change("c", 60).await;
    let shown = night.run(&["rollback", "--change", "shop/a", "--dry-run"]).await;
    assert_eq!((shown.code, night.v1()), (1, 60), "{}", shown.err);
    let ran = night
        .run(&["rollback", "--change", "shop/a", "--reason", "back"])
        .await;
    assert_eq!((ran.code, night.v1()), (1, 80), "{}", ran.err);
    assert!(
        ran.err.contains("kubectl-edit edited the object since"),
        "{}",
        ran.err
    );
    assert_eq!(ran.out.matches("Taken back by alice").count(), 2, "{}", ran.out);
    assert!(ran.out.contains("it stopped here: shop/a."), "{}", ran.out);
}

#[tokio::test]
async fn what_is_not_there_or_not_named_ends_with_2() {
    let night = Night::new("nothing").await;
    night.change("day", 50).await;
    let writes = night.writes();
    for (arguments, keys) in [
        (
            &["undo", "shop/other", "--reason", "x"] as &[&str],
            &["not-found"] as &[&str],
        ),
        (
            &["rollback", "--change", "shop/other", "--reason", "x"],
            &["not-found"],
        ),
        (&["undo", "day", "--reason", "x"], &["bad-argument"]),
        (
            &["rollback", "--change", "shop/a/b", "--reason", "x"],
            &["bad-argument"],
        ),
        (&["undo", "shop/day", "--reason", " "], &["bad-argument"]),
        (
            &["undo", "shop/day", "--reason", &"가".repeat(501)],
            &["bad-argument"],
        ),
        (&["undo", "shop/day"], &[]),
        (&["rollback", "--reason", "x"], &[]),
    ] {
        let ran = night.run(arguments).await;
        assert_eq!((ran.code, &*ran.out), (2, ""), "{arguments:?} {}", ran.err);
        assert_eq!(ran.keys, keys, "{arguments:?} {}", ran.err);
    }
    assert_eq!(night.writes(), writes);
}

#[tokio::test]
async fn a_missing_right_is_told_with_how_to_get_it_and_nothing_is_written() {
    let cases = [
        ("no-patch", Who::User(ALICE.into()), "patch", Kind::VirtualService),
        ("no-create", Who::User(ALICE.into()), "create", Kind::Change),
        ("no-get", Who::Naru, "get", Kind::VirtualService),
        ("no-list", Who::Naru, "list", Kind::Change),
    ];
    for (name, who, verb, kind) in cases {
        let night = Night::new(name).await;
        night.change("day", 50).await;
        let writes = night.writes();
        forbid(&night, who, verb, kind);
        for more in [["--reason", "back"], ["--dry-run", "--output=text"]] {
            let ran = night.run(&["undo", "shop/day", more[0], more[1]]).await;
            assert_eq!(
                (ran.code, &ran.keys[..]),
                (4, &["forbidden".to_owned(), "forbidden".into()][..]),
                "{name} {}",
                ran.err
            );
            let help = "kubectl -n shop create rolebinding NAME --clusterrole naru-undo --user alice";
            assert!(ran.err.contains(help), "{name}: {}", ran.err);
        }
        assert_eq!((night.writes(), night.v1()), (writes, 50), "{name}");
    }
}

#[tokio::test]
async fn without_the_right_to_the_journal_it_is_said_to_be_incomplete() {
    let night = Night::new("no-journal").await;
    forbid(&night, Who::Naru, "list", Kind::Change);
    let ran = night.run(&["changes"]).await;
    assert_eq!(
        (ran.code, ran.keys),
        (4, vec!["partial".to_owned(), "forbidden".into()])
    );
    night.served.store.remove(Kind::Change);
    night.served.store.allow_all();
    let ran = night.run(&["changes"]).await;
    assert_eq!(
        (ran.code, ran.keys),
        (3, vec!["source".to_owned(), "kind-absent".into()])
    );
}

#[tokio::test]
async fn nobody_takes_back_in_anothers_name() {
    let night = Night::taken_for("other", "mallory").await;
    night.change("day", 50).await;
    let writes = night.writes();
    for more in [["--reason", "back"], ["--dry-run", "--output=text"]] {
        let ran = night.run(&["undo", "shop/day", more[0], more[1]]).await;
        assert_eq!(
            (ran.code, ran.keys),
            (1, vec!["invalid".to_owned()]),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("spec.actor is not who asks"), "{}", ran.err);
    }
    assert_eq!((night.writes(), night.v1()), (writes, 50));
}

#[tokio::test]
async fn without_the_right_to_note_the_end_it_is_read_off_the_object() {
    let night = Night::new("not-noted").await;
    night.change("day", 50).await;
    forbid(&night, Who::User(ALICE.into()), "patch", Kind::Change);
    let ran = night.run(&["undo", "shop/day", "--reason", "back"]).await;
    assert_eq!((ran.code, night.v1()), (0, 90), "{}", ran.err);
    assert!(
        ran.out.contains("could not be written into the journal"),
        "{}",
        ran.out
    );
    let undo = night
        .entries()
        .into_iter()
        .find(|it| it.undoes().is_some())
        .unwrap();
    assert_eq!(undo.phase.name(), "Intended");
    let listed = night.run(&["changes", "--output", "json"]).await.json();
    let first = &listed["changes"][0];
    assert_eq!(
        (&first["phase"], &first["noted"]),
        (&json!("Landed"), &json!(false))
    );
    let text = night.run(&["changes"]).await.out;
    assert!(
        text.contains("nobody has written it into the journal yet"),
        "{text}"
    );
    // What is known so is enough: the first was taken back, and its undo can be.
    let again = night.run(&["undo", "shop/day", "--dry-run"]).await;
    assert_eq!(again.keys, ["not-undoable"], "{}", again.err);
    let name = format!("shop/{}", undo.key.name);
    let forth = night.run(&["undo", &name, "--reason", "forth"]).await;
    assert_eq!((forth.code, night.v1()), (0, 50), "{}", forth.err);
    // An undo that was taken back has landed, although the object is as it was before it.
    let listed = night.run(&["changes", "--output", "json"]).await.json();
    let second = &listed["changes"][1];
    assert_eq!(
        (&second["name"], &second["phase"]),
        (&json!(undo.key.name), &json!("Landed"))
    );
    let all = night
        .run(&["rollback", "--change", "shop/day", "--reason", "all"])
        .await;
    assert_eq!((all.code, night.v1()), (0, 90), "{}", all.err);
}

#[tokio::test]
async fn an_answer_that_was_lost_leaves_it_open_and_says_who_will_know() {
    let night = Night::new("lost").await;
    night.change("day", 50).await;
    night.served.lost.store(true, Ordering::Relaxed);
    let ran = night.run(&["undo", "shop/day", "--reason", "back"]).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert_eq!(ran.keys, ["unsure", "unsure"], "{}", ran.err);
    assert!(
        ran.err.contains("`naru changes` reads it off the object"),
        "{}",
        ran.err
    );
    let text = night.run(&["changes"]).await.out;
    assert!(text.contains("where none runs it stays so"), "{text}");
}
