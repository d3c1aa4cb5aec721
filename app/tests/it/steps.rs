//! Canaries that Naru moves by steps, as the page shows them in each phase.

use crate::page::{Fixed, answer, heading, page, router, text};
use axum::body::Body;
use http::Request;
use naru_app::fixtures::Scene::{self, Steps};
use naru_domain::actor::Scope;

async fn shown(phase: &str, lang: &str) -> String {
    page(Steps, &format!("/canary/user-service/{phase}"), lang).await
}

/// A button of the steering, by its word: the tag.
fn button<'a>(html: &'a str, word: &str) -> &'a str {
    let steering = html.split("class=\"act scripted\"").nth(1).unwrap();
    let mut buttons = steering.split("<button").skip(1);
    let found = buttons.find(|it| {
        it.split('<')
            .next()
            .is_some_and(|it| it.ends_with(&format!(">{word}")))
    });
    found
        .unwrap_or_else(|| panic!("{word}"))
        .split('>')
        .next()
        .unwrap()
}

#[tokio::test]
async fn each_phase_is_said_first_in_both_languages() {
    for (phase, en, ko) in [
        (
            "waiting",
            "waiting: v2 has not begun, first step 10 %",
            "waiting: v2 시작 전, 첫 단계 10 %",
        ),
        (
            "moving",
            "moving: v2 is being set to 50 %",
            "moving: v2을(를) 50 %로 설정하는 중",
        ),
        (
            "dwelling",
            "dwelling: v2 at 25 %, next 50 %",
            "dwelling: v2 25 %, 다음 50 %",
        ),
        ("held", "held: v2 holds at 25 %", "held: v2 25 %에서 대기"),
        (
            "paused",
            "paused: v2 paused at 25 %",
            "paused: v2 25 %에서 일시 정지",
        ),
        (
            "rollingback",
            "rollingback: v2 at 25 %, being rolled back",
            "rollingback: v2 25 %, 되돌리는 중",
        ),
        (
            "rolledback",
            "rolledback: v2 was rolled back, v1 has all requests",
            "rolledback: v2 되돌림 완료, 모든 요청은 v1(으)로",
        ),
        (
            "promoted",
            "promoted: v2 has all requests, v1 is kept",
            "promoted: 모든 요청이 v2(으)로, v1 유지 중",
        ),
        (
            "finished",
            "finished: v2 has all requests, finished",
            "finished: 모든 요청이 v2(으)로, 완료",
        ),
        (
            "stopped",
            "stopped: Stopped with v2 at 40 %: a person must look",
            "stopped: v2 40 %에서 멈춤: 사람이 확인해야 함",
        ),
    ] {
        assert_eq!(heading(&shown(phase, "en").await), en);
        assert_eq!(heading(&shown(phase, "ko").await), ko);
    }
}

