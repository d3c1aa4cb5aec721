//! Tokens that are not what they must be: nobody is let in by one, and nothing is written.

use super::{
    provider::Signing,
    world::{SESSION, World},
};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

async fn refused(world: &World, why: &str, what: &str) {
    let mut browser = world.browser();
    let answer = browser.sign_in(&world.provider, "/").await;
    assert!(!answer.lets_in() && !browser.jar.contains_key(SESSION), "{what}");
    assert_eq!(
        (answer.status, answer.location()),
        (303, &*format!("/login?why={why}")),
        "{what}"
    );
    assert!(!browser.known().await && world.untouched(), "{what}");
}

#[tokio::test]
async fn a_token_with_a_wrong_claim_lets_nobody_in() {
    let world = World::new("claims").await;
    let now = world.provider.now();
    let table: [(&str, &'static str, Value); 18] = [
        ("expired", "exp", json!(now - 120)),
        ("foreign issuer", "iss", json!("https://evil.example")),
        (
            "issuer with a slash",
            "iss",
            json!(format!("{}/", world.provider.url)),
        ),
        ("another audience", "aud", json!("another-client")),
        (
            "audiences without azp",
            "aud",
            json!(["naru-console", "another-client"]),
        ),
        ("another azp", "azp", json!("another-client")),
        ("another nonce", "nonce", json!("another")),
        ("no nonce", "nonce", json!(null)),
        ("made long ago", "iat", json!(now - 3_600)),
        ("made in the future", "iat", json!(now + 600)),
        ("not yet good", "nbf", json!(now + 600)),
        ("expiry as text", "exp", json!("9999999999")),
        (
            "header in sub",
            "sub",
            json!("a\r\nImpersonate-Group: system:masters"),
        ),
        ("space in front of sub", "sub", json!(" 7f3c")),
        ("empty sub", "sub", json!("")),
        ("long sub", "sub", json!("s".repeat(300))),
        ("no sub", "sub", json!(null)),
        ("header in sid", "sid", json!("a\nb")),
    ];
    for (what, claim, value) in table {
        world.provider.twist(move |claims| claims[claim] = value.clone());
        refused(&world, "token", what).await;
    }
}

#[tokio::test]
async fn groups_of_kubernetes_let_nobody_in() {
    let world = World::new("groups").await;
    for groups in [
        json!(["naru:operator", "system:masters"]),
        json!("system:masters"),
        json!(["SYSTEM:masters"]),
    ] {
        world
            .provider
            .twist(move |claims| claims["groups"] = groups.clone());
        refused(&world, "groups", "system:masters").await;
    }
    for groups in [
        json!((0..20).map(|n| format!("naru:g{n}")).collect::<Vec<_>>()),
        json!([{"a": 1}]),
        json!(7),
    ] {
        world
            .provider
            .twist(move |claims| claims["groups"] = groups.clone());
        refused(&world, "groups", "odd groups").await;
    }
}

#[tokio::test]
async fn a_token_that_the_provider_has_not_signed_lets_nobody_in() {
    let world = World::new("signatures").await;
    for signing in [Signing::None, Signing::Confused, Signing::Forged] {
        *world.provider.signing.lock().unwrap() = signing;
        refused(&world, "token", &format!("{signing:?}")).await;
    }
    for signing in [Signing::First, Signing::Ecdsa] {
        *world.provider.signing.lock().unwrap() = signing;
        assert!(
            world.browser().sign_in(&world.provider, "/").await.lets_in(),
            "{signing:?}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_is_looked_for_once() {
    let world = World::new("keys").await;
    let asked = || world.provider.keys_asked.load(Ordering::Relaxed);
    assert!(world.browser().sign_in(&world.provider, "/").await.lets_in());
    assert!(world.browser().sign_in(&world.provider, "/").await.lets_in());
    assert_eq!(asked(), 1);
    // A key that the provider does not have: not looked for within seconds, then once.
    *world.provider.signing.lock().unwrap() = Signing::Second;
    refused(&world, "token", "within seconds").await;
    assert_eq!(asked(), 1);
    world.clock.on(10);
    for _ in 0..5 {
        refused(&world, "token", "once").await;
        world.clock.on(10);
    }
    assert_eq!(asked(), 2);
    // The provider has a new key: found as soon as keys are read again for another reason, at the latest after an hour.
    world.provider.published.lock().unwrap().push("second");
    world.clock.on(60 * 60);
    assert!(world.browser().sign_in(&world.provider, "/").await.lets_in());
    assert_eq!(asked(), 3);
    // It was withdrawn: gone after an hour, too.
    world
        .provider
        .published
        .lock()
        .unwrap()
        .retain(|kid| *kid != "second");
    world.clock.on(60 * 60);
    refused(&world, "token", "withdrawn").await;
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_found_at_once() {
    let world = World::new("rotation").await;
    assert!(world.browser().sign_in(&world.provider, "/").await.lets_in());
    world.clock.on(10);
    world.provider.published.lock().unwrap().insert(0, "second");
    *world.provider.signing.lock().unwrap() = Signing::Second;
    assert!(world.browser().sign_in(&world.provider, "/").await.lets_in());
    assert_eq!(world.provider.keys_asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn clocks_may_be_a_minute_apart_and_no_more() {
    let world = World::new("skew").await;
    for (seconds, good) in [(50, true), (-50, true), (90, false), (-700, false)] {
        world.provider.twist(move |claims| {
            let iat = claims["iat"].as_i64().unwrap() + seconds;
            claims["iat"] = json!(iat);
        });
        assert_eq!(
            world.browser().sign_in(&world.provider, "/").await.lets_in(),
            good,
            "{seconds}"
        );
    }
    world
        .provider
        .twist(|claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 30));
    assert!(world.browser().sign_in(&world.provider, "/").await.lets_in());
}

#[tokio::test]
async fn a_provider_that_floods_or_lies_lets_nobody_in() {
    let world = World::new("floods").await;
    world.provider.floods.store(true, Ordering::Relaxed);
    refused(&world, "provider-away", "a megabyte").await;
    world.provider.floods.store(false, Ordering::Relaxed);
    world
        .provider
        .twist(|claims| claims["name"] = json!("x".repeat(100_000)));
    refused(&world, "token", "a long token").await;
    // A long name is shortened, and moves nothing.
    world
        .provider
        .twist(|claims| claims["name"] = json!(format!("\u{202e}Kim\r\n{}", "가".repeat(1_000))));
    let mut browser = world.browser();
    assert!(browser.sign_in(&world.provider, "/").await.lets_in());
    let page = browser.open("/").await;
    assert!(page.body.contains("Kim가") && !page.body.contains('\u{202e}'));
    assert!(browser.jar[SESSION].len() < 3_800);
}
