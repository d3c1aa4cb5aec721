//! Cookies that were not given, or not to this session, or with other keys.

use super::world::{Browser, KEYS, SESSION, World};
use axum::{body::Body, http::Request};

#[tokio::test]
async fn what_was_not_sealed_here_is_nobodys() {
    let world = World::new("garbled").await;
    let good = world.signed_in().await.jar[SESSION].clone();
    let mut login = world.browser();
    login.open("/login/start").await;
    let login = login.jar.into_values().next().unwrap();
    let cut = good[..good.len() - 4].to_owned();
    let flipped = format!("{}{}", if good.starts_with('A') { 'B' } else { 'A' }, &good[1..]);
    for value in [
        "",
        "x",
        "null",
        "{\"sub\":\"root\"}",
        &cut,
        &flipped,
        &format!("{good}{good}"),
        &login,
        &"A".repeat(20_000),
    ] {
        let mut browser = world.browser();
        browser.jar.insert(SESSION.into(), value.into());
        assert!(!browser.known().await, "{}", &value[..value.len().min(40)]);
        assert_eq!(browser.open("/").await.location(), "/login");
        assert_eq!(browser.write().await.status, 401);
    }
    assert!(world.untouched());
}

#[tokio::test]
async fn two_cookies_of_one_name_are_nobodys() {
    let world = World::new("tossed").await;
    let browser = world.signed_in().await;
    let value = &browser.jar[SESSION];
    let request = Request::get("/live/overview")
        .header("host", "localhost:3000")
        .header("cookie", format!("{SESSION}=evil; {SESSION}={value}"));
    let answer = Browser::of(&world.router)
        .send(request.body(Body::empty()).unwrap())
        .await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn keys_change_without_signing_anybody_out() {
    let world = World::new("key-change").await;
    let old = world.signed_in().await;
    let both = world.replica(&format!("{}\n{}", KEYS[1], KEYS[0])).await;
    let new = world.replica(KEYS[1]).await;
    assert!(old.at(&both).known().await, "the second key opens");
    assert!(!old.at(&new).known().await, "and is gone when it is gone");
    let mut fresh = Browser::of(&both);
    assert!(fresh.sign_in(&world.provider, "/").await.lets_in());
    assert!(fresh.at(&new).known().await, "the first key seals");
    assert!(!fresh.at(&world.router).known().await);
}

#[tokio::test]
async fn too_much_is_too_much() {
    let world = World::new("oversized").await;
    let mut browser = world.signed_in().await;
    let long = browser.post("/logout", &"x".repeat(70_000)).await;
    assert_eq!(long.status, 413);
    assert!(browser.known().await, "nothing of it was looked at");
    let request = Request::get("/live/overview")
        .header("host", "localhost:3000")
        .header(
            "cookie",
            format!("{SESSION}={}; a={}", browser.jar[SESSION], "x".repeat(40_000)),
        );
    let answer = Browser::of(&world.router)
        .send(request.body(Body::empty()).unwrap())
        .await;
    assert_eq!(answer.status, 401);
    let to = format!("/login/start?to=/{}", "a".repeat(5_000));
    let begun = world.browser().open(&to).await;
    assert_eq!(begun.status, 303);
    assert!(begun.headers.get("set-cookie").unwrap().len() < 4_096);
}
