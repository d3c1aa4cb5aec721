//! What somebody sees is what the API server lets them see.

use super::world::{World, somebody};
use naru_ports::{Access, Cluster};
use naru_rehearsal::api::{Call, Fault};

#[tokio::test]
async fn whose_rights_are_unknown_is_shown_nothing_and_told_why() {
    let world = World::new("sight-unknown").await;
    world.may_list_pods("naru:operator", &["shop"]);
    let mut browser = world.signed_in().await;
    world.store.arrange(Call::May, 0, Fault::Before);
    let page = browser.open("/").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("What you may see could not be found out"),
        "{}",
        page.body
    );
    world.clock.on(6);
    let page = browser.open("/").await;
    assert!(!page.body.contains("could not be found out"));
}

#[tokio::test]
async fn who_may_see_nothing_is_told_so() {
    let world = World::new("sight-nothing").await;
    world.may_list_pods("naru:operator", &[]);
    let page = world.signed_in().await.open("/").await;
    assert!(page.body.contains("Your groups may list pods in no namespace"));
    world
        .provider
        .twist(|claims| claims["groups"] = serde_json::json!(["staff"]));
    let page = world.signed_in().await.open("/").await;
    assert!(
        page.body.contains("Your groups may list pods in no namespace"),
        "no group of ours, no rights"
    );
}

#[tokio::test]
async fn what_is_seen_follows_the_groups() {
    let world = World::new("sight-tags").await;
    world.may_list_pods("naru:viewer", &["shop"]);
    let all = world.signed_in().await.fetch("/live/overview").await;
    world
        .provider
        .twist(|claims| claims["groups"] = serde_json::json!(["naru:viewer"]));
    let some = world.signed_in().await.fetch("/live/overview").await;
    let again = world.signed_in().await.fetch("/live/overview").await;
    assert_ne!(
        all.headers["etag"], some.headers["etag"],
        "other scopes are other views"
    );
    assert_eq!(
        some.headers["etag"], again.headers["etag"],
        "equal scopes share one"
    );
    let ask = Access {
        verb: "list",
        kind: naru_domain::object::Kind::Pod,
        namespace: Some("shop".into()),
        name: None,
    };
    assert_eq!(
        world.store.may(&somebody("naru:viewer"), &[ask]).await.unwrap(),
        [true]
    );
}
