//! One request explained: empty, filled, refused, unknown, in both languages.

use crate::page::{Fixed, answer, heading, page, router, text};
use axum::body::Body;
use http::Request;
use naru_app::fixtures::Scene::{self, Busy};
use naru_domain::actor::Scope;

const FILLED: &str = "/why?from=default/sangsang-plus-gateway&method=get&url=http://user-service.user-service/a&h=canary:true&h=x-a:1";

#[tokio::test]
async fn before_anything_is_asked_there_is_a_form_and_what_one_could_ask() {
    let html = page(Busy, "/why", "en").await;
    assert_eq!(heading(&html), "What becomes of a request?");
    for said in [
        "name=\"from\"",
        "list=\"why-callers\"",
        "<option value=\"default/sangsang-plus-gateway\"",
        "href=\"/why?from=istio-system/istio-ingressgateway&amp;to=default/sangsang-plus-gateway\"",
        "action=\"/why\"",
    ] {
        assert!(html.contains(said), "{said:?}");
    }
    assert!(!html.contains("role=\"alert\""));
    assert!(!html.contains("class=\"chain\""));
    let html = page(Scene::Empty, "/why", "en").await;
    assert!(
        !html.contains("Busiest calls"),
        "nothing is offered where nothing is"
    );
}

#[tokio::test]
async fn a_request_is_told_from_the_caller_to_what_was_measured() {
    let html = page(Busy, FILLED, "en").await;
    assert_eq!(heading(&html), "Part of such requests fails");
    let text = text(&html);
    for said in [
        "get http://user-service.user-service/a",
        "default/sangsang-plus-gateway calls through its sidecar, as cluster.local/ns/default/sa/sangsang-plus-gateway.",
        "decided by VirtualService user-service/user-service-canary /spec/http/1",
        "decided by an object in a namespace that you may not see",
        "At most 3.00 s for the whole request.",
        "Up to 2 more attempts on connect-failure.",
        "5.00 % of the requests are failed with 503.",
        "The called side sees the path /v2/users.",
        "90 % of the requests to user-service.user-service.svc.cluster.local (v1), port 80.",
        "user-service/user-service: 4 of 4 ready.",
        "Sent: mutual TLS; nothing says otherwise, so it is automatic.",
        "Taken: mutual TLS alone (STRICT).",
        "decided by PeerAuthentication user-service/default /spec/mtls/mode",
        "Authorization lets it in.",
        "ALLOW policies apply, and no rule of theirs takes it.",
        "All http between the two, not this request alone, over 60 s",
        "The model says mutual TLS; of what was measured 94.20 % came under it.",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
    // The form holds the question, and a link asks it again.
    assert!(html.contains("value=\"http://user-service.user-service/a\""));
    assert!(html.contains("canary:true\nx-a:1"), "headers one a line");
    assert!(html.contains("&amp;h=canary:true&amp;h=x-a:1"));
    assert!(!html.contains(" style="));
}

#[tokio::test]
async fn the_service_in_front_of_a_workload_is_found_for_those_who_name_no_url() {
    let uri = "/why?from=default/sangsang-plus-gateway&to=user-service/user-service";
    let html = page(Busy, uri, "en").await;
    assert!(html.contains("value=\"http://user-service.user-service/\""));
    let html = page(Busy, "/why?to=user-service/user-service", "en").await;
    assert_eq!(heading(&html), "What becomes of a request?");
    assert!(html.contains("<input type=\"hidden\" name=\"to\" value=\"user-service/user-service\""));
}

#[tokio::test]
async fn a_caller_without_a_sidecar_and_what_is_not_judged_are_said() {
    let uri = "/why?from=keycloak/keycloak&method=GET&url=http://user-service.user-service/";
    let html = page(Busy, uri, "en").await;
    assert_eq!(heading(&html), "The request fails");
    let told = text(&html);
    for said in [
        "keycloak/keycloak has no sidecar",
        "Without a proxy the cluster's DNS leads straight to the Service.",
        "The two sides do not agree on TLS: the connection is reset.",
        "There is no proxy on the called side: no policy is asked.",
        "Istio's metrics do not name callers without a sidecar",
    ] {
        assert!(told.contains(said), "{said:?} in {told}");
    }
    let uri = "/why?from=default/sangsang-plus-gateway&url=http://elsewhere/";
    let html = page(Busy, uri, "en").await;
    assert_eq!(heading(&html), "Whether the request arrives is not known");
    assert!(text(&html).contains("EnvoyFilter istio-system/extra decides here, which Naru does not judge."));
    let html = page(Scene::Unreachable, FILLED, "en").await;
    let told = text(&html);
    assert!(
        told.contains("Nothing is measured, so it is not known."),
        "{told}"
    );
    assert!(told.contains("Prometheus cannot be reached"), "{told}");
}

#[tokio::test]
async fn a_question_that_cannot_be_used_is_answered_in_its_form() {
    for (query, said, field) in [
        ("from=nonsense&url=http://a/", "Caller: wanted is", "from"),
        ("from=a/b&url=http://a/", "there is no workload a/b", "from"),
        ("from=default/sangsang-plus-gateway&url=", "URL: wanted is", "url"),
        (
            "from=default/sangsang-plus-gateway&url=http://a/&h=no-colon",
            "Headers: wanted is",
            "h",
        ),
    ] {
        let request = Request::get(format!("/why?{query}"))
            .header("accept-language", "en")
            .body(Body::empty())
            .unwrap();
        let console = Fixed {
            scene: Busy,
            read_only: false,
        };
        let (parts, html) = answer(router(console, Scope::all()), request).await;
        assert_eq!(parts.status, 200, "{query}");
        assert_eq!(heading(&html), "This cannot be explained", "{query}");
        let alert = html.split("role=\"alert\"").nth(1).unwrap();
        assert!(alert.split("</p>").next().unwrap().contains(said), "{query}");
        let field = html.split(&format!("name=\"{field}\"")).nth(1).unwrap();
        let field = field.split('>').next().unwrap();
        assert!(
            field.contains("aria-invalid=\"true\"") && field.contains("aria-describedby=\"why-wrong\""),
            "{query}: {field}"
        );
    }
}

#[tokio::test]
async fn what_was_typed_is_never_markup() {
    let uri = "/why?from=%3Cscript%3Ealert(1)%3C/script%3E&method=%22%3E%3Cb%3E&url=%22%3E%3Cimg%20src=x%3E&h=%3C/textarea%3E%3Cb%3E";
    let html = page(Busy, uri, "en").await;
    // Inside an attribute's quotes, angle brackets are text.
    for markup in ["\"><b>", "\"><img", "</textarea><b", "><script>alert"] {
        assert!(!html.contains(markup), "{markup}");
    }
    assert!(html.contains("&lt;/textarea&gt;&lt;b&gt;</textarea>"));
}

#[tokio::test]
async fn it_speaks_korean() {
    let html = page(Busy, FILLED, "ko").await;
    assert_eq!(heading(&html), "이런 요청의 일부가 실패합니다");
    let told = text(&html);
    for said in [
        "단계별로",
        "인가 정책이 거부합니다.",
        "받는 쪽: 상호 TLS만(STRICT).",
        "둘 사이의 모든 http",
        "connect-failure이면 최대 2번 다시 시도합니다.",
    ] {
        assert!(told.contains(said), "{said:?} in {told}");
    }
}

#[tokio::test]
async fn a_call_in_the_graph_leads_to_its_explanation() {
    let key = "workload//default/sangsang-plus-gateway%3Eworkload//product-service/product-service%3Ehttp";
    let html = page(Busy, &format!("/topology?sel={key}"), "en").await;
    assert!(
        html.contains(
            "href=\"/why?from=default/sangsang-plus-gateway&amp;to=product-service/product-service\""
        )
    );
    let unnamed = "unknown///unknown%3Eworkload//product-service/product-service%3Ehttp";
    let html = page(Busy, &format!("/topology?sel={unnamed}"), "en").await;
    assert!(
        !html.contains("href=\"/why?from="),
        "an unknown caller has no name to ask by"
    );
    let html = page(Busy, "/canary/user-service/user-service-canary", "en").await;
    assert!(html.contains("href=\"/why?to=user-service/user-service\""));
}
