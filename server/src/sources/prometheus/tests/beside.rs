//! What checks ask beside, answered by a server of ours.

use super::{
    adapter,
    server::{Reply as Sent, serve},
};
use naru_domain::{
    Why,
    inquiry::{ControlPlane, Count, CountsOf, EdgeRequests, Inquiry, Reach, Reply, ScrapedProxies, Scraping},
    traffic::Reporter,
};

fn vector(rows: &[(&str, &str)]) -> Sent {
    let rows: Vec<String> = rows
        .iter()
        .map(|(labels, value)| format!(r#"{{"metric":{{{labels}}},"value":[100,"{value}"]}}"#))
        .collect();
    let rows = rows.join(",");
    Sent::json(&format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{rows}]}}}}"#
    ))
}

async fn ask(inquiry: Inquiry, answer: impl Fn(&str) -> Sent + Send + Sync + 'static) -> Result<Reply, Why> {
    let (url, _) = serve(answer).await;
    Ok(adapter(&url).beside(&inquiry).await?.value)
}

#[tokio::test]
async fn what_istiod_counts_of_itself() {
    let reply = ask(ControlPlane.into(), |asked| {
        if asked.contains("cert_chain") {
            vector(&[])
        } else if asked.contains("root_cert") {
            vector(&[("", "2111346467.5")])
        } else if asked.contains("increase") {
            vector(&[("", "2")])
        } else if asked.contains("min_over_time") {
            vector(&[("", "1")])
        } else if asked.contains("count") {
            vector(&[("", "2")])
        } else {
            vector(&[("", "7")])
        }
    });
    let Ok(Reply::ControlPlane(state)) = reply.await else {
        panic!("no such reply")
    };
    assert_eq!((state.scraped, state.connected, state.refused), (2, 7, 3.0));
    assert_eq!(state.authority_ends.unwrap().as_second(), 2_111_346_467);
    let nothing = ask(ControlPlane.into(), |_| vector(&[])).await;
    let Ok(Reply::ControlPlane(state)) = nothing else {
        panic!("no such reply")
    };
    assert_eq!((state.scraped, state.authority_ends), (0, None));
}

#[tokio::test]
async fn how_often_and_how_far_back() {
    let reply = ask(Scraping.into(), |asked| {
        if asked.contains("quantile") {
            vector(&[("", "40")])
        } else if asked.contains("1h") || asked.contains("24h") {
            vector(&[("", "812")])
        } else {
            vector(&[])
        }
    });
    let Ok(Reply::Scraping(state)) = reply.await else {
        panic!("no such reply")
    };
    assert_eq!((state.interval_s, state.reach), (Some(15), Some(Reach::Day)));
    let Ok(Reply::Scraping(nothing)) = ask(Scraping.into(), |_| vector(&[])).await else {
        panic!("no such reply")
    };
    assert_eq!((nothing.interval_s, nothing.reach), (None, None));
}

#[tokio::test]
async fn counters_are_added_up_by_caller_and_newborn_ones_too() {
    let of = CountsOf {
        to: ("shop".into(), "web".into()),
        by: Reporter::Source,
        from: "2026-01-01T00:00:00Z".parse().unwrap(),
        until: "2026-01-01T00:11:00Z".parse().unwrap(),
    };
    let reply = ask(of.into(), |asked| {
        let gw =
            r#""source_workload_namespace":"g","source_workload":"gw","response_flags":"-","response_code":"#;
        if asked.contains("increase") {
            vector(&[(&format!("{gw}\"200\""), "900"), (&format!("{gw}\"500\""), "5")])
        } else if asked.contains("min_over_time") {
            vector(&[
                (&format!("{gw}\"503\""), "3"),
                (r#""source_workload":"unknown","response_code":"200""#, "2"),
            ])
        } else {
            vector(&[("", "4")])
        }
    });
    let Ok(Reply::CountsOf(counts)) = reply.await else {
        panic!("no such reply")
    };
    assert!(counts.covered);
    let gw = Count {
        requests: 908.0,
        lost: 3.0,
        failed: 8.0,
    };
    assert_eq!(counts.by_caller[&("g".into(), "gw".into())], gw);
    assert_eq!(counts.by_caller[&("".into(), "".into())].requests, 2.0);
}

#[tokio::test]
async fn a_service_is_named_by_what_prometheus_did_not_rename() {
    let reply = ask(EdgeRequests { window_s: 300 }.into(), |asked| {
        let to = r#""host":"a.example","exported_namespace":"shop","namespace":"ingress-nginx","exported_service":"web""#;
        // Under a ServiceMonitor `service` is that of nginx's own metrics.
        let own =
            r#""host":"a.example","namespace":"ingress-nginx","service":"nginx-metrics","status":"413""#;
        // A WebSocket that was open for ten minutes has not been slow.
        let socket = format!(r#"{to},"status":"101""#);
        if asked.contains("_sum") {
            vector(&[(to, "0.5"), (&socket, "600")])
        } else if asked.contains("_count") {
            vector(&[(to, "10"), (&socket, "1")])
        } else {
            vector(&[
                (&format!(r#"{to},"status":"200""#), "9"),
                (&format!(r#"{to},"status":"502""#), "1"),
                (own, "2"),
            ])
        }
    });
    let Ok(Reply::EdgeRequests(flows)) = reply.await else {
        panic!("no such reply")
    };
    let told: Vec<_> = flows
        .iter()
        .map(|it| (&*it.service.0, &*it.service.1, it.rate, it.failed, it.mean_ms))
        .collect();
    assert_eq!(
        told,
        [("", "", 2.0, 0.0, None), ("shop", "web", 10.0, 1.0, Some(50.0))]
    );
}

#[tokio::test]
async fn a_partial_answer_is_none() {
    let partial =
        r#"{"status":"success","warnings":["a store is away"],"data":{"resultType":"vector","result":[]}}"#;
    let reply = ask(ScrapedProxies.into(), move |_| Sent::json(partial)).await;
    assert!(matches!(reply, Err(Why::Said { .. })), "{reply:?}");
}
