//! Watches of servers that answer oddly.

use crate::fake::{Fake, Reply, cluster};
use futures::StreamExt;
use naru_domain::{Why, object::Kind};
use naru_ports::{Cluster, Seen};
use serde_json::{Value, json};
use std::time::Duration;

const KIND: Kind = Kind::VirtualService;

fn object(name: &str, version: &str) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "n", "resourceVersion": version}})
}

fn page(version: &str, next: &str, items: &[Value]) -> Reply {
    Reply::json(
        &json!({"kind": "VirtualServiceList", "metadata": {"resourceVersion": version, "continue": next}, "items": items}),
    )
}

fn event(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

fn events(lines: String) -> Reply {
    Reply::Http("200 OK", "application/json", lines)
}

/// The next things seen, each by one word.
async fn seen(cluster: &dyn Cluster, count: usize) -> Vec<String> {
    let watch = cluster.watch(KIND).take(count).map(|seen| match seen {
        Seen::Absent => "absent".into(),
        Seen::Reset { facts, gaps } => {
            let names: Vec<String> = facts.iter().map(|fact| fact.key().name.to_string()).collect();
            format!("reset {} gaps {}", names.join(","), gaps.len())
        }
        Seen::Applied(fact) => format!("applied {}", fact.key().name),
        Seen::Deleted(key) => format!("deleted {}", key.name),
        Seen::Unreadable(key, _) => format!("unreadable {}", key.name),
        Seen::Lost(Why::Garbled { .. }) => "garbled".into(),
        Seen::Lost(Why::Failed { status, .. }) => format!("failed {status}"),
        Seen::Lost(Why::TimedOut { .. }) => "timed out".into(),
        Seen::Lost(Why::Unreachable { .. }) => "unreachable".into(),
        Seen::Lost(Why::Forbidden { verb, resource, .. }) => format!("forbidden {verb} {resource}"),
        Seen::Lost(why) => format!("{why:?}"),
    });
    tokio::time::timeout(Duration::from_secs(30), watch.collect())
        .await
        .expect("the watch tells enough")
}

#[tokio::test]
async fn whatever_a_list_answers_the_watch_comes_back() {
    let html = || Reply::Http("200 OK", "text/html", "<html>Sign in</html>".into());
    let replies = [
        (html(), "garbled"),
        (Reply::json(&json!({"items": []})), "garbled"),
        (Reply::json(&json!([])), "garbled"),
        (
            Reply::Http(
                "200 OK",
                "application/json",
                "{\"metadata\":{\"resourceVersion\":\"\u{0}".into(),
            ),
            "garbled",
        ),
        (
            Reply::Http("502 Bad Gateway", "text/html", "<html>nginx</html>".into()),
            "failed 502",
        ),
        (
            Reply::Http("401 Unauthorized", "text/plain", String::new()),
            "failed 401",
        ),
        (
            Reply::With("429 Too Many Requests", "Retry-After: 1", String::new()),
            "failed 429",
        ),
        (
            Reply::status("403 Forbidden", "Forbidden", "no"),
            "forbidden list virtualservices",
        ),
        (Reply::Cut, "unreachable"),
        (Reply::Broken("{\"items\":[".into()), "unreachable"),
        (Reply::Silence, "timed out"),
    ];
    for (reply, expected) in replies {
        let fake = Fake::serve(move |count, request| match count {
            // Told once, however often it fails.
            0 | 1 => reply.clone(),
            _ if request.contains("watch=true") => Reply::Silence,
            _ => page("1", "", &[object("a", "1")]),
        });
        let fake = fake.await;
        assert_eq!(seen(&fake.cluster().await, 2).await, [expected, "reset a gaps 0"]);
    }
}

#[tokio::test]
async fn an_absent_kind_is_looked_for_until_it_comes() {
    let fake = Fake::serve(|count, request| match count {
        0..=2 => Reply::Http("404 Not Found", "text/plain", "404 page not found".into()),
        _ if request.contains("watch=true") => Reply::Silence,
        _ => page("1", "", &[]),
    });
    assert_eq!(
        seen(&fake.await.cluster().await, 2).await,
        ["absent", "reset  gaps 0"]
    );
}

#[tokio::test]
async fn an_expired_watch_lists_anew_without_a_word() {
    let expired =
        json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"});
    let fake = Fake::serve(move |count, _| match count {
        0 => page("5", "", &[object("a", "5")]),
        1 => events(event("ERROR", &expired)),
        2 => page("9", "", &[object("b", "9")]),
        3 => Reply::status("410 Gone", "Expired", "too old resource version"),
        4 => page("12", "", &[object("c", "12")]),
        _ => Reply::Silence,
    });
    assert_eq!(
        seen(&fake.await.cluster().await, 3).await,
        ["reset a gaps 0", "reset b gaps 0", "reset c gaps 0"]
    );
}

#[tokio::test]
async fn a_watch_that_breaks_goes_on_where_it_was() {
    let fake = Fake::serve(|count, _| match count {
        0 => page("5", "", &[object("a", "5")]),
        // The second event is cut in the middle: it was not seen.
        1 => Reply::Broken(event("ADDED", &object("b", "7")) + "{\"type\":\"DELETED\",\"obj"),
        2 => events(event("BOOKMARK", &object("", "20"))),
        3 => events(event("DELETED", &object("a", "21"))),
        _ => Reply::Silence,
    });
    let fake = fake.await;
    assert_eq!(
        seen(&fake.cluster().await, 3).await,
        ["reset a gaps 0", "applied b", "deleted a"]
    );
    let lines = fake.lines();
    let from: Vec<&str> = lines[1..4]
        .iter()
        .map(|line| line.split("resourceVersion=").nth(1).unwrap())
        .collect();
    assert_eq!(from, ["5 HTTP/1.1", "7 HTTP/1.1", "20 HTTP/1.1"]);
}

#[tokio::test]
async fn a_silent_watch_is_well_while_the_api_server_answers() {
    let fake = Fake::serve(|count, request| match request {
        _ if request.contains("watch=true") => Reply::Open,
        // Any answer shows that somebody is there, even a refusal.
        _ if request.starts_with("GET /version") && count == 2 => {
            Reply::status("403 Forbidden", "Forbidden", "no")
        }
        _ if request.starts_with("GET /version") => Reply::Silence,
        _ => page("5", "", &[object("a", "5")]),
    });
    let fake = fake.await;
    assert_eq!(
        seen(&fake.cluster().await, 3).await,
        ["reset a gaps 0", "timed out", "reset a gaps 0"]
    );
    let watches = fake
        .lines()
        .iter()
        .filter(|line| line.contains("watch=true"))
        .count();
    assert_eq!((watches, fake.lines().len()), (1, 5), "{:?}", fake.lines());
}

#[tokio::test]
async fn a_garbled_event_is_told_and_all_is_listed_anew() {
    for garbage in ["<html>\n", "{\"type\":\"ADDED\"}\n", "\n", "null\n"] {
        let fake = Fake::serve(move |count, _| match count {
            0 | 2 => page("5", "", &[object("a", "5")]),
            1 => events(garbage.into()),
            _ => Reply::Silence,
        });
        assert_eq!(
            seen(&fake.await.cluster().await, 3).await,
            ["reset a gaps 0", "garbled", "reset a gaps 0"],
            "{garbage}"
        );
    }
}

#[tokio::test]
async fn pages_are_one_list_and_what_cannot_be_read_is_a_gap() {
    let fake = Fake::serve(|_, request| match request {
        _ if request.contains("watch=true") => Reply::Silence,
        _ if request.contains("continue=a%2Bb%3D") => {
            page("5", "second", &[json!({"metadata": {}}), object("c", "3")])
        }
        _ if request.contains("continue=second") => page("5", "", &[json!(7), object("d", "4")]),
        _ => page("5", "a+b=", &[object("a", "1"), object("b", "2")]),
    });
    let fake = fake.await;
    assert_eq!(seen(&fake.cluster().await, 1).await, ["reset a,b,c,d gaps 2"]);
    assert!(fake.lines()[0].contains("limit=2"), "{}", fake.lines()[0]);
}

#[tokio::test]
async fn a_list_whose_continuation_expires_begins_anew() {
    let fake = Fake::serve(|count, request| match request {
        _ if request.contains("watch=true") => Reply::Silence,
        _ if count == 1 => Reply::status(
            "410 Gone",
            "Expired",
            "The provided continue parameter is too old",
        ),
        _ if request.contains("continue=") => page("9", "", &[object("c", "9")]),
        _ => page("5", "next", &[object("a", "1")]),
    });
    assert_eq!(seen(&fake.await.cluster().await, 1).await, ["reset a,c gaps 0"]);
}

#[tokio::test]
async fn an_object_that_is_too_large_is_left_out_by_name() {
    let mut large = object("large", "6");
    large["spec"] = json!("x".repeat(5 << 20));
    let fake = Fake::serve(move |_, request| match request {
        _ if request.contains("watch=true") => {
            events(event("MODIFIED", &large) + &event("ADDED", &object("b", "7")))
        }
        _ => page("5", "", &[object("a", "5"), large.clone()]),
    });
    let told = seen(&fake.await.cluster().await, 3).await;
    assert_eq!(told, ["reset a gaps 1", "unreadable large", "applied b"]);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    assert_eq!(
        seen(&cluster("http://127.0.0.1:1").await, 1).await,
        ["unreachable"]
    );
}

#[tokio::test]
async fn what_may_be_listed_and_not_watched_is_lost_throughout_and_known_once_it_may() {
    let fake = Fake::serve(|n, request| {
        let watch = request.contains("watch=true");
        match (watch, n) {
            (false, _) => page("7", "", &[object("a", "5")]),
            (true, 0..6) => Reply::status("403 Forbidden", "Forbidden", "you may not watch"),
            (true, _) => Reply::Open,
        }
    })
    .await;
    // The fourth watch may be opened; the list after it tells.
    let told = seen(&fake.cluster().await, 9).await;
    let (reset, lost) = ("reset a gaps 0", "forbidden watch virtualservices");
    assert_eq!(
        told,
        [reset, lost, reset, lost, reset, lost, reset, lost, reset][..]
    );
}
