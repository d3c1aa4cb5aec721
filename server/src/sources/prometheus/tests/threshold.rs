//! What a team's own item asks, answered by a server of ours.

use super::{
    adapter, adapter_with,
    process::Prometheus,
    server::{Asked, Reply as Sent, serve},
};
use naru_domain::{
    Why,
    inquiry::{Reply, Threshold, ThresholdState, Worst},
    promql::Expression,
};
use std::time::Duration;

fn question(worst: Worst) -> Threshold {
    Threshold {
        query: Expression::read(r#"sum by (pod) (rate(a{b="c"}[5m])) / sum by (pod) (rate(d[5m]))"#).unwrap(),
        window_s: 60,
        worst,
    }
}

fn matrix(rows: &str) -> Sent {
    Sent::json(&format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{rows}]}}}}"#
    ))
}

/// One series at the five moments of a minute.
fn row(labels: &str, values: [&str; 5]) -> String {
    let values = values.iter().enumerate().filter(|(_, it)| !it.is_empty());
    let values: Vec<String> = values
        .map(|(at, it)| format!("[{}.5,\"{it}\"]", 100 + at * 15))
        .collect();
    format!(r#"{{"metric":{{{labels}}},"values":[{}]}}"#, values.join(","))
}

async fn ask(worst: Worst, sent: Sent) -> (Result<ThresholdState, Why>, Asked) {
    let (url, asked) = serve(move |_| sent.clone()).await;
    let reply = adapter(&url).beside(&question(worst).into()).await;
    let state = reply.map(|it| match it.value {
        Reply::Threshold(state) => state,
        other => panic!("{other:?}"),
    });
    (state, asked)
}

#[tokio::test]
async fn the_worst_of_all_series_names_itself() {
    let rows = [
        row(r#""pod":"a""#, ["0.1", "0.2", "0.1", "0.1", "0.3"]),
        row(r#""__name__":"x","pod":"b","q":"\"""#, ["", "0.9", "0.9", "", ""]),
    ];
    for (worst, value, series, at_ms) in [
        (Worst::Highest, 0.9, r#"x{pod="b", q="\""}"#, 115_500),
        (Worst::Lowest, 0.1, r#"{pod="a"}"#, 100_500),
    ] {
        let (state, _) = ask(worst, matrix(&rows.join(","))).await;
        let state = state.unwrap();
        let seen = state.worst.unwrap();
        assert_eq!((seen.value, &*seen.series), (value, series));
        assert_eq!(seen.at.as_millisecond(), at_ms);
        assert_eq!((state.series, state.looks, state.seen), (2, 5, 5));
    }
}

#[tokio::test]
async fn a_moment_without_a_number_was_not_seen() {
    let (state, _) = ask(Worst::Highest, matrix("")).await;
    let nothing = ThresholdState {
        looks: 5,
        ..ThresholdState::default()
    };
    assert_eq!(state.unwrap(), nothing);
    // A hole, and a ratio of nothing to nothing beside a number.
    let rows = [
        row(r#""pod":"a""#, ["1", "", "1", "1", "+Inf"]),
        row(r#""pod":"b""#, ["", "", "NaN", "", ""]),
    ];
    let (state, _) = ask(Worst::Highest, matrix(&rows.join(","))).await;
    let state = state.unwrap();
    assert_eq!((state.looks, state.seen, state.series), (5, 3, 2));
    assert!(state.worst.unwrap().value.is_infinite());
    let (state, _) = ask(Worst::Lowest, matrix(&row("", ["NaN"; 5]))).await;
    let state = state.unwrap();
    assert_eq!((state.worst, state.seen), (None, 0));
}

#[tokio::test]
async fn what_is_asked_is_bounded() {
    let (_, asked) = ask(Worst::Lowest, matrix("")).await;
    let asked = asked.lock().unwrap().remove(0);
    assert!(asked.starts_with("POST /api/v1/query_range "), "{asked}");
    let (_, form) = asked.split_once("\r\n\r\n").unwrap();
    let url = reqwest::Url::parse(&format!("http://a/?{form}")).unwrap();
    let field = |name: &str| {
        let mut all = url.query_pairs();
        all.find(|(it, _)| it == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(
        field("query").as_deref(),
        Some(question(Worst::Lowest).query.text())
    );
    assert_eq!(field("step").as_deref(), Some("15"));
    assert_eq!(field("limit").as_deref(), Some("101"));
    assert_eq!(field("timeout").as_deref(), Some("500ms"));
    let second = |name| field(name).unwrap().parse::<f64>().unwrap();
    assert!((second("end") - second("start") - 60.0).abs() < 1e-3);
}

#[tokio::test]
async fn what_is_no_whole_answer_is_none() {
    let many: Vec<String> = (0..101)
        .map(|at| row(&format!(r#""pod":"{at}""#), ["1"; 5]))
        .collect();
    let partial =
        r#"{"status":"success","warnings":["a store is away"],"data":{"resultType":"matrix","result":[]}}"#;
    let histogram = r#"{"metric":{},"histograms":[[1,{"count":"1"}]]}"#;
    let refused = r#"{"status":"error","errorType":"bad_data","error":"no"}"#;
    for (sent, kind) in [
        (matrix(&many.join(",")), "NotObserved"),
        (matrix(histogram), "NotObserved"),
        (Sent::json(partial), "Said"),
        (
            Sent::new("400 Bad Request", "application/json", refused),
            "Failed",
        ),
        (Sent::json(refused), "Failed"),
        (Sent::json("[]"), "Garbled"),
        (
            Sent::json(r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#),
            "Garbled",
        ),
        (matrix(r#"{"metric":{},"values":[[1,"x"]]}"#), "Garbled"),
        (matrix(&"x".repeat(70 << 10)), "TooLarge"),
    ] {
        let (state, _) = ask(Worst::Lowest, sent).await;
        let why = format!("{:?}", state.unwrap_err());
        assert!(why.starts_with(kind), "{kind}: {why}");
    }
}

/// What the reader accepts the real parser accepts too, also with a replica in each selector; and the worst is the worst.
#[tokio::test]
#[ignore = "needs Prometheus (NARU_TEST_PROMETHEUS) and some seconds"]
async fn a_real_prometheus_reads_what_was_accepted() {
    let (exporter, _) = serve(|_| {
        Sent::new(
            "200 OK",
            "text/plain; version=0.0.4",
            "a{pod=\"x\",b=\"c\"} 3\na{pod=\"y\",b=\"c\"} 0.5\nd{pod=\"x\"} 1\n",
        )
    })
    .await;
    let prometheus = Prometheus::start(&exporter);
    let adapter = adapter_with(&prometheus.url, |it| it.timeout = Duration::from_secs(8));
    let ask = async |text: &str, worst| {
        let question = Threshold {
            query: Expression::read(text).unwrap(),
            window_s: 60,
            worst,
        };
        match adapter.beside(&question.into()).await?.value {
            Reply::Threshold(state) => Ok::<_, Why>(state),
            other => panic!("{other:?}"),
        }
    };
    let mut left = 120;
    let state = loop {
        if let Ok(state) = ask("a", Worst::Lowest).await
            && state.series == 2
        {
            break state;
        }
        left -= 1;
        assert!(left > 0, "nothing was scraped within a minute");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let seen = state.worst.as_ref().unwrap();
    assert_eq!(seen.value, 0.5);
    assert!(
        seen.series.contains(r#"pod="y""#) && seen.series.starts_with("a{"),
        "{}",
        seen.series
    );
    // It has been scraped for a few seconds of the minute.
    assert!(state.looks == 5 && state.seen < 5, "{state:?}");
    for text in [
        r#"sum(rate(a{b=~"c|d",pod!="z",}[5m])) / sum(rate(d[5m]))"#,
        r#"{__name__="a", pod=~"x"}"#,
        "sum by (pod) (a) / on (pod) group_left (b) d",
        "a / ignoring (b) d offset 1d",
        "sum(a) without (pod) or vector(0)",
        "histogram_quantile(0.99, sum by (le) (rate(a[1h30m])))",
        "quantile(0.9, a) * 1e3 + 0x1f - .5",
        "-a ^ -2 ^ 3 % 5 atan2 a",
        "a > bool 3",
        "a / (d > bool 0)",
        "count(a == 0)",
        "predict_linear(a[1h], 4 * 3600)",
        "clamp(a, 0, Inf) + scalar(d)",
        r"a{pod='\'}#', b=`\`}",
        "absent(a{})",
        "max_over_time(a[1d] offset 1h)",
    ] {
        let state = ask(text, Worst::Highest).await;
        assert!(state.is_ok(), "{text}: {state:?}");
        let with = Expression::read(text).unwrap().with(r#"prometheus_replica="a""#);
        let state = ask(&with, Worst::Highest).await;
        assert!(state.is_ok(), "{with}: {state:?}");
    }
}
