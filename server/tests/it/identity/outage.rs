//! Sessions near their end, and while the provider is away.

use super::world::{SESSION, World};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_session_is_renewed_in_silence_before_it_ends() {
    let world = World::new("renewed").await;
    let mut browser = world.signed_in().await;
    world.clock.on(11 * 60);
    assert_eq!(
        browser.open("/changes").await.status,
        200,
        "four minutes are left"
    );
    world.clock.on(90);
    // A script is not sent away; it may go on.
    assert!(browser.known().await);
    let answer = browser.open("/changes?ns=a").await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, "/login/renew?to=/changes%3Fns%3Da")
    );
    let begun = browser.open("/login/renew?to=/changes%3Fns%3Da").await;
    assert!(begun.location().contains("prompt=none"));
    let before = browser.jar[SESSION].clone();
    let back = world.provider.authorize(begun.location());
    let answer = browser.open(&back).await;
    assert_eq!((answer.lets_in(), answer.location()), (true, "/changes?ns=a"));
    assert_ne!(browser.jar[SESSION], before);
    let mut former = world.browser();
    former.jar.insert(SESSION.into(), before);
    assert!(former.known().await, "it lasts to its end");
    world.clock.on(2 * 60);
    assert!(former.known().await && browser.known().await);
    // Signing out ends it with all its former cookies.
    browser.post("/logout", "").await;
    assert!(!former.known().await);
}

#[tokio::test]
async fn where_the_provider_would_ask_the_session_goes_on_to_its_end() {
    let world = World::new("would-ask").await;
    let mut browser = world.signed_in().await;
    world.provider.would_ask.store(true, Ordering::Relaxed);
    world.clock.on(13 * 60);
    let renew = browser.open("/changes").await.location().to_owned();
    let begun = browser.open(&renew).await;
    let answer = browser.open(&world.provider.authorize(begun.location())).await;
    assert_eq!(
        (answer.status, answer.location(), answer.lets_in()),
        (303, "/changes", false)
    );
    assert_eq!(
        browser.open("/changes").await.status,
        200,
        "it is not sent there again and again"
    );
    world.clock.on(3 * 60);
    assert!(!browser.known().await, "it ended at its time");
    let answer = browser.open("/changes").await;
    assert_eq!(answer.location(), "/login?to=/changes&why=lapsed");
}

#[tokio::test]
async fn an_ended_session_is_renewed_if_the_provider_still_knows_its_person() {
    let world = World::new("ended").await;
    let mut browser = world.signed_in().await;
    world.clock.on(20 * 60);
    assert!(!browser.known().await);
    let answer = browser.open("/canary").await;
    assert_eq!(answer.location(), "/login/renew?to=/canary");
    let begun = browser.open("/login/renew?to=/canary").await;
    assert!(
        browser
            .open(&world.provider.authorize(begun.location()))
            .await
            .lets_in()
    );
    assert!(browser.known().await);
    // Nobody becomes somebody else that way, and nobody is let in who was not.
    world.clock.on(20 * 60);
    world
        .provider
        .twist(|claims| claims["sub"] = serde_json::json!("somebody-else"));
    let begun = browser.open("/login/renew").await;
    assert!(
        !browser
            .open(&world.provider.authorize(begun.location()))
            .await
            .lets_in()
    );
    let mut nobody = world.browser();
    let begun = nobody.open("/login/renew").await;
    assert!(
        !nobody
            .open(&world.provider.authorize(begun.location()))
            .await
            .lets_in()
    );
}

#[tokio::test]
async fn while_the_provider_is_away_people_may_read_and_not_write() {
    let world = World::new("away").await;
    let mut browser = world.signed_in().await;
    let mut late = world.signed_in().await;
    world.provider.down.store(true, Ordering::Relaxed);
    world.clock.on(13 * 60);
    assert_eq!(
        browser.open("/changes").await.status,
        200,
        "nobody is sent to a provider that is away"
    );
    assert!(
        browser.write().await.body.contains("forbidden"),
        "the session lasts, and may act"
    );
    world.clock.on(7 * 60);
    let page = browser.open("/changes").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("nothing can be changed until it is back"),
        "{}",
        page.body
    );
    assert!(page.body.contains("READ-ONLY"));
    let refused = browser.write().await;
    assert_eq!(
        (refused.status, &*refused.body),
        (403, r#"{"failed":"read-only","why":"provider-away"}"#)
    );
    assert!(browser.known().await);
    assert_eq!(
        world.browser().open("/login/start").await.location(),
        "/login?why=provider-away"
    );
    // Whoever signs out is out, even now.
    let mut other = browser.clone();
    browser.post("/logout", "").await;
    assert!(!other.known().await);
    // It does not last for ever.
    assert!(late.known().await);
    world.clock.on(5 * 60 * 60);
    assert!(!late.known().await);
}

#[tokio::test]
async fn when_the_provider_is_back_so_is_its_word() {
    let world = World::new("back").await;
    let mut browser = world.signed_in().await;
    world.provider.down.store(true, Ordering::Relaxed);
    world.clock.on(60 * 60);
    assert!(browser.known().await);
    world.provider.down.store(false, Ordering::Relaxed);
    world.clock.on(11);
    assert!(!browser.known().await);
    assert_eq!(browser.open("/").await.location(), "/login/renew");
    world.clock.on(5 * 60 * 60);
    world.provider.down.store(true, Ordering::Relaxed);
    assert!(
        !browser.known().await,
        "an outage of now does not bring back a session of this morning"
    );
}

#[tokio::test]
async fn without_the_list_of_ended_sessions_nothing_is_written() {
    let world = World::new("list").await;
    world.store.remove(naru_domain::object::Kind::RevokedSessions);
    let mut browser = world.signed_in().await;
    while !browser.write().await.body.contains("revocations-unknown") {
        tokio::task::yield_now().await;
    }
    assert_eq!(browser.write().await.status, 403);
    assert!(
        browser
            .open("/")
            .await
            .body
            .contains("list of ended sessions cannot be read")
    );
    let mut kept = browser.clone();
    let answer = browser.post("/logout", "").await;
    assert_eq!(
        answer.location(),
        "/login?why=signed-out-here",
        "it is said that others could not be told"
    );
    assert!(!kept.known().await);
}
