//! What is sent, how often, and what becomes of good answers.

use super::{
    adapter, adapter_with, now, question,
    server::{Asked, Reply, serve},
};
use naru_domain::Why;
use naru_ports::Metrics;

const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

fn vector(labels: &str, value: &str) -> String {
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{{labels}}},"value":[100,"{value}"]}}]}}}}"#
    )
}

/// Is it the question for the number of samples?
fn counts_samples(request: &str) -> bool {
    request.contains("count_over_time")
}

fn number_of(asked: &Asked) -> usize {
    std::mem::take(&mut *asked.lock().unwrap()).len()
}

#[tokio::test]
async fn the_number_of_queries_is_constant() {
    let (url, asked) =
        serve(|request| Reply::json(if counts_samples(request) { SAMPLED } else { EMPTY })).await;
    let adapter = adapter(&url);
    assert_eq!(adapter.traffic(60).await.unwrap().gaps, []);
    assert_eq!(number_of(&asked), 6);
    adapter.traffic(60).await.unwrap();
    assert_eq!(number_of(&asked), 5);
    let questions: Vec<_> = (0..50)
        .map(|at| question("n", &format!("s{at}"), now()))
        .collect();
    assert_eq!(adapter.splits(&questions).await.len(), 50);
    assert_eq!(number_of(&asked), 1);
    assert!(adapter.splits(&[]).await.is_empty());
    assert_eq!(number_of(&asked), 0);
}

const SAMPLED: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[100,"8"]}]}}"#;

#[tokio::test]
async fn token_tenant_prefix_and_form_are_sent() {
    let file = std::env::temp_dir().join(format!("naru-token-{}", std::process::id()));
    std::fs::write(&file, "first\n").unwrap();
    let (url, asked) = serve(|_| Reply::json(SAMPLED)).await;
    let adapter = adapter_with(&format!("{url}/tenant/prom/"), |it| {
        it.bearer_token_file = Some(file.clone());
        it.org_id = Some("team-a".into());
    });
    adapter.traffic(60).await.unwrap();
    std::fs::write(&file, "second").unwrap();
    adapter.traffic(60).await.unwrap();
    std::fs::remove_file(&file).unwrap();
    let asked = asked.lock().unwrap().clone();
    for request in &asked {
        let head = request.to_ascii_lowercase();
        assert!(
            head.starts_with("post /tenant/prom/api/v1/query http/1.1\r\n"),
            "{request}"
        );
        assert!(
            head.contains("x-scope-orgid: team-a\r\n") && head.contains("accept-encoding: gzip\r\n"),
            "{request}"
        );
        assert!(
            request.contains("\r\n\r\nquery=") && request.ends_with("&timeout=500ms"),
            "{request}"
        );
    }
    assert!(
        asked[..6]
            .iter()
            .all(|it| it.contains("authorization: Bearer first\r\n")),
        "{asked:?}"
    );
    assert!(
        asked[6..]
            .iter()
            .all(|it| it.contains("authorization: Bearer second\r\n")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn not_knowing_the_number_of_samples_is_a_gap_and_no_error() {
    let (url, _) = serve(|request| match counts_samples(request) {
        true => Reply::new("403 Forbidden", "text/plain", "no"),
        false => Reply::json(&vector(
            r#""reporter":"source","destination_workload":"주문""#,
            "2",
        )),
    })
    .await;
    let dated = adapter(&url).traffic(60).await.unwrap();
    assert!(
        matches!(&dated.gaps[..], [Why::Failed { status: 403, .. }]),
        "{:?}",
        dated.gaps
    );
    assert_eq!(dated.at.as_second(), 100);
    assert!(dated.value.flows.keys().any(|it| &*it.target.workload == "주문"));
}

#[tokio::test]
async fn a_short_history_is_too_young_until_it_is_not() {
    let (url, asked) =
        serve(|request| Reply::json(&vector("", if counts_samples(request) { "4" } else { "1" }))).await;
    let adapter = adapter(&url);
    for _ in 0..2 {
        let gaps = adapter.traffic(60).await.unwrap().gaps;
        assert_eq!(
            gaps,
            [Why::TooYoung {
                samples: 2,
                needed: 4
            }]
        );
        assert_eq!(number_of(&asked), 6);
    }
}

#[tokio::test]
async fn two_replicas_are_never_added() {
    let replicas = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"prometheus_replica":"r1"},"value":[100,"8"]},{"metric":{"prometheus_replica":"r0"},"value":[100,"8"]}]}}"#;
    let (url, asked) = serve(move |request| {
        let one = request.contains("prometheus_replica%3D%22r0%22");
        let row = vector(r#""reporter":"source""#, if one { "2" } else { "4" });
        Reply::json(if counts_samples(request) { replicas } else { &row })
    })
    .await;
    let adapter = adapter(&url);
    for queries in [11, 5] {
        let traffic = adapter.traffic(60).await.unwrap().value;
        assert_eq!(number_of(&asked), queries);
        assert!(traffic.flows.values().all(|it| it.rate <= 2.0), "{traffic:?}");
    }
}

#[tokio::test]
async fn a_warning_makes_the_answer_partial() {
    let (url, _) = serve(|_| {
        Reply::json(&SAMPLED.replace(r#","data""#, r#","warnings":["store gateway 3 is down"],"data""#))
    })
    .await;
    let gaps = adapter(&url).traffic(60).await.unwrap().gaps;
    assert_eq!(
        gaps,
        [Why::Said {
            detail: "store gateway 3 is down".into()
        }]
    );
}