#[tokio::test]
async fn a_step_that_lasts_shows_where_it_is_how_long_yet_and_how_both_compare() {
    let html = shown("dwelling", "en").await;
    let said = text(&html);
    for part in [
        "It goes on in 3:12, if nothing speaks against it.",
        "Canary user-service-19ab2f, approved by 김하늘 · In force since 6 min ago",
        "10 % , done",
        "25 % , in force",
        "3:12 left lasts until 2026-11-23 14:05:19 UTC",
        "50 % , ahead 10 min 500 requests",
        "Is v2 worse than v1?",
        "Failed requests ● Within limit 0.11 % 0.14 % +0.03 (−0.21 to +0.61) +1.00 points 12,118",
        "Requests over 200 ms",
        // Who sets weights by hand knows what they do.
        "Naru moves these weights by the steps of Canary user-service-19ab2f.",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    assert_eq!(html.matches("aria-current=\"step\"").count(), 1);
    assert!(!html.contains("role=\"alert\""), "nothing alarms");
    assert!(!said.contains("The step lasts until"), "the rail says it");
    assert!(!html.contains(" style="), "no style attribute");
}

#[tokio::test]
async fn what_holds_it_is_said_and_what_every_step_takes_is_left_to_the_rail() {
    let said = text(&shown("held", "en").await);
    let at = |part: &str| said.find(part).unwrap_or_else(|| panic!("{part:?} in {said}"));
    let unusual = at("Slow requests: more than allowed so far, which may still be chance.");
    assert!(at("Each pod of the new version carries 2.6 times") < unusual);
    assert!(unusual < at("312 of 500 requests"));
    assert!(!said.contains("The new version has answered"), "{said}");
    for part in [
        "▲ Not decided",
        "Failed requests: more than allowed over the last 10 minutes",
        "last 10 minutes alone; it only holds",
        "at this weight alone",
        "What was counted before 2026-11-23",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    // The odd one names this route.
    assert!(said.contains(
        "Canary user-service/user-service-odd cannot be read: steps[1].weight: must be above the step before"
    ));
}

#[tokio::test]
async fn an_alarm_is_one_and_is_told_once() {
    for (phase, sentence) in [
        (
            "rollingback",
            "3 pods of the stable version are ready, and all requests need 4.",
        ),
        (
            "rolledback",
            "Failed requests: more than allowed, and not by chance.",
        ),
        (
            "stopped",
            "kubectl-edit changed the weights, so Naru has stopped.",
        ),
    ] {
        let html = shown(phase, "en").await;
        let alert = html
            .split("role=\"alert\"")
            .nth(1)
            .unwrap_or_else(|| panic!("{phase}"));
        assert!(text(alert).contains(sentence), "{phase}");
        assert_eq!(text(&html).matches(sentence).count(), 1, "{phase}");
    }
    assert!(text(&shown("rollingback", "en").await).contains("◆ Worse"));
}

#[tokio::test]
async fn what_cannot_be_steered_says_why() {
    let html = shown("dwelling", "en").await;
    for word in ["Pause", "Promote", "Abort"] {
        assert!(!button(&html, word).contains("disabled"), "{word}");
    }
    let paused = shown("paused", "en").await;
    assert!(!button(&paused, "Go on").contains("disabled"));
    let promoted = shown("promoted", "en").await;
    assert!(!button(&promoted, "Take back").contains("disabled"));
    assert!(button(&promoted, "Promote").contains("disabled"));
    assert!(text(&promoted).contains("v1 is needed until 2026-11-24 13:02:07 UTC"));
    for phase in ["rolledback", "finished", "stopped"] {
        let html = shown(phase, "ko").await;
        for word in ["일시 정지", "승급", "중단"] {
            assert!(button(&html, word).contains("disabled"), "{phase} {word}");
        }
        assert!(text(&html).contains("끝난 카나리이므로 조종할 것이 없습니다."));
        // What is over stands in nobody's way.
        assert!(!text(&html).contains("여기서 가중치를 바꾸면"));
        assert!(text(&html).contains("나루에게 단계 진행 맡기기"));
    }
    let request = Request::get("/canary/user-service/held")
        .body(Body::empty())
        .unwrap();
    let console = Fixed {
        scene: Steps,
        read_only: true,
    };
    let html = answer(router(console, Scope::all()), request).await.1;
    assert!(button(&html, "Abort").contains("disabled"));
    assert!(button(&html, "Abort").contains("title=\"This server may only read"));
}

#[tokio::test]
async fn what_two_canaries_name_and_what_moves_nothing_is_said() {
    let html = shown("two", "en").await;
    assert_eq!(heading(&html), "two: v1 75 %, v2 25 %");
    let said = text(&html);
    for part in [
        "Several Canaries name this rule: user-service-19ab2f, user-service-second.",
        "v2 at 25 %, next 50 %",
        "Canary user-service-19ab2f moves this rule already, so this one does nothing.",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    let list = text(&page(Steps, "/canary", "en").await);
    for part in [
        "Canary user-service/user-service-gone names rule 1 of VirtualService gone, and there is no weighted rule.",
        "Holding v2 holds at 25 %",
        "Rolled back v2 was rolled back, v1 has all requests",
    ] {
        assert!(list.contains(part), "{part:?} in {list}");
    }
}

#[tokio::test]
async fn only_a_rule_of_two_that_is_nobodys_can_be_handed_over() {
    let offer = "Let Naru take the steps";
    let free = page(Scene::Busy, "/canary/user-service/user-service-canary", "en").await;
    assert!(text(free.split("<dialog").next().unwrap()).contains(offer));
    for (scene, uri) in [
        (Scene::Busy, "/canary/payment/payment-rollout"),
        (Scene::Busy, "/canary/httproute/user-service/user-service-canary"),
        (Steps, "/canary/user-service/held"),
    ] {
        let html = page(scene, uri, "en").await;
        assert!(
            !text(html.split("<dialog").next().unwrap()).contains(offer),
            "{uri}"
        );
    }
}
