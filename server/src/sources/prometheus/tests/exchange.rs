//! What is sent, how often, and what becomes of good answers.

use super::{
    adapter, adapter_with, now, question,
    server::{Asked, Reply, serve},
};
use naru_domain::{
    Why,
    judge::guardrail::{CountsQuestion, Slow},
    traffic::ServiceId,
};
use naru_ports::Metrics;
use std::{collections::BTreeSet, time::Duration};

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
    // Requests, and how long they took.
    assert_eq!(number_of(&asked), 2);
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

/// What both versions answered since the epoch.
fn versions() -> CountsQuestion {
    CountsQuestion {
        service: ServiceId {
            namespace: "n".into(),
            name: "s".into(),
        },
        stable: BTreeSet::from([("n".into(), "s-v1".into())]),
        canary: BTreeSet::from([("n".into(), "s-v2".into())]),
        since: naru_domain::Timestamp::UNIX_EPOCH,
        slow_above_ms: Some(500.0),
    }
}

#[tokio::test]
async fn a_canarys_counts_are_three_queries() {
    let (url, asked) = serve(|_| Reply::json(EMPTY)).await;
    let counts = adapter(&url).counts(&versions()).await.unwrap();
    assert!(counts.blocks.is_empty() && counts.newest.is_none());
    assert_eq!(number_of(&asked), 3);
}

/// The time of the queries, the five minutes before and a second for what is rounded off; and how many of each there were.
fn windows(asked: &Asked) -> Vec<(u32, usize)> {
    let mut of = std::collections::BTreeMap::new();
    for request in std::mem::take(&mut *asked.lock().unwrap()) {
        let window = request.rsplit_once("s%5D").expect("a window").0;
        let seconds = window.rsplit_once("%5B").expect("its beginning").1;
        *of.entry(seconds.parse::<u32>().unwrap() - 301).or_insert(0) += 1;
    }
    of.into_iter().rev().collect()
}

#[tokio::test]
async fn what_is_too_much_is_asked_for_half_the_time_and_that_is_said_and_kept() {
    let much = format!("{EMPTY}{}", " ".repeat(100 << 10));
    let (url, asked) = serve(move |request| {
        let long = request.contains("7501s") || request.contains("3901s");
        Reply::json(if long { &much } else { EMPTY })
    })
    .await;
    let adapter = adapter(&url);
    let before = now();
    let counts = adapter.counts(&versions()).await.unwrap();
    assert!(counts.blocks.is_empty());
    let left_out = counts.left_out.expect("a time before which nothing is known");
    assert!((1_795..=1_800).contains(&before.duration_since(left_out).as_secs()));
    assert_eq!(windows(&asked), [(7_200, 3), (3_600, 3), (1_800, 3)]);
    // The next turn begins where this one ended.
    assert!(adapter.counts(&versions()).await.unwrap().left_out.is_some());
    assert_eq!(windows(&asked), [(1_800, 3)]);
    // Another service is another matter, and so is a canary that is younger.
    let young = CountsQuestion {
        since: now(),
        ..versions()
    };
    assert_eq!(adapter.counts(&young).await.unwrap().left_out, None);
    assert_eq!(windows(&asked), [(0, 3)]);
    let mut other = versions();
    other.service.name = "other".into();
    adapter.counts(&other).await.unwrap();
    assert_eq!(windows(&asked), [(7_200, 3), (3_600, 3), (1_800, 3)]);
}

#[tokio::test]
async fn what_is_not_answered_in_time_is_asked_for_less_down_to_a_quarter_of_an_hour() {
    let (url, asked) = serve(|request| {
        if request.contains("7501s") {
            Reply::raw("").and_hang()
        } else {
            Reply::json(EMPTY)
        }
    })
    .await;
    let counts = adapter_with(&url, |it| it.timeout = Duration::from_secs(4))
        .counts(&versions())
        .await
        .unwrap();
    assert!(counts.left_out.is_some());
    assert_eq!(windows(&asked), [(7_200, 3), (3_600, 3)]);
    // Who never answers is given up, and asked for the least the next time.
    let (url, _) = serve(|_| Reply::raw("").and_hang()).await;
    let adapter = adapter(&url);
    for limit in [62, 500] {
        let why = adapter.counts(&versions()).await.unwrap_err();
        assert!(
            matches!(why, Why::TimedOut { after_ms, .. } if after_ms == limit),
            "{why:?}"
        );
    }
}

#[tokio::test]
async fn where_buckets_end_is_asked_if_none_ends_at_the_objective() {
    let row = |labels: &str, values: &str| format!(r#"{{"metric":{{{labels}}},{values}}}"#);
    let answer = |rows: &str, kind: &str| {
        format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{rows}]}}}}"#)
    };
    let at = now().as_second();
    let labels = r#""reporter":"source","source_workload":"g","source_workload_namespace":"n","destination_workload":"s-v2",
        "destination_workload_namespace":"n","response_code":"200","instance":"i""#;
    let samples = format!(r#""values":[[{},"1"],[{},"9"]]"#, at - 30, at - 15);
    let requests = answer(&row(labels, &samples), "matrix");
    let all = answer(&row(&format!(r#"{labels},"le":"+Inf""#), &samples), "matrix");
    let ends = ["250", "1000.0", "+Inf"]
        .map(|le| row(&format!(r#""le":"{le}""#), &format!(r#""value":[{at},"2"]"#)));
    let ends = answer(&ends.join(","), "vector");
    let (url, asked) = serve(move |request| {
        Reply::json(match request {
            _ if counts_samples(request) => &ends,
            _ if request.contains("milliseconds_bucket") => &all,
            _ if request.contains("reporter%3D%22source%22") => &requests,
            _ => EMPTY,
        })
    })
    .await;
    let counts = adapter(&url).counts(&versions()).await.unwrap();
    assert_eq!(
        counts.slow,
        Slow::NoBucket {
            nearest: vec![250.0, 1_000.0]
        }
    );
    assert_eq!(counts.blocks.iter().map(|it| it.requests).sum::<u64>(), 8);
    // Requests, attempts, durations, when the target was scraped, and where buckets end.
    assert_eq!(number_of(&asked), 5);
}
