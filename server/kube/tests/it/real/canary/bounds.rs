//! What a Canary may say, and of whom.

use super::{Canaries, Edit, KIM};
use http::StatusCode;
use serde_json::json;

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_a_canary_names_services_of_its_own_namespace() {
    let canaries = Canaries::new().await;
    let own = canaries.namespace.clone();
    for (at, host) in [
        "shop".to_owned(),
        format!("shop.{own}.svc.cluster.local"),
        format!("shop.{own}.svc"),
    ]
    .into_iter()
    .enumerate()
    {
        let canary = canaries.canary(&format!("at-home-{at}"), KIM, |it| {
            it["canary"]["host"] = json!(host)
        });
        let (status, answer) = canaries.create(KIM, "canaries", &canary).await;
        assert_eq!(status, StatusCode::CREATED, "{host}: {answer}");
    }
    for host in [
        "shop.other.svc.cluster.local",
        "shop.other.svc",
        "shop.other",
        "shop.example.com",
        // Istio completes no name with a dot: this one names nothing.
        &format!("shop.{own}"),
        &format!("shop.{own}.example.com"),
    ] {
        for role in ["stable", "canary"] {
            let canary = canaries.canary("abroad", KIM, |it| it[role]["host"] = json!(host));
            canaries
                .no_create(KIM, &canary, 422, "services of the Canary's own namespace")
                .await;
        }
    }
}

#[tokio::test]
#[ignore = "needs an API server: NARU_LAB_API_KUBECONFIG"]
async fn real_the_schema_bounds_what_a_canary_says() {
    let canaries = Canaries::new().await;
    let refused: [(Edit, &str); 27] = [
        (|it| it["steps"] = json!([]), "spec.steps"),
        (
            |it| {
                it["steps"] = (0..21)
                    .map(|weight| json!({"weight": weight, "dwell": "1m", "requests": 0}))
                    .collect()
            },
            "must have at most 20 items",
        ),
        (|it| it["steps"][1]["weight"] = json!(5), "above the one before"),
        (|it| it["steps"][1]["weight"] = json!(4), "above the one before"),
        (
            |it| it["steps"][1]["weight"] = json!(101),
            "less than or equal to 100",
        ),
        (
            |it| it["steps"][0]["weight"] = json!(-1),
            "greater than or equal to 0",
        ),
        (
            |it| it["steps"][0]["weight"] = json!(5.5),
            "must be of type integer",
        ),
        (
            |it| it["steps"][0]["requests"] = json!(-1),
            "greater than or equal to 0",
        ),
        (
            |it| it["steps"][0]["dwell"] = json!("10 minutes"),
            "spec.steps[0].dwell",
        ),
        (
            |it| it["steps"][0]["dwell"] = json!("-10m"),
            "spec.steps[0].dwell",
        ),
        (
            |it| it["steps"][0]["dwell"] = json!("30m 1h"),
            "spec.steps[0].dwell",
        ),
        (|it| it["steps"][0]["dwell"] = json!(""), "spec.steps[0].dwell"),
        (
            |it| it["steps"][0]["dwell"] = json!("24h 1s"),
            "must be 0s to 24h",
        ),
        (|it| it["warmUp"] = json!("25h"), "must be 0s to 24h"),
        (|it| it["maxBlind"] = json!("1441m"), "must be 0s to 24h"),
        (|it| it["keepOld"] = json!("PT1H"), "spec.keepOld"),
        (|it| it["guardrail"]["errors"] = json!(0), "spec.guardrail.errors"),
        (
            |it| it["guardrail"]["errors"] = json!(1.01),
            "spec.guardrail.errors",
        ),
        (
            |it| it["guardrail"]["amplification"] = json!(0),
            "spec.guardrail.amplification",
        ),
        (
            |it| it["guardrail"]["latency"]["aboveMs"] = json!(0),
            "spec.guardrail.latency.aboveMs",
        ),
        (
            |it| it["guardrail"]["latency"]["difference"] = json!(0),
            "spec.guardrail.latency.difference",
        ),
        (
            |it| it["canary"] = it["stable"].clone(),
            "stable and canary are the same",
        ),
        (
            |it| {
                it["stable"] = json!({"host": "shop"});
                it["canary"] = json!({"host": "shop", "subset": ""});
            },
            "stable and canary are the same",
        ),
        (|it| it["course"] = json!("hurry"), "spec.course"),
        (|it| it["onFailure"] = json!("ignore"), "spec.onFailure"),
        (|it| it["route"]["rule"] = json!(-1), "spec.route.rule"),
        (
            |it| it["approvedBy"] = json!({"issuer": "i", "subject": ""}),
            "spec.approvedBy",
        ),
    ];
    for (edit, words) in refused {
        canaries
            .no_create(KIM, &canaries.canary("bounds", KIM, edit), 422, words)
            .await;
    }
    let twenty = canaries.canary("twenty", KIM, |it| {
        it["steps"] = (1..21)
            .map(|step| json!({"weight": step * 5, "dwell": "24h", "requests": 0}))
            .collect();
        // Two hosts instead of two subsets; everything else left out.
        it["stable"] = json!({"host": "shop"});
        it["canary"] = json!({"host": "shop-v2"});
        for field in ["guardrail", "warmUp", "maxBlind", "keepOld", "course"] {
            it.as_object_mut().unwrap().remove(field);
        }
    });
    let (status, answer) = canaries
        .create(KIM, "canaries?fieldValidation=Strict", &twenty)
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}
