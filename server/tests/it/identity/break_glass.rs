//! The way in when the provider is down: a token of the cluster's.

use super::world::{Browser, KEYS, SESSION, World};
use axum::{body::Body, http::Request};
use naru::sessions::{Means, kubernetes::Kubernetes};
use naru_domain::Name;
use naru_ports::{ClusterError, TokenUser, Tokens};
use std::sync::{Arc, Mutex};

/// Knows one token.
struct Judge {
    asked: Mutex<Vec<String>>,
    groups: Vec<&'static str>,
    uid: &'static str,
}

#[async_trait::async_trait]
impl Tokens for Judge {
    async fn review(&self, token: &str) -> Result<Option<TokenUser>, ClusterError> {
        self.asked.lock().unwrap().push(token.to_owned());
        match token {
            "good.token" => Ok(Some(TokenUser {
                name: "system:serviceaccount:ops:door".into(),
                uid: self.uid.into(),
                groups: self.groups.iter().map(|it| Name::from(*it)).collect(),
            })),
            "down" => Err(ClusterError::Unreachable("refused".into())),
            _ => Ok(None),
        }
    }
}

async fn door(test: &str, uid: &'static str) -> (World, Arc<Judge>, axum::Router) {
    let world = World::new(test).await;
    let judge = Arc::new(Judge {
        asked: Mutex::default(),
        groups: vec!["naru:operator"],
        uid,
    });
    let router = world
        .with(KEYS[0], Means::Kubernetes(Kubernetes::new(judge.clone())))
        .await;
    (world, judge, router)
}

#[tokio::test]
async fn a_pasted_token_is_a_session_and_is_kept_nowhere() {
    let (world, judge, router) = door("pasted", "u-1").await;
    let mut browser = Browser::of(&router);
    assert_eq!(browser.open("/changes").await.location(), "/login?to=/changes");
    let page = browser.open("/login?to=/changes").await;
    assert!(page.body.contains("action=\"/login/token\"") && page.body.contains("type=\"password\""));
    assert!(!page.body.contains("/login/start"));
    let answer = browser.post("/login/token", "token=good.token&to=/changes").await;
    assert_eq!(
        (answer.status, answer.location(), answer.lets_in()),
        (303, "/changes", true)
    );
    assert!(
        browser
            .open("/changes")
            .await
            .body
            .contains("system:serviceaccount:ops:door")
    );
    assert!(!browser.jar[SESSION].contains("good") && !answer.body.contains("good.token"));
    assert_eq!(judge.asked.lock().unwrap().len(), 1, "it is asked about once");
    // A quarter of an hour, without renewal.
    world.clock.on(15 * 60 + 1);
    assert!(!browser.known().await);
    assert_eq!(
        browser.open("/changes").await.location(),
        "/login?to=/changes&why=lapsed"
    );
}

#[tokio::test]
async fn a_token_that_is_not_good_lets_nobody_in() {
    let (world, _, router) = door("bad-token", "u-1").await;
    for (form, why) in [
        ("token=other", "token"),
        ("token=", "token"),
        ("token=good.token%0d%0aImpersonate-Group:+system:masters", "token"),
        ("token=down", "cluster"),
    ] {
        let answer = Browser::of(&router).post("/login/token", form).await;
        assert!(!answer.lets_in());
        assert_eq!(answer.location(), format!("/login?why={why}"), "{form}");
    }
    assert_eq!(Browser::of(&router).post("/login/token", "x=y").await.status, 422);
    let foreign = Browser::of(&router)
        .post_from("https://evil.example", "/login/token", "token=good.token")
        .await;
    assert_eq!((foreign.status, foreign.lets_in()), (403, false));
    let elsewhere = Browser::of(&router)
        .post("/login/token", "token=good.token&to=//evil.example")
        .await;
    assert_eq!(elsewhere.location(), "/");
    assert!(world.untouched());
}

#[tokio::test]
async fn a_subject_that_could_be_anothers_is_nobodys() {
    let (_, _, router) = door("odd-uid", "u\r\nImpersonate-Group: system:masters").await;
    let answer = Browser::of(&router)
        .post("/login/token", "token=good.token")
        .await;
    assert_eq!((answer.lets_in(), answer.location()), (false, "/login?why=token"));
}

#[tokio::test]
async fn a_forwarded_token_is_judged_and_not_asked_about_for_each_request() {
    let (world, judge, router) = door("forwarded", "").await;
    let ask = |value: &'static str| {
        let request = Request::get("/live/overview")
            .header("host", "localhost:3000")
            .header("authorization", value);
        let mut browser = Browser::of(&router);
        async move { browser.send(request.body(Body::empty()).unwrap()).await.status }
    };
    for _ in 0..5 {
        assert_eq!(ask("Bearer good.token").await, 200);
    }
    assert_eq!(judge.asked.lock().unwrap().len(), 1);
    world.clock.on(11);
    assert_eq!(ask("bearer good.token").await, 200);
    assert_eq!(judge.asked.lock().unwrap().len(), 2);
    for value in [
        "Bearer other",
        "Bearer down",
        "Bearer",
        "Basic good.token",
        "good.token",
        "Bearer good.token x",
    ] {
        assert_eq!(ask(value).await, 401, "{value}");
    }
}

#[tokio::test]
async fn a_session_of_one_way_in_is_none_of_another() {
    let (world, _, router) = door("ways", "u-1").await;
    let mut by_token = Browser::of(&router);
    assert!(by_token.post("/login/token", "token=good.token").await.lets_in());
    assert!(
        !by_token.at(&world.router).known().await,
        "a provider's console knows no tokens"
    );
    let by_provider = world.signed_in().await;
    assert!(!by_provider.at(&router).known().await);
    // A bearer token is nothing to a console with a provider.
    let request = Request::get("/live/overview")
        .header("host", "localhost:3000")
        .header("authorization", "Bearer good.token");
    assert_eq!(
        world
            .browser()
            .send(request.body(Body::empty()).unwrap())
            .await
            .status,
        401
    );
    // Nor are there ways that lead nowhere.
    let mut browser = Browser::of(&router);
    assert_eq!(browser.open("/login/start").await.status, 404);
    let answer = world.browser().post("/login/token", "token=good.token").await;
    assert!((answer.status == 404 || answer.status == 405) && !answer.lets_in());
}

#[tokio::test]
async fn whoever_signs_out_is_out_even_where_the_list_cannot_be_read() {
    let (world, _, router) = door("no-list", "u-1").await;
    world.store.remove(naru_domain::object::Kind::RevokedSessions);
    let mut browser = Browser::of(&router);
    assert!(browser.post("/login/token", "token=good.token").await.lets_in());
    assert!(
        browser.write().await.body.contains("\"forbidden\""),
        "the way in of an emergency may act"
    );
    let mut kept = browser.clone();
    assert_eq!(
        browser.post("/logout", "").await.location(),
        "/login?why=signed-out-here"
    );
    assert!(!kept.known().await);
}
