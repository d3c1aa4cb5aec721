//! What each page says on a busy day.

use crate::page::{heading, page, text};
use naru_app::fixtures::Scene::Busy;

#[tokio::test]
async fn the_overview_answers_first() {
    let html = page(Busy, "/", "en").await;
    assert_eq!(heading(&html), "3 call paths fail or degrade");
    let text = text(&html);
    for said in [
        "REHEARSAL",
        // Who has no sidecar has no name either.
        "Unknown caller product-service/",
        "6 of 9 workloads in the mesh",
        "default/ sangsang-plus-gateway",
        "7.31 %",
        "503 UO",
        "v1 90 %, v2 10 %",
        "observed v1 90.1 %, v2 9.9 % (n = 12,118)",
        "Prometheus 9 s ago",
        "1 change needs a person",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[tokio::test]
async fn the_overview_speaks_korean() {
    let html = page(Busy, "/", "ko-KR,ko;q=0.9,en;q=0.8").await;
    assert!(html.contains("<html lang=\"ko\""));
    assert_eq!(heading(&html), "호출 경로 3개에서 실패 또는 저하 발생");
    let text = text(&html);
    for said in [
        "예행연습",
        "워크로드 9개 중 6개가 메시에 편입",
        "Prometheus 9초 전",
        "진행 중인 카나리",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[tokio::test]
async fn the_url_chooses_language_and_colours_and_the_cookie_remembers() {
    let html = page(Busy, "/?lang=ko&theme=dark", "en").await;
    assert!(html.contains("<html lang=\"ko\" data-theme=\"dark\""));
    assert!(html.contains("lang=en"), "the other language is a link");
}

#[tokio::test]
async fn the_graph_is_drawn_by_the_server() {
    let html = page(Busy, "/topology", "en").await;
    assert_eq!(heading(&html), "2 of 6 call paths fail or degrade");
    assert_eq!(html.matches("class=\"node").count(), 9);
    assert_eq!(html.matches("class=\"edge ").count(), 8);
    for said in [
        // Inferred, ageing and unprotected edges are told apart, not by colour alone.
        "class=\"edge idle inferred\"",
        "from Ingress, not measured",
        "class=\"edge idle ageing\"",
        "Last seen 4 min ago",
        "class=\"lock warn half\"",
        "57.6/s · 7.31 % · 48.3 ms · 94.20 %",
        "Why unknown?",
        "no sidecar",
    ] {
        assert!(html.contains(said), "{said:?}");
    }
    // The same rows as a table.
    let text = text(&html);
    for said in [
        "8 of 8",
        "94.20 % mTLS",
        "plaintext",
        "Unknown caller product-service/ product-service http 3.62",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[tokio::test]
async fn namespaces_and_search_are_in_the_url() {
    let html = page(Busy, "/topology?ns=user-service", "en").await;
    assert_eq!(
        html.matches("class=\"node").count(),
        3,
        "both versions and their caller"
    );
    let html = page(Busy, "/topology?find=error%3E1", "en").await;
    assert_eq!(html.matches("class=\"edge ").count(), 1);
    let html = page(Busy, "/topology?find=pod:x", "en").await;
    assert!(text(&html).contains("Not understood: pod:x"));
    assert_eq!(
        html.matches("class=\"edge ").count(),
        8,
        "what is not understood hides nothing"
    );
}

#[tokio::test]
async fn a_selected_unknown_caller_says_who_it_could_be() {
    let html = page(Busy, "/topology?sel=unknown///unknown", "en").await;
    let text = text(&html);
    for said in [
        "batch/settlement-batch",
        "monitoring/prometheus",
        "something without a sidecar",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[tokio::test]
async fn a_selected_call_says_what_retries_hide() {
    let key = "workload//default/sangsang-plus-gateway%3Eworkload//product-service/product-service%3Ehttp";
    let html = page(Busy, &format!("/topology?sel={key}"), "en").await;
    let text = text(&html);
    for said in [
        "Retries hide failures: 14.12 % of the attempts fail.",
        "503 UO",
        "94.20 % mTLS",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[tokio::test]
async fn every_weighted_route_is_listed() {
    let html = page(Busy, "/canary", "en").await;
    assert_eq!(heading(&html), "4 weighted routes, 2 in flight");
    assert!(html.contains("href=\"/canary/user-service/user-service-canary\""));
    let text = text(&html);
    for said in [
        "Written by Argo Rollouts",
        "No DestinationRule defines subset v2 of product-service",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[tokio::test]
async fn a_canary_shows_set_and_observed_beside_each_other() {
    let html = page(Busy, "/canary/user-service/user-service-canary", "en").await;
    assert_eq!(heading(&html), "user-service-canary: v1 90 %, v2 10 %");
    let text = text(&html);
    for said in [
        "Rule 2, main",
        "Observed 13:51:10 to 14:01:58 UTC, 12,118 requests, 95 % interval",
        "9.9 % (9.4–10.4)",
        "The intended weight is inside the observed interval.",
        "3 requests reached no destination",
        "100 % v1",
        "needs JavaScript",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
    assert_eq!(html.matches("type=\"range\"").count(), 2);
    assert_eq!(html.matches("type=\"number\"").count(), 2);
}

#[tokio::test]
async fn an_http_route_is_told_by_shares_with_what_it_sets_and_what_is_not_done_with_it() {
    let list = page(Busy, "/canary", "en").await;
    assert!(list.contains("href=\"/canary/httproute/user-service/user-service-canary\""));
    assert!(text(&list).contains("HTTPRoute · Rule 1"));
    let html = page(Busy, "/canary/httproute/user-service/user-service-canary", "en").await;
    let shares = "user-service-v1 90 %, user.next.svc.cluster.local 10 %";
    assert_eq!(heading(&html), format!("user-service-canary: {shares}"));
    let told = text(&html);
    for said in [
        "HTTPRoute user-service/user-service-canary",
        "gateway/public",
        "Weight 9 of 10",
        "Weight 1 of 10",
        "No ReferenceGrant in next lets this HTTPRoute name Service user",
        "These weights are relative",
        "requests that reach these Services in another way are counted too",
        "takes no steps with them",
        "spec.rules[0].backendRefs of the HTTPRoute",
    ] {
        assert!(told.contains(said), "{said:?} in {told}");
    }
    // It can be moved all the same, by hand.
    assert!(html.contains("See the plan"));
    let ranges = html.split("type=\"range\"").skip(1);
    assert!(
        ranges.clone().count() == 2
            && ranges
                .into_iter()
                .all(|it| !it.split('>').next().unwrap().contains("disabled"))
    );
    // The VirtualService of that name has a page of its own, without a word of this.
    let other = page(Busy, "/canary/user-service/user-service-canary", "ko").await;
    assert!(!text(&other).contains("HTTPRoute"));
}

#[tokio::test]
async fn what_somebody_else_owns_cannot_be_moved() {
    let html = page(Busy, "/canary/payment/payment-rollout", "ko").await;
    assert!(text(&html).contains("Argo Rollouts이(가) 관리하는 객체이므로"));
    for input in html.split("type=\"range\"").skip(1) {
        assert!(input.split('>').next().unwrap().contains("disabled"));
    }
}

#[tokio::test]
async fn the_journal_tells_who_what_why_and_how_it_ended() {
    let html = page(Busy, "/changes", "ko").await;
    assert_eq!(heading(&html), "사람의 확인이 필요한 변경 2개");
    let text = text(&html);
    for said in [
        "김하늘",
        "금요일 배포 전에 10%만",
        "실행되지 않음",
        "undo-4hd0t(으)로 되돌려짐",
        "사람이 확인해야 합니다",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
    // Only what landed and was not taken back can be.
    assert_eq!(html.matches("class=\"button little end scripted\"").count(), 2);
}

#[tokio::test]
async fn nothing_needs_a_style_attribute_and_every_script_has_its_nonce() {
    for uri in [
        "/",
        "/topology",
        "/canary",
        "/canary/user-service/user-service-canary",
        "/changes",
    ] {
        let html = page(Busy, uri, "en").await;
        assert!(!html.contains(" style="), "{uri}");
        for script in html.split("<script").skip(1) {
            assert!(
                script.split('>').next().unwrap().contains("nonce="),
                "{uri}: <script{}",
                &script[..80]
            );
        }
        assert!(
            !html.contains("http://") || html.contains("http://www.w3.org"),
            "{uri} fetches from elsewhere"
        );
    }
}
