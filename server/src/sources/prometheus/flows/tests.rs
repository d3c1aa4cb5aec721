use super::{Measure, traffic};
use bytes::Bytes;
use naru_domain::{
    Timestamp, Why,
    traffic::{Flow, FlowKey, Protocol, Reporter, Traffic},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// An answer with one row for each text of labels and value.
fn vector(rows: &[(&str, &str)]) -> Bytes {
    let rows: Vec<String> = rows
        .iter()
        .map(|(labels, value)| format!(r#"{{"metric":{{{labels}}},"value":[100.5,"{value}"]}}"#))
        .collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
        rows.join(",")
    )
    .into()
}

const A_TO_B: &str = r#""source_workload":"a","source_workload_namespace":"n","destination_workload":"b-v1","destination_version":"v1",
    "destination_service_name":"b","destination_service_namespace":"n","request_protocol":"http""#;

fn labels(more: &str) -> String {
    format!("{A_TO_B},{more}")
}

fn read(answers: &[(Measure, Bytes)]) -> (Traffic, Vec<Why>) {
    let dated = traffic(answers, 60, NOW).unwrap();
    (dated.value, dated.gaps)
}

fn only(traffic: &Traffic) -> (&FlowKey, &Flow) {
    assert_eq!(traffic.flows.len(), 1, "{traffic:?}");
    traffic.flows.first_key_value().unwrap()
}

#[test]
fn responses_of_a_flow_are_added_and_told_apart() {
    let row = |more: &str| labels(&format!(r#""reporter":"destination",{more}"#));
    let (ok, bad, plain) = (
        row(r#""response_code":"200","response_flags":"-","connection_security_policy":"mutual_tls""#),
        row(r#""response_code":"503","response_flags":"UO","connection_security_policy":"mutual_tls""#),
        row(r#""response_code":"200","response_flags":"-","connection_security_policy":"none""#),
    );
    let spent = labels(r#""reporter":"destination""#);
    let (traffic, gaps) = read(&[
        (Measure::Duration, vector(&[(&spent, "100")])),
        (
            Measure::Requests,
            vector(&[(&ok, "6"), (&bad, "2"), (&plain, "2")]),
        ),
    ]);
    let (key, flow) = only(&traffic);
    assert_eq!(
        (key.reporter, key.protocol, &*key.target.version),
        (Reporter::Destination, Protocol::Http, "v1")
    );
    assert_eq!(
        (flow.rate, flow.failed, flow.mtls, flow.average_ms),
        (10.0, 2.0, 8.0, Some(10.0))
    );
    assert_eq!(flow.codes[&("200".into(), "-".into())], 8.0);
    assert_eq!(flow.codes.len(), 2);
    assert_eq!(gaps, []);
}

#[test]
fn reporters_are_never_added() {
    let (source, target) = (
        labels(r#""reporter":"source""#),
        labels(r#""reporter":"destination""#),
    );
    let (traffic, _) = read(&[(Measure::Requests, vector(&[(&source, "1"), (&target, "3")]))]);
    assert_eq!(
        traffic.flows.values().map(|it| it.rate).collect::<Vec<_>>(),
        [1.0, 3.0]
    );
}

#[test]
fn a_request_without_a_workload_keeps_its_service() {
    let row = r#""reporter":"source","source_workload":"unknown","destination_workload":"unknown","destination_service_name":"gone",
        "destination_service_namespace":"n","destination_canonical_revision":"latest","response_code":"503","response_flags":"UH""#;
    let (traffic, _) = read(&[(Measure::Requests, vector(&[(row, "0.5")]))]);
    let (key, flow) = only(&traffic);
    assert_eq!(
        (&*key.service.name, &*key.target.workload, &*key.source.workload),
        ("gone", "", "")
    );
    assert_eq!((flow.failed, flow.average_ms), (0.5, None));
}

#[test]
fn tcp_is_bytes_both_ways_and_connections() {
    let row = labels(r#""reporter":"source","response_flags":"-""#).replace("http", "tcp");
    let broken = labels(r#""reporter":"source","response_flags":"UF""#).replace("http", "tcp");
    let (traffic, _) = read(&[
        (Measure::Opened, vector(&[(&row, "3"), (&broken, "1")])),
        (Measure::SentBack, vector(&[(&row, "900")])),
        (Measure::Received, vector(&[(&row, "400")])),
    ]);
    let (key, flow) = only(&traffic);
    assert_eq!(key.protocol, Protocol::Tcp);
    assert_eq!(
        (flow.rate, flow.failed, flow.sent, flow.received),
        (4.0, 1.0, 400.0, 900.0)
    );
}

#[test]
fn a_quiet_flow_is_known_and_has_no_average() {
    let row = labels(r#""reporter":"source","response_code":"200","response_flags":"-""#);
    let (traffic, _) = read(&[
        (Measure::Requests, vector(&[(&row, "0")])),
        (Measure::Duration, vector(&[(&row, "0")])),
    ]);
    assert_eq!(*only(&traffic).1, Flow::default());
}

#[test]
fn grpc_fails_by_its_own_status() {
    let row = |status: &str| {
        labels(&format!(
            r#""reporter":"source","response_code":"200","grpc_response_status":"{status}""#
        ))
        .replace("http", "grpc")
    };
    let (ok, not_found, unavailable) = (row("0"), row("5"), row("14"));
    let (traffic, _) = read(&[(
        Measure::Requests,
        vector(&[(&ok, "5"), (&not_found, "3"), (&unavailable, "2")]),
    )]);
    let (key, flow) = only(&traffic);
    assert_eq!(
        (key.protocol, flow.rate, flow.failed),
        (Protocol::Grpc, 10.0, 2.0)
    );
}

#[test]
fn what_is_no_rate_is_left_out_and_said() {
    let (row, waypoint) = (
        labels(r#""reporter":"source""#),
        labels(r#""reporter":"waypoint""#),
    );
    let (traffic, gaps) = read(&[(
        Measure::Requests,
        vector(&[
            (&row, "NaN"),
            (&row, "+Inf"),
            (&row, "-1"),
            (&row, "2"),
            (&waypoint, "1"),
        ]),
    )]);
    assert_eq!(only(&traffic).1.rate, 2.0);
    assert!(
        matches!(&gaps[..], [Why::Garbled { detail, .. }, Why::NotJudged { .. }] if detail.starts_with('3')),
        "{gaps:?}"
    );
}

#[test]
fn the_order_of_rows_leaves_no_trace() {
    let rows: Vec<(String, String)> = (0..40)
        .map(|at| {
            (
                labels(&format!(
                    r#""reporter":"source","response_code":"{}""#,
                    200 + at % 3
                )),
                format!("0.{at}1"),
            )
        })
        .collect();
    let mut order: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (&**a, &**b)).collect();
    let (first, _) = read(&[(Measure::Requests, vector(&order))]);
    order.reverse();
    order.swap(3, 17);
    let (second, _) = read(&[(Measure::Requests, vector(&order))]);
    assert_eq!(first, second);
}

#[test]
fn the_moment_is_prometheus_own() {
    let row = labels(r#""reporter":"source""#);
    let at = |rows: &[(&str, &str)]| traffic(&[(Measure::Requests, vector(rows))], 60, NOW).unwrap().at;
    assert_eq!(at(&[(&row, "1")]).as_millisecond(), 100_500);
    assert_eq!(at(&[]), NOW);
}
