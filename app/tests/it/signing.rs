//! What people put their names to, as the pages show it: each sort of signature, what holds up the next phase, what is passed over and
//! accepted, what happened; and where nothing can be signed, that nothing is offered.

use crate::page::{Fixed, answer, heading, page, router, text};
use axum::body::Body;
use http::Request;
use naru_app::fixtures::Scene;
use naru_domain::actor::Scope;

fn say_all(html: &str, all: &[&str]) {
    let text = text(html);
    for said in all {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

/// The opening tag of the button with this word.
fn button<'a>(html: &'a str, word: &str) -> Option<&'a str> {
    let all = html.split("<button").skip(1);
    let mut of_word = all.filter(|it| {
        let whole = it.split("</button>").next().unwrap();
        text(&format!("<button{whole}")) == word
    });
    of_word.next().map(|it| it.split('>').next().unwrap())
}

#[tokio::test]
async fn the_answer_tells_done_from_met_and_each_signature_has_its_word() {
    let html = page(Scene::Busy, "/checklist", "en").await;
    let heading = heading(&html);
    assert!(heading.starts_with("Phase 1 of 4 · 2 of 16 done · "), "{heading}");
    assert!(heading.ends_with(" met · 1 open again"), "{heading}");
    say_all(
        &html,
        &[
            "✓ Signed 김나루",
            "… Signed, being checked",
            "◐ Second signature missing",
            "↻ Open again",
            "○ Not signed",
            "◌ Passed over until 2026-12-07",
            "1 finding accepted",
        ],
    );
    assert_eq!(
        html.matches("class=\"item alarm\"").count(),
        1,
        "what is open again stands out"
    );
    let html = page(Scene::Busy, "/checklist", "ko").await;
    say_all(
        &html,
        &[
            "✓ 서명됨 김나루",
            "… 서명됨, 확인 중",
            "◐ 확인 서명 필요",
            "↻ 다시 열림",
            "○ 서명 없음",
            "◌ 2026-12-07까지 면제",
            "수용한 발견 사항 1개",
        ],
    );
}

#[tokio::test]
async fn what_holds_up_the_next_phase_is_named_once() {
    let html = page(Scene::Busy, "/checklist", "en").await;
    say_all(
        &html,
        &[
            "Phase 2 may not begin yet",
            "1.4 is signed, and being checked",
            "2.1 waits for a second signature",
            "2.2 is open again",
            "items of earlier phases are open",
            "The last phase is not over yet",
        ],
    );
    assert_eq!(text(&html).matches("1.4 is signed, and being checked").count(), 1);
    say_all(
        &page(Scene::Busy, "/checklist", "ko").await,
        &["2단계를 아직 시작할 수 없습니다", "1.4 서명 확인 중"],
    );
}

#[tokio::test]
async fn the_end_of_the_chain_is_there_to_be_kept() {
    let html = page(Scene::Busy, "/checklist", "en").await;
    say_all(&html, &["4 signatures, each bound to the one before it."]);
    let head = html.split("<code class=\"digest\">").nth(1).unwrap();
    let head: String = head.chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!(head.len(), 64);
    say_all(&html, &[&format!("naru verify FILE --head {head}")]);
}

#[tokio::test]
async fn a_signature_says_whose_it_is_and_what_they_said() {
    let html = page(Scene::Busy, "/checklist/1.1", "en").await;
    say_all(
        &html,
        &[
            "Signed by 김나루 7f3c · https://id.buildingbite.example/realms/buildingbite",
            "Second person Lee 91aa",
            "2026-11-23 10:43:07 UTC",
            "Looked at together with the <b> team.",
            "Accepted by Naru",
        ],
    );
    assert!(!html.contains("<b> team"), "what people write is text");
    assert!(button(&html, "Take the signature back").is_some());
    assert!(button(&html, "Sign").is_none(), "it is signed");
    assert!(button(&html, "Pass over").is_some());
}

#[tokio::test]
async fn a_second_person_is_asked_for_and_what_is_open_again_says_why() {
    let html = page(Scene::Busy, "/checklist/2.1", "en").await;
    say_all(
        &html,
        &["Second signature missing", "Two people have to sign this item."],
    );
    assert!(button(&html, "Sign as the second person").is_some());
    let html = page(Scene::Busy, "/checklist/2.1", "ko").await;
    say_all(&html, &["확인 서명 필요", "두 사람이 서명해야 하는 항목입니다."]);
    assert!(button(&html, "확인 서명").is_some());
    let html = page(Scene::Busy, "/checklist/2.2", "en").await;
    say_all(
        &html,
        &[
            "↻ Open again",
            "Why it does not count",
            "Found: not-injected in Namespace user-service",
            "Opened again by Naru",
        ],
    );
}

#[tokio::test]
async fn what_is_accepted_or_passed_over_tells_who_why_and_until_when() {
    let html = page(Scene::Busy, "/checklist/1.2", "en").await;
    say_all(
        &html,
        &[
            "Accepted until 2026-12-07",
            "The old certificate is served until the audit on Friday.",
            "Who sees to it meanwhile platform team Decided by 김나루 7f3c",
            "Finding accepted",
        ],
    );
    assert!(
        html.contains("aria-label=\"Take back that route-gateway-absent in"),
        "it can be taken back"
    );
    let html = page(Scene::Busy, "/checklist/1.3", "ko").await;
    say_all(
        &html,
        &[
            "2026-12-07까지 면제",
            "그동안의 담당 platform team 결정한 사람 김나루 7f3c",
            "이력",
            "면제",
        ],
    );
    assert!(html.contains("aria-label=\"면제 철회(1.3-later)\""));
    assert!(button(&html, "면제").is_none(), "it is passed over already");
}

#[tokio::test]
async fn where_nothing_was_judged_nothing_can_be_signed() {
    for scene in [Scene::Empty, Scene::Stale, Scene::Unreachable] {
        let html = page(scene, "/checklist/4.3", "en").await;
        say_all(
            &html,
            &["It cannot be signed now", "The checklist was not judged yet."],
        );
        for word in ["Sign", "Sign as the second person", "Pass over", "Accept"] {
            assert!(button(&html, word).is_none(), "{word} in {scene:?}");
        }
        let html = text(&page(scene, "/checklist", "en").await);
        assert!(
            !html.contains("may begin"),
            "what is not known opens no phase: {html}"
        );
    }
}

#[tokio::test]
async fn who_may_only_read_is_offered_nothing_and_reads_everything() {
    let console = Fixed {
        scene: Scene::Busy,
        read_only: true,
    };
    let request = Request::get("/checklist/1.2").body(Body::empty()).unwrap();
    let (_, html) = answer(router(console, Scope::all()), request).await;
    for word in ["Sign", "Pass over", "Accept", "Take back"] {
        assert!(button(&html, word).is_none(), "{word}");
    }
    say_all(
        &html,
        &[
            "This server may only read.",
            "Accepted until 2026-12-07",
            "History",
        ],
    );
}
