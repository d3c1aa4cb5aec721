//! The provider says that a session has ended, and others say so who are not the provider.

use super::{
    provider::{EVENT, Signing},
    world::{Answer, Browser, World},
};
use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};

async fn told(world: &World, token: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/logout/backchannel")
        .header("host", "localhost:3000")
        .header("content-type", "application/x-www-form-urlencoded");
    Browser::of(&world.router)
        .send(request.body(Body::from(format!("logout_token={token}"))).unwrap())
        .await
}

#[tokio::test]
async fn a_session_that_ends_at_the_provider_ends_here_on_every_replica() {
    let world = World::new("back-channel").await;
    let other = world.replica(super::world::KEYS[0]).await;
    let mut browser = world.signed_in().await;
    let claims = world.provider.logout("j-1", "sso-1");
    let answer = told(&world, &world.provider.sign("logout+jwt", &claims)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!browser.known().await);
    let mut elsewhere = browser.at(&other);
    while elsewhere.known().await {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.ended().await, 1);
}

#[tokio::test]
async fn a_person_who_is_signed_out_everywhere_may_come_back() {
    let world = World::new("back-channel-sub").await;
    let mut browser = world.signed_in().await;
    let mut claims = world.provider.logout("j-1", "");
    claims.as_object_mut().unwrap().remove("sid");
    claims["sub"] = json!("somebody-else");
    assert_eq!(
        told(&world, &world.provider.sign("logout+jwt", &claims))
            .await
            .status,
        200
    );
    assert!(browser.known().await, "somebody else's end is not theirs");
    claims["sub"] = json!("7f3c-91");
    claims["jti"] = json!("j-2");
    assert_eq!(
        told(&world, &world.provider.sign("logout+jwt", &claims))
            .await
            .status,
        200
    );
    assert!(!browser.known().await);
    world.clock.on(10);
    assert!(world.signed_in().await.known().await);
}

#[tokio::test]
async fn what_is_no_logout_token_ends_nothing() {
    let world = World::new("no-logout").await;
    let mut browser = world.signed_in().await;
    let good = || world.provider.logout("j-1", "sso-1");
    let with = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let now = world.provider.now();
    for (what, claims) in [
        ("no events", without("events")),
        (
            "other events",
            with("events", json!({"http://schemas.openid.net/event/other": {}})),
        ),
        ("event is true", with("events", json!({EVENT: true}))),
        ("nonce", with("nonce", json!("n"))),
        ("no subject or session", without("sid")),
        ("no jti", without("jti")),
        ("old", with("iat", json!(now - 3_600))),
        ("of the future", with("iat", json!(now + 3_600))),
        ("run out", with("exp", json!(now - 3_600))),
        ("foreign issuer", with("iss", json!("https://evil.example"))),
        ("another client", with("aud", json!("another-client"))),
        ("header in sid", with("sid", json!("sso-1\r\nx: y"))),
    ] {
        let answer = told(&world, &world.provider.sign("logout+jwt", &claims)).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (400, r#"{"error":"invalid_request"}"#),
            "{what}"
        );
    }
    for typ in ["JWT", "", "at+jwt"] {
        assert_eq!(
            told(&world, &world.provider.sign(typ, &good())).await.status,
            400,
            "{typ}"
        );
    }
    for signing in [Signing::None, Signing::Confused, Signing::Forged] {
        *world.provider.signing.lock().unwrap() = signing;
        assert_eq!(
            told(&world, &world.provider.sign("logout+jwt", &good()))
                .await
                .status,
            400,
            "{signing:?}"
        );
    }
    for text in ["", "x", "a.b.c", "a&logout_token=b"] {
        assert_eq!(told(&world, text).await.status, 400, "{text}");
    }
    assert!(browser.known().await && world.untouched());
}

#[tokio::test]
async fn a_logout_token_is_taken_once() {
    let world = World::new("replayed").await;
    let token = world
        .provider
        .sign("logout+jwt", &world.provider.logout("j-1", "sso-9"));
    assert_eq!(told(&world, &token).await.status, 200);
    let before = world.store.audit().len();
    assert_eq!(told(&world, &token).await.status, 400);
    assert_eq!(world.store.audit().len(), before, "nothing was written for it");
    // An id_token is none, whoever holds it.
    let id_token = json!({"iss": world.provider.url, "aud": "naru-console", "sub": "7f3c-91", "sid": "sso-1", "nonce": "n",
        "iat": world.provider.now(), "exp": world.provider.now() + 300});
    assert_eq!(
        told(&world, &world.provider.sign("JWT", &id_token)).await.status,
        400
    );
}

#[tokio::test]
async fn what_could_not_be_written_down_may_be_told_again() {
    let world = World::new("told-again").await;
    world.store.reachable(false);
    let token = world
        .provider
        .sign("logout+jwt", &world.provider.logout("j-1", "sso-1"));
    assert_eq!(told(&world, &token).await.status, 503);
    world.store.reachable(true);
    assert_eq!(told(&world, &token).await.status, 200);
    assert_eq!(world.ended().await, 1);
}
